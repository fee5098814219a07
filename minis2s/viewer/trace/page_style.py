"""How the page looks, in light and dark."""

STYLE = """\
:root {
  color-scheme: light dark;
  --paper: #fbfaf8; --card: #ffffff; --ink: #1d2329; --soft: #59636e; --line: #d9dde2;
  --zero: 243, 243, 240;
  --plus: 0, 96, 168; --minus: 206, 84, 0; --accent: #0060a8; --lit: #ffe9a8; --shadow: 0 1px 3px #0000001a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14181d; --card: #1c2229; --ink: #e6e9ec; --soft: #9aa5b1; --line: #343d47; --zero: 38, 45, 53;
    --plus: 88, 180, 255; --minus: 255, 148, 66; --accent: #6bbcff; --lit: #5a4a12; --shadow: none;
  }
}
body.backward { --accent: #b54a00; }
@media (prefers-color-scheme: dark) { body.backward { --accent: #ffa563; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1rem 1.25rem 4.5rem; max-width: 84rem; background: var(--paper);
  color: var(--ink);
  font: 16px/1.5 system-ui, "Segoe UI", Roboto, "Noto Sans", "Noto Sans CJK SC", sans-serif; }
h1 { font-size: 1.25rem; margin: 0; font-weight: 650; overflow-wrap: anywhere; }
h2 { font-size: 1rem; margin: 1.4rem 0 .5rem; font-weight: 650; }
h2 small, figcaption small, .code small { color: var(--soft); font-weight: 400; }
#pair { margin: .15rem 0 0; color: var(--soft); overflow-wrap: anywhere; }
#pair b { color: var(--ink); font-weight: 550; }
#notes { margin: .4rem 0 0; padding: 0; list-style: none; color: var(--soft); font-size: .875rem; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
nav { position: sticky; top: 0; z-index: 2; margin: .75rem -1.25rem 0; padding: .6rem 1.25rem .35rem;
  background: var(--paper); border-bottom: 1px solid var(--line); }
.controls { display: flex; flex-wrap: wrap; gap: .5rem .75rem; align-items: center; }
#time { flex: 1 1 14rem; min-width: 7rem; accent-color: var(--accent); height: 2rem; margin: 0; }
button { font: inherit; width: 2.4rem; height: 2.2rem; color: var(--ink); background: var(--card);
  cursor: pointer;
  border: 1px solid var(--line); border-radius: 6px; }
button:hover { border-color: var(--accent); }
button:disabled { opacity: .4; cursor: default; }
fieldset { display: flex; border: 1px solid var(--line); border-radius: 6px; margin: 0; padding: 0;
  overflow: clip;
  background: var(--card); }
legend { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
fieldset label { position: relative; cursor: pointer; }
fieldset label + label { border-left: 1px solid var(--line); }
fieldset input { position: absolute; opacity: 0; inset: 0; margin: 0; cursor: inherit; }
fieldset span { display: block; padding: .25rem .7rem; font-size: .9rem; white-space: nowrap; }
fieldset input:checked + span { background: var(--accent); color: var(--paper); }
fieldset input:focus-visible + span { outline: 3px solid var(--ink); outline-offset: -3px; }
fieldset input:disabled + span { opacity: .45; cursor: default; }
#where { margin: .35rem 0 0; font-size: .95rem; min-height: 1.5em; }
#where b { color: var(--accent); }
.scroll { overflow-x: auto; overscroll-behavior-x: contain; }
#graph { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  box-shadow: var(--shadow); }
#graph svg { display: block; margin: 0 auto; }
#graph text { fill: var(--ink); font: 12px system-ui, "Noto Sans CJK SC", sans-serif; }
#graph .soft { fill: var(--soft); font-size: 11px; }
#graph line, #graph path { stroke: var(--soft); fill: none; stroke-width: 1.3; }
#graph .head { fill: var(--soft); stroke: none; }
#graph .look { stroke: var(--accent); stroke-linecap: round; }
#graph .node { cursor: pointer; }
#graph rect { stroke: var(--soft); stroke-width: 1.2; }
#graph .now rect { stroke: var(--accent); stroke-width: 2; }
#graph .lit rect { stroke: var(--accent); stroke-width: 4; }
#graph .column { fill: var(--lit); stroke: none; opacity: .55; }
.columns { display: grid; grid-template-columns: minmax(0, 1fr); gap: 0 1.5rem; }
@media (min-width: 62rem) {
  .columns.two { grid-template-columns: minmax(0, 1fr) minmax(0, max-content); }
  .columns.two aside { max-width: 30rem; position: sticky; top: 6rem; align-self: start; }
}
.eq { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--line);
  border-radius: 8px;
  margin: 0 0 .7rem; padding: .6rem .9rem .7rem; box-shadow: var(--shadow); scroll-margin-top: 9rem; }
.eq:focus, .eq:focus-within { border-left-color: var(--accent); }
.math { margin: 0; font-weight: 400; font-size: 1.06rem;
  font-family: Cambria, "STIX Two Text", "Noto Serif", Georgia, serif;
  display: grid; grid-template-columns: max-content 1fr; gap: 0 .7rem; overflow-wrap: anywhere; }
.math .mark { color: var(--accent); font: 600 .85rem/1.85 system-ui, sans-serif; }
.math i { font-style: italic; }
.math sub, .math sup { font-size: .72em; line-height: 0; }
.code { margin: .1rem 0 .45rem; font-size: .82rem; overflow-wrap: anywhere; color: var(--soft); }
.code code { font-family: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace; }
.tensors, .set { display: flex; flex-wrap: wrap; gap: .55rem 1.1rem; align-items: flex-start; min-width: 0;
  }
figure { margin: 0; max-width: 100%; }
figcaption { font-size: .85rem; line-height: 1.35; margin-bottom: .15rem; }
figcaption b { font-family: ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace; font-weight: 600;
  }
figure.out figcaption b { color: var(--accent); }
.set.in { flex: 1 1 22rem; }
.sep { align-self: flex-start; margin-top: 1.25rem; color: var(--soft); font-size: .85rem; }
canvas { display: block; border-radius: 3px; cursor: crosshair; touch-action: pan-x pan-y; }
.number { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .95rem; }
table { border-collapse: separate; border-spacing: 2px; font-size: .8rem; }
caption { text-align: left; color: var(--soft); font-size: .8rem; padding-bottom: .2rem; }
thead th { vertical-align: bottom; font-weight: 500; padding: 0 1px; }
thead th span { display: inline-block; max-height: 9rem; overflow: hidden; }
thead th.long span { writing-mode: vertical-rl; transform: rotate(180deg); }
tbody th { text-align: right; font-weight: 500; padding-right: .35rem; max-width: 9rem; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; }
td { min-width: 1.6rem; height: 1.6rem; border-radius: 3px; text-align: center; font-size: .66rem;
  cursor: crosshair; padding: 0; }
tr.now th { color: var(--accent); font-weight: 700; }
tr.now td { box-shadow: 0 0 0 1.5px var(--accent); }
#readout { position: fixed; left: 0; right: 0; bottom: 0; z-index: 3; min-height: 2.3rem;
  padding: .4rem 1.25rem;
  background: var(--card); border-top: 1px solid var(--line); overflow-wrap: anywhere;
  font: .9rem/1.5 ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace; }
#readout:empty::before { content: "hover, tap or Tab to a heat map to read its values"; color: var(--soft);
  }
#tip { position: fixed; z-index: 4; pointer-events: none; padding: .15rem .5rem; border-radius: 5px;
  max-width: 95vw;
  background: var(--ink); color: var(--paper); font: .8rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace;
  }
footer { margin-top: 1.5rem; color: var(--soft); font-size: .9rem; }
footer dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .5rem 0; }
footer dd { margin: 0; }
kbd { font: .8rem ui-monospace, monospace; border: 1px solid var(--line); border-radius: 4px;
  padding: 0 .35rem;
  background: var(--card); color: var(--ink); }
@media (max-width: 40rem) {
  body { padding-left: .75rem; padding-right: .75rem; }
  nav { margin-left: -.75rem; margin-right: -.75rem; padding-left: .75rem; padding-right: .75rem; }
  .eq { padding: .5rem .65rem .6rem; }
  #readout { padding-left: .75rem; padding-right: .75rem; }
  #time { flex-basis: 9rem; }
  .set.in { flex-basis: 100%; }
  .sep { flex-basis: 100%; margin: 0; }
}
"""
