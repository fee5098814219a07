"""Attention, compiled: a mirror of layers/attention/.  Start with additive.py, then attend.py.

    dot.py general.py additive.py concat_dot.py    what a score alone has: its term, the term's derivative, its weights
    powers.py                                      the additive scores of a query without a tanh for each key
    attend.py                                      one query: softmax of the scores and the weighted sum (A1) (A2)
    keys.py                                        keys of a whole source at once
    buffers.py                                     memory for the queries of a sequence, forward and backward
    score.py                                       what a score consists of
    scaled_dot_product.py multi_head.py            the Transformer's: all queries of a sequence, head after head

A file here may import core/, layers/ and, of the compiled code, runtime/ and linalg/.
"""
from . import additive, concat_dot, dot, general
from .attend import attend_backward_with, attend_with, contexts_backward  # noqa: F401
from .buffers import NO_ATTENTION, BackwardBuffers, ForwardBuffers, allocation, no_context, same_context  # noqa: F401
from .keys import precompute_keys, precompute_keys_backward  # noqa: F401

SCORES = {"dot": dot.DOT, "scaled": dot.SCALED, "general": general.SCORE, "additive": additive.SCORE,
          "concat-dot": concat_dot.SCORE}
