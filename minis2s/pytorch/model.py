"""The encoder-decoder as one nn.Module: the same equations under the same marks, and autograd in place of their
backward.

This file imports only torch, so that it can stand alone beside exported weights.  Its parameters have the names, shapes
and order of minis2s's own: state_dict()["encoder.layers.0.W"] is the array `encoder.layers.0.W`.

    Shapes: T source steps, S target steps, N batch, D input, H hidden, V vocabulary.  Time first; masks are True
    where real.

The cells are written out: torch.nn.LSTM has two biases, torch.nn.GRU another sign of z, and neither has a GRU that
resets before the product, nor a mask.  `minis2s.pytorch.interop` converts single layers.
"""
import math

import torch
from torch import nn

PAD, BOS, EOS, UNK = range(4)
SPECIAL = (PAD, BOS, UNK)      # never written by a search


def five_names(config):
    """The cell's name: "rnn", "rnn-sigmoid", "lstm", "gru" or "gru-after"; earlier versions kept it in two entries."""
    if config["cell"] == "rnn" and config.get("activation") == "sigmoid":
        return "rnn-sigmoid"
    return "gru-after" if config["cell"] == "gru" and config.get("reset") == "after" else config["cell"]


# Cells: one step, x (N, D) -> the next state, a tuple (h,) or (h, c) ---------------------------------------

def rnn(p, x, s, phi=torch.tanh):
    """(R1) (R2)"""
    return (phi(x @ p.W + s[0] @ p.U + p.b),)


def rnn_sigmoid(p, x, s):
    """(R1) (R2) with the logistic sigmoid."""
    return rnn(p, x, s, torch.sigmoid)


def lstm(p, x, s):
    """(L1) to (L5)"""
    a_i, a_f, a_g, a_o = (x @ p.W + s[0] @ p.U + p.b).chunk(4, dim=1)      # (L1)
    i, f, o = torch.sigmoid(a_i), torch.sigmoid(a_f), torch.sigmoid(a_o)   # (L2)
    g = torch.tanh(a_g)                                                    # (L3)
    c = f * s[1] + i * g                                                   # (L4)
    return o * torch.tanh(c), c                                            # (L5)


def gru(p, x, s):
    """(G1) to (G4): the reset gate stands before the recurrent product."""
    (h,), H = s, s[0].shape[1]
    x_z, x_r, x_n = (x @ p.W + p.b).chunk(3, dim=1)
    h_z, h_r = (h @ p.U[:, :2 * H]).chunk(2, dim=1)
    z, r = torch.sigmoid(x_z + h_z), torch.sigmoid(x_r + h_r)              # (G1)
    q = r * h                                                              # (G2)
    n = torch.tanh(x_n + q @ p.U[:, 2 * H:])                               # (G3)
    return ((1 - z) * h + z * n,)                                          # (G4)


def gru_after(p, x, s):
    """(GA1) to (GA4): the reset gate stands after the recurrent product."""
    h, = s
    x_z, x_r, x_n = (x @ p.W + p.b).chunk(3, dim=1)
    h_z, h_r, h_n = (h @ p.U).chunk(3, dim=1)
    z, r = torch.sigmoid(x_z + h_z), torch.sigmoid(x_r + h_r)              # (GA1)
    m = h_n + p.b_U                                                        # (GA2)
    n = torch.tanh(x_n + r * m)                                            # (GA3)
    return ((1 - z) * h + z * n,)                                          # (GA4)


CELLS = {"rnn": rnn, "rnn-sigmoid": rnn_sigmoid, "lstm": lstm, "gru": gru, "gru-after": gru_after}


# Attention scores: the query s (N, Q) against hs (T, N, H) -> e (T, N) ---------------------------------------

def dot(p, s, hs, keys):
    """(AD1)"""
    return (hs * s).sum(dim=2)


def scaled(p, s, hs, keys):
    """(AD2)"""
    return (hs * s).sum(dim=2) / math.sqrt(s.shape[1])


def general(p, s, hs, keys):
    """(AG1) (AG2)"""
    return (hs * (s @ p.W)).sum(dim=2)


def additive(p, s, hs, keys):
    """(AB1) (AB2) (AB3)"""
    return torch.tanh(s @ p.W_s + keys) @ p.v


def concat_dot(p, s, hs, keys):
    """(AC1) (AC2) (AC3)"""
    return (torch.tanh(s @ p.W_s + keys) * hs).sum(dim=2)


SCORES = {"dot": dot, "scaled": scaled, "general": general, "additive": additive, "concat-dot": concat_dot}
FUSIONS = {"sigmoid": torch.sigmoid, "tanh": torch.tanh}


class Part(nn.Module):
    """Parameters under the names of a tree: Part({"W": ..., "layers.0.b": ...})."""

    def __init__(self, shapes, dtype):
        super().__init__()
        inside = {}
        for name, shape in shapes.items():
            head, _, rest = name.partition(".")
            if rest:
                inside.setdefault(head, {})[rest] = shape
            else:
                self.register_parameter(name, nn.Parameter(torch.zeros(*shape, dtype=dtype)))
        for head, part in inside.items():
            self._modules[head] = Part(part, dtype)            # add_module would refuse the name "forward"

    def __getitem__(self, name):
        """A part by its name: of two directions, "forward" and "backward"."""
        return self._modules[name]

    def items(self):
        """The numbered parts in their order."""
        return [part for _, part in sorted(self.named_children(), key=lambda each: int(each[0]))]


class Seq2Seq(nn.Module):
    """The whole model.

    Parameters
    ----------
    config : dict
        As config.json of a run has it under "config".
    shapes : dict
        Name of each parameter -> shape: those of weights.safetensors, or of `minis2s.model`'s shapes(config).
    """

    def __init__(self, config, shapes):
        super().__init__()
        self.config, dtype = dict(config), getattr(torch, config.get("dtype", "float32"))
        self.cell, self.score = CELLS[five_names(config)], SCORES.get(config["attention"])
        self.states = 2 if self.cell is lstm else 1
        parts = {}
        for name, shape in shapes.items():
            head, _, rest = name.partition(".")
            parts.setdefault(head, {})[rest] = tuple(shape)
        for head, part in parts.items():
            self.add_module(head, Part(part, dtype))
        self.residual = config.get("residual", False)
        self.before = config.get("attention_order", config.get("order")) == "before"

    # the parts that may be shared
    def decoder_layers(self):
        """(D3.s): the encoder's where they are tied."""
        return (self.encoder if self.config["tied_cells"] else self.decoder).layers.items()

    def readout(self, r):
        """(D7): logits of r, whose matrix may be the target embedding's transpose."""
        W = self.decoder.embedding.T if self.config["tied_embedding"] else self.decoder.readout.W
        return r @ W + self.decoder.readout.b

    # encoder
    def run(self, p, xs, mask, backward=False):
        """The time loop of one layer and direction: xs (T, N, D) -> hs (T, N, H), the last state."""
        if backward:
            hs, s = self.run(p, xs.flip(0), mask.flip(0))
            return hs.flip(0), s
        H = p.U.shape[0]
        s = tuple(xs.new_zeros(xs.shape[1], H) for _ in range(self.states))
        hs = []
        for x, m in zip(xs, mask[:, :, None]):
            s = tuple(torch.where(m, new, old) for new, old in zip(self.cell(p, x, s), s))      # (M1)
            hs.append(s[0])
        return torch.stack(hs), s

    def encode(self, source, mask, drops=None):
        """(S1) (S2): ids (T, N) or frames (T, N, F), mask (T, N) -> hs (T, N, C), the initial states, ctx or None.

        The latter is one context for every step.
        """
        E, finals = self.encoder.embedding, []
        xs = source @ E.W + E.b if self.config.get("source") == "frames" else E[source]      # (E2) (E1)
        for p, drop in zip(self.encoder.layers.items(), drops or [None] * self.config["layers"]):
            below, xs = xs, xs if drop is None else xs * drop
            if self.config["bidirectional"]:
                hs_f, s_f = self.run(p["forward"], xs, mask)
                hs_b, s_b = self.run(p["backward"], xs, mask, backward=True)
                xs = torch.cat([hs_f, hs_b], dim=2)
                finals.append(tuple(torch.cat(pair, dim=1) for pair in zip(s_f, s_b)))
            else:
                xs, s = self.run(p, xs, mask)
                finals.append(s)
            xs = xs + below if self.residual and len(finals) > 1 else xs                     # (RC1)
        kind = self.config["bridge"]
        if kind == "copy":
            states = finals
        elif kind == "zeros":
            H = self.config["hidden"]
            states = [tuple(f.new_zeros(f.shape[0], H) for f in final) for final in finals]
        else:
            states = [tuple(torch.tanh(f @ layer[name].W + layer[name].b) for name, f in zip("hc", final))
                      for final, layer in zip(finals, self.bridge.items())]                  # (B1)
        return xs, states, finals[-1][0] if self.config["context"] == "every-step" else None

    # decoder
    def attend(self, s, hs, keys, mask):
        """(A1) (A2): -> ctx (N, C), alpha (T, N)."""
        e = self.score(getattr(self.decoder, "score", None), s, hs, keys)
        alpha = torch.softmax(e.masked_fill(~mask, -torch.inf), dim=0)
        return (alpha[:, :, None] * hs).sum(dim=0), alpha

    def keys(self, hs):
        """(AB1) (AC1): what does not depend on the query."""
        return hs @ self.decoder.score.W_h if self.config["attention"] in ("additive", "concat-dot") else None

    def step(self, ids, states, z, memory, drops=None):
        """(D1) to (D6): tokens (N,), states -> r, states, z, alpha."""
        hs, keys, mask, ctx = memory
        c, alpha = self.config, None
        if self.score and self.before:
            ctx, alpha = self.attend(states[-1][0], hs, keys, mask)                          # (D1)
        parts = [self.decoder.embedding[ids]]
        if c["context"] == "every-step" or (self.score and self.before):
            parts.append(ctx)
        if c["input_feeding"]:
            parts.append(z)
        x, new = torch.cat(parts, dim=1), []                                                 # (D2)
        for p, s, drop in zip(self.decoder_layers(), states, drops or [None] * c["layers"]):
            new.append(self.cell(p, x if drop is None else x * drop, s))                     # (D3)
            x = new[-1][0] + x if self.residual and len(new) > 1 else new[-1][0]             # (RC1)
        if self.score and not self.before:
            ctx, alpha = self.attend(x, hs, keys, mask)                                      # (D4)
        z = self.fuse(x, ctx)                                                                # (D5)
        return torch.cat([z, ctx], dim=1) if c["readout"] == "state-context" else z, new, z, alpha       # (D6)

    def fuse(self, s, ctx):
        """(U1) to (U4)"""
        kind = self.config["fusion"]
        if kind == "none":
            return s
        if kind == "sum":
            return s + ctx
        s_ctx = torch.cat([s, ctx], dim=1)
        return s_ctx if kind == "concat" else FUSIONS[kind](s_ctx @ self.decoder.fusion.W)

    def start(self, source, mask, drops=None):
        """What decoding begins with: -> state, a tree of (N, ...) that changes with each step, and memory, which does
        not."""
        hs, states, ctx = self.encode(source, mask, drops)
        fused = self.config["hidden"] + (hs.shape[2] if self.config["fusion"] == "concat" else 0)
        return (states, hs.new_zeros(hs.shape[1], fused)), (hs, self.keys(hs), mask, ctx)

    def advance(self, ids, state, memory):
        """One step of a search: tokens (N,) -> logits (N, V) of the next ones, state."""
        r, states, z, _ = self.step(ids, *state, memory)
        return self.readout(r), (states, z)                                                  # (D7)

    def forward(self, source, mask, inputs, drops=None, teacher=None):
        """Logits (S, N, V) of a batch; `drops` and `teacher` as in minis2s's own forward."""
        encoder, decoder, output = drops or (None, None, None)
        (states, z), memory = self.start(source, mask, encoder)
        rs = []
        for t, y in enumerate(inputs):
            if teacher is not None and t > 0:
                y = torch.where(teacher[t], y, self.readout(rs[-1]).argmax(dim=1))
            r, states, z, _ = self.step(y, states, z, memory, decoder)
            rs.append(r if output is None else r * output)
        return self.readout(torch.stack(rs))                                                 # (D7)

    def loss(self, logits, targets, mask, tokens=None):
        """(X1) to (X3): summed over real tokens, divided by `tokens` (default: those of this batch)."""
        log_p, eps = torch.log_softmax(logits, dim=2), self.config["label_smoothing"]        # (X1)
        if targets.ndim == 3:
            at_target = (targets * log_p).sum(dim=2)
        else:
            at_target = log_p.gather(2, targets[:, :, None])[:, :, 0]
        per_token = -(1 - eps) * at_target - eps * log_p.mean(dim=2)                         # (X2)
        return torch.where(mask, per_token, 0.0).sum() / (mask.sum() if tokens is None else tokens)      # (X3)

    @torch.no_grad()
    def greedy(self, source, mask, max_length):
        """The most probable token at each step: -> a list of ids for each source, without the end."""
        state, memory = self.start(source, mask)
        N = source.shape[1]
        y, done, answers = source.new_full((N,), BOS, dtype=torch.int64), [False] * N, [[] for _ in range(N)]
        for _ in range(max_length):
            logits, state = self.advance(y, state, memory)
            log_p = torch.log_softmax(logits, dim=1)
            log_p[:, list(SPECIAL)] = -torch.inf
            y = log_p.argmax(dim=1)
            for n, token in enumerate(y.tolist()):
                done[n] = done[n] or token == EOS
                if not done[n]:
                    answers[n].append(token)
            if all(done):
                break
        return answers
