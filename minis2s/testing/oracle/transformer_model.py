"""The whole Transformer, one example: sub-layers, encoder, decoder, loss.  See minis2s/model/transformer*.py.

A model is a dict:
    norm           "pre" or "post": where the norm of a sub-layer is
    heads          number of heads
    phi            "relu" or "gelu"
    encoder        {"embedding": V x D, "positions": learned rows or None, "layers": list, "norm": (g, b) or None}
    decoder        the same
    readout        (W, b)
A layer is a dict of sub-layers, "attention", "feed_forward" and in the decoder "cross"; a sub-layer is a dict with
"norm": (g, b), "f": its weights in the order of `multi_head` or `feed_forward`, and "drop": the rows of the dropout
mask of this example, or None.  The dict of the encoder and of the decoder has a "drop", too, of its inputs.
"""
from .layers import linear
from .loss import cross_entropy
from .transformer import feed_forward, inputs, layer_norm, multi_head, residual, see_past, see_real


def self_attention(m, p, xs, seen):
    """(TS1) z = attend(u, keys and values of u): every position reads its own sequence."""
    def attend(us):
        return multi_head(*p["f"], m["heads"], us, us, seen)[0]                        # (TS1)
    return residual(m["norm"], *p["norm"], xs, attend, p["drop"])


def cross_attention(m, p, xs, hs, seen):
    """(TS2) z = attend(u, keys and values of the encoder's states)."""
    def attend(us):
        return multi_head(*p["f"], m["heads"], us, hs, seen)[0]                        # (TS2)
    return residual(m["norm"], *p["norm"], xs, attend, p["drop"])


def feed_forward_sublayer(m, p, xs):
    """(TS3) z = feed_forward(u), every position by itself."""
    def feed(us):
        return [feed_forward(*p["f"], u, m["phi"]) for u in us]                        # (TS3)
    return residual(m["norm"], *p["norm"], xs, feed, p["drop"])


def final_norm(p, xs):
    """The norm after the last layer; p is None with post-norm."""
    return xs if p is None else [layer_norm(*p, x) for x in xs]


def transformer_encoder(m, ids, mask):
    """T token ids, their mask -> hs (T rows).

    (TE1) x = m (positions of E[id])
    (TE2) x = self-attention(x), each layer
    (TE3) x = feed-forward(x), each layer
    (TE4) hs = norm(x), pre-norm only
    """
    side = m["encoder"]
    xs = inputs(side["embedding"], side["positions"], ids, side["drop"])               # (TE1)
    for layer in side["layers"]:
        xs = self_attention(m, layer["attention"], xs, see_real(mask))                 # (TE2)
        xs = feed_forward_sublayer(m, layer["feed_forward"], xs)                       # (TE3)
    return final_norm(side["norm"], xs)                                                # (TE4)


def transformer_decoder(m, hs, mask, ids):
    """S input ids, the encoder's states and their mask -> S lists of V logits.

    (TD1) x = m (positions of E[y_{t-1}])
    (TD2) x = self-attention(x), causal, each layer
    (TD3) x = cross-attention(x, source), each layer
    (TD4) x = feed-forward(x), each layer
    (TD5) r = norm(x), pre-norm only
    (TD6) logits = r W + b
    """
    side = m["decoder"]
    xs = inputs(side["embedding"], side["positions"], ids, side["drop"])               # (TD1)
    for layer in side["layers"]:
        xs = self_attention(m, layer["attention"], xs, see_past)                       # (TD2)
        xs = cross_attention(m, layer["cross"], xs, hs, see_real(mask))                # (TD3)
        xs = feed_forward_sublayer(m, layer["feed_forward"], xs)                       # (TD4)
    rs = final_norm(side["norm"], xs)                                                  # (TD5)
    W, b = m["readout"]
    return [linear(W, b, r) for r in rs]                                               # (TD6)


def transformer(m, source, mask, ids):
    """Logits of all steps: source ids and their mask, S input ids -> S lists of V logits.

    (TM1) hs = encoder(source)
    (TM2) keys and values of every decoder layer come from hs
    (TM3) logits = decoder(inputs)
    """
    hs = transformer_encoder(m, source, mask)                                          # (TM1)
    return transformer_decoder(m, hs, mask, ids)                                       # (TM2) (TM3)


def transformer_loss(logits, targets, mask, eps=0.0):
    """(TM4) L = loss(logits, targets), as for any other model: logits are S x N x V, targets and mask S x N."""
    return cross_entropy(logits, targets, mask, eps)                                   # (TM4)
