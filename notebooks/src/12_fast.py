# %% [markdown]
r"""
# 12 · Fast, and still clear

*Reading 20 minutes, exercises 35 minutes.*

One LSTM layer, forward, three times: `minis2s.testing.oracle` in plain Python with lists, the reference
implementation `minis2s/layers/cells/lstm.py` in NumPy, and its compiled implementation,
`minis2s/kernels/layers/cells/lstm.py`. Same weights, same sentence.
"""

# %%
import cProfile
import inspect
import pstats
import re
import time

import numba
import numpy as np

from minis2s import bench
from minis2s.api.backends import choose
from minis2s.core import tree
from minis2s.layers import recurrent, unroll
from minis2s.testing import oracle
from minis2s.layers.cells import lstm
from minis2s.kernels.layers.cells import lstm as compiled_lstm
from minis2s.classroom.notebooks import attempt, judge, picture

choose("numba").use_threads(1)                        # one core for everybody: a fair comparison
backends = {side: choose(side) for side in ("numpy", "numba")}

fine = time.get_clock_info("thread_time").resolution < 1e-6
clock = time.thread_time if fine else time.perf_counter     # thread_time stands still while others compute

def seconds(run, budget=0.03):
    """The shortest of at least five calls: what disturbs a measurement only makes it longer."""
    run()                                               # the first call may compile
    calls, end = [], clock() + budget
    while len(calls) < 5 or clock() < end:
        start = clock()
        run()
        calls.append(clock() - start)
    return min(calls)

def layer(T, N, D, H, dtype="float64"):
    """Arguments of unroll.forward, and gradients for unroll.backward."""
    rng = np.random.default_rng(0)
    p = tree.map(lambda a: a.astype(dtype), lstm.init(rng, D, H))
    xs, dhs = (rng.normal(size=(T, N, size)).astype(dtype) for size in (D, H))
    return (lstm, p, xs, recurrent.zero_state(lstm, p, N), np.ones((T, N), bool)), dhs

T, H = 20, 48
args, _ = layer(T, 1, H, H)
_, p, xs, _, _ = args
W, U, b = ({gate: block.tolist() for gate, block in zip("ifgo", np.split(a, 4, axis=-1))} for a in p)
zero = ([0.0] * H, [0.0] * H)

def plain():
    return oracle.unroll(lambda x, s: oracle.lstm_step(W, U, b, x, *s), xs[:, 0].tolist(), zero)

answers = {"plain Python": [oracle.h_of(s) for s in plain()[0]]}
times = {"plain Python": seconds(plain)}
for side, backend in backends.items():
    answers[side] = backend.unroll(*args)[0][:, 0]
    times[side] = seconds(lambda: backend.unroll(*args))
for name, spent in times.items():
    off = abs(np.array(answers[name]) - answers["numpy"]).max()
    print(f"{name:13} {spent * 1e6:9.0f} µs   {times['plain Python'] / spent:6.0f} times as fast as plain "
          f"Python, differs from NumPy by {off:.0e}")
assert times["numpy"] < times["plain Python"] and times["numba"] < times["plain Python"]
assert max(abs(np.array(a) - answers["numpy"]).max() for a in answers.values()) < 1e-12

# %% [markdown]
r"""
The same numbers to the last digits. (Times are those of the machine that built this notebook. Run it: yours
differ, the order won't.) Two questions: where does the time go, and how can two programs for the same
equations be kept equal?

## Time against $T$ and $H$

Forward and backward, a batch of $N = 16$, float32, one core. Left the length grows, right the state.
"""

# %%
def both_ways(side, T, N, D, H):
    args, dhs = layer(T, N, D, H, "float32")
    def run():
        _, last, k = backends[side].unroll(*args)
        backends[side].unroll_backward(lstm, args[1], k, dhs, tree.zeros_like(last), args[4])
    return seconds(run)

Ts, Hs = np.array([5, 10, 20, 40, 80]), np.array([8, 16, 32, 64, 128, 256])
against_T = {side: np.array([both_ways(side, T, 16, 32, 32) for T in Ts]) for side in backends}
against_H = {side: np.array([both_ways(side, 10, 16, H, H) for H in Hs]) for side in backends}
with picture("Time of an LSTM layer, forward and backward, logarithmic. Left, against "
             "T: two parallel straight lines, Numba's well below. Right, against H: "
             "NumPy's is flat at first and then rises; Numba's rises sooner and "
             "stays below.", 8, 2.9, columns=2) as (left, right):
    for side, dashes in zip(backends, ("-", "--")):
        left.loglog(Ts, against_T[side] * 1e3, dashes, marker="o", label=side)
        right.loglog(Hs, against_H[side] * 1e3, dashes, marker="o", label=side)
    left.set(xlabel="T, for H = 32", ylabel="milliseconds")
    right.set(xlabel="H, for T = 10")
    for axes, ticks in ((left, Ts), (right, Hs)):
        axes.set_xticks(ticks, ticks)
        axes.minorticks_off()
    left.legend()
growth_T = {side: ts[-1] / ts[0] for side, ts in against_T.items()}
growth_H = {side: ts[3] / ts[0] for side, ts in against_H.items()}
print(f"T {Ts[-1] // Ts[0]} times as long: "
      + ", ".join(f"{s} {g:.0f} times the time" for s, g in growth_T.items()))
print(f"H 8 -> 64, {(64 / 8) ** 2:.0f} times the multiplications: "
      + ", ".join(f"{s} {g:.1f} times the time" for s, g in growth_H.items()))
assert growth_H["numpy"] < 64 and growth_T["numpy"] > 2

# %% [markdown]
r"""
In $T$ all is straight: each step waits for the last, so twice the steps take twice the time. In $H$ a step
multiplies $N (D H + H^2) \cdot 4$ times, but NumPy's time hardly moves at first. Each line of the NumPy code
is a call that makes a new array, and the call itself costs the same for 8 units as for 32. **For small
models NumPy's price is the number of lines, not the number of multiplications.** The compiled code is called
once for all steps.

## What compiling costs

Numba compiles when a function is first called, for the types it is called with. An example that NumPy
can't vectorise: the edit distance, where each cell waits for its neighbours.
"""

# %%
def edit_distance(a, b):
    """Fewest insertions, deletions and substitutions that turn a into b."""
    row = np.arange(len(b) + 1)
    for i in range(len(a)):
        before, row[0] = row[0], i + 1
        for j in range(len(b)):
            least = min(row[j + 1] + 1, row[j] + 1, before + (a[i] != b[j]))
            before, row[j + 1] = row[j + 1], least
    return row[-1]

compiled = numba.njit(edit_distance)
a, b = np.random.default_rng(1).integers(0, 5, (2, 60))
start = clock()
first = compiled(a, b)
compile_time = clock() - start
slow, fast = seconds(lambda: edit_distance(a, b)), seconds(lambda: compiled(a, b))
break_even = compile_time / max(slow - fast, 1e-9)
with picture("Total time against the number of calls. Plain Python rises in a straight line from zero. The "
             "compiled function starts at the time of compiling and stays flat; the lines cross.",
             6.5, 2.6) as axes:
    calls = np.linspace(0, 2.5 * break_even, 50)
    axes.plot(calls, calls * slow, label="plain Python")
    axes.plot(calls, compile_time + calls * fast, "--", label="compiled")
    axes.set(xlabel="calls", ylabel="seconds in all")
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
print(f"compiling {compile_time:.2f} s; a call {slow * 1e6:.0f} µs before, {fast * 1e6:.1f} µs after: "
      f"worth it from {break_even:.0f} calls on")
compiled(a.astype(np.int32), b.astype(np.int32))
print(f"compiled for {len(compiled.signatures)} kinds of arguments: int64 arrays, and int32 arrays anew")
assert first == edit_distance(a, b) and fast < slow and len(compiled.signatures) == 2

# %% [markdown]
r"""
The library's kernels take seconds to compile, so the machine code is kept on disk
(`minis2s/kernels/runtime/jit.py`). Its folder is named by a hash of *all* the kernels' sources: after an edit
in any of them no stale code is found.

### Exercise 1: compile a loop

$h_t = \tanh(x_t + h_{t-1} U)$ with `@njit`. Plain loops over examples and units: here they are the fast way.
First get the numbers right; then put `@numba.njit` above the `def`.
"""

# %% exercise="njit-loop"
def njit_loop(xs, h0, U):
    """xs (T, N, H), h0 (N, H), U (H, H) -> hs (T, N, H)."""
    ### BEGIN SOLUTION
    T, N, H = xs.shape
    hs = np.empty((T, N, H))
    h = h0
    for t in range(T):
        for n in range(N):
            for j in range(H):
                a = xs[t, n, j]
                for k in range(H):
                    a += h[n, k] * U[k, j]
                hs[t, n, j] = np.tanh(a)
        h = hs[t]
    return hs

njit_loop = numba.njit(njit_loop)
### END SOLUTION

# %% check="njit-loop" points=2
judge("njit-loop", njit_loop)

# %% [markdown]
r"""
## How near to the limit?

A core can do so many multiply-adds a second and no more. `bench.peak` measures that limit with a loop that
does nothing else. A layer forward and backward needs $12\, T N (D H + H^2)$: four gates forward, and
backward four for $dx$, $dh$ and four for $dW$, $dU$.
"""

# %%
limit = bench.peak(0.1)
work = 12 * 10 * 16 * 2.0 * Hs ** 2                                     # T = 10, N = 16, D = H
share = {side: work / against_H[side] / limit for side in backends}
with picture("Share of the machine's peak against H, logarithmic. Both rise with H. "
             "Numba is far above NumPy for small H; for large H they come nearer.", 6.5, 2.6) as axes:
    for side, dashes in zip(backends, ("-", "--")):
        axes.loglog(Hs, 100 * share[side], dashes, marker="o", label=side)
    axes.set(xlabel="H", ylabel="per cent of the peak")
    axes.set_xticks(Hs, Hs)
    axes.set_yticks([1, 10, 100], [1, 10, 100])
    axes.minorticks_off()
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
print(f"the limit: {limit / 1e9:.1f} thousand million multiply-adds a second")
for side in backends:
    print(f"{side}: {share[side][0]:.1%} of it at H = {Hs[0]}, {share[side][-1]:.0%} at H = {Hs[-1]}")
assert share["numpy"][-1] > share["numpy"][0] and all(s.max() < 2 for s in share.values())

# %% [markdown]
r"""
At $H = 8$ there is so little to multiply that everything else shows. Whoever wants to be nearer the limit
makes *larger* products: larger batches, and $x_t W$ of all steps at once, before the loop. Only $h_{t-1} U$
has to wait. On the way back it is the same: $dW$, $dU$ and $dx$ of all steps can be one product each, behind
the loop. `minis2s/layers/unroll.py` does neither: it is written to be read, and the compiled code is fast.

## Reading the compiled code

The compiled code keeps the names and marks of the readable one. For each equation, the readable line first:
"""

# %%
def marked(module, function, mark):
    """The lines of a function that carry a mark such as (L4), without comments."""
    text = inspect.getsource(module)
    body = re.search(rf"^def {function}\(.*?(?=^def |^@|\Z)", text, re.DOTALL | re.MULTILINE).group()
    return [line.split("#")[0].strip() for line in body.splitlines() if mark in line.partition("#")[2]]

marks = {("step", "step"): [f"(L{k})" for k in range(1, 6)],
         ("step_backward", "step_backward"): [f"(L{k}*)" for k in (5, 4, 3, 2)]}
pairs = [(mark, marked(lstm, f, mark), marked(compiled_lstm, g, mark))
         for f, g in marks for mark in marks[f, g]]
for mark, readable, kernel in pairs:
    for who, lines in (("readable", readable), ("compiled", kernel)):
        print("\n".join(f"{mark if k == 0 and who == 'readable' else '':6}{who}  {line}"
                        for k, line in enumerate(lines)))
assert all(readable and kernel for _, readable, kernel in pairs)

# %% [markdown]
r"""
`z = t, n, J` names what is worked on: step, example, and up to 16 units `J` at once. The sums, products and
squashing functions are the same. What the compiled code adds is *where numbers are stored*: arrays made once
for all steps, and the mask inside the loop. So the readable code stays the place to learn from, and the
compiled code can be compared with it, line by line.

## Proof, field by field

To read is not to prove. Both fill the same `Cache`, so each field can be compared, on a batch with padding,
odd sizes and starting states that aren't zero:
"""

# %%
rng = np.random.default_rng(5)
T, N, D, H = 7, 5, 3, 19                                                # 19: one group of 16, and a rest
p = lstm.init(rng, D, H)
xs, dhs = rng.normal(size=(T, N, D)), rng.normal(size=(T, N, H))
mask = np.arange(T)[:, None] < np.array([7, 1, 4, 7, 2])
s0, d = (lstm.State(*rng.normal(size=(2, N, H))) for _ in range(2))

def everything(side):
    """All that a layer computes, as one dict of arrays."""
    hs, last, k = backends[side].unroll(lstm, p, xs, s0, mask)
    dxs, ds0, grads = backends[side].unroll_backward(lstm, p, k, dhs, d, mask)
    if isinstance(k, list):                                             # NumPy: one Cache for each step
        k = tree.map(lambda *steps: np.stack(steps), *k)
    return dict([("hs", hs), ("dxs", dxs), *tree.named(last, "last"), *tree.named(k, "cache"),
                 *tree.named(ds0, "ds0"), *tree.named(grads, "grads")])

readable, kernel = everything("numpy"), everything("numba")
for name, a in readable.items():
    print(f"{name:13} {str(a.shape):12} {abs(a - kernel[name]).max() / abs(a).max():.0e}")
assert readable.keys() == kernel.keys()
assert max(abs(a - kernel[name]).max() / abs(a).max() for name, a in readable.items()) < 1e-12

# %% [markdown]
r"""
Not equal bits: sums in another order round in another way. But $10^{-16}$ is rounding, and a wrong equation
is not. (Compare in float64: in float32 rounding is $10^{-7}$ and can hide a small mistake.)

### Exercise 2: the judge

Write that comparison so that nothing slips through. Return the names of the fields where the compiled code
is wrong: missing, of another shape, or with an error above `tolerance`, relative to the largest entry of the
readable code's field. Mind what `>` says of NaN, and what NumPy makes of shapes $(H,)$ and $(N, H)$.
"""

# %% exercise="prove-equal"
def differing(readable, kernel, tolerance):
    """readable, kernel: dicts of name -> array; -> sorted list of the names where they differ."""
    ### BEGIN SOLUTION
    names = []
    for name, a in readable.items():
        b = kernel.get(name)
        if b is None or b.shape != a.shape or not abs(a - b).max() <= tolerance * abs(a).max():
            names.append(name)                                          # not <=: true for NaN as well
    return sorted(names)
    ### END SOLUTION

# %% check="prove-equal" points=2
with attempt("prove-equal"):
    def spoiled(name, change):
        b = {field: a.copy() for field, a in readable.items()}
        b[name] = change(b[name])
        return b

    def one_entry(value):
        def change(a):
            a.flat[a.size // 2] += value
            return a
        return change

    assert list(differing(readable, kernel, 1e-12)) == [], "Both agree, and are called different."
    large = {"a": np.array([1e6, 1.0]), "b": np.zeros(3)}
    near = {"a": np.array([1e6, 1.0 + 1e-8]), "b": np.zeros(3)}
    assert list(differing(large, near, 1e-12)) == [], "1e-8 next to 1e6 is rounding; and zeros equal zeros."
    for words, name, change in (
            ("one entry is off by 1e-6", "cache.f", one_entry(1e-6)),
            ("one entry is NaN", "grads.U", one_entry(np.nan)),
            ("the sign of one entry is wrong", "dxs", lambda a: a * np.where(a == a.min(), -1, 1)),
            ("all is NaN", "hs", lambda a: a * np.nan),
            ("another shape that NumPy would stretch", "grads.b", lambda a: np.stack([a, a])),
            ("all is zero", "ds0.c", lambda a: 0 * a)):
        got = list(differing(readable, spoiled(name, change), 1e-12))
        assert got == [name], f"{name}: {words}; you say {got}."
    without = {field: a for field, a in readable.items() if field != "last.c"}
    assert list(differing(readable, without, 1e-12)) == ["last.c"], "The compiled code has no last.c."
    two = {**readable, "hs": readable["hs"] + 1, "cache.i": readable["cache.i"] * 2}
    assert list(differing(readable, two, 1e-12)) == ["cache.i", "hs"], "Two fields are wrong: both, sorted."

# %% [markdown]
r"""
## Measure before you compile

Which loop is worth compiling? A **profile** says where the time went. *Own* time is spent in a function
itself, *cumulative* time includes the functions it called: whoever calls all others always leads in that.
"""

# %%
def profile(run):
    """-> list of (own seconds, cumulative seconds, calls, function), greatest own time first."""
    profiler = cProfile.Profile(clock)
    profiler.enable()
    run()
    profiler.disable()
    rows = pstats.Stats(profiler).stats.items()
    return sorted(((own, cumulative, calls, name) for (_, _, name), (_, calls, own, cumulative, _) in rows),
                  reverse=True)

def page_layer():
    args, dhs = layer(50, 32, 128, 128, "float32")
    _, last, k = unroll.forward(*args)
    unroll.backward(lstm, args[1], k, dhs, tree.zeros_like(last), args[4])

rows = profile(page_layer)
total = sum(own for own, *_ in rows)
print("   own  cumulative   calls")
for own, cumulative, calls, name in rows[:6]:
    print(f"{own / total:6.0%} {cumulative / total:10.0%} {calls:8d}   {name}")
called = {name: calls for _, _, calls, name in rows}
assert called["step"] == called["step_backward"] == 50

# %% [markdown]
r"""
The cell's two steps stand at the top: all multiplications are theirs, two thirds of them in `step_backward`.
The kernels repeat these two, and the time loop around them. And what is called most need not cost most:
compare the calls with the first column.

### Exercise 3: find the hot spot

You get a program, a function without arguments. Which function does it spend its *own* time in, most of
all? Functions that are called often are not always those.
"""

# %% exercise="profile"
def hot_spot(run):
    """-> name of the function with the greatest own time while run() runs."""
    ### BEGIN SOLUTION
    return profile(run)[0][3]
    ### END SOLUTION

# %% check="profile"
def program(hot):
    """Three functions under `train`; `hot` works most, `tokens` is called most."""
    source = "\n".join(f"def {name}(n):\n    total = 0\n    for k in range(n):\n        total += k * k\n"
                       for name in ("tokens", "attend", "readout"))
    names = {}
    exec(source, names)

    def train():
        for _ in range(200):
            names["tokens"](10)
        for name in ("attend", "readout"):
            names[name](600_000 if name == hot else 30_000)
    return train

with attempt("profile"):
    for hot in ("attend", "readout"):
        said = hot_spot(program(hot))
        assert said != "train", "train calls all the others: that is cumulative time."
        assert said != "tokens", "tokens is called most often, but each call is short."
        assert said == hot, f"You say {said!r}; most of the work was done in {hot!r}."

# %% [markdown]
r"""
## The end, and on

You began with the question what $x_t$ is. You have built every part of a translator, forward and backward,
checked each against a second witness, and seen how it becomes fast without becoming unreadable. From here:

- `minis2s train phrases` trains the large model, with all cores; `minis2s translate` asks it.
- `minis2s formulas` has each formula of the five documents, as printed and as intended.
- `minis2s bench` measures on your machine what this notebook measured on another.
- The next step that history took: attention *without* the recurrent network. You know its parts.
"""
