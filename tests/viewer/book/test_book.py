"""The book: whole, linked, offline, and its numbers those of the library; run in headless Chromium, if there is one."""
import html
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from minis2s.documents import equations
from minis2s.documents.formulas import FORMULAS
from minis2s.viewer import mathml, symbols
from minis2s.viewer.book import build, bundle, cards, numbers, parts, runtime
from minis2s.viewer.book.examples import EXAMPLES
from minis2s.viewer.book.live import source

VOID = ("meta", "input", "link", "br")


class Page(HTMLParser):
    """Whether all tags are closed, the ids, the links, and every address that the page could ask for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.addresses, self.marks = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs["href"]] if tag == "a" else []
        self.addresses += [attrs[name] for name in ("src", "action", "poster", "data", "srcset") if name in attrs]
        self.addresses += [attrs["href"]] if tag == "link" else []
        self.marks += attrs.get("data-marks", "").split()
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()


@pytest.fixture(scope="module")
def text():
    return build.book(folder=runtime.find())


@pytest.fixture(scope="module")
def page(text):
    return Page(text)


def test_the_file_is_whole_small_and_asks_nobody(text, page):
    assert len(set(page.ids)) == len(page.ids) and page.addresses == []
    assert len(text.encode()) <= build.LIMIT
    assert f'content="{build.CSP}"' in text and "default-src 'none'" in build.CSP
    own = text[:text.index('id="examples"')]
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org)", re.sub(r"<pre.*?</pre>", "", own, flags=re.S))


def test_there_is_a_page_for_each_part_and_each_row_and_a_card_for_each_mark(text, page):
    pages = {name[2:] for name in page.ids if name.startswith("p-")}
    assert {part.id for part in parts.parts()} | {name.lower() for name in FORMULAS} <= pages
    assert sorted(page.marks) == sorted(equations.all_equations())


def test_every_link_leads_somewhere(page):
    pages = {name[2:] for name in page.ids if name.startswith("p-")}
    for link in page.links:
        name, _, mark = link.removeprefix("#").partition("/")
        assert link.startswith("#") and (name in pages | {"contents", "main", ""}), link
        assert not mark or mark in page.ids, link


def test_later_parts_join_by_themselves(monkeypatch):
    later = equations.Equation("(ZZ1)", "core/tree.py", "y = x")
    known = {**equations.all_equations(), "(ZZ1)": later}
    monkeypatch.setattr(equations, "all_equations", lambda: known)
    parts.parts.cache_clear()
    try:
        part = next(part for part in parts.parts()[len(parts.ORDER):] if part.id == "tree")
        assert part.pairs == (("(ZZ1)", None),)
    finally:
        monkeypatch.undo()
        parts.parts.cache_clear()


# Numbers ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", EXAMPLES)
def test_outputs_and_gradients_of_an_example_are_the_librarys(name):
    """By the text that the page gets, run by this Python; three draws."""
    example = EXAMPLES[name]
    for seed in (4, 5, 6):
        run = numbers.run(example, seed)
        for output, want in run.outputs.items():
            starts = [head[3] for head in run.heads] + [len(run.values)]
            at = max(i for i, head in enumerate(run.heads) if head[:3] == ("outputs", "", output)) \
                if ("outputs", "", output) in [head[:3] for head in run.heads] else None
            if at is not None:
                got = run.values[starts[at]:starts[at + 1]]
                np.testing.assert_allclose(got, np.ravel(want), rtol=0, atol=1e-12 * max(1, np.abs(want).max()))
        at = 0
        for key, _, flat in run.inputs:
            if key in run.grads:
                want = np.ravel(run.grads[key])
                np.testing.assert_allclose(run.gradients[at:at + len(flat)], want, rtol=0,
                                           atol=1e-12 * max(1, np.abs(want).max(initial=0)))
            at += len(flat)


def test_every_equation_has_numbers_of_the_oracle():
    shown = bundle.shown()
    wanted = {mark for mark, equation in equations.all_equations().items() if equation.file in parts.ORDER}
    assert wanted - shown.keys() == set(), "an example is missing: see minis2s/viewer/book/examples"
    for mark, (name, bound) in shown.items():
        assert bound, mark
        run, _, _ = numbers.all_bound()[name]
        for b in bound:
            want = run.quantities[b.mark, b.name, b.times].ravel()
            for x, (kind, at) in zip(want, b.where, strict=True):
                there = {"v": run.values, "g": run.gradients, "0": {at: 0.0}}[kind][at]
                assert abs(there - x) <= 1e-12 * max(1, abs(x)), (mark, b.name)


def test_the_numbers_of_an_equation_stand_on_its_own_terms():
    """A wrong oracle is seen: the numbers of the LSTM's output are bound to no other computation."""
    run, bound, _ = numbers.bind(EXAMPLES["lstm"])
    c = next(b for b in bound if (b.mark, b.name) == ("(L4)", "c"))
    heads = {at: head for head in run.heads for at in [head[3]]}
    assert all(kind == "v" for kind, _ in c.where) and heads
    dc = next(b for b in bound if b.mark == "(L4*)" and b.name == "dc_prev")
    assert all(kind == "g" for kind, _ in dc.where)


def test_the_page_gets_the_oracles_own_lines():
    """Imports become look-ups, docstrings go, and notes are added: the rest is the oracle's, statement by statement."""
    import ast
    for name, prepared in source.modules():
        path = next(p for p in source.FOLDER.rglob(f"{name}.py"))
        own = [ast.unparse(n) for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Assign)]
        there = [ast.unparse(n) for n in ast.walk(ast.parse(prepared)) if isinstance(n, ast.Assign)]
        assert set(own) <= set(there), name


def test_a_wrong_gradient_stops_the_build(monkeypatch):
    run, bound, free = numbers.all_bound()["lstm"]
    wrong = {**run.grads, "x": run.grads["x"] * (1 + 1e-10)}
    monkeypatch.setattr(numbers, "all_bound", lambda: {"lstm": (run._replace(grads=wrong), bound, free)})
    with pytest.raises(ValueError, match="example lstm: the gradient of x differs"):
        build.check_numbers()


# Symbols ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, key", [
    ("hs", "h"), ("h_i", "h"), ("h'", "h_prev"), ("s_{t-1}", "s_prev"), ("dh_i", "dh"), ("ds", "ds"), ("W_h", "W_h"),
    ("da_k", "da"), ("α", "alpha"), ("logits", "logits"), ("dss", "ds"), ("y_{t-1}", "y_prev"), ("dq_t", "dq")])
def test_names_of_one_symbol_have_one_key(name, key):
    assert symbols.key(name) == key


@pytest.mark.parametrize("names, key", [("d.h", "dh"), ("p.W", "W"), ("memory.hs", "h"), ("s.h", "h"), ("x.T", "x"),
                                        ("k.alpha", "alpha"), ("da.sum", "da")])
def test_names_with_dots_have_the_key_of_what_they_hold(names, key):
    assert symbols.dotted(names.split(".")) == key


def test_equations_are_set_as_mathematics():
    got = mathml.equation("dU = h'^T da")
    assert got.startswith('<math display="block">') and 'data-s=h_prev' in got and "<mtext>T</mtext>" in got
    assert mathml.equation("w <- w - lr g / (sqrt(v) + eps)").count("<msqrt>") == 1
    assert "<msup><mo stretchy=\"false\">)</mo>" in mathml.equation("dc += dh o (1-tanh(c)^2)")
    assert "<p>" in mathml.equation("the mask stands on the axis of the keys") and "<math" in mathml.equation("y = x m")
    for equation in equations.all_equations().values():
        Page(mathml.equation(equation.text))


def test_code_keeps_every_character():
    for text in ("dc = d.c + d.h * o * (1 - tanh_c**2)  # (L5*) fork", 'a = {q: add(times(x, W[q])) for q in "ifgo"}',
                 "if a < b:\n    c = '</script>'", "broken = ("):
        assert html.unescape(re.sub("<[^>]*>", "", mathml.code(text))) == text


# The runtime ------------------------------------------------------------------------------------------------

def test_without_micropython_the_numbers_are_fixed_and_the_page_says_so():
    text = build.book(("en",))
    assert 'id="wasm"' not in text and "built without the Python" in text and 'class=zh' not in text
    assert json.loads(re.search(r'id="examples">(.*?)</script>', text, re.S)[1])["lstm"]["numbers"]


def test_a_folder_without_micropython_is_refused(tmp_path, monkeypatch):
    monkeypatch.delenv(runtime.VARIABLE, raising=False)
    with pytest.raises(FileNotFoundError, match="has no micropython.mjs.*npm install"):
        runtime.find(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert runtime.find() is None
    folder = tmp_path / "node_modules" / runtime.PACKAGE
    folder.mkdir(parents=True)
    (folder / "micropython.mjs").write_text("export async function loadMicroPython(options) {}\nexport {a};")
    (folder / "micropython.wasm").write_bytes(b"\0asm")
    assert runtime.find() == folder
    loaded = runtime.load(folder)
    assert "export" not in loaded.script and "MIT License" in loaded.licence


def test_a_book_that_is_too_large_is_refused(monkeypatch):
    monkeypatch.setattr(build, "filled", lambda *args: "x" * (build.LIMIT + 1))
    with pytest.raises(ValueError, match="2,500,001 bytes, wanted at most 2,500,000"):
        build.book(("en",))


def test_nothing_of_the_book_is_lost_in_an_installed_package():
    config = (equations.PACKAGE.parent / "setup.cfg")
    if not config.exists():
        pytest.skip("no setup.cfg beside the installed package")
    listed = config.read_text()
    for folder in ("web", "texts", "derivations"):
        files = [path for path in (equations.PACKAGE / "viewer" / "book" / folder).iterdir() if path.is_file()]
        kinds = {path.suffix for path in files} - {".py", ".pyc"}
        line = next(row for row in listed.splitlines() if row.startswith(f"minis2s.viewer.book.{folder} ="))
        assert all(f"*{kind}" in line for kind in kinds), folder


# Every symbol is found ----------------------------------------------------------------------------------------

def keys_of(text):
    return {html.unescape(key) for key in re.findall(r'data-s="?([^">]*)', text)}


def found_elsewhere(mark):
    """Keys in all panes of a card but the equation's: code, derivative's code, oracle, numbers."""
    known = equations.all_equations()
    pair = [m for m in (equations.forward(mark), equations.derivative(mark)) if m in known]
    found = set()
    for m in pair:
        places = equations.in_reference(known[m]) + equations.in_oracle(known[m])
        found |= keys_of(cards.lines_of(places, m))
        found |= {symbols.key(b.name) for b in bundle.shown().get(m, ("", []))[1]}
    return found


@pytest.mark.parametrize("mark", [m for m, e in equations.all_equations().items() if e.file in parts.ORDER])
def test_every_symbol_of_an_equation_stands_in_another_pane(mark):
    here = keys_of(mathml.equation(equations.all_equations()[mark].text, mark))
    lost = here - found_elsewhere(mark) - symbols.UNNAMED.get(mark, set())
    assert lost == set(), "name them in minis2s/viewer/symbols.py: OTHER where the code has another name, else UNNAMED"


def test_the_tables_of_symbols_are_not_out_of_date():
    known = equations.all_equations()
    for mark, names in {**symbols.OTHER, **symbols.UNNAMED}.items():
        assert mark in known, mark
        raw = keys_of(mathml.equation(known[mark].text))
        assert set(names) <= raw, f"{mark}: {set(names) - raw} are not in {known[mark].text!r}"


def test_quotes_go_where_html_needs_none():
    text = '<p class="why" title="two words"><mspace width=".28em"/><a href="#p-lstm" id="x.1">a="b" &lt;i k="v"&gt;'
    assert build.unquoted(text) == ('<p class=why title="two words"><mspace width=".28em"/><a href="#p-lstm" id=x.1>'
                                    'a="b" &lt;i k="v"&gt;')
