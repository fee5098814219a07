"""W4, document B 5.2: the RepeatVector autoencoder on 100 x [1, 2, 3, 4, 5], padded to 40.

It shows part P3: one vector for the whole sequence, repeated S times as the decoder's input, two stacked
LSTMs, one dense layer for all steps.  And part P6: 35 of 40 positions are padding; a loss that counts them
looks great and means nothing.
"""
from typing import NamedTuple

import numpy as np

from ...core import tree
from ...data.vocabulary import PAD
from ...layers import embedding, linear, loss, recurrent
from ...layers.cells import lstm
from ...training import optimizers
from . import show

TITLE, WHERE = "the RepeatVector autoencoder: padding flatters the loss", "B §5.2"

ROW, COPIES, S = [1, 2, 3, 4, 5], 100, 40                       # as printed; id 0 is padding
V, E, H = 6, 8, 24                                              # document: 10000, 256, 128
EPOCHS, BATCH, STEP = 10, 32, 0.001                             # as printed; the step is RMSprop's usual one
LONGER = 40                                                     # epochs after which the row is learned


class Params(NamedTuple):
    embedding: np.ndarray      # (V, E)
    encoder: tuple             # of one lstm.Params
    decoder: tuple             # of two lstm.Params
    dense: linear.Params       # TimeDistributed(Dense(vocab_size))


class Point(NamedTuple):       # what a model says about the row after some epochs, counted in two ways
    epoch: int
    loss_all: float            # nats per position, all S positions
    accuracy_all: float
    loss_real: float           # nats per real token, padding left out
    accuracy_real: float
    said: list                 # the first eight positions


class Result(NamedTuple):
    shapes: list               # (layer, shape of what comes out)
    error: str                 # what RepeatVector says to a sequence
    counted: list              # of Point: padding read and counted in the loss
    masked: list               # of Point: padding masked
    other: list                # what the masked model says to [5, 4, 3, 2, 1]
    pad_changes: tuple         # how far real positions' logits move with the padding's ids: counted, masked


def repeat_vector(h, S):
    """h (N, H) -> (S, N, H), the same at every step.

    Raises
    ------
    ValueError
        h is not one vector for each example.
    """
    if h.ndim != 2:
        raise ValueError(f"RepeatVector: got {h.ndim} axes, shape {h.shape}; "
                         "wanted 2, one vector for each example")
    return np.repeat(h[None], S, axis=0)


def init(rng):
    """First parameters, float32."""
    p = Params(embedding.init(rng, V, E), (lstm.init(rng, E, H),),
               (lstm.init(rng, H, H), lstm.init(rng, H, H)), linear.init(rng, H, V))
    return tree.map(lambda a: a.astype(np.float32), p)


def forward(p, source, mask):
    """source, mask (T, N) -> logits (S, N, V), cache.  The decoder never reads a token: only the vector."""
    hs, finals, k_encoder = recurrent.forward(lstm, p.encoder, embedding.forward(p.embedding, source), mask)
    vs = repeat_vector(finals[0].h, len(source))
    ss, _, k_decoder = recurrent.forward(lstm, p.decoder, vs, mask)
    return linear.forward(p.dense, ss), (source, hs, finals, k_encoder, k_decoder, ss)


def backward(p, cache, dlogits):
    """-> Params gradients."""
    source, hs, finals, k_encoder, k_decoder, ss = cache
    dss, g_dense = linear.backward(p.dense, ss, dlogits)
    dvs, g_decoder = recurrent.backward(lstm, p.decoder, k_decoder, dss, tree.zeros_like(finals * 2))
    dfinal = lstm.State(dvs.sum(axis=0), np.zeros_like(finals[0].c))        # fork: the vector is read S times
    dxs, g_encoder = recurrent.backward(lstm, p.encoder, k_encoder, np.zeros_like(hs), (dfinal,))
    return Params(embedding.backward(p.embedding, source, dxs), g_encoder, g_decoder, g_dense)


def padded(row, n):
    """n copies of a row, padded at the end: ids (S, n), and True where real."""
    ids = np.full((S, n), PAD)
    ids[:len(row)] = np.array(row)[:, None]
    return ids, np.repeat((np.arange(S) < len(row))[:, None], n, axis=1)


def look(p, epoch, mask):
    """The model's answer to the row, counted with padding and without: -> Point."""
    ids, real = padded(ROW, 1)
    logits, _ = forward(p, ids, mask[:, :1])
    right = logits.argmax(axis=2) == ids
    everywhere = np.ones_like(real)
    return Point(epoch, float(loss.forward(logits, ids, everywhere)[0]), float(right.mean()),
                 float(loss.forward(logits, ids, real)[0]), float(right[real].mean()),
                 logits.argmax(axis=2)[:8, 0].tolist())


def learn(masking, epochs, seed):
    """RMSprop on the 100 rows in batches of 32: -> parameters, Points after some epochs.

    The rows are equal, so a batch's mean gradient is that of one row: one column is enough.  And masked
    positions change nothing, so with masking the arrays are cut to the real ones.
    """
    p = init(np.random.default_rng(seed))
    state = optimizers.start(p)
    ids, real = padded(ROW, 1)
    seen = real if masking else np.ones_like(real)
    points = [look(p, 0, seen)]
    ids, mask = ids[:seen.sum()], seen[:seen.sum()]
    for epoch in range(1, epochs[-1] + 1):
        for _ in range(-(-COPIES // BATCH)):
            logits, cache = forward(p, ids, mask)
            _, k = loss.forward(logits, ids, mask)
            p, state = optimizers.rmsprop(p, backward(p, cache, loss.backward(k)), state, STEP)
        if epoch in epochs:
            points.append(look(p, epoch, seen))
    return p, points


def pad_change(p, masking):
    """How far the logits of the real positions move when the padding holds another id."""
    ids, real = padded(ROW, 1)
    mask = real if masking else np.ones_like(real)
    other = np.where(real, ids, 3)
    return float(abs(forward(p, ids, mask)[0] - forward(p, other, mask)[0])[real].max())


def run(seed=0):
    """Train with padding counted, and with padding masked: -> Result."""
    p, counted = learn(False, [1, EPOCHS, LONGER], seed)
    q, masked = learn(True, [1, EPOCHS, LONGER], seed)
    ids, real = padded([5, 4, 3, 2, 1], 1)
    other = forward(q, ids, real)[0].argmax(axis=2)[:5, 0].tolist()
    batch, everywhere = padded(ROW, BATCH)
    logits, (_, hs, finals, _, _, ss) = forward(p, batch, everywhere)
    vs, x = repeat_vector(finals[0].h, S), embedding.forward(p.embedding, batch)
    shapes = [("Input", batch.shape), ("Embedding", x.shape), ("LSTM, all states", hs.shape),
              ("LSTM, last state", finals[0].h.shape), ("RepeatVector", vs.shape), ("LSTM", ss.shape),
              ("LSTM", ss.shape), ("TimeDistributed(Dense)", logits.shape)]
    try:
        repeat_vector(hs, S)
        error = ""
    except ValueError as e:
        error = str(e)
    return Result(shapes, error, counted, masked, other, (pad_change(p, False), pad_change(q, True)))


def report(r):
    """Result -> lines."""
    out = ["W4  The RepeatVector autoencoder   (document B §5.2)"]
    out += show.remark(f"input_data = target_data = {COPIES} rows {ROW}, padded at the end to {S}. Here with "
                       f"a vocabulary of {V} (document: 10000), embeddings of {E} (256) and {H} units (128); "
                       f"RMSprop, batches of {BATCH}, {EPOCHS} epochs as printed, then up to {LONGER}.")
    out += show.heading("Why the listing cannot be built: shapes, time first (T, N, ...)      (P3)")
    printed = {"LSTM, all states": "LSTM(return_sequences=True)"}
    rows = [["layer", "comes out"]]
    rows += [[printed.get(name, name), str(shape)] for name, shape in r.shapes[:3]]
    out += show.table(rows) + ["  RepeatVector(40)             refuses:"] + show.remark(r.error, "    ")
    out += show.slip("return_sequences=True hands a whole sequence to RepeatVector, which wants one vector. "
                     "return_sequences=False is meant. Then all fits:")
    fits = r.shapes[:2] + r.shapes[3:]
    out += show.table([["layer", "comes out"], *([name, str(shape)] for name, shape in fits)])
    out += show.remark("The LSTM after RepeatVector stands under “encoder” in the listing; it is the "
                       "decoder's first layer. The decoder reads the same vector at each of the 40 steps and "
                       "never a token: what it has said before, it knows from its own state only.")
    out += show.slip("categorical_crossentropy wants probabilities and one-hot targets (100, 40, 10000). "
                     "Dense has no softmax, and the targets are ids (100, 40). Here: softmax and ids "
                     "(X1..X3).")
    out += show.heading(f"What counting the padding does: {S - len(ROW)} of {S} positions are padding      "
                        f"(P6)")
    rows = [["", "all positions", "", "real tokens", "", "says (first 8)"],
            ["epochs", "loss", "right", "loss", "right", ""]]
    for title, points in (("padding counted, as printed:", r.counted), ("padding masked:", r.masked)):
        out += [f"  {title}"]
        out += show.table(rows + [[x.epoch, show.number(x.loss_all), f"{x.accuracy_all:.1%}",
                                   show.number(x.loss_real), f"{x.accuracy_real:.0%}",
                                   " ".join(map(str, x.said))] for x in points], "    ")
    ten = next(x for x in r.counted if x.epoch == EPOCHS)
    out += show.remark(f"After the {EPOCHS} epochs of the listing its loss has fallen to "
                       f"{ten.loss_all:.2f} and {ten.accuracy_all:.1%} of all positions are right. Of "
                       f"the numbers 1 to 5, {ten.accuracy_real:.0%} are: it says padding. On real "
                       f"tokens its loss, {ten.loss_real:.2f}, compares with ln {V} = {np.log(V):.2f} "
                       f"for guessing blindly.")
    out += show.remark("With masks the loss is that of the real tokens, and falls by learning them. What the "
                       "model says at padded positions is never looked at (hence its poor “all positions”).")
    out += show.remark("Put other ids into the padding, and the real positions' logits move by "
                       f"{r.pad_changes[0]:.2g} without masks, by {r.pad_changes[1]:.2g} with them.")
    out += show.heading("What this data cannot show")
    out += show.remark(f"All {COPIES} rows are equal, so the model need not read. Given [5, 4, 3, 2, 1], the "
                       f"masked model says {r.other}.")
    out += show.look_next(("minis2s/layers/recurrent.py", "", "stacked layers over a whole sequence"),
                          ("minis2s/layers/unroll.py", "(M1)", "a masked step carries the state"),
                          ("minis2s/layers/loss.py", "(X3)", "the sum over real tokens only"),
                          ("minis2s formulas C2.2", "", "the context at every step, with y_{t-1}"))
    return out


if __name__ == "__main__":
    show.main(globals())
