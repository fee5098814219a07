"""Cases of attention: a score, the weights, the context, and the fusion of state and context."""
from ....core import tree
from ....layers import fusion
from ....layers.attention import SCORES, Memory, attend, attend_backward, precompute_keys, precompute_keys_backward
from ....testing import oracle as scalar
from .case import Case, by_example, fields, like, normal, ragged, stacked, time_first


def attention(name, kind, oracle):
    """A score, weights, context, and fusion (kind) of both; oracle(v, n, mask, score) -> z, alpha, ctx."""

    def draw(rng, z):
        score, mask = SCORES[name], ragged(rng, z)
        inputs = fields(p=like(rng, z, score.init(rng, z.H, z.H, z.D)), s=normal(rng, z, z.N, z.H),
                        hs=normal(rng, z, z.T, z.N, z.H), fusion=like(rng, z, fusion.init(rng, kind, z.H, z.H)))

        def forward(v):
            memory = precompute_keys(score, v.p, v.hs, mask)
            ctx, k = attend(score, v.p, v.s, memory)
            fused, k_fuse = fusion.forward(v.fusion, kind, v.s, ctx)
            return fields(z=fused, alpha=k.alpha, ctx=ctx), (memory, k, k_fuse)

        def backward(v, cache, d):
            memory, k, k_fuse = cache
            ds, dctx, g_fuse = fusion.backward(v.fusion, kind, k_fuse, d.z, z.H)
            dctx = tree.add(dctx, d.ctx)
            ds_attend, dmemory, g = attend_backward(score, v.p, memory, k, dctx)
            dhs, g_keys = precompute_keys_backward(score, v.p, memory, dmemory)
            return type(v)(tree.add(g, g_keys), ds + ds_attend, dhs, g_fuse)

        def answer(v):
            def example(n):
                return oracle(v, v.s[n].tolist(), v.hs[:, n].tolist(), mask[:, n].tolist())

            fused, alpha, ctx = by_example(example, z.N)
            return fields(z=fused, alpha=time_first(alpha), ctx=ctx)

        return Case(inputs, forward, backward, answer, silent=("alpha",))

    return draw


def weights_only(f):
    """An oracle of weights alone, completed by D3.4: -> s, alpha, ctx."""

    def oracle(v, s, hs, mask):
        alpha = f(v, s, hs, mask)
        return s, alpha, scalar.context(alpha, hs)

    return oracle


a3_3 = attention("dot", "sum", lambda v, s, hs, mask: scalar.a3_3(s, hs, mask=mask))
a4_3 = attention("dot", "sigmoid", lambda v, s, hs, mask: scalar.a4_3(s, hs, v.fusion.W.tolist(), mask=mask))
a4_3_general = attention(
    "general",
    "sigmoid",
    lambda v, s, hs, mask: scalar.a4_3(
        s, hs, v.fusion.W.tolist(), lambda s, hs: scalar.score_general(s, hs, v.p.W.tolist()), mask
    ),
)
b4_2a = attention("concat-dot", "none",
                  weights_only(lambda v, s, hs, mask: scalar.b4_2a(s, hs, stacked(v.p.W_s, v.p.W_h), mask)))
d3_3 = attention("additive", "none",
                 weights_only(lambda v, s, hs, mask: scalar.d3_3(s, hs, *(a.tolist() for a in v.p), mask)))


class GivenScores:
    """A "score" whose query is the scores: what is left of `attend` is softmax and weighted sum."""

    @staticmethod
    def score(p, e, memory):
        return e, None

    @staticmethod
    def score_backward(p, memory, k, de):
        return de, Memory(None, None, None), ()


def d3_4(rng, z):
    mask = ragged(rng, z)

    def forward(v):
        memory = Memory(v.hs, None, mask)
        ctx, k = attend(GivenScores, (), v.e, memory)
        return fields(ctx=ctx), (memory, k)

    def backward(v, cache, d):
        de, dmemory, _ = attend_backward(GivenScores, (), *cache, d.ctx)
        return type(v)(de, dmemory.hs)

    def answer(v):
        def example(n):
            return (scalar.d3_4(scalar.softmax(v.e[:, n].tolist(), mask[:, n].tolist()), v.hs[:, n].tolist()),)

        return fields(ctx=by_example(example, z.N)[0])

    return Case(fields(e=normal(rng, z, z.T, z.N), hs=normal(rng, z, z.T, z.N, z.H)), forward, backward, answer)
