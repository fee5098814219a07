"""The library's parameters handed to the scalar oracle, one example at a time.

Arrays become lists, packed gates become dicts.  No equation stands here: all are in the oracle.
"""

from minis2s.documents.formulas.cases.case import (  # noqa: F401  tests take it from here
    naive_cell as cell, state_of as state
)
from minis2s.layers.recurrent import Bidirectional
from minis2s.testing import oracle


def lists(t):
    """A tuple of arrays -> a list of nested lists."""
    return [a.tolist() for a in t]


def pack(parts):
    """[h] -> h, [h, c] -> (h, c)."""
    return parts[0] if len(parts) == 1 else tuple(parts)


def parts(s):
    """h -> [h], (h, c) -> [h, c]."""
    return list(s) if isinstance(s, tuple) else [s]


def zero_state(name, H):
    return pack([[0.0] * H] * (2 if name == "lstm" else 1))


def score(name, p):
    """A score as the oracle wants it: a function (s, hs) -> e."""
    f = {"dot": oracle.score_dot, "scaled": oracle.score_scaled_dot, "general": oracle.score_general,
         "additive": oracle.score_additive, "concat-dot": oracle.score_concat_dot}[name]
    return lambda s, hs: f(s, hs, *lists(p))


def drop(x, m, n):
    return x if m is None else oracle.dropout(x, m[n].tolist())


def stack(name, layers, xs, mask, drops, n):
    """recurrent.forward of example n: xs (lists) -> hs, and each layer's final state, directions joined."""
    finals = []
    for p, m in zip(layers, drops):
        xs = [drop(x, m, n) for x in xs]
        if isinstance(p, Bidirectional):
            zero = zero_state(name, len(p.forward.U))
            (fw, fw_last), (bw, bw_last) = oracle.bidirectional(
                cell(name, p.forward), cell(name, p.backward), xs, zero, zero, mask)
            xs = [oracle.concat(oracle.h_of(f), oracle.h_of(b)) for f, b in zip(fw, bw)]
            finals.append(pack([oracle.concat(f, b) for f, b in zip(parts(fw_last), parts(bw_last))]))
        else:
            states, last = oracle.unroll(cell(name, p), xs, zero_state(name, len(p.U)), mask)
            xs = [oracle.h_of(s) for s in states]
            finals.append(last)
    return xs, finals


def bridge(kind, p, finals, H):
    """The decoder's initial states of one example."""
    if kind == "copy":
        return finals
    if kind == "zeros":
        return [pack([[0.0] * H for _ in parts(f)]) for f in finals]
    return [pack([oracle.bridge(*lists(q), part) for q, part in zip(layer, parts(f))])
            for layer, f in zip(p, finals)]


def fuse(kind, p, s, ctx):
    if kind == "none":
        return s
    if kind in ("concat", "sum"):
        return {"concat": oracle.fuse_concat, "sum": oracle.fuse_add}[kind](s, ctx)
    return {"sigmoid": oracle.fuse_sigmoid, "tanh": oracle.fuse_tanh}[kind](s, ctx, p.W.tolist())


def dropped(f, m, n):
    """A cell whose input loses the units that the mask drops."""
    return lambda x, s: f(drop(x, m, n), s)


def first(p):
    """What makes the encoder's first inputs: a table of token embeddings, or (W, b) for frames."""
    return tuple(lists(p)) if isinstance(p, tuple) else p.tolist()


def oracle_model(p, config, n, drops=None):
    """The parameters as the dict that oracle/model.py describes, with the dropout masks of example n."""
    c, name, dec = config, config.cell, p.decoder
    layers = p.encoder.layers if c.tied_cells else dec.layers
    W = dec.embedding.T if c.tied_embedding else dec.readout.W
    enc_drops, dec_drops, out_drop = drops or ([None] * c.layers, [None] * c.layers, None)

    def layer(q, m):
        def run(xs, mask):
            hs, (final,) = stack(name, [q], xs, mask, [m], n)
            return hs, final
        return run

    def attend(s, hs, mask):
        e = score(c.attention, dec.score)(s, hs)
        return oracle.context(oracle.attention_weights(e, mask), hs)
    attention = c.context == "attention"
    return dict(
        residual=c.residual,
        encoder=dict(embedding=first(p.encoder.embedding), layers=list(map(layer, p.encoder.layers, enc_drops))),
        bridge=lambda finals: bridge(c.bridge, p.bridge, finals, c.hidden),
        attention=attend if attention else None,
        every_step=c.context == "every-step",
        order=c.attention_order, in_cell=c.context == "every-step" or c.attention_order == "before",
        feeding=c.input_feeding, frame_size=c.target_frame_size,
        decoder=dict(embedding=first(dec.embedding),
                     cells=[dropped(cell(name, q), m, n) for q, m in zip(layers, dec_drops)]),
        fuse=lambda s, ctx: fuse(c.fusion, dec.fusion, s, ctx),
        read_context=c.readout == "state-context",
        readout=(W.tolist(), dec.readout.b.tolist()),
        drop_output=None if out_drop is None else out_drop[n].tolist())


def loss(config, logits, batch):
    """The loss of logits (S, N, ...), as nested lists, by the oracle."""
    targets, mask = batch.targets.tolist(), batch.target_mask.tolist()
    if config.target == "frames":
        return oracle.frames_loss(logits, targets, mask, config.frame_error)
    return oracle.cross_entropy(logits, targets, mask, config.label_smoothing)


def model(p, config, batch, n, teacher=None, drops=None):
    """Logits (S lists of V) of example n, for the whole model."""
    return oracle.seq2seq(oracle_model(p, config, n, drops), batch.source[:, n].tolist(), batch.inputs[:, n].tolist(),
                          batch.source_mask[:, n].tolist(), None if teacher is None else teacher[:, n],
                          [0.0] * config.fused_size)
