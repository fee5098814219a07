"""The equations once more in plain Python: numbers, lists and loops; no arrays, no batch, no speed.

This package is the project's independent witness.  It imports nothing but `math`, nothing from the library, and runs
on any Python; tests and `minis2s formulas` compare the library's results with it.  Its files have the names of the
library's folders and files: functions (F), cells (R, L, G, GA), unroll (M), attention (A), layers (E, Y, DR, U),
copying (CP), loss (X), frame_output (FO), compression (QZ, PR, KD), saliency (SL), model (B, D, S), training (O, C),
decoding, initializers (I), gradient_check (N), and documents, with the formulas of the five documents as intended
and, where the documents have slips, *as printed*.  Start with cells.py.

How to read it
    vectors    are lists of floats, written as rows: the documents' W x is x W here
    matrices   are lists of rows: W[d][j] leads from input d to output j
    gates      W, U, b of a gated cell are dicts from the gate's letter to its own block: W["f"][d][j]
    states     are lists (RNN, GRU: h) or tuples (LSTM: (h, c)); a prime in a formula marks step t-1
    masks      are lists of bool, True = real; None means that all is real
    cells      are functions cell(x, state) that return the new state, for example
               lambda x, h: rnn_step(W, U, b, x, h)    or    lambda x, s: lstm_step(W, U, b, x, *s)
    indices    start at 0 where the formulas start at 1
    marks      such as (L4) are names of equations; each stands on the line that computes its equation
    rows       such as A3.1 are formulas of the documents; the function of A3.1 is a3_1

There are no derivatives here: those are checked by the complex step, which differentiates the library's forward pass.
"""
from .vectors import pairs, dot, times, add, mul, concat, each, argmax, h_of    # noqa: F401
from .functions import sigmoid, tanh_, softmax, log_softmax    # noqa: F401
from .initializers import glorot_bound, orthogonal    # noqa: F401
from .gradient_check import complex_step, central_difference    # noqa: F401
from .cells import (    # noqa: F401
    rnn_step, lstm_gates, lstm_step, gru_gates, gru_step, gru_after_gates, gru_after_step)
from .unroll import unroll, reverse_real, bidirectional    # noqa: F401
from .attention import (    # noqa: F401
    score_dot, score_scaled_dot, score_general, score_additive, score_concat_dot, attention_weights,
    context)
from .layers import embed, frame_input, linear, dropout, fuse_concat, fuse_add, fuse_sigmoid, fuse_tanh    # noqa: F401
from .copying import copy_gate, copies, mixed    # noqa: F401
from .loss import target_distribution, cross_entropy    # noqa: F401
from .frame_output import split_step, frame_error, stop_error, frames_loss    # noqa: F401
from .model import bridge, encode, decoder_step, seq2seq, batch_loss    # noqa: F401
from .training import (    # noqa: F401
    sgd, momentum, rmsprop, adam, warmed_up, inverse_sqrt, global_norm, clip_by_global_norm, clip_by_value)
from .compression import quantize, dequantize, prune, distillation    # noqa: F401
from .decoding import greedy, all_outputs, best_output, exhaustive, beam_search    # noqa: F401
from .saliency import gradient_times_input, occlusion    # noqa: F401
from .documents.a import a3_1, a3_2, a3_3, a4_1, a4_2, a4_2_printed, a4_3, a4_4    # noqa: F401
from .documents.b import (    # noqa: F401
    b4_1, b4_1l, b4_2e, b4_2e_printed, printed_state, b4_2d, b4_2d_printed, b4_2a, b4_2a_printed, b4_2o)
from .documents.c import (    # noqa: F401
    c2_1, c2_2, c2_2_printed, c3_1l, c3_1g, c3_1g_after, c3_1g_printed, c4_1d, c3_3c)
from .documents.d import (    # noqa: F401
    d3_1, d3_2, d3_2_printed, d3_3, d3_3_printed, d3_3_printed_over_t, d3_4, d3_5, d3_s)
from .documents.e import e3_3    # noqa: F401
