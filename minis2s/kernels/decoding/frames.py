"""Compiled implementation of frames.py: all steps are one compiled call, and read the states of one step.

          at [0]                                         at [1]
    ┌─> states ── step ──> r ── W, b ──> frames, stop, and states after the step ──┐
    └──────────────────── the last frame is fed on <───────────────────────────────┘

A thread takes some of the sources through all steps, until each of them has said stop.
"""
from functools import cache as once

import numpy as np
from numpy import ascontiguousarray as contiguous

from ...decoding.frames import Written, check
from ...layers import frame_output
from ...layers.cells import CELLS
from ...model import seq2seq
from ..linalg.rows import copy
from ..model import decoder_buffers, encoder
from ..model.decoder_buffers import key_of, variant_of, work_of, z_size_of
from ..model.decoder_outputs import read_out
from ..model.decoder_step import steps
from ..model.seq2seq import encode, of_source, steps_of
from ..model.validated import validated
from ..runtime.arena import copied, empty, in_an_arena
from ..runtime.jit import arena_kernel, device_function, internal_kernel
from ..runtime.linking import call_linked
from ..runtime.threads import over_rows
from .hypotheses import take, without_gaps


def write(p, config, source, mask, max_steps):
    """See decoding.frames.write."""
    check(config, source, mask, max_steps)
    p, (T, N) = seq2seq.untie(validated(p, config), config), source.shape[:2]
    attends, search = config.context == "attention", writer_of(config)
    out = np.empty((max_steps, N, config.output_size), config.dtype)
    alpha = np.empty((max_steps if attends else 0, N, T), config.dtype)
    ended = np.full(N, max_steps)                               # the number of steps, the stop's counted
    if encoder.covers(config):
        none = np.zeros((0, 0), config.dtype)
        in_an_arena(search, p, steps_of(config, source), contiguous(mask), (none,) * config.layers, out, alpha, ended)
    else:
        encoded, layers, _ = encode(p, config, source, mask)
        in_an_arena(search, p.decoder, *without_gaps(encoded, layers), out, alpha, ended)

    def one(n):
        steps = int(ended[n])
        said, a = frame_output.split(out[:steps, n], config.frames_per_step)
        weights = alpha[:steps, n, :np.count_nonzero(mask[:, n])].copy() if attends else None
        return Written(said.reshape(-1, config.target_frame_size).copy(), weights, bool(a[-1] > 0))
    return [one(n) for n in range(N)]


def writer_of(config):
    """The compiled steps for a Config."""
    variant = variant_of(config, False, False)
    return writer(variant, config.bridge, encoder.source_of(config)) if encoder.covers(config) else writer(variant)


def run_of(c):
    """-> the steps of sources n0 .. n1-1, which one thread does."""
    step, z_size, attends, feeding = steps(c), z_size_of(c), bool(c.score), c.feeding
    has_c = "c" in CELLS[c.cell_name].State._fields

    @device_function
    def go_on(k, z, said, n):
        """Row n begins its next step where this one has come to, and is fed the last frame of what it said."""
        F = k.ids.shape[2]
        for i in range(len(k.cells)):
            take(k.cells[i].hs, n, n)
            if has_c:
                take(k.cells[i].cs, n, n)
        if feeding:
            for j in range(z_size(k)):
                z[n, j] = k.rs[0, n, j]
        for j in range(F):
            k.ids[0, n, j] = said[len(said) - 1 - F + j]

    @internal_kernel(f"frames.run.{key_of(c)}")
    def run(k, z, out, alpha, ended, n0, n1):
        last, going, t = out.shape[2] - 1, True, 0
        while going and t < len(out):
            step(k, np.int64(0), z[:, :], n0, n1)               # of the very types that decoder.py calls it with
            read_out(k.rs[0], k.W, k.b, out[t], n0, n1)
            if attends:
                copy(alpha[t], k.attend.alpha[0], n0, n1)
            going = False
            for n in range(n0, n1):
                if ended[n] == len(out) and out[t, n, last] > 0:
                    ended[n] = t + 1
                going = going or ended[n] == len(out)
                go_on(k, z, out[t, n], n)
            t += 1
    return run


@once
def writer(c, bridge=None, kind="tokens"):
    """-> all steps of this decoder_buffers.Variant, and before them the encoder if its kind of bridge is given, which
    reads this kind of source."""
    start, run = decoder_buffers.starts(c), run_of(c)

    @device_function
    def all_steps(arena, p, source, layers, out, alpha, ended):
        N, none, nobody = len(layers[0].h), empty(arena, (0, 0), out.dtype), empty(arena, (0, 0), np.bool_)
        sources = empty(arena, (N,), np.int64)
        for n in range(N):
            sources[n] = n
        k = start(arena, p, source, layers, 1, sources, nobody, (none,), none, N)
        for n in range(N):
            for j in range(k.ids.shape[2]):
                k.ids[0, n, j] = 0                              # y_0
        over_rows(run, (k, copied(arena, k.z_0), out, alpha, ended), N, len(out) * work_of(k))
    if bridge is None:
        return arena_kernel(f"frames.{key_of(c)}", loops=False)(all_steps)
    encode = encoder.loops(c, bridge, kind).forward

    @arena_kernel(f"frames.{key_of((*c, bridge, *of_source(kind)))}", loops=False)
    def encode_and_write(arena, p, steps, mask, masks, out, alpha, ended):
        _, encoder_output, s0 = call_linked(encode, (arena, p, steps, mask, masks))
        all_steps(arena, p.decoder, encoder_output, s0, out, alpha, ended)
    return encode_and_write
