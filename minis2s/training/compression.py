"""Smaller files: quantised and pruned parameters, packed, and unpacked to what the model computes with.

    parameters ── masks (pruning.py) ── q, s (quantization.py) ── pack ──> bytes in a file
                                                                              │
    parameters with zeros and rounded numbers  <── s q at kept places ── unpack

Of a matrix three arrays are kept at most:

    name          the kept numbers, b bits each, as bytes; or as they are where nothing is quantised
    name:scale    the scales s
    name:mask     a bit for each number, 1 = kept; only where something was pruned

Vectors are kept as they are.
"""
from typing import Any

import numpy as np

from ..core import tree
from . import pruning, quantization


def pack(q: np.ndarray, bits: int) -> np.ndarray:
    """Whole numbers as `quantize` makes them -> bytes, `bits` for each number, the least first."""
    u = ((q > 0) if bits == 1 else q.astype(np.int16) + quantization.largest(bits)).astype(np.uint8)
    return np.packbits((u.ravel()[:, None] >> np.arange(bits, dtype=np.uint8)) & 1)


def unpack(data: np.ndarray, bits: int, count: int) -> np.ndarray:
    """The reverse of `pack`: -> int8 (count,)."""
    rows = np.unpackbits(data, count=count * bits).reshape(count, bits)
    u = (rows << np.arange(bits, dtype=np.uint8)).sum(axis=1).astype(np.int16)
    return (2 * u - 1 if bits == 1 else u - quantization.largest(bits)).astype(np.int8)


def encode(p: Any, masks: Any = None, bits: int | None = None, per: str = "channel") -> tuple[dict, dict]:
    """Pack parameters.

    Parameters
    ----------
    p : tree
    masks : tree, optional
        As pruning.masks makes them; None: nothing is pruned.
    bits : int from 1 to 8, optional
        None: nothing is quantised.
    per : {"tensor", "channel"}

    Returns
    -------
    arrays : dict of ndarray
    description : dict of plain values
        What `decode` needs besides the arrays.
    """
    arrays: dict = {}
    shapes: dict = {}
    kept = dict(tree.named(masks))
    for name, W in tree.named(p):
        if W.ndim < 2:
            arrays[name] = W
            continue
        mask, values = kept.get(name), W
        if bits is not None:
            q = quantization.quantize(W, bits, per, mask)
            arrays[f"{name}:scale"], values = np.atleast_1d(q.s), q.q
        if mask is not None:
            arrays[f"{name}:mask"], values = np.packbits(mask), values[mask]
        arrays[name] = values.ravel() if bits is None else pack(values, bits)
        shapes[name] = list(W.shape)
    return arrays, {"bits": bits, "per": per, "pruned": masks is not None, "shapes": shapes}


def decode(arrays: dict, description: dict, dtype: str) -> dict:
    """Unpack: -> arrays by name, those that the model computes with.

    Raises
    ------
    ValueError
        Naming the array that is missing or of a wrong size.
    """
    found: dict = {}
    bits, shapes = description["bits"], description["shapes"]
    for name, a in arrays.items():
        if name in shapes:
            found[name] = matrix(name, arrays, bits, tuple(shapes[name])).astype(dtype)
        elif ":" not in name:
            found[name] = a
    return found


def matrix(name: str, arrays: dict, bits: int | None, shape: tuple) -> np.ndarray:
    """One matrix of `decode`."""
    size, packed, scale = int(np.prod(shape)), arrays.get(f"{name}:mask"), arrays.get(f"{name}:scale")
    if bits is not None and scale is None:
        raise ValueError(f"{name}: its scales are missing")
    if packed is not None and len(packed) != -(-size // 8):
        raise ValueError(f"{name}: its mask has {len(packed)} bytes, wanted {-(-size // 8)}")
    mask = np.ones(shape, bool) if packed is None else np.unpackbits(packed, count=size).reshape(shape).astype(bool)
    count, data = int(mask.sum()), arrays[name]
    wanted = count if bits is None else -(-count * bits // 8)
    if data.size != wanted:
        raise ValueError(f"{name}: {data.size} entries, wanted {wanted}")
    values = np.zeros(shape, data.dtype if bits is None else np.int8)
    values[mask] = data if bits is None else unpack(data, bits, count)
    if bits is None:
        return values
    return quantization.dequantize(quantization.Quantized(values, scale))


def shrink(p: Any, bits: int | None = None, per: str = "channel", prune: float = 0.0,
           scheme: str = "blind", masks: Any = None) -> tuple[Any, dict, dict]:
    """Prune, quantise and pack: -> the parameters that the packed ones stand for, arrays, description.

    `masks` are those of a model that was pruned and trained on, in place of `prune` and `scheme`.
    """
    if bits is not None or per != "channel":
        quantization.check(8 if bits is None else bits, per)
    pruning.check(prune, scheme)
    if masks is None and prune:
        masks = pruning.masks(p, prune, scheme)
    arrays, description = encode(p, masks, bits, per)
    dtype = str(tree.leaves(p)[0].dtype)
    return tree.replace(p, decode(arrays, description, dtype)), arrays, description


def size(arrays: dict) -> int:
    """Bytes of arrays by name, without a file's header."""
    return int(sum(a.nbytes for a in arrays.values()))
