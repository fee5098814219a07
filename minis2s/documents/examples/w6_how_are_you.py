"""W6, document C 3.4.1 and 5: "Hello, how are you?" -> 你好，你怎么样？: training, then inference step by step.

It shows part P5: after training the model is taken apart into an encoder model (text -> states) and a decoder
model (token, states -> distribution, new states), and a loop hands the states on.  `translate` does no more.
"""
from typing import NamedTuple

import numpy as np

from ...api.seq2seq import Seq2Seq
from ...core.functions import softmax
from ...data.vocabulary import BOS, EOS
from ...decoding.hypotheses import NEVER
from ...model import decoder, seq2seq
from ...model.config import Config
from ...training.options import Training
from . import show

TITLE, WHERE = "Hello, how are you? -> 你好，你怎么样？: step by step", "C §3.4.1, §5"

PAIRS = [("Hello, how are you?", "你好，你怎么样？"), ("Hello!", "你好！"), ("How are you?", "你怎么样？"),
         ("I am fine.", "我很好。"), ("I am fine, and you?", "我很好，你呢？"), ("Good morning!", "早上好！"),
         ("Who are you?", "你是谁？"), ("I am a student.", "我是学生。"), ("You are a teacher.", "你是老师。"),
         ("Thank you.", "谢谢你。"), ("Goodbye!", "再见！"), ("Where are you?", "你在哪里？")]
ASKED = PAIRS[0][0]
EPOCHS, STEP, LONGEST = 100, 0.01, 18                           # epochs as printed


class Step(NamedTuple):
    fed: str
    h: np.ndarray              # (H,) the state handed out
    best: list                 # three (token, probability)
    said: str


class Result(NamedTuple):
    config: Config
    losses: list               # training loss of each epoch
    source: list               # tokens
    states: tuple              # h (H,), c (H,) of the encoder model
    steps: list                # of Step
    stepwise: str              # the loop's answer
    translate: str             # Seq2Seq.translate's answer
    forgetful: str             # the loop's answer when each step starts from the encoder's states again
    right: int                 # pairs of PAIRS that the loop answers as wanted


def encoder_model(model, text):
    """Text -> (tokens, the decoder.EncoderOutput, the states with which the decoder begins)."""
    tokens = model.source_tokenizer.split(text)
    ids = np.array([model.source_vocab.encode(tokens)]).T       # (T, 1)
    source, states, _ = seq2seq.encode(model.params, model.config, ids, np.ones(ids.shape, bool))
    return tokens, source, decoder.initial_state(model.config, states)


def decoder_model(model, source, token, states):
    """One token and the states -> distribution (V,) of the next token, the new states."""
    r, states, _ = decoder.step(model.params.decoder, model.config, source, np.array([token]), states)
    return softmax(decoder.readout(model.params.decoder, r))[0], states


def infer(model, text, forget=False):
    """The loop: -> answer, list of Step.  `forget` throws away the states that each step hands out."""
    _, source, states = encoder_model(model, text)
    token, said, steps, words = BOS, [], [], model.target_vocab.symbols
    for _ in range(LONGEST):
        p, new = decoder_model(model, source, token, states)
        p[NEVER] = 0                                            # PAD, BOS, UNK
        fed, token = token, int(p.argmax())
        best = [(words[j], float(p[j])) for j in np.argsort(-p)[:3]]
        steps.append(Step(words[fed], new.layers[0].h[0], best, words[token]))
        if token == EOS:
            break
        said.append(words[token])
        states = states if forget else new
    return model.target_tokenizer.join(said), steps


def run(seed=0):
    """Train, infer step by step, and compare with `translate`: -> Result.

    Raises
    ------
    AssertionError
        The loop and `translate` disagree on one of PAIRS.
    """
    config = Config(embedding=24, hidden=32, attention="none")
    model = Seq2Seq(config, source_units="word", target_units="char")
    training = Training(epochs=EPOCHS, batch=4, lr=STEP, lr_final=STEP / 10, optimizer="rmsprop", seed=seed)
    model.fit(PAIRS, valid=PAIRS, training=training, progress=False)
    answers = [infer(model, x)[0] for x, _ in PAIRS]
    if answers != model.translate([x for x, _ in PAIRS], max_length=LONGEST):
        raise AssertionError("the loop and translate disagree")
    tokens, _, states = encoder_model(model, ASKED)
    said, steps = infer(model, ASKED)
    right = sum(a == y for a, (_, y) in zip(answers, PAIRS))
    return Result(model.config, [row["train_loss"] for row in model.records], tokens,
                  (states.layers[0].h[0], states.layers[0].c[0]), steps, said,
                  model.translate(ASKED, max_length=LONGEST), infer(model, ASKED, forget=True)[0], right)


def report(r):
    """Result -> lines."""
    out = ["W6  Hello, how are you? -> 你好，你怎么样？   (document C §3.4.1, §5)"]
    out += show.heading("Training: the listing's model.fit, RMSprop, 100 epochs")
    out += show.remark(f"{len(PAIRS)} sentence pairs of our own (the document has no data); the source is "
                       f"cut into words, the target into characters. LSTM of {r.config.hidden} units "
                       f"(document: 1024), vocabularies of {r.config.source_vocab} and "
                       f"{r.config.target_vocab} (document: 10000).")
    at = [1, 10, 25, 50, EPOCHS]
    out += show.table([["epoch", *at], ["loss", *(show.number(r.losses[i - 1], 4) for i in at)]])
    out += [f"  {r.right} of the {len(PAIRS)} sentences are then translated as wanted."]
    out += show.slip("fit([input_sequences, target_sequences], target_sequences): the unshifted target, as "
                     "in W2. Here the decoder reads BOS y_1 .. y_S and must output y_1 .. y_S EOS.")
    out += show.slip("padding is counted in the loss, as in W4. Here masks leave it out.")
    out += show.heading("Encoder model: text -> states      (P5; S1, S2)")
    out += ["  " + " | ".join(r.source)]
    out += show.named("h_T", r.states[0][:8]) + show.named("c_T", r.states[1][:8])
    out += [f"  (the first 8 of {r.config.hidden} entries; below 4 of each s_t)"]
    out += show.heading("Decoder model, in a loop: token, states -> p_t, new states      (P5; D2..D7)")
    rows = [["t", "fed", "s_t, first entries", "p_t, best three", "said"]]
    for t, step in enumerate(r.steps, 1):
        best = "  ".join(f"{w} {p:.3f}" for w, p in step.best)
        rows.append([t, step.fed, show.vector(step.h[:4], 2), best, step.said])
    out += show.table(rows)
    out += [f"  the loop says       {r.stepwise}", f"  translate() says    {r.translate}",
            f"  equal: {r.stepwise == r.translate}"]
    out += show.heading("Without handing the states on: every step starts from the encoder's")
    out += [f"  it says  {r.forgetful}"]
    out += show.remark("你 stands twice in the answer, once before 好 and once before 怎. Only the state knows "
                       "which of the two was just said.")
    out += show.slip("the first listing (§5.4) builds decoder_model without states as outputs, so no loop "
                     "can hand them on; it also gives its Dense layer all three outputs of the LSTM, and "
                     "calls predict once, for the whole target.")
    out += show.slip("the second listing's loop calls model.predict with one input where the model has two, "
                     "never feeds BOS, and puts the word just said in the place of the *source*: the "
                     "sentence to translate is forgotten after one step. Nothing stops it but "
                     "max_seq_length.")
    out += show.look_next(("minis2s/model/decoder_step.py", "(D2)..(D3)", "`step`: states in, states out"),
                          ("minis2s/decoding/greedy.py", "", "the same loop, for many texts"),
                          ("minis2s/api/seq2seq.py", "", "`Seq2Seq.fit` and `translate`"))
    return out


if __name__ == "__main__":
    show.main(globals())
