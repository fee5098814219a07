"""Exercises on learning: a gradient check, clipping, RMSprop, Adam."""
import numpy as np

from ...core import gradient_check
from ...training import optimizers
from .exercise import Case, Exercise


def _bent(k, q):
    """A function of w that bends so much that the step h shows: sum k sin(100 w) + (sum q w)^2."""
    def f(w):
        value = np.sum(k * np.sin(100 * w)) + np.sum(q * w) ** 2
        return value if np.iscomplexobj(w) else float(value)
    return f


def _functions(rng):
    def given(shape, dtype=float, h=1e-3):
        k, q, w = rng.normal(size=(3, *shape))
        return {"f": _bent(k, q), "w": w.astype(dtype), "h": h}
    return [Case("a matrix", given((3, 2))), Case("a vector, another step h", given((4,), h=1e-2)),
            Case("float32", given((3, 2), np.float32), raises=(TypeError, ValueError))]


GRADIENT_CHECK = Exercise(
    "gradient-check", "numerical gradient by central differences",
    "(N2)  dL/dw_k = (f(w + h at entry k) - f(w - h at entry k)) / (2 h)        one entry after the other",
    """f  function  takes an array of w's shape, returns a number
w  (I, J)    float64, of any shape; for float32 raise TypeError: its rounding makes right gradients look wrong
h  number    the step""",
    "grad  (I, J)  of w's shape (N2)",
    """>>> f = lambda w: float(np.sum(w**2))
>>> print(gradient_check(f, np.array([1.0, -3.0]), 1e-3).round(9))
[ 2. -6.]""",
    ("Loop over all entries (np.ndindex); for each call f twice, once above and once below.",
     "w belongs to the caller: move a copy.  Put each entry back before the next one is moved.",
     "Raise TypeError first if w.dtype is not float64.  The distance between the two points is 2h, not h."),
    _functions, lambda f, w, h: gradient_check.central_difference(f, w, h), own_memory=True, layouts=False)


def _gradients(rng):
    dW, dU, db = rng.normal(size=(3, 24)) * 2, rng.normal(size=(6, 24)), rng.normal(size=24) * 0.2
    size = optimizers.norm((dW, dU, db))
    given = {"dW": dW, "dU": dU, "db": db}
    return [Case("the norm is above the limit", {**given, "limit": 5.0}),
            Case("the norm is below the limit", {**given, "limit": 1.5 * size}),
            Case("only one tensor is long", {"dW": dW * 50, "dU": dU * 0.01, "db": db, "limit": 4.0})]


CLIPPING = Exercise(
    "clipping", "gradient clipping by the global norm",
    "(C1)  g <- g min(1, limit / ||g||)        ||g|| is the length of all entries of all arrays together",
    """dW     (D, J)  gradients of one model
dU     (H, J)  another one
db     (J,)    and another
limit  number  the greatest length allowed""",
    """dW  (D, J)  shortened, or as it was (C1)
dU  (H, J)  the same
db  (J,)    the same""",
    """>>> dW, dU, db = clipping(np.array([[3.0]]), np.array([[0.0]]), np.array([4.0]), 1.0)
>>> print(dW, dU, db)                   # the norm is 5
[[0.6]] [[0.]] [0.8]""",
    ("Direction must stay: all three arrays are multiplied by ONE number.",
     "The norm is the root of the sum of the squares of ALL entries, over all arrays.",
     "If the norm is not above the limit, nothing changes: the factor is min(1, limit / norm)."),
    _gradients, lambda dW, dU, db, limit: optimizers.clip_by_norm((dW, dU, db), limit)[0])


def _rms_states(rng):
    def case(label, v, lr, rho, eps):
        g = rng.normal(size=(3, 6)) * 0.3
        g[0, 0] = 0.0
        return Case(label, {"w": rng.normal(size=(3, 6)), "g": g, "v": v, "lr": lr, "rho": rho, "eps": eps})
    later = rng.random((3, 6)) * 0.2
    return [case("a later step", later, 0.05, 0.8, 1e-3), case("the first step, v = 0", np.zeros((3, 6)),
                                                               0.01, 0.9, 1e-8)]


def rmsprop(w, g, v, lr, rho, eps):
    """The library's step on plain arrays."""
    p, s = optimizers.rmsprop(w, g, optimizers.State(0, None, v), lr, rho, eps)
    return p, s.v


RMSPROP = Exercise(
    "rmsprop", "one step of RMSprop",
    """(O3)  v <- rho v + (1 - rho) g^2
(O4)  w <- w - lr g / (sqrt(v) + eps)        with the new v""",
    """w    (D, H)  weights
g    (D, H)  their gradient
v    (D, H)  running mean of g^2, before this step
lr   number  step size
rho  number  how much of v is kept
eps  number  keeps the division safe""",
    """w  (D, H)  new weights (O4)
v  (D, H)  new running mean (O3)""",
    """>>> m = lambda v: np.array([[v]])
>>> w, v = rmsprop(m(1.0), m(2.0), m(0.0), 0.1, 0.75, 0.0)
>>> print(w, v)                         # v = 0.25 * 4 = 1, w = 1 - 0.1 * 2 / 1
[[0.8]] [[1.]]""",
    ("Two lines, in this order: v first, then w with the NEW v.",
     "v averages the SQUARES of g: rho of the old v, 1 - rho of the new g^2.",
     "The root is of v alone; eps is added to the root.  Return w and v as new arrays."),
    _rms_states, rmsprop,
    computed=("v", "w"), own_memory=True)


def _adam_states(rng):
    def case(label, m, v, t, **numbers):
        g = rng.normal(size=(3, 6)) * 0.3
        g[0, 0] = 0.0
        return Case(label, {"w": rng.normal(size=(3, 6)), "g": g, "m": m, "v": v, "t": t, **numbers})
    zero, m, v = np.zeros((3, 6)), rng.normal(size=(3, 6)) * 0.1, rng.random((3, 6)) * 0.2
    return [case("the first step, t = 1", zero, zero, 1, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8),
            case("a later step", m, v, 7, lr=0.05, beta1=0.8, beta2=0.95, eps=1e-3)]


def adam(w, g, m, v, t, lr, beta1, beta2, eps):
    """The library's step on plain arrays."""
    p, s = optimizers.adam(w, g, optimizers.State(t - 1, m, v), lr, beta1, beta2, eps)
    return p, s.m, s.v


ADAM = Exercise(
    "adam", "one step of Adam",
    """(O5)  m <- beta1 m + (1-beta1) g        v <- beta2 v + (1-beta2) g^2
(O6)  w <- w - lr (m / (1-beta1^t)) / (sqrt(v / (1-beta2^t)) + eps)        with the new m and v""",
    """w      (D, H)  weights
g      (D, H)  their gradient
m      (D, H)  running mean of g, before this step
v      (D, H)  running mean of g^2, before this step
t      number  number of this step: 1 at the first
lr     number  step size
beta1  number  how much of m is kept
beta2  number  how much of v is kept
eps    number  keeps the division safe""",
    """w  (D, H)  new weights (O6)
m  (D, H)  new running mean, not corrected (O5)
v  (D, H)  new running mean of squares, not corrected (O5)""",
    """>>> c = lambda v: np.array([[v]])
>>> w, m, v = adam(c(1.0), c(4.0), c(0.0), c(0.0), 1, 0.1, 0.5, 0.75, 0.0)
>>> print(w, m, v)                      # corrected: m = 4, v = 16, so the first step is lr long
[[0.9]] [[2.]] [[4.]]""",
    ("The first step has length lr in every entry, whatever the size of g.  Is yours 3.16 times as long?",
     "m and v start at 0 and are too small at first: divide them by 1 - beta^t, each with its own beta.",
     "Correct copies of m and v for the step only; what is returned and carried on is uncorrected."),
    _adam_states, adam, computed=("m", "v", "w"), own_memory=True)

EXERCISES = (GRADIENT_CHECK, CLIPPING, RMSPROP, ADAM)
