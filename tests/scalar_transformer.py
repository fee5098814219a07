"""A Transformer's parameters handed to the scalar oracle, one example at a time.  No equation stands here."""
from minis2s.testing.oracle import transformer_model as scalar
from scalar_model import lists


def rows(m, n):
    """The mask of dropout of example n, or None."""
    return None if m is None else m[:, n].tolist()


def sublayer(p, weights, m):
    return dict(norm=lists(p.norm), f=weights, drop=m)


def attention(p, m):
    f = p.f
    return sublayer(p, [*lists(f.q), f.k.tolist(), *lists(f.v), *lists(f.o)], m)


def feed_forward(p, m):
    return sublayer(p, [*lists(p.f.hidden), *lists(p.f.out)], m)


def encoder_layer(p, m):
    return dict(attention=attention(p.attention, m[0]), feed_forward=feed_forward(p.feed_forward, m[1]))


def decoder_layer(p, m):
    return dict(attention=attention(p.attention, m[0]), cross=attention(p.cross, m[1]),
                feed_forward=feed_forward(p.feed_forward, m[2]))


def side(p, drops, n, layer):
    """The encoder's or the decoder's parameters, with the masks of example n."""
    masks = [[rows(m, n) for m in one] for one in drops.layers] if drops else [[None] * 3] * len(p.layers)
    return dict(embedding=p.embedding.tolist(), positions=None if p.positions is None else p.positions.tolist(),
                layers=list(map(layer, p.layers, masks)), norm=None if p.norm is None else lists(p.norm),
                drop=rows(drops and drops.inputs, n))


def oracle_model(p, config, n, drops=None):
    """The parameters as the dict that oracle/transformer_model.py describes."""
    W = p.decoder.embedding.T if config.tied_embedding else p.decoder.readout.W
    return dict(norm=config.norm, heads=config.heads, phi=config.feed_forward_activation,
                encoder=side(p.encoder, drops and drops.encoder, n, encoder_layer),
                decoder=side(p.decoder, drops and drops.decoder, n, decoder_layer),
                readout=(W.tolist(), p.decoder.readout.b.tolist()))


def model(p, config, batch, n, drops=None, fed=None):
    """Logits (S lists of V) of example n."""
    ids = batch.inputs if fed is None else fed
    return scalar.transformer(oracle_model(p, config, n, drops), batch.source[:, n], batch.source_mask[:, n].tolist(),
                              ids[:, n])
