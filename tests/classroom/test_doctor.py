"""The doctor: contract, location, diagnosis, and the report."""
import inspect
import json
import subprocess
import sys
from itertools import combinations

import numpy as np
import pytest

import minis2s
from minis2s.classroom.doctor import Report, check
from minis2s.classroom.doctor.cases import extra, ordinary, take
from minis2s.classroom.doctor.doctor import answer
from minis2s.classroom.doctor.locate import Location, differs
from minis2s.classroom.exercises import EXERCISES, find
from minis2s.classroom.exercises.exercise import draws
from minis2s.classroom.mistakes import bank_of
from solutions import SOLUTIONS, gated, outputs, recurrent


def reference(name):
    """The library's own function, called in the order of the arguments."""
    exercise = find(name)

    def f(*given):
        return exercise.reference(**dict(zip(exercise.names, given)))
    f.py_func = f
    return f


def bugs(name, *mistakes):
    """A right function with these mistakes of the bank in it."""
    edits = [next(m.f for m in bank_of(name) if m.name == mistake) for mistake in dict.fromkeys(mistakes)]
    return sum(edits[1:], edits[0])


@pytest.mark.parametrize("name", EXERCISES)
def test_the_library_passes_on_every_seed(name):
    for seed in (0, 1, 77, np.int64(5)):
        assert check(name, reference(name), seed).passed


def test_the_module_itself_is_the_function():
    assert minis2s.check("softmax", outputs.softmax_loops).passed
    assert isinstance(minis2s.check("softmax", lambda a: a), Report)


def test_numba_is_not_imported():
    code = ("import sys, minis2s\nfrom minis2s.classroom.mistakes import BANK\n"
            "assert not minis2s.check('softmax', lambda a: a).passed\nprint('numba' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr


def test_unknown_names_seeds_and_hints_are_refused():
    with pytest.raises(ValueError, match="no exercise 'lstm-stp'; did you mean lstm-step"):
        check("lstm-stp", len)
    with pytest.raises(ValueError, match="exercise list"):
        check("qqqqqq", len)
    with pytest.raises(TypeError, match="name: got int"):
        check(3, len)
    with pytest.raises(TypeError, match="seed=0.5: wanted a whole number"):
        check("softmax", len, seed=0.5)
    with pytest.raises(ValueError, match="seed=-1: wanted 0 or more"):
        check("softmax", len, seed=-1)
    with pytest.raises(ValueError, match="hint=4: wanted 1, 2 or 3"):
        check("softmax", len, hint=4)
    assert find("LSTM_step.py") is EXERCISES["lstm-step"]


# contract ----------------------------------------------------------------------------------------------

def unfinished(a):
    raise NotImplementedError


def crashing(a):
    b = a.T
    return a + b                                                # shapes


def leaving(a):
    raise SystemExit(3)


KEPT, KEEP = [], {}


def remembering(a):
    KEPT.append(1)
    return outputs.softmax_loops(a) * len(KEPT)


@pytest.mark.parametrize("function, verdict, phrase", [
    (unfinished, "unfinished", "not implemented yet"),
    (crashing, "error", "your code stops with ValueError: operands could not be broadcast"),
    (leaving, "exit", "ends the program"),
    (remembering, "contract", "a second call with the same arguments gives other numbers"),
    (lambda a: np.random.default_rng().random(a.shape), "contract", "a second call"),
    (3, "contract", "no function but an int"),
    (lambda: 1, "contract", "your function takes (), wanted softmax(a): 1 argument, in this order"),
    (lambda a, b: 1, "contract", "takes (a, b), wanted softmax(a)"),
    (lambda a, axis=1: outputs.softmax_loops(a), "passed", "every number agrees"),
    (lambda *a: outputs.softmax_loops(*a), "passed", "every number agrees"),
    (lambda a: None, "contract", "returns nothing, wanted p"),
    (lambda a: a.tolist(), "contract", "p is a list, wanted an array of shape (N, V)"),
    (lambda a: (a, a), "contract", "p is a tuple, wanted an array"),
    (lambda a: (outputs.softmax_loops(a),), "passed", "every number"),
    (lambda a: outputs.softmax_loops(a).T, "contract", "p has shape (9, 4), wanted (N, V) = (4, 9): the "
     "right numbers, in "
                                                       "another order of axes"),
    (lambda a: outputs.softmax_loops(a)[0], "contract", "p has shape (9,), wanted (N, V) = (4, 9)"),
    (lambda a: outputs.softmax_loops(a).astype(np.float32), "contract", "float32 keeps 7 digits, so right "
     "formulas would look"),
    (lambda a: np.zeros_like(a, int), "contract", "p is int64, wanted float64"),
    (lambda a: outputs.softmax_loops(a).astype(complex), "contract", "p is complex128, wanted float64"),
    (lambda a: a * np.nan, "wrong", "p holds nan where the answer is an ordinary number"),
])
def test_the_contract_is_checked_first(function, verdict, phrase):
    report = check("softmax", function)
    assert report.verdict == verdict and phrase in report.says and report.passed == (verdict == "passed")
    assert "Traceback" not in str(report)
    assert report.passed or "  next:    " in str(report).splitlines()[-1]


def test_errors_name_the_line_of_the_students_own_function():
    report = check("softmax", crashing)
    assert f"line {inspect.getsourcelines(crashing)[1] + 2}: return a + b" in report.says


def test_more_values_more_ways_to_return_them_wrongly():
    step = gated.lstm_gates
    assert "returns 1 value, wanted 2: h, c" in check("lstm-step", lambda *g: step(*g)[:1]).says
    says = check("lstm-step", lambda *g: step(*g)[0]).says
    assert "returns an array of shape (4, 6), wanted 2 values: h, c" in says
    assert check("lstm-step", lambda *g: list(step(*g))).passed
    assert "L has shape (1,), wanted a number" in check("cross-entropy", lambda a, t: np.ones(1)).says
    assert "L is a str, wanted a number" in check("cross-entropy", lambda a, t: "low").says
    assert "ids is float64, wanted whole numbers" in check("greedy", lambda s, s0,
                                                           n: np.zeros((n, len(s0)))).says
    assert "mask is int64, wanted bool" in check("shift-targets", lambda a: [np.ones((5, 5), int)] * 3).says


def test_a_list_that_is_changed_is_noticed_though_it_is_not_read_only():
    def shift(answers):
        answers[0].append(2)
        return [np.zeros((5, 5), int)] * 3
    assert "the argument answers was changed" in check("shift-targets", shift).says


def test_an_array_made_writeable_and_changed_is_noticed():
    def softmax(a):
        a.flags.writeable = True
        a -= 1
        return outputs.softmax_loops(a)
    assert "the argument a was changed" in check("softmax", softmax).says


def test_outputs_that_share_memory():
    def views(x, h_prev, h, W, U, dh):
        dx, dh_prev, dW, dU, db = recurrent.back_einsum(x, h_prev, h, W, U, dh)
        whole = np.concatenate([dW, dU])
        return dx, dh_prev, whole[:len(dW)], whole[2:2 + len(dU)], db
    report = check("rnn-step-backward", views)
    assert report.verdict == "wrong" and any("dU and dW share memory" in note for note in report.notes)
    report = check("rnn-step", lambda x, h_prev, W, U, b: np.tanh(x @ W + h_prev @ U + b, out=KEEP.setdefault(
        h_prev.shape, np.empty(h_prev.shape))))
    assert report.verdict == "contract" and "a later call changes the result" in report.says
    report = check("adam", lambda w, g, m, v, *r: (w, m, v))
    assert report.verdict == "wrong" and "the argument m, unchanged" in report.says


def test_float32_is_refused_by_a_gradient_checker_and_the_reason_given():
    def checker(f, w, h):
        eye = np.eye(w.size).reshape(-1, *w.shape)
        return np.array([(f(w + h * e) - f(w - h * e)) / (2 * h) for e in eye]).reshape(w.shape)
    report = check("gradient-check", checker)
    assert report.verdict == "contract" and "float32" in report.says and "TypeError" in report.says


# location ----------------------------------------------------------------------------------------------

def spoiled(name, function, output, index):
    """The function with some numbers of one output changed."""
    k = [o.name for o in find(name).outputs].index(output)

    def f(*given):
        result = [np.array(a) for a in function(*given)]
        for at in index:
            if result[k].ndim == 0 or all(np.array(at) < result[k].shape):     # the second case is smaller
                result[k][at] += 0.5
        return tuple(result)
    return f


def test_backward_in_time_the_last_wrong_step_is_first():
    f = spoiled("bptt", recurrent.bptt_einsum, "dxs", [(1, 2, 0), (3, 1, 1), (3, 3, 0), (0, 0, 0)])
    report = check("bptt", f)
    where = report.location
    assert (where.output, where.t, where.n, where.index) == ("dxs", 4, 1, (3, 1, 1))
    assert where.got[0] == pytest.approx(where.wanted[0] + 0.5)
    assert where.got[1:] == pytest.approx(where.wanted[1:])
    assert where.pattern.startswith("wrong at t = 1, 2, 4; right at t = 3, 5")
    assert where.right == ("dh0", "db", "dW", "dU")
    assert "t = 4, n = 1" in str(report) and "dxs[3, 1, 1]" in str(report)
    assert report.look == "what is carried back from t = 5 to t = 4: every later step is right"


def test_forward_in_time_the_first_wrong_step_is_first():
    f = spoiled("teacher-forcing", lambda *g: (reference("teacher-forcing")(*g),), "logits",
                [(4, 1, 0), (2, 3, 5)])
    assert (check("teacher-forcing", f).location.t, check("teacher-forcing",
                                                          f).location.index) == (3, (2, 3, 5))


def test_padded_positions_are_called_so():
    mask = find("bptt").cases(draws(0))[0].inputs["mask"]
    t, n = map(int, np.argwhere(~mask)[-1])
    real = check("bptt", spoiled("bptt", recurrent.bptt_einsum, "dxs", [(t, int(mask[t].argmax()), 0)]))
    padded = check("bptt", spoiled("bptt", recurrent.bptt_einsum, "dxs", [(t, n, 0)]))
    assert padded.location.padded and f"t = {t + 1}, n = {n} (padded position)" in str(padded)
    assert not real.location.padded and "padded" not in str(real)


def test_gate_blocks_are_named():
    H = 6
    report = check("lstm-step-backward", spoiled("lstm-step-backward", gated.lstm_back_list, "dW",
                                                 [(1, 2 * H + 1), (0, 3 * H)]))
    assert (report.location.output, report.location.gate) == ("dW", "o")
    assert "wrong in gate block g, o; right in i, f" in str(report)
    report = check("lstm-bptt", bugs("lstm-bptt", "1 - g", "sign"))
    assert {m.name for m in report.mistakes} == {"1 - g", "sign"} and "together they give all" in report.says
    both = spoiled("lstm-step-backward", gated.lstm_back_list, "dW", [(0, 3 * H)])
    report = check("lstm-step-backward", spoiled("lstm-step-backward", both, "dc_prev", [(1, 1)]))
    assert report.location.output == "dc_prev"
    assert "wrong in gate block o; right in i, f, g" in report.notes[-1]


def test_the_first_tensor_in_the_order_of_computation_is_named_and_forward_stands_before_backward():
    both = spoiled("masked-loss", spoiled("masked-loss", outputs.masked_rows, "dlogits", [(0, 0, 0)]), "L",
                   [()])
    report = check("masked-loss", both)
    assert report.location.output == "L" and report.location.wrong == ("dlogits",)
    report = check("lstm-step", spoiled("lstm-step", spoiled("lstm-step", gated.lstm_gates, "h", [(0, 0)]),
                                        "c", [(3, 2)]))
    assert report.location.output == "c"                        # returned last, computed first


def test_sizes_written_as_numbers_are_found():
    def step(x, h_prev, W, U, b):
        return recurrent.step_einsum(x, h_prev, W, U, b)[:, :6] if len(x) == 4 else h_prev * 1.0
    assert "these inputs: ordinary numbers, other sizes" in str(check("rnn-step", step))


def test_an_error_that_only_extreme_inputs_show_is_said_to_be_one():
    report = check("softmax", lambda a: np.exp(a) / np.exp(a).sum(axis=1, keepdims=True))
    assert "these inputs: all scores raised by 1000" in str(report)
    assert report.location.got[0] != report.location.got[0]
    json.dumps(report.to_json(), allow_nan=False)


PAIRS = {                      # the first wrong tensor of each mistake alone, in (output, t)
    "dh carry dropped": ("dxs", 4), "dc carry dropped": ("dxs", 4), "upstream dropped": ("dxs", 4),
    "dc without f": ("dxs", 4),
    "truncated 3": ("dxs", 2), "c0 overwritten": ("dxs", 1), "c for tanh c in do": ("dxs", 5),
    "mask ignored": ("dxs", 5),
    "c_t for c_{t-1} in df": ("dxs", 5), "U for U^T": ("dxs", 4), "dc0 is dc_T": ("dc0", None),
    "dh0 before U^T": ("dh0", None),
    "db of t = T": ("db", None), "one step's weights (t = 1)": ("db", None), "h_t in dU": ("dU", None)}


def order(place):
    """How early a place is computed."""
    return ("dxs", "dc0", "dh0", "db", "dW", "dU").index(place[0]), -(place[1] or 0)


def fit(one, other):
    """Whether both mistakes can be made in one function: two edits of one line cannot."""
    try:
        return bool(bugs("lstm-bptt", one, other))
    except ValueError:
        return False


TOGETHER = [pair for pair in combinations(PAIRS, 2) if fit(*pair)]


def test_most_mistakes_can_be_made_together():
    assert len(TOGETHER) > 95


@pytest.mark.parametrize("one, other", [*((a, a) for a in PAIRS), *TOGETHER])
def test_pairs_of_mistakes_are_located(one, other):
    report = check("lstm-bptt", bugs("lstm-bptt", one, other))
    assert (report.location.output, report.location.t) == min(PAIRS[one], PAIRS[other], key=order)
    if one == other:
        assert report.mistake.name == one
    case = find("lstm-bptt").cases(draws(0))[0]
    k = [o.name for o in find("lstm-bptt").outputs].index(report.location.output)
    got, want = bugs("lstm-bptt", one, other)(*case.inputs.values())[k], answer(find("lstm-bptt"), case)[k]
    assert differs(got, want)[report.location.index]            # it is wrong there
    assert report.location.got[0] == got[report.location.index]
    assert report.location.wanted[0] == want[report.location.index]


def test_one_of_two_mistakes_is_named_where_its_tensor_shows_it():
    report = check("bptt", lambda *g: (lambda r: (*r[:3], r[3] * 0 + 1, r[4]))(recurrent.bptt_einsum(*g)))
    assert report.mistake is None and report.says == "every number of dU is the same"

    def two(W, U, xs, h0, hs, mask, dhs):
        dxs, dh0, dW, dU, db = recurrent.bptt_einsum(W, U, xs, h0, hs, mask, dhs)
        return dxs, dhs[0].copy(), dW, dU, db * 2
    report = check("bptt", two)
    assert report.mistake.name == "dh0 is dhs[0]"
    assert report.says.startswith("dh0: it is dhs[0], the gradient of h_1; h_0 is one step further back")
    assert report.more[0][0] == "db: every number is 2 times the wanted one"


def test_a_constant_ratio_is_told_with_its_meaning():
    def scaled(k):
        return lambda *g: (lambda r: (*r[:2], *(a * k(*g) for a in r[2:])))(recurrent.bptt_einsum(*g))
    report = check("bptt", scaled(lambda W, U, xs, h0, hs, mask, dhs: 1 / mask.size))
    assert "every number is 0.05 times the wanted one: 1/20, and 20 is T N" in report.says
    assert "2.5 times the wanted one" in check("bptt", scaled(lambda *g: 2.5)).says


# report ------------------------------------------------------------------------------------------------

def test_reports_end_with_the_next_thing_and_hold_plain_values():
    report = check("dot-attention", lambda s, hs, mask: (s, mask * 1.0), seed=3, hint=2)
    plain = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert plain["exercise"] == "dot-attention" and plain["passed"] is False and plain["seed"] == 3
    assert plain["hint"] == EXERCISES["dot-attention"].hints[1] and plain["hint"] in str(report)
    assert plain["location"]["output"] == "alpha" and plain["text"] == str(report) == repr(report)
    assert isinstance(report.location, Location)


def test_three_hints_each_and_none_unless_asked():
    for name, exercise in EXERCISES.items():
        assert len(exercise.hints) == len(set(exercise.hints)) == 3
        texts = [str(check(name, unfinished if len(exercise.names) == 1 else lambda *g: None, hint=k))
                 for k in (1, 2, 3)]
        assert all(hint in text for hint, text in zip(exercise.hints, texts))
        assert not any(hint in str(check(name, lambda *g: None)) for hint in exercise.hints)


def test_solutions_in_other_styles_pass():
    counts = {}
    for exercise, style, f in SOLUTIONS:
        counts[exercise] = counts.get(exercise, 0) + 1
        if exercise == "njit-loop":
            continue                                            # compiled below
        for seed in (0, 4):
            assert check(exercise, f, seed).passed, (style, str(check(exercise, f, seed)))
    assert counts.keys() == EXERCISES.keys() and min(counts.values()) >= 3


def test_compiled_solutions_pass_and_uncompiled_ones_do_not():
    numba = pytest.importorskip("numba", reason="Numba is not installed: the exercise njit-loop needs it")
    for exercise, style, f in SOLUTIONS:
        if exercise == "njit-loop":
            assert check(exercise, numba.njit(f)).passed, style
            assert "not compiled" in check(exercise, f).says

    def in_place(xs, h0, U):
        h0[0, 0] = 0.0
        return xs
    assert "in place" in check("njit-loop", numba.njit(in_place)).says

    def added(xs, h0, U):
        h0 += 1
        return xs
    assert "in place" in check("njit-loop", numba.njit(added)).says
    assert "h0 += 1" in check("njit-loop", numba.njit(added)).says
    unknown = check("njit-loop", numba.njit(lambda xs, h0, U: np.array(sorted({"a": xs}.values(), key=str))))
    assert unknown.verdict == "error" and "Numba cannot compile" in unknown.says
    assert check("njit-loop", numba.njit(lambda xs, h0, U: xs.copy())).verdict == "wrong"


def test_the_package_hands_out_the_doctor():
    """minis2s.check(...) works after `import minis2s` alone; other names are still unknown."""
    code = ("import numpy as np, minis2s\n"
            "right = minis2s.check('softmax', lambda a: np.exp(a) / np.exp(a).sum(axis=1, keepdims=True))\n"
            "assert right.passed is False\n"
            "assert not hasattr(minis2s, 'chekc')\n")
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name, gates", [("lstm-step-backward", 4), ("gru-step-backward", 3)])
def test_smaller_inputs_are_cut_from_every_gate(name, gates):
    """Units 0 and 1 of each block: columns 0, 1, H, H+1, 2H, ..."""
    exercise = find(name)
    given = ordinary(exercise, 0)[0].inputs
    H = len(given["U"])
    less = take(exercise, given, "H", [0, 1])
    columns = [k * H + unit for k in range(gates) for unit in (0, 1)]
    assert np.array_equal(less["W"], given["W"][:, columns]) and np.array_equal(less["U"], given["U"][:2][:, columns])
    small = {case.label: case.inputs for case in extra(exercise, 0)}["smallest"]
    assert small["W"].shape == (1, gates) and np.array_equal(small["W"][0], given["W"][0, ::H])


def test_attention_of_fewer_positions_sums_to_one():
    exercise = find("dot-attention-backward")
    given = ordinary(exercise, 0)[0].inputs
    assert any(name.startswith("alpha") for name in given)
    for count in (1, 2):
        less = take(exercise, given, "T", range(count))
        for name in given:
            if name in ("alpha", "alphas"):
                assert less[name].sum(axis=0) == pytest.approx(1)


def test_later_and_earlier_are_told_apart():
    from minis2s.classroom.doctor.numbers import moved
    from minis2s.classroom.exercises.exercise import Output
    want, output = np.random.default_rng(0).normal(size=(4, 3)), Output("hs", ("T", "N"), "states")
    for by, word in ((1, "later"), (-1, "earlier")):
        says, _ = moved(None, None, np.roll(want, by, axis=0), want, output)
        assert says.startswith(f"hs holds the right numbers one place {word} along T")


def test_a_view_of_an_argument_is_shared_memory():
    from minis2s.classroom.doctor.outcome import perform
    from minis2s.classroom.exercises.exercise import Case
    case = Case("any", {"a": np.arange(6.0).reshape(2, 3), "b": np.ones(2)})
    for f, shared in ((lambda a, b: a[:1], ((0, "a"),)), (lambda a, b: (b * 1, a.T), ((1, "a"),)),
                      (lambda a, b: a + 0, ())):
        assert perform(f, case)[0].shared == shared
