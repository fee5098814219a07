"""First values of the weights.

(I1)  Glorot & Bengio (2010): uniform in +-sqrt(6 / (fan in + fan out)) keeps the size of a signal
      about the same through a layer, forward and backward.
(I2)  Orthogonal recurrent blocks (Saxe et al. 2014): every singular value is 1, so h_t neither
      explodes nor vanishes at the start of training.
"""
import numpy as np


class Sizes:
    """In place of a random generator, for who asks how large the arrays would be: all numbers are one and the same 0.

    No equation is computed for it, so a trace of a run does not show any.
    """

    def normal(self, scale: float = 1.0, size: tuple[int, ...] = ()) -> np.ndarray:
        """Of numpy.random.Generator."""
        return np.broadcast_to(0.0, size)


def glorot(rng: np.random.Generator | Sizes, rows: int, columns: int, blocks: int = 1) -> np.ndarray:
    """`blocks` gate matrices side by side, each by (I1): -> (rows, blocks*columns)."""
    if isinstance(rng, Sizes):
        return rng.normal(size=(rows, blocks * columns))
    bound = np.sqrt(6.0 / (rows + columns))                     # (I1)
    return rng.uniform(-bound, bound, (rows, blocks * columns))


def orthogonal(rng: np.random.Generator | Sizes, size: int, blocks: int = 1) -> np.ndarray:
    """`blocks` square gate matrices side by side, each by (I2): -> (size, blocks*size)."""
    if isinstance(rng, Sizes):
        return rng.normal(size=(size, blocks * size))

    def one() -> np.ndarray:
        q, r = np.linalg.qr(rng.normal(size=(size, size)))
        return q * np.sign(np.diag(r))                          # (I2) the signs make it uniform
    return np.concatenate([one() for _ in range(blocks)], axis=1)
