"""minis2s: sequence-to-sequence models to learn from.

Every equation is a line of NumPy, every derivative stands beside it, and every gradient is checked.  For texts there is
`Seq2Seq`; for learning, the modules: start with `minis2s.cells.lstm`.
"""
from .api import Seq2Seq, Translation       # noqa: F401
from .config import Config                  # noqa: F401
from .train import Diverged, Training       # noqa: F401

__version__ = "0.1.0"


def __getattr__(name):
    """`minis2s.check(...)` without a second import; it is loaded when it is first asked for."""
    if name == "check":
        from importlib import import_module
        return import_module(".check", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
