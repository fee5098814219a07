"""W3, document B 4.3: 我 / 是 / 学生 -> I am a student, LSTM with attention, every quantity by its name there.

It shows one whole pass of a trained encoder-decoder with attention: h_i, s_t, v_ti, a_t, ctx_t, p(y_t), and
where the model looks.  The sentence is held out: it is put together from what other sentences taught.
"""
from typing import NamedTuple

import numpy as np

from ...core.functions import softmax
from ...data.vocabulary import Vocabulary
from ...decoding import greedy
from ...layers.attention import SCORES, precompute_keys
from ...model import decoder, seq2seq
from ...model.config import Config
from ...training import loop as train
from ...training.options import Training
from ..printed import b as printed
from . import show

TITLE, WHERE = "我是学生 -> I am a student: a whole pass, an alignment", "B §4.3"
PICTURE = "w3_alignment.png"

SUBJECTS = {"我": "I am", "你": "you are", "他": "he is", "她": "she is"}
NOUNS = {"学生": "a student", "老师": "a teacher", "医生": "a doctor", "歌手": "a singer", "司机": "a driver",
         "艺术家": "an artist", "工程师": "an engineer"}
PAIRS = [([s, "是", n], f"{a} {b}".split()) for s, a in SUBJECTS.items() for n, b in NOUNS.items()]
ASKED = (["我", "是", "学生"], ["I", "am", "a", "student"])
KNOWN = [(x, y) for x, y in PAIRS if x != ASKED[0]]            # what is trained on
STEPS, STEP = 400, 0.01


class Step(NamedTuple):        # one step of the decoder, for the one sentence
    fed: str
    i: np.ndarray              # (H,), as are f, o, c, s
    f: np.ndarray
    o: np.ndarray
    c: np.ndarray
    s: np.ndarray
    v: np.ndarray              # (T, H)
    e: np.ndarray              # (T,)
    a: np.ndarray              # (T,)
    ctx: np.ndarray            # (H,)
    p: np.ndarray              # (V,)
    said: str


class Result(NamedTuple):
    config: Config
    trained_on: list           # the source sentences of the training batch, as ids
    losses: list               # training loss at the start, half way and at the end
    encoder: list              # of cells.lstm.Cache
    hs: np.ndarray             # (T, H)
    cs: np.ndarray             # (T, H)
    steps: list                # of Step
    answer: list               # words said
    he: list                   # answer to 他 是 学生
    alpha: np.ndarray          # (S, T)
    printed_a: list            # a_1, a_2, a_3 as printed: softmax of one number
    printed_error: str         # what step 4 of the printed attention says
    words: tuple               # of the target vocabulary


def run(seed=0):
    """Train on the other sentences, then translate 我 是 学生: -> Result."""
    source_vocab = Vocabulary.build(x for x, _ in PAIRS)
    target_vocab = Vocabulary.build(y for _, y in PAIRS)
    config = Config(source_vocab=len(source_vocab), target_vocab=len(target_vocab), embedding=16, hidden=8,
                    attention="concat-dot", attention_order="after", dtype="float64")
    training = Training(optimizer="rmsprop", lr=STEP, seed=seed)
    known = [(source_vocab.encode(x), target_vocab.encode(y)) for x, y in KNOWN]
    batch = train.batch_of(config, known, range(len(known)))
    progress, losses = train.begin(config, training), []
    for n in range(STEPS):
        if n in (0, STEPS // 2):
            losses.append(float(seq2seq.forward(progress.params, config, batch)[0]))
        progress = train.one_step(config, training, progress, batch, STEP)
    p = progress.params
    losses.append(float(seq2seq.forward(p, config, batch)[0]))

    def ask(words):
        ids = np.array([source_vocab.encode(words)]).T
        found = greedy(p, config, ids, np.ones(ids.shape, bool), 10)[0][0]
        return ids, found.ids
    ids, said = ask(ASKED[0])
    _, he = ask(["他", "是", "学生"])
    one = train.batch_of(config, [(ids[:, 0].tolist(), said)], [0])     # fed its own answer: the pass again
    _, logits, k = seq2seq.forward(p, config, one)
    hs, score = k.encode.hs, SCORES["concat-dot"]
    memory = precompute_keys(score, p.decoder.score, hs, one.source_mask)
    steps = []
    for t, step in enumerate(k.decoder.steps):
        cell, z = step.cells[0], k.decoder.rs[t]                        # z = [s; ctx] (U1)
        s, ctx = z[:, :config.hidden], z[:, config.hidden:]
        e, used = score.score(p.decoder.score, s, memory)
        probs = softmax(logits[t, 0])
        steps.append(Step(target_vocab.symbols[one.inputs[t, 0]], cell.i[0], cell.f[0], cell.o[0],
                          state_c(cell), s[0], used.v[:, 0], e[:, 0], step.attend.alpha[:, 0], ctx[0], probs,
                          target_vocab.symbols[probs.argmax()]))
    encoder = k.encode.encoder.stack.layers[0]
    W_a = printed.AttentionParams(np.concatenate([p.decoder.score.W_s, p.decoder.score.W_h]))
    alone = [printed.attend(W_a, step.s[None], h[None], 0)[0].item() for step, h in zip(steps, hs)]
    try:
        printed.attend(W_a, steps[-1].s[None], hs, 3)
        error = ""
    except ValueError as e:
        error = str(e)
    cs = np.stack([state_c(one) for one in encoder])
    return Result(config, batch.source.T.tolist(), losses, encoder, hs[:, 0], cs, steps,
                  target_vocab.decode(said), target_vocab.decode(he), decoder.alphas(k.decoder)[:, :, 0],
                  alone, error, target_vocab.symbols)


def state_c(k):
    """c_t of the first example, from the LSTM's cache: (L4)."""
    return (k.f * k.c_prev + k.i * k.g)[0]


def picture(r):
    """The alignment, as the arguments of `viewer.plots.attention_map`."""
    return dict(alpha=r.alpha, source=ASKED[0], target=[step.said for step in r.steps],
                title="Attention weights: where the model looks")


def encoder_lines(r):
    """Every quantity of the encoder."""
    out = show.heading("Encoder: h_i = LSTM(x_i, h_{i-1})      (B4.2e; L1..L5)")
    for t, (word, k) in enumerate(zip(ASKED[0], r.encoder), 1):
        out += [f"  x_{t} = {word}"]
        for name, value in zip("ifoch", (k.i[0], k.f[0], k.o[0], r.cs[t - 1], r.hs[t - 1])):
            out += show.named(f"  {name}_{t}", value)
    out += show.slip("h_1 = LSTM([i_1, f_1, o_1, c_1], h_0) lists the gates as input. They are made inside, "
                     "from x_1 and h_0; x_1 is missing from the line.")
    out += show.slip("encoder and decoder are given the same W_ix, W_ih (listed twice). Here each has its "
                     "own.")
    return out


def decoder_lines(r):
    """Every quantity of the decoder, step by step."""
    out = show.heading("Decoder: s_t = LSTM(y_{t-1}, s_{t-1}), then a_t from s_t      (L, AC, A1, A2)")
    out += ["  s_0 = h_3, c_0 = c_3;  v_ti = tanh(W_a [s_t; h_i]),  e_ti = v_ti · h_i,",
            "  a_t = softmax(e_t) over i,  ctx_t = Σ a_ti h_i,",
            "  p(y_t) = softmax(W_y [s_t; ctx_t] + b_y)"]
    out += show.slip("§4.2 reads p(y_t) from s_t alone. §4.1 has the attention in it, too, as here: with a_t "
                     "made from s_t, nothing else would read the context.")
    for t, step in enumerate(r.steps, 1):
        out += ["", f"  t = {t}, fed {step.fed}"]
        for name in "ifocs":
            out += show.named(f"  {name}_{t}", getattr(step, name))
        for i, v in enumerate(step.v, 1):
            out += show.named(f"  v_{t}{i}", v)
        out += show.named(f"  e_{t}", step.e, 3) + show.named(f"  a_{t}", step.a, 3)
        out += show.named(f"  ctx_{t}", step.ctx)
        best = np.argsort(-step.p)[:3]
        out += [f"    p(y_{t}) = " + ", ".join(f"{r.words[j]} {step.p[j]:.4f}" for j in best) + ", ...",
                f"    y_{t} = {step.said}"]
    return out


def alignment_lines(r):
    """The attention weights of all steps."""
    out = show.heading("Alignment: a row for each word said")
    out += show.table([["", *ASKED[0]],
                       *([step.said, *(show.number(x, 2) for x in step.a)] for step in r.steps)])
    out += show.remark("h_2 has read 我 too, and h_3 the whole sentence: a weight says where the model looks, "
                       "not from which word alone it knows. `--out DIR` draws this table.")
    return out


def printed_lines(r):
    """What the formulas give as printed."""
    out = show.heading("The lines as printed")
    out += [f"  a_{t} = softmax(v_{t} · h_{t}) = {a:.3f}" for t, a in enumerate(r.printed_a, 1)]
    out += show.slip("a softmax of one number is 1, whatever the number. v must run over all h_i, and the "
                     "softmax too.")
    out += ["  step 4, for the fourth word:", *show.remark(r.printed_error, "    ")]
    out += show.slip("three lines s_1..s_3 for four words: s_t = LSTM(..., h_t) takes h_t by the output's "
                     "own number.")
    out += show.slip("p(y_1 | y_1, y_2, y_3) supposes what it predicts. Meant is p(y_t | y_1 .. y_{t-1}).")
    return out


def report(r):
    """Result -> lines."""
    out = ["W3  我 是 学生 -> I am a student   (document B §4.3)"]
    out += show.slip("the document prints he, is, a, student. But 我 is I, so I am a student is meant. The "
                     "model "
                     "below answers 他 是 学生 with: " + " ".join(r.he) + ".")
    out += show.remark(f"LSTM encoder and decoder of {r.config.hidden} units, trained with RMSprop on "
                       f"{len(r.trained_on)} sentences (4 subjects, {len(NOUNS)} nouns). The sentence asked "
                       f"for is left out. Training loss: "
                       + ", ".join(show.number(x, 4) for x in r.losses) + f" nats per token after 0, "
                                                                          f"{STEPS // 2}, {STEPS} updates.")
    out += encoder_lines(r)
    out += decoder_lines(r)
    out += alignment_lines(r)
    out += printed_lines(r)
    out += show.look_next(("minis2s/layers/attention/concat_dot.py", "(AC1)..(AC3)", "the score"),
                          ("minis2s/layers/attention/attend.py", "(A1) (A2)", "softmax, then sum"),
                          ("minis2s/model/context_step.py", "(D2)..(D6)", "one step of the decoder"),
                          ("minis2s formulas B4.2a", "", "as printed, as intended"))
    return out


if __name__ == "__main__":
    show.main(globals())
