"""Quantisation, pruning, distillation."""
import numpy as np

from ....layers import distillation
from ....testing import oracle
from ....training import pruning, quantization
from .example import Example, normal


def rounded(v):
    """Weights rounded to three bits, and to one."""
    ws = v["W"][0] + v["W"][1]
    q, s = oracle.quantize(ws, 3)
    q_1, s_1 = oracle.quantize(ws, 1)
    new, new_1 = oracle.dequantize(q, s), oracle.dequantize(q_1, s_1)
    return {"s": [s], "W_3": [new[:3], new[3:]], "s_1": [s_1], "W_1": [new_1[:3], new_1[3:]]}


def quantized(v):
    """The library's."""
    three, one = (quantization.quantize(v["W"], bits, "tensor") for bits in (3, 1))
    return {"s": np.reshape(three.s, 1), "W_3": quantization.dequantize(three), "s_1": np.reshape(one.s, 1),
            "W_1": quantization.dequantize(one)}, None


def cut(v):
    """Half of the weights of two matrices become 0, those that are small for their matrix."""
    new, other = oracle.prune([v["W"][0] + v["W"][1], v["V"][0] + v["V"][1]], 0.5, "distribution")
    return {"W_new": [new[:3], new[3:]], "V_new": [other[:2], other[2:]]}


def pruned(v):
    """The library's."""
    p = (v["W"], v["V"])
    masks = pruning.masks(p, 0.5, "distribution")
    W, V = pruning.apply(p, masks)
    return {"W_new": W, "V_new": V, "u": np.abs(v["W"]) / v["W"].std()}, masks


def pruned_back(v, masks, d):
    """Its derivative."""
    W, V = pruning.apply_backward(masks, (d["W_new"], d["V_new"]))
    return {"W": W, "V": V}


def distilled(v):
    """Two target tokens, 2 and 0, of three; the teacher's part is 0.3."""
    return {"L": oracle.distillation(v["logits"], v["teacher"], [[2], [0]], [[True], [True]], 0.3)}


IDS, REAL = np.array([[2, 0, 1], [0, 1, 1]]), np.array([[True, True, True], [True, True, False]])


def learned(v):
    """The library's."""
    N = v["logits"].shape[1]
    L, k = distillation.forward(v["logits"], IDS[:, :N], REAL[:, :N], v["teacher"], 0.3)
    return {"L": L}, k


EXAMPLES = (
    Example("quantization", lambda rng, N: {"W": normal(rng, 2, 3)}, rounded, quantized, None,
            also={"(QZ1)": {"s": "s"}, "(QZ2)": {"W'": "W_3"}, "(QZ3)": {"W'": "W_3"}, "(QZ4)": {"s": "s_1"}},
            plain=True),
    Example("pruning", lambda rng, N: {"W": normal(rng, 2, 3), "V": normal(rng, 2, 2)}, cut, pruned, pruned_back,
            silent=("u",), also={"(PR1)": {"u": "u"},
                                 "(PR2)": {"W'": "W_new"}, "(PR3)": {"W'": "W_new"}, "(PR3*)": {"dW": "dW"}}),
    Example("distillation", lambda rng, N: {"logits": normal(rng, 2, N, 3), "teacher": normal(rng, 2, N, 3)},
            distilled, learned, lambda v, k, d: {"logits": d["L"] * distillation.backward(k)}),
)
