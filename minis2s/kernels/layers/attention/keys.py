"""Keys of a whole source in one product, and the gradient of the weights that make them.

(AB1), (AC1) forward; (AB1*), (AC1*) backward.
"""
from numpy import ascontiguousarray as contiguous

from ....core import tree
from ....layers import attention as reference
from ....layers.attention import Memory
from ...core import validation
from ...linalg.gemm import add_product_of_rows, packed, product_of_rows
from ...linalg.gradients import weight_gradient_shared
from ...runtime.arena import empty, scratch_arena
from ...runtime.jit import inlined, jit
from ...runtime.threads import over_rows


def precompute_keys(score, p, hs, mask):
    """See attention.precompute_keys."""
    dtype = validation.floats("hs", hs, 3)
    validation.bools("mask", mask, hs.shape[:2])
    if hasattr(p, "W_h"):
        validation.floats("p.W_h", p.W_h, 2)
        validation.array("p.W_h", p.W_h, dtype, (hs.shape[2], p.W_h.shape[1]))
    return Memory(hs, _keys(None, p.W_h, contiguous(hs)) if hasattr(p, "W_h") else None, mask)


def precompute_keys_backward(score, p, memory, dmemory):
    """See attention.precompute_keys_backward."""
    if not hasattr(p, "W_h"):
        return reference.precompute_keys_backward(score, p, memory, dmemory)
    dtype = validation.floats("hs", memory.hs, 3)
    validation.floats("p.W_h", p.W_h, 2)
    (T, N, H), A = memory.hs.shape, p.W_h.shape[1]
    validation.arrays(dtype, ("p.W_h", "dmemory.hs", "dmemory.keys"), [(H, A), (T, N, H), (T, N, A)],
                      (p.W_h, dmemory.hs, dmemory.keys))
    g, dhs = tree.zeros_like(tree.map(contiguous, p)), dmemory.hs.copy()
    _add_keys_gradient(None, p.W_h, g.W_h, contiguous(memory.hs), dmemory.keys, dhs)
    return dhs, g


@inlined
def product_with(arena, W, hs):
    """hs (T, N, H) W -> keys (T, N, A)."""
    (T, N, H), A = hs.shape, W.shape[1]
    made = empty(arena, (T, N, A), hs.dtype)
    over_rows(product_of_rows, (made.reshape(T * N, A), hs.reshape(T * N, H), packed(scratch_arena(arena), W)), T * N,
              made.size * H)                                             # (AB1) (AC1)
    return made


@inlined
def add_keys_gradient(arena, W, dW, hs, dkeys, dhs):
    """dW += the gradient of W, dhs += that of hs, both through the keys."""
    (T, N, H), A = hs.shape, W.shape[1]
    over_rows(add_product_of_rows, (dhs.reshape(T * N, H), dkeys.reshape(T * N, A), packed(scratch_arena(arena), W.T)),
              T * N, dkeys.size * H)                                          # (AB1*) (AC1*) fork: hs is summed
    weight_gradient_shared(dW, hs, dkeys)                                # (AB1*) (AC1*)


_keys, _add_keys_gradient = jit("attention.keys")(product_with), jit("attention.keys_backward")(add_keys_gradient)
