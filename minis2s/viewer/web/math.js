// An equation as the documentation writes it, "c = f c' + i g", set as mathematics.
const LETTERS = {alpha: "α", phi: "φ", sigmoid: "σ", sum: "Σ", sqrt: "√", eps: "ε", dalpha: "dα"};
const UPRIGHT = new Set(`dlog tanh softmax exp log σ Σ √ logsoftmax where real padding else or and from the
  output order over attend cell fuse fusion layer by all at once of in is as for any product then parts part
  two step same with encoder decoder gradients linear directions both one hot tokens on before after places
  memory bridge source inputs targets`.split(/\s+/));
// A token: a mark; or a letter with prime, index and power; or a power alone; or anything else.
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
