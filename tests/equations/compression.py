"""Quantisation, pruning, distillation: (QZ), (PR), (KD)."""
from functools import partial
from typing import NamedTuple

import numpy as np

from minis2s.documents.formulas.cases.case import Case, fields
from minis2s.layers import distillation
from minis2s.testing import oracle
from minis2s.training import pruning, quantization

from .unit import Unit

RNG = np.random.default_rng(0)
W = RNG.normal(size=(5, 3))
IDS, MASK = np.array([[0, 4], [4, 1], [2, 4]]), np.array([[True, True], [True, False], [True, False]])
Z, TEACHER = RNG.normal(size=(3, 2, 5)), RNG.normal(size=(3, 2, 5))


class Params(NamedTuple):
    W: np.ndarray
    U: np.ndarray
    b: np.ndarray


def rounded(bits, per):
    """Whole numbers, scales, and what they stand for."""
    def forward(v):
        k = quantization.quantize(v.W, bits, per)
        return fields(q=k.q.astype(float), s=k.s, W=quantization.dequantize(k)), None

    def answer(v):
        columns = [v.W.ravel().tolist()] if per == "tensor" else v.W.T.tolist()
        found = [oracle.quantize(column, bits) for column in columns]
        shape = v.W.shape if per == "tensor" else v.W.T.shape
        q = np.reshape([q for q, _ in found], shape)
        back = np.reshape([oracle.dequantize(q, s) for q, s in found], shape)
        turn = (lambda a: a) if per == "tensor" else np.transpose
        return fields(q=turn(q).tolist(), s=found[0][1] if per == "tensor" else [s for _, s in found],
                      W=turn(back).tolist())
    return Case(fields(W=W), forward, None, answer)


def pruned(scheme):
    """Two matrices of unequal size and scale, and a vector that stays."""
    p = Params(W, 3 * RNG.normal(size=(2, 4)), RNG.normal(size=3))

    def forward(v):
        masks = pruning.masks(v, 0.4, scheme)
        return pruning.apply(v, masks), masks

    def answer(v):
        W, U = oracle.prune([v.W.ravel().tolist(), v.U.ravel().tolist()], 0.4, scheme)
        return Params(np.reshape(W, v.W.shape).tolist(), np.reshape(U, v.U.shape).tolist(), v.b.tolist())
    return Case(p, forward, lambda v, k, d: pruning.apply_backward(k, d), answer)


def distilled(share):
    def forward(v):
        L, k = distillation.forward(v.logits, IDS, MASK, TEACHER, share)
        return fields(L=L), k
    return Case(fields(logits=Z), forward, lambda v, k, d: type(v)(d.L * distillation.backward(k)),
                lambda v: fields(L=oracle.distillation(v.logits.tolist(), TEACHER.tolist(), IDS.tolist(), MASK.tolist(),
                                                       share)))


UNITS = [
    Unit({"(QZ1)": "s", "(QZ2)": "q", "(QZ3)": "W"}, partial(rounded, 3, "channel")),
    Unit({"(QZ4)": ""}, partial(rounded, 1, "tensor")),
    Unit({"(PR1)": "", "(PR2)": "", "(PR3)": "", "(PR3*)": ""}, partial(pruned, "distribution")),
    Unit({"(KD1)": "", "(KD2)": "", "(KD2*)": ""}, partial(distilled, 0.3)),
]
