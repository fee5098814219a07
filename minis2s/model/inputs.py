"""What a side reads at a step, made into its first layer's input: a row of a table for a token, a product for a frame.

(E1)  x_t = E[id_t]                 of a token
(E2)  x_t = f_t W + b               of a frame
"""
from typing import Any

import numpy as np

from ..layers import embedding, frame_input


def forward(p: Any, inputs: np.ndarray) -> np.ndarray:
    """Table (V, E) and token ids (...), or frame_input.Params and frames (..., F) -> xs (..., E)."""
    if isinstance(p, frame_input.Params):
        return frame_input.forward(p, inputs)                   # (E2)
    return embedding.forward(p, inputs)                         # (E1)


def backward(p: Any, inputs: np.ndarray, dxs: np.ndarray) -> Any:
    """dxs (T, N, E) -> gradient of the table, or of the Params."""
    if isinstance(p, frame_input.Params):
        return frame_input.backward(p, inputs, dxs)[1]          # (E2*)
    return embedding.backward(p, inputs, dxs)                   # (E1*)
