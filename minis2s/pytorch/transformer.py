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
    return functional.layer_norm(x, x.shape[-1:], p.g, p.b, EPS)


def positions(table, x):
    """(PE1) (PE2): x (T, N, D) at positions from 0 on."""
    T, _, D = x.shape
    if table is None:
        angles = torch.arange(T, device=x.device, dtype=torch.float64)[:, None] / 10000.0 ** (
            torch.arange(0, D, 2, device=x.device, dtype=torch.float64) / D)
        table = torch.stack([angles.sin(), angles.cos()], dim=2).reshape(T, -1)[:, :D].to(x.dtype)
    return x * math.sqrt(D) + table[:T, None]


def split(x, h):
    """(MH5): (T, N, D) -> (N, h, T, d)"""
    T, N, D = x.shape
    return x.reshape(T, N, h, D // h).permute(1, 2, 0, 3)


def attend(p, h, x, y, visible):
    """(MH1) to (MH4), (SA1) to (SA3): x (S, N, D) reads y (T, N, D) where `visible`, (S, T) or (N, 1, 1, T)."""
    q, k, v = split(linear(p.q, x), h), split(y @ p.k, h), split(linear(p.v, y), h)
    e = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])                                    # (SA1)
    alpha = torch.softmax(e.masked_fill(~visible, -torch.inf), dim=-1)                      # (SA2)
    return linear(p.o, (alpha @ v).permute(2, 0, 1, 3).flatten(2))                          # (SA3) (MH4)


def feed_forward(p, phi, x):
    """(FF1) to (FF3)"""
    a = linear(p.hidden, x)
    return linear(p.out, functional.gelu(a, approximate="tanh") if phi == "gelu" else torch.relu(a))


class Transformer(nn.Module):
    """The whole model; parameters as of model.Seq2Seq."""

    loss = Seq2Seq.loss

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

    def stack(self, p, ids, masks, layer):
        """Embeddings with positions, then `layer(q, x, masks)` for each layer, and the last norm."""
        inputs, of_layers = masks or (None, [()] * self.config["layers"])
        x = positions(getattr(p, "positions", None), p.embedding[ids])                      # (TE1) (TD1)
        x = x if inputs is None else x * inputs
        for q, m in zip(p.layers.items(), of_layers):
            x = layer(q, x, iter(m))
        return norm(p.norm, x) if self.config["norm"] == "pre" else x                       # (TE4) (TD5)

    def feed(self, q, x, m):
        """(TS3)"""
        return self.sublayer(q.feed_forward, x, lambda u: feed_forward(
            q.feed_forward.f, self.config["feed_forward_activation"], u), m)

    def encode(self, source, mask, masks=None):
        """(TM1): ids, mask (T, N) -> hs (T, N, D)."""
        visible, h = mask.T[:, None, None], self.config["heads"]                            # (SA4)

        def layer(q, x, m):
            x = self.sublayer(q.attention, x, lambda u: attend(q.attention.f, h, u, u, visible), next(m, None))  # (TE2)
            return self.feed(q, x, next(m, None))                                           # (TE3)
        return self.stack(self.encoder, source, masks, layer)

    def decode(self, hs, mask, ids, masks=None):
        """(TM3): what follows each of the tokens ids (S, N): -> logits (S, N, V)."""
        S, h = len(ids), self.config["heads"]
        past = torch.ones(S, S, dtype=torch.bool, device=ids.device).tril()                 # (SA5)
        real = mask.T[:, None, None]                                                        # (SA4)

        def layer(q, x, m):
            x = self.sublayer(q.attention, x, lambda u: attend(q.attention.f, h, u, u, past), next(m, None))    # (TD2)
            x = self.sublayer(q.cross, x, lambda u: attend(q.cross.f, h, u, hs, real), next(m, None))           # (TD3)
            return self.feed(q, x, next(m, None))                                           # (TD4)
        r = self.stack(self.decoder, ids, masks, layer)
        W = self.decoder.embedding.T if self.config["tied_embedding"] else self.decoder.readout.W
        return r @ W + self.decoder.readout.b                                               # (TD6)

    def forward(self, source, mask, inputs, masks=None, teacher=None):
        """Logits (S, N, V) of a batch; `masks` and `teacher` as in minis2s's own forward."""
        m_encoder, m_decoder = masks or (None, None)
        hs = self.encode(source, mask, m_encoder)
        if teacher is not None:
            inputs = self.free_running(hs, mask, inputs, teacher, m_decoder)
        return self.decode(hs, mask, inputs, m_decoder)

    @torch.no_grad()
    def free_running(self, hs, mask, inputs, teacher, masks):
        """What is fed where the model's own answers take the place of some tokens: each time, all that stands
        before."""
        fed = inputs.clone()
        for t in range(1, len(inputs)):
            so_far = masks and (masks[0][:t], [[m[:t] for m in layer] for layer in masks[1]])
            said = self.decode(hs, mask, fed[:t], so_far)[-1].argmax(dim=1)
            fed[t] = torch.where(teacher[t], inputs[t], said)
        return fed
