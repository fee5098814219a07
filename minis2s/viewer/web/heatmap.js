// An array as a heat map whose values are read by mouse, touch and keyboard.
// The page has an element #readout, where the value stands, and #tip, which follows the pointer.

// How an array is laid out: rows, columns, the index of the value in each cell, and what its gates are called.
// One example's gates are rows, a row of many numbers is broken after `block` of them; a matrix stays one.
function layout(x, block) {
  const n = x.shape.length ? x.shape[x.shape.length - 1] : 1;
  const rows = x.shape.length > 1 ? x.shape[0] : 1, gates = x.gates || "";
  if (rows > 1) return {rows, wide: n, gates, across: gates.length > 0, at: (r, c) => r * n + c};
  const wide = gates ? n / gates.length : n > 8 && block && n % block === 0 ? block : Math.min(n, 32);
  return {rows: Math.ceil(n / wide), wide, gates, across: false,
    at: (r, c) => r * wide + c < n ? r * wide + c : -1};
}

// Where value k of what is shown stands in the whole array, as Python counts.
function index(x, k) {
  const n = x.shape.length ? x.shape[x.shape.length - 1] : 1, row = Math.floor(k / n);
  const whole = x.whole, width = whole[whole.length - 1];
  let last = k % n;
  if (x.gates && n < width)                                   // some columns of each gate
    last = Math.floor(last / (n / x.gates.length)) * (width / x.gates.length) + last % (n / x.gates.length);
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
const valueText = (name, x, k) => `${name}[${index(x, k).join(", ")}] = ${exact(x.values[k], x)}`;

function shapeText(x) {
  const size = x.whole.join(" × ");
  if (x.values.length === x.whole.reduce((a, b) => a * b, 1)) return size;
  if (!x.gates) return `${size}, cut to ${x.shape.join(" × ")}`;
  return `${size}, ${x.shape[x.shape.length - 1] / x.gates.length} columns of each gate`;
}

// Sizes in pixels: of a cell, of the space between the blocks of gates, and of their names.  Small arrays show
// their numbers, very small or large ones as multiples of a power of ten.
function measure(g, x) {
  const room = document.documentElement.clientWidth - 72, name = 16;
  const fits = Math.floor((room - (g.gates && !g.across ? name : 0)) / g.wide);
  const numbers = g.rows * g.wide <= 64 && g.wide <= 16 && fits >= 32;
  const roomy = g.rows === 1 || g.wide <= 8 ? 16 : g.wide <= 32 ? 13 : g.wide <= 64 ? 7 : 5;
  const side = numbers ? Math.min(fits, 38) : Math.max(Math.min(roomy, 9), Math.min(roomy, fits));
  const high = numbers || g.rows === 1 ? 20 : g.gates && !g.across ? 14 : side;
  const between = g.across ? 6 : 0;
  const power = numbers && x.most && (x.most < .01 || x.most >= 1000) ? Math.floor(Math.log10(x.most)) : 0;
  return {numbers, power, side, high, gap: side > 6 ? 1 : 0, between, block: g.across ? g.wide / g.gates.length : g.wide,
    left: g.gates && !g.across ? name : 0, top: g.across ? name : 0};
}

function paint(pen, x, g, m, cursor) {
  const c = colours(), place = q => m.left + q * m.side + Math.floor(q / m.block) * m.between;
  pen.textAlign = "center"; pen.textBaseline = "middle";
  pen.font = "italic 12px Cambria, 'STIX Two Text', 'Noto Serif', Georgia, serif";
  pen.fillStyle = c.ink;
  [...g.gates].forEach((gate, i) => g.across ? pen.fillText(gate, place(i * m.block) + m.block * m.side / 2, 7)
    : pen.fillText(gate, 7, i * m.high + m.high / 2));
  pen.font = "10px ui-monospace, 'Cascadia Mono', 'DejaVu Sans Mono', monospace";
  for (let r = 0; r < g.rows; r++) for (let q = 0; q < g.wide; q++) {
    const k = g.at(r, q);
    if (k < 0) continue;
    const v = x.values[k], left = place(q), top = m.top + r * m.high;
    const fill = colour(v, x.most, c);
    pen.fillStyle = fill;
    pen.fillRect(left, top, m.side - m.gap, m.high - m.gap);
    if (!m.numbers) continue;
    pen.fillStyle = legible(fill);
    pen.fillText(brief(v / 10 ** m.power), left + (m.side - m.gap) / 2, top + m.high / 2);
  }
  if (cursor) {
    pen.strokeStyle = c.ink; pen.lineWidth = 2;
    pen.strokeRect(place(cursor[1]) + 1, m.top + cursor[0] * m.high + 1, m.side - m.gap - 2, m.high - m.gap - 2);
  }
}

function heatmap(name, x, role, block = 0) {
  const caption = make("figcaption", {}, make("b", {}, name), " ");
  const figure = make("figure", {class: role, "data-name": name}, caption);
  if (!x.whole.length || x.values.length === 1) {
    figure.append(make("span", {class: "number", tabindex: 0}, exact(x.values[0], x)));
    return figure;
  }
  if (!x.values.length) {
    caption.append(make("small", {}, `${x.whole.join(" × ")}, empty`));
    return figure;
  }
  const g = layout(x, block), m = measure(g, x);
  const unit = m.power ? `, numbers × 10${superscript(m.power)}` : "";
  caption.append(make("small", {}, `${shapeText(x)}, ±${short(x.most)}${unit}`));
  const gates = g.gates ? `, gates ${[...g.gates].join(" ")}` : "";
  const canvas = make("canvas", {tabindex: 0, role: "img", "data-name": name, "data-gates": g.gates || null,
    "aria-label": `${name}, ${x.whole.join(" × ")}${gates}, from ${short(x.low)} to ${short(x.high)}; `
      + "arrow keys read values"});
  const ratio = window.devicePixelRatio || 1;
  const width = m.left + g.wide * m.side + (g.wide / m.block - 1) * m.between, height = m.top + g.rows * m.high;
  canvas.width = width * ratio; canvas.height = height * ratio;
  canvas.style.width = width + "px"; canvas.style.height = height + "px";
  const view = {cursor: null, draw() {
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    paint(pen, x, g, m, view.cursor);
  }, tell(r, q) {
    const k = r >= 0 && r < g.rows && q >= 0 && q < g.wide ? g.at(r, q) : -1;
    if (k < 0) return;
    view.cursor = [r, q];
    $("readout").textContent = valueText(name, x, k);
    view.draw();
  }};
  readable(canvas, view, m);
  view.draw();
  figure.append(make("div", {class: "scroll"}, canvas));
  return figure;
}

// Let pointer and arrow keys read the values of a canvas.
function readable(canvas, view, m) {
  const column = x => {                                       // of a place, also between two blocks
    const wide = m.block * m.side + m.between, block = Math.max(0, Math.floor((x - m.left) / wide));
    return block * m.block + Math.min(m.block - 1, Math.floor((x - m.left - block * wide) / m.side));
  };
  const pointed = e => {
    const box = canvas.getBoundingClientRect(), tip = $("tip");
    view.tell(Math.floor((e.clientY - box.top - m.top) / m.high), column(e.clientX - box.left));
    tip.textContent = $("readout").textContent;
    tip.hidden = false;
    tip.style.left = Math.max(4, Math.min(e.clientX + 12, innerWidth - tip.offsetWidth - 8)) + "px";
    const below = e.clientY + 40 + tip.offsetHeight <= innerHeight;
    tip.style.top = (below ? e.clientY + 16 : e.clientY - tip.offsetHeight - 10) + "px";
  };
  const leave = () => { view.cursor = null; view.draw(); };
  canvas.addEventListener("pointermove", pointed);
  canvas.addEventListener("pointerdown", pointed);
  canvas.addEventListener("pointerleave", () => {
    $("tip").hidden = true;
    if (document.activeElement !== canvas) leave();
  });
  canvas.addEventListener("focus", () => {
    if (canvas.matches(":focus-visible")) view.tell(...(view.cursor || [0, 0]));
  });
  canvas.addEventListener("blur", leave);
  canvas.addEventListener("keydown", e => {
    const by = {ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0]}[e.key];
    if (e.key === "Escape") canvas.closest("[tabindex='-1']").focus();
    if (!by) return;
    e.preventDefault(); e.stopPropagation();
    const [r, q] = view.cursor || [0, 0];
    view.tell(r + by[0], q + by[1]);
    const holder = canvas.parentNode, left = holder.scrollLeft;
    const x0 = m.left + view.cursor[1] * m.side + Math.floor(view.cursor[1] / m.block) * m.between;
    if (x0 < left || x0 + m.side > left + holder.clientWidth) holder.scrollLeft = x0 - holder.clientWidth / 2;
  });
}
