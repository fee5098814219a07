"""Scaled dot-product and multi-head attention: self, causal, cross; oracle, complex step, properties, PyTorch."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from draw import close, form, like, mask, normal, read_only, readout, same
from minis2s.core import tree
from minis2s.core.gradient_check import assert_gradients
from minis2s.layers.attention import multi_head, scaled_dot_product
from minis2s.testing.oracle import transformer as oracle
from scalar_model import lists

T, S, D = 5, 4, 6
LENGTHS = (5, 1, 3)
N = len(LENGTHS)
USES = ("self", "causal", "cross")
uses = pytest.mark.parametrize("use", USES)
heads = pytest.mark.parametrize("h", [1, 2, 3, 6])


class Case:
    """Random parameters and inputs; the loss reads z and, as other parts of a model would, k and v."""

    def __init__(self, use, h=2, lengths=LENGTHS, S=S, D=D, seed=0, scale=0.8):
        rng, self.use, self.h = np.random.default_rng(seed), use, h
        T, N = max(lengths), len(lengths)
        S = S if use == "cross" else T
        self.mask = read_only(mask(lengths))
        y = normal(rng, T, N, D, scale=scale)
        x = normal(rng, S, N, D, scale=scale) if use == "cross" else y
        p = like(rng, multi_head.init(rng, D), scale)
        self.v = read_only((p, x, y) if use == "cross" else (p, y))
        self.d = read_only((normal(rng, S, N, D), like(rng, multi_head.keys_values(p, h, y))))

    def visible(self):
        T = len(self.mask)
        return scaled_dot_product.see_past(T, T) if self.use == "causal" else scaled_dot_product.see_real(self.mask)

    def seen(self, n):
        return oracle.see_past if self.use == "causal" else oracle.see_real(self.mask[:, n].tolist())

    def forward(self, v=None):
        """-> z, KeyValues, Cache"""
        p, x, y = self.inputs(v or self.v)
        kv = multi_head.keys_values(p, self.h, y)
        z, k = multi_head.attend(p, self.h, x, kv, self.visible())
        return z, kv, k

    def inputs(self, v):
        return v if self.use == "cross" else (*v, v[1])

    def loss(self, v):
        return readout(self.d, self.forward(v)[:2])

    def backward(self):
        """Gradients in the order of v."""
        p, x, y = self.inputs(self.v)
        _, _, k = read_only(self.forward())
        dx, dkv, g = multi_head.attend_backward(p, self.h, k, self.d[0])
        dy, g_kv = multi_head.keys_values_backward(p, y, tree.add(dkv, self.d[1]))
        g = tree.add(g, g_kv)
        return (g, dx, dy) if self.use == "cross" else (g, dx + dy)

    def check_forward(self, tol=1e-12):
        p, x, y = self.inputs(self.v)
        z, _, k = self.forward()
        for n in range(x.shape[1]):
            want, alphas = oracle.multi_head(*lists(p.q), p.k.tolist(), *lists(p.v), *lists(p.o), self.h,
                                             x[:, n].tolist(), y[:, n].tolist(), self.seen(n))
            close(k.heads.alpha[n], alphas, tol)
            close(z[:, n], want, tol)


# Equations -----------------------------------------------------------------------------------------------

@uses
@heads
def test_attention_is_the_oracles(use, h):
    """(SA1) (SA2) (SA3) (SA4) (SA5); (MH1) (MH2) (MH3) (MH4) (MH5)"""
    Case(use, h).check_forward()


@uses
@heads
def test_gradients(use, h):
    c = Case(use, h)
    assert form(c.backward()) == form(c.v)
    assert_gradients(c.loss, c.v, c.backward(), 1e-12)


@pytest.mark.parametrize("axes", [(), (3,), (3, 2)], ids=str)
def test_scaled_dot_product_alone(axes):
    """S, T and d all different, the values of another size than the keys."""
    rng = np.random.default_rng(0)
    S, T, d, e = 4, 5, 3, 7
    v = read_only((normal(rng, *axes, S, d), normal(rng, *axes, T, d), normal(rng, *axes, T, e)))
    visible = rng.random((*axes[:1], *(1 for _ in axes[1:]), S, T)) < 0.6
    visible[..., 0] = True
    dctx = read_only(normal(rng, *axes, S, e))
    ctx, k = scaled_dot_product.forward(*v, visible)
    wide = np.broadcast_to(visible, k.alpha.shape)
    for at in np.ndindex(*axes):
        want, alphas = oracle.scaled_dot_product(*(a[at].tolist() for a in v), lambda t, i: wide[at][t, i])
        close(ctx[at], want)
        close(k.alpha[at], alphas)
    assert_gradients(lambda v: (dctx * scaled_dot_product.forward(*v, visible)[0]).sum(), v,
                     scaled_dot_product.backward(read_only(k), dctx), 1e-12)


def test_split_and_join():
    x = read_only(normal(np.random.default_rng(0), T, N, D))
    got = multi_head.split(x, 3)
    assert got.shape == (N, 3, T, 2)
    for t, n, h in np.ndindex(T, N, 3):
        np.testing.assert_array_equal(got[n, h, t], oracle.split([x[t, n].tolist()], 3)[h][0])      # (MH5)
    np.testing.assert_array_equal(multi_head.join(got), x)                                        # (MH5*)


def test_masks():
    np.testing.assert_array_equal(scaled_dot_product.see_past(3, 3), [[1, 0, 0], [1, 1, 0], [1, 1, 1]])
    np.testing.assert_array_equal(scaled_dot_product.see_past(1, 3), [[1, 1, 1]])
    np.testing.assert_array_equal(scaled_dot_product.see_past(2, 4), [[1, 1, 1, 0], [1, 1, 1, 1]])
    got = scaled_dot_product.see_real(mask(LENGTHS))
    assert got.shape == (N, 1, 1, T)
    np.testing.assert_array_equal(got[1, 0, 0], [1, 0, 0, 0, 0])


# Properties ----------------------------------------------------------------------------------------------

def weights_are_a_distribution_over_what_is_visible(c):
    alpha = c.forward()[2].heads.alpha
    seen = np.broadcast_to(c.visible(), alpha.shape)
    assert (alpha[~seen] == 0).all() and (alpha[seen] > 0).all() and not seen.all()
    close(alpha.sum(axis=-1), np.ones(alpha.shape[:-1]), 1e-14)


def what_is_hidden_is_not_read(c):
    """A change of y_i changes no z_t that does not see i."""
    p, x, y = c.inputs(c.v)
    z = c.forward()[0]
    hidden = np.broadcast_to(~c.visible(), (N, 1, len(x), len(y)))[:, 0]
    for i in range(len(y)):
        moved = y.copy()
        moved[i] += 3.0
        kv = multi_head.keys_values(p, c.h, moved)
        now, _ = multi_head.attend(p, c.h, x, kv, c.visible())
        for t, n in np.ndindex(len(x), N):
            assert (np.abs(now[t, n] - z[t, n]).max() < 1e-13) == hidden[n, t, i]


def what_is_hidden_has_no_gradient(c):
    c.d = c.d[0], tree.zeros_like(c.d[1])
    p, x, y = c.inputs(c.v)
    dz = np.zeros_like(c.d[0])
    dz[0] = c.d[0][0]
    _, _, k = c.forward()
    _, dkv, _ = multi_head.attend_backward(p, c.h, k, dz)
    dy, _ = multi_head.keys_values_backward(p, y, dkv)
    seen = np.broadcast_to(c.visible(), (N, 1, len(x), len(y)))[:, 0, 0].T
    assert (dy[~seen] == 0).all() and (dy[seen] != 0).all()


def the_softmax_does_not_see_a_bias_of_the_keys(c):
    p, x, y = c.inputs(c.v)
    z, kv, _ = c.forward()
    moved = kv._replace(k=kv.k + normal(np.random.default_rng(1), 1, c.h, 1, D // c.h))
    close(multi_head.attend(p, c.h, x, moved, c.visible())[0], z)


def a_head_is_an_attention_of_its_own(c):
    """Whoever swaps the heads' blocks in all of W_q, W_k, W_v and in the rows of W_o changes nothing."""
    p, d = c.v[0], D // c.h
    order = np.arange(D).reshape(c.h, d)[::-1].ravel()
    q = p._replace(q=type(p.q)(p.q.W[:, order], p.q.b[order]), k=p.k[:, order],
                   v=type(p.v)(p.v.W[:, order], p.v.b[order]), o=p.o._replace(W=p.o.W[order]))
    close(c.forward((q, *c.v[1:]))[0], c.forward()[0])


def an_example_alone_is_as_in_the_batch(c):
    z, got = c.forward()[0], c.backward()[1:]
    whole, m, d = c.v, c.mask, c.d
    for n, L in enumerate(LENGTHS):
        def part(a, n=n, L=L):
            return a[:L, n:n + 1] if len(a) == T else a[:, n:n + 1]
        c.v, c.mask = (whole[0], *map(part, whole[1:])), m[:L, n:n + 1]
        c.d = part(d[0]), tree.map(lambda a, n=n, L=L: a[n:n + 1, :, :L], d[1])
        close(c.forward()[0], part(z))
        if c.use == "cross":                             # else padded queries hand gradients back, too
            close(c.backward()[1], part(got[0]))


def backward_twice_gives_the_same_bits(c):
    same(c.backward(), c.backward())


def float32_stays_float32(c):
    c.v, c.d = tree.map(lambda a: a.astype(np.float32), (c.v, c.d))
    assert {a.dtype for _, a in tree.named((*c.forward(), *c.backward()))} == {np.dtype(np.float32)}


@uses
@pytest.mark.parametrize("holds", [
    weights_are_a_distribution_over_what_is_visible, what_is_hidden_is_not_read, what_is_hidden_has_no_gradient,
    the_softmax_does_not_see_a_bias_of_the_keys, a_head_is_an_attention_of_its_own,
    an_example_alone_is_as_in_the_batch, backward_twice_gives_the_same_bits, float32_stays_float32,
], ids=lambda f: f.__name__)
def test_property(use, holds):
    holds(Case(use, 3))


def test_step_by_step_is_as_all_at_once():
    """Keys and values that are kept and joined: what step-wise decoding does."""
    c = Case("causal", 3)
    (p, x), z = c.v, c.forward()[0]
    kept = multi_head.KeyValues(*np.empty((2, N, 3, 0, D // 3)))
    for t in range(T):
        new = multi_head.keys_values(p, c.h, x[t:t + 1])
        kept = tree.map(lambda a, b: np.concatenate([a, b], axis=2), kept, new)
        now, _ = multi_head.attend(p, c.h, x[t:t + 1], kept, scaled_dot_product.see_past(1, t + 1))
        close(now[0], z[t], 1e-14)


dims = st.integers(1, 5)


@uses
@given(lengths=st.lists(dims, min_size=1, max_size=4), S=dims, h=st.integers(1, 3), d=st.integers(1, 3),
       seed=st.integers(0, 99))
def test_any_shape_and_lengths(use, lengths, S, h, d, seed):
    c = Case(use, h, lengths, S, h * d, seed)
    c.check_forward()
    assert form(c.backward()) == form(c.v)


def test_scores_in_the_thousands():
    c = Case("self", scale=60.0)
    assert np.abs(c.forward()[2].heads.q).max() > 1000
    c.check_forward(1e-9)
    assert all(np.isfinite(a).all() for _, a in tree.named(c.backward()))


# PyTorch -------------------------------------------------------------------------------------------------

@uses
@heads
def test_torch(use, h):
    """Same weights, float64, a random bias of the keys in PyTorch only: outputs and all gradients are equal."""
    torch = pytest.importorskip("torch")
    c = Case(use, h)
    p, x, y = c.inputs(c.v)
    c.d = c.d[0], tree.zeros_like(c.d[1])
    layer = torch.nn.MultiheadAttention(D, h, dtype=torch.float64)
    with torch.no_grad():
        layer.in_proj_weight[:] = torch.tensor(np.concatenate([p.q.W, p.k, p.v.W], axis=1).T.copy())
        layer.in_proj_bias[:] = torch.tensor(np.concatenate([p.q.b, normal(np.random.default_rng(2), D), p.v.b]))
        layer.out_proj.weight[:], layer.out_proj.bias[:] = torch.tensor(p.o.W.T.copy()), torch.tensor(p.o.b)
    tx, ty = torch.tensor(x, requires_grad=True), torch.tensor(y, requires_grad=True)
    hidden = {"attn_mask": torch.tensor(~c.visible())} if use == "causal" else {
        "key_padding_mask": torch.tensor(~c.mask.T.copy())}
    tz, alpha = layer(tx, ty, ty, average_attn_weights=False, **hidden)
    tz.backward(torch.tensor(c.d[0]))
    z, _, k = c.forward()
    close((z, k.heads.alpha), (tz.detach().numpy(), alpha.detach().numpy()))
    g, *dxy = c.backward()
    dW = layer.in_proj_weight.grad.numpy().T
    db = layer.in_proj_bias.grad.numpy()
    close((np.concatenate([g.q.W, g.k, g.v.W], axis=1), g.q.b, g.v.b, g.o.W, g.o.b),
          (dW, db[:D], db[2 * D:], layer.out_proj.weight.grad.numpy().T, layer.out_proj.bias.grad.numpy()))
    assert np.abs(db[D:2 * D]).max() < 1e-14
    want = (tx.grad.numpy(), ty.grad.numpy()) if use == "cross" else (tx.grad.numpy() + ty.grad.numpy(),)
    close(tuple(dxy), want)
