"""What a decoder's readout says, put into its loop when that is compiled: OUTPUTS, by what the Config's readout says.

    tokens      r W + b: V logits                                     loss and gradient: layers/readout.py
    words       log p of V+K words, said or copied                    layers/readout_copying.py
    frames      r W + b: the numbers of r frames, score of the stop   layers/frame_output.py

`say` is for single steps, where the model is fed its own output or hypotheses are compared; `say_all` for all steps at
once.  In training `loss_and_gradient` takes their place.

(D7) forward.
"""
from typing import Callable, NamedTuple

from ..layers import frame_output, readout, readout_copying
from ..layers.copying import Mixing, mix, mixing, size_with_words
from ..linalg.gemm import add_product, packed
from ..linalg.simd import LANES, at
from ..runtime.arena import scratch_arena, zeros
from ..runtime.jit import device_function, inlined, internal_kernel, jit
from ..runtime.linking import call_linked
from ..runtime.threads import over_rows


class Output(NamedTuple):
    size: Callable             # readout.Params, EncoderOutput -> how many numbers it says at a step
    mixing: Callable           # arena, decoder Params, EncoderOutput, rows, size -> copying.Mixing or None
    say: Callable              # k, r, t, n0, n1: what it says of r (N, R) at step t -> k.logits[t]
    say_all: Callable          # arena, k, decoder Params, out: all steps of the loop
    loss_and_gradient: Callable    # arena, decoder Params, their gradient to add to, k, rs, targets, mask, option of
    #                                the loss (label smoothing, or whether frames' error is absolute)
    #                                -> L, drs, dalpha or None


@device_function
def read_out(rs, W, b, logits, r0, r1):
    """logits = r W + b, for rows r0 .. r1-1."""
    V = len(b)
    for r in range(r0, r1):
        for j in range(0, V, LANES):
            logits[r, at(j, V)] = b[at(j, V)]                                       # (D7)
    add_product(logits[r0:r1], rs[r0:r1], W)                                        # (D7)


rows_read_out = internal_kernel("decoder.rows_read_out")(read_out)


@inlined
def read_out_all(arena, rs, W, b, logits):
    """logits = r W + b, for all steps at once."""
    (S, N, R), V = rs.shape, len(b)
    over_rows(rows_read_out, (rs.reshape(S * N, R), packed(scratch_arena(arena), W), b, logits.reshape(S * N, V)),
              S * N, logits.size * R)                                               # (D7)


_read_out_all = jit("decoder.read_out")(read_out_all)          # called from Python, without an arena


# Tokens -----------------------------------------------------------------------------------------------------

@inlined
def size_of(p, source):
    return len(p.b)


@inlined
def no_mixing(arena, p, source, rows, size):
    return None


@inlined
def say(k, r, t, n0, n1):
    read_out(r, k.W, k.b, k.logits[t], n0, n1)                                      # (D7)


@inlined
def say_all(arena, k, p, out):
    read_out_all(arena, k.rs, p.readout.W, p.readout.b, out)                        # (D7)


@inlined
def loss_and_gradient(arena, p, g, k, rs, targets, mask, eps):
    L, drs = call_linked(readout.add_loss_and_gradient, (arena, p.readout, g.readout, rs, targets, mask, eps))
    return L, drs, None


# Words, which may be copied ---------------------------------------------------------------------------------

@inlined
def size_of_words(p, source):
    return size_with_words(source.ids, len(p.b))


@inlined
def gate_of(arena, p, source, rows, size):
    return mixing(arena, p.gate.W, p.gate.b, source.ids, rows, size)


@device_function
def say_words_of(k, mixing, W, r, logits, t, n0, n1):
    """Rows r (N, R) of step t -> log p in `logits` (N, V+K)."""
    V = len(k.b)
    read_out(r, W, k.b, logits[:, :V], n0, n1)                                      # (D7)
    for n in range(n0, n1):
        mix(mixing, V, r[n], k.attend.alpha[t, n], k.attend.source[n], n, logits[n])


@inlined
def say_words(k, r, t, n0, n1):
    say_words_of(k, k.mixing, k.W, r, k.logits[t], t, n0, n1)


@internal_kernel("decoder.rows_say_words")
def rows_say_words(k, mixing, W, out, n0, n1):
    for t in range(len(out)):
        say_words_of(k, mixing, W, k.rs[t], out[t], t, n0, n1)


@inlined
def say_all_words(arena, k, p, out):
    (_, N, size), given = out.shape, k.mixing
    rows = Mixing(given.w, given.b, given.ids, zeros(arena, (N, size), out.dtype))
    over_rows(rows_say_words, (k, rows, packed(scratch_arena(arena), p.readout.W), out), N, out.size * k.rs.shape[2])


@inlined
def words_loss_and_gradient(arena, p, g, k, rs, targets, mask, eps):
    return call_linked(readout_copying.add_loss_and_gradient, (
        arena, p.readout, p.gate, g.readout, g.gate, rs, k.attend.alpha, k.mixing.ids, targets, mask))


# Frames -----------------------------------------------------------------------------------------------------

@inlined
def frames_loss_and_gradient(arena, p, g, k, rs, targets, mask, absolute):
    L, drs = call_linked(frame_output.add_loss_and_gradient, (
        arena, p.readout, g.readout, rs, targets, mask, absolute))
    return L, drs, None


OUTPUTS = {
    "tokens": Output(size_of, no_mixing, say, say_all, loss_and_gradient),
    "words": Output(size_of_words, gate_of, say_words, say_all_words, words_loss_and_gradient),
    "frames": Output(size_of, no_mixing, say, say_all, frames_loss_and_gradient),
}
