// The oracle's own Python, run by MicroPython in this page, whenever a number is changed.
const examples = JSON.parse($("examples").textContent);
const python = {state: $("wasm") ? "none" : "absent", numbers: [], out: []};
for (const about of Object.values(examples)) {
  about.now = about.inputs.flatMap(([, , flat]) => flat);   // the inputs as they are now
  about.places = [...about.values.map(i => `v${i}`), ...about.gradients.map(i => `g${i}`)];
  about.at = new Map(about.places.map((place, i) => [place, about.numbers[i]]));
}

// Three digits, as the build writes them.
function short3(x) {
  if (x === 0) return "0";
  const size = Math.abs(x);
  return size >= 1e-3 && size < 1e3 ? x.toFixed(3).replace("-", "−") : x.toExponential(1).replace(/^-/, "−").replace("+", "");
}
function paint(node, x) {
  node.textContent = short3(x);
  if (node.dataset.name) node.setAttribute("aria-label", `${node.dataset.name} = ${node.textContent}`);
  node.style.setProperty("--a", Math.min(1, Math.abs(x) / 1.5).toFixed(2));
  node.classList.toggle("negative", x < 0);
}
const exampleOf = node => node.closest("[data-e]")?.dataset.e;
function valueOf(node) {
  const about = examples[exampleOf(node)];
  return node.dataset.i ? about.now[Number(node.dataset.i)] : about?.at.get(node.dataset.p) ?? 0;
}
function exactly(node) {
  const name = node.dataset.name || node.closest(".q")?.querySelector("figcaption")?.textContent || "";
  return `${name} = ${valueOf(node)}`;
}

async function unpacked(id) {
  const bytes = Uint8Array.from(atob($(id).textContent.trim()), c => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}
async function start() {
  if (python.state !== "none") return python.ready;
  python.state = "loading";
  python.ready = (async () => {
    const home = JSON.parse(new TextDecoder().decode(await unpacked("texts")));
    const script = document.createElement("script");
    script.type = "module";
    script.textContent = `${home.script}\ndocument.dispatchEvent(new Event("micropython"));`;
    const loaded = new Promise(done => document.addEventListener("micropython", done, {once: true}));
    document.head.append(script);
    await loaded;
    const mp = await loadMicroPython({heapsize: 16 * 1024 * 1024,
      url: `data:application/wasm;base64,${base64(await unpacked("wasm"))}`});
    mp.registerJsModule("page_numbers", {read: i => python.numbers[i], write: x => { python.out.push(x); },
      note: (mark, name, size) => { python.notes.push([mark, name, size, python.out.length]); }});
    try { mp.FS.mkdir("/lib"); } catch { /* it is there */ }
    for (const [name, text] of Object.entries(home.files)) mp.FS.writeFile(`/lib/${name}.py`, text);
    mp.FS.writeFile("/book.json", home.book);
    mp.runPython("import sys\nsys.path.insert(0, '/lib')\nimport page");
    python.fs = mp.FS;
    python.import = name => mp.pyimport(name);
    python.run = python.import("page").run;
    python.state = "ready";
  })();
  return python.ready;
}

// Compute an example anew, and write its numbers wherever they stand on this page.
function compute(name) {
  const about = examples[name];
  python.numbers = about.now;
  python.out = [];
  python.run(name);
  about.places.forEach((place, i) => about.at.set(place, python.out[i]));
  show(name);
  return about.at;
}
function show(name, article = document.querySelector("article.now")) {
  for (const grid of article.querySelectorAll(`.grid[data-e="${CSS.escape(name)}"]`))
    for (const node of grid.querySelectorAll(".n, .in")) if (node.dataset.p || node.dataset.i) paint(node, valueOf(node));
}

// The inputs of an example: a button for each number, its gradient below it.
function labelled(name, shape, j) {
  const at = [];
  for (let k = shape.length - 1; k >= 0; k--) { at.unshift(j % shape[k]); j = Math.floor(j / shape[k]); }
  return at.length ? `${name}[${at.join(", ")}]` : name;
}
function tables(section) {
  const name = section.dataset.example, about = examples[name];
  let i = 0;
  for (const [key, shape, flat, symbol] of about.inputs) {
    const arriving = key.startsWith("arrives:"), shown = arriving ? `d${key.slice(8)}` : key;
    const grid = make("div", {class: "grid", "data-e": name, style: `--n:${shape.at(-1) ?? 1}`});
    flat.forEach((x, j) => {
      const cell = make("span", {class: "cell"}, make("button", {type: "button", class: "in", "data-i": i,
        "data-name": labelled(shown, shape, j), "aria-pressed": "false", tabindex: i ? "-1" : "0"}));
      if (!arriving && about.backward) cell.append(make("i", {class: "n under", "data-p": `g${i}`}));
      grid.append(cell);
      i += 1;
    });
    section.querySelector(".inputs").append(make("figure", {class: "q"}, make("figcaption", {},
      make("span", {"data-s": symbol}, shown), make("small", {}, ` ${shape.join(" × ") || 1}`)), grid));
  }
  section.querySelector(".note").hidden = !about.backward;
}

const inputs = section => [...section.querySelectorAll(".in")];
const pressed = section => section.querySelector(".in[aria-pressed=true]") || section.querySelector(".in");
function choose(section, node) {
  for (const one of inputs(section)) one.setAttribute("aria-pressed", one === node);
  section.querySelector(".chosen").textContent = node.dataset.name;
  const slider = section.querySelector(".slider"), x = valueOf(node);
  slider.value = x;
  slider.setAttribute("aria-label", `${node.dataset.name}: ${tell("slider")}`);
  section.querySelector(".exact").value = x;
}
function state(section, text) { section.querySelector(".state").textContent = text; }
function change(section, x) {
  if (!Number.isFinite(x)) return;
  const about = examples[section.dataset.example];
  about.now[Number(pressed(section).dataset.i)] = Math.max(-1e3, Math.min(1e3, x));
  try { compute(section.dataset.example); state(section, tell("live")); }
  catch (error) { state(section, String(error.message || error).trim().split("\n").pop()); }
}
function reset(section) {
  const about = examples[section.dataset.example];
  about.now = about.inputs.flatMap(([, , flat]) => flat);
  compute(section.dataset.example);
  state(section, tell("live"));
  choose(section, pressed(section));
}
function alive(section) {
  state(section, tell("live"));
  section.querySelector(".drag").hidden = false;
  choose(section, pressed(section));
  section.addEventListener("click", e => { const node = e.target.closest(".in"); if (node) choose(section, node); });
  const slider = section.querySelector(".slider"), exact = section.querySelector(".exact");
  slider.addEventListener("input", () => { exact.value = slider.value; change(section, Number(slider.value)); });
  exact.addEventListener("change", () => {
    slider.value = exact.value;
    change(section, exact.value === "" ? NaN : Number(exact.value));
  });
  section.querySelector(".reset").addEventListener("click", () => reset(section));
  section.dataset.live = "1";
}
function prepare(section) {
  if (section.dataset.ready) return;
  section.dataset.ready = "1";
  if (python.state === "absent") { state(section, tell("fixed")); return; }
  state(section, tell("loading"));
  start().then(() => alive(section)).catch(error => state(section, String(error.message || error)));
}
document.addEventListener("page", e => {
  const here = [...e.detail.querySelectorAll(".example")];
  for (const section of here) if (!section.querySelector(".in")) tables(section);
  const names = new Set([...e.detail.querySelectorAll(".grid[data-e]")].map(grid => grid.dataset.e));
  for (const name of names) if (examples[name]) show(name, e.detail);
  stops(e.detail);
  if (here.length) requestAnimationFrame(() => setTimeout(() => here.forEach(prepare), 60));
});
