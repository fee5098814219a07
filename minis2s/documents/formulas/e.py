"""The formula of document E: the loss."""

from . import cases, steps
from .entry import Form, Formula

FORMULAS = (
    Formula(
        id="E3.3",
        where="E §3.3",
        name="sparse cross-entropy",
        brief="L = −Σ_t log p(y_t | y_{<t}, x)",
        printed="L = −Σ_{t=1..T} log p(y_t | y_{<t}, x)",
        latex=r"\mathcal{L} = -\sum_{t=1}^{T} \log p(y_t|y_{<t}, x)",
        symbols={"y_t": "target ids (S, N); the document's T is the output's length",
                 "p": "softmax of the logits (S, N, V)", "M": "number of real tokens",
                 "q": "in the code, the target as a distribution: 1 for the right word"},
        forms=(
            Form("as printed", ("minis2s.layers.loss:forward", "minis2s.core.functions:log_softmax"),
                 ("minis2s.layers.loss:backward",), ("X1", "X3", "F4"), cases.e3_3),
        ),
        steps=steps.sparse_loss,
        slip=(
            "Nothing is wrong.  It is B4.1L with y_t given as a number in place of a one-hot vector.  The"
            " library divides the sum by M."
        ),
    ),
)
