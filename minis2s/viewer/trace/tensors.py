"""Arrays of a page: each stored once, large ones cut."""
import base64

import numpy as np

WIDEST, LARGEST = 192, 192 * 128                # shown whole: H = 32 with 4H columns of gates, 6H inputs
ROWS, COLUMNS = 64, 128                         # what is left of a larger array
BLOCK = 64                                      # and of each gate of one example


class Tensors:
    """Arrays of a page.

    Attributes
    ----------
    list : list of dict
        What the page stores: "whole" and "shape" (of all, of what is shown), "type", "kind", "gates", "data".
    cut : int
        How many of them are not whole.
    """

    def __init__(self):
        self.list, self.known, self.cut = [], {}, 0

    def add(self, a, gates=""):
        """Store an array.

        Parameters
        ----------
        a : ndarray
        gates : str
            Names of the blocks that its last axis holds, one letter each: "ifgo".

        Returns
        -------
        int
            Its number in the page.
        """
        whole, a = a, shown(a, gates)
        data = a.astype(a.dtype.newbyteorder("<")).tobytes()
        key = (whole.shape, whole.dtype.str, gates, data)
        if key not in self.known:
            self.known[key] = len(self.list)
            self.cut += a.size < whole.size
            self.list.append({"whole": list(whole.shape), "shape": list(a.shape), "type": a.dtype.str[1:],
                              "kind": whole.dtype.kind, "gates": gates, "data": base64.b64encode(data).decode()})
        return self.known[key]


def shown(a, gates):
    """What is shown of an array: real numbers, at most two axes, and of a large one the first rows and columns.

    Of an array that holds gates the first columns of each gate are shown, so that none is left out.
    """
    a = a.real.astype("f4" if a.dtype == np.float32 else "f8")
    if a.ndim > 2 and 1 in a.shape:
        a = a.reshape([n for n in a.shape if n != 1] or [1])       # one example: its axis says nothing
    if a.ndim > 2:
        a = a.reshape(-1, a.shape[-1])
    if a.size <= LARGEST and (a.ndim == 0 or a.shape[-1] <= WIDEST):
        return a
    one_row = a.size == a.shape[-1]
    if a.ndim == 2:
        a = a[:ROWS]
    if gates:
        size = BLOCK if one_row else COLUMNS // len(gates)
        blocks = a.reshape(*a.shape[:-1], len(gates), -1)[..., :size]
        return blocks.reshape(*a.shape[:-1], -1)
    return a[..., :WIDEST if one_row else COLUMNS]
