"""The whole Transformer: oracle, complex step, masks, padding, steps of decoding, PyTorch's layers."""
import re
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

import scalar_transformer
from configs import TRANSFORMERS, transformer as config
from draw import batch, close, form, like, read_only, same
from minis2s.core import tree
from minis2s.core.gradient_check import assert_close, assert_gradients, central_difference
from minis2s.model import transformer, transformer_decoder as decoder, transformer_encoder as encoder, transformer_masks
from minis2s.testing import oracle

configs = pytest.mark.parametrize("c", TRANSFORMERS.values(), ids=TRANSFORMERS)


class Case:
    """Random parameters, a ragged batch, dropout masks where there is dropout."""

    def __init__(self, c, seed=0):
        rng = np.random.default_rng(seed)
        self.c, self.p = c, read_only(like(rng, transformer.init_float64(rng, c)))
        self.batch, self.rng = read_only(batch(rng, c)), rng
        T, N = self.batch.source.shape
        self.masks = read_only(transformer_masks.draw(rng, c, T, len(self.batch.inputs), N))

    def forward(self, p=None, **changes):
        return transformer.forward(self.p if p is None else p, self.c, self.batch._replace(**changes), None, self.masks)

    def backward(self):
        return transformer.backward(self.p, self.c, read_only(self.forward()[2]))

    def source(self):
        p, b = transformer.untie(self.p, self.c), self.batch
        return transformer.encode(p, self.c, b.source, b.source_mask)[0]

    def decoder(self):
        return transformer.untie(self.p, self.c).decoder


# Equations -----------------------------------------------------------------------------------------------

@configs
def test_logits_and_loss_are_the_oracles(c):
    """(TE1) (TE2) (TE3) (TE4); (TD1) (TD2) (TD3) (TD4) (TD5) (TD6); (TS1) (TS2) (TS3); (TM1) (TM2) (TM3) (TM4)"""
    case = Case(c)
    L, logits, _ = case.forward()
    want = [scalar_transformer.model(case.p, c, case.batch, n, case.masks) for n in range(logits.shape[1])]
    for n in range(logits.shape[1]):
        close(logits[:, n], want[n])
    b = case.batch
    close(L, oracle.cross_entropy(np.swapaxes(want, 0, 1).tolist(), b.targets.tolist(), b.target_mask.tolist(),
                                  c.label_smoothing))


@pytest.mark.parametrize("name", ["pre-1", "post-1", "tied-learned-dropout"])
def test_gradients_entry_by_entry(name):
    case = Case(TRANSFORMERS[name])
    assert_gradients(lambda p: case.forward(p)[0], case.p, case.backward(), 1e-10)


@configs
def test_gradients_along_random_directions(c):
    """Every array by itself, along three directions by complex step: dL/dw . u = Im L(w + ihu) / h."""
    case, h = Case(c), 1e-30
    g = case.backward()
    assert form(g) == form(case.p)
    arrays, grads = dict(tree.named(case.p)), dict(tree.named(g))
    for name, w in arrays.items():
        for _ in range(3):
            u = case.rng.normal(size=w.shape)
            want = case.forward(tree.replace(case.p, {**arrays, name: w + 1j * h * u}))[0].imag / h
            got = (grads[name] * u).sum()
            assert abs(got - want) <= 1e-10 * np.linalg.norm(grads[name]) and np.abs(grads[name]).max() > 0, name


def test_gradients_by_central_differences():
    case = Case(config(norm="post"))
    g = case.backward()
    for name, a in tree.named(case.p):
        if name.endswith(("cross.f.k", "encoder.embedding", "attention.f.q.W")):
            want = central_difference(lambda w: case.forward(tree.replace(
                case.p, {**dict(tree.named(case.p)), name: w}))[0], a)
            assert_close(name, dict(tree.named(g))[name], want, 1e-6)


@configs
def test_backward_twice_gives_the_same_bits(c):
    case = Case(c)
    same(case.backward(), case.backward())
    L, g = transformer.loss_and_gradient(case.p, c, case.batch, None, case.masks)
    assert L == case.forward()[0]
    same(g, case.backward())
    same(transformer.logits(case.p, replace(c, dropout=0.0), case.batch),
         transformer.forward(case.p, replace(c, dropout=0.0), case.batch)[1])


def test_a_shared_matrix_has_the_sum_of_both_gradients():
    case = Case(config(tied_embedding=True))
    g = case.backward().decoder
    c = replace(case.c, tied_embedding=False)
    p = transformer.untie(case.p, case.c)
    _, both = transformer.loss_and_gradient(p, c, case.batch)
    close(g.embedding, both.decoder.embedding + both.decoder.readout.W.T)
    assert g.readout.W is None and np.abs(both.decoder.readout.W).max() > 0.01


# Masks and padding ---------------------------------------------------------------------------------------

@configs
def test_the_future_is_not_read(c):
    case = Case(c)
    logits, ids = case.forward()[1], case.batch.inputs
    for t in range(1, len(ids)):
        moved = ids.copy()
        moved[t] = 4 + (ids[t] - 3) % 4
        now = case.forward(inputs=moved)[1]
        np.testing.assert_array_equal(now[:t], logits[:t])
        assert (np.abs(now[t] - logits[t]).max(axis=1) > 1e-6).all()


@configs
def test_padding_is_not_read(c):
    case = Case(c)
    b = case.batch
    L, logits, _ = case.forward()
    names = {"source": np.where(b.source_mask, b.source, 6),
             **{name: np.where(b.target_mask, getattr(b, name), 7) for name in ("inputs", "targets")}}
    L_now, logits_now, k = case.forward(**names)
    assert L_now == L and all((a != getattr(b, name)).any() for name, a in names.items())
    np.testing.assert_array_equal(logits_now[b.target_mask], logits[b.target_mask])
    close(transformer.backward(case.p, c, k), case.backward())


@configs
def test_an_example_alone_is_as_in_the_batch(c):
    """Loss and gradient of a batch are the means, by tokens, of those of its examples without padding."""
    case = Case(c)
    L, logits, _ = case.forward()
    total, gradient = 0.0, tree.zeros_like(case.p)
    for n in range(3):
        T, S = int(case.batch.source_mask[:, n].sum()), int(case.batch.target_mask[:, n].sum())
        one = type(case.batch)(*(a[:steps, n:n + 1] for a, steps in zip(case.batch, (T, T, S, S, S))))
        masks = case.masks and transformer_masks.DropoutMasks(*(
            tree.map(lambda m, steps=steps: m[:steps, n:n + 1], side) for side, steps in zip(case.masks, (T, S))))
        L_one, logits_one, k = transformer.forward(case.p, c, one, None, masks)
        close(logits_one[:, 0], logits[:S, n])
        share = S / case.batch.target_mask.sum()
        total += share * L_one
        tree.accumulate(gradient, tree.map(lambda a, share=share: share * a, transformer.backward(case.p, c, k)))
    close(total, L)
    close(gradient, case.backward())


def test_more_padding_changes_nothing():
    case = Case(config())
    (L, logits, _), g, b = case.forward(), case.backward(), case.batch
    more = type(b)(*(np.concatenate([a, np.zeros((2, 3), a.dtype)]) for a in b))
    L_more, logits_more, k = transformer.forward(case.p, case.c, more)
    close((L_more, logits_more[:-2]), (L, logits))
    close(transformer.backward(case.p, case.c, k), g)


def test_without_positions_the_order_of_the_source_would_not_matter(monkeypatch):
    case = Case(config())
    order = [3, 0, 4, 2, 1]
    b = batch(np.random.default_rng(0), case.c, (5, 5, 5))
    moved = b._replace(source=b.source[order])
    run = lambda b: transformer.forward(case.p, case.c, b)[1]                           # noqa: E731
    assert np.abs(run(moved) - run(b)).max() > 0.01
    monkeypatch.setattr(encoder.positions, "sinusoidal", lambda T, D: np.zeros((T, D)))
    close(run(moved), run(b))


def test_weights_of_the_heads():
    case = Case(config(layers=2, hidden=6, heads=3))
    _, _, k = case.forward()
    maps = decoder.alphas(k.decoder)
    S, N = case.batch.inputs.shape
    assert [a.shape for a in maps] == [(N, 3, S, 5)] * 2
    assert all((a.transpose(3, 0, 1, 2)[~case.batch.source_mask] == 0).all() for a in maps)
    for a in maps:
        close(a.sum(axis=3), np.ones((N, 3, S)))


# Decoding step by step -----------------------------------------------------------------------------------

def steps(case, source, parts):
    """Logits of the targets, fed in parts of these sizes."""
    s, got, at = decoder.initial_state(case.decoder(), case.c, 3), [], 0
    for size in parts:
        logits, s, _ = decoder.forward(case.decoder(), case.c, source, case.batch.inputs[at:at + size], s)
        got.append(logits)
        at += size
    return np.concatenate(got), s


@configs
def test_step_by_step_is_as_all_at_once(c):
    case = Case(c)
    source, ids = case.source(), case.batch.inputs
    logits, s, _ = decoder.forward(case.decoder(), c, source, ids)
    for parts in ([1] * len(ids), [2, len(ids) - 2]):
        close(steps(case, source, parts), (logits, s), 1e-13)


def fixed_product(a, b):
    """A matrix product whose sums run in order, whatever the number of rows: BLAS chooses another order by size."""
    total = np.zeros((*np.broadcast_shapes(a.shape[:-2], b.shape[:-2]), a.shape[-2], b.shape[-1]))
    for j in range(a.shape[-1]):
        total = total + a[..., :, j, None] * b[..., None, j, :]
    return total


class Fixed(np.ndarray):
    """An array whose products and sums over the last axis run in order."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [np.asarray(a) for a in inputs]
        kwargs = {k: np.asarray(v) if isinstance(v, Fixed) else v for k, v in kwargs.items() if k != "out"}
        if ufunc is np.matmul:
            out = fixed_product(*plain)
        elif (ufunc, method) == (np.add, "reduce") and kwargs.get("axis") == -1:
            out = np.cumsum(plain[0], axis=-1)[..., -1:]
            out = out if kwargs.get("keepdims") else out[..., 0]
        else:
            out = getattr(ufunc, method)(*plain, **kwargs)
        return out.view(Fixed) if isinstance(out, np.ndarray) else out

    def __array_function__(self, func, types, args, kwargs):
        out = super().__array_function__(func, types, args, kwargs)             # where and concatenate would forget it
        return out.view(Fixed) if isinstance(out, np.ndarray) else out


@configs
@pytest.mark.parametrize("S", [4, 13])
def test_step_by_step_is_as_all_at_once_to_the_bit(c, S):
    """Keys and values that are kept are the same numbers, to the last bit, where the sums run in a fixed order."""
    c = replace(c, dropout=0.0, max_positions=20 if c.positions == "learned" else None)
    case = Case(c)
    case.batch = batch(np.random.default_rng(1), c, target_lengths=(S, 2, S - 1))
    case.p = tree.map(lambda a: a.view(Fixed), like(np.random.default_rng(2), transformer.init_float64(case.rng, c)))
    source, ids = case.source(), case.batch.inputs
    logits, s, _ = decoder.forward(case.decoder(), c, source, ids)
    assert isinstance(logits, Fixed) and len(ids) == S + 1
    got, s_got = steps(case, source, [1] * len(ids))
    np.testing.assert_array_equal(np.asarray(got), np.asarray(logits))
    for (_, a), (_, b) in zip(tree.named(s_got), tree.named(s), strict=True):
        np.testing.assert_array_equal(np.asarray(a), np.asarray(b))


def test_sources_follow_their_rows():
    case = Case(config())
    rows = [2, 0, 2, 1]
    logits, _, _ = decoder.forward(case.decoder(), case.c, case.source(), case.batch.inputs)
    moved, _, _ = decoder.forward(case.decoder(), case.c, case.source().select(rows), case.batch.inputs[:, rows])
    close(moved, logits[:, rows])


@configs
def test_free_running_equals_feeding_the_argmaxes_by_hand(c):
    case = Case(c)
    ids, (S, N) = case.batch.inputs, case.batch.inputs.shape
    off = np.zeros((S, N), bool)
    logits = transformer.forward(case.p, c, case.batch, off, case.masks)[1]
    fed = ids.copy()
    for t in range(1, S):
        so_far = transformer.forward(case.p, c, case.batch._replace(inputs=fed), None, case.masks)[1]
        fed[t] = so_far[t - 1].argmax(axis=1)
    close(logits, transformer.forward(case.p, c, case.batch._replace(inputs=fed), None, case.masks)[1])
    assert (fed != ids).any()
    on = np.ones((S, N), bool)
    same(transformer.forward(case.p, c, case.batch, on, case.masks)[1], case.forward()[1])


def test_some_tokens_forced_and_some_free():
    case = Case(config())
    ids, source = case.batch.inputs, case.source()
    teacher = np.arange(ids.size).reshape(ids.shape) % 2 == 0
    fed = decoder.free_running(case.decoder(), case.c, source, ids, teacher)
    own = decoder.forward(case.decoder(), case.c, source, fed)[0].argmax(axis=2)
    np.testing.assert_array_equal(fed[0], ids[0])
    np.testing.assert_array_equal(fed[1:], np.where(teacher[1:], ids[1:], own[:-1]))
    assert (fed != ids).any()


# Dropout, first parameters, dtypes -----------------------------------------------------------------------

def test_dropout_masks():
    c = config(dropout=0.25, layers=2, hidden=40, heads=2)
    masks = transformer_masks.draw(np.random.default_rng(0), c, 30, 20, 10)
    shapes = [(name, a.shape) for name, a in tree.named(masks)]
    assert len(shapes) == 1 + 2 * 2 + 1 + 2 * 3
    assert {shape for name, shape in shapes if name.startswith("encoder")} == {(30, 10, 40)}
    assert {shape for name, shape in shapes if name.startswith("decoder")} == {(20, 10, 40)}
    for _, a in tree.named(masks):
        assert set(np.unique(a)) == {0, 1 / 0.75} and abs(np.mean(a == 0) - 0.25) < 0.02
        assert len({row.tobytes() for row in a[:, 0]}) == len(a)                 # another mask at every position
    assert transformer_masks.draw(np.random.default_rng(0), config(), 3, 2, 1) is None


@configs
def test_first_parameters(c):
    p = transformer.init(replace(c, dtype="float32"), 3)
    same(transformer.init(replace(c, dtype="float32"), 3), p)
    assert {a.dtype for _, a in tree.named(p)} == {np.dtype(np.float32)}
    assert {name: a.shape for name, a in tree.named(p)} == transformer.shapes(c)
    assert (p.encoder.norm is None) == (p.decoder.norm is None) == (c.norm == "post")


@configs
def test_float32_stays_float32(c):
    case = Case(replace(c, dtype="float32"))
    p, masks = tree.map(lambda a: a.astype(np.float32), (case.p, case.masks))
    L, logits, k = transformer.forward(p, case.c, case.batch, None, masks)
    parts = logits, k.encode, k.decoder._replace(ids=None), transformer.backward(p, case.c, k)
    assert {a.dtype for _, a in tree.named(parts) if a.dtype.kind == "f"} == {np.dtype(np.float32)}


# What is refused -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("sentence, change", [
    ("source: got ids from 4 to 7, wanted 0 .. 6", dict(source=np.array([[4, 7, 4]]))),
    ("inputs: got shape (2, 1), wanted (S, 3)", dict(inputs=np.array([[4], [5]]))),
    ("inputs: got ids from 4 to 8, wanted 0 .. 7", dict(inputs=np.array([[4, 8, 4]]))),
    ("targets: got shape (1, 3), wanted (4, 3)", dict(targets=np.array([[4, 5, 4]]))),
])
def test_bad_batches(sentence, change):
    case = Case(config())
    with pytest.raises(ValueError, match="^" + re.escape(sentence) + "$"):
        case.forward(**change)


def test_bad_parameters_coins_and_masks():
    case, drop = Case(config(layers=2)), Case(config(dropout=0.5))
    with pytest.raises(ValueError, match=r"^p: decoder.layers.1.attention.f.k has shape \(4, 4\), wanted None of this"):
        transformer.forward(case.p, config(), case.batch)
    with pytest.raises(ValueError, match=r"^teacher_mask: got shape \(1, 3\), wanted \(4, 3\)$"):
        transformer.forward(case.p, case.c, case.batch, np.ones((1, 3), bool))
    short = drop.masks._replace(encoder=drop.masks.encoder._replace(inputs=drop.masks.encoder.inputs[1:]))
    with pytest.raises(ValueError, match=r"^masks.encoder.inputs: got shape \(4, 3, 4\), wanted \(5, 3, 4\)$"):
        transformer.forward(drop.p, drop.c, drop.batch, None, short)
    with pytest.raises(ValueError, match="^masks.decoder.layers.1.0: missing$"):
        transformer.forward(case.p, case.c, case.batch, None, drop.masks)
    with pytest.raises(ValueError, match="^source_vocab and target_vocab: the Config must name both"):
        transformer.init(replace(case.c, source_vocab=None))


def test_learned_positions_have_an_end():
    c = config(positions="learned", max_positions=4)
    case = Case(c)
    with pytest.raises(ValueError, match=r"^source: 5 steps, wanted at most 4, as many as there are learned positions"):
        case.forward()
    b = batch(case.rng, c, (4, 2, 1), (4, 1, 1))
    with pytest.raises(ValueError, match="^inputs: 5 steps, wanted at most 4"):
        transformer.forward(case.p, c, b)
    transformer.forward(case.p, c, batch(case.rng, c, (4, 2, 1), (3, 1, 1)))


# PyTorch -------------------------------------------------------------------------------------------------

def load_attention(torch, layer, p):
    layer.in_proj_weight[:] = torch.tensor(np.concatenate([p.q.W, p.k, p.v.W], axis=1).T.copy())
    layer.in_proj_bias[:] = torch.tensor(np.concatenate([p.q.b, 0 * p.q.b, p.v.b]))
    load_linear(torch, layer.out_proj, p.o)


def load_linear(torch, layer, p):
    layer.weight[:], layer.bias[:] = torch.tensor(p.W.T.copy()), torch.tensor(p.b)


def load_norm(torch, layer, p):
    layer.weight[:], layer.bias[:] = torch.tensor(p.g), torch.tensor(p.b)


def load_layer(torch, layer, p):
    """A layer of ours -> nn.TransformerEncoderLayer or nn.TransformerDecoderLayer."""
    parts = [(layer.self_attn, p.attention)] + ([(layer.multihead_attn, p.cross)] if hasattr(p, "cross") else [])
    norms = [layer.norm1, layer.norm2] + ([layer.norm3] if hasattr(p, "cross") else [])
    for attention, q in parts:
        load_attention(torch, attention, q.f)
    for norm, q in zip(norms, p, strict=True):
        load_norm(torch, norm, q.norm)
    load_linear(torch, layer.linear1, p.feed_forward.f.hidden)
    load_linear(torch, layer.linear2, p.feed_forward.f.out)


@pytest.mark.parametrize("phi", ["relu", "gelu"])
@pytest.mark.parametrize("norm", ["pre", "post"])
def test_torch(norm, phi):
    """nn.TransformerEncoder and nn.TransformerDecoder, two layers each, same weights, float64: states, gradients."""
    torch = pytest.importorskip("torch")
    from torch import nn
    c = config(layers=2, norm=norm, feed_forward_activation=phi)
    case = Case(c)
    p, b = case.p, case.batch
    act = "relu" if phi == "relu" else partial(nn.functional.gelu, approximate="tanh")    # copies forget a module
    options = dict(dim_feedforward=c.feed_forward, dropout=0.0, activation=act, norm_first=norm == "pre",
                   dtype=torch.float64)

    def final():
        return nn.LayerNorm(c.hidden, dtype=torch.float64) if norm == "pre" else None

    enc = nn.TransformerEncoder(nn.TransformerEncoderLayer(c.hidden, c.heads, **options), 2, final(), False)
    dec = nn.TransformerDecoder(nn.TransformerDecoderLayer(c.hidden, c.heads, **options), 2, final())
    with torch.no_grad():
        for stack, q in ((enc, p.encoder), (dec, p.decoder)):
            for layer, part in zip(stack.layers, q.layers, strict=True):
                load_layer(torch, layer, part)
            if norm == "pre":
                load_norm(torch, stack.norm, q.norm)
    D, (S, _) = c.hidden, b.inputs.shape
    P = torch.tensor(encoder.positions.sinusoidal(9, D))[:, None]
    E, F = (torch.tensor(q.embedding, requires_grad=True) for q in (p.encoder, p.decoder))
    padding = torch.tensor(~b.source_mask.T.copy())
    hs = enc(np.sqrt(D) * E[torch.tensor(b.source)] + P[:len(b.source)], src_key_padding_mask=padding)
    r = dec(np.sqrt(D) * F[torch.tensor(b.inputs)] + P[:S], hs, tgt_mask=torch.tensor(~np.tri(S, dtype=bool)),
            memory_key_padding_mask=padding)
    logits = r @ torch.tensor(p.decoder.readout.W) + torch.tensor(p.decoder.readout.b)
    L = nn.functional.cross_entropy(logits[torch.tensor(b.target_mask)], torch.tensor(b.targets[b.target_mask]))
    L.backward()

    L_ours, logits_ours, k = case.forward()
    g = case.backward()
    close((L_ours, logits_ours), (L.item(), logits.detach().numpy()))
    close(k.encode.hs[b.source_mask], hs.detach().numpy()[b.source_mask])
    close((g.encoder.embedding, g.decoder.embedding), (E.grad.numpy(), F.grad.numpy()))
    for stack, q in ((enc, g.encoder), (dec, g.decoder)):
        for layer, part in zip(stack.layers, q.layers):
            close((part.feed_forward.f.hidden.W, part.feed_forward.norm.g, part.attention.f.o.W),
                  (layer.linear1.weight.grad.numpy().T, (layer.norm3 if hasattr(part, "cross") else layer.norm2)
                   .weight.grad.numpy(), layer.self_attn.out_proj.weight.grad.numpy().T))
            if hasattr(part, "cross"):
                close(part.cross.f.k, layer.multihead_attn.in_proj_weight.grad.numpy().T[:, D:2 * D])
