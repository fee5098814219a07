"""Wrong RNN steps, backward steps, batches, final states and compiled loops."""
import numpy as np

from .mistake import recorder

BANK, wrong = recorder()


def sigmoid(a):
    """A right sigmoid."""
    return 0.5 * (1 + np.tanh(0.5 * a))


# rnn-step ----------------------------------------------------------------------------------------------

for name, mark, says, look, f in (
    ("U transposed", "(R1)", "the recurrent weights are transposed: h' U is wanted, not h' U^T",
     "rows are examples: h' stands on the left of U", lambda x, h, W, U, b: np.tanh(x @ W + h @ U.T + b)),
    ("no bias", "(R1)", "the bias is missing", "the third term of a",
     lambda x, h, W, U, b: np.tanh(x @ W + h @ U)),
    ("no state", "(R1)", "the state of step t-1 is not used: the step forgets all that came before",
     "the term h' U", lambda x, h, W, U, b: np.tanh(x @ W + b)),
    ("no input", "(R1)", "the input x is not used", "the term x W", lambda x, h, W, U, b: np.tanh(h @ U + b)),
    ("no tanh", "(R2)", "this is a, before the tanh", "the last line", lambda x, h, W, U, b: x @ W + h @ U
     + b),
    ("tanh too early", "(R2)", "the bias is added after the tanh", "what stands inside the brackets of tanh",
     lambda x, h, W, U, b: np.tanh(x @ W + h @ U) + b),
    ("two tanh", "(R2)",
     "input and recurrent part go through a tanh each and are added then: one tanh of the sum is wanted",
     "the brackets", lambda x, h, W, U, b: np.tanh(x @ W + b) + np.tanh(h @ U)),
    ("relu", "(R2)", "the activation is max(0, a)", "which function (R2) names",
     lambda x, h, W, U, b: np.maximum(0, x @ W + h @ U + b)),
    ("state added", "(R2)", "the old state is added to the new one: that is a residual connection",
     "what (R2) has on its right side", lambda x, h, W, U, b: h + np.tanh(x @ W + h @ U + b)),
):
    wrong("rnn-step", name, mark, says, look)(f)
wrong("rnn-step", "sigmoid", "(R2)",
      "this is the RNN with a sigmoid (row A4.1 of the documents); here phi is tanh",
      "the activation; everything else is right", variant=True)(
    lambda x, h, W, U, b: sigmoid(x @ W + h @ U + b))

# rnn-step-backward -------------------------------------------------------------------------------------


def rnn_step_backward(x, h_prev, h, W, U, dh, d=lambda h: 1 - h**2, carry=None, dU_left=None, db=None, sign=1,
                      scale=1):
    """A right backward step with switches."""
    da = sign * dh * d(h)
    left = h_prev if dU_left is None else dU_left(x, h_prev, h)
    return (da @ W.T / scale, (da @ U.T if carry is None else carry(da, U, dh)) / scale, x.T @ da / scale,
            left.T @ da / scale, (da.sum(axis=0) if db is None else db(da)) / scale)


RSB = "rnn-step-backward"
for name, mark, says, look, switches in (
    ("derivative of the input", "(R2*)", "tanh's derivative is taken as if h were its INPUT: 1 - tanh(h)^2",
     "h is already the output of tanh: one power is enough", dict(d=lambda h: 1 - np.tanh(h) ** 2)),
    ("1 - h", "(R2*)", "the square is missing in tanh's derivative: 1 - h", "tanh's derivative in its output",
     dict(d=lambda h: 1 - h)),
    ("sigmoid's derivative", "(R2*)", "h (1 - h) is the sigmoid's derivative; the activation is tanh",
     "which derivative belongs to tanh", dict(d=lambda h: h * (1 - h))),
    ("no derivative", "(R2*)", "dh goes through without tanh's derivative", "the factor between dh and da",
     dict(d=lambda h: 1)),
    ("1 + h^2", "(R2*)", "a sign is wrong in tanh's derivative: 1 + h^2",
     "tanh flattens: its derivative is at most 1",
     dict(d=lambda h: 1 + h**2)),
    ("U for U^T", "(R1*)",
     "only dh_prev is wrong: the gradient goes back through U in place of U^T (the shapes agree)",
     "the product that makes dh_prev", dict(carry=lambda da, U, dh: da @ U)),
    ("before U^T", "(R1*)", "only dh_prev is wrong: it is da itself, the product with U^T is missing",
     "the way from a back to h'", dict(carry=lambda da, U, dh: da)),
    ("carry skips tanh", "(R2*)", "only dh_prev is wrong: dh goes through U^T without tanh's derivative",
     "dh' is made of da, not of dh", dict(carry=lambda da, U, dh: dh @ U.T)),
    ("h in dU", "(R1*)", "only dU is wrong: it is built with h of this step, and U multiplied h_prev",
     "what U was multiplied with in (R1)", dict(dU_left=lambda x, h_prev, h: h)),
    ("mean in db", "(R1*)", "only db is wrong: the examples' da are averaged, wanted is their sum",
     "the sum over n", dict(db=lambda da: da.mean(axis=0))),
    ("db of one example", "(R1*)",
     "only db is wrong: it is the da of the first example, not the sum over all",
     "the sum over n", dict(db=lambda da: da[0])),
    ("db of the last example", "(R1*)",
     "only db is wrong: it is the da of the last example, not the sum over all",
     "the sum over n", dict(db=lambda da: da[-1])),
    ("db sums dh", "(R2*)", "only db is wrong: it sums dh, and the bias stands inside the tanh",
     "db is made of da",
     dict(db=None)),
    ("sign", "(R2*)", "every gradient has the wrong sign", "the sign of da", dict(sign=-1)),
):
    if name == "db sums dh":
        @wrong(RSB, name, mark, says, look)
        def _db_of_dh(x, h_prev, h, W, U, dh):
            return *rnn_step_backward(x, h_prev, h, W, U, dh)[:4], dh.sum(axis=0)
    else:
        wrong(RSB, name, mark, says, look)(
            lambda x, h_prev, h, W, U, dh, switches=switches: rnn_step_backward(x, h_prev, h, W, U, dh,
                                                                                **switches))
wrong(RSB, "divided by N", "(R1*)", "dW, dU and db are wrong: divided by N, and the loss has taken its "
      "mean already",
      "whether any division belongs here")(
    lambda x, h_prev, h, W, U, dh: (lambda r: (*r[:2], *(g / len(x) for g in r[2:])))(
        rnn_step_backward(x, h_prev, h, W, U, dh)))


# batches, final states ---------------------------------------------------------------------------------


def rnn_batches(W, U, b, batches, start=None, masked=True, out=None):
    """A right loop over batches with switches."""
    results, previous = [], None
    for xs, mask in batches:
        N = xs.shape[1]
        h = np.zeros((N, U.shape[0])) if start is None or previous is None else start(previous, N)
        hs = []
        for x, m in zip(xs, mask):
            new = np.tanh(x @ W + h @ U + b)
            h = np.where(m[:, None], new, h) if masked else new
            hs.append(h)
        results.append(h if out is None else out(np.stack(hs), mask))
        previous = h
    return np.concatenate(results)


def _fit(h, N):
    """The first N rows; zeros where there are fewer."""
    return np.concatenate([h[:N], np.zeros((max(0, N - len(h)), h.shape[1]))])


for name, mark, says, look, switches in (
    ("state of the previous batch", "(R1)",
     "each batch starts from the final states of the one before it, cut to its size: "
     "results depend on the order of the batches",
     "where h_0 is made: inside or outside the loop over batches",
     dict(start=_fit)),
    ("first state of the previous batch", "(R1)",
     "each batch starts from the previous batch's first final state: "
     "results depend on the order of the batches", "where h_0 is made",
     dict(start=lambda h, N: np.repeat(h[:1], N, axis=0))),
    ("mean state of the previous batch", "(R1)",
     "each batch starts from the mean final state of the one before it",
     "where h_0 is made", dict(start=lambda h, N: np.repeat(h.mean(axis=0, keepdims=True), N, axis=0))),
    ("mask ignored", "(M1)", "the state moves on over padding: short sequences are wrong",
     "what becomes of h at padding",
     dict(masked=False)),
    ("mean over time", "(M1)", "the answer is a mean over time, not the final state", "which h is returned",
     dict(out=lambda hs, mask: hs.mean(axis=0))),
    ("first step", "(M1)", "the answer is the state after the first step", "which h is returned",
     dict(out=lambda hs, mask: hs[0])),
):
    wrong("rnn-batches", name, mark, says, look)(
        lambda W, U, b, batches, switches=switches: rnn_batches(W, U, b, batches, **switches))


@wrong("rnn-batches", "zeroed at padding", "(M1)",
       "the state is set to 0 at padding: it must be carried unchanged",
       "what becomes of h at padding")
def _zeroed(W, U, b, batches):
    results = []
    for xs, mask in batches:
        h = np.zeros((xs.shape[1], U.shape[0]))
        for x, m in zip(xs, mask):
            h = np.tanh(x @ W + h @ U + b) * m[:, None]
        results.append(h)
    return np.concatenate(results)


wrong("rnn-batches", "inverted mask", "(M1)", "the mask is inverted: h moves on at padding and stands still before",
      "which of the two is taken where the mask is True")(
    lambda W, U, b, batches: rnn_batches(W, U, b, [(xs, ~mask) for xs, mask in batches]))


def _at(hs, step):
    return hs[step, np.arange(hs.shape[1])]


for name, says, look, f in (
    ("last row",
     "hs[-1] is taken for all: for short sequences that is padding, so appending padding changes the answer",
     "each sequence's own length", lambda hs, mask: hs[-1].copy()),
    ("one early", "off by one: the row before each sequence's last",
     "Python counts from 0, the length from 1",
     lambda hs, mask: _at(hs, np.maximum(0, mask.sum(axis=0) - 2))),
    ("one early, around the end",
     "off by one: the row before each sequence's last (for length 1 that is row -1, padding)",
     "Python counts from 0, the length from 1", lambda hs, mask: _at(hs, mask.sum(axis=0) - 2)),
    ("one late", "off by one: the row behind each sequence's last, which is padding",
     "Python counts from 0, the length from 1",
     lambda hs, mask: _at(hs, np.minimum(len(hs) - 1, mask.sum(axis=0)))),
    ("mean of real rows", "the mean of all real rows, not the last one", "which row is wanted",
     lambda hs, mask: np.where(mask[:, :, None], hs, 0).sum(axis=0) / mask.sum(axis=0)[:, None]),
    ("sum of real rows", "the sum of all real rows, not the last one", "which row is wanted",
     lambda hs, mask: np.where(mask[:, :, None], hs, 0).sum(axis=0)),
    ("last row, zeroed", "hs[-1] with 0 where it is padding: short sequences lose their state",
     "each sequence's own length",
     lambda hs, mask: hs[-1] * mask[-1][:, None]),
    ("first row", "the first row of each sequence, not the last real one", "which row is wanted",
     lambda hs, mask: hs[0].copy()),
    ("greatest entries", "the greatest value over time of each unit (max pooling), not the last row",
     "which row is wanted",
     lambda hs, mask: np.where(mask[:, :, None], hs, -np.inf).max(axis=0)),
):
    wrong("final-state", name, "(M1)", says, look)(f)

# njit-loop ---------------------------------------------------------------------------------------------


def loop(xs, h0, U, start=None, reset=False, phi=np.tanh, prev=None):
    """A right loop with switches."""
    hs, h = np.zeros_like(xs), h0 if start is None else start(h0)
    for t in range(len(xs)):
        if prev:
            h = prev(xs, hs, h0, t)
        h = phi(xs[t] + (h0 if reset else h) @ U)
        hs[t] = h
    return hs


for name, mark, says, look, switches in (
    ("h0 not used", "(R1)",
     "the loop starts from zeros: h0 is not used (at t = 0, hs[t-1] is hs[-1], and that is still zero)",
     "h_{t-1} at the first step", dict(start=np.zeros_like)),
    ("state not handed on", "(R1)", "every step reads h0: the state is not handed on",
     "what changes from step to step",
     dict(reset=True)),
    ("no tanh", "(R2)", "the tanh is missing", "(R2)", dict(phi=lambda a: a)),
    ("sigmoid", "(R2)", "the activation is a sigmoid, wanted is tanh", "(R2)", dict(phi=sigmoid)),
    ("no recurrence", "(R1)", "the recurrent term is missing: each step is the tanh of its input alone",
     "h_{t-1} U",
     dict(prev=lambda xs, hs, h0, t: np.zeros_like(h0))),
    ("two steps back", "(R1)", "off by one: step t reads the state of t-2", "which row of hs step t reads",
     dict(prev=lambda xs, hs, h0, t: hs[t - 2] if t > 1 else h0)),
):
    wrong("njit-loop", name, mark, says, look)(
        lambda xs, h0, U, switches=switches: loop(xs, h0, U, **switches))
wrong("njit-loop", "U transposed", "(R1)", "the recurrent weights are transposed: h U is wanted, not h U^T",
      "which index of U is summed over: the first one")(lambda xs, h0, U: loop(xs, h0, U.T))


@wrong("njit-loop", "updated in place", "(R1)",
       "new units are written into the state while others still read it: "
       "h_t of one unit uses h_t of another", "one array for the old state, another for the new one")
def _units_in_place(xs, h0, U):
    hs, h = np.zeros_like(xs), h0.copy()
    for t in range(len(xs)):
        for k in range(h.shape[1]):
            h[:, k] = np.tanh(xs[t, :, k] + h @ U[:, k])
        hs[t] = h
    return hs
