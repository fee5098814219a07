"""A Transformer's parameters handed to the scalar oracle, one example at a time.  No equation stands here."""
from scalar_model import lists

from minis2s.testing import oracle
from minis2s.testing import oracle_transformer as scalar


def rows(m, n):
    """The mask of dropout of example n, or None."""
    return None if m is None else m[:, n].tolist()


def around(config, p, xs, m, f):
    """A sub-layer of parameters p, whose function of the rows is f."""
    return scalar.residual(config.norm, *lists(p.norm), xs, f, m)


def heads(p, h, xs, ys, seen):
    return scalar.multi_head(*lists(p.q), p.k.tolist(), *lists(p.v), *lists(p.o), h, xs, ys, seen)[0]


def feed_forward(config, p, xs, m):
    return around(config, p, xs, m, lambda us: [
        scalar.feed_forward(*lists(p.f.hidden), *lists(p.f.out), u, config.feed_forward_activation) for u in us])


def stack(config, p, drops, n, ids, layer):
    """One side: `layer` is a function (parameters, rows, masks) -> rows."""
    table = None if p.positions is None else p.positions.tolist()
    xs = scalar.inputs(p.embedding.tolist(), table, ids, rows(drops and drops.inputs, n))
    for i, q in enumerate(p.layers):
        masks = [rows(m, n) for m in drops.layers[i]] if drops else [None] * 3
        xs = layer(q, xs, masks)
    return xs if p.norm is None else [scalar.layer_norm(*lists(p.norm), x) for x in xs]


def model(p, config, batch, n, drops=None, fed=None):
    """Logits (S lists of V) of example n."""
    c, h = config, config.heads
    real = scalar.see_real(batch.source_mask[:, n].tolist())

    def encoder_layer(q, xs, m):
        xs = around(c, q.attention, xs, m[0], lambda us: heads(q.attention.f, h, us, us, real))
        return feed_forward(c, q.feed_forward, xs, m[1])

    def decoder_layer(q, xs, m):
        xs = around(c, q.attention, xs, m[0], lambda us: heads(q.attention.f, h, us, us, scalar.see_past))
        xs = around(c, q.cross, xs, m[1], lambda us: heads(q.cross.f, h, us, hs, real))
        return feed_forward(c, q.feed_forward, xs, m[2])

    hs = stack(c, p.encoder, drops and drops.encoder, n, batch.source[:, n], encoder_layer)
    ids = batch.inputs[:, n] if fed is None else fed[:, n]
    rs = stack(c, p.decoder, drops and drops.decoder, n, ids, decoder_layer)
    W = (p.decoder.embedding.T if c.tied_embedding else p.decoder.readout.W).tolist()
    return [oracle.linear(W, p.decoder.readout.b.tolist(), r) for r in rs]
