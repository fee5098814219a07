"""Fusion of state and context: every kind against the oracle and by complex step."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

import scalar_model
from draw import close, form, like, normal, read_only, readout, same
from minis2s.core import tree
from minis2s.core.gradient_check import assert_gradients
from minis2s.layers import fusion
from minis2s.model.config import CHOICES

kinds = pytest.mark.parametrize("kind", CHOICES["fusion"])


def case(kind, N=3, H=2, C=4, seed=0):
    rng = np.random.default_rng(seed)
    C = H if kind == "sum" else C
    v = like(rng, fusion.init(rng, kind, H, C)), normal(rng, N, H), normal(rng, N, C)
    return read_only(v), read_only(normal(rng, N, H + C if kind == "concat" else H))


@kinds
def test_forward_is_the_oracles(kind):
    """(U1) (U2) (U3) (U4)"""
    (p, s, ctx), _ = case(kind)
    z, _ = fusion.forward(p, kind, s, ctx)
    for n in range(3):
        close(z[n], scalar_model.fuse(kind, p, s[n].tolist(), ctx[n].tolist()))


@kinds
def test_gradients(kind):
    """(U1*) (U2*) (U3*) (U4*)"""
    (p, s, ctx), dz = case(kind)
    k = read_only(fusion.forward(p, kind, s, ctx)[1])
    ds, dctx, dp = fusion.backward(p, kind, k, dz, 2)
    assert (dctx is None) == (kind == "none")
    got = dp, ds, np.zeros_like(ctx) if dctx is None else dctx
    assert form(got) == form((p, s, ctx))
    assert_gradients(lambda v: readout(dz, fusion.forward(v[0], kind, *v[1:])[0]), (p, s, ctx), got, 1e-12)
    same(fusion.backward(p, kind, k, dz, 2), (ds, dctx, dp))


@kinds
@given(N=st.integers(1, 5), H=st.integers(1, 5), C=st.integers(1, 5), seed=st.integers(0, 99))
def test_any_shape(kind, N, H, C, seed):
    (p, s, ctx), dz = case(kind, N, H, C, seed)
    z, k = fusion.forward(p, kind, s, ctx)
    assert z.shape == dz.shape
    close(z[-1], scalar_model.fuse(kind, p, s[-1].tolist(), ctx[-1].tolist()))
    ds, dctx, _ = fusion.backward(p, kind, k, dz, H)
    assert ds.shape == s.shape and (dctx is None or dctx.shape == ctx.shape)


@kinds
def test_parameters_only_where_something_is_learned(kind):
    p = fusion.init(np.random.default_rng(0), kind, 2, 4)
    assert [a.shape for _, a in tree.named(p)] == ([(6, 2)] if kind in ("sigmoid", "tanh") else [])
