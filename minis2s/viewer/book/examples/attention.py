"""Attention of one query, and the fusion of state and context."""
from ....layers import fusion
from ....layers.attention import SCORES, attend, attend_backward, precompute_keys, precompute_keys_backward
from ....testing import oracle
from .example import Example, lengths, normal

H, A, T = 2, 2, 3
MASK = [True, True, True]


def dot(v):
    """Dot score, weights, context."""
    hs = [h[0] for h in v["hs"]]
    alpha = oracle.attention_weights(oracle.score_dot(v["s"][0], hs), [True, True, True])
    return {"ctx": [oracle.context(alpha, hs)], "alpha": [[a] for a in alpha]}


def scaled(v):
    """Scaled dot score, weights, context."""
    hs = [h[0] for h in v["hs"]]
    alpha = oracle.attention_weights(oracle.score_scaled_dot(v["s"][0], hs), [True, True, True])
    return {"ctx": [oracle.context(alpha, hs)], "alpha": [[a] for a in alpha]}


def general(v):
    """General score, weights, context."""
    hs = [h[0] for h in v["hs"]]
    alpha = oracle.attention_weights(oracle.score_general(v["s"][0], hs, v["W"]), [True, True, True])
    return {"ctx": [oracle.context(alpha, hs)], "alpha": [[a] for a in alpha]}


def additive(v):
    """Additive score, weights, context."""
    hs = [h[0] for h in v["hs"]]
    e = oracle.score_additive(v["s"][0], hs, v["W_s"], v["W_h"], v["v"])
    alpha = oracle.attention_weights(e, [True, True, True])
    return {"ctx": [oracle.context(alpha, hs)], "alpha": [[a] for a in alpha]}


def concat_dot(v):
    """Concat-dot score, weights, context."""
    hs = [h[0] for h in v["hs"]]
    e = oracle.score_concat_dot(v["s"][0], hs, v["W_s"], v["W_h"])
    alpha = oracle.attention_weights(e, [True, True, True])
    return {"ctx": [oracle.context(alpha, hs)], "alpha": [[a] for a in alpha]}


def score(name, live, a=A):
    """A score of the library with softmax and weighted sum."""
    page = SCORES[name]

    def draw(rng, N):
        p = page.init(rng, H, H, a)
        return {"s": normal(rng, N, H), "hs": normal(rng, T, N, H),
                **{key: normal(rng, *x.shape) for key, x in p._asdict().items()}}

    def params(v):
        return page.Params(*(v[key] for key in page.Params._fields))

    def forward(v):
        memory = precompute_keys(page, params(v), v["hs"], lengths(T, v["s"].shape[0]))
        ctx, k = attend(page, params(v), v["s"], memory)
        return {"ctx": ctx, "alpha": k.alpha}, (memory, k)

    def backward(v, cache, d):
        memory, k = cache
        ds, dmemory, g = attend_backward(page, params(v), memory, k, d["ctx"])
        dhs, g_keys = precompute_keys_backward(page, params(v), memory, dmemory)
        return {"s": ds, "hs": dhs, **{key: getattr(g, key) + getattr(g_keys, key) for key in page.Params._fields}}
    also = {"(AD2*)": {"ds": "ds"}} if name == "scaled" else {}
    return Example(f"attention {name}", draw, live, forward, backward, silent=("alpha",), also=also)


def fuse(v):
    """Four ways to join state and context."""
    s, ctx = v["s"], v["ctx"]
    return {"z_concat": [oracle.fuse_concat(s[0], ctx[0])], "z_sum": [oracle.fuse_add(s[1], ctx[1])],
            "z_sigmoid": [oracle.fuse_sigmoid(s[2], ctx[2], v["W"])],
            "z_tanh": [oracle.fuse_tanh(s[3], ctx[3], v["W_tanh"])]}


KINDS = ("concat", "sum", "sigmoid", "tanh")


def draw_fusion(rng, N):
    """A state and a context for each kind; N is always 1."""
    return {"s": normal(rng, 4, H), "ctx": normal(rng, 4, H), "W": normal(rng, 2 * H, H),
            "W_tanh": normal(rng, 2 * H, H)}


def params(v, kind):
    """Parameters of a kind."""
    return {"sigmoid": fusion.Params(v["W"]), "tanh": fusion.Params(v["W_tanh"])}.get(kind)


def fused(v):
    """The library's four kinds."""
    outputs, caches = {}, {}
    for j, kind in enumerate(KINDS):
        rows = slice(j, j + 1)
        outputs[f"z_{kind}"], caches[kind] = fusion.forward(params(v, kind), kind, v["s"][rows], v["ctx"][rows])
    return outputs, caches


def fused_back(v, caches, d):
    """Their derivatives."""
    import numpy as np
    ds, dctx, dW = [], [], {}
    for kind in KINDS:
        a, b, g = fusion.backward(params(v, kind), kind, caches[kind], d[f"z_{kind}"], H)
        ds.append(a)
        dctx.append(b)
        dW[kind] = g
    return {"s": np.concatenate(ds), "ctx": np.concatenate(dctx), "W": dW["sigmoid"].W, "W_tanh": dW["tanh"].W}


EXAMPLES = (
    score("dot", dot), score("scaled", scaled), score("general", general), score("additive", additive),
    score("concat-dot", concat_dot),
    Example("fusion", draw_fusion, fuse, fused, fused_back,
            also={"(U1)": {"z": "z_concat"}, "(U2)": {"z": "z_sum"}, "(U1*)": {"ds": "ds"}, "(U2*)": {"ds": "ds"}}),
)
