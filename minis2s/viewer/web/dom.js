// Elements of HTML and SVG.  Every script of a page is strict.
"use strict";
const $ = id => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";

function make(tag, attributes = {}, ...children) {
  const node = attributes.svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    if (name !== "svg" && value !== null && value !== undefined) node.setAttribute(name, value);
  node.append(...children);
  return node;
}
const svg = (tag, attributes, ...children) => make(tag, {svg: 1, ...attributes}, ...children);

// Where no font has the measures of mathematics, indices are not lowered: then base.css lowers them.
function lowered() {
  const sample = make("div");
  sample.innerHTML = "<math><msub><mi>x</mi><mi>i</mi></msub></math>";
  document.body.append(sample);
  const [base, index] = [...sample.querySelectorAll("mi")].map(node => node.getBoundingClientRect().bottom);
  sample.remove();
  document.documentElement.classList.toggle("flat", index < base + 1);
}
lowered();
