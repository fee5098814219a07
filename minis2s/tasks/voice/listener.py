"""A listener that needs no training: it lays an answer along the narrator's own sound and compares the syllables.

    d(i, j)   root mean square between frame i of the answer and frame j of the narrator's sound, of 20 ms each
    D(i, j) = d(i, j) + min(D(i-1, j-1), D(i-1, j) + 0.3, D(i, j-1) + 0.3)

This is dynamic time warping (Sakoe & Chiba 1978).

The cheapest way through D says which frames belong together, for nobody speaks twice in the same time.  A syllable is
right if d is small on the way through it.
"""
import numpy as np

from ...data.sound import log_mel
from ..speech.synthesiser import RATE, STEP
from .synthesiser import narrated

FRAME, QUIET, STRETCH = 0.02, -7.0, 0.3     # seconds; log-mel below which all is silence; price of a step aside
RIGHT = 1.03                    # the narrator's own syllables are at most 0.91 away, others in tone 1.04 and more
UNEVEN = 1.5                    # times as long as the narrator, or as short: not compared


def distances(samples, syllables):
    """How far each syllable of an answer is from the narrator's: -> ndarray, infinite where lengths are too
    different."""
    own, ends = narrated(syllables)
    heard, own = coarse(samples), coarse(own)
    if not 1 / UNEVEN < len(heard) / len(own) < UNEVEN:
        return np.full(len(syllables), np.inf)
    d = np.sqrt(((heard[:, None] - own) ** 2).mean(axis=2))
    of_frame = along(d)
    edges = np.round(np.array([0, *ends]) * STEP / RATE / FRAME).astype(int)
    return np.array([of_frame[a:b].mean() for a, b in zip(edges, edges[1:])])


def coarse(samples):
    """Samples -> log-mel frames of 20 ms, means of two."""
    f = np.maximum(log_mel(samples, RATE), QUIET)
    return f[:len(f) // 2 * 2].reshape(-1, 2, f.shape[1]).mean(axis=1)


def along(d):
    """The mean of d (n, m) on the cheapest way through it, for each of the m columns."""
    n, m = d.shape
    D = np.full((n + 1, m + 1), np.inf).tolist()
    D[0][0] = 0.0
    for i, row in enumerate(d.tolist(), start=1):
        here, before = D[i], D[i - 1]
        for j, one in enumerate(row, start=1):
            here[j] = one + min(before[j - 1], before[j] + STRETCH, here[j - 1] + STRETCH)
    sums, counts, i, j = np.zeros(m), np.zeros(m), n, m
    while i and j:
        sums[j - 1] += d[i - 1, j - 1]
        counts[j - 1] += 1
        ways = (D[i - 1][j - 1], i - 1, j - 1), (D[i - 1][j] + STRETCH, i - 1, j), (D[i][j - 1] + STRETCH, i, j - 1)
        _, i, j = min(ways)
    return sums / counts
