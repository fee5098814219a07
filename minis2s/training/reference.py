"""NUMPY: the readable implementation as a Backend, for code that may run on either."""
from contextlib import AbstractContextManager, nullcontext

from .. import decoding
from ..core.backend import Backend, thread_count
from ..decoding import frames
from ..layers import unroll
from ..model import architectures
from ..model.config import Config
from .update import loss_and_update


def use_threads(count: int | None = None) -> None:
    """Check the number; NumPy's own products decide for themselves how many threads they use."""
    thread_count(count)


def description() -> str:
    """What computes, in a few words."""
    return "NumPy"


def precompile(config: Config, optimizer: str) -> AbstractContextManager:
    """A context in which nothing needs to be compiled: -> a function that returns at once."""
    return nullcontext(lambda: None)


NUMPY = Backend(
    name="numpy",
    forward=architectures.forward,
    backward=architectures.backward,
    loss_and_gradient=architectures.loss_and_gradient,
    logits=architectures.logits,
    forced_and_free=architectures.forced_and_free,
    loss_and_update=loss_and_update,
    greedy=decoding.greedy,
    beam=decoding.beam,
    sample=decoding.sample,
    exact=decoding.exact,
    write=frames.write,
    unroll=unroll.forward,
    unroll_backward=unroll.backward,
    use_threads=use_threads,
    description=description,
    precompile=precompile,
)
