// The unrolled graph: a column for each step, a box for each cell.
const BOX = {wide: 46, high: 26, gap: 18};                  // pixels

// Where everything stands, for the step and pass that are shown.
function plan() {
  const lanes = {encoder: [], decoder: []};
  for (const one of data.cells) lanes[one.lane].push(one);
  const rows = Math.max(1, lanes.encoder.length, lanes.decoder.length), base = 44 + rows * (BOX.high + BOX.gap);
  const at = data.stops.map((s, i) => 30 + i * (BOX.wide + 14) + BOX.wide / 2);
  return {lanes, at, base, backward: state.phase === "backward", colours: colours(),
    width: at[at.length - 1] + BOX.wide / 2 + 30, height: base + 48,
    top: row => base - (row + 1) * (BOX.high + BOX.gap) + BOX.gap / 2,
    norms: new Map(data.norms.map(([...key]) => [key.slice(0, 4).join(), key[4]])),
    most: Math.max(...data.norms.filter(n => n[3] === state.phase).map(n => n[4]), 0)};
}

function graph(cell) {
  const p = plan(), here = p.at[state.stop];
  const picture = svg("svg", {width: p.width, height: p.height, viewBox: `0 0 ${p.width} ${p.height}`, role: "img",
    "aria-label": `${words()}, ${state.phase}`});
  picture.append(svg("rect", {class: "column", x: here - BOX.wide / 2 - 6, y: 8, width: BOX.wide + 12,
    height: p.height - 16, rx: 8}), ...looks(p));
  data.stops.forEach((s, i) => picture.append(...column(p, s, i, cell)));
  const holder = $("graph"), left = holder.scrollLeft, seen = holder.clientWidth;
  holder.replaceChildren(picture);
  holder.scrollLeft = here - left < 60 || here - left > seen - 60 ? here - seen / 2 : left;
  $("legend").textContent = !data.norms.length ? "— a box for each layer, which works on all positions at once"
    : p.backward ? "— colour: size of ∂L/∂h; arrows: the gradient's way"
    : "— colour: size of h; below: read, above the decoder: to be written";
}

// An arrow of the forward pass, turned round in the backward pass.
function arrow(p, x1, y1, x2, y2) {
  if (p.backward) [x1, y1, x2, y2] = [x2, y2, x1, y1];
  const angle = Math.atan2(y2 - y1, x2 - x1), tip = 5;
  const barb = turn => `L${x2 - 7 * Math.cos(angle + turn)} ${y2 - 7 * Math.sin(angle + turn)}`;
  return [svg("line", {x1, y1, x2: x2 - tip * Math.cos(angle), y2: y2 - tip * Math.sin(angle)}),
    svg("path", {class: "head", d: `M${x2} ${y2} ${barb(-.45)} ${barb(.45)} Z`})];
}

// Curves from the decoder's step to every encoder step, as wide as the attention weight.
function looks(p) {
  const alpha = data.attention.find(a => a.stop === state.stop);
  if (!alpha) return [];
  const x = tensor(alpha.alpha), here = p.at[state.stop];
  const from = p.top(Math.max(0, p.lanes.encoder.length - 1)), to = p.top(Math.max(0, p.lanes.decoder.length - 1));
  return data.stops.flatMap((s, i) => {
    if (s.lane !== "encoder") return [];
    const a = x.values[s.t] || 0;
    return [svg("path", {class: "look", d: `M${p.at[i]} ${from} C${p.at[i]} 4, ${here} 4, ${here} ${to}`,
      "stroke-width": 1 + 5 * a, "stroke-opacity": Math.min(1, .06 + a)})];
  });
}

function box(p, i, row, {label, lit, fill, title, choose}) {
  const now = i === state.stop;
  const group = svg("g", {class: `node${lit ? " lit" : ""}${now ? " now" : ""}`}, svg("title", {}, title),
    svg("rect", {x: p.at[i] - BOX.wide / 2, y: p.top(row), width: BOX.wide, height: BOX.high, rx: 6,
      style: `fill:${fill}`}),
    svg("text", {x: p.at[i], y: p.top(row) + BOX.high / 2 + 4, "text-anchor": "middle"}, label));
  group.addEventListener("click", () => go({stop: i, ...choose}));
  return group;
}

// One stop: its cells or its one box, the arrows to the next stop, and the tokens.
function column(p, s, i, cell) {
  const own = p.lanes[s.lane] || [], near = data.stops[i + 1], x = p.at[i];
  const middle = row => p.top(row) + BOX.high / 2, right = x + BOX.wide / 2;
  const parts = own.flatMap((one, row) => cellParts(p, s, i, one, row, cell));
  if (!own.length) {
    const name = {embedding: "E", bridge: data.norms.length ? "s₀" : "k, v", loss: "L"}[s.lane] || s.lane;
    parts.push(box(p, i, 0, {label: (p.backward && s.lane !== "embedding" ? "d" : "") + name,
      lit: i === state.stop, fill: `rgb(${p.colours.zero.join(",")})`, title: words(), choose: {}}));
  }
  if (near && near.lane !== s.lane)
    parts.push(...arrow(p, right, middle(0), p.at[i + 1] - BOX.wide / 2, middle(0)));
  if (!own.length) return parts;
  const clip = t => t.length > 8 ? t.slice(0, 7) + "…" : t === " " ? "␣" : t;
  const text = (y, words, kind) => svg("text", {class: kind, x, y, "text-anchor": "middle"}, words);
  const read = {encoder: s.token, decoder: s.t === 0 ? "<bos>" : data.target[s.t - 1]}[s.lane];
  parts.push(...arrow(p, x, p.base + 12, x, p.top(0) + BOX.high), text(p.base + 41, s.t === null ? "all" : `t=${s.t + 1}`, "soft"));
  if (read !== null && read !== undefined) parts.push(text(p.base + 26, clip(read)));
  if (s.lane === "decoder" && s.token !== null) parts.push(text(p.top(own.length - 1) - 10, clip(s.token)));
  return parts;
}

function cellParts(p, s, i, one, row, cell) {
  const parts = [], own = p.lanes[s.lane], middle = p.top(row) + BOX.high / 2, near = data.stops[i + 1];
  if (near && near.lane === s.lane) {
    const left = [p.at[i] + BOX.wide / 2, middle], right = [p.at[i + 1] - BOX.wide / 2, middle];
    parts.push(...(one.direction === "backward" ? arrow(p, ...right, ...left) : arrow(p, ...left, ...right)));
  }
  if (row && own[row - 1].layer !== one.layer)
    parts.push(...arrow(p, p.at[i], p.top(row - 1), p.at[i], p.top(row) + BOX.high));
  const v = p.norms.get([i, one.layer, one.direction, state.phase].join()) || 0;
  const letter = (s.lane === "decoder" ? "s" : "h") + (one.direction === "backward" ? "←" : "");
  parts.push(box(p, i, row, {label: (p.backward ? "d" : "") + letter, lit: i === state.stop && one === cell,
    fill: colour(v * .62, p.most, p.colours), choose: {cell: row},
    title: `${s.lane}, ${stepText(s)}, ${cellName(one)}: ‖${p.backward ? "∂L/∂" : ""}${letter}‖ = ${short(v)}`}));
  return parts;
}
