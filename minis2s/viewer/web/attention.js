// The attention weights of all steps as a table over tokens.
function attention() {
  $("attention").hidden = !data.attention.length;
  document.querySelector(".columns").classList.toggle("two", data.attention.length > 0);
  if (!data.attention.length) return;
  const steps = data.stops.filter(s => s.lane === "encoder"), c = colours();
  const tokens = steps.map(s => s.token ?? String(s.t + 1));
  const seen = t => t === " " ? "␣" : t, turned = tokens.some(t => t.length > 3) ? "long" : "";
  const head = make("tr", {}, make("td"), ...tokens.map(t =>
    make("th", {scope: "col", class: turned}, make("span", {}, seen(t)))));
  const body = data.attention.map((row, r) => {
    const x = tensor(row.alpha), s = data.stops[row.stop], label = s.token ?? String(s.t + 1);
    const line = make("tr", row.stop === state.stop ? {class: "now"} : {});
    line.append(make("th", {scope: "row"}, seen(label)));
    tokens.forEach((token, i) => {
      const v = x.values[i], fill = colour(v, 1, c);
      const text = `alpha, t = ${s.t + 1}, i = ${i + 1}: “${label}” looks at “${token}”, ${exact(v, x)}`;
      const cell = make("td", {tabindex: r + i ? -1 : 0, title: text, "aria-label": text, style:
        `background:${fill};color:${legible(fill)}`},
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
