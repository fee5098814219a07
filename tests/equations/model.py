"""The decoder and the whole model: (D), (S)."""
from functools import partial

import numpy as np

import kernel_models
import scalar_model
from minis2s.documents.formulas.cases.case import Case, fields
from minis2s.model import seq2seq
from minis2s.testing import oracle

from .unit import Unit

FEW = (3, 1), (1, 2)                # lengths of sources, of targets


def compiled_model(config):
    """Loss, logits and the gradient of every parameter, by the compiled implementation and by the reference."""
    case = kernel_models.Case(config, "float64")
    both = []
    for backend in ("numba", "numpy"):
        _, L, logits, gradient = case.run(backend)
        both.append((fields(L=L, logits=logits), gradient))
    return both


def whole(config):
    """A model of this Config: logits and loss."""
    case = kernel_models.Case(config, "float64", lengths=FEW)
    c, batch, drops = case.config, case.batch, case.drops
    N = batch.inputs.shape[1]

    def forward(p):
        L, logits, k = seq2seq.forward(p, c, batch, None, drops)
        return fields(L=L, logits=logits), k

    def answer(p):
        p = seq2seq.untie(p, c)
        examples = [(scalar_model.oracle_model(p, c, n, drops), *column(batch, n)) for n in range(N)]
        L = oracle.batch_loss(examples, c.label_smoothing, [0.0] * c.fused_size)
        logits = [scalar_model.model(p, c, batch, n, drops=drops) for n in range(N)]
        return fields(L=L, logits=[list(step) for step in zip(*logits)])
    return Case(case.p, forward, lambda p, k, d: gradient(p, c, k, d), answer, silent=("logits",))


def gradient(p, config, k, d):
    """seq2seq.backward differentiates L, not d L."""
    from minis2s.core import tree
    return tree.map(lambda g: d.L * g, seq2seq.backward(p, config, k))


def column(batch, n):
    """Example n of a batch as lists: source, its mask, inputs, targets, their mask."""
    return [np.asarray(a)[:, n].tolist() for a in
            (batch.source, batch.source_mask, batch.inputs, batch.targets, batch.target_mask)]


def unit(config, marks):
    return Unit(marks, partial(whole, config), partial(compiled_model, config))


UNITS = [
    unit("feeding-tanh-before", {"(D1)": "", "(D2)": "", "(D3)": "", "(D5)": "", "(D7)": "",
                                 "(D1*)": "", "(D2*)": "", "(D3*)": "", "(D5*)": "", "(D7*)": ""}),
    unit("sum-state-context-after", {"(D4)": "", "(D6)": "", "(D4*)": "", "(D6*)": ""}),
    unit("two-ways-additive", {"(S1)": "", "(S2)": "", "(S3)": "", "(S4)": "", "(S5)": "L",
                               "(S1*)": "encoder", "(S2*)": "encoder", "(S3*)": "", "(S4*)": "", "(S5*)": ""}),
    Unit({"(RC1)": "", "(RC1*)": ""}, partial(whole, "residual-before")),
]
