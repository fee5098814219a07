"""The functions of compiled code that Python calls, each with arguments that fit; tests try others that do not."""
import numpy as np

from configs import TRANSFORMERS
from draw import normal
from kernel_layers import Case as Layer
from kernel_models import Case
from kernel_transformers import Case as Transformer
from minis2s.core import tree
from minis2s.kernels.decoding import transformer_hypotheses
from minis2s.kernels.decoding.beam import beam
from minis2s.kernels.layers import (
    attention, copying, embedding, frame_output, loss, readout, readout_copying, recurrent, unroll
)
from minis2s.kernels.linalg import gradients
from minis2s.kernels.model import decoder, seq2seq, transformer
from minis2s.kernels.training import optimizers
from minis2s.layers import linear
from minis2s.layers.attention import SCORES, Memory
from minis2s.layers.frame_output import Cache
from minis2s.model import seq2seq as reference
from minis2s.training.optimizers import start

ATTENTION, EVERY_STEP, COPYING = "concat-dot-before", "every-step-sigmoid", "copying-before"
FRAMES_OUT = "spoken"
# arrays that a door does not read (x: what a layer has read stands in u already), and what it may be given: sizes that
# nothing else says, another dtype of gradients
UNREAD = {"decoder.backward": ("source", "k.ids", "k.buffers.attend.source", "k.buffers.mixing"),
          "embedding.backward": ("E",)}
ALLOWED = {"loss.forward": ("logits: other numbers", "logits: axis 2 longer"),
           "loss.backward": ("k.log_p: other numbers", "k.log_p: axis 2 longer"),
           "weight_gradient": ("x: axis 2", "da: axis 2"), "attention.precompute_keys": ("W_h: axis 1",),
           "decoder.forward": ("ids: axis 0",),
           "frame_output.forward": ("mask: axis 2",), "frame_output.loss_and_gradient": ("mask: axis 2",),
           "frame_output.backward": ("e: axis 3",),
           "copying.forward": ("logits: axis 2",), "copying.backward": ("k.ids: axis 0", "k.log_q: axis 2")}
TRANSFORMER = "dropout-pre", "everything"
CELLS = ("rnn", "lstm", "gru", "gru-after")


def layer(name):
    """-> the two doors of a layer, whose sizes divide by no 16."""
    c = Layer(name, 4, 5, 7, 17, "float64")
    k = unroll.forward(c.cell, c.p, c.xs, c.s0, c.mask)[2]
    states = recurrent.forward(c.cell, (c.p,), c.xs, c.mask)[2]
    return {f"unroll.forward {name}": (lambda p, xs, s0, mask: unroll.forward(c.cell, p, xs, s0, mask),
                                       dict(p=c.p, xs=c.xs, s0=c.s0, mask=c.mask)),
            f"unroll.backward {name}": (lambda p, k, dhs, d, mask: unroll.backward(c.cell, p, k, dhs, d, mask),
                                        dict(p=c.p, k=k, dhs=c.dhs, d=c.d, mask=c.mask)),
            f"recurrent.backward {name}": (lambda p, k, dhs, d: recurrent.backward(
                c.cell, (p,), states._replace(layers=(k,)), dhs, (d,)),
                                           dict(p=c.p, k=states.layers[0], dhs=c.dhs, d=c.d))}


def layers():
    """-> the other doors of layers/ and linalg/."""
    rng = np.random.default_rng(0)
    E, ids, dx = normal(rng, 9, 20), rng.integers(0, 9, (3, 4)), normal(rng, 3, 4, 20)
    mask, logits = np.ones((3, 4), bool), normal(rng, 3, 4, 9)
    k = loss.forward(logits, ids, mask, 0.1)[1]
    score, hs = SCORES["additive"], normal(rng, 3, 4, 18)
    p, keys = score.init(rng, 17, 18, 19), normal(rng, 3, 4, 19)
    readout_p = linear.Params(normal(rng, 20, 9), normal(rng, 9))
    return {
        "embedding.backward": (embedding.backward, dict(E=E, ids=ids, dx=dx)),
        "loss.forward": (loss.forward, dict(logits=logits, targets=ids, mask=mask)),
        "loss.backward": (loss.backward, dict(k=k)),
        "readout.loss_and_gradient": (readout.loss_and_gradient, dict(p=readout_p, rs=dx, targets=ids, mask=mask)),
        "weight_gradient": (gradients.weight_gradient, dict(x=dx, da=logits)),
        "attention.precompute_keys": (
            lambda W_h, hs, mask: attention.precompute_keys(score, p._replace(W_h=W_h), hs, mask),
            dict(W_h=p.W_h, hs=hs, mask=mask)),
        "attention.precompute_keys_backward": (
            lambda W_h, hs, dhs, dkeys: attention.precompute_keys_backward(
                score, p._replace(W_h=W_h), Memory(hs, keys, mask), Memory(dhs, dkeys, None)),
            dict(W_h=p.W_h, hs=hs, dhs=hs, dkeys=keys)),
        **layers_that_copy(rng), **layers_that_write_frames(rng)}


def layers_that_copy(rng):
    """-> the doors of the readout that copies: nine words, and two that are in no vocabulary."""
    p, gate = (linear.Params(normal(rng, 20, size), normal(rng, size)) for size in (9, 1))
    r, logits, alpha = normal(rng, 3, 4, 20), normal(rng, 3, 4, 9), rng.random((3, 5, 4))
    ids, targets, mask = np.resize([4, 9, 10, 9, 8, 7], (5, 4)), np.resize([9, 8, 4], (3, 4)), np.ones((3, 4), bool)
    log_p, k = copying.forward(gate, r, logits, alpha, ids)
    return {
        "copying.forward": (copying.forward, dict(p=gate, r=r, logits=logits, alpha=alpha, ids=ids)),
        "copying.backward": (copying.backward, dict(p=gate, k=k, dlog_p=log_p)),
        "readout_copying.loss_and_gradient": (readout_copying.loss_and_gradient, dict(
            p=p, gate=gate, rs=r, alpha=alpha, ids=ids, targets=targets, mask=mask))}


def layers_that_write_frames(rng):
    """-> the doors of the output of frames: two frames of three numbers a step."""
    p, rs, targets = linear.Params(normal(rng, 20, 7), normal(rng, 7)), normal(rng, 3, 4, 20), normal(rng, 3, 4, 6)
    out, mask = rs @ p.W + p.b, np.ones((3, 4, 2), bool)
    k = frame_output.forward(out, targets, mask)[1]
    return {
        "frame_output.forward": (frame_output.forward, dict(out=out, targets=targets, mask=mask)),
        "frame_output.backward": (lambda **k: frame_output.backward(Cache(**k, error="squared")),
                                  dict(zip(Cache._fields, k[:4]))),
        "frame_output.loss_and_gradient": (frame_output.loss_and_gradient, dict(
            p=p, rs=rs, targets=targets, mask=mask))}


def model(name):
    """-> the doors of a model of this Config."""
    case = Case(name, "float64")
    config, b = case.config, case.batch
    p = reference.untie(case.p, config)
    source, s0, _ = seq2seq.encode(case.p, config, b.source, b.source_mask)
    logits, k = decoder.forward(p.decoder, config, source, s0, b.inputs)
    dlogits = normal(np.random.default_rng(0), *logits.shape)
    g, s = tree.map(np.ones_like, case.p), start(case.p)
    batch = dict(zip(b._fields, b))
    return {
        f"decoder.forward {name}": (lambda p, source, layers, ids: decoder.forward(p, config, source, layers, ids),
                                    dict(p=p.decoder, source=source, layers=s0, ids=b.inputs)),
        f"decoder.backward {name}": (lambda p, source, k, dlogits: decoder.backward(p, config, source, k, dlogits),
                                     dict(p=p.decoder, source=source, k=k, dlogits=dlogits)),
        f"seq2seq.loss_and_gradient {name}": (
            lambda p, **batch: seq2seq.loss_and_gradient(p, config, b._replace(**batch)), dict(p=case.p, **batch)),
        f"seq2seq.forward {name}": (lambda p, **batch: seq2seq.forward(p, config, b._replace(**batch)),
                                    dict(p=case.p, **batch)),
        f"optimizers.step {name}": (lambda p, g, m: optimizers.step(p, g, s._replace(m=m), "adam", 0.1),
                                    dict(p=case.p, g=g, m=s.m))}


def transformer_model(name):
    """-> the doors of a Transformer of this Config."""
    case = Transformer(name, "float64", max_positions=TRANSFORMERS[name].max_positions and 40)
    p, config, b = case.p, case.config, case.batch
    k, searched = transformer.forward(p, config, b)[2], (config, b.source, b.source_mask)
    rows, live = transformer_hypotheses.start(p, *searched)
    live = transformer_hypotheses.advance(rows, config, live).live
    batch, source = dict(zip(b._fields, b)), dict(p=p, source=b.source, mask=b.source_mask)
    return {
        f"transformer.loss_and_gradient {name}": (
            lambda p, **batch: transformer.loss_and_gradient(p, config, b._replace(**batch)), dict(p=p, **batch)),
        f"transformer.forward {name}": (lambda p, **batch: transformer.forward(p, config, b._replace(**batch)),
                                        dict(p=p, **batch)),
        f"transformer.forced_and_free {name}": (
            lambda p, **batch: transformer.forced_and_free(p, config, b._replace(**batch)), dict(p=p, **batch)),
        f"transformer.backward {name}": (lambda p, k: transformer.backward(p, config, k), dict(p=p, k=k)),
        f"transformer.encode {name}": (lambda p, source, mask: transformer.encode(p, config, source, mask), source),
        f"transformer.beam {name}": (lambda p, source, mask: beam(p, config, source, mask, 3, 2), source),
        f"transformer.rough {name}": (
            lambda p, source, mask: beam(p, config, source, mask, 3, 1, precision="int8"), source),
        f"transformer.advance {name}": (
            lambda kvs, sources: transformer_hypotheses.advance(rows, config, live._replace(
                state=live.state._replace(kvs=kvs), source=live.source._replace(visible=sources))),
            dict(kvs=live.state.kvs, sources=live.source.visible))}


def doors():
    """-> dict from a door's name to the function and a dict of arguments."""
    found = layers()
    for name in CELLS:
        found |= layer(name)
    for name in (ATTENTION, EVERY_STEP, COPYING, FRAMES_OUT):
        found |= model(name)
    for name in TRANSFORMER:
        found |= transformer_model(name)
    return found


def others(a):
    """-> dict of arrays that are not what was wanted where `a` was."""
    found = {"a list": a.tolist(), "one axis less": a.reshape(-1) if a.ndim > 1 else a.reshape(-1, 1),
             "other numbers": a.astype("float32") if a.dtype.kind == "f" else a.astype("float64"),
             "complex": a.astype("complex128")}
    for axis in range(a.ndim):
        if a.shape[axis] > 1:
            found[f"axis {axis} shorter"] = np.array(a.take(range(a.shape[axis] - 1), axis))
        if a.size:
            found[f"axis {axis} longer"] = np.concatenate([a, a], axis)
    if a.dtype.kind == "i":
        found |= {"ids too large": a + 99, "ids below 0": a - 99}
    return found


def changed(t, name, value):
    """A tree with another array at this place."""
    head, _, rest = name.partition(".")
    if not head:
        return value
    field = int(head) if head.isdigit() else t._fields.index(head)
    return tree.same_type(t, [changed(part, rest, value) if i == field else part for i, part in enumerate(t)])


def wrong_calls():
    """Yield (door, what is wrong, call), for every array of every door."""
    for door, (function, given) in doors().items():
        for argument, t in given.items():
            for name, a in tree.named(t, argument):
                if not isinstance(a, np.ndarray) or "made_for" in name:
                    continue
                for what, other in others(a).items():
                    if door.startswith("optimizers") and name.startswith("g.") and what == "other numbers":
                        continue                                # a gradient is converted
                    if not listed(UNREAD, door, name) and not listed(ALLOWED, door, f"{name}: {what}"):
                        given_now = given | {argument: changed(t, name.removeprefix(argument).lstrip("."), other)}
                        yield door, f"{name}: {what}", lambda f=function, g=given_now: f(**g)


def listed(table, door, what):
    """Whether a table has this for the door, whichever its Config."""
    name = door.split(" ")[0]
    return what.startswith(table.get(name, ("no array",))) or name == "transformer.backward" and what.endswith(".f.x")


def check_all():
    """Call every door with every wrong argument: -> the number of calls; AssertionError unless each is refused in one
    line."""
    count, accepted = 0, []
    for door, what, call in wrong_calls():
        try:
            call()
            accepted.append((door, what))
        except (ValueError, TypeError) as e:
            said = str(e)
            assert said and "\n" not in said and "numba" not in type(e).__module__, (door, what, said)
        count += 1
    assert not accepted, accepted
    return count
