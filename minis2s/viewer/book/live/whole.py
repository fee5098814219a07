"""A whole trained model in the page: the oracle reads, attends and writes with the run's own weights.

Nothing here computes an equation: this is only how the weights are handed to the oracle (see its model.py), as
tests/scalar_model.py does it.  Runs on MicroPython, too.
"""
import engine
import scalar

BOS, EOS, NEVER = 1, 2, (0, 1, 3)               # as in minis2s/data/vocabulary.py
LEAST = -1e30                                   # log p of tokens that no answer may hold


class Whole:
    """The model of a run: `config` and `arrays` {name: nested lists} as the build wrote them."""

    def __init__(self, oracle, config, arrays):
        self.oracle, self.config, self.arrays, self.calls, self.alpha = oracle, config, arrays, {}, []
        c, H = config, config["hidden"]
        self.m = {
            "residual": c["residual"], "drop_output": None, "order": c["attention_order"],
            "feeding": c["input_feeding"],
            "encoder": {"embedding": arrays["encoder.embedding"],
                        "layers": [self.layer(i) for i in range(c["layers"])]},
            "bridge": self.bridge, "attention": self.attend if c["context"] == "attention" else None,
            "every_step": c["context"] == "every-step", "read_context": c["readout"] == "state-context",
            "in_cell": c["context"] == "every-step" or (
                c["context"] == "attention" and c["attention_order"] == "before"),
            "decoder": {"embedding": arrays["decoder.embedding"],
                        "cells": [self.cell("decoder.layers.%d." % i, ("decoder", i)) for i in range(c["layers"])]},
            "fuse": self.fuse, "readout": (arrays["decoder.readout.W"], arrays["decoder.readout.b"])}
        self.zero = ([0.0] * H, [0.0] * H) if c["cell"] == "lstm" else [0.0] * H

    def cell(self, name, place):
        """A cell with the weights of this name; `calls` remembers which calls of `see` belong to which step."""
        o, kind = self.oracle, self.config["cell"]
        W, U, b = (self.arrays[name + q] for q in "WUb")
        letters = {"lstm": "ifgo", "gru": "zrn", "gru-after": "zrn"}.get(kind)
        if letters:
            W, U, b = (engine.blocks(a, letters) for a in (W, U, b))
        b_U = self.arrays.get(name + "b_U")
        steps = []

        def run(x, s):
            first = engine.COUNT[0]
            if kind == "lstm":
                new = o.lstm_step(W, U, b, x, s[0], s[1])
            elif kind == "gru":
                new = o.gru_step(W, U, b, x, s)
            elif kind == "gru-after":
                new = o.gru_after_step(W, U, b, b_U, x, s)
            else:
                new = o.rnn_step(W, U, b, x, s, "sigmoid" if kind == "rnn-sigmoid" else "tanh")
            steps.append((first, engine.COUNT[0]))
            return new
        self.calls[place] = steps
        return run

    def layer(self, i):
        """An encoder layer: (xs, mask) -> hs, final state."""
        o, name = self.oracle, "encoder.layers.%d." % i
        if not self.config["bidirectional"]:
            cell = self.cell(name, ("encoder", i))

            def one_way(xs, mask):
                states, last = o.unroll(cell, xs, self.zero, mask)
                return [o.h_of(s) for s in states], last
            return one_way
        ahead = self.cell(name + "forward.", ("encoder", i))
        back = self.cell(name + "backward.", ("encoder back", i))

        def both_ways(xs, mask):
            (fw, fw_last), (bw, bw_last) = o.bidirectional(ahead, back, xs, self.zero, self.zero, mask)
            hs = [o.concat(o.h_of(f), o.h_of(b)) for f, b in zip(fw, bw)]
            return hs, self.joined(fw_last, bw_last)
        return both_ways

    def joined(self, a, b):
        """Two states side by side."""
        if isinstance(a, tuple):
            return tuple([self.oracle.concat(x, y) for x, y in zip(a, b)])
        return self.oracle.concat(a, b)

    def bridge(self, finals):
        """The decoder's first states."""
        kind = self.config["bridge"]
        if kind == "copy":
            return finals
        if kind == "zeros":
            return [self.zero for _ in finals]
        out = []
        for i, final in enumerate(finals):
            parts = final if isinstance(final, tuple) else (final,)
            new = []
            for s, part in zip("hc", parts):
                name = "bridge.%d.%s." % (i, s)
                new.append(self.oracle.bridge(self.arrays[name + "W"], self.arrays[name + "b"], part))
            out.append(tuple(new) if len(new) > 1 else new[0])
        return out

    def attend(self, s, hs, mask):
        """The context, and the weights as `alpha`."""
        o, a, p = self.oracle, self.config["attention"], "decoder.score."
        if a == "dot":
            e = o.score_dot(s, hs)
        elif a == "scaled":
            e = o.score_scaled_dot(s, hs)
        elif a == "general":
            e = o.score_general(s, hs, self.arrays[p + "W"])
        elif a == "additive":
            e = o.score_additive(s, hs, self.arrays[p + "W_s"], self.arrays[p + "W_h"], self.arrays[p + "v"])
        else:
            e = o.score_concat_dot(s, hs, self.arrays[p + "W_s"], self.arrays[p + "W_h"])
        self.alpha = o.attention_weights(e, mask)
        return o.context(self.alpha, hs)

    def fuse(self, s, ctx):
        """What the readout sees."""
        o, kind = self.oracle, self.config["fusion"]
        if kind == "none":
            return s
        if kind in ("concat", "sum"):
            return (o.fuse_concat if kind == "concat" else o.fuse_add)(s, ctx)
        return (o.fuse_sigmoid if kind == "sigmoid" else o.fuse_tanh)(s, ctx, self.arrays["decoder.fusion.W"])

    # Reading and writing ------------------------------------------------------------------------------------

    def read(self, ids):
        """Encode a source; what has been written of the one before is forgotten."""
        for steps in self.calls.values():
            del steps[:]
        self.mask = [True] * len(ids)
        self.hs, finals = self.oracle.encode(self.m, ids, self.mask)
        z = [0.0] * len(self.m["fuse"]([0.0] * self.config["hidden"], [0.0] * len(self.hs[0]))) \
            if self.m["feeding"] else None
        self.ctx = self.oracle.h_of(finals[-1]) if self.m["every_step"] else None
        self.first, self.nodes = (self.m["bridge"](finals), z), {}

    def step(self, prefix):
        """What follows a beginning, a tuple of tokens: -> log p of each token, attention weights, logits, state.

        Each beginning is computed once, from the state of the one before.
        """
        if prefix not in self.nodes:
            states, z = self.step(prefix[:-1])[3] if prefix else self.first
            attend = (lambda s: self.attend(s, self.hs, self.mask)) if self.m["attention"] else None
            self.alpha = []
            logits, states, z, _ = self.oracle.decoder_step(
                self.m, attend, prefix[-1] if prefix else BOS, states, self.ctx, z)
            self.nodes[prefix] = self.oracle.log_softmax(logits), self.alpha, logits, (states, z)
        return self.nodes[prefix]

    def allowed(self, prefix):
        """log p of what may follow."""
        return [LEAST if token in NEVER else log_p for token, log_p in enumerate(self.step(prefix)[0])]

    def beam(self, K, longest):
        """The oracle's beam search: -> the best output, its log p, and every beginning that was looked at."""
        best, log_p = self.oracle.beam_search(self.allowed, longest, EOS, K)
        return best, log_p, sorted(self.nodes)


def numbers(value, make):
    """Nested lists with each number made anew."""
    return [numbers(part, make) for part in value] if isinstance(value, list) else make(value)


def inspect(oracle, config, arrays, source, target, place, t, gradient):
    """The numbers of one cell at one step, when `target` is written: [(mark, name, values, gradients)].

    The gradient is that of the loss of the target, its EOS included.  The model runs twice: once to see which calls
    belong to the step, once to note their numbers.
    """
    engine.WANTED[0], engine.COUNT[0] = (), 0
    model = Whole(oracle, config, arrays)
    write(model, source, target)
    first, last = model.calls[place][t]
    del engine.LEAVES[:], engine.HEADS[:], scalar.TAPE[:]
    engine.COUNT[0], engine.WANTED[0] = 0, set(range(first + 1, last + 1))
    if gradient:
        arrays = {name: numbers(a, scalar.Number) for name, a in arrays.items()}
    L = write(Whole(oracle, config, arrays), source, target)
    if gradient:
        scalar.backward(L)
    starts = [head[3] for head in engine.HEADS] + [len(engine.LEAVES)]
    found = []
    for i, (function, mark, name, start) in enumerate(engine.HEADS):
        leaves = engine.LEAVES[start:starts[i + 1]]
        if mark and leaves and function not in ("sigmoid", "tanh_"):        # these are called entry by entry
            found.append((mark, name, [scalar.value(a) for a in leaves],
                          [a.grad if isinstance(a, scalar.Number) else 0.0 for a in leaves] if gradient else []))
    del scalar.TAPE[:]
    return found


def write(model, source, target):
    """Read the source, write the target: -> the loss."""
    model.read(source)
    L, y = 0.0, ()
    for token in tuple(target) + (EOS,):
        L = L - model.step(y)[0][token]
        y = y + (token,)
    return L / len(y)
