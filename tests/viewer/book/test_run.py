"""A run in the book: the oracle writes what the library writes, in the page too; what is too large is refused."""
import json
import re

import numpy as np
import pytest

from browser import BROWSER, Browser
from configs import CONFIGS
from draw import like
from minis2s.api.seq2seq import Seq2Seq
from minis2s.core import tree
from minis2s.core.functions import log_softmax
from minis2s.data.batches import make_batch
from minis2s.model import seq2seq, transformer
from minis2s.model.config import Config
from minis2s.training.options import Training
from minis2s.viewer.book import build, run, runtime
from minis2s.viewer.book.live import source
from minis2s.viewer.trace import trace

ODD = ("</script>", "\u202eab", 'say "no"', "<!--", "a&b")
SHAPES = {name: config for name, config in CONFIGS.items() if not config.dropout and not config.label_smoothing
          and config.source == "tokens"}


def whole():
    """whole.py as a module, with the engine that the page gets."""
    import sys
    from types import ModuleType
    engine, space = source.engine()
    module = ModuleType("whole")
    names = {"engine": engine, "scalar": engine.scalar}
    before = {name: sys.modules.get(name) for name in names}
    sys.modules.update(names)
    try:
        exec(source.text("whole"), module.__dict__)
    finally:
        for name, old in before.items():
            sys.modules.pop(name) if old is None else sys.modules.update({name: old})
    engine.WANTED[0] = ()
    return module, engine, space


def choices(config):
    return {choice: getattr(config, choice) for choice in run.CHOICES}


def lists(p, config):
    return {name: a.tolist() for name, a in tree.named(seq2seq.untie(p, config))}


@pytest.fixture
def page():
    module, engine, space = whole()
    yield module, space
    engine.WANTED[0] = None


@pytest.mark.parametrize("name", SHAPES)
def test_it_reads_and_writes_as_the_library_does(name, page):
    """log p of every token of a target and the attention weights, for every kind of recurrent model."""
    module, space = page
    config = SHAPES[name]
    p = like(np.random.default_rng(0), seq2seq.init(config), 0.5)
    batch = make_batch([[4, 6, 5]], [[5, 4]], config.reverse_source)
    _, logits, k = seq2seq.forward(p, config, batch)
    model = module.Whole(space, choices(config), lists(p, config))
    model.read(batch.source[:, 0].tolist())
    for t, y in enumerate(((), (5,), (5, 4))):
        log_p, alpha, _, _ = model.step(y)
        np.testing.assert_allclose(log_p, log_softmax(logits[t, 0]), rtol=0, atol=1e-12)
        if k.decoder.steps[0].attend:
            np.testing.assert_allclose(alpha, k.decoder.steps[t].attend.alpha[:, 0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("lane", ["encoder", "decoder"])
def test_the_numbers_of_a_cell_are_those_of_a_trace_forward_and_backward(page, lane):
    module, space = page
    config = CONFIGS["two-ways-additive"]
    config = Config(**{**{f: getattr(config, f)
                          for f in ("source_vocab", "target_vocab", "embedding", "hidden", "dtype")},
                       "cell": "lstm", "attention": "additive"})
    p = like(np.random.default_rng(1), seq2seq.init(config), 0.5)
    with trace() as tr:
        _, _, k = seq2seq.forward(p, config, make_batch([[4, 6, 5]], [[5, 4]]))
        seq2seq.backward(p, config, k)
    found = module.inspect(space, choices(config), lists(p, config), [4, 6, 5], [5, 4], (lane, 0), 1, True)
    by_name = {(mark, name): (values, gradients) for mark, name, values, gradients in found}
    view = getattr(tr, lane)
    for mark, name in (("L4", "c"), ("L5", "h"), ("L3", "g")):
        values, gradients = by_name[f"({mark})", name]
        np.testing.assert_allclose(values, view(mark=mark, phase="forward")[name][1].ravel(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(by_name["(L4)", "c"][1], view(mark="L5*").dc[1].ravel(), rtol=0, atol=1e-12)
    np.testing.assert_allclose(by_name["(L3)", "g"][1], view(mark="L4*").dg[1].ravel(), rtol=0, atol=1e-12)


@pytest.fixture(scope="module")
def trained():
    """A tiny model whose symbols are markup, quotes and marks that turn the direction of a text."""
    pairs = [(text, text[::-1]) for text in ODD] * 3
    model = Seq2Seq(Config(cell="lstm", hidden=4, embedding=4, attention="dot"))
    model.fit(pairs, pairs, training=Training(epochs=2, batch=4), progress=False)
    return model


def test_a_run_is_embedded_to_the_last_bit_and_cannot_break_out(trained):
    payload = run.payload(trained, '</script><b title="x">')
    text = run.data(payload)
    assert "<" not in text and json.loads(text) == payload
    assert "<b" not in re.sub(r"<[/a-z]*span[^>]*>", "", run.page(payload).split("</h2>")[0].replace("<article", ""))
    import base64
    flat = np.frombuffer(base64.b64decode(payload["data"]), "<f4")
    assert flat.tobytes() == np.concatenate([a.ravel() for _, a in tree.named(trained.params)]).tobytes()
    assert payload["source"][4:] == list(trained.source_vocab.symbols[4:]) and payload["gradient"]


@pytest.mark.parametrize("changes, message", [
    ({"hidden": 65}, "hidden=65, wanted at most 64"),
    ({"hidden": 64, "layers": 4, "cell": "lstm"}, "weights, wanted at most 250,000"),
    ({"hidden": 4, "dtype": "float64"}, "wanted float32 weights"),
    ({"architecture": "transformer", "hidden": 8, "heads": 2}, "architecture=transformer")])
def test_what_cannot_be_embedded_is_refused(trained, changes, message):
    config = Config(**{"source_vocab": 20, "target_vocab": 20, **changes})

    class Model:
        source_tokenizer, target_tokenizer = trained.source_tokenizer, trained.target_tokenizer
        source_vocab, target_vocab, max_length = trained.source_vocab, trained.target_vocab, 50
    Model.config, Model.params = config, (
        transformer if config.architecture == "transformer" else seq2seq).init(config, 0)
    with pytest.raises(ValueError, match=message):
        run.payload(Model, "x")


def test_words_are_refused():
    model = Seq2Seq(Config(cell="gru", hidden=4, embedding=4), source_units="word", target_units="word")
    model.fit([("a b", "b a")] * 4, [("a b", "b a")], training=Training(epochs=1), progress=False)
    with pytest.raises(ValueError, match="source units word, wanted one of char, space"):
        run.payload(model, "x")


@pytest.mark.skipif(BROWSER is None, reason="no chromium on this machine: the run is not tried in a browser")
def test_it_reads_writes_and_is_forced_in_the_browser(trained, tmp_path):
    if runtime.find() is None:
        pytest.skip("no MicroPython here (npm install, see minis2s book --help): nothing runs in the page")
    path = tmp_path / "book.html"
    path.write_text(build.book(("en",), runtime.find(), run.payload(trained, '"><i>') | {"longest": 12}),
                    encoding="utf-8")
    browser = Browser(tmp_path / "profile", 1280)
    try:
        browser.open(path)
        browser.run("location.hash = 'run'; new Promise(done => setTimeout(done, 50))")
        for text in ODD[:2]:
            browser.run(f"document.getElementById('text').value = {json.dumps(text)}; ask()")
            p = tree.map(lambda a: a.astype("float64"), trained.params)
            config = Config(**{**{f: getattr(trained.config, f) for f in trained.config.__dataclass_fields__},
                               "dtype": "float64"})
            written = browser.run("now.tokens")
            batch = make_batch([trained.source_vocab.encode(list(text))], [written])
            _, logits, _ = seq2seq.forward(p, config, batch)
            got = np.array(browser.run("now.steps.map(s => s.log_p)"))
            np.testing.assert_allclose(got, log_softmax(logits[:len(got), 0]), rtol=0, atol=1e-12)
            assert browser.run("[...document.querySelectorAll('#reading .token')].map(b => b.textContent)") == [
                "␣" if c == " " else c for c in text]
        rival = browser.run("now.steps[0].rank[1]")
        browser.run("document.querySelector('#writing .rival').click(); new Promise(done => setTimeout(done, 1500))")
        assert browser.run("now.tokens[0] ?? 2") == rival
        browser.run("grow()")
        assert browser.run("document.querySelectorAll('#tree li').length") > 3
        browser.run("document.querySelector('#reading .token').click()")
        marks = browser.run("[...document.querySelectorAll('#inside .mark')].map(a => a.textContent)")
        assert {"(L1)", "(L2)", "(L3)", "(L4)", "(L5)"} <= set(marks)
        wrong = [e for e in browser.events if e.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")]
        assert wrong == []
    finally:
        browser.close()
