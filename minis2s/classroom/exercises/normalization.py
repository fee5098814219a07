"""Exercises on layer normalisation and on the residual connection around a sub-layer."""
import numpy as np

from ...layers import layer_norm
from .exercise import Case, Exercise

ROWS = ((4, 5), (3, 8), (1, 2))                         # N, D


# layer normalisation -----------------------------------------------------------------------------------

def _rows(rng):
    cases = [Case("ordinary rows", {"x": rng.normal(size=size) * 2 + 1, "g": rng.normal(size=size[1]),
                                    "b": rng.normal(size=size[1])}) for size in ROWS]
    g = cases[0].inputs
    cases.append(Case("rows of nearly equal numbers", {**g, "x": 3 + 1e-3 * rng.normal(size=ROWS[0])}))
    cases.append(Case("rows far from 0", {**g, "x": g["x"] + 1e4}))
    return cases


def layer_norm_forward(x, g, b):
    """The library's layer normalisation on plain arrays."""
    return layer_norm.forward(layer_norm.Params(g, b), x)[0]


LAYER_NORM = Exercise(
    "layer-norm", "layer normalisation of each row",
    """(LN1)  c = x - mean(x)                  mean over the row's D numbers
(LN2)  r = sqrt(mean(c^2) + 1e-5)
(LN3)  n = c / r
(LN4)  y = g n + b""",
    """x  (N, D)  rows
g  (D,)    the gain
b  (D,)    the shift""",
    "y  (N, D)  rows of mean 0 and variance 1, scaled and shifted (LN4)",
    """>>> y = layer_norm(np.array([[1.0, 3.0], [0.0, 20.0]]), np.array([1.0, 2.0]), np.array([0.0, 0.5]))
>>> print(y.round(3))
[[-1.   2.5]
 [-1.   2.5]]""",
    ("Every row is normalised by itself: means run over axis 1.",
     "The variance is the mean of c^2: divide by D, not by D - 1.",
     "1e-5 is added inside of the root; g and b are used last."),
    _rows, layer_norm_forward)


def _rows_back(rng):
    cases = []
    for case in _rows(rng)[:4]:
        _, k = layer_norm.forward(layer_norm.Params(case.inputs["g"], case.inputs["b"]), case.inputs["x"])
        cases.append(Case(case.label, {"n": k.n, "r": k.r[:, 0], "g": case.inputs["g"],
                                       "dy": rng.normal(size=k.n.shape)}))
    return cases


def layer_norm_backward(n, r, g, dy):
    """The library's backward of layer normalisation on plain arrays."""
    dx, d = layer_norm.backward(layer_norm.Params(g, None), layer_norm.Cache(n, r[:, None]), dy)
    return dx, d.g, d.b


LAYER_NORM_BACKWARD = Exercise(
    "layer-norm-backward", "backward of layer normalisation",
    """(LN4)  y = g n + b                (LN4*) dn = dy g    dg = sum over rows of dy n    db = sum over rows of dy
(LN3)  n = c / r                  (LN3*) dc = dn / r    dr = -sum over the row of dn n / r
(LN2)  r = sqrt(mean(c^2) + eps)  (LN2*) dc += dr c / (D r)
(LN1)  c = x - mean(x)            (LN1*) dx = dc - mean(dc)""",
    """n   (N, D)  the normalised rows of the forward pass
r   (N,)    the roots of the forward pass
g   (D,)    the gain
dy  (N, D)  dL/dy""",
    """dx  (N, D)  dL/dx (LN1*)
dg  (D,)    dL/dg (LN4*)
db  (D,)    dL/db (LN4*)""",
    """>>> n, r = np.array([[-1.0, 1.0]]), np.array([2.0])
>>> dx, dg, db = layer_norm_backward(n, r, np.ones(2), np.array([[1.0, 0.0]]))
>>> print(dx, dg, db)                   # with two numbers in a row, n is -1, 1 whatever x is
[[0. 0.]] [-1.  0.] [1. 0.]""",
    ("r and the mean are made of all D numbers of the row: every dx_j depends on every dy of its row.",
     "c / r is n, so (LN2*) needs no c: dc += dr n / D.",
     "dg and db are sums over the rows; means of dc are taken in each row."),
    _rows_back, layer_norm_backward, computed=("dg", "db", "dx"), own_memory=True)


# residual connection ----------------------------------------------------------------------------------------

def _sublayers(rng):
    return [Case(case.label, {**case.inputs, "W": rng.normal(size=(case.inputs["x"].shape[1],) * 2)})
            for case in _rows(rng)[:4]]


def sublayer(x, g, b, W):
    """A pre-norm sub-layer: a linear layer with ReLU."""
    return x + np.maximum(layer_norm_forward(x, g, b) @ W, 0)


SUBLAYER = Exercise(
    "sublayer", "a sub-layer with its residual connection, norm first",
    """(RS2)  u = norm(x)             (LN1) to (LN4), eps = 1e-5
(FR1)  z = max(u W, 0)         the sub-layer
(RS4)  y = x + z""",
    """x  (N, D)  rows
g  (D,)    gain of the norm
b  (D,)    shift of the norm
W  (D, D)  weights of the sub-layer""",
    "y  (N, D)  what goes on to the next sub-layer (RS4)",
    """>>> x, eye = np.array([[1.0, 3.0]]), np.eye(2)
>>> print(sublayer(x, np.ones(2), np.zeros(2), eye).round(3))        # u = -1, 1
[[1. 4.]]""",
    ("x goes on as it is: the path around the sub-layer has no norm.",
     "Only the sub-layer reads the normalised rows.",
     "The paper prints norm(x + z), its code has x + z with the norm first; wanted here is the latter."),
    _sublayers, sublayer)


def _sublayers_back(rng):
    return [Case(case.label, {**case.inputs, "du": rng.normal(size=case.inputs["dy"].shape)})
            for case in _rows_back(rng)]


def sublayer_backward(n, r, g, dy, du):
    """What comes out of a pre-norm sub-layer's backward, given that of its inside."""
    dx, dg, db = layer_norm_backward(n, r, g, du)
    return dy + dx, dg, db


SUBLAYER_BACKWARD = Exercise(
    "sublayer-backward", "backward of a residual connection, norm first",
    """(RS4)  y = x + z                     (RS4*) dx = dy    dz = dy, which the sub-layer turned into du
(RS2)  u = norm(x)                   (RS2*) dx += the norm's, from du: (LN4*) to (LN1*)""",
    """n   (N, D)  the normalised rows of the forward pass (LN3)
r   (N,)    their roots (LN2)
g   (D,)    gain of the norm
dy  (N, D)  dL/dy
du  (N, D)  dL/du, what the sub-layer's own backward made of dz""",
    """dx  (N, D)  dL/dx: a sum of two paths (RS2*)
dg  (D,)    dL/dg (LN4*)
db  (D,)    dL/db (LN4*)""",
    """>>> n, r, one = np.array([[-1.0, 1.0]]), np.array([1.0]), np.ones(2)
>>> dx, dg, db = sublayer_backward(n, r, one, np.array([[5.0, 7.0]]), np.array([[1.0, 0.0]]))
>>> print(dx, dg, db)
[[5. 7.]] [-1.  0.] [1. 0.]""",
    ("x is used twice: it goes around the sub-layer and into the norm.  Its gradient is a sum.",
     "dy goes on untouched; only du goes through the norm's backward (exercise layer-norm-backward).",
     "g and b belong to the norm: their gradients come from du."),
    _sublayers_back, sublayer_backward, computed=("dg", "db", "dx"), own_memory=True)

EXERCISES = (LAYER_NORM, LAYER_NORM_BACKWARD, SUBLAYER, SUBLAYER_BACKWARD)
