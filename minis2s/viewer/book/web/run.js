// A trained run: type a text, watch it read, attend and write; force a token; the beam's tree; a cell's equations.
const trained = $("run-data") ? JSON.parse($("run-data").textContent) : null;
const now = {source: [], ids: [], tokens: [], forced: new Map(), steps: [], turn: 0};

const special = id => trained.target[id];
const seen = token => token === " " ? "␣" : token;
function split(text) {
  if (trained.lowercase) text = text.normalize("NFC").toLowerCase();
  return trained.source_unit === "char" ? [...text] : text.split(/\s+/).filter(Boolean);
}
function call(f, ...values) {
  python.numbers = values;
  python.out = [];
  f(values.length);
  return python.out;
}
async function awake() {
  await start();
  if (python.model) return;
  const bytes = Uint8Array.from(atob(trained.data), c => c.charCodeAt(0));
  python.numbers = new Float32Array(bytes.buffer);
  python.fs.writeFile("/run.json", JSON.stringify({config: trained.config, arrays: trained.arrays}));
  python.model = python.import("page");
  python.model.wake();
}

// Read, then write token by token; a forced token takes the place of the most probable one.
async function ask() {
  const turn = ++now.turn, text = $("text").value;
  now.source = split(text);
  if (!now.source.length || now.source.length > trained.longest) {
    $("run-state").textContent = `1–${trained.longest}`;
    return;
  }
  const known = new Map(trained.source.map((symbol, i) => [symbol, i]));
  now.ids = now.source.map(token => known.get(token) > 3 ? known.get(token) : 3);
  now.fed = trained.config.reverse_source ? [...now.ids].reverse() : now.ids;
  $("run-state").textContent = tell("loading");
  try { await awake(); } catch (error) { $("run-state").textContent = String(error.message || error); return; }
  $("run-state").textContent = tell("live");
  now.tokens = []; now.steps = [];
  for (const id of ["reading", "writing", "looked", "answer", "tree", "inside"]) $(id).replaceChildren();
  call(python.model.read, ...now.fed);
  now.source.forEach((token, i) => $("reading").append(cellButton("encoder", trained.config.reverse_source
    ? now.source.length - 1 - i : i, token, now.ids[i] === 3)));
  for (let t = 0; t < trained.longest; t++) {
    const out = call(python.model.follow, ...now.tokens), log_p = out.slice(0, trained.target.length);
    const rank = [...log_p.keys()].filter(i => ![0, 1, 3].includes(i)).sort((a, b) => log_p[b] - log_p[a]);
    const token = now.forced.has(t) ? now.forced.get(t) : rank[0];
    now.steps.push({log_p, alpha: out.slice(trained.target.length), rank, token});
    written(t);
    if (token === 2) break;
    now.tokens.push(token);
    await new Promise(done => setTimeout(done, 0));
    if (turn !== now.turn) return;
  }
  $("answer").textContent = now.tokens.map(special).join(trained.target_unit === "char" ? "" : " ");
  attended();
}
function cellButton(lane, t, token, unknown = false) {
  const button = make("button", {type: "button", class: "token", "aria-label": `${lane} ${t + 1}: ${token}`, dir: "auto"},
    unknown ? `${seen(token)} = <unk>` : seen(token));
  button.addEventListener("click", () => inside(lane, t));
  return button;
}
function written(t) {
  const step = now.steps[t], box = make("div", {class: "step"}, cellButton("decoder", t, special(step.token)));
  box.append(make("small", {}, `${(100 * Math.exp(step.log_p[step.token])).toFixed(1)} %`));
  for (const rival of step.rank.filter(i => i !== step.token).slice(0, 3)) {
    const force = make("button", {type: "button", class: "rival", dir: "auto", "aria-label": `${t + 1}: ${special(rival)}`},
      `${seen(special(rival))} ${(100 * Math.exp(step.log_p[rival])).toFixed(1)} %`);
    force.addEventListener("click", () => {
      for (const later of [...now.forced.keys()]) if (later >= t) now.forced.delete(later);
      now.forced.set(t, rival);
      ask();
    });
    box.append(force);
  }
  $("writing").append(box);
}
function attended() {
  if (!now.steps[0]?.alpha.length) return;
  const read = trained.config.reverse_source ? [...now.source].reverse() : now.source;
  const head = make("tr", {}, make("td"), ...read.map(token => make("th", {scope: "col"}, seen(token))));
  const rows = now.steps.map(step => make("tr", {}, make("th", {scope: "row"}, seen(special(step.token))),
    ...step.alpha.map(a => make("td", {class: "n", style: `--a: ${(3 * a).toFixed(2)}`}, a.toFixed(2)))));
  $("looked").replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
}

// The beginnings that a beam of three looked at, as a tree; the best output is bold.
async function grow() {
  if (!now.steps.length) await ask();
  if (!now.steps.length) return;
  call(python.model.read, ...now.fed);
  const out = call(python.model.beam, 3, Math.min(trained.longest, now.steps.length + 2));
  const size = out[0], best = out.slice(2, 2 + size).join();
  let at = 2 + size;
  const all = [];
  while (at < out.length) { const n = out[at]; all.push({y: out.slice(at + 2, at + 2 + n), log_p: out[at + 1]}); at += 2 + n; }
  const lists = new Map([["", make("ul")]]);
  for (const {y, log_p} of all.sort((a, b) => a.y.length - b.y.length || b.log_p - a.log_p)) {
    if (!y.length) continue;
    const on = `${best},`.startsWith(`${y.join()},`);
    const item = make("li", {}, make(on ? "b" : "span", {dir: "auto"}, seen(special(y.at(-1)))), ` ${log_p.toFixed(2)}`);
    const list = make("ul");
    item.append(list);
    lists.get(y.slice(0, -1).join())?.append(item);
    lists.set(y.join(), list);
  }
  $("tree").replaceChildren(make("p", {dir: "auto"}, `${out.slice(2, 2 + size).map(special).join(" ")}  log p = ${out[1].toFixed(3)}`),
    lists.get(""));
}

// The equations of the chosen cell with its numbers, forward and, where the model is small, backward.
function inside(lane, t) {
  $("inside").replaceChildren();
  python.notes = [];
  const found = call(python.model.inside, lane === "encoder" ? 0 : 1, t, Number(trained.gradient), now.fed.length, ...now.fed,
    ...now.tokens);
  for (const [mark, name, size, at] of python.notes) {
    const values = found.slice(at, at + size), gradients = trained.gradient ? found.slice(at + size, at + 2 * size) : [];
    const numbers = list => make("div", {class: "grid", style: "--n:8"}, ...list.map(x => {
      const node = make("i", {class: "n", title: String(x)});
      node.textContent = short3(x);
      node.style.setProperty("--a", Math.min(1, Math.abs(x) / 1.5).toFixed(2));
      node.classList.toggle("negative", x < 0);
      return node;
    }));
    const first = mark.split(" ")[0], page = pageOf(first);
    $("inside").append(make("figure", {class: "q"}, make("figcaption", {}, make("a", {class: "mark", href: `#${page}/${
      first.slice(1, -1)}`, "data-m": first}, mark), " ", make("b", {"data-s": name}, name === "return" ? "" : name)),
      numbers(values), ...(gradients.length ? [make("small", {}, "∂L/∂"), numbers(gradients)] : [])));
  }
}
function pageOf(mark) {
  const home = articles.find(a => a.querySelector(`[data-marks~="${CSS.escape(mark)}"]`));
  return home ? home.dataset.page : "lstm";
}
if (trained) {
  $("ask").addEventListener("submit", e => { e.preventDefault(); now.forced.clear(); ask(); });
  $("grow").addEventListener("click", grow);
}
