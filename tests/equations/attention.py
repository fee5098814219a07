"""Attention of one query, and the fusion of state and context: (AD), (AG), (AB), (AC), (A), (U)."""
from functools import partial

import scalar_model
from minis2s.documents.formulas.cases.attention import attention
from minis2s.testing import oracle

from .model import compiled_model
from .unit import Unit, drawn


def attend(name, kind):
    """A score, softmax and weighted sum, then a fusion of this kind."""
    def answer(v, s, hs, mask):
        alpha = oracle.attention_weights(scalar_model.score(name, v.p)(s, hs), mask)
        ctx = oracle.context(alpha, hs)
        return scalar_model.fuse(kind, v.fusion, s, ctx), alpha, ctx
    return drawn(attention(name, kind, answer), D=5)()


def scored(name, marks):
    return Unit(marks, partial(attend, name, "none"), partial(compiled_model, f"{name}-before"))


def fused(kind, config, marks):
    return Unit(marks, partial(attend, "dot", kind), partial(compiled_model, config))


UNITS = [
    scored("dot", {"(AD1)": "alpha", "(AD1*)": "s hs"}),
    scored("scaled", {"(AD2)": "alpha", "(AD2*)": "s hs"}),
    scored("general", {"(AG1)": "alpha", "(AG2)": "alpha", "(AG1*)": "p s", "(AG2*)": "p s hs"}),
    scored("additive", {"(AB1)": "alpha", "(AB2)": "alpha", "(AB3)": "alpha",
                        "(AB1*)": "p.W_h hs", "(AB2*)": "p.W_s s", "(AB3*)": "p.v"}),
    scored("concat-dot", {"(AC1)": "alpha", "(AC2)": "alpha", "(AC3)": "alpha",
                          "(AC1*)": "p.W_h hs", "(AC2*)": "p.W_s s", "(AC3*)": "hs"}),
    scored("general", {"(A1)": "alpha", "(A2)": "ctx", "(A1*)": "p s", "(A2*)": "hs"}),
    fused("concat", "dot-before", {"(U1)": "z", "(U1*)": ""}),
    fused("sum", "sum-state-before", {"(U2)": "z", "(U2*)": ""}),
    fused("sigmoid", "sigmoid-state-before", {"(U3)": "z", "(U3*)": ""}),
    fused("tanh", "tanh-state-before", {"(U4)": "z", "(U4*)": ""}),
]
