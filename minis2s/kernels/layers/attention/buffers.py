"""Arrays that the queries of a sequence read and fill, forward and backward, and the gradients of a score's weights.

The memory is that of M sources, and row n reads source[n]'s: in training each row has a source of its own, in a search
the hypotheses of one source share its memory.
"""
from collections.abc import Callable
from functools import cache as once
from typing import NamedTuple

import numpy as np

from ...linalg.gemm import Operand, operand, packed
from ...linalg.gradients import add_bias_gradient, weight_gradient_shared
from ...runtime.arena import empty, scratch_arena, zeros as zeros_of
from ...runtime.jit import inlined
from . import dot
from .powers import Powers, no_powers


class ForwardBuffers(NamedTuple):    # what the queries of a sequence read and fill
    W: Operand                 # (H, A), makes a query of a state
    v: np.ndarray              # (A,), of no meaning where the score has none
    scale: float
    hs: np.ndarray             # (T, M, C)
    keys: np.ndarray           # (T, M, A); hs where the score has none
    mask: np.ndarray           # (T, M)
    source: np.ndarray         # (N,), whose memory a row reads
    q: np.ndarray              # (S, N, A)
    alpha: np.ndarray          # (S, N, T)
    powers: Powers             # of the additive score


class BackwardBuffers(NamedTuple):   # their gradients
    WT: np.ndarray             # packed
    dhs: np.ndarray            # (T, N, C), summed over the queries
    dkeys: np.ndarray          # (T, N, A), summed over the queries
    dv: np.ndarray             # (N, A), summed over the queries
    dq: np.ndarray             # (S, N, A)
    de: np.ndarray             # (queries of a block, N, T)
    dctx: np.ndarray           # (queries of a block, N, C)
    dalpha: np.ndarray         # (S, N, T), of what else reads the weights; None if nothing does


class Allocation(NamedTuple):  # the functions that make them, for one Score
    start: Callable
    start_backward: Callable
    add_gradient: Callable


@once
def allocation(score):
    """-> Allocation for this Score."""
    scaled, matrix, keys_of, v_of, powers = score.is_scaled, score.matrix, score.keys, score.v, score.powers
    has_keys, has_v, has_matrix = score.has_keys, score.has_v, score.has_matrix

    @inlined
    def start(arena, p, source, s, S, sources):
        """Params, decoder.EncoderOutput, a state (M, H): -> ForwardBuffers and contexts (S, N, C) for S queries of each
        row; those of row n are to the memory of sources[n]."""
        hs, keys, W, N = source.memory.hs, keys_of(source.memory), matrix(p, s), len(sources)
        (T, _, C), A = hs.shape, W.shape[1]
        scale = dot.scale(s) if scaled else 1.0
        q = empty(arena, (S, N, A), hs.dtype)
        v, mask = v_of(p, q), source.memory.mask
        buffers = ForwardBuffers(operand(scratch_arena(arena), W, N), v, scale, hs, keys, mask, sources, q,
                                 empty(arena, (S, N, T), hs.dtype), powers(arena, keys, mask, v, N))
        return buffers, empty(arena, (S, N, C), hs.dtype)

    @inlined
    def start_backward(arena, of_memory, p, k, dalpha, steps):
        """-> BackwardBuffers with sums at zero, for blocks of so many queries; those of the memory
        in an arena of their own."""
        (_, N, A), (T, _, C), dtype = k.q.shape, k.hs.shape, k.q.dtype
        WT = packed(scratch_arena(arena), matrix(p, k.q[0]).T)
        return BackwardBuffers(WT, zeros_of(of_memory, k.hs.shape, dtype),
                               zeros_of(of_memory, (T, N, A if has_keys else 0), dtype), zeros_of(arena, (N, A), dtype),
                               empty(arena, k.q.shape, dtype), empty(arena, (steps, N, T), dtype),
                               empty(arena, (steps, N, C), dtype), dalpha)

    @inlined
    def add_gradient(g, d, states):
        """g += the gradient of Params through all queries, which were made of `states` (S, N, H)."""
        if has_v:
            N, A = d.dv.shape
            add_bias_gradient(v_of(g, d.dq), d.dv.reshape(1, N, A), 0, A)    # (AB3*)
        if has_matrix:
            weight_gradient_shared(matrix(g, states), states, d.dq)      # (AG1*) (AB2*) (AC2*)
    return Allocation(start, start_backward, add_gradient)


@inlined
def unread(arena, s, sources):
    """The ForwardBuffers of a decoder without attention."""
    none, numbers = empty(arena, (0, 0, 0), s.dtype), empty(arena, (0,), s.dtype)
    mask = empty(arena, (0, 0), np.bool_)
    return ForwardBuffers(Operand(numbers, True), numbers, 1.0, none, none, mask, sources, none, none,
                          no_powers(arena, none, mask, numbers, 0))


@inlined
def no_context(arena, p, source, s, S, sources):
    """Context "init": -> ForwardBuffers and contexts of no numbers, as `start` of a score."""
    return unread(arena, s, sources), empty(arena, (S, len(sources), 0), s.dtype)


@inlined
def same_context(arena, p, source, s, S, sources):
    """Context "every-step": -> ForwardBuffers, the context of each row's source at every step."""
    ctx = empty(arena, (S, len(sources), source.ctx.shape[1]), s.dtype)
    for t in range(S):
        for n in range(len(sources)):
            for j in range(source.ctx.shape[1]):
                ctx[t, n, j] = source.ctx[sources[n], j]
    return unread(arena, s, sources), ctx


@inlined
def nothing_backward(arena, of_memory, p, k, dalpha, steps):
    """The BackwardBuffers of a decoder without attention."""
    none = empty(arena, (0, 0, 0), k.q.dtype)
    return BackwardBuffers(k.W.numbers, none, none, empty(arena, (0, 0), k.q.dtype), none, none, none, dalpha)


@inlined
def no_gradient(g, d, states):
    """Nothing is learned."""


NO_ATTENTION = Allocation(no_context, nothing_backward, no_gradient)
