"""What the doctor says of answers that its bank does not hold: each sentence is true, none speaks of what is right."""
import re
from typing import NamedTuple

import numpy as np
import pytest
from numba import njit

from minis2s.classroom.doctor import check
from minis2s.classroom.doctor.doctor import bench
from minis2s.classroom.doctor.locate import differs
from solutions import outputs as O


def right(name):
    """The library's own answer to an exercise, as a tuple."""
    exercise = bench(name, 0).exercise

    def f(*values):
        result = exercise.reference(**dict(zip(exercise.names, values)))
        return tuple(map(np.array, result)) if isinstance(result, tuple) else np.array(result)
    return f


class Gradients(NamedTuple):
    """A tuple with names is a tuple."""
    dx: np.ndarray
    dh_prev: np.ndarray
    dW: np.ndarray
    dU: np.ndarray
    db: np.ndarray


@njit
def loop(xs, h0, U, hs):
    """The time loop that a plain function calls."""
    for t in range(len(xs)):
        for n in range(xs.shape[1]):
            for j in range(xs.shape[2]):
                a = xs[t, n, j]
                for k in range(xs.shape[2]):
                    a += (h0[n, k] if t == 0 else hs[t - 1, n, k]) * U[k, j]
                hs[t, n, j] = np.tanh(a)


def calls_a_compiled_loop(xs, h0, U):
    """A plain function around a compiled one."""
    hs = np.empty(xs.shape)
    loop(xs, h0, U, hs)
    return hs


def test_tuples_with_names_and_compiled_helpers_are_right():
    assert check("gru-step-backward", lambda *g: Gradients(*right("gru-step-backward")(*g))).passed
    assert check("njit-loop", calls_a_compiled_loop).passed


def test_results_in_another_order_are_called_so():
    back = right("rnn-step-backward")
    says = check("rnn-step-backward", lambda *g: (lambda r: (*r[2:], *r[:2]))(back(*g))).says
    assert says == "the results come in the order dW, dU, db, dx, dh_prev; wanted dx, dh_prev, dW, dU, db"
    both = right("dot-attention")
    assert "in the order alpha, ctx" in check("dot-attention", lambda *g: both(*g)[::-1]).says


@pytest.mark.parametrize("name, change, says", [
    ("cross-entropy-backward", lambda r, g: r * len(g[0]) / g[0].shape[1], "4/9, and these are N and V"),
    ("gradient-check", lambda r, g: r * g[2]**2 if g[1].dtype == float else r, "that is h^2"),
    ("additive-attention", lambda r, g: (r[0] / g[3].shape[1]**0.5, r[1]), "1/sqrt(7), and 7 is A"),
    ("shift-targets", lambda r, g: (r[0], np.where(r[2] | (r[1] > 0), r[1], 2), r[2]),
     "EOS (2) stands everywhere where PAD (0) is wanted"),
    ("shift-targets", lambda r, g: (*r[:2], r[2] | True), "the mask is True everywhere"),
    ("beam-step", lambda r, g: tuple(a[::-1][[1, 0, *range(2, len(a))]] for a in r) if len(r[0]) > 2 else r,
     "holds the right numbers in other places"),
    ("position-encoding", lambda r, g: r + np.where(np.arange(g[1]) > 2, np.arange(g[0])[:, None], 0),
     "the smallest numbers for which P is wrong are steps = 2 and size = 4"),
])
def test_numbers_say_by_themselves_what_they_are(name, change, says):
    f = right(name)

    def g(*values):
        return change(f(*values), values)
    report = check(name, g)
    assert says in str(report), report


def test_what_is_not_finite_is_called_by_what_can_make_it():
    assert "root or the logarithm of a negative number" in check("softmax", lambda a: a * np.nan).look
    assert "overflows" in check("softmax", lambda a: a + np.inf).look


def test_wrong_numbers_come_before_an_error_on_later_inputs():
    """Without the mask the padded targets are read: -100 lies outside of the array, but the first case says more."""
    def f(logits, targets, mask):
        rows = logits.reshape(-1, logits.shape[2])
        log_p = rows - np.logaddexp.reduce(rows, axis=1)[:, None]
        p = np.exp(log_p)
        p[np.arange(len(p)), targets.ravel()] -= 1
        return -log_p[np.arange(len(p)), targets.ravel()].mean(), p.reshape(logits.shape) / targets.size
    report = check("masked-loss", f)
    assert report.mistake.name == "no mask" and report.location.case == "ragged lengths"
    real = check("masked-loss", lambda logits, targets, mask: O.masked_batch_first(logits, targets, mask | True)
                 if (targets < 0).any() else O.masked_batch_first(logits, targets, mask))
    assert not real.passed and "targets of -1" in real.location.case


def test_ties_are_decided_for_the_lowest_id():
    def last(step, s0, max_length):
        ids, y, done = np.zeros((max_length, len(s0)), int), np.ones(len(s0), int), np.zeros(len(s0), bool)
        for t in range(max_length):
            logits, s0 = step(y, s0)
            y = logits.shape[1] - 1 - logits[:, ::-1].argmax(axis=1)
            ids[t] = np.where(done, 0, y)
            done |= y == 2
        return ids
    assert "wrong for: equal scores" in check("greedy", last).says


def test_what_one_mistake_says_is_not_said_of_outputs_that_are_right():
    """dW alone is divided by N: the sentence of the mistake that divides dW, dU and db speaks of dW only."""
    back = right("rnn-step-backward")
    report = check("rnn-step-backward", lambda *g: (lambda r: (*r[:2], r[2] / len(g[0]), *r[3:]))(back(*g)))
    assert re.search(r"dW: (divided by N|every number is 0.25)", report.says) and not re.search("dU|db", report.says)


def test_rounding_where_the_true_value_is_zero_is_no_mistake():
    assert not differs(np.full(3, 1e-16), np.zeros(3)).any()
    assert not differs(np.full(3, 3e-17), np.full(3, -1e-17)).any()
    assert differs(np.full(3, 1e-8), np.zeros(3)).all()


@pytest.mark.parametrize("name, wrong, says", [
    ("bptt", lambda g: {**g, "mask": g["mask"] | True}, "without padding dxs is right"),
    ("lstm-bptt", lambda g: {**g, "mask": g["mask"] | True}, "without padding|were True everywhere"),
])
def test_padding_is_the_first_thing_that_is_tried(name, wrong, says):
    exercise = bench(name, 0).exercise

    def f(*values):
        given = dict(zip(exercise.names, values))
        r = exercise.reference(**wrong(given))
        return tuple(np.array(a) * (1.5 if not given["mask"].all() else 1) for a in r)
    assert re.search(says, str(check(name, f)))
