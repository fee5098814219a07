# %% [markdown]
r"""
# 7 · The LSTM: three gates, two carries

*Reading 20 minutes, exercises 40 minutes.*

Document B (§4.2) prints the equations of an LSTM. Type them in, start from zero states and zero biases, and
let it read: anything, as loud as you like.
"""

# %%
import numpy as np

from minis2s.core import functions, gradient_check, tree
from minis2s.layers import recurrent, unroll
from minis2s.training import optimizers
from minis2s.layers.cells import lstm, rnn
from minis2s.classroom.notebooks import attempt, compare, judge, picture
from minis2s.documents.printed import b as printed_b

rng = np.random.default_rng(0)
N, D, H = 4, 3, 6
p = lstm.init(rng, D, H)
as_printed = printed_b.EncoderParams(printed_b.without_g(p.W), p.U, np.zeros(4 * H))

s, q = lstm.State(np.zeros((N, H)), np.zeros((N, H))), printed_b.State(np.zeros((N, H)), np.zeros((N, H)))
for t in range(100):
    x = 10 * rng.normal(size=(N, D))
    s, _ = lstm.step(p, x, s)
    q, _ = printed_b.encoder_step(as_printed, x, q)
print(f"after 100 steps: largest |h| as intended {abs(s.h).max():.3f}, as printed {abs(q.h).max()}")
assert abs(q.h).max() == 0 and abs(q.c).max() == 0 and abs(s.h).max() > 0.1

# %% [markdown]
r"""
Exactly zero: it is blind. The printed line for the memory is $c_t = f_t \odot c_{t-1} + i_t \odot
\tanh(W_{ic} h_{t-1} + b_c)$: what is to be written, the tanh, does not contain $x_t$. Words reach only the
gates, and a gate over nothing is nothing. Here is what is meant, as document C (§3.1) has it:

$$a = x_t W + h_{t-1} U + b \qquad i, f, o = \sigma(a_i), \sigma(a_f), \sigma(a_o) \qquad g = \tanh(a_g)$$

$$c_t = f \odot c_{t-1} + i \odot g \qquad\qquad h_t = o \odot \tanh(c_t)$$

| letter | name | it says |
|---|---|---|
| $c_t$ | cell state, $(N, H)$ | the memory |
| $g$ | candidate | what could be written, between $-1$ and $1$ |
| $i$ | input gate | how much of it is written |
| $f$ | forget gate | how much of the old memory stays |
| $o$ | output gate | how much of the memory is shown as $h_t$ |

$\sigma(a) = 1 / (1 + e^{-a})$ lies between 0 and 1. $a$ has four blocks of $H$ columns side by side, in the
order $i, f, g, o$, so $W$ is $(D, 4H)$ and one product serves all four.

Two slips stand in C as well. It calls $i$ *and* $g$ "input gate"; $g$ is no gate, it may be negative. And
it prints $h_t$ *above* $c_t$. Who types the lines in the printed order gets this:
"""

# %%
def step_in_printed_order(p, x, s):
    a_i, a_f, a_g, a_o = np.split(x @ p.W + s.h @ p.U + p.b, 4, axis=1)
    h = functions.sigmoid(a_o) * np.tanh(s.c)                               # c is still that of step t-1
    c = functions.sigmoid(a_f) * s.c + functions.sigmoid(a_i) * np.tanh(a_g)
    return lstm.State(h, c)

fresh = lstm.State(np.zeros((N, H)), np.zeros((N, H)))
right, late = lstm.step(p, x, fresh)[0], step_in_printed_order(p, x, fresh)
print(f"first step: |h| {abs(right.h).max():.3f}; in the printed order {abs(late.h).max():.3f}, too late")
assert abs(late.h).max() == 0 and abs(right.h).max() > 0.1

# %% [markdown]
r"""
## A memory built by hand

One unit, two inputs: a value, and a flag that says "write now". We want: flag 1, replace the memory; flag
0, keep it, whatever the values are.
"""

# %%
T = 40
value, flag = 0.8 * rng.uniform(-1, 1, T), np.zeros(T)
flag[[5, 25]], value[[5, 25]] = 1, (0.7, -0.4)
W = np.array([[0, 0, 1, 0],                             # the value goes to g only
              [20, -20, 0, 0.0]])                       # the flag opens i and shuts f
hand = lstm.Params(W, np.zeros((1, 4)), np.array([-10, 10, 0, 10.0]))
_, last, caches = unroll.forward(lstm, hand, np.stack([value, flag], axis=1)[:, None],
                                 lstm.State(np.zeros((1, 1)), np.zeros((1, 1))), np.ones((T, 1), bool))
traces = {name: np.array([getattr(k, name)[0, 0] for k in caches]) for name in ("i", "f", "g")}
memory = np.array([k.c_prev[0, 0] for k in caches[1:]] + [last.c[0, 0]])

with picture("Traces over 40 steps. The input gate is 1 at steps 5 and 25 only, the "
             "forget gate is 1 except there. The candidate jumps about. The memory is 0, "
             "then takes the candidate's value at step 5 and holds it flat, then the "
             "value of step 25.", 7.5, 4, rows=2, sharex=True) as (above, below):
    above.step(range(T), traces["i"], where="mid", label="input gate i")
    above.step(range(T), traces["f"], "--", where="mid", label="forget gate f")
    above.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    below.plot(traces["g"], ":", marker=".", color="0.5", label="candidate g")
    below.plot(memory, label="memory c")
    below.set(xlabel="step t")
    below.legend(loc="center left", bbox_to_anchor=(1, 0.5))

drift = abs(memory[24] - np.tanh(value[5]))
print(f"written at step 5: {np.tanh(value[5]):.5f}; still there at step 24: {memory[24]:.5f}")
assert drift < 0.005 and abs(memory[-1] - np.tanh(value[25])) < 0.005

# %% [markdown]
r"""
### Exercise 1: one step
"""

# %% exercise="lstm-step"
def lstm_step(x, h_prev, c_prev, W, U, b):
    """x (N, D), h_prev, c_prev (N, H), W (D, 4H), U (H, 4H), b (4H,), blocks i, f, g, o -> h, c."""
    ### BEGIN SOLUTION
    a_i, a_f, a_g, a_o = np.split(x @ W + h_prev @ U + b, 4, axis=1)
    i, f, o = (0.5 * (1 + np.tanh(0.5 * a)) for a in (a_i, a_f, a_o))
    c = f * c_prev + i * np.tanh(a_g)
    return o * np.tanh(c), c
    ### END SOLUTION

# %% check="lstm-step"
judge("lstm-step", lstm_step)

# %% [markdown]
r"""
## Why the gradient survives

Two carries go from step to step, $h$ and $c$. Backward, along $c$:

$$dc_{t-1} = dc_t \odot f$$

No matrix, no tanh: a plain product with a number near 1 (plus what comes by way of $h$). Compare an RNN,
where each step multiplies by $(1 - h^2)$ *and* $U^\top$.

Predict before you measure: with a forget bias of 3, $f$ is about $\sigma(3) = 0.95$. How much of the gradient
is left after 100 steps back: which power of ten? (−2 means a hundredth.)
"""

# %%
my_guess = None                                          # your number in place of None

# %%
def flow(cell, p, xs):
    """|gradient of the state| at t = 0 ... T, 1 at T."""
    T, N = xs.shape[:2]
    _, last, ks = unroll.forward(cell, p, xs, recurrent.zero_state(cell, p, N), np.ones((T, N), bool))
    d = tree.zeros_like(last)._replace(h=np.random.default_rng(1).normal(size=last.h.shape))
    sizes = [optimizers.norm(d)]
    for k in reversed(ks):
        _, d, _ = cell.step_backward(p, k, d)
        sizes.append(optimizers.norm(d))
    return np.array(sizes[::-1]) / sizes[0]

def with_forget_bias(p, bias):
    b = p.b.copy()
    H = len(b) // 4
    b[H:2 * H] = bias
    return p._replace(b=b)

big, long = lstm.init(rng, D, 32), rng.normal(size=(100, N, D))
curves = {"RNN": flow(rnn, rnn.init(rng, D, 32), long)}
for bias in (0, 1, 3):
    curves[f"LSTM, forget bias {bias}"] = flow(lstm, with_forget_bias(big, bias), long)
with picture("Size of the gradient over 100 steps back, logarithmic. The LSTM with forget "
             "bias 0 falls fastest, then the RNN; with bias 1 it falls slowly, with bias "
             "3 not at all.",
             7, 2.8) as axes:
    for (name, sizes), dashes in zip(curves.items(), ("-", ":", "--", "-.")):
        axes.semilogy(sizes, dashes, label=name)
    axes.set(xlabel="step t", ylabel="$|d_t|\\, /\\, |d_T|$")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
for name, sizes in curves.items():
    print(f"{name:20} {sizes[0]:.1e} of the gradient comes back 100 steps")
compare("power of ten, forget bias 3", my_guess, np.log10(curves["LSTM, forget bias 3"][0]))
assert curves["LSTM, forget bias 3"][0] > 1e3 * curves["LSTM, forget bias 1"][0] > 1e3 * curves["RNN"][0]

# %% [markdown]
r"""
The form alone is not enough: with bias 0 the forget gate starts at $\sigma(0) = 0.5$, and half the memory
goes at each step. This is why `lstm.init` sets that bias to 1.

### Exercise 2: the bias for a memory of $k$ steps

At the start all weights are small, so $f \approx \sigma(b)$. Which bias $b$ keeps exactly *half* of $c$
after $k$ steps?
"""

# %% exercise="forget-bias"
def forget_bias(k):
    """-> b such that half of the memory is left after k steps."""
    ### BEGIN SOLUTION
    f = 0.5 ** (1 / k)
    return np.log(f / (1 - f))
    ### END SOLUTION

# %% check="forget-bias"
with attempt("forget-bias"):
    for k in (1, 5, 100):
        bare = with_forget_bias(tree.zeros_like(p), forget_bias(k))
        full = lstm.State(np.zeros((N, H)), np.ones((N, H)))
        left = unroll.forward(lstm, bare, np.zeros((k, N, D)), full, np.ones((k, N), bool))[1].c[0, 0]
        assert abs(left - 0.5) < 1e-9, f"k = {k}: after {k} steps {left:.4f} of the memory is left."

# %% [markdown]
r"""
## The step backward

Read the forward lines from the last to the first. One **fork**: $c_t$ goes into $h_t$ *and* on to step
$t+1$, so its gradient is a sum:

$$dc = dc_{\text{from } t+1} + dh \odot o \odot (1 - \tanh^2 c_t)$$

Then each product hands each factor the other one: $df = dc \odot c_{t-1}$, $dc_{t-1} = dc \odot f$, $di =
dc \odot g$, $dg = dc \odot i$, $do = dh \odot \tanh c_t$. Then through the squashing functions: $k(1-k)$
for gates, $1-g^2$ for the candidate. Side by side they are $da$ $(N, 4H)$, and from there all is as in the
RNN.

Both terms of $dc$ count. Drop one of them:
"""

# %%
s = lstm.State(rng.normal(size=(N, H)), rng.normal(size=(N, H)))
_, k = lstm.step(p, x / 10, s)
d = lstm.State(rng.normal(size=(N, H)), rng.normal(size=(N, H)))

def read_out(W):
    new, _ = lstm.step(p._replace(W=W), x / 10, s)
    return (new.h * d.h).sum() + (new.c * d.c).sum()

truth, errors = gradient_check.complex_step(read_out, p.W), []
ways = {"both": d, "h alone": d._replace(c=0 * d.c), "the carry alone": d._replace(h=0 * d.h)}
for name, part in ways.items():
    errors.append(gradient_check.worst_error(lstm.step_backward(p, k, part)[2].W, truth)[0])
    print(f"dc from {name:16} error of dW {errors[-1]:.0e}")
assert errors[0] < 1e-12 and min(errors[1:]) > 0.05

# %% [markdown]
r"""
### Exercise 3: write it

The forward step hands you its gates. (Gate order, $c_t$ for $c_{t-1}$ in $df$, $c$ for $\tanh c$ in $do$:
all known to the checker.)
"""

# %% exercise="lstm-step-backward"
def lstm_step_backward(x, h_prev, c_prev, i, f, g, o, c, W, U, dh, dc):
    """-> dx, dh_prev, dc_prev, dW (D, 4H), dU (H, 4H), db (4H,); dc is what step t+1 sends back."""
    ### BEGIN SOLUTION
    tanh_c = np.tanh(c)
    dc = dc + dh * o * (1 - tanh_c ** 2)
    da = np.concatenate([dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g ** 2),
                         dh * tanh_c * o * (1 - o)], axis=1)
    return da @ W.T, da @ U.T, dc * f, x.T @ da, h_prev.T @ da, da.sum(axis=0)
    ### END SOLUTION

# %% check="lstm-step-backward" points=3
judge("lstm-step-backward", lstm_step_backward)

# %% [markdown]
r"""
## What is missing

Four blocks of weights, two states. Can it be had for less? The GRU makes do with three blocks and one
state. Document C prints it with a gate in the wrong place, and told to rewrite its memory it can't:
**notebook 8**.
"""
