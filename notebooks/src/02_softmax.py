# %% [markdown]
r"""
# 2 · How wrong is a model? Softmax, cross-entropy, masks

*Reading 15 minutes, exercises 25 minutes.*

Before each word a model gives every word of its vocabulary a score. Softmax makes probabilities of the
scores:

$$p_v = \frac{e^{a_v}}{\sum_{w=1}^{V} e^{a_w}}$$

$a_v$ is the score (the **logit**) of word $v$, $V$ the number of words. Here is the formula typed as it
stands, and the library's function, on ordinary logits and on the same ones raised by 1000.
"""

# %%
import warnings

import numpy as np

from minis2s.core import functions
from minis2s.layers import loss
from minis2s.core.gradient_check import complex_step, worst_error
from minis2s.classroom.notebooks import attempt, compare, judge, picture

warnings.simplefilter("ignore", RuntimeWarning)         # we are going to overflow on purpose

def as_it_stands(a):
    return np.exp(a) / np.exp(a).sum()

a = np.array([2.0, 1.0, -1.0])
for raised in (0, 1000, -1000):
    printed, library = as_it_stands(a + raised), functions.softmax(a + raised)
    print(f"{raised:+5d}:  as it stands {printed.round(4)}   library {library.round(4)}")
    assert abs(library - functions.softmax(a)).max() < 1e-12

last = max(x for x in range(1000) if np.isfinite(np.exp(float(x))))
last32 = max(x for x in range(1000) if np.isfinite(np.exp(np.float32(x))))
print(f"last whole number with a finite exp: {last} in float64, {last32} in float32")
assert np.isnan(as_it_stands(a + 1000)).all()
assert (last, last32) == (709, 88)

# %% [markdown]
r"""
In float32 a logit of 89 is enough; then the loss is `nan`, so is every gradient, and after one update every
weight. The cure costs one subtraction. Multiply above and below by $e^{-m}$:

$$p_v = \frac{e^{a_v - m}}{\sum_w e^{a_w - m}} \qquad\text{for any } m \text{; take } m = \max_w a_w.$$

Now the largest exponent is $e^0 = 1$: nothing overflows, and the sum is at least 1.

### Exercise 1: a softmax that survives

Write it for a batch: a row for each example. Watch the axis.
"""

# %% exercise="softmax"
def softmax(a):
    """a (N, V): scores of any size -> p (N, V): each row sums to 1."""
    ### BEGIN SOLUTION
    e = np.exp(a - a.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
    ### END SOLUTION

# %% check="softmax"
judge("softmax", softmax)

# %% [markdown]
r"""
## A slip with a price: softmax of a softmax

Document A (§4.2) writes $y_t = \mathrm{softmax}(\hat y_t)$ and calls $\hat y_t$ "the predicted probability
distribution". In §4.4 it then prints $\hat y_1 = \mathrm{softmax}(\hat y_1)$. So one name stands for the
scores *and* for what softmax makes of them. Follow it to the letter and softmax runs twice. How sure can
such a model ever be?
"""

# %%
print("words   best p possible   least loss, -log p")
for V in (2, 10, 1000):
    certain = np.eye(V)[0]                              # the first softmax is perfectly sure of word 0
    p = functions.softmax(certain)[0]
    print(f"{V:5d} {p:14.4f} {-np.log(p):18.3f}")
    assert abs(p - np.e / (np.e + V - 1)) < 1e-12
assert functions.softmax(np.eye(2)[0])[0] < 0.74

# %% [markdown]
r"""
With two words it can be 73% sure at most; with a thousand words 0.27%, although it *knows* the answer. No
error is raised, the loss falls a little and stays. If a loss will not go below a floor such as these, look
for a second softmax.

(In the same example $\mathrm{argmax}[0.2, 0.8]$ is "Hello", and $\mathrm{argmax}[0.8, 0.2]$ is "World": two
orders of one vocabulary. Keep ids, not positions in your head.)

## Cross-entropy

The loss of one token is $-\log p_y$, where $y$ is the right word: 0 if the model was sure of it, $\log V$
if it guessed evenly. Document B (§4.1) writes $-\sum_v y_v \log p_v$ with a one-hot vector $y$ (1 at the
right word, else 0); document E (§3.3) writes $-\log p(y)$. They are the same number, but the first adds up
$V$ products of which $V - 1$ are zero.
"""

# %%
rng = np.random.default_rng(0)
S, N, V = 5, 4, 9                                       # S target steps, N examples, V words
logits, targets = rng.normal(size=(S, N, V)) * 2, rng.integers(4, V, (S, N))
real = np.ones((S, N), dtype=bool)

one_hot = loss.forward(logits, np.eye(V)[targets], real)[0]
by_id = loss.forward(logits, targets, real)[0]
even = loss.forward(np.zeros((S, N, V)), targets, real)[0]
print(f"one-hot {one_hot:.12f}   ids {by_id:.12f}   even guess {even:.4f} = log 9")
assert abs(one_hot - by_id) < 1e-14 and abs(even - np.log(9)) < 1e-14

# %%
scores = np.linspace(-800, -690, 400)
pair = np.stack([scores, np.zeros_like(scores)], axis=1)                # the right word's logit against a 0
stable = -functions.log_softmax(pair)[:, 0]
in_two_steps = -np.log(functions.softmax(pair)[:, 0])
near = np.linspace(-6, 6, 200)
near_pair = np.stack([near, np.zeros_like(near)], axis=1)

with picture("Left: the loss falls along a straight line as the right word's logit rises "
             "to 0, then is flat. Its gradient p - 1 goes from -1 to 0. Right: log of "
             "softmax is missing below -745, where log-softmax goes on as a straight "
             "line.", 7.5, 2.7,
             columns=2) as (left, right):
    left.plot(near, -functions.log_softmax(near_pair)[:, 0], label="loss")
    left.plot(near, functions.softmax(near_pair)[:, 0] - 1, "--", label="gradient $p - 1$")
    left.set(xlabel="logit of the right word", ylabel="nats")
    left.legend()
    right.plot(scores, stable, label="log-softmax in one step")
    right.plot(scores, in_two_steps, "--", lw=4, alpha=0.6, label="log of softmax")
    right.set(xlabel="logit of the right word")
    right.legend()

lost = scores[~np.isfinite(in_two_steps)]
print(f"log of softmax is infinite for {len(lost)} of 400 logits, up to {lost.max():.0f}; "
      f"log-softmax for {(~np.isfinite(stable)).sum()}")
assert lost.max() < -740 and np.isfinite(stable).all()

# %% [markdown]
r"""
So the loss is computed from the logits, never from the probabilities: $\log p_v = a_v - m - \log\sum_w
e^{a_w - m}$.

The gradient is the most pleasant one in the whole course. With $y$ one-hot:

$$\frac{\partial L}{\partial a_v} = p_v - y_v$$

Too much probability pushes a logit down, too little pushes it up, and the pushes add up to zero. Is it
true? The complex step (notebook 3) differentiates without knowing any formula.
"""

# %%
value, cache = loss.forward(logits, targets, real)
dlogits = loss.backward(cache)
truth = complex_step(lambda l: loss.forward(l, targets, real)[0], logits)
by_formula = (functions.softmax(logits) - np.eye(V)[targets]) / real.sum()
print(f"library {worst_error(dlogits, truth)[0]:.1e}, (p - y) / M {worst_error(by_formula, truth)[0]:.1e}, "
      f"largest row sum {abs(dlogits.sum(axis=2)).max():.1e}")
assert worst_error(dlogits, truth)[0] < 1e-13 and worst_error(by_formula, truth)[0] < 1e-13

# %% [markdown]
r"""
## Padding, the silent cheat

Sentences of different length share a batch, so the short ones are filled up with a token `PAD` (id 0). The
**mask** says what is real. $M$ is the number of real tokens:

$$L = -\frac{1}{M} \sum_{(t,n)\ \mathrm{real}} \log p_{tn}[y_{tn}]$$

Suppose a model has learnt one thing only: when to say `PAD`. At real places it guesses evenly. Is it any
good?
"""

# %% [markdown]
r"""
Predict before you measure. $\log 50 = 3.9$ is what guessing evenly costs. Half of the batch below is padding:
what is the mean loss over everything, padding included? Write your number in place of `None`.
"""

# %%
my_guess = None

# %%
lengths = np.array([12, 3, 7, 2, 4, 9, 3, 5])
S, N, V = lengths.max(), len(lengths), 50
mask = np.arange(S)[:, None] < lengths                  # (S, N)
targets = np.where(mask, rng.integers(4, V, (S, N)), 0)
lazy = np.where(mask[:, :, None], 0.0, 30.0 * np.eye(V)[0])

with_padding = loss.forward(lazy, targets, np.ones_like(mask))[0]
honest = loss.forward(lazy, targets, mask)[0]
per_token = -functions.log_softmax(lazy)[np.arange(S)[:, None], np.arange(N), targets]

with picture("Heat map of the loss of each token, 8 sentences in 12 columns. Real tokens "
             "cost 3.9 nats each. The padding behind the short sentences costs nothing "
             "and fills half of the picture.", 7, 2.4) as axes:
    image = axes.imshow(per_token.T, cmap="viridis", aspect="auto", vmin=0)
    axes.set(xlabel="step t", ylabel="sentence n")
    axes.grid(False)
    axes.figure.colorbar(image, label="nats")

print(f"{1 - mask.mean():.0%} of the batch is padding")
compare("mean loss over everything", my_guess, with_padding)
print(f"mean over everything {with_padding:.3f}: looks trained")
print(f"mean over real tokens {honest:.3f} = log 50: has learnt nothing")
assert with_padding < 0.5 * honest and abs(honest - np.log(50)) < 1e-12

# %% [markdown]
r"""
And it gets worse: with padding counted, the loss depends on the *company* a sentence is in. Put one long
sentence into the batch, and everybody's loss falls. Masked, it does not move:
"""

# %%
logits = rng.normal(size=(S, N, V))
print("padding added   counted in   masked")
kept = []
for more in (0, 10, 100):
    longer = [np.concatenate([b, np.zeros((more, *b.shape[1:]), b.dtype)]) for b in (logits, targets, mask)]
    longer[0][S:, :, 0] = 30.0                          # the model is sure that padding is padding
    kept.append(loss.forward(*longer)[0])
    counted = loss.forward(*longer[:2], np.ones_like(longer[2]))[0]
    print(f"{more:8d} steps {counted:12.4f} {kept[-1]:8.4f}")
assert max(kept) - min(kept) < 1e-12

# %% [markdown]
r"""
### Exercise 2: loss and gradient with a mask

Three mistakes are common here: no mask in the loss; a mask in the loss but not in the gradient; and
division by $N$ or by $S N$ in place of $M$. The checker knows all three by their numbers. (Make one on
purpose and see what it says.)
"""

# %% exercise="masked-loss"
def masked_loss(logits, targets, mask):
    """logits (S, N, V), targets (S, N) ids, mask (S, N) -> L (a number), dlogits (S, N, V).

    At padding a target may be anything: -100, or V and more.
    """
    ### BEGIN SOLUTION
    a = logits - logits.max(axis=2, keepdims=True)
    log_p = a - np.log(np.exp(a).sum(axis=2, keepdims=True))
    y = np.eye(logits.shape[2])[np.where(mask, targets, 0)]
    M = mask.sum()
    L = -(log_p * y).sum(axis=2)[mask].sum() / M
    dlogits = (np.exp(log_p) - y) * mask[:, :, None] / M
    return L, dlogits
    ### END SOLUTION

# %% check="masked-loss" points=2
judge("masked-loss", masked_loss)

# %% [markdown]
r"""
### Exercise 3: break the mask

Now be the cheat. Given `logits`, `targets` and `mask`, return logits whose *unmasked* mean loss is less
than half of what it was, while the honest, masked loss stays exactly as it is. You may not touch a single
real position.
"""

# %% exercise="break-the-mask"
def break_the_mask(logits, targets, mask):
    """-> new logits (S, N, V), equal to the old ones wherever mask is True."""
    ### BEGIN SOLUTION
    sure = 50.0 * np.eye(logits.shape[2])[targets]
    return np.where(mask[:, :, None], logits, sure)
    ### END SOLUTION

# %% check="break-the-mask"
with attempt("break-the-mask"):
    everything = np.ones_like(mask)
    before, after = logits.copy(), break_the_mask(logits.copy(), targets, mask)
    was, now = loss.forward(before, targets, everything)[0], loss.forward(after, targets, everything)[0]
    assert np.array_equal(after[mask], before[mask]), "A real position was touched."
    assert now < was / 2, f"The unmasked loss went from {was:.3f} to {now:.3f}: wanted less than half."
    assert loss.forward(after, targets, mask)[0] == loss.forward(before, targets, mask)[0]

# %% [markdown]
r"""
## What is missing

We believed `complex_step` without knowing why. Every gradient in this course is written by hand, and hands
slip. The usual check, moving each weight a little and looking at the loss, **calls right gradients wrong
and wrong gradients right**. **Notebook 3** shows both, and what to do.
"""
