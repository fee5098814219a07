"""W5, document C 4.4: (1, 2, 3, 4) -> (2, 3, 4, 5) with an LSTM encoder and an LSTM decoder.

It shows that the decoder must hand its state on from step to step.  As printed each output is LSTM(h_4, a
number): every step starts again from h_4.  Such a decoder gets this pair right, and fails where a number is
read twice.
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import softmax
from ...data.batches import Batch, make_batch
from ...data.vocabulary import BOS, EOS
from ...decoding import greedy
from ...model import seq2seq
from ...model.config import Config
from ...training import loop as train
from ...training.options import Training
from . import show

TITLE, WHERE = "(1,2,3,4) -> (2,3,4,5): the state must go on", "C §4.4"

X, Y = [1, 2, 3, 4], [2, 3, 4, 5]                               # as printed
PAIRS = [(X, Y), ([7, 7, 7], [1, 2, 3]), ([1, 2, 3], [7, 7, 7])]   # and two with one number again and again
OFFSET = 3                                                      # number n has id n + 3: ids 0..3 are special
CONFIG = Config(source_vocab=13, target_vocab=13, embedding=8, hidden=6, attention="none", dtype="float64")
STEPS, STEP = 300, 0.02


class Step(NamedTuple):
    fed: str
    h: np.ndarray              # (H,)
    c: np.ndarray              # (H,)
    p: np.ndarray              # (V,)
    said: str


class Result(NamedTuple):
    losses: list               # of the state handed on, before each of STEPS updates and at the end
    hs: np.ndarray             # (4, H)
    cs: np.ndarray             # (4, H)
    steps: list                # of Step
    answer: list               # numbers
    table: list                # for each of PAIRS the final losses in the order of `three_forms`
    stuck: np.ndarray          # (3, 3) p(1), p(2), p(3) at each step of (7, 7, 7), restarted and fed x_t


def ids(numbers):
    return [n + OFFSET for n in numbers]


def name(i):
    return {BOS: "BOS", EOS: "EOS"}.get(int(i), str(int(i) - OFFSET))


def restarted(x, fed, wanted):
    """Lists of ids.  Every step starts from h_T: it is a batch row of its own, of one decoder step."""
    source, real = np.repeat(np.array([x]).T, len(fed), axis=1), np.ones((1, len(fed)), bool)
    return Batch(source, np.ones(source.shape, bool), np.array([fed]), np.array([wanted]), real)


def three_forms(x, y):
    """Batches of the pair: state handed on; restarted and fed x_t; restarted and fed y_{t-1}."""
    x, y = ids(x), ids(y)
    return make_batch([x], [y]), restarted(x, x, y), restarted(x, [BOS, *y], [*y, EOS])


def learn(batch, seed):
    """STEPS updates of Adam on one batch: -> parameters, losses."""
    training = Training(lr=STEP, seed=seed)
    progress, losses = train.begin(CONFIG, training), []
    for _ in range(STEPS):
        progress = train.one_step(CONFIG, training, progress._replace(loss_sum=0.0, tokens=0), batch, STEP)
        losses.append(progress.loss_sum / progress.tokens)
    return progress.params, losses + [float(seq2seq.forward(progress.params, CONFIG, batch)[0])]


def run(seed=0):
    """Learn (1, 2, 3, 4) -> (2, 3, 4, 5) and answer it; then all pairs in all three forms: -> Result."""
    learned = [[learn(batch, seed) for batch in three_forms(*pair)] for pair in PAIRS]
    p, losses = learned[0][0]
    source = np.array([ids(X)]).T
    said = greedy(p, CONFIG, source, np.ones(source.shape, bool), 8)[0][0].ids
    batch = make_batch([ids(X)], [said])
    _, logits, k = seq2seq.forward(p, CONFIG, batch)            # fed its own answer: the free run again
    encoder = k.encode.encoder.stack.layers[0]
    steps = []
    for t, step in enumerate(k.decoder.steps):
        cell, probs = step.cells[0], softmax(logits[t, 0])
        steps.append(Step(name(batch.inputs[t, 0]), k.decoder.rs[t, 0], state_c(cell), probs,
                          name(probs.argmax())))
    stuck = learned[1][1][0]
    _, stuck_logits, _ = seq2seq.forward(stuck, CONFIG, three_forms(*PAIRS[1])[1])
    return Result(losses, k.encode.hs[:, 0], np.stack([state_c(one) for one in encoder]), steps,
                  [i - OFFSET for i in said], [[one[1][-1] for one in forms] for forms in learned],
                  softmax(stuck_logits[0])[:, ids([1, 2, 3])])


def state_c(k):
    """c_t of the first example, from the cell's cache: (L4)."""
    return (k.f * k.c_prev + k.i * k.g)[0]


def report(r):
    """Result -> lines."""
    out = ["W5  (1, 2, 3, 4) -> (2, 3, 4, 5)   (document C §4.4)"]
    out += show.remark(f"LSTM encoder and decoder of {CONFIG.hidden} units each, numbers embedded, softmax "
                       f"over 13 tokens; {STEPS} updates of Adam on this one pair. Loss after 0, 100, 200, "
                       f"{STEPS} updates: "
                       + ", ".join(show.number(r.losses[i], 4) for i in (0, 100, 200, STEPS)) + " nats per "
                                                                                                "token.")
    out += show.heading("1. Encoder: h_t = LSTM(h_{t-1}, x_t), from h_0 = c_0 = 0      (C3.1L; L1..L5)")
    for t, (h, c) in enumerate(zip(r.hs, r.cs), 1):
        out += show.named(f"x_{t} = {X[t - 1]}:  h_{t}", h, 3) + show.named(f"          c_{t}", c, 3)
    out += ["  encoding = h_4 and c_4: an LSTM's state is both"]
    out += show.heading("2. Decoder as intended: s_t = LSTM(s_{t-1}, y_{t-1}), s_0 = h_4      (C4.1d)")
    for t, step in enumerate(r.steps, 1):
        out += show.named(f"fed {step.fed:>3}:  s_{t}", step.h, 3) + show.named(f"          c_{t}", step.c, 3)
        best = np.argsort(-step.p)[:3]
        out += ["            p_" + f"{t}: " + ", ".join(f"{name(j)} {step.p[j]:.4f}" for j in best)
                + f", ...  so y_{t} = {step.said}"]
    out += [f"  Y = {r.answer}"]
    out += show.slip("y_t = LSTM(h_4, x_t): an LSTM gives a state, not a number. Between state and number "
                     "stand p_t = softmax(W_y s_t + b_y) and argmax (C §4.1.2).")
    out += show.slip("every line starts from h_4. Nothing goes from one step to the next.")
    out += show.remark("The 1, 2, 3, 4 in these lines may be the source x_t, or y_{t-1} with 1 in the place "
                       "of BOS, as "
                       "§4.1.2 would have it. In this example nobody can tell: 2, 3, 4 are both.", "  open: ")
    out += show.heading("What restarting from h_4 costs: the final loss of three pairs")
    out += show.table([["", "state", "restarted,", "restarted,"], ["", "handed on", "fed x_t", "fed "
                                                                                               "y_{t-1}"]] +
                      [[f"{tuple(x)} -> {tuple(y)}", *(show.number(loss, 4) for loss in row)]
                       for (x, y), row in zip(PAIRS, r.table)])
    out += ["  (7, 7, 7), restarted, fed x_t: p of 1, 2, 3"]
    out += [f"    step {t}: {show.vector(p)}" for t, p in enumerate(r.stuck, 1)]
    out += show.remark("The same start and the same number fed give the same distribution, at every step. "
                       "Fed 7, 7, 7 "
                       f"it cannot do better than 1/3 each: ln 3 = {np.log(3):.4f}. Fed BOS, 7, 7, 7 it does "
                       f"not know "
                       "when to stop: after a 7 comes 7 twice and EOS once, so at best (2 ln 3/2 + ln 3)/4 = "
                       f"{(2 * np.log(1.5) + np.log(3)) / 4:.4f}. (1, 2, 3, 4) hides this: no number is read "
                       f"twice.")
    out += show.look_next(("minis2s/layers/cells/lstm.py", "(L1)..(L5)", "one step, h and c"),
                          ("minis2s/model/decoder_step.py", "(D3)", "where the state goes on"),
                          ("minis2s formulas C4.1d", "", "the decoder's step"),
                          ("minis2s formulas C2.2", "", "another decoder without a state"))
    return out


if __name__ == "__main__":
    show.main(globals())
