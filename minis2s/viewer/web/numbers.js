// Arrays as the page stores them, and numbers as text and as colours.

// A stored array: {data: base64, type: "f4" or "f8", shape, whole, kind, gates}.  -> the same with `values`.
const decoded = new WeakMap();
function decode(stored) {
  if (!decoded.has(stored)) {
    const {data: text, type, ...rest} = stored;
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    const values = type === "f4" ? new Float32Array(bytes.buffer) : new Float64Array(bytes.buffer);
    let most = 0, low = Infinity, high = -Infinity;
    for (const v of values) if (Number.isFinite(v)) {
      most = Math.max(most, Math.abs(v)); low = Math.min(low, v); high = Math.max(high, v);
    }
    decoded.set(stored, {...rest, type, values, most, low, high});
  }
  return decoded.get(stored);
}

// The shortest text that gives the same number back.
function exact(v, x) {
  if (x.kind === "b") return v ? "true" : "false";
  if (!Number.isFinite(v) || x.type !== "f4") return String(v);
  for (let digits = 1; digits < 9; digits++)
    if (Math.fround(Number(v.toPrecision(digits))) === v) return String(Number(v.toPrecision(digits)));
  return String(Number(v.toPrecision(9)));
}

// Three digits.
function short(v) {
  if (v === 0) return "0";
  const size = Math.abs(v);
  return size >= 1e-3 && size < 1e4 ? String(Number(v.toPrecision(3))) : v.toExponential(1);
}

// At most five characters, for a cell of a heat map.
function brief(v) {
  const size = Math.abs(v);
  if (!Number.isFinite(v)) return Number.isNaN(v) ? "nan" : v < 0 ? "−inf" : "inf";
  const text = v === 0 ? "0" : size < 0.005 || size >= 1000 ? v.toExponential(0)
    : size < 10 ? v.toFixed(2).replace("0.", ".") : v.toFixed(size < 100 ? 1 : 0);
  return text.replaceAll("-", "−");
}

const superscript = n => [...String(n)].map(c => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join("");

function colours() {
  const style = getComputedStyle(document.body);
  const read = name => style.getPropertyValue(name).split(",").map(Number);
  return {zero: read("--zero"), plus: read("--plus"), minus: read("--minus"), ink: style.color};
}
function colour(v, most, c) {
  if (!Number.isFinite(v)) return "#e0008a";
  const share = most ? Math.min(1, Math.abs(v) / most) : 0, end = v < 0 ? c.minus : c.plus;
  return `rgb(${c.zero.map((z, i) => Math.round(z + (end[i] - z) * share)).join(",")})`;
}
// Black or white text, whichever is easier to read on a fill: where its luminance is above 0.19 that is black.
function legible(fill) {
  const channels = fill.startsWith("rgb") ? fill.match(/\d+/g).map(Number) : [224, 0, 138];
  const [r, g, b] = channels.map(v => v <= 10 ? v / 255 / 12.92 : ((v / 255 + .055) / 1.055) ** 2.4);
  return .2126 * r + .7152 * g + .0722 * b > .19 ? "#111" : "#fff";
}
