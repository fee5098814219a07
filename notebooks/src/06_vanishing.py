# %% [markdown]
r"""
# 6 · Vanishing and exploding gradients

*Reading 20 minutes, exercises 25 minutes.*

A gradient walks back fifty steps. The recurrent matrix is a rotation (or a reflection) times a number $g$.
Three values of $g$, close to one another:
"""

# %%
import numpy as np

from minis2s.core import tree
from minis2s.layers import recurrent, unroll
from minis2s.training import optimizers
from minis2s.layers.cells import gru, lstm, rnn
from minis2s.core.initializers import orthogonal
from minis2s.classroom.notebooks import attempt, judge, picture

T, N, D, H = 50, 8, 4, 32

def flow(cell, p, xs, seed=0):
    """|gradient of the state| at t = 0 ... T, where that at T, of random direction, has length 1."""
    T, N = xs.shape[:2]
    _, last, caches = unroll.forward(cell, p, xs, recurrent.zero_state(cell, p, N), np.ones((T, N), bool))
    d = tree.zeros_like(last)._replace(h=np.random.default_rng(seed).normal(size=last.h.shape))
    sizes = [optimizers.norm(d)]
    for k in reversed(caches):
        _, d, _ = cell.step_backward(p, k, d)
        sizes.append(optimizers.norm(d))
    return np.array(sizes[::-1]) / sizes[0]

rng = np.random.default_rng(0)
start, xs = rnn.init(rng, D, H), rng.normal(size=(T, N, D))

def scaled(p, g):
    return p._replace(U=g * p.U)

for g in (0.8, 1.0, 1.25):
    size = flow(rnn, scaled(start, g), 0.001 * xs)[0]
    print(f"g = {g:4}: after {T} steps back |dh_0| / |dh_T| = {size:9.2e}      g^{T} = {g ** T:9.2e}")
    assert abs(size / g ** T - 1) < 0.1 or size > 1000

# %% [markdown]
r"""
$|\cdot|$ is the length of all entries together. From 0.8 to 1.25 the gradient grew by a factor of almost
$10^8$. The reason is one line of notebook 5: $dh_{t-1} = \big(dh_t \odot (1 - h_t^2)\big)\,U^\top$. Fifty
times times $U^\top$.

The **singular values** of a matrix say how much it can stretch or shrink a vector; those of a rotation are
all 1, those of $gQ$ ($Q$ a rotation) all $g$. The factor $1 - h^2 \le 1$ can only shrink. So with largest
singular value $s$:

$$|dh_0| \le s^T\,|dh_T|$$

Below 1 it *must* vanish. Above 1 it may explode; whether it does, depends on how far tanh is from its flat
ends.
"""

# %%
kinds = {"a rotation": orthogonal(rng, H), "normal, variance 1/H": rng.normal(size=(H, H)) / H ** 0.5,
         "uniform in ±0.1": rng.uniform(-0.1, 0.1, (H, H))}
with picture("Left: singular values of three matrices. The rotation's are all 1, the "
             "normal matrix's run from 2 down to 0, the uniform one's from about 0.6 down "
             "to 0. Right: the gradient's size over 50 steps back, for g from 0.5 to 2. "
             "Below 1 it falls on straight lines, above 1 it rises, and large inputs pull "
             "every line down.",
             8.5, 3, columns=2) as (left, right):
    for name, U in kinds.items():
        left.plot(np.linalg.svd(U, compute_uv=False), label=name)
    left.set(xlabel="rank", ylabel="singular value")
    left.legend()
    for k, g in enumerate((0.5, 1.0, 2.0)):
        right.semilogy(flow(rnn, scaled(start, g), 0.001 * xs), color=f"C{k}", label=f"g = {g}, small inputs")
        right.semilogy(flow(rnn, scaled(start, g), xs), "--", color=f"C{k}", label=f"g = {g}, large inputs")
    right.set(xlabel="step t", ylabel="$|dh_t|\\, /\\, |dh_T|$")
    right.legend(fontsize=8, loc="center left", bbox_to_anchor=(1, 0.5))

small, large = flow(rnn, start, 0.001 * xs)[0], flow(rnn, start, xs)[0]
print(f"g = 1: |dh_0| / |dh_T| = {small:.3f} with small inputs; {large:.1e} with large ones, tanh saturates")
assert small > 0.95 and large < 1e-3

# %% [markdown]
r"""
### Exercise 1: predict, then measure

Inputs are nearly 0, and $U = gQ$. Before you run anything: what is $|dh_0| / |dh_T|$ for $T$ steps? And how
many steps back may one look before the gradient is below `least` (for $g < 1$)?
"""

# %% exercise="predict"
def predict(g, T):
    """-> |dh_0| / |dh_T|"""
    ### BEGIN SOLUTION
    return g ** T
    ### END SOLUTION

def horizon(g, least):
    """-> the largest whole number of steps after which the ratio is still at least `least` (g < 1)."""
    ### BEGIN SOLUTION
    return int(np.log(least) / np.log(g))
    ### END SOLUTION

# %% check="predict"
with attempt("predict"):
    for g, steps in ((0.9, 20), (0.5, 50), (1.02, 50)):
        measured, said = flow(rnn, scaled(start, g), 1e-6 * xs[:steps])[0], predict(g, steps)
        assert abs(said / measured - 1) < 0.01, f"g = {g}, T = {steps}: {measured:.3g} measured."
    for g, least in ((0.9, 1e-3), (0.5, 1e-8)):
        sizes, k = flow(rnn, scaled(start, g), np.zeros((100, N, D)))[::-1], horizon(g, least)
        assert sizes[k] >= least, f"g = {g}: {k} steps are too many."
        assert sizes[k + 1] < least, f"g = {g}: {k} steps are too few."

# %% [markdown]
r"""
## Claim: "clipping mitigates vanishing and exploding gradients"

So document C (§9.5). Clipping by global norm (Pascanu et al. 2013) shortens the whole gradient $d$ if it is
longer than a limit $c$, and keeps its direction:

$$d \leftarrow d \cdot \min\!\left(1, \frac{c}{|d|}\right)$$

Look at the formula: the factor is never above 1. And by number:
"""

# %%
def gradient(g, inputs):
    """Of the sum of the first example's last state, for all parameters."""
    p = scaled(start, g)
    hs, last, k = unroll.forward(rnn, p, inputs, rnn.State(np.zeros((N, H))), np.ones((T, N), bool))
    d = np.zeros((T, N, H))
    return unroll.backward(rnn, p, k, d, rnn.State(np.eye(N)[:, :1] * np.ones((N, H))), np.ones((T, N), bool))

print("               |gradient|  clipped to 1 |       |dx_1| before        and after")
for name, g in (("exploding", 2.0), ("vanishing", 0.5)):
    dxs, _, grads = gradient(g, 0.001 * xs)
    clipped, before = optimizers.clip_by_norm((grads, dxs), 1.0)
    old, new = np.linalg.norm(dxs[0]), np.linalg.norm(clipped[1][0])
    print(f"{name:12} {before:12.3g} {optimizers.norm(clipped):13.3g} | {old:19.2e} {new:16.2e}")
    assert optimizers.norm(clipped) <= 1 + 1e-12 and new <= old

# %% [markdown]
r"""
**Half true.** The explosion is bounded. The vanished gradient is as it was, or even shorter: clipping
cannot revive what is not there.

Why the bound is worth having: a loss over fifty steps has *cliffs*. Here is the memory cell of notebook 4:
one unit, bias $-0.3$, and its loss against the recurrent weight $u$. One step of gradient descent at the
edge, without and with clipping:
"""

# %%
def loss_and_slope(u, target=0.8):
    """(h_50 - target)^2 of h_t = tanh(u h_{t-1} - 0.3), h_0 = 0.9, and its derivative in u."""
    q = rnn.Params(np.zeros((1, 1)), np.array([[u]]), np.array([-0.3]))
    nothing, real = np.zeros((50, 1, 1)), np.ones((50, 1), bool)
    _, last, k = unroll.forward(rnn, q, nothing, rnn.State(np.array([[0.9]])), real)
    d = 2 * (last.h - target)
    grads = unroll.backward(rnn, q, k, np.zeros((50, 1, 1)), rnn.State(d), real)[2]
    return float(d[0, 0] ** 2) / 4, float(grads.U[0, 0])

us = np.linspace(1.4, 2.2, 801)
losses, slopes = np.array([loss_and_slope(u) for u in us]).T
edge = us[abs(slopes).argmax()]
slope = loss_and_slope(edge)[1]
rate = 0.05
free, held = edge - rate * slope, edge - rate * slope * min(1, 1 / abs(slope))

with picture("Loss against u: high on the left, a vertical cliff near u = 1.64, low on "
             "the right. The slope is near 0 on both sides and spikes at the cliff.",
             7.5, 2.7, columns=2) as (left, right):
    left.plot(us, losses)
    left.set(xlabel="recurrent weight u", ylabel="loss")
    right.semilogy(us, abs(slopes))
    right.set(xlabel="recurrent weight u", ylabel="|slope|")
print(f"steepest at u = {edge:.3f}: slope {slope:.0f}; median slope {np.median(abs(slopes)):.2f}")
print("after one step:        u      loss     slope")
for name, u in (("without clipping", free), ("clipped to 1", held)):
    print(f"{name:18}{u:6.2f} {loss_and_slope(u)[0]:9.4f} {loss_and_slope(u)[1]:9.4f}")
assert loss_and_slope(held)[0] < loss_and_slope(free)[0] and abs(loss_and_slope(free)[1]) < 1e-12
assert abs(slope) > 100 * np.median(abs(slopes)) and abs(held - edge) <= rate + 1e-12 < abs(free - edge)

# %% [markdown]
r"""
Without clipping the weight lands at 136, where the slope is zero: nothing will ever move it again.

### Exercise 2: clip

All arrays *together* have one norm, and all are shortened by the same factor.
"""

# %% exercise="clipping"
def clipping(dW, dU, db, limit):
    """Three gradients and the limit -> the three, shortened to `limit` in common, or as they were."""
    ### BEGIN SOLUTION
    size = np.sqrt((dW ** 2).sum() + (dU ** 2).sum() + (db ** 2).sum())
    factor = min(1.0, limit / size) if size > 0 else 1.0
    return dW * factor, dU * factor, db * factor
    ### END SOLUTION

# %% check="clipping"
judge("clipping", clipping)

# %% [markdown]
r"""
## Claim: "LSTM and GRU mitigate vanishing and exploding gradients"

Again C (§3.3, §9.5). All cells as they are initialised, then with their recurrent weights times 8:
"""

# %%
remember = lstm.init(rng, D, H)
remember.b[H:2 * H] = 3.0                               # the forget gate's bias: notebook 7
keep = gru.init(rng, D, H)
keep.b[:H] = -3.0                                       # the GRU's update gate almost shut: notebook 8
cells = {"RNN": (rnn, start), "LSTM": (lstm, lstm.init(rng, D, H)), "LSTM, forget bias 3": (lstm, remember),
         "GRU": (gru, gru.init(rng, D, H)), "GRU, update bias -3": (gru, keep)}
print(f"{'|d_0| / |d_T|':22} as initialised   recurrent weights x 8")
table = {}
for name, (cell, q) in cells.items():
    table[name] = flow(cell, q, xs)[0], flow(cell, scaled(q, 8.0), xs)[0]
    print(f"{name:22} {table[name][0]:14.1e} {table[name][1]:22.1e}")
assert table["LSTM"][0] > 10 * table["RNN"][0] > table["GRU"][0]
assert table["LSTM, forget bias 3"][0] > 0.1 and table["GRU, update bias -3"][0] > 0.01
assert min(exploded for _, exploded in table.values()) > 1e3

# %% [markdown]
r"""
**Half true.** The LSTM keeps much more of the gradient, and most of it if its forget gate is told to stay
open. The GRU of this start does *worse* than the RNN: its gate begins half open and halves the memory at
each step; tell it to keep, and it keeps. So it is not gates that help, but *open* gates. And none of the
five is safe from explosion: gates are read through the same kind of matrix. LSTMs are trained with
clipping, too.

## Claim: "more layers mitigate vanishing and exploding gradients"

C (§9.5), third bullet. Stack 1, 2, 4, 8 RNN layers; the gradient starts at the top layer's last state and
is measured at the first input, for $T = 25$ and $T = 50$.
"""

# %%
def to_first_input(layers, g, steps):
    """|dx_1| of a stack whose top, last state has a gradient of length 1; inputs near 0."""
    r = np.random.default_rng(3)
    stack = tuple(scaled(rnn.init(r, H, H), g) for _ in range(layers))
    inputs, real = 1e-30 * r.normal(size=(steps, N, H)), np.ones((steps, N), bool)
    hs, finals, cache = recurrent.forward(rnn, stack, inputs, real)
    dhs = np.zeros(hs.shape)
    dhs[-1] = r.normal(size=(N, H))
    dhs /= np.linalg.norm(dhs)
    dxs, _ = recurrent.backward(rnn, stack, cache, dhs, tree.zeros_like(finals))
    return np.linalg.norm(dxs[0])

print("            g = 0.5                                  g = 1.5")
print("layers      T = 25     T = 50   factor a step       T = 25     T = 50")
rates, exploded = {}, {}
for layers in (1, 2, 4, 8):
    low, high = ([to_first_input(layers, g, steps) for steps in (25, 50)] for g in (0.5, 1.5))
    rates[layers], exploded[layers] = (low[1] / low[0]) ** (1 / 25), high[1]
    print(f"{layers:4d} {low[0]:15.1e} {low[1]:10.1e} {rates[layers]:12.2f} {high[0]:19.1e} {high[1]:10.1e}")
assert max(rates.values()) < 0.7 and exploded[8] > 1000 * exploded[1]

# %% [markdown]
r"""
**Refuted.** A stack has many paths from the first input to the top (to the right, then up, then to the
right ...), so the number is larger at first; but the gradient still dies by a factor well below 1 at every
step: from $T = 25$ to $T = 50$ every stack loses many powers of ten. Where one layer explodes, eight
explode far worse. Depth is worth having for other reasons.

### Exercise 3: a start that neither vanishes nor explodes

Write an initialisation for $U$, random, such that a gradient comes back over 100 steps with at least half
and at most twice its length (inputs near 0).
"""

# %% exercise="initialisation"
def initial_U(rng, H):
    """-> U (H, H), random."""
    ### BEGIN SOLUTION
    Q, _ = np.linalg.qr(rng.normal(size=(H, H)))
    return Q
    ### END SOLUTION

# %% check="initialisation"
with attempt("initialisation"):
    r = np.random.default_rng(4)
    for size in (8, 32):
        U = initial_U(r, size)
        assert np.shape(U) == (size, size), f"The shape is {np.shape(U)}, wanted {(size, size)}."
        assert abs(U - initial_U(r, size)).max() > 1e-6, "Two calls give the same matrix: not random."
        q = rnn.Params(np.zeros((3, size)), U, np.zeros(size))
        ratio = flow(rnn, q, np.zeros((100, 5, 3)))[0]
        assert 0.5 <= ratio <= 2, f"H = {size}: 100 steps change the gradient by {ratio:.2g}."

# %% [markdown]
r"""
## What is missing

A rotation is a start; training moves away from it, and large inputs saturate tanh. A cell whose *form* lets
the gradient through would be better: one with a line on which nothing is multiplied by a matrix. That is
the LSTM, **notebook 7**; and as document B prints it, it is blind.
"""
