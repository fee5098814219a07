"""More data from the same data: tokens unread, noise, and pairs made by a model of the other direction.

Part P13.

    drop_tokens       a share of the source tokens is read as <unk>, others at every step (Sennrich et al. 2016)
    noisy             a list of tokens with some left out and neighbours exchanged (Lample et al. 2018)
    back_translated   pairs for targets without a source: a model of the other direction writes it (the same, 2016)
"""
import numpy as np

from .vocabulary import UNK


def drop_tokens(batch, rate, rng, V=None):
    """The Batch with a share of its real source tokens unknown; of each source at least one token stays as it was.

    Parameters
    ----------
    batch : Batch
    rate : float in [0, 1)
    rng : numpy.random.Generator
    V : int, optional
        Words of a vocabulary, where ids from V on are words that a readout copies.  Embeddings read these as <unk>
        already; they stay what they are, since a target may be one of them.
    """
    dropped = (rng.random(batch.source.shape) < rate) & batch.source_mask
    dropped[0, dropped.sum(axis=0) == batch.source_mask.sum(axis=0)] = False
    if V is not None:
        dropped &= batch.source < V
    return batch._replace(source=np.where(dropped, UNK, batch.source))


def noisy(tokens, rng, leave_out=0.1, reach=3):
    """A list of tokens, some left out (never all), and no one more than `reach` - 1 places from where it stood.

    Parameters
    ----------
    tokens : list
    rng : numpy.random.Generator
    leave_out : float in [0, 1)
        Share of tokens left out.
    reach : int
        1: the order stays.
    """
    kept = [token for token in tokens if rng.random() >= leave_out] or list(tokens[:1])
    places = np.arange(len(kept)) + reach * rng.random(len(kept)) * (reach > 1)
    return [kept[i] for i in np.argsort(places, kind="stable")]


def back_translated(targets, translate):
    """Pairs for texts of the target language alone.

    Parameters
    ----------
    targets : list of str
    translate : callable
        list of str -> list of str: a model of the other direction, such as `Seq2Seq.translate`.

    Returns
    -------
    list of (str, str)
        Without those to which the model wrote nothing.
    """
    return [(source, target) for source, target in zip(translate(list(targets)), targets) if source.strip()]
