# %% [markdown]
r"""
# 15 · LSTM or Transformer?

*Reading 20 minutes, exercises 30 minutes.*

All five documents end at the Transformer. Here it meets an LSTM with attention: the same task, as many
parameters, the same pairs in the same batches. Three questions: how does each know the order of what it
reads, what does a step cost as texts grow, and who has learned more after equal steps?

On the command line `minis2s compare reverse` does this for any task, with tuning and three seeds.
"""

# %%
import numpy as np

from minis2s.classroom.notebooks import attempt, compare, judge, picture
from minis2s.data.batches import make_batch, pad
from minis2s.documents import comparison
from minis2s.model import architectures, transformer_encoder
from minis2s.model import parameters as model_parameters
from minis2s.model.config import Config

LETTERS, LONGEST = 10, 8
V = 4 + LETTERS                                         # four special tokens come first

def strings(rng, count, shortest, longest):
    """Random strings of letters, each with its reverse."""
    sizes = rng.integers(shortest, longest + 1, size=count)
    sources = [rng.integers(4, V, size=size).tolist() for size in sizes]
    return [(x, x[::-1]) for x in sources]

both = comparison.configs(V, V, 32)
for name, config in both.items():
    print(f"{name:12} H = {config.hidden:3}: {comparison.parameters(config):,} parameters")
counts = [comparison.parameters(config) for config in both.values()]
assert abs(counts[0] / counts[1] - 1) < 0.2

# %% [markdown]
r"""
## What order is

An LSTM reads $x_t$ with a state that has read $x_1 \dots x_{t-1}$: it cannot but know the order.
Self-attention reads all positions with one softmax, and a sum has no order:

$$ctx_t = \sum_i \alpha_{ti} v_i, \qquad \alpha_t = \mathrm{softmax}_i(q_t \cdot k_i / \sqrt{d})$$

So if nothing tells a token its place, a source in another order has the same states, in that order.
Learned positions that are all zero are no positions:
"""

# %%
config = Config(V, V, architecture="transformer", hidden=16, heads=4, layers=2, positions="learned",
                max_positions=20, dtype="float64")
p = model_parameters.init(config, 0)
word, order = np.array([4, 5, 6, 7, 8]), np.array([2, 0, 4, 1, 3])

def states(encoder, ids):
    """The encoder's states (T, D) of one source."""
    hs, _ = transformer_encoder.forward(encoder, config, ids[:, None], np.ones((len(ids), 1), bool))
    return hs[:, 0]

without = p.encoder._replace(positions=np.zeros_like(p.encoder.positions))
for label, encoder in (("without positions", without), ("with positions", p.encoder)):
    away = abs(states(encoder, word[order]) - states(encoder, word)[order]).max()
    print(f"{label}: the states of the shuffled source are the shuffled states, but for {away:.1e}")
assert abs(states(without, word[order]) - states(without, word)[order]).max() < 1e-12
assert abs(states(p.encoder, word[order]) - states(p.encoder, word)[order]).max() > 1e-3

# %% [markdown]
r"""
"Dog bites man" and "man bites dog" would be one sentence. Therefore each embedding has its position
added: a learned row, or sinusoids of many wavelengths.

### Exercise 1: positions

$P_{t,2j} = \sin(t / 10000^{2j/D})$ and $P_{t,2j+1} = \cos(t / 10000^{2j/D})$, with $t = 0, 1, \dots$
"""

# %% exercise="position-encoding"
def position_encoding(steps, size):
    """T = steps positions of D = size numbers -> P (T, D)."""
    ### BEGIN SOLUTION
    t, j = np.arange(steps)[:, None], np.arange(size)
    angles = t / 10000 ** (2 * (j // 2) / size)
    return np.where(j % 2 == 0, np.sin(angles), np.cos(angles))
    ### END SOLUTION

# %% check="position-encoding" points=2
judge("position-encoding", position_encoding)

# %% [markdown]
r"""
## What a step costs

An LSTM layer multiplies $4(D H + H^2)$ times for each token: its cost is straight in $T$. A Transformer's
encoder layer has four matrices $(D, D)$ and two of $(D, F)$ for each token, and attention, where each of
$T$ queries meets each of $T$ keys twice: once for the scores, once for the mean of the values.

$$T \,(4 D^2 + 2 D F) + 2\, T^2 D$$

### Exercise 2: predict where the square begins

At which $T$ do both terms cost the same? And what is the cost multiplied by if $T$ doubles?
"""

# %% exercise="predict-square"
def even(D, F):
    """-> the T at which both terms are equal"""
    ### BEGIN SOLUTION
    return (4 * D ** 2 + 2 * D * F) / (2 * D)
    ### END SOLUTION

def doubling(T, D, F):
    """-> cost for 2T divided by cost for T"""
    ### BEGIN SOLUTION
    return 2 * (even(D, F) + 2 * T) / (even(D, F) + T)
    ### END SOLUTION

# %% check="predict-square"
with attempt("predict-square"):
    def work(T, D, F):
        return T * (4 * D * D + 2 * D * F) + 2 * T * T * D
    for D, F in ((64, 256), (36, 144), (8, 10)):
        T = even(D, F)
        assert abs(work(T, D, F) - 4 * T * T * D) < 1e-6, f"D = {D}, F = {F}: the terms differ at {T}."
        for T in (5, 500):
            factor = work(2 * T, D, F) / work(T, D, F)
            assert abs(doubling(T, D, F) - factor) < 1e-9, f"T = {T}, D = {D}, F = {F}: {factor:.3f}."

# %% [markdown]
r"""
With the usual $F = 4D$ that is $T = 6D$: for the small model of this page some hundred tokens, for the
base model of the paper ($D = 512$) about three thousand. Below it the matrices cost more than attention.

Now time. **Before you run the cell below**, write down what you expect: by what factor does the time of
the Transformer's step, forward and backward, grow from $T = 64$ to $T = 256$? Four times the tokens,
sixteen times the pairs of tokens.
"""

# %%
my_guess = None                                         # your number, then run the cell

lengths = [16, 32, 64, 128, 256]
cost = {name: comparison.cost(config, lengths, repeats=3) for name, config in both.items()}
growth = cost["transformer"][4] / cost["transformer"][2]
compare("growth of the Transformer's step from 64 to 256", my_guess, growth)
slopes = {name: comparison.slope(lengths, times) for name, times in cost.items()}
for name, times in cost.items():
    print(f"{name:12} " + ", ".join(f"T = {T}: {1000 * s:.1f} ms" for T, s in zip(lengths, times))
          + f"; slope {slopes[name]:.2f}")

# %%
with picture("Time of a step against T, both axes logarithmic. The LSTM's is a straight line; the "
             "Transformer's begins lower and is steeper at the right end.", 6, 2.8) as axes:
    for (name, times), marker in zip(cost.items(), "os"):
        axes.loglog(lengths, [1000 * s for s in times], marker=marker, label=name)
    axes.set(xlabel="T = S", ylabel="milliseconds")
    axes.set_xticks(lengths, lengths)
    axes.minorticks_off()
    axes.legend()

# %% [markdown]
r"""
NumPy computes both here, so a call costs as much as many multiplications: the LSTM makes some dozen
calls for *each step*, the Transformer for *all steps at once*. Its calls are few and large, which is also
why it suits graphics processors. Its memory is the other side: the weights are $T \times S$ for each head.

## Who has learned more?

The same pairs in batches of the same size, the same number of steps, the step size 0.003. Strings of up to
8 letters are to be reversed; the test has up to 12.
"""

# %%
rng = np.random.default_rng(0)
train, valid = strings(rng, 2_000, 1, LONGEST), strings(rng, 60, 1, LONGEST)
test = strings(rng, 150, 1, LONGEST + 4)
bins = [(1, 4), (5, LONGEST), (LONGEST + 1, LONGEST + 4)]
curves, by_length = {}, {}
for name, config in both.items():
    p, curves[name] = comparison.trained(config, (32, 3e-3, 20), 378, train, valid, 0, 6)
    by_length[name] = comparison.by_length(p, config, test, bins)
    print(f"{name:12} " + ", ".join(f"{low} to {high} letters: {right:.0%} exact"
                                    for (low, high), right in zip(bins, by_length[name])))

# %%
with picture("Share of letters right on unseen strings, left against steps, right against seconds of "
             "processor time; the LSTM's curve lies above.", 8, 2.8, columns=2, sharey=True) as (left, right):
    for (name, rows), marker in zip(curves.items(), "os"):
        left.plot([row[0] for row in rows], [row[2] for row in rows], marker=marker, label=name)
        right.plot([row[1] for row in rows], [row[2] for row in rows], marker=marker, label=name)
    left.set(xlabel="steps", ylabel="letters right")
    right.set(xlabel="seconds")
    left.legend()

# %%
last = {name: rows[-1][2] for name, rows in curves.items()}
equal, second = comparison.at_equal_seconds({name: [rows] for name, rows in curves.items()})
for what, shares in (("equal steps", last), (f"{second:.1f} equal seconds", equal)):
    print(f"letters right after {what}: "
          + ", ".join(f"{name} {right:.1%}" for name, right in shares.items()))
assert min(last.values()) > 2 / LETTERS                 # both have learned more than to guess

# %% [markdown]
r"""
On strings as short as these the LSTM with attention learns in fewer steps, and is better on lengths that it
has never seen. But one seed and one setting are an anecdote, not a result: another step size may turn it
round. What counts as a fair comparison is written in `minis2s/documents/comparison.py`: equal parameters,
equally many settings tried for both, several seeds, and a rule for who wins that stands before the
measurement.

## What to take along

| question | LSTM with attention | Transformer |
|---|---|---|
| order | by reading one token after the other | only by positions that are added |
| steps that wait for one another | $T$ for each layer | one for each layer |
| cost of a step | straight in $T$ | straight, then square from about $T = 6D$ on |
| memory while an answer is written | a state | keys and values of every token so far |
"""
