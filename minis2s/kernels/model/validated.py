"""Parameters as compiled code takes them for granted: it looks at neither shapes nor strides, and a wrong one is
memory that is somebody else's.

    p ──> of this Config's shapes and dtype? ──no──> ValueError, TypeError
                   │yes
          each array's numbers side by side? ──no──> a copy of that array
                   │yes
                   p
"""
import numpy as np
from numpy import ascontiguousarray as contiguous

from ...core import tree
from ...model import seq2seq

LAST = [(None, None)]          # a Config, and Params that are ready: a search asks with the same ones again


def ready(p, config):
    """seq2seq.Params -> the same, or with copies of those arrays that lie in another way.

    Raises
    ------
    ValueError, TypeError
        For parameters of another Config.
    """
    config_then, then = LAST[0]
    if p is then and config is config_then:
        return p
    seq2seq.check_params(p, config)
    for name, a in tree.named(p):
        if a.dtype != config.dtype:
            raise TypeError(f"p: {name} has dtype {a.dtype}, wanted {config.dtype} of this Config")
    if not all([a.flags.c_contiguous for a in tree.leaves(p)]):
        return tree.map(contiguous, p)                         # copies, as p is now: nobody remembers them
    remember(p, config)
    return p


def remember(p, config):
    """Of these Params it is known that they are ready."""
    LAST[0] = config, p


def ready_ids(ids):
    """Token ids as int64 in the machine's order of bytes: for each other dtype all kernels would be made once more."""
    return contiguous(ids, np.int64)
