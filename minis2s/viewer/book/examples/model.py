"""Bridge, loss, the decoder, and a whole recurrent model."""
import numpy as np

from ....core import tree
from ....data.batches import make_batch
from ....layers import frame_output, linear, loss
from ....layers.attention import SCORES, precompute_keys, precompute_keys_backward
from ....layers.cells import rnn
from ....model import bridge, decoder, encoder, seq2seq
from ....model.config import Config
from ....testing import oracle
from .example import Example, lengths, normal
from .transformer import params_of

H, E, T, V = 2, 2, 2, 5


def bridged(v):
    """The encoder's last state through a map of its own."""
    return {"s_0": [oracle.bridge(v["W"], v["b"], v["f"][0])]}


def dense(v):
    """The library's."""
    s0, k = bridge.forward((rnn.State(linear.Params(v["W"], v["b"])),), "dense", (rnn.State(v["f"]),))
    return {"s_0": s0[0].h}, k


def dense_back(v, k, d):
    """Its derivative."""
    df, g = bridge.backward((rnn.State(linear.Params(v["W"], v["b"])),), "dense", k, (rnn.State(d["s_0"]),))
    return {"f": df[0].h, "W": g[0].h.W, "b": g[0].h.b}


def entropy(v):
    """Two target tokens, 2 and 0, of three; the label smoothing is 0.1."""
    return {"L": oracle.cross_entropy(v["logits"], [[2], [0]], [[True], [True]], 0.1)}


IDS, REAL = np.array([[2, 0, 1], [0, 1, 1]]), np.array([[True, True, True], [True, True, False]])


def frames(v):
    """Two steps of two frames of two numbers; the last step has one frame."""
    return {"L": oracle.frames_loss(v["out"], [[[0.5, -1.0, 0.2, 0.3]], [[-0.4, 1.0, 0.0, 0.0]]],
                                    [[[True, True]], [[True, False]]])}


WANTED = np.array([[[0.5, -1.0, 0.2, 0.3]] * 3, [[-0.4, 1.0, 0.0, 0.0]] * 3])
HEARD = np.array([[[True, True]] * 3, [[True, False]] * 3])


def frame_losses(v):
    """The library's loss of frames."""
    N = v["out"].shape[1]
    L, k = frame_output.forward(v["out"], WANTED[:, :N], HEARD[:, :N])
    return {"L": L}, k


def losses(v):
    """The library's."""
    N = v["logits"].shape[1]
    L, k = loss.forward(v["logits"], IDS[:, :N], REAL[:, :N], 0.1)
    return {"L": L}, k


def stacked(v):
    """Two layers of a plain RNN over the tokens 2 and 0, with a path around the second."""
    def layer(W, U, b):
        return lambda xs, mask: oracle.unroll(lambda x, h: oracle.rnn_step(W, U, b, x, h), xs, [0.0, 0.0], mask)
    m = {"residual": True, "encoder": {"embedding": v["E"], "layers": [
        layer(v["W_1"], v["U_1"], v["b_1"]), layer(v["W_2"], v["U_2"], v["b_2"])]}}
    hs, _ = oracle.encode(m, [2, 0], [True, True])
    return {"hs": [[h] for h in hs]}


def encoder_params(v):
    """encoder.Params."""
    return encoder.Params(v["E"], tuple(rnn.Params(v[f"W_{i}"], v[f"U_{i}"], v[f"b_{i}"]) for i in (1, 2)))


def stack(v):
    """The library's."""
    hs, finals, k = encoder.forward(encoder_params(v), rnn, np.array([[2], [0]]), np.ones((2, 1), bool), None, True)
    return {"hs": hs}, (k, finals)


def stack_back(v, cache, d):
    """Its derivative."""
    k, finals = cache
    g = encoder.backward(encoder_params(v), rnn, k, d["hs"], tree.zeros_like(finals), True)
    return {"E": g.embedding, **{f"{key}_{i + 1}": a for i, layer in enumerate(g.layers)
                                 for key, a in layer._asdict().items()}}


def draw_stack(rng, N):
    """A table of embeddings and the parameters of two layers."""
    return {"E": normal(rng, 3, H), **{f"{key}_{i}": normal(rng, *shape) for i in (1, 2)
                                       for key, shape in (("W", (H, H)), ("U", (H, H)), ("b", (H,)))}}


def decode_before(v):
    """Two steps: attention before the cell, its context and the fused state are fed to it; tanh fusion."""
    hs = [h[0] for h in v["hs"]]
    m = {"decoder": {"embedding": v["embedding"],
                     "cells": [lambda x, h: oracle.rnn_step(v["W"], v["U"], v["b"], x, h)]},
         "residual": False, "order": "before", "in_cell": True, "feeding": True, "read_context": False,
         "drop_output": None,
         "fuse": lambda s, ctx: oracle.fuse_tanh(s, ctx, v["W_fusion"]), "readout": (v["W_y"], v["b_y"])}

    def attend(s):
        return oracle.context(oracle.attention_weights(oracle.score_dot(s, hs)), hs)
    states, z, logits = [v["s_0"][0]], [0.0, 0.0], []
    for y in (1, 4):
        row, states, z, _ = oracle.decoder_step(m, attend, y, states, None, z)
        logits.append([row])
    return {"logits": logits}


def decode_after(v):
    """Two steps: attention after the cell; state and context are added, and the context is read out, too."""
    hs = [h[0] for h in v["hs"]]
    m = {"decoder": {"embedding": v["embedding"],
                     "cells": [lambda x, h: oracle.rnn_step(v["W"], v["U"], v["b"], x, h)]},
         "residual": False, "order": "after", "in_cell": False, "feeding": False, "read_context": True,
         "drop_output": None,
         "fuse": lambda s, ctx: oracle.fuse_add(s, ctx), "readout": (v["W_y"], v["b_y"])}

    def attend(s):
        return oracle.context(oracle.attention_weights(oracle.score_dot(s, hs)), hs)
    states, logits = [v["s_0"][0]], []
    for y in (1, 4):
        row, states, _, _ = oracle.decoder_step(m, attend, y, states, None, None)
        logits.append([row])
    return {"logits": logits}


IDS_FED = np.array([[1, 1, 1], [4, 2, 4]])


def decoder_of(name, live, **choices):
    """The library's decoder over two steps of a target."""
    config = Config(source_vocab=V, target_vocab=V, embedding=E, hidden=H, cell="rnn", attention="dot",
                    dtype="float64", **choices)

    def params(v):
        from ....layers import fusion
        fuse = fusion.Params(v["W_fusion"]) if "W_fusion" in v else None
        return decoder.Params(v["embedding"], (rnn.Params(v["W"], v["U"], v["b"]),), SCORES["dot"].Params(), fuse,
                              linear.Params(v["W_y"], v["b_y"]))

    def draw(rng, N):
        p = decoder.init(rng, config)
        arrays = {"embedding": p.embedding, **p.layers[0]._asdict(), "W_y": p.readout.W, "b_y": p.readout.b}
        if p.fusion:
            arrays["W_fusion"] = p.fusion.W
        return {"hs": normal(rng, T, N, H), "s_0": normal(rng, N, H),
                **{key: normal(rng, *a.shape) for key, a in arrays.items()}}

    def source_of(v):
        N = v["s_0"].shape[0]
        memory = precompute_keys(SCORES["dot"], SCORES["dot"].Params(), v["hs"], lengths(T, N))
        return decoder.EncoderOutput(memory, None)

    def forward(v):
        ids = IDS_FED[:, :v["s_0"].shape[0]]
        logits, k = decoder.forward(params(v), config, source_of(v), (rnn.State(v["s_0"]),), ids)
        return {"logits": logits}, k

    def backward(v, k, d):
        source = source_of(v)
        g, (ds,), dsource = decoder.backward(params(v), config, source, k, d["logits"])
        dhs, _ = precompute_keys_backward(SCORES["dot"], SCORES["dot"].Params(), source.memory, dsource.memory)
        found = {"hs": dhs, "s_0": ds.h, "embedding": g.embedding, **g.layers[0]._asdict(), "W_y": g.readout.W,
                 "b_y": g.readout.b}
        return found | ({"W_fusion": g.fusion.W} if g.fusion else {})
    also = {"(D1*)": {"ds_0": "ds_0", "dhs": "dhs"}} if "before" in name else {"(D4*)": {"dhs": "dhs"}}
    return Example(name, draw, live, forward, backward, also=also)


def whole(v):
    """Encoder, bridge, decoder with dot attention, loss; the source 4 3, the answer 4."""
    def encode(xs, mask):
        states, last = oracle.unroll(
            lambda x, h: oracle.rnn_step(v["encoder.layers.0.W"], v["encoder.layers.0.U"], v["encoder.layers.0.b"],
                                         x, h),
            xs, [0.0, 0.0], mask)
        return states, last

    def decoder(x, h):
        return oracle.rnn_step(v["decoder.layers.0.W"], v["decoder.layers.0.U"], v["decoder.layers.0.b"], x, h)
    m = {"residual": False, "encoder": {"embedding": v["encoder.embedding"], "layers": [encode]},
         "bridge": lambda finals: [oracle.bridge(v["bridge.0.h.W"], v["bridge.0.h.b"], finals[0])],
         "attention": lambda s, hs, mask: oracle.context(oracle.attention_weights(oracle.score_dot(s, hs), mask), hs),
         "every_step": False, "order": "after", "in_cell": False, "feeding": False,
         "decoder": {"embedding": v["decoder.embedding"], "cells": [decoder]}, "fuse": oracle.fuse_add,
         "read_context": False, "readout": (v["decoder.readout.W"], v["decoder.readout.b"]), "drop_output": None}
    return {"L": oracle.batch_loss([(m, [4, 3], [True, True], [1, 4], [4, 2], [True, True])])}


CONFIG = Config(source_vocab=V, target_vocab=V, embedding=E, hidden=H, cell="rnn", attention="dot", fusion="sum",
                bridge="dense", dtype="float64")
SOURCES, TARGETS = ([4, 3],), ([4],)


def template():
    """Parameters of the form of the model's."""
    return seq2seq.init(CONFIG, 0)


def modelled(v):
    """The library's loss."""
    batch = make_batch(list(SOURCES[:1]), list(TARGETS[:1]))
    L, _, k = seq2seq.forward(params_of(v, template()), CONFIG, batch)
    return {"L": L}, k


def modelled_back(v, k, d):
    """The library's gradient."""
    g = seq2seq.backward(params_of(v, template()), CONFIG, k)
    return {name: d["L"] * a for name, a in tree.named(g)}


EXAMPLES = (
    Example("bridge", lambda rng, N: {"f": normal(rng, N, 3), "W": normal(rng, 3, H), "b": normal(rng, H)}, bridged,
            dense, dense_back),
    Example("recurrent", draw_stack, stacked, stack, stack_back, also={"(RC1*)": {"dE": "dE"}}),
    decoder_of("decoder before", decode_before, attention_order="before", fusion="tanh", input_feeding=True),
    decoder_of("decoder after", decode_after, attention_order="after", fusion="sum", readout="state-context"),
    Example("frame_output", lambda rng, N: {"out": normal(rng, 2, N, 5)}, frames, frame_losses,
            lambda v, k, d: {"out": d["L"] * frame_output.backward(k)}),
    Example("loss", lambda rng, N: {"logits": normal(rng, 2, N, 3)}, entropy, losses,
            lambda v, k, d: {"logits": d["L"] * loss.backward(k)}),
    Example("seq2seq", lambda rng, N: {name: normal(rng, *a.shape) for name, a in tree.named(template())}, whole,
            modelled, modelled_back),
)
