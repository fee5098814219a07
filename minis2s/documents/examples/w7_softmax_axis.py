"""W7, document D 4: an RNN with attention and a train function, with the softmax over each of three axes.

It shows what the wrong axis does.  The scores of one query have the shape (T, N, 1): source positions,
examples, one score.  As printed, softmax runs over dim=2, the one score: every weight is 1.  Over dim=1 the
examples of a batch share out one weight.  Only over dim=0 are the weights a distribution over the source.
"""
from typing import NamedTuple

import numpy as np

from ...core import tree
from ...core.functions import softmax, softmax_backward
from ...data.batches import make_batch
from ...layers import embedding, linear, loss, unroll
from ...layers.attention import additive, precompute_keys, precompute_keys_backward
from ...layers.attention.attend import Memory
from ...layers.cells import rnn
from ...training import optimizers
from . import show

TITLE, WHERE = "RNN + attention + train: the softmax's wrong axis", "D §4"

SOURCE, ONE_SCORE, BATCH = 0, 2, 1                              # axes of the scores (T, N, 1)
TITLES = {ONE_SCORE: "dim=2 (printed)", BATCH: "dim=1 (batch)", SOURCE: "dim=0 (source)"}
V, E, H, LENGTH, N = 12, 16, 32, 6, 32                           # 8 symbols; sequences of 6; batches of 32
EPOCHS, BATCHES, HELD_OUT, STEP, CLIP = 90, 4, 8, 0.2, 1.0


class Params(NamedTuple):
    E_x: np.ndarray            # (V, E)
    encoder: rnn.Params
    E_y: np.ndarray            # (V, E)
    decoder: rnn.Params
    score: additive.Params     # W_s, W_h, v of D3.3
    readout: linear.Params     # W_o of D3.5


class Trained(NamedTuple):     # with one axis
    losses: list               # of train, each epoch
    alpha: np.ndarray          # (S, T, N) of a held-out batch, at the end
    score_gradient: float      # largest entry of the gradient of W_s, W_h, v, before training
    exact: float               # share of held-out sequences right, target fed
    neighbour: float           # how far an example's logits move when its batch neighbours are replaced


class Result(NamedTuple):
    axes: dict                 # axis -> Trained
    linear_alpha: np.ndarray   # (2, T): weights of the printed linear score, for two different states


def init(rng):
    """First parameters, float64."""
    return Params(embedding.init(rng, V, E), rnn.init(rng, E, H), embedding.init(rng, V, E),
                  rnn.init(rng, E, H), additive.init(rng, H, H, H), linear.init(rng, 2 * H, V))


def attention(p, s, memory, axis):
    """D3.3 with softmax over one axis of (T, N, 1), and D3.4: s (N, H) -> ctx (N, H), alpha (T, N), Cache."""
    e, k = additive.score(p, s, memory)
    alpha = softmax(e[:, :, None], axis=axis)[:, :, 0]
    return np.einsum("tn,tnh->nh", alpha, memory.hs), alpha, k


def attention_backward(p, memory, alpha, k, dctx, axis):
    """dctx (N, H) -> ds, Memory gradients, Params gradients."""
    dalpha = np.einsum("nh,tnh->tn", dctx, memory.hs)
    de = softmax_backward(alpha[:, :, None], dalpha[:, :, None], axis=axis)[:, :, 0]
    ds, dmemory, g = additive.score_backward(p, memory, k, de)
    return ds, dmemory._replace(hs=alpha[:, :, None] * dctx), g


def forward(p, batch, axis):
    """All sources have one length: -> loss, logits (S, N, V), alphas (S, T, N), cache."""
    zero = rnn.State(np.zeros((batch.source.shape[1], H)))
    hs, s, encoder = unroll.forward(rnn, p.encoder, p.E_x[batch.source], zero, batch.source_mask)  # (1)
    memory, rs, steps = precompute_keys(additive, p.score, hs, batch.source_mask), [], []
    for y in batch.inputs:
        s, cell = rnn.step(p.decoder, p.E_y[y], s)                                                 # (2)
        ctx, alpha, k = attention(p.score, s.h, memory, axis)                                      # (3) (4)
        rs.append(np.concatenate([s.h, ctx], axis=1))
        steps.append((cell, alpha, k))
    rs = np.stack(rs)
    logits = linear.forward(p.readout, rs)                                                         # (5)
    L, k_loss = loss.forward(logits, batch.targets, batch.target_mask)
    alphas = np.stack([alpha for _, alpha, _ in steps])
    return L, logits, alphas, (batch, axis, memory, encoder, steps, rs, k_loss)


def backward(p, cache):
    """-> Params gradients: `forward`, upside down."""
    batch, axis, memory, encoder, steps, rs, k_loss = cache
    drs, g_readout = linear.backward(p.readout, rs, loss.backward(k_loss))
    dmemory = Memory(np.zeros_like(memory.hs), np.zeros_like(memory.keys), None)
    d, dxs = rnn.State(np.zeros((rs.shape[1], H))), [None] * len(steps)
    g_decoder, g_score = tree.zeros_like(p.decoder), tree.zeros_like(p.score)
    for t in reversed(range(len(steps))):
        cell, alpha, k = steps[t]
        ds, dm, g = attention_backward(p.score, memory, alpha, k, drs[t, :, H:], axis)
        tree.accumulate(dmemory, dm)                            # fork: every step reads the source
        tree.accumulate(g_score, g)
        dxs[t], d, g = rnn.step_backward(p.decoder, cell, rnn.State(d.h + drs[t, :, :H] + ds))    # fork
        tree.accumulate(g_decoder, g)
    dhs, g = precompute_keys_backward(additive, p.score, memory, dmemory)
    dx, _, g_encoder = unroll.backward(rnn, p.encoder, encoder, dhs, d, batch.source_mask)
    return Params(embedding.backward(p.E_x, batch.source, dx), g_encoder,
                  embedding.backward(p.E_y, batch.inputs, np.stack(dxs)), g_decoder, tree.add(g_score, g),
                  g_readout)


def train(p, iterator, optimizer, axis):
    """One epoch, as the document's function of this name: -> Params, State, mean loss, attention weights.

    `optimizer` is the State of gradient descent.  The weights are those of the last batch, as printed.
    """
    epoch_loss = 0.0
    for batch in iterator:
        L, _, attention_weights, cache = forward(p, batch, axis)
        g, _ = optimizers.clip_by_norm(backward(p, cache), CLIP)
        p, optimizer = optimizers.sgd(p, g, optimizer, STEP, momentum=0.9)
        epoch_loss += L
    return p, optimizer, epoch_loss / len(iterator), attention_weights


def data(rng, batches):
    """Batches of random sequences and what is asked: the same, last token first."""
    draws = (rng.integers(4, V, size=(N, LENGTH)).tolist() for _ in range(batches))
    return [make_batch(xs, [x[::-1] for x in xs]) for xs in draws]


def learn(axis, seed):
    """Train with the softmax over `axis`, on new sequences in each epoch: -> Trained."""
    rng = np.random.default_rng(seed)
    p, held_out, losses = init(rng), data(rng, HELD_OUT), []
    state, one = optimizers.start(p), held_out[0]
    g = backward(p, forward(p, one, axis)[-1]).score
    for _ in range(EPOCHS):
        p, state, L, _ = train(p, data(rng, BATCHES), state, axis)
        losses.append(float(L))
    right = [(forward(p, b, axis)[1].argmax(axis=2) == b.targets).all(axis=0) for b in held_out]
    _, logits, alpha, _ = forward(p, one, axis)
    other = one.source.copy()
    other[:, 1:] = held_out[1].source[:, 1:]                    # other neighbours; the first example stays
    _, moved, _, _ = forward(p, one._replace(source=other), axis)
    return Trained(losses, alpha, max(float(abs(a).max()) for a in g), float(np.mean(right)),
                   float(abs(moved[:, 0] - logits[:, 0]).max()))


def linear_score(seed):
    """The printed score, linear in [h_i; s], softmax over the source, for two states: -> alpha (2, T)."""
    rng = np.random.default_rng(seed)
    hs, layer = rng.normal(size=(LENGTH, H)), linear.init(rng, 2 * H, 1)
    pairs = [np.concatenate([hs, np.tile(s, (LENGTH, 1))], axis=1) for s in rng.normal(size=(2, H))]
    return softmax(np.stack([linear.forward(layer, h_s)[:, 0] for h_s in pairs]))


def run(seed=0):
    """Train the same model on the same data with each axis: -> Result."""
    return Result({axis: learn(axis, seed) for axis in TITLES}, linear_score(seed))


def between(a):
    """The smallest and the greatest entry, as text."""
    low, high = show.number(a.min()), show.number(a.max())
    return low if low == high else f"{low}..{high}"


def formula_lines(r):
    """The formulas, with the softmax over the right axis."""
    out = show.heading("The lines of D §3.3, with the softmax where it belongs")
    out += ["  (1) h_i = RNN(h_{i-1}, x_i)                      (R1, R2)",
            "  (2) s_t = RNN(s_{t-1}, y_{t-1})                  (R1, R2)",
            "  (3) e_ti = v · tanh(W_s s_t + W_h h_i)           (AB1..AB3)",
            "      a_t = softmax over i of e_t                  (A1)",
            "  (4) c_t = Σ a_ti h_i                             (A2)",
            "  (5) p(y_t) = softmax(W_o [s_t; c_t] + b)         (Y1, F3)"]
    out += show.slip("torch.softmax(attn_scores, dim=2): the scores have the shape (T, N, 1), one score for "
                     "each source position and example. dim=2 is that one score: every weight is 1.")
    return out


def side_by_side(r):
    """What the three axes give."""
    out = show.heading("Side by side")
    cols = [r.axes[axis] for axis in TITLES]
    sums = [one.alpha.sum(axis=1) for one in cols]              # over the source: (S, N)
    across = [one.alpha.sum(axis=2) for one in cols]            # over the batch: (S, T)
    rows = [["softmax over", *TITLES.values()],
            ["sum of a_t over the source", *map(between, sums)],
            ["sum of a_t over the batch", *map(between, across)],
            ["gradient of W_s, W_h, v", *(f"{one.score_gradient:.1e}" if one.score_gradient else "0" for one in cols)],
            ["batch neighbours matter", *(f"by {one.neighbour:.2f}" if one.neighbour > 1e-9 else "no"
                                          for one in cols)]]
    for n in (1, 30, 60, EPOCHS):
        rows += [[f"loss in epoch {n}", *(show.number(one.losses[n - 1], 4) for one in cols)]]
    rows += [["held-out sequences right", *(f"{one.exact:.0%}" for one in cols)]]
    out += show.table(rows)
    out += show.remark("dim=2: c_t is the plain sum of all h_i, the same at every step t. Attention looks "
                       "nowhere, and its weights never learn: their gradient is exactly 0. dim=1: the "
                       "examples of a batch compete for each position, so an answer depends on which "
                       "others are in its batch (logits move when these are replaced). dim=0: a "
                       "distribution over the source for each example.")
    return out


def attention_lines(r):
    """The attention weights of one sequence."""
    out = show.heading("a_t of one held-out sequence (rows: t = 1..; columns: source i = 1..)")
    maps = [r.axes[axis].alpha[:, :, 0] for axis in TITLES]
    for title, a in zip(TITLES.values(), maps):
        out += [f"  {title}"] + show.table([[show.number(x, 2) for x in row] for row in a], "    ")
    out += ["  The last row belongs to EOS."]
    return out


def score_lines(r):
    """The printed score does not depend on the state."""
    out = show.heading("Another slip: the printed score cannot see the decoder")
    out += show.remark("attention_layer is linear, without tanh, on [h_i; s]: its score is w_h · h_i + w_s · "
                       "s. The second part is the same for every i, and a softmax does not see what is added "
                       "to all. Two random states s, the right axis:")
    out += [f"    s = {name}: a = {show.vector(a)}" for name, a in zip(("first ", "second"), r.linear_alpha)]
    out += ["  The tanh of D3.3 is what lets s_t choose."]
    return out


def other_slips(r):
    """Slips of the listing that the example does not run."""
    out = show.heading("Other slips of the listing")
    out += show.slip("nn.RNN returns (outputs, last state); the listing takes the pair for a tensor. The "
                     "encoder's last state reaches nobody: the decoder gets `hidden`, whatever the caller "
                     "had.")
    out += show.slip("nn.RNN(hidden_size, output_size) makes the decoder's state as large as the output, but "
                     "`hidden` has hidden_size entries. y_{t-1} is not an input. There is no readout.")
    out += show.slip("cat((encoded, hidden), dim=2) joins (T, N, H) with (1, N, H): possible for T = 1 only. "
                     "bmm takes three axes; it is given four.")
    out += show.slip("train calls model(src, src_len, trg, trg_len) where forward takes (x, hidden), and "
                     "takes the first two results for loss and weights, where forward returns output and "
                     "state. criterion is never called.")
    return out


def report(r):
    """Result -> lines."""
    out = ["W7  The softmax over the wrong axis   (document D §4)"]
    out += show.remark(f"The model of D §3.3: tanh RNN encoder and decoder of {H} units, additive score, "
                       f"readout from [s_t; c_t]. Task: {LENGTH} random symbols out of {V - 4}, to be said "
                       f"last one first. `train` is "
                       "the document's function: it returns the mean loss of an epoch and the attention "
                       "weights. "
                       f"Gradient descent (momentum 0.9, step {STEP}, gradients clipped at {CLIP:g}), "
                       f"{EPOCHS} epochs of {BATCHES} new batches of {N}. "
                       "Same start, same data; only the axis of the softmax differs.")
    out += formula_lines(r)
    out += side_by_side(r)
    out += attention_lines(r)
    out += score_lines(r)
    out += other_slips(r)
    out += show.look_next(("minis2s/layers/attention/attend.py", "(A1) (A2)", "softmax, axis 0, masked"),
                          ("minis2s/layers/attention/additive.py", "(AB1)..(AB3)", "the score"),
                          ("minis2s formulas D3.3", "", "as printed, as intended"))
    return out


if __name__ == "__main__":
    show.main(globals())
