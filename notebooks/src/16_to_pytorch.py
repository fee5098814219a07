# %% [markdown]
r"""
# 16 · From here to PyTorch

*Reading 20 minutes, exercises 25 minutes.*

You have written backpropagation by hand. PyTorch writes it for you: it records what the forward pass does and
walks back along the record. This notebook shows the five equations of the LSTM there, that the gradients are
the same, what the record keeps, and three things that it hides and that go wrong in practice.

It also runs where PyTorch is not installed: then each cell that needs it says so in one line.
"""

# %%
import ast
import inspect
from importlib import resources

import numpy as np

from minis2s.classroom.notebooks import attempt, compare
from minis2s.core import tree
from minis2s.data.batches import make_batch
from minis2s.layers import recurrent, unroll
from minis2s.layers.cells import lstm
from minis2s.model import seq2seq
from minis2s.model.config import Config

try:
    import torch
    torch.set_num_threads(1)
except ImportError:
    torch = None

def with_torch(cell):
    """Call a function at once; where PyTorch is not installed, say so."""
    if torch is None:
        print(f'{cell.__name__}: needs PyTorch, which is not installed here; pip install "minis2s[torch]"')
    else:
        cell()

print(inspect.getsource(lstm.step))

# %% [markdown]
r"""
## The same five equations

Above is the step of this library, in NumPy. Below is the one of `minis2s/pytorch/model.py`, the file that
`minis2s export` copies beside your weights. Three things differ: `blocks` is `chunk`, `np.tanh` is
`torch.tanh`, and **nothing is returned for the way back**: no `Cache`.
"""

# %%
code = resources.files("minis2s.pytorch").joinpath("model.py").read_text(encoding="utf-8")
[found] = [f for f in ast.parse(code).body if isinstance(f, ast.FunctionDef) and f.name == "lstm"]
body = "\n".join(code.splitlines()[found.lineno - 1:found.end_lineno])
print(body)
assert [f"# (L{i})" in body for i in range(1, 6)] == [True] * 5
assert [f"# (L{i})" in inspect.getsource(lstm.step) for i in range(1, 6)] == [True] * 5

# %% [markdown]
r"""
And this is what autograd takes the place of: the starred equations, one line each.
"""

# %%
print(inspect.getsource(lstm.step_backward))

# %% [markdown]
r"""
## The same numbers

A layer over $T = 6$ steps, a batch of $N = 3$. Ours goes forward with a cache for each step, then back. In
PyTorch `loss.backward()` leaves the gradients in `W.grad`, `U.grad`, `b.grad`. The loss is
$\sum_{t,n} \mathrm{dh}_{tn} \cdot h_{tn}$ with random $\mathrm{dh}$, so that every state matters.
"""

# %%
T, N, D, H = 6, 3, 4, 5
rng = np.random.default_rng(0)
p = lstm.init(rng, D, H)
xs, dhs = rng.normal(size=(T, N, D)), rng.normal(size=(T, N, H))
mask, zero = np.ones((T, N), bool), recurrent.zero_state(lstm, p, N)
hs, last, caches = unroll.forward(lstm, p, xs, zero, mask)
ours = unroll.backward(lstm, p, caches, dhs, tree.zeros_like(last), mask)[2]
print("ours:", ", ".join(f"d{name} {a.shape}" for name, a in zip(ours._fields, ours)))

def theirs():
    """-> W, U, b as tensors that want gradients, and the loss with its record."""
    from minis2s.pytorch import model
    weights = lstm.Params(*(torch.from_numpy(a.copy()).requires_grad_() for a in p))
    s, loss = (torch.zeros(N, H, dtype=torch.float64),) * 2, 0.0
    for x, dh in zip(torch.from_numpy(xs), torch.from_numpy(dhs)):
        s = model.lstm(weights, x, s)
        loss = loss + (dh * s[0]).sum()
    return weights, loss

@with_torch
def same_gradients():
    weights, loss = theirs()
    loss.backward()
    assert abs(loss.item() - (dhs * hs).sum()) < 1e-12 * abs(loss.item())
    for name, a, w in zip(ours._fields, ours, weights):
        away = abs(a - w.grad.numpy()).max() / abs(a).max()
        print(f"d{name}: equal to {'1e-12' if away < 1e-12 else f'{away:.0e}'} of the largest entry")
        assert away < 1e-12

# %% [markdown]
r"""
Two programs that share no line of derivation agree to the last digits. That is why this library's tests run
every model in PyTorch as well: whoever makes a mistake in a starred equation hears of it.

## Where the record is

A tensor that was computed knows the function that made it, and that function knows its inputs. The chain
from the loss to the weights is what `backward` walks along. One step of our five lines:
"""

# %%
def functions(loss):
    """All functions of a record, by name, with how often each stands there."""
    seen, todo, names = set(), [loss.grad_fn], {}
    while todo:
        f = todo.pop()
        if f is not None and f not in seen:
            seen.add(f)
            name = f.name().rpartition(":")[2]
            names[name] = names.get(name, 0) + 1
            todo += [before for before, _ in f.next_functions]
    return names

@with_torch
def the_record_of_one_step():
    from minis2s.pytorch import model
    weights = [torch.from_numpy(a.copy()).requires_grad_() for a in p]
    h, c = (torch.zeros(N, H, dtype=torch.float64) for _ in "hc")
    h, _ = model.lstm(lstm.Params(*weights), torch.from_numpy(xs[0]), (h, c))
    found = functions(h.sum())
    for name, count in sorted(found.items()):
        print(f"{count} x {name}")
    assert found["AccumulateGrad"] == 3 and found["TanhBackward0"] == 2
    assert found["SigmoidBackward0"] == 3

# %% [markdown]
r"""
Read it beside `step_backward`: the three `SigmoidBackward0` are (L2\*); the two `TanhBackward0` are (L3\*)
and half of (L5\*); the `MulBackward0` are (L4\*) and the other half; `AddBackward0` and `MmBackward0` are
(L1\*), and the sum of (L4). The three `AccumulateGrad` are W, U and b.

### Predict, then measure: what does the record keep?

Our `Cache` has eight arrays for each step: x, h', c', i, f, g, o and tanh c. It holds *only what the
starred equations read*. Autograd keeps for each function what that function's derivative reads, views and
all, and the matrices W and U for each product.

For the whole layer: how many times as many numbers does the record name as our caches do? (Several
functions may keep the same array; here each counts.)
"""

# %%
my_guess = None                                             # a number: 0.5, 1, 2, 10 ...

# %%
cached = sum(a.size for k in caches for a in k)

@with_torch
def what_the_record_keeps():
    kept, places = [], {}

    def keep(a):
        kept.append(a.numel())
        places[a.untyped_storage().data_ptr()] = a.untyped_storage().nbytes() // 8
        return a
    with torch.autograd.graph.saved_tensors_hooks(keep, lambda a: a):
        weights, loss = theirs()
    print(f"our caches: {cached} numbers\nthe record: {len(kept)} arrays of {sum(kept)} numbers, which lie "
          f"in {len(places)} places of memory with {sum(places.values())} numbers")
    compare("numbers that the record names, for each of ours", my_guess, sum(kept) / cached)
    assert sum(kept) > cached and sum(places.values()) < sum(kept)

# %% [markdown]
r"""
Nothing is wrong with that: what it names twice lies in memory once. But a record is as long as the sequence,
and it lives as long as anything that was computed from it. `losses.append(loss)` in a training loop keeps the
record of every step; `losses.append(loss.item())` keeps a number.

## What it hides, 1: where gradients add

In `step_backward` a line says `# fork`: c feeds h *and* the next c, so two gradients are added. Autograd adds
at every fork, without a line that says so. U is used $T$ times: its gradient is a sum over time, (P1.3). Here
the terms are made visible: each step has a U of its own with the same numbers.
"""

# %%
@with_torch
def a_sum_over_time():
    from minis2s.pytorch import model
    W, U, b = (torch.from_numpy(a.copy()).requires_grad_() for a in p)
    Us = [U.detach().clone().requires_grad_() for _ in range(T)]
    s, loss = (torch.zeros(N, H, dtype=torch.float64),) * 2, 0.0
    for x, dh, U_t in zip(torch.from_numpy(xs), torch.from_numpy(dhs), Us):
        s = model.lstm(lstm.Params(W, U_t, b), x, s)
        loss = loss + (dh * s[0]).sum()
    loss.backward()
    terms = [U_t.grad.numpy() for U_t in Us]
    for t, term in enumerate(terms):
        print(f"t = {t + 1}: the term has length {np.linalg.norm(term):.3f}")
    print(f"their sum has length {np.linalg.norm(sum(terms)):.3f}, our dU has {np.linalg.norm(ours.U):.3f}")
    assert abs(sum(terms) - ours.U).max() < 1e-12 and not terms[0].any()     # h_0 is zero

# %% [markdown]
r"""
## What it hides, 2: gradients stay where they are

Our `step_backward` is a function: called twice, it gives the same numbers twice. `backward()` *adds* to
`W.grad`.

### Predict, then measure

`loss.backward()` is called for the same loss three times, and nobody calls `zero_grad()`. How many times as
large as our dW is `W.grad`?
"""

# %%
my_factor = None

# %%
@with_torch
def three_times():
    weights, loss = theirs()
    for _ in range(3):
        loss.backward(retain_graph=True)
    factor = float((weights.W.grad.numpy() / ours.W).mean())
    compare("W.grad, for each of our dW", my_factor, factor)
    assert abs(factor - 3) < 1e-9
    again = unroll.backward(lstm, p, caches, dhs, tree.zeros_like(last), mask)[2]
    print("ours, called again: the same bits:", all((a == b).all() for a, b in zip(again, ours)))
    assert all((a == b).all() for a, b in zip(again, ours))

# %% [markdown]
r"""
A loop without `zero_grad()` trains all the same, with a step that grows: it looks like a step size that is
too large.

## What it hides, 3: a record that was cut

`detach()`, `.item()`, `.numpy()` and `torch.no_grad()` cut the record. Nothing fails: the gradient is of
another function. Truncated backpropagation through time does that on purpose, every $k$ steps.
"""

# %%
@with_torch
def a_cut_record():
    from minis2s.pytorch import model
    for k in (T, 3, 1):
        weights = lstm.Params(*(torch.from_numpy(a.copy()).requires_grad_() for a in p))
        s, loss = (torch.zeros(N, H, dtype=torch.float64),) * 2, 0.0
        for t, (x, dh) in enumerate(zip(torch.from_numpy(xs), torch.from_numpy(dhs))):
            if t % k == 0:
                s = tuple(a.detach() for a in s)
            s = model.lstm(weights, x, s)
            loss = loss + (dh * s[0]).sum()
        loss.backward()
        found = weights.U.grad.numpy()
        cosine = (found * ours.U).sum() / np.linalg.norm(found) / np.linalg.norm(ours.U)
        print(f"cut every {k} steps: the same loss, {loss.item():.6f}; the cosine of dU with the true one is "
              f"{cosine:.3f}")
        assert (cosine > 1 - 1e-12) == (k == T)

# %% [markdown]
r"""
The loss is the same to the last digit, so no test of the forward pass notices. A gradient check does
(notebook 3).

## Other conventions

`torch.nn.LSTM` and `torch.nn.GRU` are faster than a loop of one's own, and have their own order of things:

| | here | `torch.nn` |
|---|---|---|
| product | `x @ W`, W (D, gates·H) | `weight_ih` is (gates·H, D): transposed |
| biases | one, b | two that are added, `bias_ih` and `bias_hh` |
| LSTM gates | i, f, g, o | i, f, g, o |
| GRU gates | z, r, n | r, z, n |
| GRU, new state | $(1-z)\,h' + z\,n$ | $(1-z)\,n + z\,h'$ |
| GRU, reset | before the product, or after it (`gru-after`) | after it |

The last but one is a trap: swap the blocks only, and the network runs, with every update gate upside down.
Their $z$ is our $1 - z$, and $1 - \sigma(a) = \sigma(-a)$.

### Exercise 1: weights that move

The cell `gru-after` has W (D, 3H), U (H, 3H), b (3H,) and a bias of its own inside the reset gate, b_U (H,),
see (GA2). Give the four arrays of `torch.nn.GRU`.
"""

# %% exercise="gru-to-torch"
def gru_to_torch(W, U, b, b_U):
    """Our z, r, n -> r, z, n: weight_ih (3H, D), weight_hh (3H, H), bias_ih (3H,), bias_hh (3H,)."""
    ### BEGIN SOLUTION
    def moved(a):
        z, r, n = np.split(a, 3, axis=-1)
        return np.concatenate([r, -z, n], axis=-1)
    H = len(b_U)
    return moved(W).T, moved(U).T, moved(b), np.concatenate([np.zeros(2 * H), b_U])
    ### END SOLUTION

# %% check="gru-to-torch" points=2
from minis2s.layers.cells import gru_after

def manual(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """The equations of the manual page of torch.nn.GRU, in its own notation: -> h, r."""
    sigma = lambda a: 1 / (1 + np.exp(-a))
    (r, z, n), (hr, hz, hn) = (np.split(a, 3, axis=1) for a in (x @ weight_ih.T + bias_ih,
                                                                h @ weight_hh.T + bias_hh))
    r, z = sigma(r + hr), sigma(z + hz)
    return (1 - z) * np.tanh(n + r * hn) + z * h, r

draw = np.random.default_rng(7)
mine = gru_after.Params(*(draw.normal(size=a.shape) for a in gru_after.init(draw, 4, 3)))
x, h = draw.normal(size=(2, 4)), draw.normal(size=(2, 3))
with attempt("gru-to-torch"):
    arrays = gru_to_torch(*(a.copy() for a in mine))
    shapes = [np.shape(a) for a in arrays]
    assert shapes == [(9, 4), (9, 3), (9,), (9,)], f"Shapes {shapes}, wanted (3H, D), (3H, H), (3H,), (3H,)."
    (want,), k = gru_after.step(mine, x, gru_after.State(h))
    found, r = manual(x, h, *arrays)
    assert np.allclose(r, k.r, atol=1e-12), "The reset gate is another one: which block comes first there?"
    wrong = (1 - k.z) * k.n + k.z * h
    assert not np.allclose(found, wrong), "The update gate is upside down: their z is our 1 - z."
    assert np.allclose(found, want, atol=1e-12), "The new state is another one: what does r multiply?"

# %% [markdown]
r"""
`minis2s.pytorch.interop` does the same for three cells, and `minis2s import` reads whole models of such
layers. Does `torch.nn.GRU` itself agree?
"""

# %%
@with_torch
def a_layer_of_torch():
    from minis2s.layers.cells import gru_after
    from minis2s.pytorch import interop
    q = gru_after.init(np.random.default_rng(1), D, H)
    layer = torch.nn.GRU(D, H, dtype=torch.float64)
    layer.load_state_dict({name: torch.from_numpy(a) for name, a in interop.to_torch("gru-after", q).items()})
    found = layer(torch.from_numpy(xs))[0].detach().numpy()
    wanted = unroll.forward(gru_after, q, xs, recurrent.zero_state(gru_after, q, N), mask)[0]
    print(f"states of torch.nn.GRU and ours differ by less than 1e-12: {abs(found - wanted).max() < 1e-12}")
    assert abs(found - wanted).max() < 1e-12

# %% [markdown]
r"""
### Exercise 2: two machines, one gradient

Two processes train one model: each has its own pairs of a batch, computes a loss and its gradient, and the
gradients are added. The loss of one process is a *sum* over its target tokens, divided by their number. With
pairs of different lengths the two numbers of tokens differ.

Given what each process computes alone, the gradient of *its* mean loss, and its number of tokens: what is the
gradient of the mean over all tokens?
"""

# %% exercise="two-processes"
def two_processes(gradients, tokens):
    """Gradient of each process's own mean loss (arrays), its tokens (numbers) -> the gradient of all."""
    ### BEGIN SOLUTION
    return sum(g * n for g, n in zip(gradients, tokens)) / sum(tokens)
    ### END SOLUTION

# %% check="two-processes"
config = Config(source_vocab=8, target_vocab=9, embedding=4, hidden=6, cell="gru", attention="dot",
                dtype="float64")
weights = seq2seq.init(config)
draw = np.random.default_rng(5)
pairs = [(draw.integers(4, 8, size=m).tolist(), draw.integers(4, 9, size=n).tolist())
         for m, n in ((5, 1), (2, 7), (3, 2), (6, 3))]

def readout(part):
    """The gradient of the readout's matrix for some pairs, and the number of target tokens."""
    batch = make_batch(*zip(*part))
    gradient = seq2seq.loss_and_gradient(weights, config, batch)[1]
    return gradient.decoder.readout.W, int(batch.target_mask.sum())

with attempt("two-processes"):
    halves = [readout(pairs[:2]), readout(pairs[2:])]
    found = two_processes([g for g, _ in halves], [n for _, n in halves])
    even = (halves[0][0] + halves[1][0]) / 2
    assert not np.allclose(found, even), "The mean of both gives a token of the shorter half more weight."
    whole, _ = readout(pairs)
    assert np.allclose(found, whole, rtol=0, atol=1e-12), "Not the gradient of all pairs together."

# %% [markdown]
r"""
`torch.nn.parallel.DistributedDataParallel` takes the plain mean of the processes' gradients: right only where
all have as many tokens. This library divides each process's sum by the tokens of *all* and adds
(`minis2s/pytorch/processes.py`), so that two processes give the gradient of one.

## The whole model

The same parameters, the same names, a ragged batch with padding: loss and every gradient.
"""

# %%
@with_torch
def the_whole_model():
    from minis2s.api.backends import choose
    config = Config(source_vocab=8, target_vocab=9, embedding=4, hidden=6, cell="gru", layers=2,
                    bidirectional=True, attention="additive", attention_order="before", fusion="tanh",
                    dtype="float64")
    draw, q = np.random.default_rng(5), seq2seq.init(config)
    batch = make_batch([draw.integers(4, 8, size=n).tolist() for n in (5, 2, 4)],
                       [draw.integers(4, 9, size=n).tolist() for n in (1, 3, 6)])
    L, g = seq2seq.loss_and_gradient(q, config, batch)
    L_torch, g_torch = choose("torch").loss_and_gradient(q, config, batch)
    named = [(name, a, b) for (name, a), (_, b) in zip(tree.named(g), tree.named(g_torch))]
    largest = max(abs(a).max() for _, a, _ in named)
    away = max(abs(a - b).max() for _, a, b in named) / largest
    print(f"{len(named)} arrays of gradients, {sum(a.size for _, a, _ in named)} numbers; they differ by "
          f"less than 1e-12 of the largest: {away < 1e-12}")
    assert abs(L - L_torch) < 1e-12 * L and away < 1e-12

# %% [markdown]
r"""
## What to do there

    minis2s train dates --backend torch                    the same run, its steps computed by PyTorch
    minis2s train --pairs big.tsv --stream --backend torch --device cuda     on a GPU, pairs stay in the file
    torchrun --nproc-per-node 2 -m minis2s train --pairs big.tsv --backend torch        two processes
    minis2s export runs/dates --to torch exported/dates    needs torch alone; its check.py proves it

And what to keep from here: check a gradient before you trust it, look at shapes before values, and ask of
every library what it does with padding.
"""
