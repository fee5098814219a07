# %% [markdown]
r"""
# 9 · Encoder and decoder: one reads, one writes

*Reading 25 minutes, exercises 35 minutes.*

"12+34" comes in, "46" shall go out: another length, other letters. One network reads, another writes.
Document A (§4.2) prints the one that writes: $s_t = \sigma(W_d\,[y_t; s_{t-1}])$. We take a GRU for
its $\sigma$ and train it on sums, twice from the same weights with the same examples: once fed as printed,
$y_t$; once fed one token earlier, $y_{t-1}$.
"""

# %%
import numpy as np

from minis2s import Config, Seq2Seq, Training
from minis2s.layers import loss
from minis2s.model import decoder, seq2seq
from minis2s.training import loop as train
from minis2s.data.batches import make_batch
from minis2s.data.vocabulary import Vocabulary
from minis2s.classroom.notebooks import judge, picture
from minis2s.documents.printed import c as printed_c
from minis2s.viewer.trace import trace

order = np.random.default_rng(0).permutation(10_000)                    # every sum of two numbers below 100
sums = [(f"{i // 100}+{i % 100}", str(i // 100 + i % 100)) for i in order]
practised, unseen = sums[:8000], sums[9500:]
digits = Vocabulary.build(x for x, _ in sums)
V = len(digits)
config = Config(source_vocab=V, target_vocab=V, cell="gru", embedding=16, hidden=32, attention="none")

def as_batch(pairs):
    return make_batch(*zip(*[(digits.encode(x), digits.encode(y)) for x, y in pairs]))

def answers(p, batch):
    """Which answers are right when the decoder is fed its own words?"""
    logits = seq2seq.forward(p, config, batch, teacher_mask=np.zeros(batch.inputs.shape, bool))[1]
    return ((logits.argmax(axis=2) == batch.targets) | ~batch.target_mask).all(axis=0)

test = as_batch(unseen)
rule, ends = Training(lr=0.01, clip=1.0), {}
for fed in ("y_t", "y_{t-1}"):
    progress = train.begin(config, rule)
    for k in range(120):
        batch = as_batch(practised[64 * k:64 * k + 64])
        if fed == "y_t":
            batch = batch._replace(inputs=batch.targets)                # as printed
        progress = train.one_step(config, rule, progress, batch, rule.lr)
    seen = test._replace(inputs=test.targets) if fed == "y_t" else test
    ends[fed] = seq2seq.forward(progress.params, config, seen)[0], answers(progress.params, test).mean()
    print(f"fed {fed:8} loss on unseen sums {ends[fed][0]:.4f}; alone, {ends[fed][1]:.1%} of them right")
assert ends["y_t"][0] < 0.05 and ends["y_t"][1] < 0.05 and ends["y_{t-1}"][0] > 0.5

# %% [markdown]
r"""
As printed the loss is nearly 0, on sums it has never seen, and it cannot add at all: $y_t$, the answer, *is*
its input, so it copies. Alone it has nothing to copy from. The other one pays for each token and begins to
learn. One index makes the difference. What is meant:

$$h_i = \text{cell}(x_i, h_{i-1}) \qquad s_0 = h_T \qquad s_t = \text{cell}(y_{t-1}, s_{t-1}) \qquad
p_t = \text{softmax}(s_t W_y + b_y)$$

| letter | name | shape |
|---|---|---|
| $x_i$, $i = 1 \dots T$ | what is read, each token as a row of numbers (its embedding) | $(N, E)$ |
| $h_i$ | state of the **encoder**, which reads | $(N, H)$ |
| $y_t$, $t = 1 \dots S$ | the answer, its end mark EOS included; $y_0$ is the mark BOS | $(N, E)$ |
| $s_t$ | state of the **decoder**, which writes | $(N, H)$ |
| $p_t$ | probabilities of the next token | $(N, V)$ |

The document has no $W_y$ either: there $s_t$ itself had to have as many entries as there are words. The loss
(document E, §3.3) is a sum over the answer, each token given those before it *and* the source:

$$L = -\sum_t \log p(y_t \mid y_1 \dots y_{t-1}, x)$$

The library divides it by the number of tokens: nats per token.

### Exercise 1: shift

Inputs and targets are the same tokens, one step apart. Get this wrong by one and you have the leak above.
"""

# %% exercise="shift-targets"
def shift_targets(answers):
    """answers: N lists of ids -> inputs, targets, mask (S, N); PAD 0, BOS 1, EOS 2, S = longest + 1."""
    ### BEGIN SOLUTION
    S, N = max(map(len, answers)) + 1, len(answers)
    inputs, targets, mask = np.zeros((S, N), int), np.zeros((S, N), int), np.zeros((S, N), bool)
    for n, y in enumerate(answers):
        inputs[:len(y) + 1, n], targets[:len(y) + 1, n], mask[:len(y) + 1, n] = [1, *y], [*y, 2], True
    return inputs, targets, mask
    ### END SOLUTION

# %% check="shift-targets"
judge("shift-targets", shift_targets)

# %% [markdown]
r"""
### Exercise 2: teacher forcing

In training the decoder is fed the *right* token $y_{t-1}$, whatever it would have said itself. This is called
teacher forcing. The step is given; feed it.
"""

# %% exercise="teacher-forcing"
def teacher_forcing(step, s0, targets):
    """step(ids (N,), s) -> logits (N, V), s; targets (S, N), EOS included -> logits (S, N, V)."""
    ### BEGIN SOLUTION
    ids, s, logits = np.ones(targets.shape[1], int), s0, []
    for y in targets:
        scores, s = step(ids, s)
        logits.append(scores)
        ids = y
    return np.stack(logits)
    ### END SOLUTION

# %% check="teacher-forcing"
judge("teacher-forcing", teacher_forcing)

# %% [markdown]
r"""
## One state is all that passes

Encoder and decoder touch in one place, $s_0 = h_T$. Seen from the gradient they are one long chain $h_1
\dots h_T, s_1 \dots s_S$. Take the task "say it backwards": `abc` becomes `cba`. The first letter written
is the one read last, the state next door; the last letter written is the one read *first*, at the other end
of the chain. How much of its loss gets there, in a model that has learned nothing yet?
"""

# %%
letters = "abcdefgh"
def words(rng, count, longest):
    """Different words of 1 ... longest letters, with themselves backwards."""
    found = {}
    while len(found) < count:
        word = "".join(rng.choice(list(letters), rng.integers(1, longest, endpoint=True)))
        found[word] = word[::-1]
    return list(found.items())

T, H = 10, 64
abc = Vocabulary.build(letters)
fresh = Config(source_vocab=len(abc), target_vocab=len(abc), cell="gru", embedding=32, hidden=H,
               attention="none", dtype="float64")
p = seq2seq.init(fresh)
drawn = ["".join(w) for w in np.random.default_rng(1).choice(list(letters), (32, T))]
batch = make_batch([abc.encode(w) for w in drawn], [abc.encode(w[::-1]) for w in drawn])
L, logits, k = seq2seq.forward(p, fresh, batch)
dlogits = loss.backward(k.loss)

sizes = np.zeros((T + 1, T + T + 1))                        # [answer token t, state of the chain]
for t in range(T + 1):
    only = np.zeros_like(dlogits)
    only[t] = dlogits[t]                                    # the loss of token t alone
    with trace() as seen:
        _, ds0, dsource = decoder.backward(p.decoder, fresh, k.source, k.decoder, only)
        seq2seq.encode_backward(p, fresh, k.source, k.encode, dsource, ds0)
    read = seen.encoder(layer=0, mark="M1*").dh.stack()
    written = seen.decoder(layer=0, phase="backward").dh.stack()
    sizes[t] = np.sqrt((np.concatenate([read, written]) ** 2).sum(axis=(1, 2)))
sizes /= sizes[0, T]                                        # token 1 at its own state is 1

with picture("Heat map, a row for each letter of the answer, a column for each state of the chain h1 to "
             "h10, s1 to s11. Each row is bright at its own state and fades to the left; right of it all "
             "is empty. Crosses mark the letter that each must repeat: bright for the first, faint for the "
             "last.",
             7.5, 3.4) as axes:
    shown = axes.imshow(np.log10(np.where(sizes > 0, sizes, np.nan)), vmin=-3, vmax=0)
    axes.plot(np.arange(T)[::-1], np.arange(T), "x", color="#D55E00", ms=7, mew=2)
    axes.axvline(T - 0.5, color="0.3")
    axes.set(xticks=range(2 * T + 1), yticks=range(T + 1), yticklabels=range(1, T + 2),
             ylabel="token of the answer",
             xticklabels=[f"$h_{{{i}}}$" for i in range(1, T + 1)]
             + [f"$s_{{{t}}}$" for t in range(1, T + 2)])
    axes.grid(False)
    axes.figure.colorbar(shown, label="log10 of the gradient's size")

near, far = sizes[0, T - 1], sizes[T - 1, 0]
print(f"to the letter that it repeats: from the first token {near:.3f}, from the tenth {far:.5f}")
print(f"one in {near / far:.0f} arrives")
crosses = sizes[np.arange(T), np.arange(T)[::-1]]
assert far < 0.1 * near and (np.diff(crosses) < 0).all() and (sizes[0, T + 1:] == 0).all()

# %% [markdown]
r"""
Bright where a token stands, fading to the left, and nothing from the right: what is written later cannot
have been the reason. The crosses are what "backwards" needs. Each is two columns further off than the one
above, and each is fainter.

Two ways to shorten the road. **Read the source from its end** (Sutskever et al. 2014): then the *beginning*
of the source stands beside the beginning of the answer. Or **feed $h_T$ at every step**, document C's way
(§2.2; Cho et al. 2014):

$$y_t = \text{Decoder}(h, y_{t-1})$$

As printed this has no $s_t$: nothing changes from step to step but the last word. Then let it say `11`, and
stop. It has to say 1 after BOS, 1 after 1, EOS after 1:
"""

# %%
rng = np.random.default_rng(0)
printed = printed_c.init(rng, 2, 2, 3, 3)                           # three words, states of two
h, one = rng.normal(size=(1, 2)), np.ones((1, 2))                   # what was read; the word "1"
again, stop = (printed_c.decoder_step(printed, one, h)[0][0] for _ in range(2))
print("after the first 1:", again.round(3), " after the second:", stop.round(3))

chances = np.linspace(0.001, 0.999, 999)                    # of saying 1 after 1, whatever the weights
best = (chances * (1 - chances)).max()
print(f"probability of 1 and then EOS: {best:.3f} at best, loss {-np.log(best):.3f}")
assert (again == stop).all() and abs(best - 0.25) < 1e-6

# %% [markdown]
r"""
No training can help: it cannot count to two. What is meant is $s_t = \text{cell}([y_{t-1}; h_T], s_{t-1})$.

The three on the sums: source as it stands, source from its end, and from its end with $h_T$ at every step.
"""

# %%
ways = {"as it stands": dict(), "from its end": dict(reverse_source=True),
        "and h_T at every step": dict(reverse_source=True, context="every-step")}
training = Training(epochs=7, batch=32, lr=7e-3, lr_final=2e-4, clip=1.0)
models = {}
for name, choices in ways.items():
    choices = Config(cell="gru", embedding=16, hidden=64, attention="none", **choices)
    models[name] = Seq2Seq(choices, backend="numba").fit(practised, unseen, training=training, progress=False)

with picture("Share of unseen sums answered right against the epoch, three rising curves. With h_T at "
             "every step it rises first and ends near 1; with the source read from its end it rises later; "
             "as it stands it is the last.", 7, 2.8) as axes:
    for (name, model), dashes in zip(models.items(), ("-", "--", "-.")):
        axes.plot([r["epoch"] for r in model.records], [r["valid_exact_match"] for r in model.records],
                  dashes, marker="o", label=name)
    axes.set(xlabel="epoch", ylabel="sums right", ylim=(0, 1.02))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
exact = {name: model.records[-1]["valid_exact_match"] for name, model in models.items()}
for name, share in exact.items():
    print(f"{name:22} {share:.1%} of 500 unseen sums right")
assert exact["and h_T at every step"] > 0.7 and exact["and h_T at every step"] > exact["as it stands"]

# %% [markdown]
r"""
## The teacher leaves

The losses of training are teacher-forced: at every step the past is right. Alone the model is fed its *own*
words, **free running**, and one wrong word is in its past from then on. Both losses, of the model that
reads the source as it stands:
"""

# %%
model = models["as it stands"]
forced, free = (np.array([r[f"valid_loss_{kind}"] for r in model.records])
                for kind in ("teacher_forced", "free_running"))
with picture("Loss on unseen sums against the epoch. Both curves fall; the one of the free-running model "
             "lies above the teacher-forced one all the time.", 7, 2.6) as axes:
    epochs = [r["epoch"] for r in model.records]
    axes.plot(epochs, forced, marker="o", label="teacher-forced")
    axes.plot(epochs, free, "--", marker="o", label="free-running")
    axes.set(xlabel="epoch", ylabel="nats per token", ylim=(0, None))
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5))
print(f"at the end: teacher-forced {forced[-1]:.3f}, free-running {free[-1]:.3f}, "
      f"{free[-1] / forced[-1]:.2f} times")
assert free.mean() > 1.05 * forced.mean()

read = make_batch(*zip(*[(model.source_vocab.encode(x), model.target_vocab.encode(y)) for x, y in unseen]))
wrong, M = {}, read.target_mask
for kind, teacher in (("teacher", None), ("own", np.zeros(read.inputs.shape, bool))):
    guess = seq2seq.forward(model.params, model.config, read, teacher)[1].argmax(axis=2)
    wrong[kind] = (guess != read.targets) & M
stumbled = wrong["own"][0] & M[1]                                   # first digit wrong, another token to come
after = {kind: w[1, stumbled].mean() for kind, w in wrong.items()}
print(f"{stumbled.sum()} answers begin with a wrong digit. The next token is wrong in {after['own']:.0%},")
print(f"and in {after['teacher']:.0%} if the teacher corrects the first one")
assert after["own"] > after["teacher"]

# %% [markdown]
r"""
A mistake is not paid once. So judge a model by what it says alone, never by its training loss.

### Exercise 3: greedy

Now nobody knows $y_{t-1}$. Take the most probable token at each step, feed it, and stop each answer at its
own EOS.
"""

# %% exercise="greedy"
def greedy(step, s0, max_length):
    """step(ids (N,), s) -> logits (N, V), s -> ids (max_length, N): y_1, y_2, ..., EOS, PAD, PAD."""
    ### BEGIN SOLUTION
    N = len(s0)
    y, s, done, ids = np.ones(N, int), s0, np.zeros(N, bool), []
    for _ in range(max_length):
        logits, s = step(y, s)
        y = np.where(done, 0, logits.argmax(axis=1))
        done = done | (y == 2)
        ids.append(y)
    return np.stack(ids)
    ### END SOLUTION

# %% check="greedy" points=2
judge("greedy", greedy)

# %% [markdown]
r"""
## What is missing

All that is read must pass through *one* state of $H$ numbers, however long the source is. Back to saying it
backwards, with words of 1 to 10 letters:
"""

# %%
pairs = words(np.random.default_rng(2), 4500, T)
backwards = Seq2Seq(Config(cell="gru", embedding=32, hidden=48, attention="none"), backend="numba")
training = Training(epochs=5, batch=32, lr=7e-3, lr_final=2e-4, clip=1.0)
backwards.fit(pairs[:4000], pairs[4000:], training=training, progress=False)
said = backwards.translate([x for x, _ in pairs[4000:]])
right = {length: np.mean([a == y for a, (x, y) in zip(said, pairs[4000:]) if len(x) == length])
         for length in range(3, T + 1)}
with picture("Bars: the share of unseen words said backwards without a mistake falls with their length, "
             "from nearly all of 3 letters to few of 10.", 7, 2.4) as axes:
    axes.bar(list(right), list(right.values()))
    axes.set(xlabel="letters", ylabel="words right", ylim=(0, 1))
print(f"3 to 5 letters: {np.mean([right[n] for n in (3, 4, 5)]):.0%} right; "
      f"8 to 10: {np.mean([right[n] for n in (8, 9, 10)]):.0%}")
assert np.mean([right[n] for n in (3, 4, 5)]) > 0.15 + np.mean([right[n] for n in (8, 9, 10)])

# %% [markdown]
r"""
The decoder should be able to look at *any* $h_i$ when it needs it. Document B (§4.1) prints how:

$$s_t = \text{Decoder}(s_{t-1}, h_t, a_t) \qquad\qquad a_t = \text{Attention}(s_t, h_t)$$

Which of the two lines comes first? $s_t$ needs $a_t$, and $a_t$ needs $s_t$. Take it at its word, with one
unit and two source words, and go round in the circle until nothing changes:
"""

# %%
h, rests = np.array([1.0, -1.0]), []                                # h_1, h_2
for start in (-1.0, 0.0, 1.0):
    s = start
    for _ in range(200):
        weights = np.exp(s * h) / np.exp(s * h).sum()               # a = Attention(s, h)
        s = np.tanh(2 * (weights * h).sum())                        # s = Decoder(a, h)
    rests.append(s)
    print(f"begun at {start:4.1f}, s comes to rest at {s:7.4f}")
assert np.ptp(rests) > 1 and abs(rests[1]) < 1e-9

# %% [markdown]
r"""
Three states solve the printed lines. Cut the circle: ask with the *old* state $s_{t-1}$, before the cell
(Bahdanau), or with the *new* one, after the cell (Luong). Both are right, the library has both, and
**notebook 10** builds what they ask.
"""
