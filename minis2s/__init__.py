"""minis2s: sequence-to-sequence models to learn from.

Every equation is a line of NumPy, every derivative stands beside it, and every gradient is checked.  For texts there is
`Seq2Seq`; for learning, the modules: start with `minis2s.layers.cells.lstm`.

The folders, in an order in which an import only ever points up (tests/test_architecture.py):

    core/        functions with their derivatives, trees of arrays, initializers, gradient check, files
    data/        vocabulary, units, pairs, batches
    layers/      one step, one query: cells/ attention/ embedding linear fusion loss; the time loop
    model/       config, encoder, bridge, decoder, seq2seq: forward, and backward as forward upside down
    decoding/    greedy, beam, sampling, exact
    tasks/       generated data sets
    training/    options, optimizers, one step, the loop, evaluation, checkpoint
    testing/     checks for a cell or a score of your own; oracle/: every equation in plain Python numbers
    kernels/     the compiled implementation: mirrors layers/ model/ decoding/ training/ file by file
    pytorch/     the same model as an nn.Module; export and import
    api/         Seq2Seq, the directory of a run, the choice of a backend
    bench/       measuring
    documents/   the five documents: formulas, as printed, worked examples, claims
    classroom/   exercises, mistakes, doctor, notebooks
    viewer/      everything to look at: trace, plots, figures, and the live book
    cli/         the command line, a file for each command

Only api/backends.py imports the compiled implementation (and bench/, which measures its parts).
"""
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api.seq2seq import Seq2Seq, Translation       # noqa: F401
    from .classroom.doctor import check                 # noqa: F401
    from .model.config import Config                    # noqa: F401
    from .training.options import Training              # noqa: F401
    from .training.step import Diverged                 # noqa: F401

__version__ = "0.2.0"

PUBLIC = {"Seq2Seq": "api.seq2seq", "Translation": "api.seq2seq", "Config": "model.config",
          "Training": "training.options", "Diverged": "training.step", "check": "classroom.doctor"}


def __getattr__(name):
    """What is imported above is loaded when it is first used: so `minis2s --help`, and Ctrl-C, need not wait for it."""
    if name not in PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{PUBLIC[name]}", __name__), name)
    return value


def __dir__():
    return sorted({*globals(), *PUBLIC})
