# %% [markdown]
r"""
# 8 · The GRU: as printed, as intended, and as everyone runs it

*Reading 20 minutes, exercises 35 minutes.*

A memory must be able to do one thing above all: replace what it holds by what it reads. Tell the GRU of
document C (§3.1) to do that, with its update gate fully open, and see what is left of the old memory.
"""

# %%
import numpy as np

from minis2s.core import gradient_check, tree
from minis2s.layers import linear, recurrent, unroll
from minis2s.training import optimizers
from minis2s.layers.cells import CELLS
from minis2s.layers.cells import gru, gru_after
from minis2s.classroom.notebooks import attempt, judge, picture
from minis2s.documents.printed import c as printed_c

one, open_, shut = np.ones((1, 1)), 50.0, -50.0         # sigmoid(50) is 1, sigmoid(-50) is 0
intended = gru.Params(np.array([[0, 0, 1.0]]), np.array([[0, 0, 1.0]]), np.array([open_, shut, 0]))
printed = printed_c.GruParams(np.zeros((2, 2)), np.array([open_, shut]), one, np.zeros(1))
print("x = 1, told to rewrite:   h' = -1     h' = +1")
new = [gru.step(intended, one, gru.State(old * one))[0].h[0, 0] for old in (-1.0, 1.0)]
old = [printed_c.gru_step(printed, one, printed_c.State(old * one))[0].h[0, 0] for old in (-1.0, 1.0)]
print(f"as intended:          {new[0]:11.4f} {new[1]:11.4f}")
print(f"as printed:           {old[0]:11.4f} {old[1]:11.4f}")
assert abs(new[0] - new[1]) < 1e-12 and abs(old[0] - old[1]) > 1.5

# %% [markdown]
r"""
As intended both end at $\tanh(1)$: the old memory is gone. As printed the result *is* the old memory,
squashed. Here are both. A prime marks step $t-1$; both have the gates $z, r = \sigma(\dots)$ and end with
(G4):

$$\text{printed:}\quad n = \tanh\big(([z \odot h'] + [r \odot x])\,W + b\big)$$

$$\text{intended:}\quad n = \tanh\big(x W_n + (r \odot h')\,U_n + b_n\big)$$

$$h = (1 - z) \odot h' + z \odot n \qquad\text{(G4)}$$

| letter | name | it says |
|---|---|---|
| $z$ | update gate | how much of the state is replaced |
| $r$ | reset gate | how much of the old state the candidate may see |
| $n$ | candidate (in C: $\tilde h$) | what could be written |

In the printed form $z$ does two jobs that fight: to write ($z = 1$) is to let all of $h'$ into the
candidate. $r$ scales the *word*, so a reset makes the unit deaf in place of forgetful. And the sum needs as
many inputs as units:
"""

# %%
try:
    printed_c.gru_step(printed_c.GruParams(np.zeros((7, 8)), np.zeros(8), np.eye(4), np.zeros(4)),
                       np.ones((2, 3)), printed_c.State(np.ones((2, 4))))
    refused = False
except ValueError as e:
    refused = True
    print(e)
assert refused

# %% [markdown]
r"""
### Exercise 1: one step, as intended

Blocks side by side in the order $z, r, n$. The product $(r \odot h')\,U_n$ needs its own block of $U$.
"""

# %% exercise="gru-step"
def gru_step(x, h_prev, W, U, b):
    """x (N, D), h_prev (N, H), W (D, 3H), U (H, 3H), b (3H,), blocks z, r, n -> h (N, H)."""
    ### BEGIN SOLUTION
    H = h_prev.shape[1]
    x_z, x_r, x_n = np.split(x @ W + b, 3, axis=1)
    z = 0.5 * (1 + np.tanh(0.5 * (x_z + h_prev @ U[:, :H])))
    r = 0.5 * (1 + np.tanh(0.5 * (x_r + h_prev @ U[:, H:2 * H])))
    n = np.tanh(x_n + (r * h_prev) @ U[:, 2 * H:])
    return (1 - z) * h_prev + z * n
    ### END SOLUTION

# %% check="gru-step"
judge("gru-step", gru_step)

# %% [markdown]
r"""
## Reset before, reset after

cuDNN and PyTorch run a third form: the reset gate scales the *product*, after a bias of its own.

$$\text{before (Cho et al. 2014):}\quad n = \tanh(x W_n + (r \odot h')\,U_n + b_n)$$

$$\text{after:}\quad n = \tanh(x W_n + r \odot (h' U_n + b_U) + b_n)$$

Why? Before, $U_n$ has to wait for $r$: two products of the state, one after the other. After, $h'U$ is one
product for all three blocks. Are they the same network? Only where the reset gate is fully open or fully
shut:
"""

# %%
rng = np.random.default_rng(0)
N, D, H = 4, 3, 6
p, x, h_prev = gru.init(rng, D, H), rng.normal(size=(N, D)), gru.State(rng.normal(size=(N, H)))

def both(r_bias):
    b = p.b.copy()
    b[H:2 * H] = r_bias
    before, _ = gru.step(p._replace(b=b), x, h_prev)
    after, _ = gru_after.step(gru_after.Params(p.W, p.U, b, np.zeros(H)), x, h_prev)
    return abs(before.h - after.h).max()

for r_bias, words in ((50, "r = 1, nothing is reset"), (0, "r in between"), (-50, "r = 0, all is reset")):
    print(f"{words:25} largest difference {both(r_bias):.1e}")
assert both(50) < 1e-12 and both(0) > 1e-3 and both(-50) < 1e-12

# %% [markdown]
r"""
So weights trained in one form are wrong in the other, and nothing complains: the shapes agree but for
$b_U$. (And PyTorch's $z$ is our $1 - z$. `minis2s.pytorch.interop` converts.)

### Exercise 2: the form that PyTorch runs
"""

# %% exercise="gru-after-step"
def gru_after_step(x, h_prev, W, U, b, b_U):
    """As gru_step, reset after the product; b_U (H,) is added inside the gate -> h (N, H)."""
    ### BEGIN SOLUTION
    x_z, x_r, x_n = np.split(x @ W + b, 3, axis=1)
    h_z, h_r, h_n = np.split(h_prev @ U, 3, axis=1)
    z, r = 0.5 * (1 + np.tanh(0.5 * (x_z + h_z))), 0.5 * (1 + np.tanh(0.5 * (x_r + h_r)))
    n = np.tanh(x_n + r * (h_n + b_U))
    return (1 - z) * h_prev + z * n
    ### END SOLUTION

# %% check="gru-after-step"
with attempt("gru-after-step"):
    r = np.random.default_rng(3)
    q = gru_after.Params(p.W, p.U, r.normal(size=3 * H), r.normal(size=H))
    wanted, got = gru_after.step(q, x, h_prev)[0].h, gru_after_step(x, h_prev.h, *q)
    before = gru.step(gru.Params(q.W, q.U, q.b), x, h_prev)[0].h
    assert np.shape(got) == (N, H), f"The shape is {np.shape(got)}, wanted (N, H) = {(N, H)}."
    assert abs(got - before).max() > 1e-9, "This is the form with the reset before the product."
    no_bias = gru_after.step(q._replace(b_U=np.zeros(H)), x, h_prev)[0].h
    assert abs(got - no_bias).max() > 1e-9, "b_U is missing."
    moved = q._replace(b=q.b + np.r_[np.zeros(2 * H), q.b_U], b_U=np.zeros(H))
    outside = gru_after.step(moved, x, h_prev)[0].h
    assert abs(got - outside).max() > 1e-9, "b_U stands outside the reset gate: r must scale it, too."
    assert abs(got - wanted).max() < 1e-10, f"The largest error is {abs(got - wanted).max():.3g}."

# %% [markdown]
r"""
## Three cells learn to remember

Now *trained*, not set by hand. Twenty steps of random values; at one random step a flag is up; after the
last step the model must say the value that stood under the flag. The same training for all three cells:
Adam, 300 steps, batches of 32.
"""

# %%
T, H = 20, 12

def batch(r, N):
    """xs (T, N, 2): value and flag; the answer (N, 1)."""
    value, at = r.uniform(-1, 1, (T, N)), r.integers(0, T, N)
    flag = (np.arange(T)[:, None] == at).astype(float)
    return np.stack([value, flag], axis=2), value[at, np.arange(N)][:, None]

def run(cell, p, xs, answer):
    """Mean squared error, and the gradient for (cell, readout)."""
    real = np.ones(xs.shape[:2], bool)
    hs, last, ks = unroll.forward(cell, p[0], xs, recurrent.zero_state(cell, p[0], xs.shape[1]), real)
    error = linear.forward(p[1], last.h) - answer
    dh, g_out = linear.backward(p[1], last.h, 2 * error / len(error))
    _, _, g = unroll.backward(cell, p[0], ks, np.zeros(hs.shape), tree.zeros_like(last)._replace(h=dh), real)
    return (error ** 2).mean(), (g, g_out), ks

trained, scores = {}, {}
for name in ("rnn", "gru", "lstm"):
    r, cell = np.random.default_rng(1), CELLS[name]
    q = (cell.init(r, 2, H), linear.init(r, H, 1))
    state = optimizers.start(q)
    for _ in range(300):
        _, g, _ = run(cell, q, *batch(r, 32))
        q, state = optimizers.adam(q, optimizers.clip_by_norm(g, 1.0)[0], state, lr=0.02)
    test = batch(np.random.default_rng(99), 200)
    trained[name], scores[name] = q, run(cell, q, *test)[0]
guess = (test[1] ** 2).mean()
print(f"always saying 0: error {guess:.3f}")
for name, score in scores.items():
    weights = sum(a.size for a in trained[name][0])
    print(f"{name:5} {weights:5d} weights in the cell; error on unseen sequences {score:.4f}")
assert scores["gru"] < 0.2 * guess and scores["gru"] < scores["rnn"]

# %%
xs, answer = batch(np.random.default_rng(5), 200)
_, _, ks = run(gru, trained["gru"], xs, answer)
z, flagged = np.stack([k.z for k in ks]), xs[:, :, 1] == 1              # (T, N, H), (T, N)
opens = z[flagged].mean(axis=0) - z[~flagged].mean(axis=0)              # for each unit
order = np.argsort(-opens)
example = int(flagged[12].argmax())                                     # one whose flag is up at step 12
with picture("Left: heat map of the trained GRU's update gate, 12 units over 20 steps, "
             "sorted, with a line at the flagged step. The first units are shut before "
             "and after and open there. Right: weights per cell against the state's size: "
             "the LSTM has four blocks, the GRU three, the RNN one.",
             8.5, 2.9, columns=2) as (left, right):
    image = left.imshow(z[:, example, order].T, aspect="auto", vmin=0, vmax=1)
    left.axvline(12, color="white", ls=":")
    left.set(xlabel="step t", ylabel="unit, sorted", title="update gate z")
    left.grid(False)
    left.figure.colorbar(image, ax=left)
    sizes = np.arange(16, 513, 16)
    for name, dashes in (("rnn", "-"), ("gru", "--"), ("lstm", "-.")):
        blocks = {"rnn": 1, "gru": 3, "lstm": 4}[name]
        right.plot(sizes, blocks * (sizes * (64 + sizes) + sizes) / 1000, dashes, label=name)
    right.set(xlabel="H, for D = 64", ylabel="thousand weights")
    right.legend()
u = order[0]
at_flag, elsewhere = z[flagged][:, u].mean(), z[~flagged][:, u].mean()
print(f"unit {u}: update gate {at_flag:.2f} at the flag, {elsewhere:.2f} elsewhere")
counts = {name: sum(a.size for a in CELLS[name].init(rng, 64, 512)) for name in ("rnn", "gru", "lstm")}
print("weights for D = 64, H = 512:", counts, f"GRU / LSTM = {counts['gru'] / counts['lstm']:.2f}")
assert opens[u] > 0.3
assert counts["gru"] * 4 == counts["lstm"] * 3

# %% [markdown]
r"""
Nobody told it to open the gate at the flag: it found out. And it does so with three quarters of an LSTM's
weights and multiplications. (Document C says the GRU is cheaper "by merging gates": true, by that quarter.
In seconds: run `%timeit run(gru, trained["gru"], *test)` and the same for `lstm`.)

## The step backward

$h'$ is used three times: kept by $1-z$, scaled by $r$, read by both gates. **Three paths, three terms:**

$$dh' = dh \odot (1-z) \;+\; dq \odot r \;+\; da_{zr}\,U_{zr}^\top$$

$q = r \odot h'$ is what the candidate reads, $dq = da_n U_n^\top$; $da_{zr}$ are the two gates' sums,
$da_n$ the candidate's.

How wrong is it to forget one?
"""

# %%
s = gru.State(rng.normal(size=(N, 6)))
x = rng.normal(size=(N, 3))
_, k = gru.step(p, x, s)
d = rng.normal(size=(N, 6))
truth = gradient_check.complex_step(lambda h: (gru.step(p, x, gru.State(h))[0].h * d).sum(), s.h)
da_n = d * k.z * (1 - k.n ** 2)
dq = da_n @ p.U[:, 12:].T
da_zr = np.concatenate([d * (k.n - k.h_prev) * k.z * (1 - k.z), dq * k.h_prev * k.r * (1 - k.r)], axis=1)
paths = {"kept": d * (1 - k.z), "through the candidate": dq * k.r, "through the gates": da_zr @ p.U[:, :12].T}
total = sum(paths.values())
print(f"all three: error {gradient_check.worst_error(total, truth)[0]:.0e}")
for name, path in paths.items():
    print(f"without the path {name:22} {gradient_check.worst_error(total - path, truth)[0]:.2f}")
assert gradient_check.worst_error(total, truth)[0] < 1e-12
assert min(gradient_check.worst_error(total - path, truth)[0] for path in paths.values()) > 0.05

# %% [markdown]
r"""
### Exercise 3: write it
"""

# %% exercise="gru-step-backward"
def gru_step_backward(x, h_prev, z, r, n, W, U, dh):
    """-> dx, dh_prev, dW (D, 3H), dU (H, 3H), db (3H,); blocks z, r, n."""
    ### BEGIN SOLUTION
    H = h_prev.shape[1]
    U_zr, U_n = U[:, :2 * H], U[:, 2 * H:]
    da_n = dh * z * (1 - n ** 2)
    dq = da_n @ U_n.T
    da_zr = np.concatenate([dh * (n - h_prev) * z * (1 - z), dq * h_prev * r * (1 - r)], axis=1)
    da = np.concatenate([da_zr, da_n], axis=1)
    dh_prev = dh * (1 - z) + dq * r + da_zr @ U_zr.T
    dU = np.concatenate([h_prev.T @ da_zr, (r * h_prev).T @ da_n], axis=1)
    return da @ W.T, dh_prev, x.T @ da, dU, da.sum(axis=0)
    ### END SOLUTION

# %% check="gru-step-backward" points=3
judge("gru-step-backward", gru_step_backward)

# %% [markdown]
r"""
## What is missing

You have every cell, forward and backward. So far a sequence came in and *one* answer went out. **Notebook
9** puts two of them together: one reads, the other writes, and what is written may be longer or shorter
than what was read.
"""
