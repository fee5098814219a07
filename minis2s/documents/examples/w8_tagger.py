"""W8, document E 4: embedding -> LSTM -> LSTM -> softmax with Adam and sparse cross-entropy.

It shows what the listing really builds, part P4: a tagger.  It says one output for each input, at the moment
it reads it.  An encoder-decoder reads everything first.  So the tagger can do y_t = f(x_1 .. x_t), S = T, and
no more.
"""
from typing import NamedTuple

import numpy as np

from ...core import tree
from ...data.batches import make_batch
from ...layers import embedding, linear, loss, recurrent
from ...layers.cells import lstm
from ...model import seq2seq
from ...model.config import Config
from ...training import loop as train, optimizers
from ...training.options import Training
from . import show

TITLE, WHERE = "embedding, LSTM, LSTM, softmax: a tagger was built", "E §4"

SYMBOLS, LENGTH, N, H, E = 6, 4, 32, 32, 16                     # symbols have ids 4..9
V, STEPS, STEP = SYMBOLS + 4, 300, 0.01
TASKS = {"next symbol": lambda x: [4 + (i - 3) % SYMBOLS for i in x],      # each symbol by itself
         "running sum": lambda x: [4 + sum(i - 4 for i in x[:t + 1]) % SYMBOLS for t in range(len(x))],
         "reverse": lambda x: x[::-1]}                          # the order changes


class Params(NamedTuple):
    embedding: np.ndarray      # (V, E)
    layers: tuple              # of lstm.Params: what the listing calls encoder_lstm and decoder_lstm
    readout: linear.Params     # output_layer


class Trained(NamedTuple):
    losses: list               # every update
    accuracy: np.ndarray       # (T,) held out, at each position
    exact: float               # share of held-out sequences right


class Result(NamedTuple):
    tagger: dict               # task -> Trained
    encoder_decoder: Trained   # on "reverse"
    bound_accuracy: np.ndarray     # (T,) the best that any tagger can do on "reverse"
    bound_loss: float
    shapes: list               # (layer, shape of what comes out), of the tagger
    lengths_error: str         # what happens with two targets for four sources


def init(rng):
    """First parameters, float32."""
    layers = lstm.init(rng, E, H), lstm.init(rng, H, H)
    p = Params(embedding.init(rng, V, E), layers, linear.init(rng, H, V))
    return tree.map(lambda a: a.astype(np.float32), p)


def forward(p, source, mask):
    """The listing's Sequential: ids (T, N) -> logits (T, N, V), cache."""
    xs = embedding.forward(p.embedding, source)                 # (E1)
    hs, _, stack = recurrent.forward(lstm, p.layers, xs, mask)  # (L1)..(L5), twice
    return linear.forward(p.readout, hs), (source, hs, stack)   # (Y1); the softmax is in the loss


def backward(p, cache, dlogits):
    """-> Params gradients."""
    source, hs, stack = cache
    dhs, g_readout = linear.backward(p.readout, hs, dlogits)
    nothing = tuple(recurrent.zero_state(lstm, q, source.shape[1]) for q in p.layers)   # finals: not read
    dxs, g_layers = recurrent.backward(lstm, p.layers, stack, dhs, nothing)
    return Params(embedding.backward(p.embedding, source, dxs), g_layers, g_readout)


def tag_loss(logits, targets):
    """Sparse cross-entropy, a target for each source position.

    Raises
    ------
    ValueError
        There are more or fewer targets than sources.
    """
    if len(targets) != len(logits):
        raise ValueError(f"{len(targets)} targets for {len(logits)} outputs: "
                         "a tagger says one for each source token")
    return loss.forward(logits, targets, np.ones(targets.shape, bool))      # (X1) (X3)


def draw(rng, task, n):
    """Random sequences and their targets: two lists of lists of ids."""
    xs = rng.integers(4, V, size=(n, LENGTH)).tolist()
    return xs, [TASKS[task](x) for x in xs]


def score(said, wanted):
    """Both (T, N): -> share right at each position, share of sequences right."""
    return (said == wanted).mean(axis=1), float((said == wanted).all(axis=0).mean())


def train_tagger(task, seed):
    """STEPS updates of Adam on new sequences each time: -> Trained, parameters."""
    rng = np.random.default_rng(seed)
    p, losses = init(rng), []
    held_out, state = draw(rng, task, 500), optimizers.start(p)
    for _ in range(STEPS):
        xs, ys = (np.array(a).T for a in draw(rng, task, N))
        logits, cache = forward(p, xs, np.ones(xs.shape, bool))
        L, k = tag_loss(logits, ys)
        losses.append(float(L))
        p, state = optimizers.adam(p, backward(p, cache, loss.backward(k)), state, STEP)
    xs, ys = (np.array(a).T for a in held_out)
    logits, _ = forward(p, xs, np.ones(xs.shape, bool))
    return Trained(losses, *score(logits.argmax(axis=2), ys)), p


def train_encoder_decoder(task, seed):
    """The same number of updates, of the library's encoder-decoder with attention: -> Trained."""
    rng = np.random.default_rng(seed)
    held_out = draw(rng, task, 500)
    config = Config(source_vocab=V, target_vocab=V, embedding=E, hidden=H, attention="general")
    training = Training(lr=STEP, seed=seed)
    progress, losses = train.begin(config, training), []
    for _ in range(STEPS):
        batch = make_batch(*draw(rng, task, N))
        progress = train.one_step(config, training, progress._replace(loss_sum=0.0, tokens=0), batch, STEP)
        losses.append(progress.loss_sum / progress.tokens)
    batch = make_batch(*held_out)
    alone = np.zeros(batch.inputs.shape, bool)                  # its own answers are fed back
    _, logits, _ = seq2seq.forward(progress.params, config, batch, alone)
    return Trained(losses, *score(logits.argmax(axis=2)[:LENGTH], batch.targets[:LENGTH]))


def run(seed=0):
    """Train the tagger on all tasks, and the encoder-decoder on the one that it fails: -> Result."""
    tagger = {task: train_tagger(task, seed) for task in TASKS}
    p = tagger["reverse"][1]
    xs = np.full((LENGTH, 1), 4)
    logits, (_, hs, _) = forward(p, xs, np.ones(xs.shape, bool))
    x = embedding.forward(p.embedding, xs)
    shapes = [("source ids", xs.shape), ("embedding_layer", x.shape), ("encoder_lstm", hs.shape),
              ("decoder_lstm", hs.shape), ("output_layer", logits.shape)]
    try:
        tag_loss(logits, xs[:2])
        error = ""
    except ValueError as e:
        error = str(e)
    known = np.array([LENGTH - 1 - t <= t for t in range(LENGTH)])      # y_t = x_{T+1-t} is read by then
    return Result({task: one for task, (one, _) in tagger.items()}, train_encoder_decoder("reverse", seed),
                  np.where(known, 1.0, 1 / SYMBOLS), float(np.mean(np.where(known, 0.0, np.log(SYMBOLS)))),
                  shapes, error)


def report(r):
    """Result -> lines."""
    out = ["W8  The tagger that the listing builds   (document E §4)"]
    out += show.slip("LSTM(..., return_state=True) returns three tensors; Sequential takes layers with one, "
                     "and refuses. Without return_state the listing builds. vocab_size, hidden_units and the "
                     "data are not defined.")
    out += show.heading("What it builds: shapes, T source tokens, N examples      (P4)")
    out += show.table([["layer", "comes out", "named"]] +
                      [[name, str(shape), what] for (name, shape), what in
                       zip(r.shapes, ["(T, N)", "(T, N, E)", "(T, N, H)", "(T, N, H)", "(T, N, V)"])])
    out += show.slip("decoder_lstm is a second layer, nothing more: it starts from zeros, reads the first "
                     "layer's h_t at step t, and never a target. p(y_t | y_<t, x) of E §3.3 is not what it "
                     "computes: its output t depends on x_1 .. x_t only.")
    out += ["  So there is no leak as in W2, and no word without a source token either:",
            f"    {r.lengths_error}"]
    out += show.heading(f"Three tasks: {LENGTH} random symbols out of {SYMBOLS}, Adam, {STEPS} updates of "
                        f"{N}")
    rows = [["tagger", "loss", *(f"t={t}" for t in range(1, LENGTH + 1)), "all right"]]

    def row(name, one):
        last = float(np.mean(one.losses[-20:]))
        return [name, show.number(last), *(f"{a:.0%}" for a in one.accuracy), f"{one.exact:.0%}"]
    rows += [row(task, one) for task, one in r.tagger.items()]
    rows += [["  best possible", show.number(r.bound_loss), *(f"{a:.0%}" for a in r.bound_accuracy),
              f"{np.prod(r.bound_accuracy):.0%}"], row("encoder-decoder: reverse", r.encoder_decoder)]
    out += show.table(rows)
    out += ["  (loss: mean of the last 20 updates; shares: 500 held-out sequences)"]
    out += show.remark("next symbol: y_t depends on x_t. running sum: y_t depends on x_1 .. x_t; this is "
                       "what an LSTM adds to a table. reverse: y_1 = x_4 must be said before x_4 is read. "
                       "The tagger "
                       f"guesses 1 of {SYMBOLS} where the answer has not been read, so its loss cannot fall "
                       f"below 2 ln {SYMBOLS} / 4 = {r.bound_loss:.3f}; the second half, already read, it "
                       f"gets right.")
    out += show.remark("The encoder-decoder reads to the end, then speaks, feeding itself its own answers. "
                       "Its loss counts EOS, too. This is what the text of E §2.1 describes.")
    out += show.look_next(("minis2s/layers/recurrent.py", "", "the stack of layers, part P4"),
                          ("minis2s/model/seq2seq.py", "(S1)..(S5)", "reads first, then speaks"),
                          ("minis2s/training/optimizers.py", "(O5) (O6)", "Adam"),
                          ("minis2s formulas E3.3", "", "sparse cross-entropy"))
    return out


if __name__ == "__main__":
    show.main(globals())
