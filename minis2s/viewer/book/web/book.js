// Pages, languages, search, and symbols that light up wherever they stand.
const said = JSON.parse($("words").textContent);
const root = document.documentElement;
const articles = [...document.querySelectorAll("article")];
const linkOf = new Map([...document.querySelectorAll("#contents li a")].map(a => [a.hash.slice(1), a]));
const order = articles.map(a => a.dataset.page);
const inZh = () => root.classList.contains("lang-zh") || root.classList.contains("only-zh");
const tell = key => said[key][inZh() ? 1 : 0];

// The address #page/mark names a page and a card on it.
function turn(move = true) {
  const [wanted, mark] = decodeURIComponent(location.hash.slice(1)).split("/");
  const page = order.includes(wanted) ? wanted : order[0], at = order.indexOf(page);
  for (const a of articles) { a.classList.toggle("now", a.dataset.page === page); if (a.dataset.page !== page) a.remove(); }
  $("main").prepend(articles[at]);                          // one page at a time is in the document: less to search
  for (const [name, a] of linkOf) name === page ? a.setAttribute("aria-current", "page") : a.removeAttribute("aria-current");
  for (const [id, other] of [["previous", order[at - 1]], ["next", order[at + 1]]]) {
    $(id).hidden = !other;
    $(id).href = `#${other}`;
    $(id).querySelector("span").replaceChildren(...(linkOf.get(other)?.cloneNode(true).childNodes || [other || ""]));
  }
  dark();
  document.dispatchEvent(new CustomEvent("page", {detail: articles[at]}));
  const card = mark && $(mark)?.closest(".card");
  if (card) { card.scrollIntoView(); light(`m:${$(mark).dataset.m}`); }
  else if (move && wanted) { scrollTo(0, 0); articles[at].querySelector("h2").focus({preventScroll: true}); }
}
addEventListener("hashchange", () => turn());

// Symbols: hover, tap or focus one, and all of its key light up; so do marks.
let held = null;
const keyOf = node => node.dataset.m ? `m:${node.dataset.m}` : `s:${node.dataset.s}`;
function scope(node) { return node.closest(".card") || node.closest("article"); }
function dark() { for (const node of document.querySelectorAll(".lit")) node.classList.remove("lit"); }
function light(key, from) {
  dark();
  const page = document.querySelector("article.now"), name = key.slice(2);
  const nodes = key[0] === "m" ? page.querySelectorAll(`[data-m="${CSS.escape(name)}"]`)
    : page.querySelectorAll(`[data-s="${CSS.escape(name)}"]`);
  for (const node of nodes) node.classList.add("lit");
  if (key[0] === "m") page.querySelector(`[data-marks~="${CSS.escape(name)}"]`)?.classList.add("lit");
  if (from) readout(from, name, nodes.length);
}
function readout(node, name, count) {
  const row = [...document.querySelectorAll("article.now .shapes tbody tr")].find(tr =>
    tr.querySelector(`[data-s="${CSS.escape(name)}"]`));
  const shape = row ? [...row.cells].slice(1).map(c => c.textContent).filter(Boolean).join("; ") : "";
  $("readout").textContent = `${name.replace("_prev", "′")}${shape ? `: ${shape}` : ""}  ×${count}`;
}
const lightable = target => target.closest?.("[data-s], .mark");
document.addEventListener("pointerover", e => {
  const node = lightable(e.target), number = e.target.closest?.(".n, .in");
  if (node && !held) light(keyOf(node), node);
  if (number) $("readout").textContent = exactly(number);
});
document.addEventListener("pointerout", e => { if (lightable(e.target) && !held) dark(); });
document.addEventListener("click", e => {
  const node = e.target.closest?.("[data-s]");
  if (node) { held = held === node ? null : node; held ? light(keyOf(node), node) : dark(); }
  else if (!e.target.closest?.(".mark")) { held = null; dark(); }
});
document.addEventListener("focusin", e => {
  const node = lightable(e.target);
  if (node) light(keyOf(node), node);
  if (e.target.matches?.(".in")) $("readout").textContent = exactly(e.target);
});

// One stop of Tab for each card; arrows go from symbol to symbol inside it.
function stops(article) {
  for (const math of article.querySelectorAll("math[display=block]"))      // what must be scrolled can be reached
    math.scrollWidth > math.clientWidth ? math.setAttribute("tabindex", "0") : math.removeAttribute("tabindex");
  if (article.dataset.stops) return;
  article.dataset.stops = "1";
  for (const card of article.querySelectorAll(".panes"))
    [...card.querySelectorAll("[data-s]")].forEach((node, i) => node.setAttribute("tabindex", i ? "-1" : "0"));
  for (const set of article.querySelectorAll(".example"))
    [...set.querySelectorAll(".in")].forEach((node, i) => node.setAttribute("tabindex", i ? "-1" : "0"));
}
document.addEventListener("toggle", e => { if (e.target.open) stops(document.querySelector("article.now")); }, true);
function among(target, step) {
  const group = target.closest(target.matches(".in") ? ".example" : ".panes");
  const all = group ? [...group.querySelectorAll(target.matches(".in") ? ".in" : "[data-s]")] : [];
  const next = all[all.indexOf(target) + step];
  if (!next) return;
  target.setAttribute("tabindex", "-1");
  next.setAttribute("tabindex", "0");
  next.focus();
}
document.addEventListener("keydown", e => {
  if (e.ctrlKey || e.metaKey || e.altKey) return;
  const typing = e.target.matches?.("input, textarea"), step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: 1, ArrowUp: -1}[e.key];
  if (step && e.target.matches?.("[data-s], .in")) { e.preventDefault(); among(e.target, step); return; }
  if (typing && e.key === "Escape") { e.target.blur(); return; }
  if (typing || e.target.closest?.(".scroll")) return;
  if (e.key === "Escape") { held = null; dark(); }
  else if (e.key === "/") { e.preventDefault(); $("search").focus(); }
  else if (e.key === "l" && $("language")) $("language").click();
  else if (e.key === "ArrowRight" || e.key === "ArrowLeft") {
    const link = $(e.key === "ArrowRight" ? "next" : "previous");
    if (!link.hidden) location.hash = link.getAttribute("href");
  }
});

// A derivation's missing line: the chosen one says whether it is right.
document.addEventListener("click", e => {
  const button = e.target.closest?.(".choices button");
  if (!button) return;
  for (const other of button.parentNode.children) other.classList.remove("wrong");
  button.classList.add(button.dataset.right === "1" ? "right" : "wrong");
  button.closest("li").querySelector(".why").replaceChildren(...button.querySelector(".said-of").cloneNode(true).childNodes);
});

$("search").addEventListener("input", () => {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  let some = false;
  for (const item of document.querySelectorAll("#contents li")) {
    const text = `${item.dataset.find} ${item.textContent.toLowerCase()}`;
    item.hidden = !words.every(word => text.includes(word));
    some ||= !item.hidden;
  }
  $("none").hidden = some;
});
$("search").addEventListener("keydown", e => {
  const first = [...document.querySelectorAll("#contents li")].find(item => !item.hidden);
  if (e.key === "Enter" && first) location.hash = first.querySelector("a").hash;
});
$("language")?.addEventListener("click", () => {
  root.classList.toggle("lang-zh");
  root.lang = inZh() ? "zh" : "en";
  root.style.setProperty("--hint", JSON.stringify(tell("readout")));
});
root.style.setProperty("--hint", JSON.stringify(tell("readout")));
