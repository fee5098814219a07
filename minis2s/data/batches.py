"""Ragged sequences -> padded arrays, time first; and which examples share a batch.

Padding stands at the end and is told apart by the mask alone, never by the number 0.
"""
from typing import NamedTuple

import numpy as np

from ..core import validation
from .vocabulary import BOS, EOS, PAD

POOL = 50       # batches that are sorted by length together
# examples × source steps × target steps of a batch at most: attention keeps some hundred numbers for each
AREA = 2_000_000


class Batch(NamedTuple):
    source: np.ndarray          # (T, N) int64, or (T, N, F) of frames
    source_mask: np.ndarray     # (T, N) bool, True = real
    inputs: np.ndarray          # (S, N) int64: BOS y_1 ... y_S, what the decoder is given; or frames (S, N, F)
    targets: np.ndarray         # (S, N) int64: y_1 ... y_S EOS, what it shall answer; or frames (S, N, r F)
    target_mask: np.ndarray     # (S, N) bool, the same for inputs and targets; or of frames (S, N, r)


def pad(sequences):
    """Stand sequences side by side, filled up with PAD at the end.

    Parameters
    ----------
    sequences : list of N lists of int

    Returns
    -------
    ids : ndarray of shape (T, N), int64
        T is the length of the longest sequence.
    mask : ndarray of shape (T, N), bool

    Raises
    ------
    ValueError
        There are no sequences, or an entry is negative.
    TypeError
        An entry is not an integer.
    """
    if not len(sequences):
        raise ValueError("sequences: none, wanted at least one")
    lengths = np.array([len(s) for s in sequences])
    flat = np.array([i for s in sequences for i in s])
    if flat.size and flat.dtype.kind not in "iu":
        raise TypeError(f"sequences: entries of dtype {flat.dtype}, wanted integers")
    if flat.size and flat.min() < 0:
        raise ValueError(f"sequences: an entry is {flat.min()}, wanted 0 or more")
    mask = np.arange(lengths.max()) < lengths[:, None]          # (N, T): example by example, as `flat` is
    ids = np.full(mask.shape, PAD, dtype=np.int64)
    ids[mask] = flat
    return np.ascontiguousarray(ids.T), np.ascontiguousarray(mask.T)


def pad_frames(sequences, dtype="float32"):
    """The same for sequences of frames, filled up with frames of zeros.

    Parameters
    ----------
    sequences : list of N arrays (T_n, F) of numbers
    dtype : str

    Returns
    -------
    frames : ndarray of shape (T, N, F)
    mask : ndarray of shape (T, N), bool

    Raises
    ------
    ValueError, TypeError
        There are no sequences, or they are not of frames of one size and of finite numbers.
    """
    if not len(sequences):
        raise ValueError("sequences: none, wanted at least one")
    for n, frames in enumerate(sequences):
        validation.array(f"sequences[{n}]", frames, ("T", sequences[0].shape[-1]))
    lengths = np.array([len(s) for s in sequences])
    mask = np.arange(lengths.max())[:, None] < lengths
    padded = np.zeros((*mask.shape, sequences[0].shape[1]), dtype)
    for n, frames in enumerate(sequences):
        padded[:len(frames), n] = frames
    return padded, mask


def pad_sources(sources, dtype="float32"):
    """`pad` for lists of ids, `pad_frames` for arrays of frames."""
    return pad_frames(sources, dtype) if is_frames(sources) else pad(sources)


def is_frames(sequences):
    """Whether sequences are arrays (T, F) of frames, and not lists of ids."""
    return len(sequences) > 0 and isinstance(sequences[0], np.ndarray) and sequences[0].ndim == 2


def target_frames(targets, r, dtype="float32"):
    """Sequences of frames as a decoder's inputs and targets, r frames in a step.

        inputs    0    f_r   f_2r              the last frame of the step before
        targets  f_1  f_r+1  f_2r+1
                 ...   ...    ...
                 f_r  f_2r   f_3r              zeros behind the end, where the mask is False

    Parameters
    ----------
    targets : list of N arrays (T_n, F) of numbers
    r : int
    dtype : str

    Returns
    -------
    inputs : ndarray of shape (S, N, F)
    targets : ndarray of shape (S, N, r F)
    mask : ndarray of shape (S, N, r), bool, True = real frame
    """
    frames, mask = pad_frames(targets, dtype)
    (T, N, F), S = frames.shape, -(-len(frames) // r)
    frames, mask = (np.concatenate([a, np.zeros((S * r - T, *a.shape[1:]), a.dtype)]) for a in (frames, mask))
    steps = frames.reshape(S, r, N, F).swapaxes(1, 2)
    inputs = np.concatenate([np.zeros((1, N, F), dtype), steps[:-1, :, -1]])
    mask = np.ascontiguousarray(mask.reshape(S, r, N).swapaxes(1, 2))
    return inputs, np.ascontiguousarray(steps).reshape(S, N, r * F), mask


def make_batch(sources, targets, reverse_source=False, dtype="float32", frames_per_step=1):
    """Make the arrays of one training step.

    Parameters
    ----------
    sources, targets : lists of N lists of int
        Without BOS and EOS; these are added to the targets here.  A target may be empty.  A source may be an array
        (T, F) of frames, and then all are; so may a target.
    dtype : str
        Of frames.
    frames_per_step : int
        Of targets of frames.
    reverse_source : bool
        Turn each source around (before padding), so that its beginning is the last thing read.

    Returns
    -------
    Batch

    Raises
    ------
    ValueError
        The numbers of sources and targets differ, there are none, or a source is empty.
    """
    if len(sources) != len(targets):
        raise ValueError(f"targets: {len(targets)} for {len(sources)} sources, wanted one for each")
    for n, source in enumerate(sources):
        if not len(source):
            raise ValueError(f"sources: number {n} is empty, wanted at least one id")
    if reverse_source:
        sources = [s[::-1] for s in sources]
    if is_frames(targets):
        return Batch(*pad_sources(sources, dtype), *target_frames(targets, frames_per_step, dtype))
    inputs, target_mask = pad([[BOS, *y] for y in targets])
    outputs, _ = pad([[*y, EOS] for y in targets])
    return Batch(*pad_sources(sources, dtype), inputs, outputs, target_mask)


def bucketed(lengths, batch_size, rng):
    """Share examples out into batches of nearly equal lengths, in random order.

    All examples are shuffled, cut into pools of 50 batches, and only inside a pool sorted by length.
    So padding is small, yet the batches differ from epoch to epoch.

    Parameters
    ----------
    lengths : sequence of (source length, target length)
    batch_size : int
    rng : numpy.random.Generator
        The same state gives the same batches.

    Returns
    -------
    list of ndarray of int
        Indices into `lengths`; each index stands in exactly one batch.  The last batch cut may be smaller, and a
        batch of very long examples is halved until it has no more than AREA attention weights.

    Raises
    ------
    ValueError
        `lengths` is empty or not a sequence of pairs, or `batch_size` is less than 1.
    """
    lengths = np.asarray(lengths)
    if lengths.ndim != 2 or lengths.shape[1] != 2 or not len(lengths):
        raise ValueError(f"lengths: shape {lengths.shape}, wanted (number of examples > 0, 2)")
    if batch_size < 1:
        raise ValueError(f"batch_size: {batch_size}, wanted 1 or more")
    order, size, batches = rng.permutation(len(lengths)), POOL * batch_size, []
    for pool in (order[i:i + size] for i in range(0, len(order), size)):
        source, target = lengths[pool].T
        pool = pool[np.lexsort((source, target))]               # by target length, then by source length
        for i in range(0, len(pool), batch_size):
            batches += halved(pool[i:i + batch_size], lengths)
    return [batches[i] for i in rng.permutation(len(batches))]


def lengths_of(examples):
    """(source length, target length) of examples, pairs of ids: -> ndarray of int of shape (examples, 2)."""
    known = getattr(examples, "lengths", None)                  # of stream.Encoded
    return np.array([(len(x), len(y)) for x, y, *_ in examples]) if known is None else known


def halved(batch, lengths):
    """Cut a batch into halves until none has more than AREA attention weights: -> list of ndarray of int."""
    source, target = lengths[batch].max(axis=0)
    if len(batch) == 1 or len(batch) * int(source) * int(target) <= AREA:
        return [batch]
    middle = len(batch) // 2
    return halved(batch[:middle], lengths) + halved(batch[middle:], lengths)
