"""Exercises on the RNN: a step, its backward, back through time, batches, final states, a fast loop."""
import numpy as np

from ...layers import unroll
from ...layers.cells import rnn
from .exercise import Case, Exercise, lengths, ragged

SIZES = ((5, 4, 3, 6), (4, 3, 5, 2))        # T, N, D, H of two cases, all different


def weights(rng, D, H, blocks=1):
    """W (D, kH), U (H, kH), b (kH,): sizes at which no gate is saturated."""
    return {"W": rng.normal(size=(D, blocks * H)) * 0.6, "U": rng.normal(size=(H, blocks * H)) * 0.5,
            "b": rng.normal(size=blocks * H) * 0.4}


def unmasked(T, N):
    """A mask without padding."""
    return np.ones((T, N), bool)


# one step ----------------------------------------------------------------------------------------------

def _steps(rng):
    cases = []
    for _, N, D, H in SIZES:
        given = {"x": rng.normal(size=(N, D)), "h_prev": rng.normal(size=(N, H)) * 0.6, **weights(rng, D, H)}
        cases.append(Case("ordinary numbers", given))
    return [*cases, Case("large activations (|a| near 1000)", {**cases[0].inputs, "x": cases[0].inputs["x"] * 1500})]


def rnn_step(x, h_prev, W, U, b):
    """The library's step on plain arrays."""
    return rnn.step(rnn.Params(W, U, b), x, rnn.State(h_prev))[0].h


RNN_STEP = Exercise(
    "rnn-step", "one step of an RNN",
    """(R1)  a = x W + h' U + b        h' is the state of step t-1
(R2)  h = tanh(a)""",
    """x       (N, D)  this step's inputs, one example in each row
h_prev  (N, H)  states of step t-1
W       (D, H)  input weights
U       (H, H)  recurrent weights
b       (H,)    bias""",
    "h  (N, H)  states of step t (R2)",
    """>>> one = lambda v: np.array([[v]])
>>> h = rnn_step(one(1.0), one(0.5), one(0.3), one(0.4), np.array([-0.5]))
>>> print(h)                            # tanh(0.3 + 0.2 - 0.5)
[[0.]]""",
    ("Two matrix products, a bias, one squashing function: no more is needed.",
     "Rows are examples, so the documents' W x is x times W here, and U is not transposed.",
     "First a of (R1) with shape (N, H), the bias added to each row; then tanh of every entry."),
    _steps, rnn_step, own_memory=True)


def _steps_back(rng):
    return [Case(c.label, {**{k: c.inputs[k] for k in ("x", "h_prev")}, "h": rnn_step(**c.inputs),
                           "W": c.inputs["W"], "U": c.inputs["U"],
                           "dh": rng.normal(size=c.inputs["h_prev"].shape)})
            for c in _steps(rng)[:2]]


def rnn_step_backward(x, h_prev, h, W, U, dh):
    """The library's step_backward on plain arrays."""
    p = rnn.Params(W, U, np.zeros(U.shape[1]))
    dx, d, g = rnn.step_backward(p, rnn.Cache(x, h_prev, h), rnn.State(dh))
    return dx, d.h, *g


RNN_STEP_BACKWARD = Exercise(
    "rnn-step-backward", "backward of one RNN step",
    """(R1)  a = x W + h' U + b      (R1*) dx = da W^T    dh' = da U^T
                                    dW = x^T da    dU = h'^T da    db = sum_n da
(R2)  h = tanh(a)             (R2*) da = dh (1 - h^2)""",
    """x       (N, D)  inputs of the step
h_prev  (N, H)  states of step t-1
h       (N, H)  states of step t, as the forward step gave them
W       (D, H)  input weights
U       (H, H)  recurrent weights
dh      (N, H)  dL/dh""",
    """dx       (N, D)  dL/dx (R1*)
dh_prev  (N, H)  dL/dh_prev (R1*)
dW       (D, H)  summed over the examples (R1*)
dU       (H, H)  (R1*)
db       (H,)    (R1*)""",
    """>>> one = lambda v: np.array([[v]])
>>> for d in rnn_step_backward(one(2.0), one(0.25), one(0.5), one(3.0), one(4.0), one(1.0)):
...     print(d)                        # da = 1 - 0.25 = 0.75
[[2.25]]
[[3.]]
[[1.5]]
[[0.1875]]
[0.75]""",
    ("Go backward through the two equations: first (R2*), which gives da; all five results come from da.",
     "tanh's derivative is written in the OUTPUT: 1 - h^2 needs neither a nor another tanh.",
     "A matrix that multiplies on the right forward stands transposed on the right backward; dW needs x^T on "
     "the left."),
    _steps_back, rnn_step_backward, shared="da of (R2*)", computed=("db", "dW", "dU", "dx", "dh_prev"), own_memory=True)


# through time ------------------------------------------------------------------------------------------

def _sequences(rng, blocks=1):
    """Weights, inputs, initial states, masks of two batches, the second without padding."""
    for (T, N, D, H), masked in zip(SIZES, (True, False)):
        mask = ragged(lengths(rng, T, N), T) if masked else unmasked(T, N)
        yield ("ragged lengths" if masked else "no padding"), {
            **weights(rng, D, H, blocks), "xs": rng.normal(size=(T, N, D)),
            "h0": rng.normal(size=(N, H)) * 0.6,
            "mask": mask}


def _bptt_cases(rng):
    cases = []
    for label, g in _sequences(rng):
        hs, _, _ = unroll.forward(rnn, rnn.Params(g["W"], g["U"], g["b"]), g["xs"], rnn.State(g["h0"]),
                                  g["mask"])
        cases.append(Case(label, {"W": g["W"], "U": g["U"], "xs": g["xs"], "h0": g["h0"], "hs": hs,
                                  "mask": g["mask"],
                                  "dhs": rng.normal(size=hs.shape)}))
    return cases


def bptt(W, U, xs, h0, hs, mask, dhs):
    """The library's time loop, backward, on plain arrays."""
    h_prevs = np.concatenate([h0[None], hs[:-1]])
    caches = [rnn.Cache(x, h_prev, h) for x, h_prev, h in zip(xs, h_prevs, hs)]
    p = rnn.Params(W, U, np.zeros(U.shape[1]))
    dxs, d, g = unroll.backward(rnn, p, caches, dhs, rnn.State(np.zeros_like(h0)), mask)
    return dxs, d.h, *g


BPTT = Exercise(
    "bptt", "backpropagation through time of an RNN, with padding",
    """for t = T, ..., 1:
      d   = dhs_t + what comes back from t+1            h_t is an output AND is carried on
(M1*) dh  = d at real positions, 0 at padding
(R2*) da  = dh (1 - h_t^2)
(R1*) dx_t = da W^T    dW += x_t^T da    dU += h_{t-1}^T da    db += sum_n da
(M1*) back to t-1: da U^T at real positions; at padding d itself, for there h_t is h_{t-1}""",
    """W     (D, H)     input weights
U     (H, H)     recurrent weights
xs    (T, N, D)  inputs; xs[t] is one step
h0    (N, H)     states before the first step
hs    (T, N, H)  states after each step, as the forward loop gave them (at padding: carried unchanged)
mask  (T, N)     True = real; padding stands at the end
dhs   (T, N, H)  dL/dh_t from outside, at every t""",
    """dxs  (T, N, D)  dL/dx_t; 0 at padding (R1*)
dh0  (N, H)     dL/dh_0 (M1*)
dW   (D, H)     summed over time and examples (R1*)
dU   (H, H)     (R1*)
db   (H,)       (R1*)""",
    """>>> one, hs = np.array([[1.0]]), np.array([[[0.5]], [[0.5]]])
>>> dxs, dh0, dW, dU, db = bptt(one, 2 * one, hs, 0 * one, hs, np.ones((2, 1), bool), np.ones((2, 1, 1)))
>>> print(dxs[1], dxs[0])               # t = 2: 1 - 0.25;  t = 1: (1 + 2 * 0.75) * 0.75
[[0.75]] [[1.875]]
>>> print(dh0, dW, dU, db)
[[3.75]] [[1.3125]] [[0.375]] [2.625]""",
    ("Write one step's backward first (rnn-step-backward), then walk t from T to 1 and hand dh back.",
     "At each t two gradients meet in h_t: dhs[t] from outside and the one carried back from t+1.  Weights: "
     "a sum over t.",
     "Padding: dx, dW, dU, db get nothing there, but the carried gradient (with dhs[t] added) goes on to t-1 "
     "unchanged."),
    _bptt_cases, bptt, shared="da of (R2*), at each t", depends=("mask",),
    computed=("dxs", "dh0", "db", "dW", "dU"), backward=True, own_memory=True)


def _batch_cases(rng):
    D, H = 3, 6
    batches = []
    for T, N in ((5, 4), (4, 4), (6, 2)):                       # the last batch is smaller
        batches.append((rng.normal(size=(T, N, D)), ragged(np.r_[T, rng.integers(1, T, N - 1)], T)))
    given = weights(rng, D, H)
    return [Case("the last batch is smaller", {**given, "batches": batches}),
            Case("the same batches in another order", {**given, "batches": batches[::-1]})]


def rnn_batches(W, U, b, batches):
    """The library's time loop for each batch."""
    zero = [np.zeros((xs.shape[1], U.shape[0])) for xs, _ in batches]
    return np.concatenate([unroll.forward(rnn, rnn.Params(W, U, b), xs, rnn.State(h0), mask)[1].h
                           for (xs, mask), h0 in zip(batches, zero)])


RNN_BATCHES = Exercise(
    "rnn-batches", "an RNN over several batches, the last one smaller",
    """for each batch, from h_0 = 0:
(R1) (R2)  h_t = tanh(x_t W + h_{t-1} U + b)
(M1)       at padding h_t = h_{t-1}
the answer: each example's final state""",
    """W        (D, H)  input weights
U        (H, H)  recurrent weights
b        (H,)    bias
batches  list    of pairs: xs (T, N, D), mask (T, N); T and N differ from batch to batch""",
    "h  (N, H)  final states of all batches' examples, below one another (M1)",
    """>>> W, U, b = np.zeros((1, 1)), np.eye(1), np.array([np.arctanh(0.5)])
>>> batch = np.zeros((1, 2, 1)), np.ones((1, 2), bool)
>>> print(rnn_batches(W, U, b, [batch, batch]).T)
[[0.5 0.5 0.5 0.5]]""",
    ("An example's answer depends on that example alone: put the batches in another order and compare.",
     "How many examples has the last batch?  Where does its h_0 come from?",
     "Inside the loop over batches make new zeros of shape (N, H), N of this batch; at padding keep the "
     "state."),
    _batch_cases, rnn_batches)


class _Hand:
    """A cell that hands its input on as its state: the time loop then only masks."""
    State = rnn.State

    @staticmethod
    def step(p, x, s):
        return rnn.State(x), None


def _final_cases(rng):
    return [Case("ragged lengths", {"hs": rng.normal(size=(T, N, H)), "mask": ragged(lengths(rng, T, N), T)})
            for T, N, _, H in SIZES]


def final_state(hs, mask):
    """The masks of the library's time loop."""
    H = hs.shape[2]
    p = rnn.Params(np.eye(H), np.eye(H), np.zeros(H))
    return unroll.forward(_Hand, p, hs, rnn.State(np.zeros_like(hs[0])), mask)[1].h


FINAL_STATE = Exercise(
    "final-state", "the final state of each sequence, at its own length",
    "(M1)  h_n = hs[length of sequence n], counted from 1        what stands behind is padding",
    """hs    (T, N, H)  outputs of a loop that ran over the padding as well: there they are garbage
mask  (T, N)     True = real; padding stands at the end""",
    "h  (N, H)  each sequence's last real row (M1)",
    """>>> hs = np.arange(6.0).reshape(3, 2, 1)
>>> print(final_state(hs, np.array([[True, True], [True, False], [True, False]])).T)
[[4. 1.]]""",
    ("Appending padding must not change the answer: hs[-1] is right for the longest sequences only.",
     "The sum of the mask over time is each sequence's length; Python counts from 0.",
     "Two index arrays, one for the step and one for the example, pick a row of H numbers for each n."),
    _final_cases, final_state)


# the same loop, compiled -------------------------------------------------------------------------------

def _loop_cases(rng):
    cases = []
    for T, N, _, H in SIZES:
        cases.append(Case("ordinary numbers", {"xs": rng.normal(size=(T, N, H)),
                                               "h0": rng.normal(size=(N, H)) * 0.6,
                                               "U": rng.normal(size=(H, H)) * 0.5}))
    cases.append(Case("large activations (|a| near 1000)", {**cases[0].inputs, "xs": cases[0].inputs["xs"] * 1500}))
    return cases


def njit_loop(xs, h0, U):
    """The library's time loop with W the identity and no bias."""
    T, N, H = xs.shape
    return unroll.forward(rnn, rnn.Params(np.eye(H), U, np.zeros(H)), xs, rnn.State(h0), unmasked(T, N))[0]


def _compiled(facts):
    """A sentence if the function is not compiled by Numba in nopython mode."""
    if not facts.compiled:
        return "every number is right, but the function is not compiled: it wants @njit above it"
    if facts.compiled == "object mode":
        return "the function is compiled in object mode, which is no faster: take @njit without forceobj"
    return None


NJIT_LOOP = Exercise(
    "njit-loop", "a time loop compiled by Numba, equal to the plain one",
    """(R1) (R2)  h_t = tanh(x_t + h_{t-1} U)        for t = 1 ... T, compiled with @njit
Inside @njit write the product as loops over examples and units: they are fast; `@` would want SciPy.""",
    """xs  (T, N, H)  inputs, already multiplied by W and with the bias added
h0  (N, H)     states before the first step
U   (H, H)     recurrent weights""",
    "hs  (T, N, H)  states after each step (R2)",
    """>>> a = np.arctanh(0.5)
>>> print(njit_loop(np.array([[[a]], [[0.0]]]), np.zeros((1, 1)), np.array([[2.0 * a]])).ravel())
[0.5 0.5]""",
    ("Write the loop in plain Python first and check it; only when its numbers are right put @njit above it.",
     "Inside @njit indices are not checked: hs[t-1] at t = 0 reads hs[-1] without a word.",
     "Make hs with np.empty, keep the current state in a variable of your own that starts as h0, and write "
     "hs[t]."),
    _loop_cases, njit_loop, contract=_compiled, layouts=False, seconds=40.0,
    imports="import numpy as np\nfrom numba import njit\n")

EXERCISES = (RNN_STEP, RNN_STEP_BACKWARD, BPTT, RNN_BATCHES, FINAL_STATE)
COMPILED = (NJIT_LOOP,)
