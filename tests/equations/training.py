"""Clipping, optimizers, schedule of the learning rate: (C), (O), (LR)."""
from functools import partial

import numpy as np

from minis2s.core import tree
from minis2s.documents.formulas.cases.case import Case, fields
from minis2s.kernels.training import optimizers as kernels
from minis2s.layers.linear import Params
from minis2s.testing import oracle
from minis2s.training import optimizers, schedule

from .unit import Unit

RNG, LR, STEPS = np.random.default_rng(0), 0.1, 4
P = Params(RNG.normal(size=(2, 3)), RNG.normal(size=3))
GS = [Params(RNG.normal(size=(2, 3)), RNG.normal(size=3)) for _ in range(STEPS)]


def flat(t):
    return [x for _, a in tree.named(t) for x in a.ravel().tolist()]


def trained(page, name, limit=None, **options):
    """The parameters after each of some steps."""
    p, s, ws = P, optimizers.start(P), []
    for g in GS:
        p, s, *_ = page.step(p, g, s, name, LR, limit, **options)
        ws.append(flat(p))
    return fields(ws=np.array(ws))


def steps(answer, *args, **options):
    """A Case: some steps of an optimizer; answer(w, gs) by the oracle."""
    return Case(None, lambda v: (trained(optimizers, *args, **options), None), None,
                lambda v: fields(ws=answer(flat(P), list(map(flat, GS)))))


def compiled(*args, **options):
    return [(trained(page, *args, **options), None) for page in (kernels, optimizers)]


def updated(marks, answer, *args, **options):
    return Unit(marks, partial(steps, answer, *args, **options), partial(compiled, *args, **options))


def clipped(w, gs):
    return oracle.sgd(w, [oracle.clip_by_global_norm([g], 1.0)[0] for g in gs], LR)


def clip_by_value():
    return Case(None, lambda v: (fields(g=optimizers.clip_by_value(P, 0.5)), None), None,
                lambda v: fields(g=Params(*(np.reshape(a, b.shape) for a, b in zip(
                    oracle.clip_by_value([a.ravel().tolist() for a in P], 0.5), P)))))


def scheduled(name, scalar):
    """What the learning rate is multiplied by during warm-up and after it."""
    steps = range(1, 12)
    return Case(None, lambda v: (fields(factor=np.array([schedule.factor(name, 5, t) for t in steps])), None), None,
                lambda v: fields(factor=[scalar(t, 5) for t in steps]))


UNITS = [
    updated({"(O1)": ""}, lambda w, gs: oracle.sgd(w, gs, LR), "sgd"),
    updated({"(O2)": ""}, lambda w, gs: oracle.momentum(w, gs, LR, 0.9), "sgd", momentum=0.9),
    updated({"(O3)": "", "(O4)": ""}, lambda w, gs: oracle.rmsprop(w, gs, LR, 0.9, 1e-8), "rmsprop"),
    updated({"(O5)": "", "(O6)": ""}, lambda w, gs: oracle.adam(w, gs, LR, 0.9, 0.999, 1e-8), "adam"),
    updated({"(C1)": ""}, clipped, "sgd", 1.0),
    Unit({"(C2)": ""}, clip_by_value),
    Unit({"(LR1)": ""}, partial(scheduled, "constant", oracle.warmed_up)),
    Unit({"(LR2)": ""}, partial(scheduled, "inverse-sqrt", oracle.inverse_sqrt)),
]
