"""minis2s: sequence-to-sequence models to learn from.

Every equation is a line of NumPy, every derivative stands beside it, and every gradient is checked.  For texts there is
`Seq2Seq`; for learning, the modules: start with `minis2s.layers.cells.lstm`.
"""
from .api.seq2seq import Seq2Seq, Translation       # noqa: F401
from .model.config import Config                  # noqa: F401
from .training.loop import Diverged, Training       # noqa: F401

__version__ = "0.1.0"


def __getattr__(name):
    """`minis2s.check`, the gradient doctor, is loaded when it is first used."""
    if name == "check":
        from .classroom.doctor import check
        return check
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
