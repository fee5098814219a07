# %% [markdown]
r"""
# 1 · Reading an equation as code

*Reading 15 minutes, exercises 25 minutes.*

*Dog bites man* and *man bites dog* hold the same words. Give each word a vector, add the vectors of a
sentence up, and both sentences become the same point: who bit whom is lost.
"""

# %%
import numpy as np

words = ["dog", "bites", "man"]
ids = np.array([[0, 2], [1, 1], [2, 0]])            # each COLUMN is a sentence: dog bites man | man bites dog
rng = np.random.default_rng(1)
E = rng.normal(size=(3, 4))                         # a vector of 4 numbers for each of the 3 words
xs = E[ids]

added = np.linalg.norm(xs.sum(axis=0)[0] - xs.sum(axis=0)[1])
print(f"distance of the two sentences, words added: {added:.3f}")
assert added < 1e-12

# %% [markdown]
r"""
A **recurrent network** (循环神经网络) reads the words *one after the other*. After each word it has a **state**
(隐藏状态), which is all that it remembers. One line of mathematics makes the next state, as documents C (§2.1)
and D (§3.3) write it, and then in full:

$$h_t = \mathrm{RNN}(h_{t-1}, x_t) \qquad\qquad h_t = \tanh(x_t W + h_{t-1} U + b)$$

| letter | what it is | shape | here |
|---|---|---|---|
| $t$ | step: the place of a word, $1 \dots T$ | | $T = 3$ words |
| $n$ | example: which sentence, $1 \dots N$ | | $N = 2$ sentences |
| $x_t$ | what is read at step $t$, a row for each example | $(N, D)$ | $D = 4$ numbers for a word |
| $h_t$ | the state: what is remembered after step $t$ | $(N, H)$ | $H = 6$ numbers |
| $W$ | weights from the input | $(D, H)$ | |
| $U$ | weights from the previous state | $(H, H)$ | |
| $b$ | bias, the same for every example | $(H,)$ | |

Time comes first: `xs` has shape $(T, N, D)$, so `xs[t]` *is* $x_t$ (Python counts from 0). A batch is just
$N$ sentences at once.

**Rows or columns?** Documents write $W x$: a matrix times a column. Here examples are rows, and $W x$
becomes `x @ W`. It is the same sum of products, with the matrix transposed.
"""

# %%
from minis2s.layers import unroll
from minis2s.layers.cells import rnn
from minis2s.classroom.notebooks import attempt, judge, picture

p = rnn.init(rng, D=4, H=6)                         # W, U, b: random, nothing is trained
mask = np.ones((3, 2), dtype=bool)                  # every word is real, none is padding
hs, last, caches = unroll.forward(rnn, p, xs, rnn.State(np.zeros((2, 6))), mask)

read = np.linalg.norm(last.h[0] - last.h[1])
print(f"distance of the two sentences: words added {added:.3f}, words read in order {read:.3f}")
assert read > 0.5

# %% [markdown]
r"""
Nothing was trained: the numbers are random. The *form* of that one line keeps the order. `unroll.forward`
applies it to one word after the other. Here are the shapes:
"""

# %%
with picture("Shape map of a step. x, 2 by 4, times W, 4 by 6, plus h of the step before, "
             "2 by 6, times U, 6 by 6, plus b, 6 numbers, inside tanh, gives h, 2 by 6.", 8, 2.2) as axes:
    left = 0
    for name, rows, columns, after in (
            ("$x_t$\n(N, D)", 2, 4, "@"), ("$W$\n(D, H)", 4, 6, "+"), ("$h_{t-1}$\n(N, H)", 2, 6, "@"),
            ("$U$\n(H, H)", 6, 6, "+"), ("$b$\n(H,)", 1, 6, "→ tanh →"), ("$h_t$\n(N, H)", 2, 6, "")):
        grid = left + np.arange(columns + 1), 3 - rows / 2 + np.arange(rows + 1)
        axes.pcolormesh(*grid, np.ones((rows, columns)), cmap="Blues", vmin=0, vmax=4, edgecolors="white")
        axes.text(left + columns / 2, -0.7, name, ha="center", va="top")
        gap = 6.5 if len(after) > 1 else 2
        axes.text(left + columns + gap / 2, 3, after, ha="center", va="center")
        left += columns + gap
    axes.set(xlim=(-1, left), ylim=(-3, 6.5), aspect="equal")
    axes.axis("off")

# %% [markdown]
r"""
Follow the shapes, not the letters: $(N,D)(D,H)$ gives $(N,H)$; so does $(N,H)(H,H)$; $b$ is added to each
row. Now the same as the library has it, in two lines, since $xW + b$ of all steps can be made at once. The
comments `(R1)` and `(R2)` are **marks**: the docstring of `minis2s/layers/cells/rnn.py` writes the equation
under the mark, the code carries it on the very line.
"""

# %%
import inspect

print(inspect.getsource(rnn.step))

# %% [markdown]
r"""
One step, computed in three ways: by that function, by our own line, and by `minis2s.testing.oracle`, which
computes number by number with Python's floats and `math` only. They must agree.
"""

# %%
from minis2s.testing import oracle

x, h_prev = xs[0], rng.normal(size=(2, 6))
by_library = rnn.step(p, x, rnn.State(h_prev))[0].h
by_hand = np.tanh(x @ p.W + h_prev @ p.U + p.b)
W, U, b = (a.tolist() for a in p)
by_numbers = [oracle.rnn_step(W, U, b, x[n].tolist(), h_prev[n].tolist()) for n in range(2)]

error = max(abs(by_library - by_hand).max(), abs(by_library - by_numbers).max())
print(f"largest difference: {error:.1e}")
assert error < 1e-14

# %% [markdown]
r"""
## A trap the documents set

Document A (§3.1) writes $\mathrm{RNN}(x_t, h_{t-1})$; documents C and D write $\mathrm{RNN}(h_{t-1}, x_t)$.
Both are fine on paper. In code the order of arguments is a decision, and here is what happens if you get it
wrong.
"""

# %%
def swapped(D, H):
    """Hand x and h over in the wrong order: -> the error's name, or how wrong the result is."""
    r = np.random.default_rng(0)
    q, x, h = rnn.init(r, D, H), r.normal(size=(2, D)), r.normal(size=(2, H))
    right = rnn.step(q, x, rnn.State(h))[0].h
    try:
        return abs(rnn.step(q, h, rnn.State(x))[0].h - right).max()
    except ValueError as e:
        return type(e).__name__

print("D = 4, H = 6:", swapped(4, 6))
print("D = 6, H = 6:", round(swapped(6, 6), 3), "wrong, and no error at all")
assert swapped(4, 6) == "ValueError" and swapped(6, 6) > 0.1

# %% [markdown]
r"""
**Habit number one: when you test, make all sizes different.** With $D = H$ the mistake is silent. So it is
with $T = N$, with $N = 1$, and with $H = 1$.

### Exercise 1: what comes out?

Five lines, each with a bug. `T, N, D, H = 5, 4, 3, 6`; `xs` $(T,N,D)$, `h` $(N,H)$, `W` $(D,H)$, `U`
$(H,H)$, `b` $(H,)$; `scores` $(N,H)$; `y` $(N,)$ and `guess` $(N,1)$. Predict without running: the *shape*
that comes out, or `None` where NumPy refuses.

1. `W @ xs[0]`
2. `np.tanh(xs[0] @ W + h @ U.T + b)`
3. `np.tanh(xs[:, 0] @ W)`
4. `(y - guess) ** 2`
5. `scores - scores.max(axis=1)`
"""

# %% exercise="what-comes-out"
def what_comes_out():
    """-> list of five: a tuple such as (4, 6), or None."""
    ### BEGIN SOLUTION
    return [None, (4, 6), (5, 6), (4, 4), None]
    ### END SOLUTION

# %% check="what-comes-out"
with attempt("what-comes-out"):
    xs5, h5, W5, U5, b5 = np.ones((5, 4, 3)), np.ones((4, 6)), np.ones((3, 6)), np.ones((6, 6)), np.ones(6)
    y5, guess5 = np.zeros(4), np.zeros((4, 1))
    lines = [lambda: W5 @ xs5[0], lambda: np.tanh(xs5[0] @ W5 + h5 @ U5.T + b5),
             lambda: np.tanh(xs5[:, 0] @ W5), lambda: (y5 - guess5) ** 2, lambda: h5 - h5.max(axis=1)]
    for number, (line, answer) in enumerate(zip(lines, what_comes_out(), strict=True), start=1):
        try:
            truth = line().shape
        except ValueError:
            truth = None
        assert answer == truth, f"Line {number} gives something else: write both shapes down first."

# %% [markdown]
r"""
Two lines were refused: good luck. Line 2 has the *right* shape and wrong numbers. Line 3 read sentence 1
over all time in place of step 1 of all sentences. Line 4 made $N \times N$ differences out of $N$; its mean
looks like a loss, and falls while you train. Only numbers can tell: that is why everything in this course
is compared with something.

### Exercise 2: five shape bugs in one loop

This loop should run the RNN over time. It has five bugs, one in each line that is marked. Write it again,
right.

```python
def sequence(xs, h0, W, U, b):
    hs = np.zeros((xs.shape[1], xs.shape[0], W.shape[0]))    # bug 1
    h = h0[0]                                                # bug 2
    for t in range(len(xs)):
        a = xs[:, t] @ W + h @ U.T + b                       # bugs 3 and 4
        h = np.tanh(a)
        hs[:, t] = h                                         # bug 5
    return hs                                                # wanted: (T, N, H), hs[t] is h of step t
```
"""

# %% exercise="five-shape-bugs"
def sequence(xs, h0, W, U, b):
    """xs (T, N, D), h0 (N, H), W (D, H), U (H, H), b (H,) -> hs (T, N, H)."""
    ### BEGIN SOLUTION
    hs = np.zeros((xs.shape[0], xs.shape[1], W.shape[1]))
    h = h0
    for t in range(len(xs)):
        a = xs[t] @ W + h @ U + b
        h = np.tanh(a)
        hs[t] = h
    return hs
    ### END SOLUTION

# %% check="five-shape-bugs" points=2
with attempt("five-shape-bugs"):
    r = np.random.default_rng(2)
    q, xs5, h0 = rnn.init(r, 3, 6), r.normal(size=(5, 4, 3)), r.normal(size=(4, 6))
    wanted = unroll.forward(rnn, q, xs5, rnn.State(h0), np.ones((5, 4), bool))[0]
    got = sequence(xs5, h0, *q)
    assert np.shape(got) == (5, 4, 6), f"The shape is {np.shape(got)}, wanted (T, N, H) = (5, 4, 6)."
    for t in range(5):
        wrong = abs(got[t] - wanted[t]).max()
        assert wrong < 1e-12, f"Steps before t = {t} are right; at t = {t} the largest error is {wrong:.3f}."

# %% [markdown]
r"""
## Seeing every number

A `with trace()` block writes down what every marked line reads and makes, while the code runs as it is.
"""

# %%
from minis2s.viewer.trace import trace

with trace() as tr:
    unroll.forward(rnn, p, xs, rnn.State(np.zeros((2, 6))), mask)
print("a of the first step has shape", tr.cell.a[0].shape, "and the first of", len(tr), "entries are:\n")
print(tr.table(7))
assert abs(np.tanh(tr.cell.a[2]) - tr.cell.h[2]).max() == 0             # (R2), at the last step

# %%
seen = tr.cell.h.stack()                                                 # (T, N, H)
with picture("Two heat maps of the state h, six units by three steps. The sentences "
             "differ at the first and the last step, and also at the second, where both "
             "read 'bites'.",
             7, 2.6, columns=2, sharey=True) as panels:
    for n, axes in enumerate(panels):
        image = axes.imshow(seen[:, n].T, cmap="RdBu_r", vmin=-1, vmax=1, aspect="auto")
        axes.set_xticks(range(3), [words[i] for i in ids[:, n]])
        axes.grid(False)
    panels[0].set_ylabel("unit of $h_t$")
    axes.figure.colorbar(image, ax=panels, label="$h_t$")
same_word = abs(seen[1, 0] - seen[1, 1]).max()
print(f"both read 'bites' at step 2, but the states differ by up to {same_word:.2f}")
assert same_word > 0.1

# %% [markdown]
r"""
The middle column is what we came for: the *same* word, *another* state. $h_{t-1} U$ brought the past in.

## Stopping inside

A debugger stops at a line and lets you look around. Below it is driven by a list of commands, so that you
see a whole session at once: stop at `(R1)`, print a shape, run its two lines (`next`), print what they made.
"""

# %%
import io
import pdb
import re

def session(commands):
    """Run the two sentences under the debugger with a breakpoint at (R1): -> its answer to each command."""
    source, first = inspect.getsourcelines(rnn.step)
    line = first + next(k for k, text in enumerate(source) if "(R1)" in text)
    out = io.StringIO()
    Pdb = next(c for c in pdb.Pdb.__mro__ if c.__module__ == "pdb")     # the plain one: Jupyter has its own
    debugger = Pdb(stdin=io.StringIO("\n".join(commands) + "\n"), stdout=out, readrc=False)
    debugger.set_break(rnn.__file__, line)
    debugger.runcall(unroll.forward, rnn, p, xs, rnn.State(np.zeros((2, 6))), mask)
    debugger.clear_all_breaks()
    without_folders = re.sub(r"> .*?(\w+\.py)", r"> \1", out.getvalue())
    return [answer.strip() for answer in without_folders.split("(Pdb) ")[1:]]

commands = ["continue", "p x.shape", "p s.h.shape", "next", "next", "p a.shape"]
answers = session(commands)
for command, answer in zip(commands, answers):
    print(f"(Pdb) {command}\n{answer}")
assert answers[5] == "(2, 6)"                                           # a has a row for each sentence

# %% [markdown]
r"""
To do it yourself, run this in a new cell; a box appears, type `p x.shape`, `next`, `continue`, and `quit`
at the end:

```python
import pdb
debugger = pdb.Pdb()
debugger.set_break(rnn.__file__, inspect.getsourcelines(rnn.step)[1] + 2)    # the line of (R1)
debugger.runcall(unroll.forward, rnn, p, xs, rnn.State(np.zeros((2, 6))), mask)
```

`runcall` stops at the first line of `unroll.forward`; the first `continue` brings you to `(R1)` at step 1,
the next one to `(R1)` at step 2.

### Exercise 3: stop at (R1) and read h

Stop at `(R1)` of the **third** step and read the first three numbers of `s.h[0]`. Three decimals will do.
Before you look: is it the state before the word *man* is read, or after?
"""

# %% exercise="read-h"
def read_h():
    """-> list of three numbers: s.h[0, :3] at the breakpoint, third step."""
    ### BEGIN SOLUTION
    answer = session(["continue", "continue", "continue", "p s.h[0, :3].round(3).tolist()"])[3]
    return [float(number) for number in answer.strip("[]").split(",")]
    ### END SOLUTION

# %% check="read-h"
with attempt("read-h"):
    answer = np.array(read_h())
    assert answer.shape == (3,), "Wanted three numbers."
    after = [abs(answer - h[0, :3]).max() < 2e-3 for h in hs]
    assert not after[2], "That is h after the third step: when you stop at (R1) the line has not run yet."
    assert not after[0], "That is h after the first step: one more `continue`."
    assert after[1], "Wanted s.h[0, :3] at (R1) of the third step."

# %% [markdown]
r"""
## What is missing

An untrained RNN keeps two sentences apart. But which six numbers *should* a sentence become? Something must
say how wrong a model is, in a single number that can be pushed down. That number has a sharp edge: written
as it stands in the documents, it turns to `nan` at logits of a thousand. **Notebook 2** breaks it and mends
it.
"""
