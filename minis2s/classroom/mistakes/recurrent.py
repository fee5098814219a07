"""Wrong RNN steps, backward steps, backpropagation through time, batches, final states, compiled loops.

The bigger ones are one right implementation with switches: each switch is a mistake that people make.
"""
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
wrong(RSB, "divided by N", "(R1*)", "dW, dU and db are divided by N: the loss has taken its mean already",
      "whether any division belongs here")(
    lambda x, h_prev, h, W, U, dh: (lambda r: (*r[:2], *(g / len(x) for g in r[2:])))(
        rnn_step_backward(x, h_prev, h, W, U, dh)))

# bptt --------------------------------------------------------------------------------------------------


def bptt(W, U, xs, h0, hs, mask, dhs, bugs=()):
    """A right backpropagation through time; each name in `bugs` makes one thing wrong."""
    T, bug = len(xs), set(bugs).__contains__
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros(U.shape[1])
    dxs, back = np.zeros_like(xs), np.zeros_like(h0)
    steps = next((int(name.split()[1]) for name in bugs if name.startswith("truncated")), T)
    for t in reversed(range(T)):
        m = np.ones_like(h0, bool) if bug("mask ignored") else np.broadcast_to(mask[t][:, None], h0.shape)
        d = (0 if bug("upstream dropped") and t < T - 1 else dhs[t]) + (0 if bug("carry dropped") else back)
        if t < T - steps:
            if not bug("keep zero"):
                break
            d = np.zeros_like(d)
        dh = np.where(m, d, 0)
        h, h_prev = hs[t], hs[t - 1] if t else h0
        if bug("derivative of the input"):
            da = dh * (1 - np.tanh(h) ** 2)
        elif bug("sigmoid's derivative"):
            da = dh * h * (1 - h)
        elif bug("no derivative"):
            da = dh
        elif bug("derivative of h_prev"):
            da = dh * (1 - h_prev**2)
        else:
            da = dh * (1 - h**2)
        dxs[t] = da @ (W.T if not bug("sign of dx") else -W.T)
        through = dh @ U.T if bug("carry skips tanh") else da @ (U if bug("U for U^T") else U.T)
        if t == 0 and bug("dh0 before U^T"):
            through = da
        back = through if bug("mask ignored") else np.where(m, through, 0 if bug("gradient lost at padding")
                                                            else d)
        if bug("step's own carry"):
            back = np.where(m, dhs[t] * (1 - h**2) @ U.T, d)
        dW_t, dU_t, db_t = xs[t].T @ da, (h if bug("h_t in dU") else h_prev).T @ da, da.sum(axis=0)
        if bug("h0 in dU"):
            dU_t = h0.T @ da
        if bug("dU without t = 1") and t == 0:
            dU_t = 0 * dU_t
        first, final = t == 0, t == T - 1
        one = (bug("one step's weights (t = 1)") and not first) or (bug("one step's weights (t = T)")
                                                                    and not final)
        if not one:
            dW, dU = dW + dW_t, dU + dU_t
            if not (bug("db of t = 1") and not first) and not (bug("db of t = T") and not final):
                db = db + (da.mean(axis=0) if bug("db mean") else db_t / max(1, mask[t].sum())
                           if bug("db real mean") else da[0] if bug("db of one example") else db_t)
    scale = (xs.shape[1] if bug("divided by N") else T if bug("divided by T") else
             mask.sum() if bug("divided by M") else 1)
    sign = -1 if bug("sign") else 1
    return sign * dxs, sign * (dhs[0] if bug("dh0 is dhs[0]")
                               else back), sign * dW / scale, sign * dU / scale, sign * db / scale


for name, mark, says, look in (
    ("carry dropped", "(R1*)",
     "dxs is right at the last step only: the gradient dh carried back from t+1 is missing",
     "what step t hands to step t-1, and where it is added to dhs[t]"),
    ("upstream dropped", "(M1*)",
     "dxs is right at t = T and wrong before: dhs[t] from outside is used at the last step only, "
     "then the carried gradient alone", "the sum at the head of the loop: h_t is output AND carry"),
    ("truncated 1", "(M1*)",
     "the last step alone gets a gradient: the loop stops after one step (truncated BPTT, k = 1)",
     "the range of the loop"),
    ("truncated 2", "(M1*)", "the last 2 steps are right, all before get nothing: truncated BPTT with k = 2",
     "the range of the loop"),
    ("truncated 3", "(M1*)", "the last 3 steps are right, all before get nothing: truncated BPTT with k = 3",
     "the range of the loop"),
    ("one step's weights (t = 1)", "(R1*)", "dxs and dh0 are right; dW, dU, db hold the term of t = 1 alone: "
     "assigned at every step in place of summed", "W is used at every t: = or +="),
    ("one step's weights (t = T)", "(R1*)", "dxs and dh0 are right; dW, dU, db hold the term of t = T alone",
     "W is used at every t: the sum over the loop"),
    ("db of t = 1", "(R1*)", "only db is wrong: it is the term of t = 1, not the sum over time",
     "= or += for db"),
    ("db of t = T", "(R1*)", "only db is wrong: it is the term of t = T, not the sum over time",
     "the sum for db"),
    ("db mean", "(R1*)", "only db is wrong: the examples are averaged at each step, wanted is their sum",
     "sum or mean over n"),
    ("db of one example", "(R1*)",
     "only db is wrong: of each step it takes the first example, not the sum over all",
     "the sum over n"),
    ("h_t in dU", "(R1*)", "only dU is wrong: it is built with h_t, and U multiplied h_{t-1}",
     "which state stands on the left of U in (R1)"),
    ("h0 in dU", "(R1*)", "only dU is wrong: every step uses h0 in place of its own h_{t-1}",
     "which state belongs to step t"),
    ("dU without t = 1", "(R1*)", "only dU is wrong: the first step's term is missing, the one with h0",
     "h_{t-1} at t = 1"),
    ("U for U^T", "(R1*)",
     "dxs is right at t = T and wrong before: the gradient goes back through U in place of U^T "
     "(the shapes agree)", "the product that makes the carry"),
    ("carry skips tanh", "(R2*)", "dxs is right at t = T and wrong before: the carry goes through U^T "
     "without tanh's derivative",
     "the carry is made of da, not of dh"),
    ("step's own carry", "(R1*)",
     "dxs is right at the last two steps only: what is carried to t-1 comes from dhs[t] alone, "
     "not from the sum with the carry of t+1", "which gradient goes through U^T"),
    ("derivative of the input", "(R2*)",
     "wrong at every t: tanh's derivative is taken as if h_t were its input, "
     "1 - tanh(h)^2", "h_t is already the output of tanh"),
    ("sigmoid's derivative", "(R2*)",
     "wrong at every t: h (1 - h) is the sigmoid's derivative; the activation is tanh",
     "which derivative belongs to tanh"),
    ("no derivative", "(R2*)", "wrong at every t: tanh's derivative is missing between dh and da", "(R2*)"),
    ("derivative of h_prev", "(R2*)",
     "wrong at every t: tanh's derivative is taken at h_{t-1} in place of h_t",
     "which h came out of this step's tanh"),
    ("dh0 before U^T", "(R1*)", "only dh0 is wrong: it is da of t = 1, the product with U^T is missing",
     "the way from a_1 back to h_0"),
    ("dh0 is dhs[0]", "(M1*)",
     "only dh0 is wrong: it is dhs[0], the gradient of h_1; h_0 is one step further back",
     "what is left of the carry after the loop"),
    ("divided by N", "(R1*)", "dW, dU and db are divided by N: the loss has taken its mean already",
     "whether any division belongs here"),
    ("divided by T", "(R1*)", "dW, dU and db are divided by T: weights get the SUM over time",
     "whether any division "
     "belongs here"),
    ("divided by M", "(R1*)",
     "dW, dU and db are divided by the number of real positions: the loss has taken its mean "
     "already", "whether any division belongs here"),
    ("sign", "(R2*)", "every gradient has the wrong sign", "the first minus on the way"),
    ("sign of dx", "(R1*)", "only dxs is wrong: its sign is turned", "the line that makes dxs[t]"),
    ("mask ignored", "(M1*)", "the mask is not used: padded steps are treated as real ones",
     "dxs at padding: it should be 0"),
    ("gradient lost at padding", "(M1*)",
     "padding gets no gradient, but dhs[t] and the carry are lost there, too: h_t is then "
     "the state of t-1, so its gradient goes on to t-1 unchanged", "what a padded step hands to t-1"),
):
    record = wrong("bptt", name, mark, says, look)
    for bugs in {"truncated": ((name,), (name, "keep zero")), "db mean": ((name,), ("db real mean",))}.get(
            name if name == "db mean" else name.split()[0], ((name,),)):
        record(lambda *given, bugs=bugs: bptt(*given, bugs))


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
