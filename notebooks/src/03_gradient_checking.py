# %% [markdown]
r"""
# 3 · Gradient checking: when to trust it

*Reading 20 minutes, exercises 25 minutes.*

You wrote a gradient by hand. To check it, move a weight $w$ by a small $h$ and watch the loss $L$:

$$\frac{dL}{dw} \approx \frac{L(w + h) - L(w - h)}{2h} \qquad\text{(central difference)}$$

It can be wrong in both directions. The first gradient below is right, and its check reports an error of a
half. The second is all zeros, surely wrong, and its check reports none.
"""

# %%
import numpy as np

from minis2s.core import functions, gradient_check as gradients
from minis2s.layers import unroll
from minis2s.layers.cells import rnn
from minis2s.classroom.notebooks import attempt, judge, picture

def difference(f, w, h):
    """Central difference in w's own precision, entry by entry."""
    grad = np.zeros_like(w)
    for k in np.ndindex(w.shape):
        e = np.zeros_like(w)
        e[k] = h
        grad[k] = (f(w + e) - f(w - e)) / (2 * h)
    return grad

rng = np.random.default_rng(0)
w = rng.normal(size=5).astype(np.float32)
right = 1 - np.tanh(w) ** 2                                             # of L = sum of tanh(w)
checked = difference(lambda w: np.tanh(w).sum(), w, np.float32(1e-7))
error_of_right = gradients.worst_error(checked, right)[0]
print(f"right gradient, float32, h = 1e-7:      error {error_of_right:.2f}")

zeros = np.zeros(5)                                                     # "gradient" of L = sum of softmax(a)
checked = difference(lambda a: functions.softmax(a).sum(), rng.normal(size=5), 1e-5)
error_of_zeros = abs(checked - zeros).max()
print(f"all zeros, float64, L = sum of softmax: error {error_of_zeros:.0e}")
assert error_of_right > 0.1 and error_of_zeros < 1e-9

# %% [markdown]
r"""
The second is the funnier one. Softmax sums to 1 *whatever* the logits are, so its sum is constant and its
gradient really is 0. The check compared the zeros with the truth of a loss that sees nothing. We come back
to both.

## How big a step?

A smaller $h$ cuts off less of the curve: the error of the formula falls like $h^2$. But $L(w+h)$ and
$L(w-h)$ are rounded, to a relative $\varepsilon$ ($10^{-16}$ in float64, $10^{-7}$ in float32), and their
small difference is divided by a small $h$: that error *grows* like $\varepsilon / h$.

There is a way out that takes no difference. Step into the complex plane:

$$L(w + ih) = L(w) + ih\,L'(w) - \tfrac{h^2}{2} L''(w) - \dots$$

$$L'(w) \approx \frac{\mathrm{Im}\, L(w + ih)}{h} \qquad\text{(complex step)}$$

Nothing is subtracted, so nothing cancels, and $h$ may be $10^{-30}$. The loss here is a real one: an RNN
over five steps.
"""

# %%
T, N, D, H = 5, 4, 3, 6
p, xs = rnn.init(rng, D, H), rng.normal(size=(T, N, D))
mask = np.arange(T)[:, None] < np.array([5, 2, 4, 1])
h0, readout = rng.normal(size=(N, H)), rng.normal(size=(T, N, H))

def L(U, dtype=np.float64):
    """A random weighted sum of all states, as a function of the recurrent weights U."""
    q = rnn.Params(p.W.astype(dtype), U, p.b.astype(dtype))
    hs, _, _ = unroll.forward(rnn, q, xs.astype(dtype), rnn.State(h0.astype(dtype)), mask)
    return (hs * readout.astype(dtype)).sum()

_, _, caches = unroll.forward(rnn, p, xs, rnn.State(h0), mask)
_, _, grads = unroll.backward(rnn, p, caches, readout, rnn.State(np.zeros((N, H))), mask)

at, truth = (0, 1), grads.U[0, 1]                                       # one weight is enough for the curve

def error(f):
    return abs(f - truth) / abs(truth)

steps = 10.0 ** np.arange(-20, 0)
errors = {"float32": [], "float64": [], "complex step": []}
for h in steps:
    for name, dtype in (("float32", np.float32), ("float64", np.float64)):
        up, down = p.U.astype(dtype), p.U.astype(dtype)
        up[at], down[at] = up[at] + dtype(h), down[at] - dtype(h)
        errors[name].append(error((float(L(up, dtype)) - float(L(down, dtype))) / (2 * h)))
    imaginary = p.U.astype(complex)
    imaginary[at] += 1j * h
    errors["complex step"].append(error(L(imaginary).imag / h))

with picture("Error against step size, both logarithmic. Float32 differences are best "
             "near h = 0.01, with an error of 0.00004, float64 near 0.00001 with 3e-11. "
             "The complex step's error falls with the step and then stays near 1e-16.", 7, 3.2) as axes:
    for (name, values), dashes in zip(errors.items(), ("-.", "--", "-")):
        axes.loglog(steps, np.maximum(values, 1e-17), dashes, marker="o", label=name)
    axes.set(xlabel="step h", ylabel="relative error", ylim=(1e-17, 10))
    axes.legend()

for name, values in errors.items():
    best = int(np.argmin(values))
    print(f"{name:12} error {values[best]:.0e} at h = {steps[best]:.0e}, its best; {values[8]:.0e} at 1e-12")
assert min(errors["float32"]) > 1e-6 and 1e-12 < min(errors["float64"]) < 1e-8
assert errors["complex step"][0] < 1e-14

# %% [markdown]
r"""
Read the V: in float64 the best $h$ is near $\varepsilon^{1/3} \approx 6 \cdot 10^{-6}$, and even there
about six of the sixteen digits are gone. In float32 the best check leaves an error that a *wrong* gradient
can easily have: a check in float32 says nothing, so the library refuses it. The complex step has no V.

Its price: $L$ must be **analytic**. `abs`, `max` by value, `np.real` and comparisons know nothing of the
imaginary part.
"""

# %%
w = np.array([-2.0, 3.0])
for name, f, right in (("sum of w * w", lambda w: (w * w).sum(), 2 * w),
                       ("sum of |w|^2", lambda w: (abs(w) ** 2).sum(), 2 * w)):
    print(f"{name}: complex step {gradients.complex_step(f, w)}, right {right}")
assert (gradients.complex_step(lambda w: (abs(w) ** 2).sum(), w) == 0).all()

# %% [markdown]
r"""
The same function on paper, and a gradient of zero. This is why softmax in this library is shifted by the
largest *real part*, and the sigmoid is written with tanh.

### Exercise 1: write the checker

Central differences for a weight array of any shape. Refuse float32 with a `TypeError`, and leave `w` as you
found it (the array you get cannot be written to).
"""

# %% exercise="gradient-check"
def gradient_check(f, w, h):
    """f: takes an array like w, returns a number; w float64; h the step -> gradient, of w's shape."""
    ### BEGIN SOLUTION
    if w.dtype != np.float64:
        raise TypeError(f"w is {w.dtype}: rounding alone would make right gradients look wrong")
    grad = np.zeros(w.shape)
    for k in np.ndindex(w.shape):
        up, down = w.copy(), w.copy()
        up[k] += h
        down[k] -= h
        grad[k] = (f(up) - f(down)) / (2 * h)
    return grad
    ### END SOLUTION

# %% check="gradient-check"
judge("gradient-check", gradient_check)

# %% [markdown]
r"""
## When a perfect check is blind

The check is now exact. It still sees only what the *inputs* let it see. Five mistakes that people make in
the backward pass of an RNN, and four ways to choose the test. A cell of the table is the error that the
check reports.
"""

# %%
def backward(xs, h0, p, dhs, bug=None):
    """BPTT of a tanh RNN, with one mistake made on purpose -> dh0, Params."""
    T, N, hs, h = len(xs), len(h0), [], h0
    for x in xs:
        h = np.tanh(x @ p.W + h @ p.U + p.b)
        hs.append(h)
    dW, dU, db, dh = 0 * p.W, 0 * p.U, 0 * p.b, 0 * h0
    for t in reversed(range(T)):
        h_prev = hs[t - 1] if t else h0
        da = (dh + dhs[t]) * (1 - hs[t] ** 2)
        dW = dW + xs[t].T @ da
        dU = dU + (hs[t] if bug == "h_t in dU" else h_prev).T @ da
        db = db + (da.mean(axis=0) if bug == "db is a mean" else da.sum(axis=0))
        dh = da @ (p.U if bug == "U not transposed" else p.U.T)
        dh = 0 * dh if bug == "carry dropped" and t else dh
    return dh, rnn.Params(dW, dU, db / T if bug == "db over T" else db)

def reported(bug, T, N, D, H):
    """The error that the complex step finds in the parameters' gradients."""
    r = np.random.default_rng(1)
    q, xs, h0 = rnn.init(r, D, H), r.normal(size=(T, N, D)), r.normal(size=(N, H))
    real, dhs = np.ones((T, N), bool), r.normal(size=(T, N, H))
    want = gradients.tree_gradient(
        lambda q: (unroll.forward(rnn, q, xs, rnn.State(h0), real)[0] * dhs).sum(), q)
    got = backward(xs, h0, q, dhs, bug)[1]
    return max(gradients.worst_error(g, w)[0] for g, w in zip(got, want))

bugs = ("carry dropped", "U not transposed", "db is a mean", "db over T", "h_t in dU")
settings = {"T = 1": (1, 4, 3, 6), "N = 1": (5, 1, 3, 6), "H = 1": (5, 4, 3, 1),
            "all different": (5, 4, 3, 6)}
table = np.array([[reported(bug, *sizes) for sizes in settings.values()] for bug in (None, *bugs)])
print(" " * 18 + "".join(f"{name:>15}" for name in settings))
for bug, row in zip(("no mistake", *bugs), table):
    print(f"{bug:18}" + "".join(f"{e:15.0e}" for e in row))
assert table[0].max() < 1e-12 and (table[1:, :3] < 1e-12).sum() == 5 and table[1:, 3].min() > 1e-3

# %% [markdown]
r"""
Five times a wrong gradient passed with an error near $10^{-16}$, in a test too small to see it. **All sizes
different, more than one step, random start, random weights for the sum** catch every one. (Ones in place of
random weights: that was the softmax of the first cell.)

And one kind of mistake passes *always*: the one made in forward and backward alike. This RNN multiplies by
$U^\top$ forward, and differentiates that correctly.
"""

# %%
def wrong_forward(U):
    h, total = h0, 0.0
    for x, r in zip(xs, readout):
        h = np.tanh(x @ p.W + h @ U.T + p.b)                            # U.T: not our equation
        total = total + (h * r).sum()
    return total

_, g = backward(xs, h0, rnn.Params(p.W, p.U.T, p.b), readout)           # the exact gradient of that forward
consistent = gradients.worst_error(g.U.T, gradients.complex_step(wrong_forward, p.U))[0]
reference = abs(wrong_forward(p.U) - sum(
    (hs * r).sum() for hs, r in zip(unroll.forward(rnn, p, xs, rnn.State(h0), mask | True)[0], readout)))
print(f"gradient check: error {consistent:.0e}; against the library's forward: off by {reference:.2f}")
assert consistent < 1e-12 and reference > 0.1

# %% [markdown]
r"""
A gradient check compares your backward with *your own* forward. So compare the forward with a reference,
too: here that is `minis2s.testing.oracle`, and every exercise's checker.

### Exercise 2: three patients

Three backward passes, each with one mistake. You get the errors of each gradient against the truth, at $T =
5$ and at $T = 1$. Name the mistake: `"carry dropped"`, `"U not transposed"`, `"db is a mean"`, `"db over
T"` or `"h_t in dU"`.
"""

# %%
def chart(bug, T):
    """Errors of dh0, dW, dU, db."""
    r = np.random.default_rng(7)
    q, xs, h0 = rnn.init(r, 3, 6), r.normal(size=(T, 4, 3)), r.normal(size=(4, 6))
    dhs = r.normal(size=(T, 4, 6))
    (dh0, g), (want_dh0, want) = backward(xs, h0, q, dhs, bug), backward(xs, h0, q, dhs)
    return [gradients.worst_error(a, b)[0] for a, b in ((dh0, want_dh0), *zip(g, want))]

ill = dict(zip("ABC", (bugs[k] for k in (1, 3, 0))))                    # no peeping
print("patient   T       dh0        dW        dU        db")
for name, bug in ill.items():
    for T in (5, 1):
        print(f"{name:7} {T:3d} " + "".join(f"{e:10.0e}" for e in chart(bug, T)))
assert chart(ill["B"], 5)[:3] == [0, 0, 0]

# %% exercise="three-patients"
def diagnosis():
    """-> {"A": name of the mistake, "B": ..., "C": ...}"""
    ### BEGIN SOLUTION
    # A: dh0 is wrong even at T = 1, where nothing is carried: the product with U.
    # B: only db is wrong, and only when T > 1.  C: all is right at T = 1, much is wrong at T = 5.
    return {"A": "U not transposed", "B": "db over T", "C": "carry dropped"}
    ### END SOLUTION

# %% check="three-patients" points=2
with attempt("three-patients"):
    found = diagnosis()
    for name, bug in ill.items():
        assert found[name] in bugs, f"Patient {name}: {found[name]!r} is not one of the five."
        near = [k for k, (a, b) in enumerate(zip(chart(bug, 5), chart(found[name], 5))) if abs(a - b) > 1e-12]
        words = [("dh0", "dW", "dU", "db")[k] for k in near]
        assert not near, f"Patient {name}: with {found[name]!r} the chart would differ at {', '.join(words)}."

# %% [markdown]
r"""
## What is missing

You can now trust a gradient. **Notebook 4** builds what to differentiate: an RNN that reads a whole
sentence. It begins with a memory made of *two* numbers that holds a bit for fifty steps, and with a formula
of document A that cannot.
"""
