"""One tiny example of each formula, line by line, to be followed with a pocket calculator.

Every result that the library's functions return is taken from them; what stands between (a sum, an inner
gradient) is written out and leads to such a result.  The gradient that comes in is 1, or that of -log p.
"""
from .attention import additive_score, attention_sigmoid, attention_sum, b4_2a, context    # noqa: F401
from .cells import (    # noqa: F401
    b4_2d, b4_2e, c3_1g, free_running, gru, lstm, rnn_sequence, rnn_sigmoid_step, rnn_tanh, tied)
from .decoders import a4_2, b4_1, c2_2, c4_1d, d3_5, readout    # noqa: F401
from .example_a4_4 import a4_4    # noqa: F401
from .losses import clipping, one_hot_loss, sparse_loss    # noqa: F401
