"""What the page does: time slider, forward and backward, graph, heat maps, attention, keys."""

SCRIPT = r"""
"use strict";
const data = JSON.parse(document.getElementById("trace").textContent);
const $ = id => document.getElementById(id);
const state = {stop: 0, phase: "forward", cell: 0};
const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  const node = attributes.svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name !== "svg" && value !== null && value !== undefined) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
const svg = (tag, attributes, ...children) => make(tag, {svg: 1, ...attributes}, ...children);

// ---- numbers ----

const decoded = new Map();
function tensor(i) {
  if (!decoded.has(i)) {
    const {data: text, type, ...rest} = data.tensors[i];
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    const values = type === "f4" ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
    let most = 0, low = Infinity, high = -Infinity;
    for (const v of values) if (Number.isFinite(v)) {
      most = Math.max(most, Math.abs(v)); low = Math.min(low, v); high = Math.max(high, v);
    }
    decoded.set(i, {...rest, type, values, most, low, high});
  }
  return decoded.get(i);
}
function exact(v, x) {
  if (x.kind === "b") return v ? "true" : "false";
  if (!Number.isFinite(v) || x.type !== "f4") return String(v);
  for (let digits = 1; digits < 9; digits++)
    if (Math.fround(Number(v.toPrecision(digits))) === v) return String(Number(v.toPrecision(digits)));
  return String(Number(v.toPrecision(9)));
}
function short(v) {
  if (v === 0) return "0";
  const size = Math.abs(v);
  return size >= 1e-3 && size < 1e4 ? String(Number(v.toPrecision(3))) : v.toExponential(1);
}

function colours() {
  const style = getComputedStyle(document.body);
  const read = name => style.getPropertyValue(name).split(",").map(Number);
  return {zero: read("--zero"), plus: read("--plus"), minus: read("--minus")};
}
function colour(v, most, c) {
  if (!Number.isFinite(v)) return "#e0008a";
  const share = most ? Math.min(1, Math.abs(v) / most) : 0, end = v < 0 ? c.minus : c.plus;
  return `rgb(${c.zero.map((z, i) => Math.round(z + (end[i] - z) * share)).join(",")})`;
}

// ---- heat maps ----

// A row of n numbers is broken after H, so that the blocks of the gates stand below one another.
function grid(x) {
  const n = x.shape.length ? x.shape[x.shape.length - 1] : 1;
  const rows = x.shape.length > 1 ? x.shape[0] : 1;
  if (rows > 1) return {rows, wide: n, at: (r, c) => r * n + c};
  const wide = n > 8 && data.hidden && n % data.hidden === 0 ? data.hidden : Math.min(n, 32);
  return {rows: Math.ceil(n / wide), wide, at: (r, c) => r * wide + c < n ? r * wide + c : -1};
}
function index(x, k) {
  const n = x.shape.length ? x.shape[x.shape.length - 1] : 1;
  const whole = x.whole, last = k % n, row = Math.floor(k / n);
  if (whole.length <= 1) return [last];
  if (whole.length === 2) return x.shape.length === 2 ? [row, last] : whole[0] === 1 ? [0, last] : [last, 0];
  const many = whole.filter(d => d !== 1);                    // one example: its axis is 0
  if (many.length <= 2) {
    const own = many.length === 2 ? [row, last] : [last];
    return whole.map(d => d === 1 ? 0 : own.shift());
  }
  const out = [last];
  let rest = row;
  for (let a = whole.length - 2; a >= 0; a--) {
    out.unshift(a ? rest % whole[a] : rest);
    rest = Math.floor(rest / whole[a]);
  }
  return out;
}
function value(name, x, k) { return `${name}[${index(x, k).join(", ")}] = ${exact(x.values[k], x)}`; }

function heatmap(name, x, role) {
  const size = x.whole.join(" × ");
  const caption = make("figcaption", {}, make("b", {}, name), " ");
  const figure = make("figure", {class: role, "data-name": name}, caption);
  if (!x.whole.length || x.values.length === 1) {
    figure.append(make("span", {class: "number", tabindex: 0}, exact(x.values[0], x)));
    return figure;
  }
  if (!x.values.length) { caption.append(make("small", {}, `${size}, empty`)); return figure; }
  const cut = x.values.length < x.whole.reduce((a, b) => a * b, 1);
  const shown = cut ? `${size}, cut to ${x.shape.join(" × ")}` : size;
  caption.append(make("small", {}, `${shown}, ±${short(x.most)}`));
  const g = grid(x), roomy = g.rows === 1 || g.wide <= 8 ? 16 : g.wide <= 32 ? 13 : g.wide <= 64 ? 7 : 5;
  const fits = Math.floor((document.documentElement.clientWidth - 72) / g.wide);   // 32 on a small screen
  const side = Math.max(Math.min(roomy, 9), Math.min(roomy, fits));
  const high = g.rows === 1 ? 20 : side, gap = side > 6 ? 1 : 0;
  const canvas = make("canvas", {tabindex: 0, role: "img", "data-name": name,
    "aria-label": `${name}, ${size}, from ${short(x.low)} to ${short(x.high)}; arrow keys read values`});
  const ratio = window.devicePixelRatio || 1, width = g.wide * side, height = g.rows * high;
  canvas.width = width * ratio; canvas.height = height * ratio;
  canvas.style.width = width + "px"; canvas.style.height = height + "px";
  let cursor = null;
  function draw() {
    const c = colours(), pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    for (let r = 0; r < g.rows; r++) for (let q = 0; q < g.wide; q++) {
      const k = g.at(r, q);
      if (k < 0) continue;
      pen.fillStyle = colour(x.values[k], x.most, c);
      pen.fillRect(q * side, r * high, side - gap, high - gap);
    }
    if (cursor) {
      pen.strokeStyle = getComputedStyle(document.body).color; pen.lineWidth = 2;
      pen.strokeRect(cursor[1] * side + 1, cursor[0] * high + 1, side - gap - 2, high - gap - 2);
    }
  }
  function tell(r, q) {
    const k = r >= 0 && r < g.rows && q >= 0 && q < g.wide ? g.at(r, q) : -1;
    if (k < 0) return;
    cursor = [r, q];
    $("readout").textContent = value(name, x, k);
    draw();
  }
  const pointed = e => {
    const box = canvas.getBoundingClientRect(), tip = $("tip");
    tell(Math.floor((e.clientY - box.top) / high), Math.floor((e.clientX - box.left) / side));
    tip.textContent = $("readout").textContent;
    tip.hidden = false;
    tip.style.left = Math.max(4, Math.min(e.clientX + 12, innerWidth - tip.offsetWidth - 8)) + "px";
    const below = e.clientY + 40 + tip.offsetHeight <= innerHeight;
    tip.style.top = (below ? e.clientY + 16 : e.clientY - tip.offsetHeight - 10) + "px";
  };
  canvas.addEventListener("pointermove", pointed);
  canvas.addEventListener("pointerdown", pointed);
  canvas.addEventListener("pointerleave", () => {
    $("tip").hidden = true;
    if (document.activeElement !== canvas) { cursor = null; draw(); }
  });
  canvas.addEventListener("focus", () => {
    if (canvas.matches(":focus-visible")) tell(...(cursor || [0, 0]));
  });
  canvas.addEventListener("blur", () => { cursor = null; draw(); });
  canvas.addEventListener("keydown", e => {
    const by = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[e.key];
    if (e.key === "Escape") canvas.closest(".eq").focus();
    if (!by) return;
    e.preventDefault(); e.stopPropagation();
    const [r, q] = cursor || [0, 0];
    tell(r + by[0], q + by[1]);
    const holder = canvas.parentNode, x0 = cursor[1] * side, left = holder.scrollLeft;
    if (x0 < left || x0 + side > left + holder.clientWidth) holder.scrollLeft = x0 - holder.clientWidth / 2;
  });
  draw();
  figure.append(make("div", {class: "scroll"}, canvas));
  return figure;
}

// ---- equations ----

const LETTERS = {alpha: "α", phi: "φ", sigmoid: "σ", sum: "Σ", sqrt: "√", eps: "ε", dalpha: "dα"};
const UPRIGHT = new Set(`dlog tanh softmax exp log σ Σ √ logsoftmax where real padding else or and from the
  output order over attend cell fuse fusion layer by all at once of in is as for any product then parts part
  two step same with encoder decoder gradients linear directions both one hot tokens on before after places
  memory bridge source inputs targets`.split(/\s+/));
// A mark; or a letter with prime, index and power; or a power alone; or anything else.
const TOKEN = new RegExp([String.raw`\([A-Z]{1,3}\d{1,2}\*?\)`,
  String.raw`([A-Za-z]+(?:’s)?)('?)(?:_(\{[^}]*\}|[A-Za-z0-9]+(?:,[a-z])?))?('?)(?:\^(T|2))?`,
  String.raw`\^([T2])`, String.raw`[^A-Za-z^]+`, String.raw`\^`].join("|"), "g");
function math(text) {
  const out = make("span");
  const plain = text.replaceAll("log_softmax", "logsoftmax").replaceAll("log_p", "log p")
    .replace(/([a-z])-([a-z]{2})/g, "$1‑$2").replace(/'s\b/g, "’s");
  for (const m of plain.matchAll(TOKEN)) {
    if (m[6]) { out.append(make("sup", {}, m[6])); continue; }
    if (!m[1]) {
      out.append(m[0].replaceAll("-", "−").replaceAll(" . ", " · ").replaceAll("  ", "\u2003"));
      continue;
    }
    const word = LETTERS[m[1]] || m[1];
    out.append(UPRIGHT.has(word) || word.endsWith("’s") ? word : make("i", {}, word));
    if (m[2] || m[4]) out.append("′");
    if (m[3]) out.append(make("sub", {}, m[3].replace(/[{}]/g, "").replaceAll("-", "−")));
    if (m[5]) out.append(make("sup", {}, m[5]));
  }
  return out;
}

function card(run) {
  const title = make("h3", {class: "math"});
  for (const mark of run.marks) {
    const lines = (data.equations[mark] || "").split("\n");
    const text = make("span");
    lines.forEach((line, i) => { if (i) text.append(make("br")); text.append(math(line)); });
    title.append(make("span", {class: "mark"}, mark), text);
  }
  const set = role => make("div", {class: `set ${role}`},
    ...run[role].map(([name, i]) => heatmap(name, tensor(i), role)));
  const tensors = make("div", {class: "tensors"}, set("out"));
  if (run.in.length) tensors.append(make("span", {class: "sep"}, "from"), set("in"));
  const spoken = run.marks.map(m => `${m} ${(data.equations[m] || "").replaceAll("\n", ", ")}`).join("; ");
  return make("article", {class: "eq", tabindex: -1, "data-mark": run.marks.join(" "), "aria-label": spoken},
    title, make("p", {class: "code"}, make("code", {}, run.code), " ", make("small", {}, run.where)),
    tensors);
}

// ---- where we are ----

const stop = () => data.stops[state.stop];
const cells = () => data.cells.filter(c => c.lane === stop().lane);
const ARROW = {forward: "→", backward: "←"};
const cellName = c => `layer ${c.layer}${c.direction ? " " + ARROW[c.direction] : ""}`;
const has = phase => data.runs.some(r => r.phase === phase);

function words() {
  const s = stop(), names = {embedding: "embedding of all tokens", bridge: "from encoder to decoder",
    loss: "readout and loss"};
  return names[s.lane] || `${s.lane}, t = ${s.t}`;
}
function show() {
  const s = stop(), all = cells();
  state.cell = Math.min(state.cell, Math.max(0, all.length - 1));
  const cell = all[state.cell];
  document.body.classList.toggle("backward", state.phase === "backward");
  $("time").value = state.stop;
  const token = s.token !== null && s.token !== undefined ? `, token “${s.token}”` : "";
  $("time").setAttribute("aria-valuetext", words() + token);
  $("where").replaceChildren(make("b", {}, state.phase), `: ${words()}${token}`);
  $("back").disabled = state.stop === 0;
  $("ahead").disabled = state.stop === data.stops.length - 1;
  for (const radio of document.querySelectorAll("[name=phase]")) {
    radio.checked = radio.value === state.phase; radio.disabled = !has(radio.value);
  }
  const chooser = $("cell"), key = all.map(cellName).join();
  if (chooser.dataset.key !== key) {
    chooser.dataset.key = key;
    chooser.replaceChildren(make("legend", {}, "cell"), ...all.map((c, i) => {
      const radio = make("input", {type: "radio", name: "cell", value: i, "aria-label": cellName(c)});
      radio.addEventListener("change", () => go({cell: i}));
      return make("label", {}, radio, make("span", {}, cellName(c)));
    }));
  }
  chooser.hidden = all.length < 2;
  chooser.style.display = all.length < 2 ? "none" : "";
  for (const radio of chooser.querySelectorAll("input")) radio.checked = Number(radio.value) === state.cell;
  const runs = data.runs.filter(r => r.stop === state.stop && r.phase === state.phase
    && (r.layer === null || !cell || r.layer === cell.layer)
    && (r.direction === null || !cell || r.direction === cell.direction));
  $("equations").replaceChildren(...(runs.length ? runs.map(card)
    : [make("p", {}, `Nothing is computed here in the ${state.phase} pass.`)]));
  $("count").textContent = runs.length ? `${runs.length} lines, in the order in which they are computed` : "";
  $("readout").textContent = "";
  graph(cell);
  attention();
  history.replaceState(null, "", `#${state.phase}-${state.stop}-${state.cell}`);
}
function go(change) {
  Object.assign(state, change);
  state.stop = Math.max(0, Math.min(data.stops.length - 1, state.stop));
  show();
}

// ---- the graph ----

function graph(cell) {
  const lanes = {encoder: [], decoder: []};
  for (const one of data.cells) lanes[one.lane].push(one);
  const W = 46, H = 26, GAP = 18, rows = Math.max(1, lanes.encoder.length, lanes.decoder.length);
  const top = 44, base = top + rows * (H + GAP), backward = state.phase === "backward";
  const at = data.stops.map((s, i) => 30 + i * (W + 14) + W / 2);
  const width = at[at.length - 1] + W / 2 + 30, height = base + 48;
  const y = row => base - (row + 1) * (H + GAP) + GAP / 2;
  const norms = new Map(data.norms.map(([...key]) => [key.slice(0, 4).join(), key[4]]));
  const most = Math.max(...data.norms.filter(n => n[3] === state.phase).map(n => n[4]), 0);
  const c = colours(), picture = svg("svg", {width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `${words()}, ${state.phase}`});
  picture.append(svg("rect", {class: "column", x: at[state.stop] - W / 2 - 6, y: 8, width: W + 12,
    height: height - 16, rx: 8}));
  function arrow(x1, y1, x2, y2) {
    if (backward) [x1, y1, x2, y2] = [x2, y2, x1, y1];
    const angle = Math.atan2(y2 - y1, x2 - x1), tip = 5;
    const barb = turn => `L${x2 - 7 * Math.cos(angle + turn)} ${y2 - 7 * Math.sin(angle + turn)}`;
    picture.append(svg("line", {x1, y1, x2: x2 - tip * Math.cos(angle), y2: y2 - tip * Math.sin(angle)}),
      svg("path", {class: "head", d: `M${x2} ${y2} ${barb(-.45)} ${barb(.45)} Z`}));
  }
  const alpha = data.attention.find(a => a.stop === state.stop);
  if (alpha) {                                              // what this step looks at
    const x = tensor(alpha.alpha), here = at[state.stop];
    const from = y(Math.max(0, lanes.encoder.length - 1)), to = y(Math.max(0, lanes.decoder.length - 1));
    for (const [i, s] of data.stops.entries()) {
      if (s.lane !== "encoder") continue;
      const a = x.values[s.t] || 0;
      picture.append(svg("path", {class: "look", d: `M${at[i]} ${from} C${at[i]} 4, ${here} 4, ${here} ${to}`,
        "stroke-width": 1 + 5 * a, "stroke-opacity": Math.min(1, .06 + a)}));
    }
  }
  function node(i, row, label, lit, now, fill, title, choose) {
    const group = svg("g", {class: `node${lit ? " lit" : ""}${now ? " now" : ""}`}, svg("title", {}, title),
      svg("rect", {x: at[i] - W / 2, y: y(row), width: W, height: H, rx: 6, style: `fill:${fill}`}),
      svg("text", {x: at[i], y: y(row) + H / 2 + 4, "text-anchor": "middle"}, label));
    group.addEventListener("click", () => go({stop: i, ...choose}));
    picture.append(group);
  }
  const card = `rgb(${c.zero.join(",")})`;
  data.stops.forEach((s, i) => {
    const own = lanes[s.lane] || [], now = i === state.stop;
    const next = data.stops[i + 1] && data.stops[i + 1].lane === s.lane;
    own.forEach((one, row) => {
      if (next) {
        const left = [at[i] + W / 2, y(row) + H / 2], right = [at[i + 1] - W / 2, y(row) + H / 2];
        one.direction === "backward" ? arrow(...right, ...left) : arrow(...left, ...right);
      }
      if (row && own[row - 1].layer !== one.layer) arrow(at[i], y(row - 1), at[i], y(row) + H);
      const v = norms.get([i, one.layer, one.direction, state.phase].join()) || 0;
      const letter = (s.lane === "decoder" ? "s" : "h") + (one.direction === "backward" ? "←" : "");
      node(i, row, (backward ? "d" : "") + letter, now && one === cell, now, colour(v * .62, most, c),
        `${s.lane}, t = ${s.t}, ${cellName(one)}: ‖${backward ? "∂L/∂" : ""}${letter}‖ = ${short(v)}`,
        {cell: row});
    });
    if (!own.length) {
      const name = {embedding: "E", bridge: "s₀", loss: "L"}[s.lane] || s.lane;
      node(i, 0, (backward && s.lane !== "embedding" ? "d" : "") + name, now, now, card, words(), {});
    }
    const near = data.stops[i + 1];
    if (near && near.lane !== s.lane) arrow(at[i] + W / 2, y(0) + H / 2, at[i + 1] - W / 2, y(0) + H / 2);
    if (own.length) arrow(at[i], base + 12, at[i], y(0) + H);
    const fed = s.t === 0 ? "<bos>" : data.target[s.t - 1];
    const below = {encoder: s.token, decoder: fed}[s.lane];
    const clip = t => t.length > 8 ? t.slice(0, 7) + "…" : t === " " ? "␣" : t;
    if (below !== null && below !== undefined)
      picture.append(svg("text", {x: at[i], y: base + 26, "text-anchor": "middle"}, clip(below)));
    if (own.length)
      picture.append(svg("text", {class: "soft", x: at[i], y: base + 41, "text-anchor": "middle"},
        `t=${s.t}`));
    if (s.lane === "decoder" && s.token !== null)
      picture.append(svg("text", {x: at[i], y: y(own.length - 1) - 10, "text-anchor": "middle"},
        clip(s.token)));
  });
  const holder = $("graph"), left = holder.scrollLeft;
  holder.replaceChildren(picture);
  holder.scrollLeft = left;
  const seen = holder.clientWidth, here = at[state.stop];
  if (here - left < 60 || here - left > seen - 60) holder.scrollLeft = here - seen / 2;
  $("legend").textContent = backward ? "— colour: size of ∂L/∂h; arrows: the gradient's way"
    : "— colour: size of h; below: read, above the decoder: to be written";
}

// ---- attention ----

function attention() {
  $("attention").hidden = !data.attention.length;
  document.querySelector(".columns").classList.toggle("two", data.attention.length > 0);
  if (!data.attention.length) return;
  const steps = data.stops.filter(s => s.lane === "encoder"), c = colours();
  const tokens = steps.map(s => s.token ?? String(s.t));
  const seen = t => t === " " ? "␣" : t, turned = tokens.some(t => t.length > 3) ? "long" : "";
  const head = make("tr", {}, make("td"), ...tokens.map(t =>
    make("th", {scope: "col", class: turned}, make("span", {}, seen(t)))));
  const body = data.attention.map((row, r) => {
    const x = tensor(row.alpha), s = data.stops[row.stop], label = s.token ?? String(s.t);
    const line = make("tr", row.stop === state.stop ? {class: "now"} : {});
    line.append(make("th", {scope: "row"}, seen(label)));
    tokens.forEach((token, i) => {
      const v = x.values[i], text = `alpha[t=${s.t}, i=${i}] “${label}” looks at “${token}”: ${exact(v, x)}`;
      const cell = make("td", {tabindex: r + i ? -1 : 0, title: text, "aria-label": text, style:
        `background:${colour(v, 1, c)};color:${v > .45 ? "var(--paper)" : "var(--ink)"}`},
        tokens.length <= 14 ? v.toFixed(2).replace(/^0/, "") : "");
      cell.addEventListener("focus", () => $("readout").textContent = text);
      cell.addEventListener("pointerenter", () => $("readout").textContent = text);
      cell.addEventListener("click", () => go({stop: row.stop}));
      line.append(cell);
    });
    return line;
  });
  const table = make("table", {}, make("caption", {}, "columns: source read, rows: target written"),
    make("thead", {}, head), make("tbody", {}, ...body));
  table.addEventListener("keydown", e => {
    const by = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[e.key];
    if (!by || e.target.tagName !== "TD") return;
    e.preventDefault(); e.stopPropagation();
    const row = table.tBodies[0].rows[e.target.parentNode.rowIndex - 1 + by[0]];
    const next = row?.cells[e.target.cellIndex + by[1]];
    if (next && next.tagName === "TD") { e.target.tabIndex = -1; next.tabIndex = 0; next.focus(); }
  });
  const left = $("alpha").scrollLeft;
  $("alpha").replaceChildren(table);
  $("alpha").scrollLeft = left;
}

// ---- hands ----

$("time").max = data.stops.length - 1;
$("time").addEventListener("input", () => go({stop: Number($("time").value)}));
$("back").addEventListener("click", () => go({stop: state.stop - 1}));
$("ahead").addEventListener("click", () => go({stop: state.stop + 1}));
for (const radio of document.querySelectorAll("[name=phase]"))
  radio.addEventListener("change", () => go({phase: radio.value}));
document.addEventListener("keydown", e => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const typing = e.target.matches && e.target.matches("input");
  const step = {ArrowLeft: -1, ArrowRight: 1}[e.key], other = {ArrowUp: 1, ArrowDown: -1}[e.key];
  if (step && !typing) { e.preventDefault(); go({stop: state.stop + step}); }
  else if (other && !typing && cells().length > 1) {
    e.preventDefault(); go({cell: Math.max(0, Math.min(cells().length - 1, state.cell + other))});
  } else if (e.key === "f" || e.key === "b") {
    const phase = e.key === "f" ? "forward" : "backward";
    if (has(phase)) go({phase});
  } else if (e.key === "n" || e.key === "p") {
    const all = [...document.querySelectorAll(".eq")];
    const here = all.indexOf(document.activeElement?.closest?.(".eq"));
    const next = all[e.key === "n" ? here + 1 : Math.max(0, here - 1)];
    if (next) next.focus();
  }
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
let wide = innerWidth;
addEventListener("resize", () => { if (innerWidth !== wide) { wide = innerWidth; show(); } });

const joined = tokens => make("b", {}, tokens.join(tokens.every(t => [...t].length === 1) ? "" : " "));
if (data.source.length) $("pair").append("reads ", joined(data.source));
if (data.target.length) $("pair").append(data.source.length ? ", writes " : "writes ", joined(data.target));
$("notes").append(...data.notes.map(text => make("li", {}, text)));
if (!has("backward")) $("notes").append(make("li", {}, "This trace has no backward pass."));
const wanted = location.hash.match(/^#(forward|backward)-(\d+)-(\d+)$/);
if (wanted && has(wanted[1])) Object.assign(state, {phase: wanted[1], cell: Number(wanted[3]),
  stop: Math.min(data.stops.length - 1, Number(wanted[2]))});
show();
"""
