"""NUMBA: the compiled implementation as a Backend.  Start reading here: each function below is one compiled entry."""
from ..core.backend import Backend, thread_count
from .decoding.beam import beam
from .decoding.exact import exact
from .decoding.frames import write
from .decoding.greedy import greedy
from .decoding.sampling import sample
from .layers import unroll
from .model import architectures
from .runtime import threads
from .runtime.precompile import precompile
from .training.update import loss_and_update


def use_threads(count=None):
    """Let the kernels use so many threads; None: as MINIS2S_THREADS says, or all cores.  ValueError unless 1 .. 256."""
    threads.use(thread_count(count))


def description():
    """What computes, in a few words."""
    count = int(threads.QUEUE[threads.THREADS])
    return f"compiled kernels (numba), {count} thread{'s' if count > 1 else ''}"


NUMBA = Backend(
    name="numba",
    forward=architectures.forward,
    backward=architectures.backward,
    loss_and_gradient=architectures.loss_and_gradient,
    logits=architectures.logits,
    forced_and_free=architectures.forced_and_free,
    loss_and_update=loss_and_update,
    greedy=greedy,
    beam=beam,
    sample=sample,
    exact=exact,
    write=write,
    unroll=unroll.forward,
    unroll_backward=unroll.backward,
    use_threads=use_threads,
    description=description,
    precompile=precompile,
)
