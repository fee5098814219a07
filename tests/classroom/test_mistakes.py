"""Every entry of the bank is recognised by its own message, and so are 34 mistakes that others make."""
import inspect

import numpy as np
import pytest

from minis2s.classroom.doctor import check
from minis2s.classroom.exercises import EXERCISES
from minis2s.classroom.mistakes import BANK, bank_of
from solutions import attention, decoding, gated, learning, outputs, recurrent


@pytest.mark.parametrize("name", EXERCISES)
def test_every_mistake_is_called_by_its_own_name_and_none_by_another(name):
    for mistake in bank_of(name):
        report = check(name, mistake.f)
        assert not report.passed
        assert report.mistake and report.mistake.name == mistake.name, (mistake.name, str(report))
        assert mistake.says in str(report) and mistake.look in str(report) and mistake.mark in str(report)
        assert report.verdict == ("variant" if mistake.variant else "wrong")


@pytest.mark.parametrize("name", EXERCISES)
def test_fresh_inputs_tell_mistakes_apart_as_well(name):
    for mistake in bank_of(name)[::4]:
        report = check(name, mistake.f, seed=12345)
        assert report.mistake and report.mistake.name == mistake.name, (mistake.name, str(report))


def test_the_bank_is_large_and_every_mistake_has_a_message_of_its_own():
    named = {(m.exercise, m.name): m.says for m in BANK}
    assert len(named) >= 60 and len(set(named.values())) >= 60
    assert all((m.exercise, m.name, m.says) for m in BANK)
    for name in EXERCISES:
        own = [says for (exercise, _), says in named.items() if exercise == name]
        assert len(own) == len(set(own)) >= 6
        assert all(m.says == named[name, m.name] for m in bank_of(name))


def test_no_message_shows_code():
    for m in BANK:
        assert not any(word in m.says + m.look for word in ("np.", "lambda", "einsum", "axis=", ".sum(",
                                                            "def "))


# the 34 mistakes, made anew in the solutions ------------------------------------------------------------

def mutated(function, *changes, inside=None):
    """The function with pieces of its text replaced; `inside` names a helper to be changed in its place."""
    target = inside or function
    text = inspect.getsource(target)
    text = text[text.index("def "):]
    for old, new in changes:
        assert old in text, (old, text)
        text = text.replace(old, new)
    world = dict(function.__globals__)
    exec(compile(text, "<mutated>", "exec"), world)
    if inside is None:
        return world[function.__name__]
    text = inspect.getsource(function)
    exec(compile(text[text.index("def "):], "<mutated>", "exec"), world)
    return world[function.__name__]


R, G, A, O, L, D = recurrent, gated, attention, outputs, learning, decoding
WEIGHTS = (("dW += X", "dW = X"), ("dU += H", "dU = H"), ("db += da", "db = da"))
LOOP = "range(T - 1, -1, -1)"
ROWS = [
    (1, "bptt", "carry dropped", R.bptt_einsum, [("dhs[t] + carry", "dhs[t] + 0")]),
    (1, "lstm-bptt", "dh carry dropped", G.lstm_bptt_einsum, [("dh = dh + dhs[t]", "dh = dhs[t]")]),
    (2, "bptt", "upstream dropped", R.bptt_einsum, [("dhs[t] + carry", "(carry if t < len(xs) - 1 else "
                                                     "dhs[t])")]),
    (3, "bptt", "truncated 1", R.bptt_batch_first, [(LOOP, "range(T - 1, T - 2, -1)")]),
    (3, "bptt", "truncated 2", R.bptt_batch_first, [(LOOP, "range(T - 1, T - 3, -1)")]),
    (3, "bptt", "truncated 3", R.bptt_batch_first, [(LOOP, "range(T - 1, T - 4, -1)")]),
    (3, "bptt", "truncated 2", R.bptt_einsum, [("d = dhs[t] + carry", "d = (dhs[t] + carry) * (t >= len(xs) "
                                                "- 2)")]),
    (4, "bptt", "one step's weights (t = 1)", R.bptt_batch_first, WEIGHTS),
    (4, "lstm-bptt", "one step's weights (t = 1)", G.lstm_bptt_batch_first,
     [("dW += X", "dW = X"), ("dU += hh", "dU = hh"), ("db += da", "db = da")]),
    (5, "bptt", "db of t = 1", R.bptt_batch_first, WEIGHTS[2:]),
    (5, "bptt", "db mean", R.bptt_batch_first, [("da.sum(0)", "da.mean(0)")]),
    (5, "bptt", "db mean", R.bptt_einsum, [('np.einsum("tnh->h", das)', "das.sum(axis=0).mean(axis=0)")]),
    (5, "lstm-step-backward", "db mean", G.lstm_back_list, [("np.sum(da, axis=0)", "da.mean(axis=0)")]),
    (6, "bptt", "h_t in dU", R.bptt_einsum, [("before, das", "hs, das")]),
    (6, "rnn-step-backward", "h in dU", R.back_joined, [("np.concatenate([x, h_prev]",
                                                         "np.concatenate([x, h]")]),
    (7, "bptt", "U for U^T", R.bptt_einsum, [("nh,ih->ni", "nh,hi->ni")]),
    (7, "rnn-step-backward", "U for U^T", R.back_einsum, [("nh,ih->ni", "nh,hi->ni")]),
    (8, "bptt", "derivative of the input", R.bptt_einsum, [("1 - hs[t] ** 2", "1 - np.tanh(hs[t]) ** 2")]),
    (8, "lstm-step-backward", "sigmoid derivative of the input", G.lstm_back_list,
     [("i * (1 - i)", "sigmoid(i) * (1 - sigmoid(i))"), ("f * (1 - f)", "sigmoid(f) * (1 - sigmoid(f))"),
      ("o * (1 - o)", "sigmoid(o) * (1 - sigmoid(o))")], G.lstm_da),
    (9, "bptt", "dh0 before U^T", R.bptt_examples, [("dh0[n] = carry", "dh0[n] = da")]),
    (10, "bptt", "divided by N", R.bptt_batch_first, [("carry, dW, dU, db",
                                                       "carry, dW / N, dU / N, db / N")]),
    (10, "bptt", "divided by T", R.bptt_batch_first, [("carry, dW, dU, db",
                                                       "carry, dW / T, dU / T, db / T")]),
    (10, "rnn-step-backward", "sign", R.back_einsum, [("dh - dh * h * h", "dh * h * h - dh")]),
    (12, "lstm-bptt", "dc carry dropped", G.lstm_bptt_einsum, [("m * dh, m * dc", "m * dh, 0")]),
    (12, "lstm-bptt", "dc carry dropped", G.lstm_bptt_examples,
     [("dh + dhs[t, n], dc", "dh + dhs[t, n], dc if t == length - 1 else 0")]),
    (12, "lstm-bptt", "dc without f", G.lstm_bptt_examples, [("dc * f", "dc")]),
    (12, "lstm-step-backward", "dc carry dropped", G.lstm_back_einsum, [("dc = dc + dh * o", "dc = dh * o")],
     G.lstm_da),
    (13, "lstm-step", "gate order ifog", G.lstm_einsum, [("a[[0, 1, 3]]", "a[[0, 1, 2]]"), ("a[2]", "a[3]")]),
    (13, "lstm-step-backward", "gate order fiog", G.lstm_back_list, [("np.hstack(parts)",
     "np.hstack([parts[1], parts[0], parts[3], parts[2]])")]),
    (13, "gru-step", "gate order rzn", G.gru_gates, [("Wz, Wr, Wn", "Wr, Wz, Wn"),
                                                     ("Uz, Ur, Un", "Ur, Uz, Un"),
                                                     ("bz, br, bn", "br, bz, bn")]),
    (14, "lstm-step-backward", "c_t for c_{t-1} in df", G.lstm_back_list, [("dc * c_prev", "dc * c")],
     G.lstm_da),
    (14, "lstm-bptt", "c_t for c_{t-1} in df", G.lstm_bptt_einsum, [("dc * c_prev", "dc * c")], G.lstm_da),
    (15, "lstm-bptt", "c for tanh c in do", G.lstm_bptt_examples, [("dh * t * o", "dh * c * o")], G.lstm_da),
    (16, "lstm-bptt", "c0 overwritten", G.lstm_bptt_examples, [("(c0[n], h0[n])", "(cs[0, n], h0[n])")]),
    (17, "gru-step", "z swapped", G.gru_gates, [("h_prev + z * (n - h_prev)", "n + z * (h_prev - n)")]),
    (17, "gru-step", "reset after", G.gru_gates, [("(r * h_prev) @ Un", "r * (h_prev @ Un)")]),
    (17, "gru-step", "PyTorch's form", G.gru_gates, [("(r * h_prev) @ Un", "r * (h_prev @ Un)"),
                                                     ("h_prev + z * (n - h_prev)", "n + z * (h_prev - n)")]),
    (18, "softmax", "wrong axis", O.softmax_in_place, [("p.max(axis=1)[:, None]", "p.max(axis=0)"),
                                                       ("p.sum(axis=1)[:, None]", "p.sum(axis=0)")]),
    (19, "softmax", "no shift", O.softmax_in_place, [("p -= p.max(axis=1)[:, None]", "pass")]),
    (20, "masked-loss", "no mask", O.masked_batch_first, [
        ("mask.T.astype(float)", "np.ones(mask.T.shape)"), ("np.where(mask, targets, 0)", "targets")]),
    (21, "masked-loss", "mask in the loss only", O.masked_batch_first,
     [("m / m.sum(), ", "0 * m + 1 / m.sum(), "), ("np.where(mask, targets, 0)", "targets")]),
    (22, "masked-loss", "divided by N", O.masked_batch_first, [("m.sum()", "len(m)")]),
    (22, "masked-loss", "mean over S N", O.masked_batch_first, [("m.sum()", "m.size")]),
    (22, "masked-loss", "mean of each sequence", O.masked_batch_first,
     [("L = -np", "m = m / m.sum(axis=1, keepdims=True)\n    L = -np")]),
    (23, "masked-loss", "targets one late", O.masked_batch_first, [("[ids.T]", "[np.roll(targets, 1, axis=0).T]")]),
    (23, "shift-targets", "not shifted", D.shift_loops, [("[1, *y]", "[*y, 2]")]),
    (24, "attention-mask", "scores times mask", A.mask_infinity,
     [("np.where(mask, e, -np.inf)", "e * mask")]),
    (24, "attention-mask", "mask after the softmax", A.mask_infinity, [("np.where(mask, e, -np.inf)", "e"),
                                                                       ("return y / y.sum(axis=0)",
                                                                        "return y / y.sum(axis=0) * mask")]),
    (24, "additive-attention", "scores times mask", A.additive_einsum,
     [("mask_infinity(np.einsum(\"tna,a->tn\", u, v), mask)",
      "mask_infinity(np.einsum(\"tna,a->tn\", u, v) * mask, mask | True)")]),
    (25, "dot-attention-backward", "diagonal", A.dot_back_examples, [("a * (a @ dalpha)", "a * a * dalpha")]),
    (25, "attention-decoder-backward", "diagonal", A.decoder_examples,
     [("dalpha - a @ dalpha", "dalpha * (1 - a)")]),
    (26, "dot-attention-backward", "context path only", A.dot_back_sums, [(" + de * s", "")]),
    (26, "dot-attention-backward", "score path only", A.dot_back_sums, [("alpha[:, :, None] * dctx + ", "")]),
    (26, "additive-attention-backward", "context path only", A.additive_back_flat, [(" + da @ W_h.T", "")]),
    (27, "embedding-backward", "+= with repeated ids", O.embedding_loops,
     [("for t in range(ids.shape[0]):", "dE[ids] += dx\n    for t in ():")]),
    (28, "final-state", "last row", R.final_batch_first, [("h[m][-1]", "h[-1]")]),
    (28, "rnn-batches", "mask ignored", R.batches_in_place, [("h[mask[t]]", "h[:]"), ("[mask[t]]\n", "\n")]),
    (29, "greedy", "state not handed on", D.greedy_done, [("logits, s = step", "logits, _ = step")]),
    (29, "greedy", "EOS fed first", D.greedy_done, [("np.ones(N, int)", "np.full(N, 2)")]),
    (29, "teacher-forcing", "state not handed on", D.forcing_inputs,
     [("logits, s = step", "logits, _ = step")]),
    (30, "clipping", "each by itself", L.clip_in_place, [("if size > limit:\n        for a in copies:\n",
     "for a in copies:\n        size = np.linalg.norm(a)\n        if size > limit:\n")]),
    (31, "adam", "no bias correction", L.adam_in_place, [(" / (1 - beta1 ** t)", ""), (" / (1 - beta2 ** t)",
                                                                                       "")]),
    (32, "lstm-bptt", "dc_T dropped", G.lstm_bptt_einsum, [("np.zeros_like(h0), dc_T", "np.zeros_like(h0), 0 "
                                                            "* dc_T")]),
    (33, "teacher-forcing", "argmax fed", D.forcing_buffer,
     [("targets[t - 1], s", "out[t - 1].argmax(axis=1), s")]),
    (34, "rnn-batches", "state of the previous batch", R.batches_picked,
     [("found = []", "found, last = [], np.zeros((9, len(U)))"), ("np.zeros((xs.shape[1], U.shape[0]))",
                                                                  "last[:xs.shape[1]]"),
      ("    return", "        last = np.vstack([found[-1], np.zeros((9, len(U)))])\n    return")]),
]


@pytest.mark.parametrize("row, exercise, name, function, changes, inside",
                         [(*r, None) if len(r) == 5 else r for r in ROWS], ids=lambda v: v
                         if isinstance(v, (int, str)) else "")
def test_known_mistakes_made_by_somebody_else_are_named(row, exercise, name, function, changes, inside):
    assert check(exercise, function).passed
    report = check(exercise, mutated(function, *changes, inside=inside))
    assert report.mistake and report.mistake.name == name, str(report)


def test_an_input_changed_in_place_is_named_with_its_line():
    """Row 11."""
    def bptt(W, U, xs, h0, hs, mask, dhs):
        dhs[-1] *= 0.5                                          # the guilty line
        return dhs
    report = check("bptt", bptt)
    assert report.verdict == "contract" and "in place" in report.says and "dhs[-1] *= 0.5" in report.says
    line = inspect.getsourcelines(bptt)[1] + 1
    assert f"line {line}:" in report.says


def test_all_34_rows_are_covered():
    assert {row[0] for row in ROWS} | {11} == set(range(1, 35))


def test_the_bank_does_not_contain_a_right_answer():
    from minis2s.classroom.doctor.bank import agree_on
    from minis2s.classroom.doctor.doctor import bench
    for name, exercise in EXERCISES.items():
        b = bench(name, 3)
        for m in (*b.known, *b.generic):
            same = [agree_on(w, b.run(m, c), k) for c, w in enumerate(b.want) for k in range(len(exercise.outputs))]
            assert not all(same) or m in b.generic, (name, m.name)
        top = np.inf if name == "copying" else -np.inf          # log p of what can neither be said nor be copied
        assert all((np.isfinite(a) | (-a == top)).all() for answers in b.want if answers is not None for a in answers
                   if a.dtype.kind != "b")
