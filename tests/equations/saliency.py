"""Gradient times input, and occlusion: (SL)."""
from functools import partial

import numpy as np

import kernel_models
import scalar_model
from minis2s.core.gradient_check import complex_step
from minis2s.data.batches import make_batch
from minis2s.data.vocabulary import UNK
from minis2s.documents.formulas.cases.case import Case, fields
from minis2s.model import saliency, seq2seq
from minis2s.testing import oracle

from .unit import Unit

X, Y = [4, 6, 4], [5, 4]                                        # a source token that stands twice


def logits_of(p, config, x):
    """S lists of V logits, by the oracle."""
    return scalar_model.model(p, config, make_batch([x], [Y], config.reverse_source), 0)


def derivatives(p, config):
    """(S, T, E): of every written token's logit by the embedding of every source position, by the complex step."""
    targets = [*Y, 2]
    rows = p.encoder.embedding[X]

    def logit(xs, t):
        V = len(p.encoder.embedding)
        batch = make_batch([X], [Y])
        own = p._replace(encoder=p.encoder._replace(embedding=np.concatenate([p.encoder.embedding, xs])))
        source = np.arange(V, V + len(X))[:, None]
        from dataclasses import replace
        c = replace(config, source_vocab=V + len(X))
        return seq2seq.logits(own, c, batch._replace(source=source))[t, 0, targets[t]]
    return np.stack([complex_step(lambda xs, t=t: logit(xs, t), rows) for t in range(len(targets))])


def salient(config):
    case = kernel_models.Case(config, "float64")
    c, targets = case.config, [*Y, 2]

    def forward(p):
        return fields(r=saliency.gradient_times_input(p, c, X, Y), f=saliency.occlusion(p, c, X, Y)), None

    def answer(p):
        d, rows = derivatives(p, c), p.encoder.embedding[X]
        r = [[oracle.gradient_times_input(rows[i].tolist(), d[t, i].tolist()) for i in range(len(X))]
             for t in range(len(targets))]
        whole = logits_of(p, c, X)
        without = [logits_of(p, c, [UNK if i == j else token for j, token in enumerate(X)]) for i in range(len(X))]
        f = [[oracle.occlusion(whole[t], without[i][t], token) for i in range(len(X))]
             for t, token in enumerate(targets)]
        return fields(r=r, f=f)
    return Case(case.p, forward, None, answer)


UNITS = [Unit({"(SL1)": "r", "(SL2)": "f"}, partial(salient, "feeding-tanh-before"))]
