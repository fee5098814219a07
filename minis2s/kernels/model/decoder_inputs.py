"""What a decoder is fed at a step, put into its loop when that is compiled: INPUTS, by what the Config's readout says.

                given, or the model's own of step t-1                       into the cell's input, (D2)
    tokens      y_{t-1}, the most probable one                              a row of the table E
    words       the same; one that is not in the vocabulary is UNK          a row of the table E
    frames      the last frame of step t-1                                  f W + b

(D2) forward; (D2*) backward.
"""
from typing import Callable, NamedTuple

import numpy as np

from ...data.vocabulary import UNK
from ..layers.embedding import scatter
from ..layers.frame_input import add_columns_gradients, reader
from ..linalg.gemm import product
from ..linalg.rows import top_of
from ..linalg.simd import LANES, at
from ..runtime.arena import empty
from ..runtime.jit import device_function, inlined


class Inputs(NamedTuple):
    new: Callable              # arena, S, N, Params.embedding -> an array for what is fed
    table: Callable            # arena, Params.embedding, N -> what `enter` reads
    size: Callable             # that -> E
    fill: Callable             # the array, what is given for all steps
    own: Callable              # k, t, n: row n is fed its own output of step t-1
    enter: Callable            # k, xs, t, n0, n1: (D2) of what is fed
    add_gradient: Callable     # gradient of Params.embedding, the array, dxs of the first cell


@device_function
def best_token(logits):
    """The first of the greatest logits; a NaN counts as the greatest, as in NumPy."""
    top = top_of(logits)
    v = 0
    while logits[v] != top and logits[v] == logits[v]:
        v += 1
    return v


# Tokens, and words that may be copied -----------------------------------------------------------------------

@inlined
def new_ids(arena, S, N, E):
    return empty(arena, (S, N), np.int64)


@inlined
def whole_table(arena, E, N):
    return E


@inlined
def row_size(E):
    return E.shape[1]


@inlined
def fill_ids(to, ids):
    for t in range(len(ids)):
        for n in range(ids.shape[1]):
            to[t, n] = ids[t, n]


@inlined
def own_token(k, t, n):
    k.ids[t, n] = best_token(k.logits[t - 1, n])


@inlined
def own_word(k, t, n):
    v = best_token(k.logits[t - 1, n])
    k.ids[t, n] = v if v < len(k.table) else UNK


@inlined
def enter_tokens(k, xs, t, n0, n1):
    E = k.table.shape[1]
    for n in range(n0, n1):
        for j in range(0, E, LANES):
            xs[t, n, at(j, E)] = k.table[k.ids[t, n], at(j, E)]                     # (D2)


@inlined
def add_table_gradient(g, ids, dxs):
    scatter(g, ids, dxs[:, :, :g.shape[1]])                                         # (D2*)


# Frames -----------------------------------------------------------------------------------------------------

@inlined
def new_frames(arena, S, N, p):
    return empty(arena, (S, N, len(p.W)), p.W.dtype)


@inlined
def frame_size(read):
    return len(read.b)


@inlined
def fill_frames(to, frames):
    for t in range(len(frames)):
        for n in range(frames.shape[1]):
            for j in range(frames.shape[2]):
                to[t, n, j] = frames[t, n, j]


@inlined
def own_frame(k, t, n):
    F, size = k.ids.shape[2], k.logits.shape[2]
    for j in range(F):
        k.ids[t, n, j] = k.logits[t - 1, n, size - 1 - F + j]   # behind the frames stands the score of the stop


@inlined
def enter_frames(k, xs, t, n0, n1):
    E = len(k.table.b)
    product(xs[t, n0:n1, :E], k.ids[t, n0:n1], k.table.W)                           # (D2)
    for n in range(n0, n1):
        for j in range(0, E, LANES):
            J = at(j, E)
            xs[t, n, J] = xs[t, n, J] + k.table.b[J]                                # (D2)


@inlined
def add_reader_gradient(g, frames, dxs):
    add_columns_gradients(g, frames, dxs)                                           # (D2*)


INPUTS = {
    "tokens": Inputs(new_ids, whole_table, row_size, fill_ids, own_token, enter_tokens, add_table_gradient),
    "words": Inputs(new_ids, whole_table, row_size, fill_ids, own_word, enter_tokens, add_table_gradient),
    "frames": Inputs(new_frames, reader, frame_size, fill_frames, own_frame, enter_frames, add_reader_gradient),
}
