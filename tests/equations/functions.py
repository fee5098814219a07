"""Maps without parameters, initial values and numerical derivatives: (F), (I), (N)."""
from functools import partial

import numpy as np

from minis2s.core import functions, gradient_check, initializers
from minis2s.documents.formulas.cases.case import Case, fields
from minis2s.testing import oracle

from .unit import Unit

A = np.array([[0.3, -1.2, 2.0, 0.0], [0.8, 0.1, -0.4, 1.5]])
MASK = np.array([[True, True, False, True], [True, True, True, True]])
SQUARE = np.array([[0.6, -1.1, 0.3], [1.7, 0.2, -0.9], [-0.4, 0.8, 1.3]])


def one(forward, backward, answer):
    """A function of rows of numbers: inputs A, output y; answer(row, row of MASK) by the oracle."""
    def ahead(v):
        y = forward(v.a)
        return fields(y=y), y

    def by_oracle(v):
        return fields(y=[answer(row, real) for row, real in zip(v.a.tolist(), MASK.tolist())])
    return Case(fields(a=A), ahead, lambda v, y, d: type(v)(backward(y, d.y)), by_oracle)


def pointwise(f, scalar):
    return one(f.f, lambda y, d: d * f.df(y), lambda row, real: [scalar(a) for a in row])


class Extreme:
    """In place of a random generator: `uniform` gives its upper limit, `normal` gives SQUARE."""

    def uniform(self, low, high, size):
        assert low == -high
        return np.full(size, high)

    def normal(self, size):
        return SQUARE[:size[0], :size[1]]


def glorot():
    return Case(None, lambda v: (fields(bound=initializers.glorot(Extreme(), 3, 4, blocks=2)), None), None,
                lambda v: fields(bound=[[oracle.glorot_bound(3, 4)] * 8] * 3))


def orthogonal():
    return Case(None, lambda v: (fields(Q=initializers.orthogonal(Extreme(), 3)), None), None,
                lambda v: fields(Q=oracle.orthogonal(SQUARE.tolist())))


def smooth(w):
    """A function of one number whose derivative nobody needs to know."""
    return w * w * w / (1 + w * w)


def derivative(name, **h):
    """A numerical derivative of each entry's smooth(w)."""
    def forward(v):
        return fields(g=getattr(gradient_check, name)(lambda w: smooth(w).sum(), A[0], **h)), None
    return Case(None, forward, None, lambda v: fields(g=[getattr(oracle, name)(smooth, w, **h) for w in A[0]]))


UNITS = [
    Unit({"(F1)": "", "(F1*)": ""}, partial(pointwise, functions.SIGMOID, oracle.sigmoid)),
    Unit({"(F2)": "", "(F2*)": ""}, partial(pointwise, functions.TANH, oracle.tanh_)),
    Unit({"(F3)": "", "(F3*)": ""},
         partial(one, lambda a: functions.softmax(a, MASK), functions.softmax_backward, oracle.softmax)),
    Unit({"(F4)": "", "(F4*)": ""},
         partial(one, functions.log_softmax, functions.log_softmax_backward,
                 lambda row, real: oracle.log_softmax(row))),
    Unit({"(I1)": ""}, glorot),
    Unit({"(I2)": ""}, orthogonal),
    Unit({"(N1)": ""}, partial(derivative, "complex_step")),
    Unit({"(N2)": ""}, partial(derivative, "central_difference", h=0.5)),
]
