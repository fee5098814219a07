"""Exercises on the LSTM and the GRU: one step, its backward, backpropagation through time."""
import numpy as np

from ...layers import unroll
from ...layers.cells import gru, lstm
from .exercise import Case, Exercise
from .recurrent import SIZES, _sequences, weights


def _steps(rng, blocks, states):
    cases = []
    for _, N, D, H in SIZES:
        s = {name: rng.normal(size=(N, H)) * 0.7 for name in states}
        cases.append(Case("ordinary numbers", {"x": rng.normal(size=(N, D)), **s,
                                               **weights(rng, D, H, blocks)}))
    return cases


def _extreme(case):
    """The same step with gates driven to 0 and 1."""
    return Case("gates driven to 0 and 1 (|a| near 1000)", {**case.inputs, "x": case.inputs["x"] * 1500})


# LSTM --------------------------------------------------------------------------------------------------

def lstm_step(x, h_prev, c_prev, W, U, b):
    """The library's step on plain arrays."""
    return tuple(lstm.step(lstm.Params(W, U, b), x, lstm.State(h_prev, c_prev))[0])


def _lstm_steps(rng):
    cases = _steps(rng, 4, ("h_prev", "c_prev"))
    return [*cases, _extreme(cases[0])]


LSTM_STEP = Exercise(
    "lstm-step", "one step of an LSTM",
    """(L1)  a = x W + h' U + b        a prime marks step t-1; a holds four blocks a_i, a_f, a_g, a_o
(L2)  i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)
(L3)  g = tanh(a_g)
(L4)  c = f c' + i g
(L5)  h = o tanh(c)""",
    """x       (N, D)   inputs, one example in each row
h_prev  (N, H)   states h of step t-1
c_prev  (N, H)   cell states c of step t-1
W       (D, 4H)  input weights; blocks side by side in the order i, f, g, o
U       (H, 4H)  recurrent weights
b       (4H,)    bias""",
    """h  (N, H)  (L5)
c  (N, H)  (L4)""",
    """>>> z, l3 = np.zeros((1, 1)), np.log(3.0)
>>> b = np.array([l3, -l3, np.arctanh(0.5), 0.0])       # i = 0.75, f = 0.25, g = 0.5, o = 0.5
>>> h, c = lstm_step(z, z, np.array([[2.0]]), np.zeros((1, 4)), np.zeros((1, 4)), b)
>>> print(c, h.round(6))                # 0.25 * 2 + 0.75 * 0.5;  0.5 tanh(0.875)
[[0.875]] [[0.351953]]""",
    ("All four gates come from one a of width 4H: compute it once, then cut it into four blocks.",
     "Three blocks go through the sigmoid, the third one (g) through tanh; c is computed before h.",
     "c = f c' + i g with c' untouched; h = o times tanh of the NEW c.  A sigmoid by exp(-a) does not "
     "overflow to NaN."),
    _lstm_steps, lstm_step, computed=("c", "h"), own_memory=True)


def _lstm_steps_back(rng):
    cases = []
    for case in _steps(rng, 4, ("h_prev", "c_prev")):
        g = case.inputs
        s, k = lstm.step(lstm.Params(g["W"], g["U"], g["b"]), g["x"], lstm.State(g["h_prev"], g["c_prev"]))
        cases.append(Case(case.label, {
            "x": g["x"], "h_prev": g["h_prev"], "c_prev": g["c_prev"], "i": k.i, "f": k.f, "g": k.g, "o": k.o,
            "c": s.c,
            "W": g["W"], "U": g["U"], "dh": rng.normal(size=s.h.shape), "dc": rng.normal(size=s.h.shape)}))
    return cases


def lstm_step_backward(x, h_prev, c_prev, i, f, g, o, c, W, U, dh, dc):
    """The library's step_backward on plain arrays."""
    p = lstm.Params(W, U, np.zeros(U.shape[1]))
    k = lstm.Cache(x, h_prev, c_prev, i, f, g, o, np.tanh(c))
    dx, d, grads = lstm.step_backward(p, k, lstm.State(dh, dc))
    return dx, *d, *grads


_BACK = """(L5)  h = o tanh(c)          (L5*) do = dh tanh(c)    dc += dh o (1 - tanh(c)^2)
(L4)  c = f c' + i g         (L4*) df = dc c'    dc' = dc f    di = dc g    dg = dc i
(L3)  g = tanh(a_g)          (L3*) da_g = dg (1 - g^2)
(L2)  i,f,o = sigmoid(...)   (L2*) da_k = dk k (1-k) for k in i, f, o
(L1)  a = x W + h' U + b     (L1*) dx = da W^T    dh' = da U^T
                                   dW = x^T da    dU = h'^T da    db = sum_n da"""

LSTM_STEP_BACKWARD = Exercise(
    "lstm-step-backward", "backward of one LSTM step", _BACK,
    """x       (N, D)   inputs
h_prev  (N, H)   h of step t-1
c_prev  (N, H)   c of step t-1
i       (N, H)   the gates, as the forward step gave them
f       (N, H)   forget gate
g       (N, H)   candidate
o       (N, H)   output gate
c       (N, H)   c of this step
W       (D, 4H)  blocks in the order i, f, g, o
U       (H, 4H)  recurrent weights
dh      (N, H)   dL/dh
dc      (N, H)   dL/dc carried back from step t+1""",
    """dx       (N, D)   dL/dx (L1*)
dh_prev  (N, H)   dL/dh' (L1*)
dc_prev  (N, H)   dL/dc' (L4*)
dW       (D, 4H)  summed over the examples (L1*)
dU       (H, 4H)  (L1*)
db       (4H,)    da summed over the examples (L2*)""",
    """>>> m = lambda *v: np.array([v])
>>> r = lstm_step_backward(m(1.0), m(2.0), m(4.0), m(0.5), m(0.5), m(0.5), m(0.5), m(0.0),
...                        m(1.0, 0, 0, 0), m(2.0, 0, 0, 0), m(2.0), m(1.0))
>>> print(r[2], r[5])                   # tanh(0) = 0, so do = 0 and dc = 1 + 2 * 0.5 = 2
[[1.]] [0.25 2.   0.75 0.  ]
>>> print(r[0], r[1])
[[0.25]] [[0.5]]""",
    ("Read the equations from below: (L5*) first.  Only when dc is complete, (L4*) may use it.",
     "c feeds two things: h of this step (through tanh) and c of the next.  dc is the sum of both paths.",
     "Put da_i, da_f, da_g, da_o side by side, in the order of W's blocks; the rest is a linear layer."),
    _lstm_steps_back, lstm_step_backward, shared="dc of (L5*), and da",
    computed=("dc_prev", "db", "dW", "dU", "dx", "dh_prev"),
    own_memory=True)


def _lstm_bptt_cases(rng):
    cases = []
    for label, g in _sequences(rng, 4):
        c0 = rng.normal(size=g["h0"].shape) * 0.7
        p, H = lstm.Params(g["W"], g["U"], g["b"]), c0.shape[1]
        hs, cs, gates = [], [], []
        s, carried = lstm.State(g["h0"], c0), lstm.State(g["h0"], c0)
        for x, m in zip(g["xs"], g["mask"]):    # one step at a time: c and the gates are wanted too
            s, k = lstm.step(p, x, carried)
            carried = lstm.State(*(np.where(m[:, None], new, old) for new, old in zip(s, carried)))
            hs.append(carried.h)
            cs.append(carried.c)
            gates.append(np.concatenate([k.i, k.f, k.g, k.o], axis=1))
        T, N = g["mask"].shape
        cases.append(Case(label, {
            "W": g["W"], "U": g["U"], "xs": g["xs"], "h0": g["h0"], "c0": c0, "gates": np.stack(gates),
            "hs": np.stack(hs), "cs": np.stack(cs), "mask": g["mask"], "dhs": rng.normal(size=(T, N, H)),
            "dc_T": rng.normal(size=(N, H))}))
    return cases


def lstm_bptt(W, U, xs, h0, c0, gates, hs, cs, mask, dhs, dc_T):
    """The library's time loop, backward, on plain arrays."""
    h_prevs, c_prevs = np.concatenate([h0[None], hs[:-1]]), np.concatenate([c0[None], cs[:-1]])
    caches = [lstm.Cache(x, h, c, *np.split(g, 4, axis=1), np.tanh(new))
              for x, h, c, g, new in zip(xs, h_prevs, c_prevs, gates, cs)]
    p = lstm.Params(W, U, np.zeros(U.shape[1]))
    dxs, d, g = unroll.backward(lstm, p, caches, dhs, lstm.State(np.zeros_like(h0), dc_T), mask)
    return dxs, *d, *g


LSTM_BPTT = Exercise(
    "lstm-bptt", "backpropagation through time of an LSTM, with padding",
    "for t = T, ..., 1, with dh = dhs_t + dh' of t+1, and dc = dc' of t+1 (at t = T: dc_T):\n" + _BACK + """
(M1*) at padding nothing reaches x, W, U, b; dh (with dhs_t) and dc go on to t-1 unchanged""",
    """W      (D, 4H)     input weights; blocks in the order i, f, g, o
U      (H, 4H)     recurrent weights
xs     (T, N, D)   inputs
h0     (N, H)      h before the first step
c0     (N, H)      c before the first step
gates  (T, N, 4H)  i, f, g, o of each step, side by side
hs     (T, N, H)   h after each step (at padding: carried unchanged)
cs     (T, N, H)   c after each step
mask   (T, N)      True = real; padding stands at the end
dhs    (T, N, H)   dL/dh_t from outside, at every t
dc_T   (N, H)      dL/dc after the last step: a decoder that starts from c_T sends it""",
    """dxs  (T, N, D)  dL/dx_t; 0 at padding (L1*)
dh0  (N, H)     dL/dh_0 (L1*)
dc0  (N, H)     dL/dc_0 (L4*)
dW   (D, 4H)    summed over time and examples (L1*)
dU   (H, 4H)    (L1*)
db   (4H,)      (L1*)""",
    """>>> z, gates = np.zeros((1, 1)), np.full((2, 1, 4), 0.5)
>>> zs = np.zeros((2, 1, 1))
>>> W, mask = np.ones((1, 4)), np.ones((2, 1), bool)
>>> r = lstm_bptt(W, 0 * W, zs, z, z, gates, zs, zs, mask, zs, z + 1)
>>> print(r[2], r[0].ravel())           # dc: 1 at t = 2, 0.5 at t = 1;  da = (dc/8, 0, 3 dc/8, 0)
[[0.25]] [0.25 0.5 ]""",
    ("Get lstm-step-backward right first; here only the loop, the carries and the sums are new.",
     "Two gradients are carried from t+1 to t: dh (into (L5*)) and dc (into (L4*)).  The last dc is dc_T, "
     "not zero.",
     "h_{t-1} and c_{t-1} of t = 1 are h0 and c0.  At padding both carries pass by unchanged, dhs[t] "
     "included."),
    _lstm_bptt_cases, lstm_bptt, shared="dh and dc at each t, and da", depends=("mask",),
    computed=("dxs", "dc0", "dh0", "db", "dW", "dU"), backward=True,
    own_memory=True)


# GRU ---------------------------------------------------------------------------------------------------

def gru_step(x, h_prev, W, U, b):
    """The library's step on plain arrays."""
    return gru.step(gru.Params(W, U, b), x, gru.State(h_prev))[0].h


def _gru_steps(rng):
    cases = _steps(rng, 3, ("h_prev",))
    return [*cases, _extreme(cases[0])]


GRU_STEP = Exercise(
    "gru-step", "one step of a GRU (reset before the product)",
    """(G1)  z, r = sigmoid(x W + h' U + b)     blocks z and r        a prime marks step t-1
(G2)  q = r h'
(G3)  n = tanh(x W + q U + b)            block n
(G4)  h = (1 - z) h' + z n""",
    """x       (N, D)   inputs, one example in each row
h_prev  (N, H)   states of step t-1
W       (D, 3H)  input weights; blocks side by side in the order z, r, n
U       (H, 3H)  recurrent weights
b       (3H,)    bias""",
    "h  (N, H)  (G4)",
    """>>> b = np.array([np.log(3.0), 0.0, np.arctanh(0.5)])       # z = 0.75, r = 0.5, n = 0.5
>>> print(gru_step(np.zeros((1, 1)), np.array([[2.0]]), np.zeros((1, 3)), np.zeros((1, 3)), b))
[[0.875]]""",
    ("z and r first, from blocks one and two; n cannot be computed in the same product, since it reads r h'.",
     "Books differ in what z and 1-z mean.  Here z is the share of the NEW candidate n.",
     "n reads q = r h' through U's third block: the reset stands before the product, not behind it."),
    _gru_steps, gru_step, own_memory=True)


def _gru_steps_back(rng):
    cases = []
    for case in _steps(rng, 3, ("h_prev",)):
        g = case.inputs
        s, k = gru.step(gru.Params(g["W"], g["U"], g["b"]), g["x"], gru.State(g["h_prev"]))
        cases.append(Case(case.label, {"x": g["x"], "h_prev": g["h_prev"], "z": k.z, "r": k.r, "n": k.n,
                                       "W": g["W"], "U": g["U"], "dh": rng.normal(size=s.h.shape)}))
    return cases


def gru_step_backward(x, h_prev, z, r, n, W, U, dh):
    """The library's step_backward on plain arrays."""
    p = gru.Params(W, U, np.zeros(U.shape[1]))
    dx, d, grads = gru.step_backward(p, gru.Cache(x, h_prev, z, r, r * h_prev, n), gru.State(dh))
    return dx, d.h, *grads


GRU_STEP_BACKWARD = Exercise(
    "gru-step-backward", "backward of one GRU step",
    """(G4)  h = (1-z) h' + z n             (G4*) dz = dh (n - h')    dn = dh z    dh' = dh (1-z)
(G3)  n = tanh(x W + q U + b)        (G3*) da_n = dn (1 - n^2)    dq = da_n U_n^T    dU_n = q^T da_n
(G2)  q = r h'                       (G2*) dr = dq h'    dh' += dq r
(G1)  z,r = sigmoid(x W + h' U + b)  (G1*) da_k = dk k (1-k) for k in z, r
                                           dh' += da_zr U_zr^T    dU_zr = h'^T da_zr""",
    """x       (N, D)   inputs
h_prev  (N, H)   states of step t-1
z       (N, H)   update gate, as the forward step gave it
r       (N, H)   reset gate
n       (N, H)   candidate
W       (D, 3H)  blocks in the order z, r, n
U       (H, 3H)  recurrent weights
dh      (N, H)   dL/dh""",
    """dx       (N, D)   dL/dx (G1*)
dh_prev  (N, H)   dL/dh': a sum of three paths (G4*)
dW       (D, 3H)  summed over the examples (G3*)
dU       (H, 3H)  blocks z and r read h', block n reads q (G3*)
db       (3H,)    da summed over the examples (G1*)""",
    """>>> m = lambda *v: np.array([v])
>>> r = gru_step_backward(m(1.0), m(2.0), m(0.5), m(0.5), m(0.0), m(0, 0, 1.0), m(0, 0, 3.0), m(4.0))
>>> print(r[4], r[0], r[1])             # dz = -8, dn = 2, dq = 6, dr = 12;  dh' = 2 + 3
[-2.  3.  2.] [[2.]] [[5.]]""",
    ("Backward order: (G4*), then (G3*), then (G2*), then (G1*).  dr is known only when dq is.",
     "h' is used three times: in (G4), in q of (G2), and in the product of (G1).  dh' is the sum of three "
     "terms.",
     "The n block of U was multiplied by q = r h', so its gradient has q^T on the left, not h'^T."),
    _gru_steps_back, gru_step_backward, shared="da_n of (G3*), and dz",
    computed=("db", "dW", "dU", "dx", "dh_prev"), own_memory=True)

EXERCISES = (LSTM_STEP, LSTM_STEP_BACKWARD, LSTM_BPTT, GRU_STEP, GRU_STEP_BACKWARD)
