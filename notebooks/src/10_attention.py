# %% [markdown]
r"""
# 10 · Attention: look again, at every step

*Reading 25 minutes, exercises 50 minutes.*

One state had to carry everything. Attention lets the decoder look at all encoder states $h_1 \dots h_T$ each
time it writes a word. Document D (§3.3) prints it in one line:

$$a_t = \text{softmax}(v^\top \tanh(W_s s_t + W_h h_t))$$

Run that line:
"""

# %%
import numpy as np

from minis2s import Config, Training
from minis2s import tasks
from minis2s.api.backends import choose
from minis2s.core import gradient_check
from minis2s.layers import fusion
from minis2s.model import decoder, seq2seq
from minis2s.training import loop as train
from minis2s.layers.attention import additive, attend, concat_dot
from minis2s.layers.attention import attend_backward, precompute_keys, precompute_keys_backward
from minis2s.data.batches import make_batch
from minis2s.data.vocabulary import Vocabulary
from minis2s.classroom.notebooks import compare, judge, picture
from minis2s.documents.printed import b as printed_b
from minis2s.documents.printed import d as printed_d

rng = np.random.default_rng(0)
T, N, H, A = 5, 1, 4, 6
p, hs, ss = additive.init(rng, H, H, A), rng.normal(size=(T, N, H)), rng.normal(size=(T, N, H))
a, k = printed_d.weights(p, ss, hs)
grads = printed_d.weights_backward(p, k, rng.normal(size=a.shape))[2]
learns = max(abs(g).max() for g in grads)
print("a_1 ... a_5:", a[:, 0], f"  largest gradient of W_s, W_h, v: {learns}")
assert (a == 1).all() and learns == 0

# %% [markdown]
r"""
The softmax of *one* number is 1. Nothing is chosen, and no weight will ever learn. One letter is wrong:
$h_t$ must be $h_i$, with an index $i$ of its own that runs over the source. Then there are $T$ scores for
each step, and the softmax has something to share out:

$$e_{ti} = v^\top \tanh(W_s s_t + W_h h_i) \qquad \alpha_{ti} = \frac{e^{e_{ti}}}{\sum_j e^{e_{tj}}}
\qquad \text{ctx}_t = \sum_i \alpha_{ti} h_i$$

| letter | name | shape |
|---|---|---|
| $s_t$ | the **query**: decoder state, "what do I need now?" | $(N, H)$ |
| $h_i$ | encoder states, $i = 1 \dots T$ | $(T, N, H)$ |
| $e_{ti}$ | **score**: how well $h_i$ fits | $(T, N)$ for each $t$ |
| $\alpha_{ti}$ | **weight**: at least 0, sum 1 over $i$ | $(T, N)$ for each $t$ |
| $\text{ctx}_t$ | **context**: the weighted sum | $(N, H)$ |

(Our rows are examples, so the code has `s @ W_s`, not $W_s s$. $v$ has $A$ entries.)
"""

# %%
ctx, k = attend(additive, p, ss[0], precompute_keys(additive, p, hs, np.ones((T, N), bool)))
print("alpha:", k.alpha[:, 0].round(3), f"  sum {k.alpha.sum():.3f}")
assert abs(k.alpha.sum() - 1) < 1e-12 and np.ptp(k.alpha) > 0.01

# %% [markdown]
r"""
## The context is a weighted sum

Three states of two units, so that we can see them. The query points at one of them; we make it louder,
$\beta s$, and score with the plain dot product $e_i = \beta\, s \cdot h_i$.
"""

# %%
three, query = np.array([[1.0, 0.2], [-0.6, 0.9], [-0.3, -0.9]]), np.array([0.9, 0.5])
loud = np.linspace(0, 8, 60)
scores = loud[:, None] * (three @ query)
shares = np.exp(scores - scores.max(axis=1, keepdims=True))
shares /= shares.sum(axis=1, keepdims=True)
path = shares @ three                                               # a context for each loudness

with picture("Left: three points, the states, make a triangle. The path of the context begins in its "
             "middle and bends to the state that the query points at. Right: the three weights begin at "
             "one third; one rises to 1, two fall to 0.", 7.5, 3, columns=2) as (plane, curves):
    plane.fill(*three.T, color="0.93")
    for i, (x, y) in enumerate(three, 1):
        plane.plot(x, y, "o", ms=9, label=f"$h_{i}$")
    plane.plot(*path.T, color="0.2", label="ctx")
    plane.annotate("s", (0, 0), query, arrowprops=dict(arrowstyle="<-", color="#CC79A7"), color="#CC79A7")
    plane.set(xlim=(-1, 1.3), ylim=(-1.1, 1.1))
    plane.legend(loc="lower right")
    for i, dashes in enumerate(("-", "--", "-.")):
        curves.plot(loud, shares[:, i], dashes, label=f"$\\alpha_{i + 1}$")
    curves.set(xlabel=r"loudness $\beta$", ylim=(0, 1.02))
    curves.legend()
print(f"beta 0: ctx is the mean, {path[0].round(3)}; beta 8: nearly h_1, {path[-1].round(3)}")
assert np.allclose(path[0], three.mean(axis=0)) and abs(path[-1] - three[0]).max() < 0.05 and shares.min() > 0

# %% [markdown]
r"""
The context never leaves the triangle. And nothing is ever chosen for good: every weight is above 0, so every
state gets a gradient. That is why attention can be learned.

### Exercise 1: the mask

Sources of a batch have different lengths. Padding has scores, too, and must get weight *exactly* 0.
"""

# %% exercise="attention-mask"
def attention_mask(e, mask):
    """e (T, N) scores, mask (T, N), True = real -> alpha (T, N): each column sums to 1, padding has 0."""
    ### BEGIN SOLUTION
    e = np.where(mask, e, -np.inf)
    w = np.exp(e - e.max(axis=0))
    return w / w.sum(axis=0)
    ### END SOLUTION

# %% check="attention-mask"
judge("attention-mask", attention_mask)

# %% [markdown]
r"""
### Exercise 2: the dot product as score

$e_{ti} = s_t \cdot h_i$ (document A, §2.3): nothing to learn in the score itself.
"""

# %% exercise="dot-attention"
def dot_attention(s, hs, mask):
    """s (N, H), hs (T, N, H), mask (T, N) -> ctx (N, H), alpha (T, N)."""
    ### BEGIN SOLUTION
    e = np.where(mask, (s * hs).sum(axis=2), -np.inf)
    w = np.exp(e - e.max(axis=0))
    alpha = w / w.sum(axis=0)
    return (alpha[:, :, None] * hs).sum(axis=0), alpha
    ### END SOLUTION

# %% check="dot-attention"
judge("dot-attention", dot_attention)

# %% [markdown]
r"""
### Exercise 3: additive (Bahdanau)
"""

# %% exercise="additive-attention"
def additive_attention(s, hs, mask, W_s, W_h, v):
    """s (N, Q), hs (T, N, H), mask (T, N), W_s (Q, A), W_h (H, A), v (A,) -> ctx (N, H), alpha (T, N)."""
    ### BEGIN SOLUTION
    e = np.where(mask, np.tanh(s @ W_s + hs @ W_h) @ v, -np.inf)
    w = np.exp(e - e.max(axis=0))
    alpha = w / w.sum(axis=0)
    return (alpha[:, :, None] * hs).sum(axis=0), alpha
    ### END SOLUTION

# %% check="additive-attention"
judge("additive-attention", additive_attention)

# %% [markdown]
r"""
## The same slip once more

Document B (§4.2) mixes first and multiplies then: $v_t = \tanh(W_a [s_t; h_t])$, $a_t =
\text{softmax}(v_t^\top h)$. Now there *are* $T$ scores, so it runs; but inside $v_t$ stands $h_t$, the
state at the *output's* place. Attention looks at a set: write the source states in another order, and the
context must stay what it was.
"""

# %%
mix = concat_dot.init(rng, H, H, A)
as_printed = printed_b.AttentionParams(np.concatenate(mix))         # W_a: the rows for s above those for h
order, real = [1, 0, 2, 3, 4], np.ones((T, N), bool)                # the first two change places
intended = [attend(concat_dot, mix, ss[0], precompute_keys(concat_dot, mix, h, real))[0]
            for h in (hs, hs[order])]
alphas = [printed_b.attend(as_printed, ss[0], h, t=0)[0] for h in (hs, hs[order])]
printed = [(alpha[:, :, None] * h).sum(axis=0) for alpha, h in zip(alphas, (hs, hs[order]))]
moved = {name: abs(two[0] - two[1]).max() for name, two in (("intended", intended), ("printed", printed))}
print(f"two source words change places: ctx moves by {moved['intended']:.0e} as intended, "
      f"by {moved['printed']:.2f} as printed")
try:
    printed_b.attend(as_printed, ss[0], hs, t=T)
except ValueError as error:
    print("the sixth word of the answer:", error)
assert moved["intended"] < 1e-12 and moved["printed"] > 0.01

# %% [markdown]
r"""
And an answer longer than its source cannot be written at all. With $h_i$ inside, $v_{ti} = \tanh(W_a [s_t;
h_i])$, both troubles are gone (the library calls it `concat-dot`).

## What to do with the context

Document A adds it, $s_t \leftarrow s_t + \text{ctx}_t$ (§3.3), or mixes it, $s_t \leftarrow \sigma(W_a [s_t;
\text{ctx}_t])$ (§4.3; its softmax, too, must run over $i$). Document D puts both side by side before the last
layer, $p_t = \text{softmax}(W_o [s_t; \text{ctx}_t])$ (§3.3). A sum cannot tell the two apart:
"""

# %%
for kind in ("sum", "sigmoid", "concat"):
    w = fusion.init(np.random.default_rng(1), kind, H, H)
    swapped = abs(fusion.forward(w, kind, ss[0], ctx)[0] - fusion.forward(w, kind, ctx, ss[0])[0]).max()
    print(f"{kind:8} state and context change places: the result moves by {swapped:.2f}")
    assert (swapped == 0) == (kind == "sum")

# %% [markdown]
r"""
## Backward

From $d\text{ctx}$, upwards through the lines. $dz$ is $\partial L / \partial z$ and has the shape of $z$:

$$d\alpha_i = d\text{ctx} \cdot h_i \qquad de_i = \alpha_i \Big(d\alpha_i - \sum_j \alpha_j\, d\alpha_j\Big)$$

The second is the softmax's own: raising one score lowers all other weights. Then with $u_i = \tanh(s W_s +
h_i W_h)$, $e_i = u_i \cdot v$:

$$da_i = de_i\, v \odot (1 - u_i^2) \qquad ds = \sum_i da_i\, W_s^\top \qquad dh_i = \alpha_i\, d\text{ctx} +
da_i\, W_h^\top$$

**Two forks.** The query meets all $T$ states, so $ds$ is a sum over $i$. And each $h_i$ is used twice: it is
weighed *and* it is scored. How wrong is it to forget one of these two?
"""

# %%
s, dctx = ss[0], rng.normal(size=(N, H))
memory = precompute_keys(additive, p, hs, real)
_, k = attend(additive, p, s, memory)
ds, dmemory, _ = attend_backward(additive, p, memory, k, dctx)
both = precompute_keys_backward(additive, p, memory, dmemory)[0]
weighed = k.alpha[:, :, None] * dctx
truth = gradient_check.complex_step(
    lambda h: (attend(additive, p, s, precompute_keys(additive, p, h, real))[0] * dctx).sum(), hs)
errors = {name: gradient_check.worst_error(g, truth)[0]
          for name, g in (("both", both), ("weighed alone", weighed), ("scored alone", both - weighed))}
for name, error in errors.items():
    print(f"dh_i, {name:14} error {error:.0e}")
assert errors.pop("both") < 1e-12 and min(errors.values()) > 0.02

# %% [markdown]
r"""
### Exercise 4: write it

`u` and `alpha` come from the forward pass.
"""

# %% exercise="additive-attention-backward"
def additive_attention_backward(s, hs, u, alpha, W_s, W_h, v, dctx):
    """s (N, Q), hs (T, N, H), u (T, N, A), alpha (T, N), dctx (N, H) -> ds, dhs, dW_s, dW_h, dv."""
    ### BEGIN SOLUTION
    dalpha = (dctx * hs).sum(axis=2)
    de = alpha * (dalpha - (alpha * dalpha).sum(axis=0))
    dv = (de[:, :, None] * u).sum(axis=(0, 1))
    da = de[:, :, None] * v * (1 - u ** 2)
    dq = da.sum(axis=0)
    dhs = alpha[:, :, None] * dctx + da @ W_h.T
    return dq @ W_s.T, dhs, s.T @ dq, np.einsum("tnh,tna->ha", hs, da), dv
    ### END SOLUTION

# %% check="additive-attention-backward" points=3
judge("additive-attention-backward", additive_attention_backward)

# %% [markdown]
r"""
## Dates

`the 3rd of May 1999` becomes `1999-05-03`: everything stands in the source, never at the same place. We train
with additive scores and stop now and then to see where it looks.
"""

# %%
splits = tasks.load("dates", sizes=dict(train=9600, valid=300, test=0))
read, write = (Vocabulary.build(texts) for texts in zip(*splits.train))
examples, held_out = ([(read.encode(x), write.encode(y)) for x, y in part]
                      for part in (splits.train, splits.valid))
STEPS, rule = 450, Training(lr=6e-3, clip=1.0)

def learn(moments=(), **choices):
    """Train for STEPS batches of 64 -> Config, the last parameters, those at the steps `moments`."""
    config = Config(source_vocab=len(read), target_vocab=len(write), hidden=64, embedding=32, **choices)
    progress, kept = train.begin(config, rule), {}
    for step in range(STEPS + 1):
        if step in moments:
            kept[step] = progress.params
        i = 64 * step % len(examples)
        batch = make_batch(*zip(*examples[i:i + 64]))
        rate = rule.lr * (1 - 0.95 * step / STEPS)
        progress = train.one_step(config, rule, progress, batch, rate, choose("numba"))
    return config, progress.params, kept

moments = (0, 120, 240, STEPS)
config, params, kept = learn(moments, attention="additive")

x, y = "the 27th of September 1994", "1994-09-27"
def weights_for(params):
    """alpha for the date above, fed its right answer: (11, 26)."""
    batch = make_batch([read.encode(x)], [write.encode(y)])
    return decoder.alphas(seq2seq.forward(params, config, batch)[2].decoder)[:, :, 0]

maps = {step: weights_for(kept[step]) for step in moments}
with picture("Four attention maps of the same date, rows the answer 1994-09-27, columns the source the "
             "27th of September 1994. Before training all is even. Step by step single bright cells "
             "appear: at last the year's digits look at the year at the end, the day's digits at the 27th "
             "near the beginning.",
             8, 5.4, rows=2, columns=2, sharex=True, sharey=True) as panels:
    for axes, (step, alpha) in zip(panels.flat, maps.items()):
        axes.imshow(alpha, vmin=0, vmax=1, aspect="auto")
        axes.set(title=f"after {step} steps", xticks=range(len(x)), yticks=range(len(y) + 1))
        axes.set_xticklabels(list(x.replace(" ", "␣")), size=7)
        axes.set_yticklabels([*y, "end"], size=7)
        axes.grid(False)

def at(alpha, rows, columns):
    """Share of the weight of these rows of the answer that lies on these columns of the source."""
    return alpha[rows][:, columns].sum(axis=1).mean()

year, day = (slice(0, 4), slice(20, 26)), (slice(8, 10), slice(3, 9))
for step, alpha in maps.items():
    print(f"after {step:3} steps: the year looks at ' 1994' with {at(alpha, *year):.2f} of its weight, "
          f"the day at ' 27th' with {at(alpha, *day):.2f}")
assert at(maps[0], *day) < 0.4 and at(maps[STEPS], *day) > 0.5

# %% [markdown]
r"""
Nobody told it which letters belong together; the loss of the answer alone did. Does the kind of score
matter? And attention itself? The same number of steps for each; the last one has the final state $h_T$ at
every step instead.

Predict before you measure: of the whole dates that were held out, what share does the model without attention
write rightly, from 0 to 1? It has as many steps and nearly as many weights as the two others.
"""

# %%
my_guess = None                                          # your number in place of None

# %%
finished = {"additive": (config, params)}
finished["dot product"] = learn(attention="dot")[:2]
finished["no attention"] = learn(attention="none", context="every-step")[:2]
results = {name: train.validate(weights, c, held_out, backend=choose("numba"))
           for name, (c, weights) in finished.items()}

with picture("Bars for additive, dot product, no attention. Dates right: high for both scores, low without "
             "attention. Tokens right: near 1 for both scores, lower without.", 7, 2.4) as axes:
    across = np.arange(len(results))
    axes.bar(across - 0.18, [v.exact_match for v in results.values()], 0.34, label="whole dates")
    axes.bar(across + 0.18, [v.token_accuracy for v in results.values()], 0.34, label="tokens", hatch="//")
    axes.set(xticks=across, xticklabels=list(results), ylabel="share right", ylim=(0, 1.02))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
for name, v in results.items():
    print(f"{name:13} whole dates right {v.exact_match:.1%}, tokens {v.token_accuracy:.1%}, "
          f"loss {v.loss_teacher_forced:.3f}")
compare("whole dates right without attention", my_guess, results["no attention"].exact_match)
assert min(results[name].exact_match for name in ("additive", "dot product")) \
    > 0.15 + results["no attention"].exact_match

# %% [markdown]
r"""
Whether to look matters far more than how the score is made. (The dot product has no weights to learn here,
but its two states must have one size.)

## What is missing

Dates have one right answer, letter by letter. A sentence has many, of other lengths, in another order, and
the word that looks best now may lead into a dead end. **Notebook 11** translates, with pairs of your own,
and looks further ahead than one word.
"""
