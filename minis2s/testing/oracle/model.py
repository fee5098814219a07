"""The whole model, one example: encoder, bridge, decoder, loss.  See minis2s/model/.

A model is a dict:
    residual       True: a path around every layer but the first
    encoder        {"embedding": V x E, or for frames (W, b), "layers": functions (xs, mask) -> (hs, final state)}
    bridge         function: the layers' final states -> the decoder's first states, one for each layer
    attention      function (s, hs, mask) -> ctx, or None
    every_step     True: the context is the encoder's last h, the same at every step
    order          "before" or "after": when attention is computed, before the cell or after it
    in_cell        True: the cell's input contains the context
    feeding        True: the cell's input contains the fused state of the step before
    decoder        {"embedding": V x E, or for frames (W, b), "cells": list of cells (x, state) -> state}
    fuse           function (s, ctx) -> z
    frame_size     F where the target is frames, else None: then "logits" are r frames and the score of the stop
    read_context   True: the readout sees [z; ctx], otherwise z
    readout        (W, b)
    drop_output    dropout mask of the readout's input, or None
"""
from .frame_output import frames_loss
from .functions import tanh_
from .layers import dropout, embed, frame_input, linear
from .loss import cross_entropy
from .vectors import add, argmax, concat, each, h_of, times


def bridge(W, b, h):
    """(B1) s_0 = tanh(h W + b): from the encoder's last state to the decoder's first."""
    return each(tanh_, add(times(h, W), b))                                            # (B1)


def read_in(E, x):
    """What a side reads at a step, made into numbers: a token, or a frame where E is (W, b).

    (E1) x_i = E[id_i]
    (E2) x_i = f_i W + b of a frame
    """
    if isinstance(E, tuple):
        return frame_input(*E, x)                                                      # (E2)
    return embed(E, x)                                                                 # (E1)


def encode(m, ids, mask=None):
    """The source, read once: T token ids, or frames -> hs (T states), the layers' final states.

    x_i is what is read at step i; then layer by layer h_i = cell(x_i, h_{i-1})
    (RC1) y = h + x around each layer but the first, where the model has such paths
    """
    hs, finals = [read_in(m["encoder"]["embedding"], x) for x in ids], []
    for layer in m["encoder"]["layers"]:
        ys, final = layer(hs, mask)
        hs = [add(y, h) for y, h in zip(ys, hs)] if m["residual"] and finals else ys   # (RC1)
        finals.append(final)
    return hs, finals


def decoder_step(m, attend, y_prev, states, ctx, z_prev):
    """One step of the decoder: token y_{t-1}, states of t-1 -> logits, states, z, ctx.

    (D1) ctx = attend(s_{t-1})            order "before"
    (D2) x = [E[y_{t-1}]; ctx; z_{t-1}]   the context and z_{t-1} where the model has them in the cell's input
    (D3) s_t = cell(x, s_{t-1})           layer by layer
    (RC1) y = s_t + x                     around each layer but the first, where the model has such paths
    (D4) ctx = attend(s_t)                order "after"
    (D5) z_t = fuse(s_t, ctx)
    (D6) r_t = z_t, or [z_t; ctx]
    (D7) logits = r_t W + b
    """
    if attend and m["order"] == "before":
        ctx = attend(h_of(states[-1]))                                                 # (D1)
    x = read_in(m["decoder"]["embedding"], y_prev)                                     # (D2)
    x = concat(x, ctx) if m["in_cell"] else x                                          # (D2)
    x = concat(x, z_prev) if m["feeding"] else x                                       # (D2)
    new = []
    for cell, state in zip(m["decoder"]["cells"], states):
        new.append(cell(x, state))                                                     # (D3)
        x = add(h_of(new[-1]), x) if m["residual"] and len(new) > 1 else h_of(new[-1])    # (RC1)
    if attend and m["order"] == "after":
        ctx = attend(x)                                                                # (D4)
    z = m["fuse"](x, ctx)                                                              # (D5)
    r = concat(z, ctx) if m["read_context"] else z                                     # (D6)
    r = dropout(r, m["drop_output"]) if m["drop_output"] else r
    W, b = m["readout"]
    return linear(W, b, r), new, z, ctx                                                # (D7)


def seq2seq(m, source, inputs, mask=None, teacher=None, z_0=None):
    """Logits of all S steps: T source ids, S input ids (BOS y_1 ... y_{S-1}) -> S lists of V logits.

    (S1) hs, finals = encode(source)
    (S2) s_0 = bridge(finals)
    (S3) what the decoder can read of the source: hs through attention, or the last h at every step
    (S4) logits = decoder(s_0, inputs)

    teacher has S entries; where it is False, the step receives the model's own token or frame of the step before.
    """
    hs, finals = encode(m, source, mask)                                               # (S1)
    states = m["bridge"](finals)                                                       # (S2)
    ctx = h_of(finals[-1]) if m["every_step"] else None                                # (S3)
    attend = (lambda s: m["attention"](s, hs, mask)) if m["attention"] else None       # (S3)
    logits, z = [], z_0
    for t in range(len(inputs)):
        own = t > 0 and teacher is not None and not teacher[t]
        y = own_output(logits[-1], m["frame_size"]) if own else inputs[t]
        step, states, z, ctx = decoder_step(m, attend, y, states, ctx, z)              # (S4)
        logits.append(step)
    return logits


def own_output(out, F=None):
    """What the next step is fed: the most probable token, or the last of the step's frames of F numbers."""
    return argmax(out) if F is None else out[-F - 1:-1]


def batch_loss(batch, eps=0.0, z_0=None, frame_error=None):
    """Loss of a batch for each real target token.

    (S5) L = cross_entropy(logits, targets), or of frames frames_loss(logits, targets)

    batch is a list with, for each example, the model (with the example's dropout masks), the source ids and their mask,
    the S inputs, the S targets and their mask.
    """
    logits = [seq2seq(m, source, inputs, mask, z_0=z_0) for m, source, mask, inputs, _, _ in batch]
    S = range(len(logits[0]))
    by_step = [[one[t] for one in logits] for t in S]
    targets, real = [[[example[k][t] for example in batch] for t in S] for k in (4, 5)]
    if frame_error:
        return frames_loss(by_step, targets, real, frame_error)                        # (S5)
    return cross_entropy(by_step, targets, real, eps)                                  # (S5)
