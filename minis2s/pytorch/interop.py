"""Cell parameters in PyTorch's order and back: the one place where other conventions are known.

PyTorch keeps W^T and U^T, two biases that it adds (b_ih + b_hh), the LSTM's gates in our order i, f, g, o, and the
GRU's in the order r, z, n.  Its GRU has the reset gate after the product, and its z is our 1-z:

    h = (1-z') n + z' h'  with  z' = sigmoid(a') = 1 - sigmoid(-a'),  so our a_z is -a'.

Arrays are NumPy's: `torch.nn.LSTM(...).load_state_dict` wants `torch.from_numpy` of each.
"""
import numpy as np

from ..layers.cells import gru_after, lstm, rnn

MODULES = {"rnn": rnn, "lstm": lstm, "gru-after": gru_after}


def to_torch(cell, p, layer=0, reverse=False):
    """Weights of one layer under PyTorch's names.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru-after"}
    p : the cell's Params
    layer : int
    reverse : bool
        Name them as the backward direction's.

    Returns
    -------
    dict
        weight_ih_l0 (gates*H, D), weight_hh_l0 (gates*H, H), bias_ih_l0 and bias_hh_l0 (gates*H,), with the layer's
        number and, for the backward direction, "_reverse" in the names.

    Raises
    ------
    ValueError
        For "gru" (reset before the product) and "rnn-sigmoid": PyTorch has no such cells.
    """
    module = module_of(cell)
    W, U, b = p[:3] if module is not gru_after else map(to_r_z_n, p[:3])
    b_hh = np.zeros_like(b)
    if module is gru_after:
        b_hh[2 * len(p.b_U):] = p.b_U
    end = f"_l{layer}" + ("_reverse" if reverse else "")
    arrays = {"weight_ih": W.T, "weight_hh": U.T, "bias_ih": b, "bias_hh": b_hh}
    return {name + end: np.array(a, order="C") for name, a in arrays.items()}      # copies: torch writes into its own


def from_torch(cell, arrays, layer=0, reverse=False):
    """The reverse of `to_torch`: a dict of arrays under PyTorch's names -> the cell's Params."""
    module = module_of(cell)
    end = f"_l{layer}" + ("_reverse" if reverse else "")
    names = [name + end for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")]
    for name in names:
        if name not in arrays:
            raise ValueError(f"arrays: {name} is missing, there are {', '.join(arrays) or 'none'}")
    W, U, b, b_hh = (np.asarray(arrays[name]) for name in names)
    if module is not gru_after:
        return module.Params(np.array(W.T, order="C"), np.array(U.T, order="C"), b + b_hh)
    H = U.shape[1]
    outside = np.concatenate([b[:2 * H] + b_hh[:2 * H], b[2 * H:]])     # r scales n's second bias, so it stays apart
    return module.Params(*map(to_z_r_n, (W.T, U.T, outside)), b_hh[2 * H:].copy())


def module_of(cell):
    """The cell's module; ValueError for a cell that PyTorch has not."""
    if cell not in MODULES:
        raise ValueError(f"cell={cell!r}: PyTorch's layout is known for {', '.join(MODULES)}")
    return MODULES[cell]


def to_r_z_n(a):
    """Blocks z, r, n of the last axis -> PyTorch's r, z, n, with the sign of its z."""
    z, r, n = np.split(a, 3, axis=-1)
    return np.concatenate([r, -z, n], axis=-1)


def to_z_r_n(a):
    """PyTorch's blocks r, z, n of the last axis -> ours."""
    r, z, n = np.split(a, 3, axis=-1)
    return np.concatenate([-z, r, n], axis=-1)
