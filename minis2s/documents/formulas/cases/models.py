"""Cases of whole models: the output is the loss, the gradient that of every parameter."""
import numpy as np

from ....core import tree
from ....data.batches import make_batch
from ....model import seq2seq
from ....model.config import Config
from ....testing import oracle as scalar
from .case import Case, fields, lengths, like, naive_cell
from .heads import summed_loss


def model(oracle, free=False, **choices):
    """seq2seq.forward and backward; oracle(p, xs, ys, zero) -> the states s_1..s_S of one example."""

    def draw(rng, z):
        V = max(5, z.V)
        config = Config(
            source_vocab=V, target_vocab=V, hidden=z.H, dtype="float64", **{"embedding": z.D, **choices}
        )
        sources = [rng.integers(4, V, n).tolist() for n in lengths(rng, z)]
        targets = [rng.integers(4, V, rng.integers(0, z.S)).tolist() for _ in range(z.N - 1)]
        batch = make_batch(sources, [rng.integers(4, V, z.S - 1).tolist(), *targets])
        teacher = np.zeros(batch.inputs.shape, dtype=bool) if free else None
        M = batch.target_mask.sum()

        def forward(p):
            L, _, k = seq2seq.forward(p, config, batch, teacher)
            return fields(L=L * M), k

        def backward(p, k, d):
            return tree.map(lambda g: d.L * M * g, seq2seq.backward(p, config, k))

        def answer(p):
            total, q = 0.0, seq2seq.untie(p, config)
            for n in range(z.N):
                xs = [
                    scalar.embed(p.encoder.embedding.tolist(), i)
                    for i in batch.source[batch.source_mask[:, n], n]
                ]
                real = batch.target_mask[:, n]
                ys = [scalar.embed(p.decoder.embedding.tolist(), i) for i in batch.inputs[real, n]]
                ids = batch.targets[real, n].tolist()
                W_y, b_y = readout_of(q)
                logits = [scalar.linear(W_y, b_y, s) for s in oracle(q, xs, ys, [0.0] * z.H)]
                total += summed_loss(scalar.e3_3, logits, ids, ids)
            return fields(L=total)

        return Case(like(rng, z, seq2seq.init(config, 0)), forward, backward, answer)

    return draw


def readout_of(p):
    return p.decoder.readout.W.tolist(), p.decoder.readout.b.tolist()


def a3_2_oracle(p, xs, ys, zero):
    """BOS is read first, as in the library; then the document's loop: say a word, read it."""
    W_y, b_y = readout_of(p)
    cell = naive_cell("rnn", p.decoder.layers[0])
    _, context = scalar.a3_1(naive_cell("rnn", p.encoder.layers[0]), xs, zero)
    context = cell(ys[0], context)
    _, after = scalar.a3_2(
        cell, lambda ctx, ys: scalar.linear(W_y, b_y, ctx), p.decoder.embedding.tolist(), context, len(ys)
    )
    return [context, *after[:-1]]


def a4_4_oracle(p, xs, ys, zero):
    (enc,), (dec,) = p.encoder.layers, p.decoder.layers
    _, s = scalar.a3_1(naive_cell("rnn-sigmoid", enc), xs, zero)
    ss = []
    for y_prev in ys:
        s = naive_cell("rnn-sigmoid", dec)(y_prev, s)
        ss.append(s)
    return ss


def c2_2_oracle(p, xs, ys, zero):
    encoder, decoder_cell = naive_cell("rnn", p.encoder.layers[0]), naive_cell("rnn", p.decoder.layers[0])
    ps, ss = scalar.c2_2(encoder, decoder_cell, *readout_of(p), xs, zero, ys)
    assert ps == [scalar.b4_2o(*readout_of(p), s) for s in ss]   # what `model` will do with them
    return ss


def d3_s_oracle(p, xs, ys, zero):
    return scalar.d3_s(naive_cell("rnn", p.encoder.layers[0]), xs, ys, zero)[1]


a3_2 = model(a3_2_oracle, free=True, cell="rnn", attention="none")
a4_4 = model(a4_4_oracle, cell="rnn-sigmoid", attention="none")
c2_2 = model(c2_2_oracle, cell="rnn", attention="none", context="every-step", fusion="none")
d3_s = model(d3_s_oracle, cell="rnn", attention="none", tied_cells=True)
