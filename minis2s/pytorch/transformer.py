"""The Transformer as one nn.Module: the same equations under the same marks, and autograd in place of their backward.

Source: Vaswani et al. (2017).  Like model.py, it has the names, shapes and order of minis2s's own parameters, and
writes out what torch.nn.Transformer has in another form: four biases of attention, and positions left to the user.

    Shapes: T source steps, S target steps, N batch, D model size, h heads.  Time first; masks are True where real.
"""
import math

import torch
from torch import nn
from torch.nn import functional

from .model import Part, Seq2Seq

EPS = 1e-5


def linear(p, x):
    """x W + b"""
    return x @ p.W + p.b


def norm(p, x):
    """(LN1) to (LN4)"""
    return functional.layer_norm(x, (len(p.g),), p.g, p.b, EPS)


def positions(table, x, first=0):
    """(PE1) (PE2): x (T, N, D) at positions from `first` on."""
    T, _, D = x.shape
    if table is None:
        angles = torch.arange(first, first + T, device=x.device, dtype=torch.float64)[:, None] / 10000.0 ** (
            torch.arange(0, D, 2, device=x.device, dtype=torch.float64) / D)
        pairs = torch.stack([angles.sin(), angles.cos()], dim=2)
        return x * math.sqrt(D) + pairs.reshape(T, 1, -1)[:, :, :D].to(x.dtype)
    return x * math.sqrt(D) + table[first:first + T, None]


def split(x, h):
    """(MH5): (T, N, D) -> (N, h, T, d)"""
    T, N, D = x.shape
    return x.reshape(T, N, h, D // h).permute(1, 2, 0, 3)


def keys_values(p, h, y):
    """(MH1): what queries read of y (T, N, D): -> k, v (N, h, T, d)."""
    return split(y @ p.k, h), split(linear(p.v, y), h)


def attend(p, h, x, kv, visible):
    """(MH2) to (MH4), (SA1) to (SA3): x (S, N, D) reads k, v where `visible`, (S, T) or (N, 1, 1, T)."""
    q, (k, v) = split(linear(p.q, x), h), kv
    e = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])                                    # (SA1)
    alpha = torch.softmax(e.masked_fill(~visible, -torch.inf), dim=-1)                      # (SA2)
    return linear(p.o, (alpha @ v).permute(2, 0, 1, 3).flatten(2))                          # (SA3) (MH4)


def feed_forward(p, phi, x):
    """(FF1) to (FF3)"""
    a = linear(p.hidden, x)
    return linear(p.out, functional.gelu(a, approximate="tanh") if phi == "gelu" else torch.relu(a))


class Transformer(nn.Module):
    """The whole model; parameters as of model.Seq2Seq."""

    loss, greedy = Seq2Seq.loss, Seq2Seq.greedy

    def __init__(self, config, shapes):
        super().__init__()
        self.config, dtype = dict(config), getattr(torch, config.get("dtype", "float32"))
        for side in ("encoder", "decoder"):
            mine = {name.partition(".")[2]: tuple(shape)
                    for name, shape in shapes.items() if name.startswith(f"{side}.")}
            self.add_module(side, Part(mine, dtype))

    def sublayer(self, p, x, f, m=None):
        """(RS1) to (RS4): a sub-layer f with its residual connection, norm, and mask of dropout."""
        pre = self.config["norm"] == "pre"
        z = f(norm(p.norm, x) if pre else x)
        y = x + (z if m is None else m * z)
        return y if pre else norm(p.norm, y)

    def stack(self, p, ids, masks, layer, first=0):
        """Embeddings with positions from `first` on, `layer(i, q, x, masks)` for each layer, and the last norm."""
        inputs, of_layers = masks or (None, [()] * self.config["layers"])
        x = positions(getattr(p, "positions", None), p.embedding[ids], first)               # (TE1) (TD1)
        x = x if inputs is None else x * inputs
        for i, (q, m) in enumerate(zip(p.layers.items(), of_layers)):
            x = layer(i, q, x, iter(m))
        return norm(p.norm, x) if self.config["norm"] == "pre" else x                       # (TE4) (TD5)

    def feed(self, q, x, m):
        """(TS3)"""
        return self.sublayer(q.feed_forward, x, lambda u: feed_forward(
            q.feed_forward.f, self.config["feed_forward_activation"], u), m)

    def encode(self, source, mask, masks=None):
        """(TM1): ids, mask (T, N) -> hs (T, N, D)."""
        visible, h = mask.T[:, None, None], self.config["heads"]                            # (SA4)

        def layer(i, q, x, m):
            p = q.attention.f
            x = self.sublayer(q.attention, x, lambda u: attend(p, h, u, keys_values(p, h, u), visible), next(m, None))
            return self.feed(q, x, next(m, None))                                           # (TE2), above; (TE3)
        return self.stack(self.encoder, source, masks, layer)

    def start(self, source, mask, masks=None):
        """What decoding begins with: -> state, for each layer keys and values (N, h, positions so far, d), and memory:
        those of the source, and which of them are real."""
        hs, h, N = self.encode(source, mask, masks), self.config["heads"], source.shape[1]
        nothing = hs.new_zeros(N, h, 0, hs.shape[2] // h)
        read = [keys_values(q.cross.f, h, hs) for q in self.decoder.layers.items()]         # (TM2)
        return [(nothing, nothing)] * len(read), (read, mask.T[:, None, None])              # (SA4)

    def decode(self, ids, state, memory, masks=None):
        """(TM3): tokens ids (S, N) at new positions -> logits (S, N, V) of what follows each, state."""
        (read, real), h, S = memory, self.config["heads"], len(ids)
        before, new = state[0][0].shape[2], []
        past = torch.ones(S, before + S, dtype=torch.bool, device=ids.device).tril(before)  # (SA5)

        def itself(i, p, u):
            new.append(tuple(torch.cat(both, dim=2) for both in zip(state[i], keys_values(p, h, u))))
            return attend(p, h, u, new[i], past)

        def layer(i, q, x, m):
            x = self.sublayer(q.attention, x, lambda u: itself(i, q.attention.f, u), next(m, None))             # (TD2)
            x = self.sublayer(q.cross, x, lambda u: attend(q.cross.f, h, u, read[i], real), next(m, None))      # (TD3)
            return self.feed(q, x, next(m, None))                                           # (TD4)
        r = self.stack(self.decoder, ids, masks, layer, before)
        W = self.decoder.embedding.T if self.config["tied_embedding"] else self.decoder.readout.W
        return r @ W + self.decoder.readout.b, new                                          # (TD6)

    def advance(self, ids, state, memory):
        """One step of a search: tokens (N,) -> logits (N, V) of the next ones, state."""
        logits, state = self.decode(ids[None], state, memory)
        return logits[0], state

    def forward(self, source, mask, inputs, masks=None, teacher=None):
        """Logits (S, N, V) of a batch; `masks` and `teacher` as in minis2s's own forward."""
        m_encoder, m_decoder = masks or (None, None)
        state, memory = self.start(source, mask, m_encoder)
        if teacher is not None:
            inputs = self.free_running(state, memory, inputs, teacher, m_decoder)
        return self.decode(inputs, state, memory, m_decoder)[0]

    @torch.no_grad()
    def free_running(self, state, memory, inputs, teacher, masks):
        """The tokens that are fed where the model's own answers take the place of some."""
        fed = inputs.clone()
        for t in range(len(inputs) - 1):
            now = slice(t, t + 1)
            m = masks and (masks[0][now], [[each[now] for each in layer] for layer in masks[1]])
            logits, state = self.decode(fed[now], state, memory, m)
            fed[t + 1] = torch.where(teacher[t + 1], inputs[t + 1], logits[0].argmax(dim=1))
        return fed
