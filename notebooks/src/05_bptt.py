# %% [markdown]
r"""
# 5 · Backpropagation through time

*Reading 20 minutes, exercises 40 minutes.*

An RNN reads fifty steps, and only the last state enters the loss. It has 1,230 weights, each of them used
fifty times. How does the loss change with each? Asking one weight at a time takes a run of fifty steps for
every weight. Walking backward *once* gives all of them, to the last digit.
"""

# %%
import numpy as np

from minis2s.core import gradient_check, tree
from minis2s.layers import unroll
from minis2s.layers.cells import rnn
from minis2s.classroom.notebooks import attempt, compare, judge, picture

rng = np.random.default_rng(0)
T, N, D, H = 50, 4, 10, 30
p, xs, readout = rnn.init(rng, D, H), 0.3 * rng.normal(size=(T, N, D)), rng.normal(size=(N, H))
zero, mask = rnn.State(np.zeros((N, H))), np.ones((T, N), bool)

def L(W):
    """A random weighted sum of the last state, as a function of the input weights."""
    return (unroll.forward(rnn, p._replace(W=W), xs, zero, mask)[1].h * readout).sum()

hs, last, caches = unroll.forward(rnn, p, xs, zero, mask)
dxs, dh0, grads = unroll.backward(rnn, p, caches, np.zeros((T, N, H)), rnn.State(readout), mask)

error = gradient_check.worst_error(grads.W, gradient_check.complex_step(L, p.W))[0]
runs = p.W.size
print(f"largest error of all {p.W.size} entries of dW: {error:.0e}")
print(f"the complex step ran {runs} x {T} = {runs * T} steps for W alone; the walk back took {T} for all")
assert error < 1e-12 and sum(a.size for a in p) == 1230

# %% [markdown]
r"""
Throughout, $dz$ is short for $\partial L / \partial z$ and has the shape of $z$; a prime marks step $t-1$.

## One step back

Forward (R1) $a = xW + h'U + b$ and (R2) $h = \tanh(a)$. Someone hands us $dh$. Going back through the two
lines:

$$da = dh \odot (1 - h^2) \qquad dx = da\,W^\top \qquad dh' = da\,U^\top$$

$$dW = x^\top da \qquad dU = h'^\top da \qquad db = \sum_n da_n$$

$\odot$ is entry by entry. Nobody remembers where the transposes go; the *shapes* tell. $da$ is $(N,H)$,
$dW$ must be $(D,H)$, and from $x$ $(N,D)$ and $da$ there is one way to make it. And tanh's derivative is
written in its *output*: $1 - h^2$, never $1 - a^2$.

### Exercise 1: one step back
"""

# %% exercise="rnn-step-backward"
def rnn_step_backward(x, h_prev, h, W, U, dh):
    """x (N, D), h_prev, h, dh (N, H), W (D, H), U (H, H) -> dx, dh_prev, dW, dU, db."""
    ### BEGIN SOLUTION
    da = dh * (1 - h ** 2)
    return da @ W.T, da @ U.T, x.T @ da, h_prev.T @ da, da.sum(axis=0)
    ### END SOLUTION

# %% check="rnn-step-backward"
judge("rnn-step-backward", rnn_step_backward)

# %% [markdown]
r"""
## A fork forward is a sum backward

$h_t$ goes to two places: out (to the loss, to a decoder), and on to step $t+1$. If a value is used twice, a
small change of it changes the loss twice, so the two gradients add up. And $W$, $U$, $b$ are used at
*every* step: their gradient is a sum of $T$ terms.
"""

# %%
with picture("The unrolled network with gradient arrows. Forward arrows lead from h0 to "
             "h4. Backward arrows lead from h4 to h0, and at each state another arrow "
             "comes down from outside: two arrows meet, their gradients add.",
             7, 2.4) as axes:
    go, back = (dict(arrowstyle="->", color=c, lw=1.6) for c in ("0.6", "#D55E00"))
    for t in range(5):
        axes.text(2 * t, 0, f"$h_{t}$", ha="center", va="center", size=12,
                  bbox=dict(boxstyle="circle,pad=0.4", fc="#cfe3f3" if t else "white", ec="0.4"))
        if t:
            axes.annotate("", (2 * t - 0.5, 0.12), (2 * t - 1.5, 0.12), arrowprops=go)
            axes.annotate("", (2 * t - 1.5, -0.12), (2 * t - 0.5, -0.12), arrowprops=back)
            axes.text(2 * t - 1, -0.5, r"$da\,U^\top$", ha="center", color="#D55E00")
            axes.annotate("", (2 * t, 0.5), (2 * t, 1.3), arrowprops=back)
            axes.text(2 * t + 0.1, 0.95, f"$dhs_{t}$", color="#D55E00")
    axes.set(xlim=(-0.8, 9), ylim=(-0.9, 1.5))
    axes.axis("off")

# %% [markdown]
r"""
Padding is a third case: where step $t$ is padding, $h_t$ *is* $h_{t-1}$, so the gradient goes on unchanged
and the weights get nothing.

### Exercise 2: backpropagation through time

`dhs[t]` arrives from outside at *every* step. (Mistakes that this checker knows by name: the carried
gradient dropped; the outer one dropped; no sum over time; $h_t$ in place of $h_{t-1}$ in $dU$; $U$ not
transposed ...)
"""

# %% exercise="bptt"
def bptt(W, U, xs, h0, hs, mask, dhs):
    """W (D, H), U (H, H), xs (T, N, D), h0 (N, H), hs, dhs (T, N, H), mask (T, N) -> dxs, dh0, dW, dU, db."""
    ### BEGIN SOLUTION
    dxs, dW, dU, db = np.zeros(xs.shape), np.zeros(W.shape), np.zeros(U.shape), np.zeros(U.shape[1])
    d = np.zeros(h0.shape)
    for t in reversed(range(len(xs))):
        h_prev, m = hs[t - 1] if t else h0, mask[t][:, None]
        d = d + dhs[t]
        da = np.where(m, d * (1 - hs[t] ** 2), 0)
        dxs[t] = da @ W.T
        dW, dU, db = dW + xs[t].T @ da, dU + h_prev.T @ da, db + da.sum(axis=0)
        d = np.where(m, da @ U.T, d)
    return dxs, d, dW, dU, db
    ### END SOLUTION

# %% check="bptt" points=3
judge("bptt", bptt)

# %% [markdown]
r"""
The library's own loop, to compare with yours. Both forks stand in it, and so does the mask. It is the same
for every cell: the cell's `step_backward` does what you wrote in exercise 1.
"""

# %%
import inspect

print(inspect.getsource(unroll.backward))

# %% [markdown]
r"""
## Who contributed?

The gradient of $W$ is a sum over steps. Here are its fifty terms, apart: first check that they add up, then
look at their sizes.
"""

# %%
terms, d = [None] * T, rnn.State(readout)
for t in reversed(range(T)):
    _, d, g = rnn.step_backward(p, caches[t], d)
    terms[t] = g.W
together = gradient_check.worst_error(sum(terms), grads.W)[0]
sizes = np.array([np.linalg.norm(term) for term in terms])

with picture("Bar chart, logarithmic: the size of each step's term of dW. It shrinks "
             "steadily from the last step back to the first.", 7, 2.5) as axes:
    axes.bar(np.arange(1, T + 1), sizes)
    axes.set(yscale="log", xlabel="step t", ylabel="size of its term of dW")

share = sizes[-10:].sum() / sizes.sum()
print(f"sum of the terms against dW: {together:.0e}")
print(f"step 1 has {sizes[0] / sizes[-1]:.4f} of the size of step {T}; the last ten make {share:.0%} of all")
assert together < 1e-13 and sizes[0] < 0.2 * sizes[-1]

# %% [markdown]
r"""
## Truncated: only the last $k$ steps

Long sequences make people stop the walk after $k$ steps. It is cheaper, and the result is *not* the
gradient: it is what the last $k$ terms say. The question is how much is lost.

Predict before you measure: after the last 5 of 50 steps, how many degrees lie between what is left and the
gradient? 0 is the same direction, 90 has nothing to do with it.
"""

# %%
my_guess = None                                          # your number in place of None

# %%
def angle(a, b):
    return np.degrees(np.arccos(np.clip((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))

print("   k    error    angle to the gradient")
angles = {}
for k in (1, 5, 10, 20, 40, 50):
    part = sum(terms[-k:])
    angles[k] = angle(part, grads.W)
    print(f"{k:4d} {np.linalg.norm(part - grads.W) / np.linalg.norm(grads.W):8.2f} {angles[k]:10.1f} degrees")
compare("degrees between 5 steps and the gradient", my_guess, angles[5])
assert angles[1] > 30 and angles[50] < 1e-4 and angles[40] < angles[5]

# %% [markdown]
r"""
### Exercise 3: truncate it

Here the loss reads the last state only: `dh_T`. There is no padding. Return $dW$, $dU$, $db$ from the last
$k$ steps.
"""

# %% exercise="truncated-bptt"
def truncated_bptt(W, U, xs, h0, hs, dh_T, k):
    """-> dW (D, H), dU (H, H), db (H,): the sums over the last k steps (k <= T)."""
    ### BEGIN SOLUTION
    dW, dU, db, dh = np.zeros(W.shape), np.zeros(U.shape), np.zeros(U.shape[1]), dh_T
    for t in reversed(range(len(xs) - k, len(xs))):
        h_prev = hs[t - 1] if t else h0
        da = dh * (1 - hs[t] ** 2)
        dW, dU, db, dh = dW + xs[t].T @ da, dU + h_prev.T @ da, db + da.sum(axis=0), da @ U.T
    return dW, dU, db
    ### END SOLUTION

# %% check="truncated-bptt" points=2
with attempt("truncated-bptt"):
    for k in (T, 1, 7):
        wanted, d = tree.zeros_like(p), rnn.State(readout)
        for cache in caches[:-k - 1:-1]:
            _, d, g = rnn.step_backward(p, cache, d)
            wanted = tree.add(wanted, g)
        got = truncated_bptt(p.W, p.U, xs, zero.h, hs, readout, k)
        for name, g, w in zip(("dW", "dU", "db"), got, wanted, strict=True):
            e, at = gradient_check.worst_error(g, w)
            assert e < 1e-10, f"k = {k} of T = {T}: {name} is wrong by {e:.2g} of its largest entry, at {at}."

# %% [markdown]
r"""
## What is missing

The bars fall by about the same factor at each step. Make $U$ a little smaller and step 1 is silent; a
little larger, and it shouts. Document C says: clip the gradient, take more layers, use an LSTM. **Notebook
6** measures all three, and none of the promises holds as written.
"""
