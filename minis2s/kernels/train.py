"""Twin of train.py's loss_and_update: a training step is one compiled call.

    p, batch ──> encoder, decoder, loss, and back (seq2seq.py) ──> g ── norm, optimizer (optim.py) ──> new p
                                                                   │
                                          one flat array, which nobody outside sees

What the one call does not know, shared weights and clipping by value among it, is done in two, by the twins of
seq2seq.py and optim.py.
"""
import math
from functools import cache as once

from . import decoder, optim, seq2seq
from .jit import alone, inlined
from .room import in_a_room, zeros
from .tree import unpacked


def loss_and_update(p, config, batch, teacher, drops, s, optimizer, lr, limit=None, value=None, **options):
    """See train.loss_and_update."""
    if value or config.tied_cells or config.tied_embedding or not seq2seq.is_one_call(config, batch):
        L, g = seq2seq.loss_and_gradient(p, config, batch, teacher, drops)
        return L, *optim.step(p, g, s, optimizer, lr, limit, value, **options)
    given = seq2seq.given(config, batch, teacher, drops)
    old, new, numbers = optim.begin(optim.RULES[optimizer], p, s, lr, **options)
    step = whole(decoder.choices(config, drops is not None, drops is not None), config.bridge, optimizer)
    L, size, finite = in_a_room(step, p, (old.w, old.flat_m, old.flat_v), (new.w, new.flat_m, new.flat_v),
                                float(limit or math.inf), numbers, *given)
    return L, new.p, new, size, finite


@once
def whole(c, bridge, optimizer):
    """-> the step, for these decoder.Choices, this kind of bridge, this optimizer."""
    add_gradient, update = inlined(seq2seq.add_gradient(c, bridge)), optim.RULES[optimizer].within

    @alone(f"train.{optimizer}-{decoder.key_of((*c, bridge))}")
    def loss_and_update(room, p, old, new, limit, numbers, source, source_mask, inputs, targets, target_mask, eps,
                        of_encoder, teacher, of_decoder, of_output):
        w, m, v = old
        new_w, new_m, new_v = new
        g = zeros(room, (w.size,), w.dtype)
        L = add_gradient(room, p, unpacked(g, p), source, source_mask, inputs, targets, target_mask, eps, of_encoder,
                         teacher, of_decoder, of_output)
        size, finite = update(room, w, g, m, v, new_w, new_m, new_v, limit, numbers)
        return L, size, finite
    return loss_and_update
