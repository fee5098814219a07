"""The parts of the Transformer: (LN), (FF), (FR), (FG), (PE), (SA), (MH), (RS), (TS), (TE), (TD), (TM)."""
from functools import partial

import numpy as np

import kernel_transformers
import scalar_transformer
from configs import TRANSFORMERS
from draw import batch, like, mask
from minis2s.core import tree
from minis2s.documents.formulas.cases.case import Case, fields
from minis2s.layers import feed_forward, layer_norm, linear, positions, residual
from minis2s.layers.attention import multi_head, scaled_dot_product
from minis2s.model import transformer
from minis2s.testing.oracle import linear as oracle_linear, transformer as oracle
from minis2s.testing.oracle.transformer_model import transformer_loss
from scalar_model import lists

from .unit import Unit

T, N, D, HEADS = 4, 2, 6, 3
X, P = np.random.default_rng(0).normal(size=(T, N, D)), np.random.default_rng(1).normal(size=(T, D))
MASK = mask((4, 2))


def rng():
    return np.random.default_rng(2)


def each_row(f, xs):
    """f of every row (t, n)."""
    return [[f(x.tolist()) for x in row] for row in xs]


def each_sequence(f):
    """f(n) -> T rows, for every example; time first."""
    return [list(step) for step in zip(*(f(n) for n in range(N)))]


def normed():
    def forward(v):
        y, k = layer_norm.forward(v.p, v.x)
        return fields(y=y), k

    def backward(v, k, d):
        dx, g = layer_norm.backward(v.p, k, d.y)
        return type(v)(g, dx)
    return Case(fields(p=like(rng(), layer_norm.init(D)), x=X), forward, backward,
                lambda v: fields(y=each_row(lambda x: oracle.layer_norm(*lists(v.p), x), v.x)))


def fed_forward(phi):
    def forward(v):
        y, k = feed_forward.forward(v.p, phi, v.x)
        return fields(y=y), k

    def backward(v, k, d):
        dx, g = feed_forward.backward(v.p, phi, k, d.y)
        return type(v)(g, dx)
    return Case(fields(p=like(rng(), feed_forward.init(rng(), D, 5)), x=X), forward, backward,
                lambda v: fields(y=each_row(
                    lambda x: oracle.feed_forward(*lists(v.p.hidden), *lists(v.p.out), x, phi), v.x)))


def placed(learned):
    def backward(v, k, d):
        dx, table = positions.backward(v.table, d.y)
        return type(v)(table, dx)

    def answer(v):
        def row(i):
            return oracle.sinusoid(i, D) if v.table is None else v.table[i].tolist()
        return fields(y=each_sequence(lambda n: [oracle.placed(v.x[i, n].tolist(), row(i)) for i in range(T)]))
    return Case(fields(table=P if learned else None, x=X),
                lambda v: (fields(y=positions.forward(v.table, v.x)), None), backward, answer)


def attended(causal):
    """Multi-head self-attention."""
    def forward(v):
        visible = scaled_dot_product.see_past(T, T) if causal else scaled_dot_product.see_real(MASK)
        kv = multi_head.keys_values(v.p, HEADS, v.y)
        z, k = multi_head.attend(v.p, HEADS, v.x, kv, visible)
        return fields(z=z, alpha=k.heads.alpha), k

    def backward(v, k, d):
        dx, dkv, g = multi_head.attend_backward(v.p, HEADS, k, d.z)
        dy, g_kv = multi_head.keys_values_backward(v.p, v.y, dkv)
        return type(v)(tree.add(g, g_kv), dx, dy)

    def answer(v):
        seen = [oracle.see_past if causal else oracle.see_real(MASK[:, n].tolist()) for n in range(N)]
        found = [oracle.multi_head(*lists(v.p.q), v.p.k.tolist(), *lists(v.p.v), *lists(v.p.o), HEADS,
                                   v.x[:, n].tolist(), v.y[:, n].tolist(), seen[n]) for n in range(N)]
        return fields(z=each_sequence(lambda n: found[n][0]), alpha=[alphas for _, alphas in found])
    return Case(fields(p=like(rng(), multi_head.init(rng(), D)), x=X, y=X[::-1]), forward, backward, answer,
                silent=("alpha",))


def around(norm):
    """A residual connection around a linear layer."""
    def forward(v):
        u, k_in = residual.branch(v.p, norm, v.x)
        y, k_out = residual.join(v.p, norm, v.x, linear.forward(v.q, u))
        return fields(y=y), (u, k_in, k_out)

    def backward(v, k, d):
        u, k_in, k_out = k
        dx, dz, g = residual.join_backward(v.p, norm, k_out, d.y)
        du, dq = linear.backward(v.q, u, dz)
        dx, dp = residual.branch_backward(v.p, norm, k_in, dx, du, g)
        return type(v)(dp, dq, dx)

    def answer(v):
        def inner(us):
            return [oracle_linear(*lists(v.q), u) for u in us]
        return fields(y=each_sequence(lambda n: oracle.residual(norm, *lists(v.p), v.x[:, n].tolist(), inner)))
    p, q = like(rng(), (layer_norm.init(D), linear.init(rng(), D, D)))
    return Case(fields(p=p, q=q, x=X), forward, backward, answer)


def whole(name):
    """A Transformer of this Config: logits and loss."""
    c, few = TRANSFORMERS[name], np.random.default_rng(0)
    p = like(few, transformer.init_float64(few, c))
    b = batch(few, c, (3, 1), (1, 2))

    def forward(v):
        L, logits, k = transformer.forward(v, c, b)
        return fields(L=L, logits=logits), k

    def answer(v):
        v = transformer.untie(v, c)
        logits = [list(step) for step in zip(*(scalar_transformer.model(v, c, b, n)
                                               for n in range(b.inputs.shape[1])))]
        return fields(L=transformer_loss(logits, b.targets.tolist(), b.target_mask.tolist(), c.label_smoothing),
                      logits=logits)
    return Case(p, forward, lambda v, k, d: tree.map(lambda g: d.L * g, transformer.backward(v, c, k)), answer,
                silent=("logits",))


def compiled(name):
    """Loss, logits, the cache's arrays and the gradient of every parameter, by the compiled implementation and by the
    reference."""
    case, both = kernel_transformers.Case(name, "float64"), []
    for backend in ("numba", "numpy"):
        L, logits, k, gradient = case.run(backend)
        arrays = k._replace(encode=k.encode._replace(encoder=k.encode.encoder._replace(ids=None)),
                            decoder=k.decoder._replace(ids=None), loss=None, masks=None)
        both.append((fields(L=L, logits=logits, k=arrays), gradient))
    return both


# ReLU and sinusoids; GELU, learned positions
PRE, POST = partial(compiled, "dropout-pre"), partial(compiled, "everything")


UNITS = [
    Unit({"(LN1)": "", "(LN2)": "", "(LN3)": "", "(LN4)": "",
          "(LN1*)": "x", "(LN2*)": "x", "(LN3*)": "x", "(LN4*)": ""}, normed, PRE),
    Unit({"(FF1)": "", "(FF2)": "", "(FF3)": "", "(FR1)": "",
          "(FF1*)": "x p.hidden", "(FF2*)": "x p.hidden", "(FF3*)": "", "(FR1*)": "x p.hidden"},
         partial(fed_forward, "relu"), PRE),
    Unit({"(FG1)": "", "(FG2)": "", "(FG1*)": "x p.hidden", "(FG2*)": "x p.hidden"}, partial(fed_forward, "gelu"),
         POST),
    Unit({"(PE1)": ""}, partial(placed, False)),
    Unit({"(PE2)": "", "(PE2*)": ""}, partial(placed, True), POST),
    Unit({"(SA1)": "alpha", "(SA2)": "alpha", "(SA3)": "z", "(SA4)": "alpha",
          "(SA1*)": "", "(SA2*)": "", "(SA3*)": "y"}, partial(attended, False), PRE),
    Unit({"(SA5)": "alpha", "(MH1)": "z", "(MH2)": "alpha", "(MH3)": "z", "(MH4)": "z", "(MH5)": "z",
          "(MH1*)": "y p.k p.v", "(MH2*)": "x p.q", "(MH3*)": "", "(MH4*)": "p.o", "(MH5*)": ""},
         partial(attended, True), PRE),
    Unit({"(RS1)": "", "(RS3)": "", "(RS1*)": "", "(RS3*)": ""}, partial(around, "post"), POST),
    Unit({"(RS2)": "", "(RS4)": "", "(RS2*)": "", "(RS4*)": ""}, partial(around, "pre"), PRE),
    Unit({"(TS1)": "", "(TS2)": "", "(TS3)": "", "(TE1)": "", "(TE2)": "", "(TE3)": "", "(TE4)": "",
          "(TD1)": "", "(TD2)": "", "(TD3)": "", "(TD4)": "", "(TD5)": "", "(TD6)": "",
          "(TM1)": "", "(TM2)": "", "(TM3)": "", "(TM4)": "L",
          "(TS1*)": "", "(TS2*)": "", "(TS3*)": "", "(TE1*)": "encoder", "(TE2*)": "encoder", "(TE3*)": "encoder",
          "(TE4*)": "encoder", "(TD1*)": "decoder.embedding", "(TD2*)": "decoder", "(TD3*)": "decoder",
          "(TD4*)": "decoder", "(TD5*)": "decoder", "(TD6*)": "decoder.readout",
          "(TM1*)": "encoder", "(TM2*)": "encoder", "(TM3*)": "decoder", "(TM4*)": ""}, partial(whole, "pre-1"), PRE),
]
