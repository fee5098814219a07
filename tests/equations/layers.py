"""Embedding, linear layer, dropout, bridge and loss: (E), (Y), (DR), (B), (X), (FO)."""
from functools import partial

import numpy as np

import scalar_model
from minis2s.data.batches import target_frames
from minis2s.documents.formulas.cases.case import Case, fields
from minis2s.kernels.layers import copying as kernels
from minis2s.layers import copying, dropout, embedding, frame_input, frame_output, linear, loss
from minis2s.layers.cells import lstm
from minis2s.model import bridge
from minis2s.testing import oracle

from .model import compiled_model
from .transformer import PRE as TRANSFORMER
from .unit import Unit

RNG = np.random.default_rng(0)
X, IDS, E = RNG.normal(size=(3, 2, 4)), np.array([[0, 4], [4, 1], [2, 4]]), RNG.normal(size=(5, 3))
M = dropout.draw(np.random.default_rng(1), 0.5, (2, 4), "float64")
LINEAR = linear.Params(RNG.normal(size=(4, 3)), RNG.normal(size=3))
MASK = np.array([[True, True], [True, False], [True, False]])


def rows(a, f):
    """f of every row of an array (T, N, ...), as lists."""
    return [[f(t, n) for n in range(a.shape[1])] for t in range(a.shape[0])]


def embed():
    return Case(fields(E=E), lambda v: (fields(x=embedding.forward(v.E, IDS)), None),
                lambda v, k, d: type(v)(embedding.backward(v.E, IDS, d.x)),
                lambda v: fields(x=rows(IDS, lambda t, n: oracle.embed(v.E.tolist(), IDS[t, n]))))


def frames():
    """The gradient of the frames as well, though training has no use for it."""
    p = frame_input.Params(*LINEAR)

    def backward(v, k, d):
        dfs, g = frame_input.backward(v.p, v.fs, d.xs)
        return type(v)(g, dfs)
    return Case(fields(p=p, fs=X), lambda v: (fields(xs=frame_input.forward(v.p, v.fs)), None), backward,
                lambda v: fields(xs=rows(
                    X, lambda t, n: oracle.frame_input(*scalar_model.lists(v.p), v.fs[t, n].tolist()))))


def product():
    def backward(v, k, d):
        dx, g = linear.backward(v.p, v.x, d.y)
        return type(v)(g, dx)
    return Case(fields(p=LINEAR, x=X), lambda v: (fields(y=linear.forward(v.p, v.x)), None), backward,
                lambda v: fields(y=rows(X, lambda t, n: oracle.linear(*scalar_model.lists(v.p), v.x[t, n].tolist()))))


def drop():
    return Case(fields(x=X), lambda v: (fields(y=dropout.forward(v.x, M)), None),
                lambda v, k, d: type(v)(dropout.backward(d.y, M)),
                lambda v: fields(y=rows(X, lambda t, n: oracle.dropout(v.x[t, n].tolist(), M[n].tolist()))))


def dense_bridge():
    """One layer of LSTM states: h and c each have a map of their own."""
    p = (lstm.State(LINEAR, linear.Params(-LINEAR.W, LINEAR.b)),)

    def forward(v):
        (s,), k = bridge.forward(v.p, "dense", (v.s,))
        return fields(s=s), k

    def backward(v, k, d):
        (ds,), g = bridge.backward(v.p, "dense", k, (d.s,))
        return type(v)(g, ds)

    def answer(v):
        return fields(s=lstm.State(*([oracle.bridge(*scalar_model.lists(q), row.tolist()) for row in a]
                                     for q, a in zip(v.p[0], v.s))))
    return Case(fields(p=p, s=lstm.State(X[0], X[1])), forward, backward, answer)


def cross_entropy(eps):
    targets = IDS % 4

    def forward(v):
        L, k = loss.forward(v.logits, targets, MASK, eps)
        return fields(L=L), k
    return Case(fields(logits=X), forward, lambda v, k, d: type(v)(d.L * loss.backward(k)),
                lambda v: fields(L=oracle.cross_entropy(v.logits.tolist(), targets.tolist(), MASK.tolist(), eps)))


def frames_loss(error):
    """Three examples, two frames a step: the last step of two of them has one frame."""
    _, targets, mask = target_frames([RNG.normal(size=(T, 3)) for T in (4, 1, 3)], 2, "float64")
    out = np.random.default_rng(2).normal(size=(*mask.shape[:2], 7))

    def forward(v):
        L, k = frame_output.forward(v.out, targets, mask, error)
        return fields(L=L), k
    return Case(fields(out=out), forward, lambda v, k, d: type(v)(d.L * frame_output.backward(k)),
                lambda v: fields(L=oracle.frames_loss(v.out.tolist(), targets.tolist(), mask.tolist(), error)))


def copy(page=copying):
    """Words outside the vocabulary, and twice in a source."""
    ids = np.array([[5, 1], [6, 5], [5, 2], [3, 0]])
    alpha = np.array([[.4, .3, .2, .1], [.5, .2, .2, .1]]).T
    logits = np.random.default_rng(3).normal(size=(3, 2, 5))

    def forward(v):
        log_p, k = page.forward(v.p, v.r, v.logits, v.alpha, ids)
        return fields(p=np.exp(log_p)), (k, log_p)

    def backward(v, k, d):
        k, log_p = k
        dr, dlogits, dalpha, g = page.backward(v.p, k, d.p * np.exp(log_p))
        return type(v)(g, dr, dlogits, dalpha)

    def one(v, t, n):
        a = oracle.copy_gate(*scalar_model.lists(v.p), v.r[t, n].tolist())
        c = oracle.copies(v.alpha[t, :, n].tolist(), ids[:, n].tolist(), 7)
        return np.exp(oracle.mixed(v.logits[t, n].tolist(), c, a)).tolist()
    p = linear.Params(LINEAR.W[:, :1], LINEAR.b[:1])
    return Case(fields(p=p, r=X, logits=logits, alpha=np.stack([alpha, alpha[::-1], alpha ** 2])), forward, backward,
                lambda v: fields(p=rows(v.r, lambda t, n: one(v, t, n))))


def compiled_copy():
    """Probabilities of all words and gradients, by the compiled implementation and by the reference."""
    both = []
    for page in (kernels, copying):
        case = copy(page)
        outputs, k = case.forward(case.inputs)
        both.append((outputs, case.backward(case.inputs, k, type(outputs)(np.cos(outputs.p)))))
    return both


UNITS = [
    Unit({"(CP1)": "", "(CP2)": "", "(CP3)": "", "(CP1*)": "p r", "(CP2*)": "alpha", "(CP3*)": "logits"}, copy,
         compiled_copy),
    Unit({"(E1)": "", "(E1*)": ""}, embed, partial(compiled_model, "plain-gru")),
    Unit({"(E2)": "", "(E2*)": ""}, frames, partial(compiled_model, "frames")),
    Unit({"(FO1)": "", "(FO2)": "", "(FO3)": "", "(FO1*)": "", "(FO2*)": "", "(FO3*)": ""},
         partial(frames_loss, "absolute"), partial(compiled_model, "spoken-plain")),
    Unit({"(Y1)": "", "(Y1*)": ""}, product, TRANSFORMER),
    Unit({"(DR1)": "", "(DR1*)": ""}, drop, partial(compiled_model, "dropout")),
    Unit({"(B1)": "", "(B1*)": ""}, dense_bridge),
    Unit({"(X1)": "", "(X2)": "", "(X3)": "", "(X1*)": "", "(X3*)": ""}, partial(cross_entropy, 0.2),
         partial(compiled_model, "smoothing")),
]
