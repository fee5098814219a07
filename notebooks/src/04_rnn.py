# %% [markdown]
r"""
# 4 · The recurrent network, forward

*Reading 15 minutes, exercises 25 minutes.*

Here is a memory made of two numbers: one unit ($H = 1$), one input ($D = 1$), the weights $w = 3$ and $u =
3$ set by hand, no bias.

$$h_t = \tanh(w\, x_t + u\, h_{t-1})$$

It reads $+1$ or $-1$ once, and then fifty zeros. Does it still know which one it was?
"""

# %%
import numpy as np

from minis2s.core import functions
from minis2s.layers import unroll
from minis2s.layers.cells import rnn
from minis2s.layers.cells import rnn_sigmoid
from minis2s.classroom.notebooks import attempt, compare, judge, picture

def run(cell, w, u, b, first, silence=50):
    """h_0 ... h_T of a one-unit RNN that reads `first` and then zeros: (T+1, number of `first`s)."""
    xs = np.zeros((silence + 1, len(first), 1))
    xs[0, :, 0] = first
    p = rnn.Params(np.array([[w]]), np.array([[u]]), np.array([b]))
    hs, _, _ = unroll.forward(cell, p, xs, rnn.State(np.zeros((len(first), 1))), np.ones(xs.shape[:2], bool))
    return hs[:, :, 0]

tanh = run(rnn, 3.0, 3.0, 0.0, [1.0, -1.0])
print(f"after fifty steps of silence: {tanh[-1, 0]:+.4f} and {tanh[-1, 1]:+.4f}")
assert tanh[-1, 0] > 0.99 and tanh[-1, 1] < -0.99

# %% [markdown]
r"""
It does. $h = 0.995$ is a state that reproduces itself: $\tanh(3 \cdot 0.995) \approx 0.995$.

## As printed in document A

Document A (§4.1) writes its encoder with a sigmoid and without a bias, and with one matrix for both inputs:

$$h_t = \sigma(W_e\,[x_t; h_{t-1}]) \qquad \sigma(a) = \frac{1}{1 + e^{-a}}$$

$[x_t; h_{t-1}]$ is one vector behind the other. That part is only notation: cut $W_e$ into the rows that
meet $x$ and those that meet $h$, and there are our $W$ and $U$.
"""

# %%
rng = np.random.default_rng(0)
N, D, H = 4, 3, 6
W_e, x, h_prev = rng.normal(size=(D + H, H)), rng.normal(size=(N, D)), rng.normal(size=(N, H))
in_one = functions.sigmoid(np.concatenate([x, h_prev], axis=1) @ W_e)
in_two = rnn_sigmoid.step(rnn.Params(W_e[:D], W_e[D:], np.zeros(H)), x, rnn.State(h_prev))[0].h
print(f"[x; h] W_e against x W + h U: {abs(in_one - in_two).max():.1e}")
assert abs(in_one - in_two).max() < 1e-15

# %% [markdown]
r"""
The other part is no notation. Try to build the same memory with it: every pair of weights $w, u$ between
$-20$ and $20$. How far apart are the two histories, $+1$ and $-1$, after fifty zeros?
"""

# %%
grid = np.linspace(-20, 20, 41)

def apart(cell, bias):
    """The distance |h(+1) - h(-1)| after fifty zeros for the best w, at each u; b = bias * u."""
    def distance(w, u):
        return abs(np.subtract(*run(cell, w, u, bias * u, [1.0, -1.0])[-1]))
    return np.array([max(distance(w, u) for w in grid[::8]) for u in grid])

curves = {"tanh, b = 0": apart(rnn, 0), "sigmoid, b = 0, as printed": apart(rnn_sigmoid, 0),
          "sigmoid, b = -u/2": apart(rnn_sigmoid, -0.5)}
with picture("Distance of the two states after fifty zeros against the recurrent weight "
             "u. Tanh keeps the bit for u above 1 and below -1. The sigmoid without a "
             "bias forgets for every u above -6. With a bias of -u/2 it remembers from u "
             "= 5 on, and below -5.", 7, 2.8) as axes:
    for (name, values), dashes in zip(curves.items(), ("-", "--", "-.")):
        axes.plot(grid, values, dashes, label=name)
    axes.set(xlabel="recurrent weight u", ylabel="distance")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))

for name, values in curves.items():
    print(f"{name:28} best distance for u > 0: {values[grid > 0].max():.4f}")
quiet = run(rnn_sigmoid, 1.0, 1.0, 0.0, [0.0])[:, 0]
print(f"as printed, nothing read at all: h_1 = {quiet[0]}, and h comes to rest at {quiet[-1]:.3f}")
assert quiet[0] == 0.5
assert curves["sigmoid, b = 0, as printed"][grid > 0].max() < 1e-6
assert curves["sigmoid, b = -u/2"][grid > 0].max() > 0.9 and curves["tanh, b = 0"][grid > 0].max() > 1.9

# %% [markdown]
r"""
For no positive $u$ does the printed unit keep the bit. The reason fits on a line: for $h > 0$ the curve
$\sigma(u h)$ meets the line $h$ exactly once, so there is only *one* state to come to rest in, whatever was
read. A bias moves the curve, and two resting states appear. (With a very negative $u$ it flips to and fro
every step, and may keep the bit in its beat.) And with nothing to read, the unit goes from 0 to $\sigma(0)
= 0.5$ at once: it cannot even be silent.

**The bias is not decoration.** From here on the cell is (R1), (R2) with tanh and $b$; A4.1 stays available
as `"rnn-sigmoid"`.

### Exercise 1: one step

$x$ and $h_{t-1}$ are batches: rows are examples.
"""

# %% exercise="rnn-step"
def rnn_step(x, h_prev, W, U, b):
    """x (N, D), h_prev (N, H), W (D, H), U (H, H), b (H,) -> h (N, H)."""
    ### BEGIN SOLUTION
    return np.tanh(x @ W + h_prev @ U + b)
    ### END SOLUTION

# %% check="rnn-step"
judge("rnn-step", rnn_step)

# %% [markdown]
r"""
## The same weights at every step

Documents C and D write the whole encoder as $h_t = \mathrm{RNN}(h_{t-1}, x_t)$: one function, used $T$
times. Unrolled, it is a deep network with $T$ layers that share $W$, $U$ and $b$.

Predict before you count: with $D = 64$ and $H = 128$, how many numbers do $W$, $U$ and $b$ hold together?
"""

# %%
my_guess = None                                          # your number in place of None

# %%
with picture("The unrolled network. Inputs x1 to x4 each lead up through W into states h1 "
             "to h4; each state leads to the next through U, beginning with h0.", 7, 2.3) as axes:
    arrow = dict(arrowstyle="->", color="0.3", lw=1.4)
    for t in range(5):
        axes.text(2 * t, 1, f"$h_{t}$", ha="center", va="center", size=12,
                  bbox=dict(boxstyle="circle,pad=0.4", fc="#cfe3f3" if t else "white", ec="0.4"))
        if t:
            axes.text(2 * t, -0.7, f"$x_{t}$", ha="center", va="center", size=12)
            axes.annotate("", (2 * t, 0.5), (2 * t, -0.4), arrowprops=arrow)
            axes.annotate("", (2 * t - 0.45, 1), (2 * t - 1.55, 1), arrowprops=arrow)
            axes.text(2 * t - 1, 1.15, "$U$", ha="center")
            axes.text(2 * t + 0.12, 0, "$W$")
    axes.set(xlim=(-0.8, 8.8), ylim=(-1.1, 1.8))
    axes.axis("off")

shared = sum(a.size for a in rnn.init(rng, 64, 128))
unshared = 50 * shared
compare("number of weights", my_guess, shared)
print(f"D = 64, H = 128: {shared:,} weights for any number of steps; not shared, 50 steps have {unshared:,}")
assert shared == 64 * 128 + 128 * 128 + 128

# %% [markdown]
r"""
## Ragged batches

Three sentences of 12, 7 and 3 words. What stands behind the short ones is garbage, and the loop must not
read it. The rule is called (M1) in `minis2s/layers/unroll.py`: at padding the state is carried unchanged.
"""

# %%
T, lengths = 12, np.array([12, 7, 3])
mask = np.arange(T)[:, None] < lengths
p, xs = rnn.init(rng, 3, 8), rng.normal(size=(T, 3, 3))
zero = rnn.State(np.zeros((3, 8)))
hs, last, _ = unroll.forward(rnn, p, xs, zero, mask)
through, _, _ = unroll.forward(rnn, p, xs, zero, np.ones_like(mask))    # reads the garbage, too

with picture("Heat maps of eight units over twelve steps for sentences of 12, 7 and 3 "
             "words. After the last word, shown by a line, the state stays as it is to "
             "the end.",
             8, 2.5, columns=3, sharey=True) as panels:
    for n, axes in enumerate(panels):
        axes.imshow(hs[:, n].T, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
        axes.axvline(lengths[n] - 0.5, color="black")
        axes.set(xlabel="step t", title=f"{lengths[n]} words")
        axes.grid(False)
    panels[0].set_ylabel("unit of $h_t$")

spoilt = abs(through[-1] - last.h).max(axis=1)
print("error of hs[-1] if padding is read:", spoilt.round(3), "for lengths", lengths)
assert spoilt[0] == 0 and spoilt[1:].min() > 0.1
assert all((hs[-1, n] == hs[length - 1, n]).all() for n, length in enumerate(lengths))

# %% [markdown]
r"""
Two habits follow. Use (M1), and `hs[-1]` *is* the final state of everyone. Or let the loop run through, and
pick for each sentence the state at its own length.

### Exercise 2: pick the final state

`hs` comes from a loop that read the padding. Return the state after each sentence's own last word.
"""

# %% exercise="final-state"
def final_state(hs, mask):
    """hs (T, N, H), mask (T, N), True = real, padding at the end -> h (N, H)."""
    ### BEGIN SOLUTION
    last = mask.sum(axis=0) - 1
    return hs[last, np.arange(hs.shape[1])]
    ### END SOLUTION

# %% check="final-state"
judge("final-state", final_state)

# %% [markdown]
r"""
### Exercise 3: whole sequences, batch after batch

The loop, the mask, and a trap: the last batch is usually smaller, and every batch starts from $h_0 = 0$.
`batches` is a list of pairs `xs, mask`; return all examples' final states, below one another.
"""

# %% exercise="rnn-batches"
def rnn_batches(W, U, b, batches):
    """W (D, H), U (H, H), b (H,), list of (xs (T, N, D), mask (T, N)) -> h (all N together, H)."""
    ### BEGIN SOLUTION
    finals = []
    for xs, mask in batches:
        h = np.zeros((xs.shape[1], U.shape[0]))
        for x, m in zip(xs, mask):
            new = np.tanh(x @ W + h @ U + b)
            h = np.where(m[:, None], new, h)
        finals.append(h)
    return np.concatenate(finals)
    ### END SOLUTION

# %% check="rnn-batches" points=2
judge("rnn-batches", rnn_batches)

# %% [markdown]
r"""
## What is missing

We set two weights by hand. To *learn* them, we must know how the loss at step 50 changes when $U$ changes,
and $U$ was used fifty times. The answer is a single line, walked backward in time: **notebook 5**.
"""
