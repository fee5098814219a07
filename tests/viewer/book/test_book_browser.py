"""The book in Chromium: no request, live numbers those of NumPy on every page, links, keys, light and dark."""
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from browser import BROWSER, Browser
from minis2s.viewer.book import build, bundle, numbers, parts, runtime
from minis2s.viewer.book.examples import EXAMPLES

pytestmark = pytest.mark.skipif(BROWSER is None,
                                reason="no chromium on this machine: the book is not tried in a browser")
SHOWN = "[...document.querySelectorAll('article.now .figures .n')].map(valueOf)"
NEW = "examples[{name}].now = {now}; compute({name});"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """A browser with the book open; its network is off."""
    folder = tmp_path_factory.mktemp("book")
    path = folder / "book.html"
    path.write_text(build.book(folder=runtime.find()), encoding="utf-8")
    browser = Browser(folder / "profile", 1280)
    browser.ask("Network.emulateNetworkConditions", offline=True, latency=0, downloadThroughput=0, uploadThroughput=0)
    browser.path = path
    browser.open(path)
    yield browser
    browser.close()


@pytest.fixture
def live(browser):
    """The same, with MicroPython running."""
    if runtime.find() is None:
        pytest.skip("no MicroPython here (npm install, see minis2s book --help): nothing runs in the page")
    go(browser, "lstm")
    browser.run("start()")
    return browser


def go(browser, page):
    browser.run(f"location.hash = {json.dumps(page)}; new Promise(done => setTimeout(done, 30))")
    assert browser.run("document.querySelector('article.now').dataset.page") == page.split("/")[0]


def given(example, rng):
    """Random inputs of an example: flat, and by name."""
    run = numbers.all_bound()[example][0]
    values = {key: (rng.normal(size=len(flat)) * 0.7
                    + (np.array(flat) if example in ("schedule", "residual pre") else 0))
              for key, _, flat in run.inputs}
    positive = {"schedule": values, "copying": ["alpha"]}.get(example, ())      # as step sizes and attention are
    values = {key: np.abs(a) + 0.1 if key in positive else a for key, a in values.items()}
    if "arrives:L" in values:
        values["arrives:L"] = np.ones(1)
    return [float(x) for a in values.values() for x in a], values


def test_every_number_of_every_page_is_that_of_numpy(live):
    rng, seen = np.random.default_rng(0), set()
    for part in parts.parts():
        go(live, part.id)
        marks = [mark for pair in part.pairs for mark in pair if mark in bundle.shown()]
        marks = marks or ["(outputs)"] * (part.id == "decoding")
        if not marks:
            continue
        want, names, runs = [], [], {}
        for name in dict.fromkeys(bundle.shown()[mark][0] for mark in marks):
            flat, values = given(name, rng)
            live.run(NEW.format(name=json.dumps(name), now=json.dumps(flat)))
            runs[name] = numbers.run(EXAMPLES[name], 0, values)
            check_gradients(live, name, runs[name])
        for mark in marks:
            name, bound = bundle.shown()[mark]
            for b in bound:
                want.append(runs[name].quantities[b.mark, b.name, b.times].ravel())
                names += [f"{part.id}: {b.mark} {b.name}"] * want[-1].size
            seen.add(mark)
        want = np.concatenate(want)
        got = np.array(live.run(SHOWN), dtype=float)
        assert got.shape == want.shape, part.id
        wrong = np.flatnonzero(np.abs(got - want) > 1e-12 * np.maximum(1, np.abs(want)))
        assert not wrong.size, [(names[i], got[i], want[i]) for i in wrong[:5]]
    assert seen == bundle.shown().keys()


def check_gradients(live, name, run):
    """The gradient below each input."""
    got = dict(live.run(f"[...examples[{json.dumps(name)}].at]"))
    at = 0
    for key, _, flat in run.inputs:
        for i, want in enumerate(np.ravel(run.grads[key]) if key in run.grads else ()):
            assert abs(got[f"g{at + i}"] - want) <= 1e-12 * max(1, abs(want)), (name, key)
        at += len(flat)


def test_a_slider_changes_forward_and_backward_everywhere_and_reset_takes_it_back(live):
    go(live, "lstm")
    live.run("document.querySelector('article.now .reset').click()")
    before = live.run(SHOWN)
    live.run("(s => { s.value = '1.5'; s.dispatchEvent(new Event('input')); })(document.querySelector('article.now "
             ".slider'))")
    run = numbers.all_bound()["lstm"][0]
    values = {key: np.array(flat) for key, _, flat in run.inputs}
    values["x"][0] = 1.5
    new = numbers.run(EXAMPLES["lstm"], 0, values)
    want = np.concatenate([new.quantities[b.mark, b.name, b.times].ravel() for mark in _marks("lstm")
                           for b in bundle.shown()[mark][1]])
    np.testing.assert_allclose(live.run(SHOWN), want, rtol=0, atol=1e-12)
    assert live.run("document.querySelector('article.now .exact').value") == "1.5"
    live.run("document.querySelector('article.now .reset').click()")
    np.testing.assert_allclose(live.run(SHOWN), before, rtol=0, atol=1e-15)


def _marks(name):
    part = next(p for p in parts.parts() if p.id == name)
    return [mark for pair in part.pairs for mark in pair if mark]


def test_what_is_no_number_changes_nothing(live):
    go(live, "rnn")
    before = live.run(SHOWN)
    live.run("(s => { s.value = ''; s.dispatchEvent(new Event('change')); })(document.querySelector('article.now "
             ".exact'))")
    assert live.run(SHOWN) == before


def test_nothing_is_requested_and_nothing_goes_wrong(browser):
    for part in parts.parts()[::9]:
        go(browser, part.id)
    asked = [e["params"]["request"]["url"].partition("#")[0] for e in browser.events
             if e.get("method") == "Network.requestWillBeSent"]
    assert {url for url in asked if not url.startswith("data:")} <= {browser.path.as_uri()}
    assert [e for e in browser.events if e.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded")] == []


def test_a_symbol_lights_up_in_all_panes_in_the_table_and_goes_out(browser):
    go(browser, "lstm/L4")
    lit = ("[...document.querySelectorAll('article.now [data-s].lit')].map("
           "n => n.closest('.pane')?.classList[1] || n.closest('.shapes, .q, .steps').classList[0])")
    browser.run("document.querySelector('[data-marks=\"(L4) (L4*)\"] .equation [data-s=f]').dispatchEvent(new "
                "PointerEvent('pointerover', {bubbles: true}))")
    assert {"equation", "code", "oracle", "derivative", "shapes"} <= set(browser.run(lit))
    browser.run("document.querySelector('[data-marks=\"(L4) (L4*)\"] .equation [data-s=f]').dispatchEvent(new "
                "PointerEvent('pointerout', {bubbles: true}))")
    assert browser.run(lit) == []


def test_the_keyboard_reaches_everything(browser):
    go(browser, "lstm")
    browser.run("document.querySelector('[data-marks=\"(L4) (L4*)\"] .panes [data-s]').focus()")
    first = browser.run("document.activeElement.dataset.s")
    browser.key("ArrowRight")
    assert browser.run("document.activeElement.closest('.card').dataset.marks") == "(L4) (L4*)"
    assert browser.run("document.activeElement.tabIndex") == 0 and first == "c"
    assert browser.run("document.activeElement.classList.contains('lit')")
    browser.key("Escape")
    assert browser.run("document.querySelectorAll('.lit').length") == 0
    browser.run("document.activeElement.blur()")
    browser.key("ArrowRight")
    browser.run("new Promise(done => setTimeout(done, 50))")
    assert browser.run("document.querySelector('article.now').dataset.page") == "gru"
    browser.key("/")
    assert browser.run("document.activeElement.id") == "search"


def test_search_finds_marks_and_words(browser):
    for words, page in (("L4", "lstm"), ("layer_norm", "layer-norm"), ("b4.2a", "b4.2a")):
        browser.run(f"(s => {{ s.value = {json.dumps(words)}; s.dispatchEvent(new Event('input')); "
                    f"}})(document.getElementById('search'))")
        found = browser.run("[...document.querySelectorAll('#contents li:not([hidden]) a')].map(a => a.hash.slice(1))")
        assert page in found and len(found) < 12
    browser.run("(s => { s.value = 'no such thing'; s.dispatchEvent(new Event('input')); "
                "})(document.getElementById('search'))")
    assert not browser.run("document.getElementById('none').hidden")
    browser.run("(s => { s.value = ''; s.dispatchEvent(new Event('input')); })(document.getElementById('search'))")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_page_is_wider_than_the_screen(browser, width):
    browser.resize(width)
    wide = browser.run("""(async () => { const found = [];
        for (const page of order) { location.hash = page; await new Promise(done => setTimeout(done, 15));
          if (document.documentElement.scrollWidth > innerWidth) found.push(page); }
        return found; })()""")
    browser.resize(1280)
    assert wide == []


def test_every_page_has_both_languages(browser):
    wanted = """(async () => { const found = [];
        for (const page of order) { location.hash = page; await new Promise(done => setTimeout(done, 10));
          const now = document.querySelector("article.now"), all = kind => [...now.querySelectorAll(kind)];
          if (!all("h2 .zh, h3 .zh").length || all(".en").length !== all(".zh").length) found.push(page);
          if (all(".zh").some(n => !n.textContent.trim())) found.push(page + ": empty"); }
        return found; })()"""
    unfinished = {part.id for part in parts.parts() if part.file not in parts.ORDER} | {"licences"}
    assert {page for page in browser.run(wanted) if page.partition(":")[0] not in unfinished} == set()
    go(browser, "lstm")
    shown = "getComputedStyle(document.querySelector('article.now h2 .{}')).display"
    assert (browser.run(shown.format("en")), browser.run(shown.format("zh"))) == ("inline", "none")
    browser.run("document.getElementById('language').click()")
    assert (browser.run(shown.format("en")), browser.run(shown.format("zh"))) == ("none", "inline")
    assert browser.run("document.documentElement.lang") == "zh"
    browser.run("document.getElementById('language').click()")


def test_a_missing_line_is_judged(browser):
    go(browser, "lstm/L4")
    said = "document.querySelector('[data-marks=\"(L4) (L4*)\"] .faded .why[aria-live]').textContent"
    browser.run("document.querySelector('[data-marks=\"(L4) (L4*)\"] .faded').open = true")
    for right in (0, 1):
        browser.run(f"document.querySelector('[data-marks=\"(L4) (L4*)\"] .choices [data-right=\"{right}\"]').click()")
        assert ("equals its neighbours" in browser.run(said)) == bool(right)


@pytest.mark.parametrize("page", ["functions", "lstm", "context-step", "decoding", "b4.2a", "glossary"])
def test_nothing_serious_is_found_by_axe(browser, page):
    """axe-core, where it is installed: npm install axe-core, and MINIS2S_AXE names its folder."""
    axe = Path(os.environ.get("MINIS2S_AXE", "node_modules/axe-core")) / "axe.min.js"
    if not axe.is_file():
        pytest.skip(f"no {axe}: npm install axe-core, or name its folder in MINIS2S_AXE")
    go(browser, page)
    browser.run("for (const part of document.querySelectorAll('article.now details')) part.open = true;"
                "new Promise(done => setTimeout(done, 400))")
    browser.run(axe.read_text(encoding="utf-8") + ";0")
    found = browser.run("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map(v => "
                        "[v.id, v.impact, v.nodes[0].html.slice(0, 200)]))")
    assert [one for one in found if one[1] in ("serious", "critical")] == []


def test_light_and_dark(browser):
    def paper(scheme):
        browser.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        browser.run("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return [sum(map(int, re.findall(r"\d+", browser.run(f"getComputedStyle(document.body).{what}"))[:3]))
                for what in ("backgroundColor", "color")]
    light, dark = paper("light"), paper("dark")
    assert light[0] > 600 > 200 > light[1] and dark[0] < 200 < 600 < dark[1]
