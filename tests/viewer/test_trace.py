"""The trace holds every quantity of every marked equation that ran, where it belongs, and changes nothing."""
import ast
import dataclasses
import importlib.util
import re
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import minis2s
from configs import CONFIGS, config
from draw import batch, like, mask, normal, same, state
from minis2s import decoding
from minis2s.api.backends import choose
from minis2s.core import tree
from minis2s.layers import attention, loss, unroll
from minis2s.layers.attention import SCORES, Memory
from minis2s.layers.cells import BoundCell, lstm
from minis2s.model import dropout_masks, parameters, seq2seq
from minis2s.training import optimizers
from minis2s.viewer.trace import Trace, trace
from minis2s.viewer.trace.marks import equations, read_module

HOUSE = Path(minis2s.__file__).parent
DEEP = dict(cell="lstm", layers=2, bidirectional=True, attention="additive")


@pytest.fixture(autouse=True)
def readable_path(monkeypatch):
    """The trace follows the NumPy path, whatever the rest of the tests run on."""
    monkeypatch.delenv("MINIS2S_BACKEND", raising=False)


def model(c, seed=0, scale=0.5):
    rng = np.random.default_rng(seed)
    return rng, like(rng, seq2seq.init(c), scale), batch(rng, c)


def run(p, c, b, drops=None):
    L, logits, k = seq2seq.forward(p, c, b, masks=drops)
    return L, logits, k, seq2seq.backward(p, c, k)


def traced(c, seed=0, **labels):
    rng, p, b = model(c, seed)
    with trace(**labels) as tr:
        L, logits, k, g = run(p, c, b)
    return tr, b, L, logits, k, g


# ---- values and places ----

def test_values_are_those_of_the_caches_two_layers_two_directions_ragged():
    tr, b, L, logits, k, g = traced(config(**DEEP))
    T = len(b.source)
    for layer in (0, 1):
        for direction in ("forward", "backward"):
            view = tr.encoder(layer=layer, direction=direction)
            caches = getattr(k.encode.encoder.stack.layers[layer], direction)
            for t in range(T):
                at = t if direction == "forward" else T - 1 - t     # reversed in time: back in the own order
                for name in ("i", "f", "g", "o", "tanh_c", "h_prev", "c_prev"):
                    assert_array_equal(view[name][t], getattr(caches[at], name), err_msg=f"{name} {t}")
                for name, mark in (("x", "L1"), ("h_prev", "L1"), ("c_prev", "L4"), ("h_prev", "L1*")):
                    assert_array_equal(view(mark=mark)[name][t], getattr(caches[at], name), err_msg=name)
            assert view.i.times == list(range(T))
    top = [tr.encoder(layer=1, direction=d).h.stack() for d in ("forward", "backward")]
    assert_array_equal(np.concatenate(top, axis=2), k.encode.hs)
    for t, step in enumerate(k.decoder.steps):
        assert_array_equal(tr.decoder.alpha[t], step.attend.alpha)
        for layer in (0, 1):
            assert_array_equal(tr.decoder(layer=layer).f[t], step.cells[layer].f)
        assert_array_equal(tr.decoder.s[t], tr.decoder(layer=1).h[t])
    assert_array_equal(tr.decoder.logits.value, logits)
    assert_array_equal(tr.decoder.logits[1], logits[1])
    assert tr.loss.L.value == tr.seq2seq.L.value == L


def test_gradients_of_the_weights():
    """Each step has its share of the sum over time."""
    tr, *_, g = traced(config(**DEEP))
    for layer in (0, 1):
        for direction in ("forward", "backward"):
            view = tr.encoder(layer=layer, direction=direction, mark="L1*")
            want = getattr(g.encoder.layers[layer], direction)
            for name in ("W", "U", "b"):
                assert_allclose(view["d" + name].stack().sum(axis=0), getattr(want, name), atol=1e-14)
            assert_allclose(np.einsum("tnd,tng->dg", view.x.stack(), view.da.stack()), want.W, atol=1e-14)
            assert_allclose(view.dx.stack(), view.da.stack() @ view.W[0].T, atol=1e-14)
        steps = tr.decoder(layer=layer, mark="L1*")
        assert_allclose(steps.dU.stack().sum(axis=0), g.decoder.layers[layer].U, atol=1e-14)
    assert_allclose(tr.encoder.dE.value, g.encoder.embedding, atol=1e-14)


@pytest.mark.parametrize("reverse", [False, True])
def test_dh_is_the_gradient_of_h_at_every_step(reverse):
    """Against the complex step: h_t is moved in the loop itself."""
    rng, (T, N, D, H) = np.random.default_rng(1), (4, 2, 3, 2)
    p, xs, s0 = lstm.init(rng, D, H), normal(rng, T, N, D), state(rng, lstm, N, H)
    m, d = np.ones((T, N), bool), normal(rng, T, N, H)
    if reverse:
        xs = xs[::-1]
    with trace() as tr:
        hs, _, caches = unroll.forward(lstm, p, xs, s0, m)
        unroll.backward(lstm, p, caches, d, lstm.State(np.zeros((N, H)), np.zeros((N, H))), m)

    def moved(t, n, j):
        calls = iter(range(T))

        def step(p, x, s):
            new, k = lstm.step(p, x, s)
            if next(calls) == t:
                change = np.zeros((N, H), complex)
                change[n, j] = 1e-30j
                new = new._replace(h=new.h + change)
            return new, k
        cell = BoundCell(lstm.Params, lstm.State, lstm.init, step, None)
        hs, _, _ = unroll.forward(cell, p, xs.astype(complex), s0, m)
        return (hs * d).sum().imag / 1e-30

    assert_array_equal(tr.unroll.h.stack(), hs)
    for t, n, j in np.ndindex(T, N, H):
        assert tr.unroll.dh[t][n, j] == pytest.approx(moved(t, n, j), abs=1e-14)


def test_places_of_all_entries():
    tr, b, *_ = traced(config(**DEEP), source=list("abcde"), target=list("xyz"))
    T, S = len(b.source), len(b.inputs)
    for e in tr.entries:
        assert (e.phase == "backward") == any("*" in mark for mark in e.marks) or e.marks[0] == "(X2)", e
        if e.part == "encoder" and any(mark.startswith("(L") for mark in e.marks):
            assert e.layer in (0, 1) and e.direction in ("forward", "backward")
            assert e.t in range(T) and e.token == "abcde"[e.t]
        if e.part == "decoder" and any(mark.startswith("(L") for mark in e.marks):
            assert e.layer in (0, 1) and e.direction is None and e.t in range(S)
            assert e.token == [*"xyz", "<eos>"][e.t]
        if set(e.marks) & {"(D7)", "(D7*)", "(X1)", "(E1*)", "(AB1)", "(AB1*)", "(B1)"}:
            assert e.t is None, e
    order = [(e.layer, e.direction, e.t) for e in tr.encoder(mark="L1*").entries if e.name == "dh_prev"]
    want = [(layer, direction, t) for layer in (1, 0) for direction, ts in
            (("backward", range(T)), ("forward", range(T - 1, -1, -1))) for t in ts]
    assert order == want                                    # the order in which they are computed
    assert {e.part for e in tr.entries} == {"seq2seq", "encoder", "bridge", "attention", "decoder", "loss"}
    assert tr.decoder.alpha.entry(1).where.startswith("attention/attend.py:")
    assert "softmax(e, memory.mask" in tr.decoder.alpha.entry(1).code


def test_free_running_and_search_count_steps_too():
    c = config(attention="additive")
    rng, p, b = model(c)
    teacher = np.zeros(b.inputs.shape, bool)
    with trace() as tr:
        seq2seq.forward(p, c, b, teacher_mask=teacher)
    assert tr.decoder.alpha.times == list(range(len(b.inputs)))
    assert [e.t for e in tr.decoder(mark="D7").entries if e.name == "logits"] == [1, 2, 3, None]
    with trace() as tr:
        answers = decoding.greedy(p, c, b.source[:, :1], b.source_mask[:, :1], 4)
    alpha = answers[0][0].alpha
    for t in range(len(alpha)):
        assert_array_equal(tr.decoder.alpha[t][:alpha.shape[1], 0], alpha[t])


# ---- every line, every symbol ----

RUNS = ["plain-rnn", "plain-lstm", "plain-gru", "plain-gru-after", "dot-after", "scaled-before",
        "general-after", "additive-before", "concat-dot-after", "smoothing"]
FILES = [*sorted(HOUSE.glob("layers/cells/*.py")), *sorted(HOUSE.glob("layers/attention/*.py")),
         HOUSE / "layers" / "loss.py"]
TRANSFORMER = ("multi_head.py", "scaled_dot_product.py")         # parts of another model than those of RUNS
FILES = [path for path in FILES if path.name not in ("__init__.py", *TRANSFORMER)]


@pytest.fixture(scope="module")
def runs():
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.delenv("MINIS2S_BACKEND", raising=False)
        return {name: traced(CONFIGS[name])[0] for name in RUNS}


def marked_lines(path):
    """Numbers of the lines inside functions whose comment carries a mark, read the simple way."""
    lines = path.read_text().splitlines()
    start = ast.parse(path.read_text()).body[0].end_lineno
    return {i for i, line in enumerate(lines, 1) if i > start and re.search(r"#.*\([A-Z]+\d+\*?\)", line)}


def test_every_marked_line_that_ran_has_an_entry():
    """Lines are counted by a tracer of the test's own."""
    names = {str(path): path for path in FILES}
    seen, met = set(), 0

    def count(frame, event, arg):
        if frame.f_code.co_filename not in names:
            return None
        if event == "line":
            seen.add((frame.f_code.co_filename, frame.f_lineno))
        return count
    for name in RUNS:
        c = CONFIGS[name]
        rng, p, b = model(c)
        seen.clear()
        before = sys.gettrace()
        sys.settrace(count)
        try:
            run(p, c, b)
        finally:
            sys.settrace(before)
        with trace() as tr:
            run(p, c, b)
        held = {(e.where, mark) for e in tr.entries for mark in e.marks if e.role == "out"}
        for path in FILES:
            plans = read_module(str(path))[0]
            for line in marked_lines(path):
                if (str(path), line) in seen:
                    statement = next(plan[line] for plan in plans.values() if line in plan)
                    where = f"{path.parent.name}/{path.name}:{statement.line}"
                    for mark in statement.marks:
                        assert (where, mark) in held, (path, line)
                        met += 1
    assert met > 250


SYMBOL = re.compile(r"[A-Za-z]+\w*'?")
WORDS = set("""sigmoid tanh exp softmax log_softmax sum sqrt sum_i sum_n sum_real sum_v sum_i,n or from the
output and then as for any product in the same with where means T H V k log on real tokens else of is X1 X3
one hot softmax_i""".split())


def symbols(text):
    """The letters of an equation as names in the code: h' is h_prev, h_i of all i is hs, da_k is da."""
    for old, new in (("log p_v", "log_p"), ("log p", "log_p"), ("^T", ""), ("dlog_p_v", "dlog_p")):
        text = text.replace(old, new)
    for word in SYMBOL.findall(re.sub(r"sum_\S+|phi\(a\)", "", text)):
        if word in WORDS or word in ("dk", "dw", "dz" if "means" in text else "dw"):
            continue
        prev, word = word.endswith("'"), word.rstrip("'")
        word = re.sub(r"_(i|k|g|o|f|n|v)$", "", word)
        yield "phi_prime" if word == "phi" else word + "_prev" * prev


SAME = {"h": ("h", "hs"), "dh": ("dh", "dhs"), "k": ("keys",), "dk": ("dkeys", "da"),
        "a": ("a",), "da": ("da", "da_n", "da_z"), "U": ("U", "U_z"), "b": ("b", "b_z"),
        "dU": ("dU",), "dw": ("dh",), "W": ("W", "W_s", "W_z"),
        "h_prev": ("h_prev",), "dh_prev": ("dh_prev",), "p": ("p",), "dc_prev": ("dc_prev",),
        "v": ("v",), "db_U": ("db_U",)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_symbol_of_every_equation_has_a_name(path, runs):
    told = equations(ast.get_docstring(ast.parse(path.read_text())))
    where = f"{path.parent.name}/{path.name}:"
    names = {e.name for tr in runs.values() for e in tr.entries if e.where.startswith(where)}
    assert told
    for mark, text in told.items():
        for symbol in symbols(text):
            assert set(SAME.get(symbol, (symbol,))) & names, f"{mark} {text}: no {symbol}, {sorted(names)}"


def test_equations_are_read_from_both_columns():
    told = equations(lstm.__doc__)
    assert told["(L4)"] == "c = f c' + i g"
    assert told["(L1*)"] == "dx = da W^T  dh' = da U^T\ndW = x^T da  dU = h'^T da  db = sum_n da"
    assert told["(L5*)"] == "do = dh tanh(c)  dc += dh o (1-tanh(c)^2)"
    assert equations(unroll.__doc__)["(M1*)"].splitlines() == [
        "dnew_t = ds_t where real, else 0", "ds_{t-1} = (step's) where real, ds_t where padding"]
    assert equations(loss.__doc__)["(X3)"] == "L = -(1/M) sum_real sum_v q_v log p_v"


def test_every_form_of_assignment_is_read(tmp_path):
    path = tmp_path / "forms.py"
    path.write_text("def f(x, k):\n"
                    "    (a, [b, *c]), d = x, k.y.z      # (Q1)\n"
                    "    e: float = a + b                # (Q2) (Q3*)\n"
                    "    c[0] += e                       # (Q4)\n"
                    "    c.sort()                        # (Q5)\n"
                    "    print(f(x,                      # (Q6)\n"
                    "            d))\n"
                    "    return                          # (Q7)\n"
                    "    x[:, k] = d                     # (Q8)\n")
    (place, plan), = read_module(str(path))[0].items()
    assert place == (1, "f") and list(plan) == [2, 3, 4, 5, 6, 7, 8, 9] and plan[6] is plan[7]
    assert [plan[i].writes for i in (2, 3, 4, 5, 6)] == [("a", "b", "c", "d"), ("e",), ("c",), (), ()]
    assert plan[9].reads == (("k",), ("d",)) and plan[9].writes == ("x",)           # what is filled is not read
    assert plan[2].reads == (("x",), ("k", "y", "z")) and plan[3].marks == ("(Q2)", "(Q3*)")
    assert plan[8].returns is None


def test_loss_names_what_the_code_never_forms():
    tr, b, L, logits, *_ = traced(CONFIGS["smoothing"])
    q, M, log_p = tr.loss.q.value, tr.loss.M.value, tr.loss.log_p.value
    assert_allclose(q.sum(axis=2), 1)
    assert M == b.target_mask.sum()
    assert_allclose(-(q * log_p).sum(axis=2)[b.target_mask].sum() / M, L)       # (X3) as it is written
    y = tr.loss.y.value
    assert_array_equal(y.argmax(axis=2), b.targets)
    assert_allclose(((np.exp(log_p) - q) / M)[b.target_mask], tr.loss.dlogits.value[b.target_mask])   # (X3*)


# ---- tracing changes nothing ----

@pytest.mark.parametrize("name", ["everything", "additive-before"])
def test_results_are_the_same_bit_by_bit(name):
    c = CONFIGS[name]
    rng, p, b = model(c)
    drops = dropout_masks.draw(rng, c, b.source.shape[1])
    plain = run(p, c, b, drops)
    with trace() as tr:
        watched = run(p, c, b, drops)
    assert len(tr.entries) > 100
    assert plain[0] == watched[0] and plain[0].dtype == watched[0].dtype
    for i in (1, 3):
        if isinstance(plain[i], tuple):
            same(watched[i], plain[i])
        else:
            assert_array_equal(plain[i], watched[i])


def test_entries_keep_their_values_when_arrays_change_later():
    p, x = lstm.init(np.random.default_rng(0), 2, 2), np.ones((1, 2))
    s = lstm.State(np.ones((1, 2)), np.ones((1, 2)))
    with trace() as tr:
        new, k = lstm.step(p, x, s)
    want = new.c.copy()
    new.c[:] = 99
    p.W[:] = 99
    assert_array_equal(tr.cell.c.value, want)
    assert np.abs(tr.cell.W.value).max() < 10
    with pytest.raises(ValueError):
        tr.cell.c.value[:] = 0                              # read-only


def test_the_former_trace_function_comes_back_also_after_an_error():
    def mine(frame, event, arg):
        return None
    old = sys.gettrace()
    try:
        sys.settrace(mine)
        with trace():
            assert sys.gettrace() is not mine
        assert sys.gettrace() is mine
        with pytest.raises(ZeroDivisionError), trace():
            1 / 0
        assert sys.gettrace() is mine
        with pytest.raises(RuntimeError, match="a trace is running already"), trace():
            with trace():
                pass
        assert sys.gettrace() is mine
    finally:
        sys.settrace(old)
    with trace():                                           # and nothing is left running
        pass


def test_other_threads_are_neither_seen_nor_refused():
    c, done = config(attention="dot"), []

    def other():
        with trace() as tr:
            run(*model(c)[1:2], c, model(c)[2])
        done.append(len(tr.entries))
    with trace() as tr:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert done[0] > 100 and tr.entries == []


def test_a_statement_that_fails_leaves_no_value():
    p, s = lstm.init(np.random.default_rng(0), 2, 2), lstm.State(np.ones((1, 2)), np.ones((1, 3)))
    with trace() as tr, pytest.raises(ValueError):
        lstm.step(p, np.ones((1, 2)), s)                    # (L4) cannot multiply
    assert "o" in tr.cell.names()
    assert [e.role for e in tr.entries if e.marks == ("(L4)",)] == ["in"] * 4
    assert not any(e.marks == ("(L5)",) for e in tr.entries)
    logits, ids, real = np.zeros((2, 1, 5)), np.zeros((2, 1), int), np.ones((2, 1), bool)
    _, k = loss.forward(logits, ids, real)
    with trace() as tr, pytest.raises(ValueError):
        loss.backward(k._replace(mask=np.ones((3, 1), bool)))
    assert "*=" in tr.entries[-1].code and tr.entries[-1].role == "in"     # dlogits has no new value


def test_importing_the_package_does_not_load_the_trace():
    import subprocess
    code = "import sys, minis2s; assert not any('trace' in m for m in sys.modules if m.startswith('minis2s'))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_compiled_loops_are_refused():
    c = config(attention="dot")
    rng, p, b = model(c)
    before = sys.gettrace()
    with pytest.raises(ValueError, match="compiled loops have no lines to follow"), trace():
        choose("numba").forward(p, c, b)
    assert sys.gettrace() is before
    for call in (lambda: choose("numba").loss_and_gradient(p, c, b),
                 lambda: choose("numba").logits(p, c, b),
                 lambda: choose("numba").beam(p, c, b.source, b.source_mask, 4, 2),
                 lambda: choose("numba").greedy(p, c, b.source, b.source_mask, 4),
                 lambda: choose("numba").sample(p, c, b.source, b.source_mask, 4, rng),
                 lambda: choose("numba").loss_and_update(p, c, b, None, None, optimizers.start(p), "adam", 1e-3)):
        with pytest.raises(ValueError, match="compiled loops have no lines to follow"), trace():
            call()


# ---- asking ----

def test_unknown_names_tell_near_ones():
    tr, *_ = traced(config(**DEEP))
    with pytest.raises(AttributeError, match="decoder has no 'alhpa'; near: alpha"):
        tr.decoder.alhpa
    with pytest.raises(AttributeError, match="trace has no 'decodr'"):
        tr.decodr
    with pytest.raises(AttributeError, match="'h' is in encoder, decoder: ask for one of them, encoder.h"):
        tr.h
    with pytest.raises(LookupError, match=r'h of which direction\? Choose encoder\(direction="forward"\).h'):
        tr.encoder.h
    with pytest.raises(LookupError, match="nothing with layer=5; there is 0, 1, None"):
        tr.encoder(layer=5)
    with pytest.raises(LookupError, match=r"nothing with mark='\(Q1\)'"):
        tr.encoder(mark="Q1")
    with pytest.raises(IndexError, match="decoder.alpha has no index 9; it has 0 to 3, which are the steps t = 1 to 4"):
        tr.decoder.alpha[9]
    with pytest.raises(LookupError, match="a value for each of 4 steps"):
        tr.decoder.alpha.value
    assert_array_equal(tr.decoder.alpha[-1], tr.decoder.alpha[3])
    assert_array_equal(tr.alpha[0], tr.decoder.alpha[0])    # only the decoder has one
    assert "alpha" in dir(tr.decoder) and "decoder" in dir(tr)
    assert "alpha" in repr(tr.decoder) and "(A1)" in repr(tr.decoder.alpha)


def test_bad_arguments():
    with pytest.raises(TypeError, match="source: got 'abc', wanted a list of strings"), trace(source="abc"):
        pass
    with pytest.raises(TypeError, match="target: got"), trace(target=[1]):
        pass
    with pytest.raises(TypeError, match=r"also\[0\]: got 5"), trace(also=[5]):
        pass


def test_table():
    tr, *_ = traced(config(**DEEP))
    lines = tr.table().splitlines()
    assert len(lines) == 1 + len(tr.entries) and max(map(len, lines)) <= 100
    e = tr.encoder(layer=1, direction="backward").dc.entry(2)
    line = lines[1 + e.number].split()
    assert line[:7] == [str(e.number), "(L5*)", "dc", "out", "encoder", "3", "1"]
    assert float(line[-1]) == pytest.approx(np.abs(e.value).max(), rel=1e-3)
    assert tr.table(5).splitlines()[-1] == f"... {len(tr.entries) - 5:,} more"


# ---- where two runs part ----

def variant(tmp_path, old, new, count=1):
    """A student's copy of the LSTM, with one line changed."""
    source = Path(lstm.__file__).read_text().replace("from ...", "from minis2s.")
    assert source.count(old) >= 1
    path = tmp_path / "student.py"
    path.write_text(source.replace(old, new, count))
    spec = importlib.util.spec_from_file_location("student", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def loop(cell, rng_seed=3, also=(), T=4):
    rng = np.random.default_rng(rng_seed)
    N, D, H = 2, 3, 2
    p, xs, s0 = cell.Params(*lstm.init(rng, D, H)), normal(rng, T, N, D), cell.State(*state(rng, lstm, N, H))
    d, m = normal(rng, T, N, H), mask([4, 3], T)
    with trace(also=also) as tr:
        _, _, caches = unroll.forward(cell, p, xs, s0, m)
        unroll.backward(cell, p, caches, d, cell.State(*state(rng, lstm, N, H)), m)
    return tr


@pytest.mark.parametrize("old, new, mark, name, t, phase", [
    ("c = f * c_prev + i * g", "c = f * c_prev + i * g * 1.001", "(L4)", "c", 0, "forward"),
    ("o = sigmoid(a_i), sigmoid(a_f)", "o = sigmoid(a_i), sigmoid(a_i)", "(L2)", "f", 0, "forward"),
    ("dc = d.c + d.h", "dc = d.h", "(L5*)", "dc", 3, "backward"),
    ("dc * c_prev, dc * f", "dc * c_prev, dc", "(L4*)", "dc_prev", 3, "backward"),
    ("di * i * (1 - i)", "di * i", "(L2*)", "da_i", 3, "backward"),
    ("db = sum", "db = sum", None, None, None, None)])
def test_a_planted_mistake_is_named_at_its_equation(tmp_path, old, new, mark, name, t, phase):
    student = variant(tmp_path, old, new)
    other = loop(student, also=[student])
    found = loop(lstm).diff(other)
    if mark is None:
        assert found is None
        return
    assert (found.mark, found.name, found.t) == (mark, name, t)
    assert (found.entry.phase, found.entry.role) == (phase, "out")
    assert found.a == found.entry.value[found.index] != found.b
    assert str(found).startswith(f"{mark} {name}[") and f"t = {t + 1}" in str(found)


def test_changed_weights_are_found_where_they_are_read_first():
    c = config(**DEEP)
    rng, p, b = model(c)
    wrong = p.decoder.score.v.copy()
    wrong[1] += 1e-6
    other = p._replace(decoder=p.decoder._replace(score=p.decoder.score._replace(v=wrong)))
    with trace() as one:
        run(p, c, b)
    with trace() as two:
        run(other, c, b)
    found = one.diff(two)
    assert (found.mark, found.name, found.t, found.index, found.entry.role) == ("(AB3)", "v", 0, (1,), "in")
    assert (found.a, found.b) == (p.decoder.score.v[1], wrong[1])
    assert one.diff(one) is None and one.diff(two, rtol=1e-3) is None


def test_float32_and_float64_agree_within_rtol():
    c = config(**DEEP)
    rng, p, b = model(c)
    single = tree.map(lambda a: a.astype(np.float32), p)
    with trace() as wide:
        run(p, c, b)
    with trace() as narrow:
        run(single, dataclasses.replace(c, dtype="float32"), b)
    assert narrow.encoder(layer=1, direction="forward").c[0].dtype == np.float32
    assert wide.diff(narrow, rtol=1e-3) is None
    assert wide.diff(narrow, rtol=1e-12) is not None


@pytest.mark.parametrize("name", ["two-ways-additive", "additive-before", "dot-after", "plain-gru",
                                  "feeding-tanh-after"])
def test_padding_is_left_out(name):
    c = CONFIGS[name]
    rng, p, b = model(c)
    N = b.source.shape[1]

    def longer(a, fill=0):
        return np.concatenate([a, np.full((2, N), fill, a.dtype)])
    padded = type(b)(*(longer(a) for a in b))
    parameters.shapes.cache_clear()                               # the first run asks for them, as in a new process
    with trace() as short:
        run(p, c, b)
    with trace() as long:
        run(p, c, padded)
    assert len(long.entries) > len(short.entries)
    assert short.diff(long) is None and long.diff(short) is None
    # tokens under the padding do not count, in real places they do
    other = b._replace(source=np.where(b.source_mask, b.source, 6))
    assert (other.source != b.source).any()
    with trace() as filled:
        run(p, c, other)
    assert short.diff(filled) is None
    real = b.source.copy()
    real[1, 0] = 4 if real[1, 0] != 4 else 5
    with trace() as changed:
        run(p, c, b._replace(source=real))
    found = short.diff(changed)
    assert found.name in ("source", "ids") and found.index == (1, 0)
    with trace() as wrong:
        run(tree.map(lambda a: a + 1e-5, p), c, padded)
    assert short.diff(wrong) is not None


def test_what_is_missing_and_other_shapes():
    c = config(**DEEP)
    rng, p, b = model(c)
    with trace() as whole:
        run(p, c, b)
    with trace() as ahead:
        seq2seq.forward(p, c, b)
    found = whole.diff(ahead)
    assert found.entry.phase == "backward" and found.b is None and "missing there" in str(found)
    found = ahead.diff(whole)
    assert found.a is None and "missing here" in str(found)
    with trace() as few:
        run(p, c, type(b)(*(a[:, :2] for a in b)))
    found = whole.diff(few)
    assert (found.a, found.b) == ((5, 3), (5, 2)) and "shape (5, 3) here, (5, 2) there" in str(found)
    with pytest.raises(TypeError, match="other: got int"):
        whole.diff(5)
    with pytest.raises(ValueError, match="rtol"):
        whole.diff(ahead, rtol=float("nan"))


def test_how_near_is_near_goes_by_the_largest_entry():
    """A difference of 1e-12 is nothing beside 1, and much beside 1e-11."""
    for scale in (1e-11, 1.0, 1e11):
        p = lstm.init(np.random.default_rng(0), 2, 2)

        def step(x):
            with trace() as tr:
                lstm.step(p, np.array([x]), lstm.State(np.ones((1, 2)), np.ones((1, 2))))
            return tr
        one = step([scale, 0.0])
        assert one.diff(step([scale, 1e-12 * scale])) is None
        found = one.diff(step([scale, 1e-3 * scale]))
        assert (found.name, found.index, found.a, found.b) == ("x", (0, 1), 0.0, 1e-3 * scale)


def test_rows_of_two_runs_are_paired_only_if_both_are_steps():
    """12 and 20 rows are 3 and 5 steps of 4 examples; 12 and 15 rows are not."""
    from minis2s.viewer.trace.diff import steps_differ
    assert steps_differ(12, 20, 3, 5) and steps_differ(3, 5, 3, 5) and steps_differ(20, 12, 5, 3)
    for a, b, T, U in ((12, 15, 3, 5), (12, 10, 3, 5), (11, 20, 3, 5), (12, 20, 3, 0), (12, 0, 3, 0)):
        assert not steps_differ(a, b, T, U)


def test_nan_parts_from_numbers_but_not_from_nan():
    p, s = lstm.init(np.random.default_rng(0), 2, 2), lstm.State(np.ones((1, 2)), np.ones((1, 2)))

    def step(x):
        with trace() as tr:
            lstm.step(p, np.array([x]), s)
        return tr
    found = step([1.0, 2.0]).diff(step([1.0, np.nan]))
    assert (found.name, found.index, found.a) == ("x", (0, 1), 2.0) and np.isnan(found.b)
    assert step([1.0, np.nan]).diff(step([1.0, np.nan])) is None


def test_attention_and_loss_alone_and_an_empty_trace():
    rng, (T, N, H) = np.random.default_rng(0), (3, 2, 2)
    score = SCORES["additive"]
    p, hs = score.init(rng, H, H, H), normal(rng, T, N, H)
    with trace() as tr:
        ctx, k = attention.attend(score, p, normal(rng, N, H), Memory(hs, score.keys(p, hs), mask([3, 2])))
    assert tr.parts() == ["attention"]
    assert_array_equal(tr.ctx.value, ctx)
    assert_array_equal(tr.attention.alpha.value, k.alpha)
    assert Trace().entries == [] and Trace().table().count("\n") == 0 and Trace().diff(Trace()) is None


def test_a_map_is_shown_unless_its_caller_shows_the_same_numbers():
    """(F1) within (L2) stands in the line of (L2); called on its own, or in a line without numbers, it is shown."""
    from types import SimpleNamespace

    from minis2s.viewer.trace.show import worth_showing
    a, b = np.zeros(2), np.ones(2)

    def entries(caller_has):
        rows = [("(F1)", "x", "in", a, 2, 1), ("(F1)", "y", "out", b, 2, 1),
                *(("(L2)", name, role, value, 1, None) for name, role, value in caller_has)]
        return [SimpleNamespace(number=n, marks=(mark,), name=name, role=role, value=value, execution=execution,
                                inside=inside)
                for n, (mark, name, role, value, execution, inside) in enumerate(rows)]

    def shown(caller_has):
        return [group[0].marks[0] for group in worth_showing(entries(caller_has))]
    assert shown([("a", "in", a), ("i", "out", b)]) == ["(L2)"]
    assert shown([("a", "in", a)]) == ["(F1)", "(L2)"] and shown([]) == ["(F1)"]


def test_some_steps_of_a_trace_are_without_what_belongs_to_none():
    from types import SimpleNamespace
    tr = Trace(["a", "b", "c"])
    tr._entries = [SimpleNamespace(t=t, name=str(t)) for t in (None, 0, 1, 2, None)]
    assert [e.t for e in tr.steps(range(1, 9)).entries] == [1, 2] and tr.steps(range(1)).source == tr.source
    assert len(tr.entries) == 5


def test_rows_that_are_not_shown_are_counted():
    from types import SimpleNamespace

    from minis2s.viewer.trace.show import ROWS, numbers
    for count in (ROWS, ROWS + 1, ROWS + 7):
        e = SimpleNamespace(value=np.arange(count * 2.0).reshape(count, 2), shape=(count, 2), name="x", role="out",
                            file="none")
        last = list(numbers(e))[-1].strip()
        assert last == f"… {count - ROWS} more rows" if count > ROWS else "more" not in last
