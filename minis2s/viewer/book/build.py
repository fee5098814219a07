"""The whole book in one HTML file."""
import base64
import gzip
import html
import json
import re
from functools import lru_cache
from importlib.resources import files

from .. import symbols, web as shared
from . import bundle, numbers, pages, parts, run, runtime, steps, web
from .examples import EXAMPLES
from .live import source
from .words import LANGUAGES, WORDS, both_html, chosen, plain, word

CSP = ("default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval'; style-src 'unsafe-inline'; img-src data:; "
       "connect-src data:")
LIMIT = 2_500_000               # bytes


def book(languages=LANGUAGES, folder=None, trained=None):
    """Build the book.

    Parameters
    ----------
    languages : tuple of {"en", "zh"}
    folder : Path or None
        Of MicroPython's package; None: the numbers are fixed, and the pages say so.
    trained : dict or None
        A run to embed, as `run.payload` makes it; it needs MicroPython, and makes the file larger than LIMIT allows.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        A derivation is wrong, an equation has no example, or the file would be larger than LIMIT.
    """
    check_numbers()
    token = chosen.set(tuple(languages))
    try:
        text = filled(languages, folder and runtime.load(folder), trained)
    finally:
        chosen.reset(token)
    size = len(text.encode("utf-8")) - len(run.data(trained).encode("utf-8") if trained else "")
    if size > LIMIT:
        raise ValueError(f"book: {size:,} bytes, wanted at most {LIMIT:,}")
    return text


def check_numbers():
    """What the oracle computes in the examples is what the library computes: outputs and every gradient, to 1e-12.

    Raises
    ------
    ValueError
        An example, and the worst difference.
    """
    import numpy as np
    for name, (one, _, _) in numbers.all_bound().items():
        at = 0
        for key, _, flat in one.inputs:
            if key in one.grads:
                want = np.ravel(one.grads[key])
                worst = np.abs(one.gradients[at:at + len(flat)] - want).max(initial=0.0)
                if worst > numbers.BOUND * max(1.0, np.abs(want).max(initial=0.0)):
                    raise ValueError(f"book: example {name}: the gradient of {key} differs by {worst:.1e}")
            if not key.startswith("arrives:"):
                at += len(flat)


def filled(languages, micropython, trained=None):
    """The template with all its places filled."""
    derived = steps.derivations()
    all_pages = [pages.part_page(part, derived) for part in parts.parts()]
    all_pages += [pages.row_page(formula, ids) for formula, ids in parts.rows().values()]
    all_pages += [pages.glossary(), licences(micropython)]
    all_pages[:0] = [run.page(trained)] if trained else []
    both = len(languages) == 2
    places = {
        "lang": languages[0], "classes": "only-zh lang-zh" if languages == ("zh",) else "", "csp": CSP,
        "title": plain("title"), "heading": word("title"), "subtitle": word("subtitle"), "skip": word("contents"),
        "search": plain("search"), "contents_label": plain("contents"), "contents_word": word("contents"),
        "page_label": plain("page"), "nothing": word("nothing"), "keys": word("keys"), "keys_text": word("keys_text"),
        "language": f'<button type="button" id="language">{word("language")}</button>' if both else "",
        "run": f'<script type="application/json" id="run-data">{run.data(trained)}</script>' if trained else "",
        "contents": pages.contents(trained), "pages": unquoted("\n".join(all_pages)), "words": data(WORDS),
        "examples": data(examples()),
        "style": "\n".join((shared.read("base.css"), read("book.css"))),
        "script": "\n".join((shared.read("dom.js"), *map(read, ("book.js", "live.js", "run.js", "start.js")))),
        "runtime": scripts(micropython) if micropython else ""}
    return re.sub("@([a-z_]+)@", lambda place: places[place[1]] if place[1] in places else place[0], read("book.html"))


def unquoted(text):
    """HTML without the quotes that HTML does not need: those of single words.  They are a fiftieth of the book."""
    return re.sub("<[a-z][^<>]*>", lambda tag: re.sub(r'="([\w.-]+)"(?=[ >])', r"=\1", tag[0]), text)


@lru_cache(maxsize=None)
def read(name):
    """The text of a file of web/."""
    return files(web).joinpath(name).read_text(encoding="utf-8")


def data(value):
    """JSON that cannot end its script."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def scripts(micropython):
    """MicroPython as texts that nothing runs before they are needed, and what it runs."""
    texts = {"files": {name: source.text(name) for name in ("scalar", "engine", "page", "whole")},
             "book": bundle.python(), "script": micropython.script}
    packed = {"wasm": micropython.wasm, "texts": json.dumps(texts, ensure_ascii=False).encode("utf-8")}
    return "\n".join(f'<script type="text/plain" id="{name}">'
                     f"{base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()}</script>"
                     for name, content in packed.items())


def examples():
    """What the page knows of each example: its inputs, and its numbers as the build computed them."""
    found = {}
    for name in bundle.used():
        one, (values, gradients) = numbers.all_bound()[name][0], bundle.places(name)
        found[name] = {"inputs": [[key, shape, flat, symbols.key(key.replace("arrives:", "d"))]
                                  for key, shape, flat in one.inputs],
                       "values": values, "gradients": gradients, "backward": EXAMPLES[name].backward is not None,
                       "numbers": [float(one.values[i]) for i in values] + [float(one.gradients[i]) for i in gradients]}
    return found


def licences(micropython):
    """Whose work is in this file."""
    text = micropython.licence if micropython else ""
    own = both_html("This book is made from minis2s, under the MIT License.", "本书由 minis2s 生成，采用 MIT 许可证。")
    inner = f"<p>{own}</p>" + (f'<pre lang="en">{html.escape(text)}</pre>' if text else f"<p>{word('fixed')}</p>")
    return pages.article("licences", word("licences"), inner)
