"""The work of NumPy and Numba: each function returns one call of it, to be made again and again."""
import numpy as np

from ..api.backends import choose
from ..training.memory import keep_freed_memory


def layer(side, cell, T, N, D, H, ragged=False):
    """A recurrent layer there and back; the GRU resets after the product, as PyTorch's does."""
    from ..core import tree
    from ..layers import recurrent
    from ..layers.cells import CELLS
    from .cases import lengths
    module, backend = CELLS["gru-after" if cell == "gru" else cell], choose(side)
    rng = np.random.default_rng(0)
    p = tree.map(lambda a: a.astype("float32"), module.init(rng, D, H))
    xs, dhs = (rng.normal(size=(T, N, size)).astype("float32") for size in (D, H))
    mask = np.arange(T)[:, None] < (lengths(T, N) if ragged else np.full(N, T))
    zero, dhs = recurrent.zero_state(module, p, N), dhs * mask[:, :, None]     # nobody reads padding

    def run():
        hs, _, k = backend.unroll(module, p, xs, zero, mask)
        return hs, backend.unroll_backward(module, p, k, dhs, zero, mask)
    return run


def config(V, H):
    """Of the model that steps and searches use: LSTM encoder, additive attention before an LSTM cell."""
    from ..model.config import Config
    return Config(source_vocab=V, target_vocab=V, embedding=H, hidden=H, attention_order="before", fusion="none")


def batch(V, N, T):
    """Random tokens, no padding."""
    from ..data.batches import Batch
    source, inputs, targets = np.random.default_rng(0).integers(4, V, (3, T, N))
    return Batch(source, source > 0, inputs, targets, source > 0)


def transformer_config(V, H):
    """Of the Transformer, which has norms before its sub-layers."""
    from ..model.config import Config
    return Config(architecture="transformer", source_vocab=V, target_vocab=V, hidden=H, layers=2)


def step(side, V, N, T, H, made=config):
    """train.one_step of a model with the Config made(V, H), from one to the next."""
    from ..training import loop as train
    model, training, given = made(V, H), train.Training(clip=1.0), batch(V, N, T)
    progress = [train.begin(model, training)]

    def run():
        progress[0] = train.one_step(model, training, progress[0], given, 1e-3, choose(side))
    return run


def asked(V, N, T, H):
    """-> parameters, Config, source, mask: a model that never ends an answer, so all have full length."""
    from ..data.vocabulary import EOS
    from ..model import seq2seq
    p, source = seq2seq.init(config(V, H)), batch(V, N, T).source
    p.decoder.readout.b[EOS] = -50
    return p, config(V, H), source, source > 0


def decode(side, V, N, T, H, **options):
    """Greedy search."""
    greedy, given = choose(side).greedy, asked(V, N, T, H)
    return lambda: greedy(*given, T, **options)


def int8(side, **sizes):
    """Greedy search, with the readout at one byte a weight where it is compiled."""
    return decode(side, **sizes, **({"precision": "int8"} if side == "numba" else {}))


def beam(side, V, N, T, H, width):
    """Beam search, the best answer of each source."""
    search, given = choose(side).beam, asked(V, N, T, H)
    return lambda: search(*given, T, width)


def make(side, threads, case, **sizes):
    """-> the function to be timed."""
    keep_freed_memory()                                        # as training does
    choose(side).use_threads(threads)
    if case in ("layer", "ragged"):
        return layer(side, **sizes, ragged=case == "ragged")
    if case == "transformer":
        return step(side, **sizes, made=transformer_config)
    return {"step": step, "decode": decode, "beam": beam, "int8": int8}[case](side, **sizes)
