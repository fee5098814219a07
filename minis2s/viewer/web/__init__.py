"""The files that make up a page: HTML, CSS and JavaScript, put into one file that requests nothing.

`base.css`, `dom.js`, `numbers.js` and `heatmap.js` know nothing of what is shown: any page can use them, and the book
(viewer/book) takes the first two.  The others are those of the trace.  Equations come set as MathML: viewer/mathml.py.
"""
import html
import json
import re
from functools import lru_cache
from importlib.resources import files

COMPONENTS = ("dom.js", "numbers.js", "heatmap.js")


@lru_cache(maxsize=None)
def read(name):
    """The text of one file of this folder."""
    return files(__name__).joinpath(name).read_text(encoding="utf-8")


def fill(template, title, data, styles, scripts):
    """Put a page together.

    Parameters
    ----------
    template : str
        Name of a file with the places @title@, @style@, @script@ and @data@.
    title : str
    data : object
        What the scripts read as JSON from the element with the place @data@.
    styles, scripts : sequences of str
        Names of files, in order; the scripts come after `COMPONENTS`.

    Returns
    -------
    str
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    parts = {"title": html.escape(title), "style": "\n".join(map(read, ("base.css", *styles))),
             "script": "\n".join(map(read, (*COMPONENTS, *scripts))),
             "data": text.replace("<", "\\u003c")}               # no token can end the script
    return re.sub("@(title|style|script|data)@", lambda place: parts[place[1]], read(template))
