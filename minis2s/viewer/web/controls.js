// Slider, buttons and keys; then the page is shown.
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
