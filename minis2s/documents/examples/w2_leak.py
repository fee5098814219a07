"""W2, document A 5.4: [1,2,3] -> [2,3,4] with RMSprop, and the leak in `fit([input, target], target)`.

It shows that a decoder that is fed the *unshifted* target learns to copy its input: the loss falls, and
nothing is learned.  The cure is one position of shift: inputs BOS y_1 .. y_S, targets y_1 .. y_S EOS.
"""
from itertools import product
from typing import NamedTuple

import numpy as np

from ...data.batches import Batch, make_batch
from ...data.vocabulary import BOS, EOS
from ...model import seq2seq
from ...model.config import Config
from ...training import loop as train
from ...training.options import Training
from . import show

TITLE, WHERE = "[1,2,3] -> [2,3,4]: the unshifted target leaks", "A §5.4"

INPUT = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]                       # as printed
TARGET = [[2, 3, 4], [5, 6, 7], [8, 9, 10]]
OFFSET = 3                                                      # number n has id n + 3: ids 0..3 are special
CONFIG = Config(source_vocab=14, target_vocab=14, embedding=16, hidden=32, attention="none")
EPOCHS, LONGER, BATCH, STEP = 10, 20, 32, 0.005                 # the first and third as printed
FOREIGN = [[9, 2, 6], [3, 3, 8], [10, 7, 2]]                    # the answer to no source here


class Run(NamedTuple):         # one way of feeding, trained
    batch: Batch               # the printed pairs
    few: tuple                 # their loss before and after EPOCHS epochs on them alone
    losses: list               # mean training loss of each of LONGER epochs on the other triples
    held_out: float            # loss of the printed pairs then, target fed
    forced: list               # argmax answers with the target fed, as numbers
    free: list                 # answers when each token said is fed back, as numbers
    exact: float               # share of free answers that are right
    foreign: list              # argmax answers when FOREIGN is fed in place of the target


class Result(NamedTuple):
    leak: Run
    cured: Run


def ids(rows):
    return [[n + OFFSET for n in row] for row in rows]


def numbers(column):
    """Ids -> numbers up to EOS; other special tokens are shown as 0."""
    column = [int(i) for i in column]
    if EOS in column:
        column = column[:column.index(EOS)]
    return [max(i - OFFSET, 0) for i in column]


def leaking(sources, targets):
    """What the listing feeds: the target as it is, and the same again as the answer wanted."""
    shifted = make_batch(sources, targets)
    unshifted = np.array(targets).T
    return shifted._replace(inputs=unshifted, targets=unshifted, target_mask=np.ones(unshifted.shape, bool))


def answers(p, batch, inputs, teacher=None):
    """Most probable tokens, fed `inputs`; each column as numbers."""
    _, logits, _ = seq2seq.forward(p, CONFIG, batch._replace(inputs=inputs), teacher)
    return [numbers(column) for column in logits.argmax(axis=2).T]


def learn(make, seed):
    """Train on batches that `make(sources, targets)` made, and ask: -> Run."""
    training = Training(optimizer="rmsprop", lr=STEP, clip=None, seed=seed)
    printed = make(ids(INPUT), ids(TARGET))
    first = progress = train.begin(CONFIG, training)
    for _ in range(EPOCHS):                                     # as printed: the three pairs are one batch
        progress = train.one_step(CONFIG, training, progress, printed, STEP)
    few = tuple(float(seq2seq.forward(q.params, CONFIG, printed)[0]) for q in (first, progress))

    rng, progress, losses = np.random.default_rng(seed), first, []
    triples = [list(x) for x in product(range(1, 10), repeat=3) if list(x) not in INPUT]
    for epoch in range(LONGER):
        step = STEP * (1 - epoch / LONGER)                      # smaller and smaller, to come to rest
        order = rng.permutation(len(triples))
        progress = progress._replace(loss_sum=0.0, tokens=0)
        for at in range(0, len(order), BATCH):
            xs = [triples[i] for i in order[at:at + BATCH]]
            batch = make(ids(xs), ids([[n + 1 for n in x] for x in xs]))
            progress = train.one_step(CONFIG, training, progress, batch, step)
        losses.append(progress.loss_sum / progress.tokens)

    p, alone = progress.params, np.full_like(printed.inputs, BOS)       # of `alone` only row 0 is read
    free = answers(p, printed, alone, teacher=np.zeros(alone.shape, bool))
    exact = float(np.mean([said == wanted for said, wanted in zip(free, TARGET)]))
    return Run(printed, few, losses, float(seq2seq.forward(p, CONFIG, printed)[0]),
               answers(p, printed, printed.inputs), free, exact,
               answers(p, printed, make(ids(INPUT), ids(FOREIGN)).inputs))


def run(seed=0):
    """Train with the leak and without: -> Result."""
    return Result(learn(leaking, seed), learn(make_batch, seed))


def fed_lines(r):
    """What is fed and what is wanted."""
    out = show.heading("What the decoder reads, and what it should output (first pair)")
    names = {BOS: "BOS", EOS: "EOS"}
    for title, one in (("as printed", r.leak), ("shifted", r.cured)):
        fed, wanted = ([names.get(i, str(i - OFFSET)) for i in row[:, 0].tolist()]
                       for row in (one.batch.inputs, one.batch.targets))
        out += show.table([[f"{title:<11} fed", *fed], [f"{'':<11} wanted", *wanted]])
    out += show.slip("model.fit([input_data, target_data], target_data) feeds y_t at step t and asks for "
                     "y_t: the input contains the answer.")
    return out


def loss_lines(r):
    """The printed data, and the losses on all other triples."""
    out = show.heading("The printed data: three pairs, one batch, so 10 epochs are 10 updates")
    out += show.table([["loss, nats per token (X3)", "before", "after"]] +
                      [["as printed", *map(show.number, r.leak.few)],
                       ["shifted", *map(show.number, r.cured.few)]])
    out += show.remark("Little has been learned by then, and three pairs could be learned by heart. So we "
                       "take all other triples [a, b, c] -> [a+1, b+1, c+1] of the numbers 1..9, 726 pairs, "
                       "for training with steps that shrink to nothing, and keep the three printed pairs to "
                       "ask about.")
    out += show.heading("Training loss after so many epochs on the 726 (O3, O4)")
    at = [1, 2, 5, EPOCHS, LONGER]
    out += show.table([["epochs", *at]] + [[name, *(show.number(one.losses[i - 1], 4) for i in at)]
                                           for name, one in (("as printed", r.leak), ("shifted", r.cured))])
    out += ["  Judged by its loss, the leaking model is far better."]
    return out


def answer_lines(r):
    """The answers to the printed pairs: target fed, and running freely."""
    out = show.heading("The three printed pairs, never trained on")
    rows = [["source", "wanted", "as printed", "shifted"]]
    for kind, field in (("target fed:", "forced"), ("running freely:", "free")):
        rows += [[kind, "", "", ""]]
        rows += [["  " + str(x), str(y), str(a), str(b)] for x, y, a, b in
                 zip(INPUT, TARGET, getattr(r.leak, field), getattr(r.cured, field))]
        if field == "forced":
            rows += [["  loss", "", show.number(r.leak.held_out, 4), show.number(r.cured.held_out, 4)]]
    rows += [["  exact match", "", f"{r.leak.exact:.0%}", f"{r.cured.exact:.0%}"]]
    out += show.table(rows)
    out += show.remark("Running freely means: BOS first, then at each step the token it output before. The leaking "
                       "model always received the answer, so it has learned to repeat, not to predict: it "
                       "outputs one number again and again.")
    return out


def copy_lines(r):
    """The leaking model repeats what it is fed."""
    out = show.heading("Proof that it copies: the leaking model, fed unrelated numbers")
    out += show.table([["source", "fed", "as printed says", "right"]] +
                      [list(map(str, row)) for row in zip(INPUT, FOREIGN, r.leak.foreign, TARGET)])
    copied = np.mean(np.array(r.leak.foreign) == np.array(FOREIGN))
    out += [f"  {copied:.0%} of the answers repeat what was fed."]
    return out


def other_slips(r):
    """Slips of the listing that the example does not run."""
    out = show.heading("Other slips of the listing")
    out += show.slip("model.predict([input_data, target_data]) feeds the answers once more, so the test cannot "
                     "show the leak.")
    out += show.slip("categorical_crossentropy wants one-hot targets; these are ids (sparse_...). Embedding "
                     "is used but not imported; Dense(embedding_dim) has one output for each embedding "
                     "entry, where one for each word is meant.")
    return out


def report(r):
    """Result -> lines."""
    out = ["W2  The unshifted target leaks   (document A §5.4)"]
    out += show.remark(f"LSTM encoder and decoder of {CONFIG.hidden} units; the encoder's last h and c start "
                       f"the decoder; softmax over the words; RMSprop, batches of {BATCH}, {EPOCHS} epochs "
                       f"(step {STEP}: the document names none). Two ways to feed the decoder in training:")
    out += fed_lines(r)
    out += loss_lines(r)
    out += answer_lines(r)
    out += copy_lines(r)
    out += other_slips(r)
    out += show.look_next(("minis2s/data/batches.py", "", "make_batch shifts by one"),
                          ("minis2s/model/decoder_step.py", "(D2)", "what the decoder reads"),
                          ("minis2s/training/optimizers.py", "(O3) (O4)", "RMSprop"))
    return out


if __name__ == "__main__":
    show.main(globals())
