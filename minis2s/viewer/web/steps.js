// The page of a trace: which step, pass and cell are shown, and their equations.
const data = JSON.parse($("trace").textContent);
const state = {stop: 0, phase: "forward", cell: 0};
const tensor = i => decode(data.tensors[i]);

// Steps are stored as Python counts them, from 0, and shown from 1.
// A Transformer works on all steps at once.
const stepText = s => s.t === null ? "all positions" : `t = ${s.t + 1}`;
const stop = () => data.stops[state.stop];
const cells = () => data.cells.filter(c => c.lane === stop().lane);
const ARROW = {forward: "→", backward: "←"};
const cellName = c => `layer ${c.layer}${c.direction ? " " + ARROW[c.direction] : ""}`;
const has = phase => data.runs.some(r => r.phase === phase);

function words() {
  const s = stop(), names = {embedding: "embedding of all tokens", bridge: "from encoder to decoder",
    loss: "readout and loss"};
  return names[s.lane] || `${s.lane}, ${stepText(s)}`;
}
function show() {
  const s = stop(), all = cells();
  state.cell = Math.min(state.cell, Math.max(0, all.length - 1));
  const cell = all[state.cell];
  document.body.classList.toggle("backward", state.phase === "backward");
  const token = s.token !== null && s.token !== undefined ? `, token “${s.token}”` : "";
  $("time").value = state.stop;
  $("time").setAttribute("aria-valuetext", words() + token);
  $("where").replaceChildren(make("b", {}, state.phase), `: ${words()}${token}`);
  $("back").disabled = state.stop === 0;
  $("ahead").disabled = state.stop === data.stops.length - 1;
  for (const radio of document.querySelectorAll("[name=phase]")) {
    radio.checked = radio.value === state.phase; radio.disabled = !has(radio.value);
  }
  cellChooser(all);
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

function cellChooser(all) {
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
}

function go(change) {
  Object.assign(state, change);
  state.stop = Math.max(0, Math.min(data.stops.length - 1, state.stop));
  show();
}

// ---- one line of code: its equation, what it gives, what it reads ----

function card(run) {
  const title = make("h3", {class: "math"});
  for (const mark of run.marks) {
    const text = make("span");
    text.innerHTML = data.typeset[mark] || "";              // MathML that the build made of the equation's text
    title.append(make("span", {class: "mark"}, mark), text);
  }
  const set = role => make("div", {class: `set ${role}`},
    ...run[role].map(([name, i]) => heatmap(name, tensor(i), role, data.hidden)));
  const tensors = make("div", {class: "tensors"}, set("out"));
  if (run.in.length) tensors.append(make("span", {class: "sep"}, "from"), set("in"));
  const spoken = run.marks.map(m => `${m} ${(data.equations[m] || "").replaceAll("\n", ", ")}`).join("; ");
  return make("article", {class: "eq", tabindex: -1, "data-mark": run.marks.join(" "), "aria-label": spoken},
    title, make("p", {class: "code"}, make("code", {}, run.code), " ", make("small", {}, run.where)),
    tensors);
}
