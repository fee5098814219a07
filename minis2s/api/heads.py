"""The heads of a Transformer, one by one: which source tokens each of them looks at while an answer is written.

An answer's own weights are the means over the heads of the last layer (model/architectures.py).  Here the answer is fed
to the model once more, as its target, so that all heads' weights are at hand; the mean of the last layer's is what the
search found.
"""
from typing import Any

import numpy as np

from ..data.batches import make_batch
from ..model import transformer, transformer_decoder
from .answering import Translation, attention_of, numbered


def attention_heads(model: Any, a: Translation) -> np.ndarray:
    """Attention weights of every layer and head.

    Parameters
    ----------
    model : Seq2Seq
        A Transformer.
    a : Translation
        Its answer to a text, with attention.

    Returns
    -------
    ndarray of shape (layers, heads, S, T)
        A row for each token written, the end of a finished answer included; a column for each token read.

    Raises
    ------
    ValueError
        For a recurrent model, and for an answer without attention.
    """
    if model.config.architecture != "transformer":
        raise ValueError(f"model: architecture={model.config.architecture} has no heads, wanted transformer")
    if a.alpha is None:
        raise ValueError("a: an answer without attention, wanted one of a text that was read")
    c, (x, y) = model.config, numbered(model, (a.source, a.target))
    batch = make_batch([x[::-1] if c.reverse_source else x], [y[:len(a.alpha) - 1]])    # a row more than tokens fed
    _, _, k = transformer.forward(model.params, c, batch)
    alpha = np.stack([weights[0] for weights in transformer_decoder.alphas(k.decoder)])
    return alpha[..., ::-1] if c.reverse_source else alpha


def maps_of(model: Any, a: Translation) -> tuple[list, list]:
    """-> what plots.attention_grid draws of the last layer: for each head (alpha, source labels, target labels), and
    its name."""
    _, source, target = attention_of(a)
    heads = attention_heads(model, a)[-1]
    return [(alpha, source, target) for alpha in heads], [f"head {j}" for j in range(1, len(heads) + 1)]
