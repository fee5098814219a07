"""Which source tokens an answer depends on: gradient times input, and occlusion, for every token that is written.

Part P16.  z_t is the logit of the token y_t written at step t, x_i the embedding of source token i.

(SL1)  r_ti = x_i . dz_t/dx_i               gradient x input (Denil et al. 2014): how z_t would change if x_i grew
(SL2)  f_ti = log p(y_t) - log p(y_t | x_i = <unk>)    occlusion (Zeiler & Fergus 2014): what hiding token i costs

The logit is differentiated and not log p, whose gradient is nearly 0 wherever the model is sure.  Every source position
gets a row of its own in an embedding made for the purpose, so that a token that stands twice is told apart, and every
step t a copy of the example, so that one backward pass gives all rows: of copy t only z_t has a gradient.

Where the readout copies (layers/copying.py), z_t is log p(y_t): a word that stands in the source alone has no logit.
Hiding the only place of such a word makes it impossible, and costs infinitely much.
"""
from dataclasses import replace
from typing import Any

import numpy as np

from ..core.functions import log_softmax
from ..data.batches import make_batch
from ..data.vocabulary import UNK
from . import architectures, decoder, seq2seq
from .checks import check_params
from .config import Config


def gradient_times_input(p: Any, config: Config, x: list, y: list) -> np.ndarray:
    """(SL1) of one example.

    Parameters
    ----------
    p : seq2seq.Params
    config : Config
        Of a recurrent model.
    x, y : lists of int
        Source and answer, without their ends.

    Returns
    -------
    ndarray of shape (S, T)
        A row for each token written, the end included; columns in the order of `x`.

    Raises
    ------
    ValueError
        For a Transformer, an empty source, or parameters of another Config.
    """
    if config.source != "tokens":
        raise ValueError("gradient x input is for sources of tokens; frame_input.backward gives the gradient of frames")
    if config.architecture != "recurrent":
        raise ValueError("gradient x input is for recurrent models; "
                         f"architecture={config.architecture} has occlusion only")
    check_params(p, config)
    T, S, p = len(x), len(y) + 1, seq2seq.untie(p, config)
    batch = make_batch([list(x)] * S, [list(y)] * S, config.reverse_source)
    xs = p.encoder.embedding[decoder.read_ids(config, batch.source)]        # (T, S, E)
    own = p._replace(encoder=p.encoder._replace(embedding=xs.reshape(T * S, -1)))
    copies = config.readout == "copy"
    sizes = replace(config, source_vocab=max(5, T * S), readout="state-context" if copies else config.readout)
    source, s0, k_encode = seq2seq.encode(own, sizes, np.arange(T * S).reshape(T, S), batch.source_mask)
    if copies:
        source = source._replace(ids=batch.source)                          # the words, not their places
    logits, k = decoder.forward(own.decoder, config, source, s0, batch.inputs)
    dlogits, t = np.zeros(logits.shape, logits.dtype), np.arange(S)
    dlogits[t, t, batch.targets[t, t]] = 1
    _, ds0, dsource = decoder.backward(own.decoder, config, source, k, dlogits)
    g, _, _ = seq2seq.encode_backward(own, sizes, source, k_encode, dsource, ds0)
    r = (xs * g.embedding.reshape(xs.shape)).sum(axis=2).T                  # (SL1)
    return r[:, ::-1] if config.reverse_source else r


def occlusion(p: Any, config: Config, x: list, y: list) -> np.ndarray:
    """(SL2) of one example, for any architecture: see `gradient_times_input`."""
    hidden = [[UNK if i == j else token for j, token in enumerate(x)] for i in range(len(x))]
    batch = make_batch([list(x), *hidden], [list(y)] * (len(x) + 1), config.reverse_source)
    read = batch._replace(**{side: decoder.read_ids(config, getattr(batch, side)) for side in ("inputs", "targets")})
    log_p = log_softmax(architectures.logits(p, config, read), axis=2)
    said = np.take_along_axis(log_p, batch.targets[:, :, None], axis=2)[:, :, 0]
    return said[:, :1] - said[:, 1:]                                        # (SL2)


def attention(p: Any, config: Config, x: list, y: list) -> np.ndarray | None:
    """The attention weights of one example, (S, T) as of `gradient_times_input`; None without attention."""
    if config.architecture != "recurrent":
        raise ValueError("attention of one layer is for recurrent models; "
                         f"architecture={config.architecture} has heads")
    _, _, k = seq2seq.forward(p, config, make_batch([list(x)], [list(y)], config.reverse_source))
    alpha = decoder.alphas(k.decoder)
    if alpha is None:
        return None
    return alpha[:, ::-1, 0] if config.reverse_source else alpha[:, :, 0]


def states(p: Any, config: Config, x: list) -> np.ndarray:
    """The top encoder layer's state after each source token: (T, H or 2H), in the order of `x`."""
    if config.architecture != "recurrent":
        raise ValueError(f"states are those of recurrent models; architecture={config.architecture} has none")
    check_params(p, config)
    batch = make_batch([list(x)], [[]], config.reverse_source)
    hs = seq2seq.encode(seq2seq.untie(p, config), config, batch.source, batch.source_mask)[2].hs[:, 0]
    return hs[::-1] if config.reverse_source else hs


def probe(hs: np.ndarray, values: np.ndarray, ridge: float = 1e-3) -> tuple[np.ndarray, float]:
    """A linear probe: can a number be read from states?

    Parameters
    ----------
    hs : ndarray of shape (n, H)
        States of training examples in the first half, of held-out ones in the second.
    values : ndarray of shape (n,)
        The number that each state is asked for, such as the position in the text.
    ridge : float
        How strongly large weights are avoided.

    Returns
    -------
    weights : ndarray of shape (H + 1,)
        The last is the constant.
    R2 : float
        On the second half: 1 is read exactly, 0 no better than the mean.
    """
    n = len(hs) // 2
    A = np.concatenate([hs, np.ones((len(hs), 1))], axis=1)
    w = np.linalg.solve(A[:n].T @ A[:n] + ridge * np.eye(A.shape[1]), A[:n].T @ values[:n])
    wrong, spread = values[n:] - A[n:] @ w, values[n:] - values[:n].mean()
    return w, float(1 - (wrong**2).sum() / (spread**2).sum())
