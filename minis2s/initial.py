"""First values of the weights.

(I1)  Glorot & Bengio (2010): uniform in +-sqrt(6 / (fan in + fan out)) keeps the size of a signal
      about the same through a layer, forward and backward.
(I2)  Orthogonal recurrent blocks (Saxe et al. 2014): every singular value is 1, so h_t neither
      explodes nor vanishes at the start of training.
"""
import numpy as np


def glorot(rng, rows, columns, blocks=1):
    """`blocks` gate matrices side by side, each by (I1): -> (rows, blocks*columns)."""
    bound = np.sqrt(6.0 / (rows + columns))                     # (I1)
    return rng.uniform(-bound, bound, (rows, blocks * columns))


def orthogonal(rng, size, blocks=1):
    """`blocks` square gate matrices side by side, each by (I2): -> (size, blocks*size)."""
    def one():
        q, r = np.linalg.qr(rng.normal(size=(size, size)))
        return q * np.sign(np.diag(r))                          # (I2) the signs make it uniform
    return np.concatenate([one() for _ in range(blocks)], axis=1)
