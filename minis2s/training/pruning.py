"""Pruning: the smallest weights of a model become 0, and stay 0 while it is trained on.

Part P13.  The three ways to say which are the smallest are those of See et al. (2016), who call a matrix a class:

    "blind"           all weights of all matrices are compared with one another
    "uniform"         each matrix gives up the same share of its own
    "distribution"    a weight is compared in units of its matrix's standard deviation sigma

Forward                                              Backward
(PR1)  u = |W|, or |W| / sigma     "distribution"
(PR2)  m = u > threshold           the share's quantile of all u; "uniform": of the matrix's own
(PR3)  W' = m W                                      (PR3*) dW = m dW'

Vectors (biases, an attention's v) are few and stay as they are.
"""
from typing import Any

import numpy as np

from ..core import tree

SCHEMES = ("blind", "uniform", "distribution")


def check(share: float, scheme: str) -> None:
    """Require a share of at least 0 and less than 1, and the name of a scheme."""
    if isinstance(share, bool) or not isinstance(share, (int, float, np.number)):
        raise TypeError(f"prune={share!r}: wanted a number")
    if not 0 <= share < 1:
        raise ValueError(f"prune={share!r}: wanted at least 0 and less than 1")
    if scheme not in SCHEMES:
        raise ValueError(f"scheme={scheme!r}: choose one of {', '.join(SCHEMES)}")


def threshold(us: list, share: float) -> float:
    """The largest of the round(share * count) smallest entries of some arrays; less than all where that is none."""
    u = np.concatenate([a.ravel() for a in us])
    count = round(share * u.size)
    return float(np.partition(u, count - 1)[count - 1]) if count else -np.inf


def masks(p: Any, share: float, scheme: str = "blind") -> Any:
    """Choose what stays: a tree of the form of `p` with bool arrays, True = kept; for vectors None.

    Parameters
    ----------
    p : tree
        A model's parameters.
    share : float in [0, 1)
        Of the numbers of all matrices, how many become 0.
    scheme : {"blind", "uniform", "distribution"}
    """
    check(share, scheme)
    us = {name: np.abs(W) / (W.std() or 1.0) if scheme == "distribution" else np.abs(W)      # (PR1)
          for name, W in tree.named(p) if W.ndim > 1}
    common = None if scheme == "uniform" or not us else threshold(list(us.values()), share)
    kept = {name: u > (threshold([u], share) if common is None else common) for name, u in us.items()}    # (PR2)
    return tree.replace(p, {name: kept.get(name) for name, _ in tree.named(p)})


def apply(p: Any, masks: Any) -> Any:
    """The parameters with zeros where a mask is False; what has no mask stays as it is."""
    kept = dict(tree.named(masks))
    return tree.replace(p, {name: W * kept[name] if name in kept else W for name, W in tree.named(p)})    # (PR3)


def apply_backward(masks: Any, d: Any) -> Any:
    """Pull gradients of `apply`'s result back: what is 0 for good has none."""
    kept = dict(tree.named(masks))
    return tree.replace(d, {name: g * kept[name] if name in kept else g for name, g in tree.named(d)})    # (PR3*)


def share_of_zeros(p: Any) -> float:
    """The share of zeros among the numbers of all matrices."""
    matrices = [W for W in tree.leaves(p) if W.ndim > 1]
    return float(sum((W == 0).sum() for W in matrices) / max(1, sum(W.size for W in matrices)))
