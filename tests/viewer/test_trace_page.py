"""The page of a trace: whole, offline, true to the numbers; alive in headless Chromium, if there is one."""
import base64
import json
import re
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pytest

from browser import BROWSER, Browser
from configs import config
from draw import like
from minis2s.data.batches import make_batch
from minis2s.model import seq2seq
from minis2s.viewer.trace import Trace, trace


def traced(source="abcd", target="xy", dtype="float64", backward=True, **choices):
    c = config(attention="additive", dtype=dtype, **choices)
    p = seq2seq.init(c)
    p = like(np.random.default_rng(0), p, 0.5)
    if dtype == "float32":
        from minis2s.core import tree
        p = tree.map(lambda a: a.astype("float32"), p)
    batch = make_batch([[4 + i % 3 for i in range(len(source))]], [[4 + i % 4 for i in range(len(target))]])
    with pytest.MonkeyPatch.context() as monkeypatch, trace(source=list(source), target=list(target)) as tr:
        monkeypatch.delenv("MINIS2S_BACKEND", raising=False)    # the trace follows the NumPy path
        _, _, k = seq2seq.forward(p, c, batch)
        if backward:
            seq2seq.backward(p, c, k)
    return tr


class Page(HTMLParser):
    """Tags, texts of <script>s by id, and every address that the page could ask for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.addresses, self.scripts, self.unnamed = [], [], [], {}, []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        asking = ("src", "href", "action", "poster", "data", "srcset")
        self.addresses += [attrs[a] for a in asking if a in attrs]
        if tag in ("button", "input") and attrs.get("type") != "radio" and "aria-label" not in attrs:
            self.unnamed.append(tag)
        if tag not in ("meta", "input", "link", "br"):
            self.open.append((tag, attrs.get("id")))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1][0] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, text):
        if self.open and self.open[-1][0] == "script":
            self.scripts[self.open[-1][1]] = text


def data_of(text):
    page = Page(text)
    assert page.open == [] and len(set(page.ids)) == len(page.ids)
    return json.loads(page.scripts["trace"])


def numbers(x):
    return np.frombuffer(base64.b64decode(x["data"]), "<" + x["type"]).reshape(x["shape"])


def test_page_is_whole_and_asks_nobody():
    text = traced().html("a <b> & 'title'")
    page = Page(text)
    assert page.addresses == [] and page.unnamed == [] and page.open == []
    asks = r"https?:(?!//www\.w3\.org/2000/svg)|url\(|@import|fetch\(|XMLHttpRequest|import\("
    assert not re.search(asks, text)
    assert "default-src 'none'" in text and "<title>a &lt;b&gt; &amp; &#x27;title&#x27;</title>" in text
    assert {"time", "phase", "graph", "equations", "attention", "readout"} <= set(page.ids)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_all_numbers_are_in_it_to_the_last_bit(dtype):
    tr = traced(dtype=dtype, cell="lstm", layers=2, bidirectional=True)
    data = data_of(tr.html())
    stops = [(s["lane"], s["t"], s["token"]) for s in data["stops"]]
    assert stops == [("embedding", None, None), *(("encoder", t, "abcd"[t]) for t in range(4)),
                     ("bridge", None, None), ("decoder", 0, "x"), ("decoder", 1, "y"),
                     ("decoder", 2, "<eos>"), ("loss", None, None)]
    for t in range(4):
        for layer, direction in ((0, "forward"), (1, "backward")):
            for phase, mark, name in (("forward", "(L4)", "c"), ("backward", "(L5*)", "dc")):
                place = dict(stop=1 + t, marks=[mark], phase=phase, layer=layer, direction=direction)
                run, = [r for r in data["runs"] if {key: r[key] for key in place} == place
                        and r["out"][0][0] == name]
                want = tr.encoder(layer=layer, direction=direction, mark=mark, phase=phase)[name][t]
                got = numbers(data["tensors"][run["out"][0][1]])
                assert got.dtype == want.dtype == dtype and got.shape == want.shape
                assert got.tobytes() == want.tobytes()
    for a in data["attention"]:
        assert numbers(data["tensors"][a["alpha"]]).ravel().tobytes() == \
            tr.decoder.alpha[data["stops"][a["stop"]]["t"]].tobytes()
    lane = {mark: data["stops"][r["stop"]]["lane"] for r in data["runs"] for mark in r["marks"]}
    marks = ("E1*", "L1", "S2", "AB1", "D5", "D7", "S5", "X3*", "S4*", "S1*")
    assert [lane[f"({mark})"] for mark in marks] == [
        "embedding", "decoder", "bridge", "bridge", "decoder", "loss", "loss", "loss", "loss", "bridge"]
    assert data["equations"]["(L4)"] == "c = f c' + i g" and len(data["attention"]) == 3
    assert {(c["lane"], c["layer"], c["direction"]) for c in data["cells"]} == {
        ("decoder", 0, None), ("decoder", 1, None),
        *(("encoder", layer, d) for layer in (0, 1) for d in ("forward", "backward"))}
    h = {(s, layer, d): v for s, layer, d, phase, v in data["norms"] if phase == "forward"}
    assert h[3, 1, "forward"] == pytest.approx(np.linalg.norm(tr.encoder(direction="forward").h[2]))


def test_thirty_steps_and_32_units_are_whole_and_more_is_cut_with_a_note():
    whole = data_of(traced("a" * 30, "x" * 29, cell="lstm", hidden=32, layers=2, bidirectional=True,
                           attention_order="before", input_feeding=True, embedding=32).html())
    assert whole["notes"] == [] and all(x["shape"] == [n for n in x["whole"] if n != 1 or len(x["whole"]) < 3]
                                        for x in whole["tensors"])
    long = data_of(traced("a" * 33, "x", hidden=50, cell="lstm", backward=False).html())
    assert "The encoder has 33 steps; the first 30 are shown." in long["notes"]
    assert [n for n in long["notes"] if "at most 64 rows and 128 columns are shown" in n]
    assert len([s for s in long["stops"] if s["lane"] == "encoder"]) == 30


@pytest.mark.parametrize("cell, gates", [("lstm", "ifgo"), ("gru", "zrn")])
def test_a_cut_keeps_some_of_each_gate(cell, gates):
    tr = traced("ab", "x", hidden=70, cell=cell, embedding=70)
    data, held = data_of(tr.html()), set()
    for r in data["runs"]:
        for role in ("in", "out") if r["stop"] == 1 and r["layer"] == 0 else ():
            for name, i in r[role]:
                x = data["tensors"][i]
                values = [e.value for e in tr.encoder(layer=0, phase=r["phase"]).entries
                          if (e.code, e.name, e.role) == (r["code"], name, role)]
                value = values[0]
                assert x["gates"] == (gates if value.shape[-1] == 70 * len(gates) else ""), name
                if x["gates"]:
                    held.add(name)
                    width = x["shape"][-1] // len(gates)
                    assert width == 70 or width == (64 if min(x["whole"][:-1], default=1) == 1 else 128 // len(gates))
                    got = numbers(x).reshape(-1, len(gates), width)
                    cuts = [value.reshape(-1, len(gates), 70)[:len(got), :, :width] for value in values]
                    assert any(np.array_equal(got, cut) for cut in cuts), name
    assert held >= ({"U", "W", "b", "a", "da"} if cell == "lstm" else {"W", "da", "dW", "dU", "db"})


def test_no_file_of_the_page_is_lost_in_an_installed_package(tmp_path):
    """What setup.cfg calls package data is what the page reads."""
    from configparser import ConfigParser
    from fnmatch import fnmatch
    from pathlib import Path

    from minis2s.viewer import web
    settings = ConfigParser()
    settings.read(Path(__file__).parents[2] / "setup.cfg")
    patterns = settings["options.package_data"]["minis2s.viewer.web"].split(", ")
    names = [p.name for p in Path(web.__file__).parent.iterdir() if p.suffix not in (".py", ".pyc") and p.is_file()]
    assert len(names) >= 10 and all(any(fnmatch(name, pattern) for pattern in patterns) for name in names)
    text = traced(backward=False).html()
    for name in names:
        if name != "trace.html":
            assert web.read(name) in text, name


def test_a_transformer_has_a_page_with_a_stop_for_each_side_and_a_cell_for_each_layer():
    from minis2s import Config
    from minis2s.model import architectures, parameters
    c = Config(architecture="transformer", hidden=8, heads=2, layers=2, feed_forward=16, source_vocab=8, target_vocab=8)
    p, batch = parameters.init(c, 0), make_batch([[4, 5, 6]], [[6, 5]])
    with trace(source=list("abc"), target=list("cb")) as tr:
        _, _, k = architectures.forward(p, c, batch)
        architectures.backward(p, c, k)
    data = data_of(tr.html())
    assert [(s["lane"], s["t"]) for s in data["stops"]] == [
        ("embedding", None), ("encoder", None), ("bridge", None), ("decoder", None), ("loss", None)]
    assert [(c["lane"], c["layer"]) for c in data["cells"]] == [
        ("encoder", 0), ("encoder", 1), ("decoder", 0), ("decoder", 1)]
    for lane, mark, phase in (("encoder", "(TE2)", "forward"), ("decoder", "(TD3)", "forward"),
                              ("encoder", "(TE3*)", "backward"), ("decoder", "(TD2*)", "backward")):
        runs = [r for r in data["runs"] if r["marks"][0] == mark and r["phase"] == phase]
        assert [data["stops"][r["stop"]]["lane"] for r in runs] == [lane] * 2
        assert [r["layer"] for r in runs] == ([0, 1] if phase == "forward" else [1, 0])
    late = {data["stops"][r["stop"]]["lane"] for r in data["runs"] if r["marks"][0] in ("(TM3)", "(TM4)", "(TE4)")}
    assert late == {"loss", "embedding"} and data["attention"] == []


def test_tokens_cannot_break_out_of_the_page():
    evil = ["</script><script>alert(1)</script>", "<!--", "\u2028", '"', "你"]
    tr = traced("aaaaa", "x", backward=False)
    tr.source = tuple(evil)
    assert data_of(tr.html())["source"] == evil


def test_nan_and_infinity_can_be_shown():
    tr = traced(backward=False)
    i = next(e.number for e in tr.entries if e.name == "h" and e.role == "out")
    tr._entries[i] = tr.entries[i]._replace(value=np.array([[np.nan, np.inf]]))
    data = data_of(tr.html())
    assert any(np.isnan(numbers(x)).any() for x in data["tensors"])


def test_an_empty_trace_has_no_page():
    with pytest.raises(ValueError, match="nothing was recorded"):
        Trace().html()


def test_a_cell_alone_has_a_page_too():
    from minis2s.layers import unroll
    from minis2s.layers.cells import rnn
    p = rnn.init(np.random.default_rng(0), 2, 3)
    with trace(source=["a", "b"]) as tr:
        unroll.forward(rnn, p, np.ones((2, 1, 2)), rnn.State(np.zeros((1, 3))), np.ones((2, 1), bool))
    data = data_of(tr.html())
    assert [(s["lane"], s["t"]) for s in data["stops"]] == [("encoder", 0), ("encoder", 1)]


# ---- in the browser ----

@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """A traced model of two layers and two directions, its page, and a browser."""
    if BROWSER is None:
        pytest.skip("no chromium on this machine: the page is not tried in a browser")
    folder = tmp_path_factory.mktemp("page")
    tr = traced(cell="lstm", layers=2, bidirectional=True, hidden=3)
    path = folder / "trace.html"
    path.write_text(tr.html("a trace"), encoding="utf-8")
    browser = Browser(folder / "profile", 1280)
    yield SimpleNamespace(tr=tr, path=path, browser=browser)
    browser.close()


@pytest.fixture
def page(shown):
    shown.browser.resize(1280)
    shown.browser.open(shown.path)
    return shown.browser


WHERE = "document.getElementById('where').textContent"


def test_browser_steps_with_keys_slider_and_buttons(page):
    assert page.run(WHERE) == "forward: embedding of all tokens"
    page.key("ArrowRight")
    assert page.run(WHERE) == "forward: encoder, t = 1, token “a”"
    for _ in range(3):
        page.key("ArrowRight")
    page.key("ArrowLeft")
    assert page.run(WHERE) == "forward: encoder, t = 3, token “c”"
    page.run("document.getElementById('ahead').click()")
    assert page.run(WHERE) == "forward: encoder, t = 4, token “d”"
    page.run("{const s = document.getElementById('time'); s.value = 8; s.dispatchEvent(new Event('input'))}")
    assert page.run(WHERE) == "forward: decoder, t = 3, token “<eos>”"
    told = page.run("document.getElementById('time').getAttribute('aria-valuetext')")
    assert told == "decoder, t = 3, token “<eos>”"
    for _ in range(9):
        page.key("ArrowRight")
    assert page.run(WHERE) == "forward: readout and loss"
    assert page.run("document.getElementById('ahead').disabled")


def test_browser_switches_passes_and_cells(page):
    page.key("ArrowRight")
    marks = "[...document.querySelectorAll('.eq')].map(e => e.dataset.mark)"
    assert page.run(marks) == ["(L1)", "(L2)", "(L3)", "(L4)", "(L5)", "(M1)"]
    page.key("b")
    assert page.run(WHERE).startswith("backward: encoder, t = 1")
    assert page.run("document.querySelector('[name=phase]:checked').value") == "backward"
    assert "(L5*)" in page.run(marks) and "(L5)" not in page.run(marks)
    page.run("document.querySelector('[name=phase][value=forward]').click()")
    assert "(L5)" in page.run(marks)
    lit = "document.querySelector('.lit title').textContent"
    assert page.run(lit).startswith("encoder, t = 1, layer 0 →")
    page.key("ArrowUp")
    assert page.run(lit).startswith("encoder, t = 1, layer 0 ←")
    page.run("document.querySelectorAll('[name=cell]')[3].click()")
    assert page.run(lit).startswith("encoder, t = 1, layer 1 ←")
    assert page.run("document.querySelectorAll('.lit').length") == 1
    page.run("[...document.querySelectorAll('.node')]"
             ".find(n => n.textContent.includes('decoder, t = 2, layer 1'))"
             ".dispatchEvent(new MouseEvent('click'))")
    assert page.run(WHERE).startswith("forward: decoder, t = 2")
    assert page.run(lit).startswith("decoder, t = 2, layer 1")


def test_browser_reads_exact_values_by_key_and_by_mouse(page, shown):
    for _ in range(3):
        page.key("ArrowRight")                              # encoder, t = 3, layer 0 forward
    c = shown.tr.encoder(layer=0, direction="forward", mark="L4").c[2][0]
    canvas = "document.querySelector('[data-mark=\"(L4)\"] figure.out canvas')"
    page.key("Tab")
    page.run(f"{canvas}.focus({{focusVisible: true}})")
    assert page.text("#readout") == f"c[0, 0] = {float(c[0])!r}"
    page.key("ArrowRight")
    page.key("ArrowRight")
    assert page.text("#readout") == f"c[0, 2] = {float(c[2])!r}"
    assert page.run(WHERE).startswith("forward: encoder, t = 3")        # the arrows were the heat map's
    page.key("Escape")
    assert page.run("document.activeElement.dataset.mark") == "(L4)"
    page.key("n")
    assert page.run("document.activeElement.dataset.mark") == "(L5)"
    U = shown.tr.encoder(layer=0, direction="forward", mark="L1").U[2]
    page.run("document.querySelector('[data-mark=\"(L1)\"] canvas[data-name=U]').focus({focusVisible: true})")
    for key in ("ArrowDown", "ArrowRight", "ArrowRight"):
        page.key(key)
    assert page.text("#readout") == f"U[1, 2] = {float(U[1, 2])!r}"
    for _ in range(3):
        page.key("ArrowUp")                                 # stays inside
    assert page.text("#readout") == f"U[0, 2] = {float(U[0, 2])!r}"
    x, y = page.run(f"(b => [b.left + 57, b.top + 8])(({canvas}.scrollIntoView({{block: 'center'}}), "
                    f"{canvas}.getBoundingClientRect()))")
    page.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert page.text("#tip") == page.text("#readout") == f"c[0, 1] = {float(c[1])!r}"
    pixels = page.run(f"[1, 39, 77].map(x => [...{canvas}.getContext('2d').getImageData(x, 2, 1, 1).data].join())")
    assert len(set(pixels)) == 3                                        # a colour for each value


def test_browser_names_the_gates_and_writes_small_numbers(page, shown):
    for _ in range(3):
        page.key("ArrowRight")                              # encoder, t = 3, layer 0 forward
    drawn = page.run("""(() => {
        const texts = [], pen = CanvasRenderingContext2D.prototype, old = pen.fillText;
        pen.fillText = function (text, ...rest) { texts.push(text); return old.call(this, text, ...rest); };
        show(); pen.fillText = old; return texts; })()""")
    a = shown.tr.encoder(layer=0, direction="forward", mark="L1").a[2][0]
    at = drawn.index("i")
    assert drawn[at:at + 4] == list("ifgo")
    assert page.run(f"brief({float(a[0])!r})") in drawn
    assert page.run("[0, -.5, .004, 123.4, -1234, 12.34, NaN, -Infinity].map(brief)") == [
        "0", "−.50", "4e−3", "123", "−1e+3", "12.3", "nan", "−inf"]
    assert page.run("superscript(-12)") == "⁻¹²" and page.run("legible('rgb(0,96,168)')") == "#fff"
    assert page.run("legible('rgb(240,200,180)')") == "#111"
    page.key("b")
    tiny = page.run("(x => { const c = heatmap('x', x, 'out'); return c.querySelector('small').textContent; })"
                    "({whole: [2], shape: [2], values: [.002, -.0041], most: .0041, low: -.0041, high: .002})")
    assert tiny == "2, ±0.0041, numbers × 10⁻³"
    page.key("f")
    a_canvas = "[...document.querySelectorAll('[data-mark=\"(L1)\"] figure.out canvas')].at(-1)"
    page.key("Tab")
    page.run(f"{a_canvas}.focus({{focusVisible: true}})")
    for _ in range(2):
        page.key("ArrowDown")                               # gate g, the third row
    assert page.text("#readout") == f"a[0, 6] = {float(a[6])!r}"


def test_browser_finds_the_place_of_a_value_in_an_array_that_was_cut(page):
    cut = "{whole: [70, 280], shape: [64, 128], gates: 'ifgo'}"
    assert page.run(f"index({cut}, 0)") == [0, 0]
    assert page.run(f"index({cut}, 128 + 33)") == [1, 71]             # row 1, second of gate f
    assert page.run("index({whole: [280], shape: [256], gates: 'ifgo'}, 255)") == [273]
    assert page.run("index({whole: [5, 1, 7], shape: [5, 7], gates: ''}, 8)") == [1, 0, 1]


def test_browser_shows_attention_over_tokens(page, shown):
    for _ in range(7):
        page.key("ArrowRight")                              # decoder, t = 2
    heads = page.run("[...document.querySelectorAll('#alpha thead th')].map(t => t.textContent)")
    assert heads == list("abcd")
    assert page.text("tr.now th") == "y"
    alpha = shown.tr.decoder.alpha[1][:, 0]
    page.run("document.querySelectorAll('tr.now td')[2].focus()")
    assert page.text("#readout") == f"alpha, t = 2, i = 3: “y” looks at “c”, {float(alpha[2])!r}"
    page.key("ArrowRight")
    assert page.text("#readout").endswith(f"“d”, {float(alpha[3])!r}")
    widths = page.run("[...document.querySelectorAll('.look')].map(p => +p.getAttribute('stroke-width'))")
    np.testing.assert_allclose(widths, 1 + 5 * alpha)


def test_browser_fits_small_screens_names_its_parts_and_asks_for_nothing(page, shown):
    for width in (400, 1280):
        page.resize(width)
        for stop in range(10):
            page.run(f"go({{stop: {stop}}})")
            assert page.run("document.documentElement.scrollWidth") <= width
    unnamed = page.run("[...document.querySelectorAll('canvas, button, input, td[tabindex]')].filter(e => "
                       "!e.getAttribute('aria-label') && !e.closest('label')).length")
    assert unnamed == 0
    asked = [e["params"]["request"]["url"] for e in page.events
             if e.get("method") == "Network.requestWillBeSent"]
    assert {url.partition("#")[0] for url in asked} <= {shown.path.as_uri()}
    wrong = [e for e in page.events if e.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")]
    assert wrong == []


def test_browser_follows_light_and_dark(page):
    def paper(scheme):
        page.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        page.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return [sum(map(int, re.findall(r"\d+", page.run(f"getComputedStyle(document.body).{what}"))[:3]))
                for what in ("backgroundColor", "color")]
    light, dark = paper("light"), paper("dark")
    assert light[0] > 600 > 200 > light[1] and dark[0] < 200 < 600 < dark[1]
