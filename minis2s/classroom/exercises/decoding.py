"""Exercises on decoders: shifted targets, teacher forcing, greedy decoding, a step of beam search."""
import numpy as np

from ...core import tree
from ...data.batches import make_batch
from ...data.vocabulary import BOS, EOS, PAD, UNK
from ...decoding import hypotheses
from ...decoding.beam import candidates
from ...layers.cells import CELLS
from ...model import decoder, seq2seq
from ...model.config import Config
from .attention_decoder import EXERCISES as DECODER
from .exercise import Case, Exercise, lengths, ragged

# shift -------------------------------------------------------------------------------------------------


def _answers(rng):
    def answer(size):
        return [int(k) for k in rng.integers(4, 12, size)]
    return [Case("ragged answers, one empty", {"answers": [answer(k) for k in (3, 4, 0, 2, 2)]}),
            Case("answers of one length", {"answers": [answer(3) for _ in range(2)]}),
            Case("one answer", {"answers": [answer(4)]}), Case("all answers empty", {"answers": [[], [], []]})]


SHIFT_TARGETS = Exercise(
    "shift-targets", "decoder inputs, targets and mask of a batch of answers",
    """inputs   BOS y_1 ... y_k        what the decoder is given
targets  y_1 ... y_k EOS        what it shall answer at the same step
ids      PAD 0, BOS 1, EOS 2; padding behind the end""",
    "answers  list  N lists of token ids y_1 ... y_k, of different lengths, without BOS and EOS",
    """inputs   (S, N)  whole numbers, time first; S = longest answer + 1
targets  (S, N)  whole numbers
mask     (S, N)  True where there is a target, EOS included""",
    """>>> inputs, targets, mask = shift_targets([[7, 8], [9]])
>>> print(inputs.tolist(), targets.tolist(), mask.tolist())
[[1, 1], [7, 9], [8, 0]] [[7, 9], [8, 2], [2, 0]] [[True, True], [True, True], [True, False]]""",
    ("At step t the decoder has seen y_1 ... y_{t-1} and is asked for y_t: targets are the inputs, one step "
     "early.",
     "EOS stands right behind each answer's own last token, not in the last row.",
     "Begin with three arrays (S, N) of zeros; for each example write BOS and the answer, the answer and "
     "EOS, True."),
    _answers, lambda answers: tuple(make_batch([[4]] * len(answers), answers)[2:]))


# a small model to decode with ---------------------------------------------------------------------------

class Model:
    """A small LSTM model of the library; step(ids (N,), s (N, 2H)) gives logits (N, V) and the next s."""

    def __init__(self, rng, N=4, special=-60.0, end=1.0):
        self.config = Config(source_vocab=9, target_vocab=11, cell="lstm", embedding=3, hidden=5,
                             attention="none",
                             dtype="float64")
        p = tree.map(lambda a: rng.normal(size=a.shape) * 2.0, seq2seq.init(self.config))
        p.decoder.readout.b[:] = 0
        p.decoder.readout.b[[PAD, BOS, UNK]] = special          # -60: never the most probable
        p.decoder.readout.b[EOS] = end                          # so that some answers end early
        self.p = p
        T = 5
        self.mask = ragged(lengths(rng, T, N) if N > 1 else [T], T)
        self.source = np.where(self.mask, rng.integers(4, 9, (T, N)), PAD)
        self.encoded, layers, _ = seq2seq.encode(p, self.config, self.source, self.mask)
        self.s0 = np.concatenate(layers[0], axis=1)

    def layers(self, s):
        """The decoder's states that the plain array `s` (N, 2H) holds: h and c side by side."""
        return (CELLS["lstm"].State(*np.split(np.asarray(s), 2, axis=1)),)

    def __call__(self, ids, s):
        r, state, _ = decoder.step(self.p.decoder, self.config, self.encoded, np.asarray(ids),
                                   decoder.State(self.layers(s), None))
        return decoder.readout(self.p.decoder, r), np.concatenate(state.layers[0], axis=1)


STEP = """step  function  step(ids (N,), s) gives logits (N, V) and the next s; ids: tokens fed, s: the state
s0    (N, 2H)   the state before the first step: hand it on, do not look inside
"""


def greedy(step, s0, max_length):
    """The equations as they stand (the library's own search never answers PAD, BOS or UNK)."""
    ids, y, s, done = np.zeros((max_length, len(s0)), np.int64), np.full(len(s0), BOS), s0, np.zeros(len(s0), bool)
    for t in range(max_length):
        logits, s = step(y, s)
        y = logits.argmax(axis=1)
        ids[t] = np.where(done, PAD, y)
        done = done | (y == EOS)
    return ids


def tied(ids, s):
    """A decoder whose best two tokens have equal scores: k + 2 and 8 after token k, and 2 (EOS) after 8 and 9."""
    ids = np.asarray(ids)
    logits = np.zeros((len(ids), 11))
    for n, k in enumerate(ids):
        logits[n, [min(k + 2, 8), 8] if k < 8 else [2, 10]] = 1.5
    return logits + s.mean(axis=1, keepdims=True), s


def _greedy_cases(rng):
    """Models are drawn until their answers are of the kind wanted."""
    def drawn(fits, **choices):
        while True:
            model = Model(rng, **choices)
            ids = greedy(model, model.s0, 6)
            if fits(ids, (ids == EOS).any(axis=0)):
                return {"step": model, "s0": model.s0, "max_length": 6}

    def varied(ids, ends):
        return not ends.all() and len(np.unique(ids)) > 4 and (ids[1:4] == EOS).any() and np.ptp(ids[0])

    def early(ids, ends):
        return ends.all() and not ids[4:].any() and ids[1:].any()

    def special(ids, ends):
        return np.isin(ids[:2], (PAD, BOS, UNK)).sum() > 1 and ends.any() and not ends.all()
    return [*(Case("some answers end, some are cut off", drawn(varied)) for _ in range(2)),
            Case("all answers end early", drawn(early, end=2.0)),
            Case("one example (N = 1)", drawn(lambda ids, ends: len(np.unique(ids)) > 2, N=1)),
            Case("PAD, BOS and UNK are the most probable token now and then", drawn(special, special=2.0)),
            Case("equal scores", {"step": tied, "s0": rng.normal(size=(3, 4)), "max_length": 6})]


GREEDY = Exercise(
    "greedy", "greedy decoding of a batch",
    """y_0 = BOS;   logits_t, s_t = step(y_{t-1}, s_{t-1});   y_t = argmax over the tokens of logits_t
of tokens with equal scores the one with the lowest id, as np.argmax does it
an answer ends with its first EOS; behind it stands PAD        ids: PAD 0, BOS 1, EOS 2""",
    STEP + "max_length  number  steps at most",
    "ids  (S, N)  whole numbers; S is max_length: y_1, y_2, ..., EOS, PAD, PAD",
    """>>> step = lambda ids, s: (np.eye(5)[np.array([0, 3, 0, 4, 2])[ids]], s)    # 1 -> 3 -> 4 -> 2
>>> print(greedy(step, np.zeros((1, 2)), 5).ravel())
[3 4 2 0 0]""",
    ("Three things go from step to step: the token just chosen, the state, and which answers have ended.",
     "The first token fed is BOS (1), for every example; after that each example is fed its own last token.",
     "Keep a bool array `done`; write 0 where it is True; the EOS itself is still written."),
    _greedy_cases, greedy)


def _forced_cases(rng):
    cases = []
    for S, mask_lengths in ((6, (6, 3, 5, 2)), (4, (4, 4, 1, 2)), (5, (5,))):
        N = len(mask_lengths)
        model = Model(rng, N=N)
        real = ragged(mask_lengths, S)
        targets = np.where(real, rng.integers(4, 11, (S, N)), PAD)
        targets[np.array(mask_lengths) - 1, np.arange(N)] = 2
        cases.append(Case("ragged targets" if N > 1 else "one example (N = 1)",
                          {"step": model, "s0": model.s0, "targets": targets}))
    return cases


def teacher_forcing(step, s0, targets):
    """The library's decoder over the whole target."""
    inputs = np.concatenate([np.full((1, targets.shape[1]), BOS), targets[:-1]])
    return decoder.forward(step.p.decoder, step.config, step.encoded, step.layers(s0), inputs)[0]


TEACHER_FORCING = Exercise(
    "teacher-forcing", "a decoder in training: fed the right tokens",
    """y_0 = BOS;   logits_t, s_t = step(y_{t-1}, s_{t-1})        for t = 1 ... S
y_{t-1} is the TARGET of step t-1, whatever the model would have said        ids: PAD 0, BOS 1, EOS 2""",
    STEP + "targets  (S, N)  whole numbers: y_1 ... y_k EOS, then PAD",
    "logits  (S, N, V)  scores of each step's next token",
    """>>> step = lambda ids, s: (np.eye(4)[ids], s)            # answers with what it was fed
>>> print(teacher_forcing(step, np.zeros((1, 2)), np.array([[3], [2]])).argmax(axis=2).ravel())
[1 3]""",
    ("What is fed at step 1, when there is no target before it?",
     "At step t the model may see the targets up to t-1, not the one it is asked for.",
     "Loop over t; feed BOS first, then targets[t-1]; hand the state on; collect the logits."),
    _forced_cases, teacher_forcing)


# beam --------------------------------------------------------------------------------------------------

def _beams(rng):
    def case(label, K, V, width, spread):
        a = rng.normal(size=(K, V)) * 2
        log_q = a - np.log(np.exp(a).sum(axis=1, keepdims=True))
        return Case(label, {"log_p": -rng.random(K) * spread - 0.1, "log_q": log_q, "width": width})
    low = case("log-probabilities near -800", 3, 7, 4, 0.5)
    low.inputs["log_p"][:] -= 800
    equal = case("equal candidates", 3, 6, 4, 0.1)
    equal.inputs["log_p"][:] = -0.5
    equal.inputs["log_q"][:, 2:] -= 3.0
    equal.inputs["log_q"][1:, :2] = equal.inputs["log_q"][0, :2]
    equal.inputs["log_q"][2, :2] -= 2.0
    return [case("three hypotheses of like probability", 3, 7, 4, 0.5), case("one is far ahead", 4, 6, 5,
                                                                             9.0),
            case("one hypothesis, as at the start", 1, 8, 3, 1.0), low, equal,
            case("many candidates", 5, 400, 300, 1.0)]


def beam_step(log_p, log_q, width):
    """The library's candidates of one source."""
    live = hypotheses.Beam([hypotheses.Hypothesis(0, None, BOS, 1, float(p), k, None) for k,
                            p in enumerate(log_p)],
                           None, None)
    (_, new), = candidates(hypotheses.Step(live, log_q, log_p[:, None] + log_q, None), width)
    return (np.array([h.log_p for h in new]), np.array([h.row for h in new]),
            np.array([h.token for h in new]))


def _in_one_order(case, arrays):
    """Candidates of equal probability may come in any order: here the earlier row first, then the lower token."""
    scores, rows, tokens = arrays
    if case.label != "equal candidates" or np.isnan(scores).any() or (np.diff(scores) > 0).any():
        return arrays
    order = np.lexsort((tokens, rows, -scores.round(9)))
    return [scores[order], rows[order], tokens[order]]


BEAM_STEP = Exercise(
    "beam-step", "one step of beam search, for one source",
    """candidates: each of K hypotheses, extended by each of V tokens
log p(new) = log p(old) + log p(token | old)
the `width` most probable candidates of all K V stay, best first""",
    """log_p  (K,)    log-probabilities of the live hypotheses
log_q  (K, V)  log-probability of each next token, given each hypothesis
width  number  how many stay""",
    """scores  (width,)  log-probabilities of those that stay, greatest first
rows    (width,)  the hypothesis that each one extends, whole numbers
tokens  (width,)  the token that it adds, whole numbers""",
    """>>> log_q = np.log(np.array([[0.5, 0.5], [0.9, 0.1]]))
>>> scores, rows, tokens = beam_step(np.log(np.array([0.7, 0.3])), log_q, 3)
>>> print(np.exp(scores).round(2), rows[2], tokens[2])  # 0.7 * 0.5 twice, then 0.3 * 0.9
[0.35 0.35 0.27] 1 0""",
    ("All K V candidates compete with each other; several may come from one hypothesis, and none from "
     "another.",
     "Probabilities are multiplied, so their logarithms are added.",
     "Flatten the (K, V) totals, take the greatest `width`; an index divided by V gives row and token."),
    _beams, beam_step, canonical=_in_one_order)

EXERCISES = (SHIFT_TARGETS, TEACHER_FORCING, GREEDY, BEAM_STEP, *DECODER)
