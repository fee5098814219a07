"""Is the oracle itself right?  Every number here can be worked out on paper.

Four values do most of the work: σ(ln 3) = 3/4, σ(-ln 3) = 1/4, tanh(ln 2) = 3/5, tanh(ln 3) = 4/5.  With them
weights can be chosen so that gates and states are plain fractions.
"""
import ast
import inspect
import itertools
import re
import shutil
import subprocess
import sys
from math import exp, inf, log, sqrt, tanh
from pathlib import Path

import pytest
from pytest import approx

from minis2s.testing import oracle

LN2, LN3, LN4 = log(2), log(3), log(4)
EYE = [[1.0, 0.0], [0.0, 1.0]]


def zeros(rows, columns):
    return [[0.0] * columns for _ in range(rows)]


def numbers(n, seed=0, scale=1.0):
    """n numbers in (-scale, scale) without any pattern to speak of; the same ones for the same seed."""
    return [scale * (((k + 1) * 0.754877666 + seed * 0.569840296) % 1.0 * 2 - 1) for k in range(n)]


def matrix(rows, columns, seed=0):
    flat = numbers(rows * columns, seed)
    return [flat[k * columns:(k + 1) * columns] for k in range(rows)]


def close(got, want, tol=1e-12):
    """Equal up to rounding, for numbers in lists in lists; the lengths must be equal too."""
    if isinstance(want, (list, tuple)):
        assert len(got) == len(want), f"{len(got)} entries, wanted {len(want)}"
        for g, w in zip(got, want):
            close(g, w, tol)
    else:
        assert got == approx(want, rel=tol, abs=tol)


# The files themselves -----------------------------------------------------------------------------------

FOLDER = Path(oracle.__file__).parent
FILES = {path.relative_to(FOLDER).as_posix(): ast.parse(path.read_text()) for path in FOLDER.rglob("*.py")}
FUNCTIONS = [node for tree in FILES.values() for node in tree.body if isinstance(node, ast.FunctionDef)]
MARK = r"\([A-Z]{1,3}\d{1,2}\)"
ALL_ROWS = """a3_1 a3_2 a3_3 a4_1 a4_2 a4_2_printed a4_3 a4_4 b4_1 b4_1l b4_2e b4_2e_printed b4_2d
              b4_2d_printed b4_2a b4_2a_printed b4_2o c2_1 c2_2 c2_2_printed c3_1l c3_1g c3_1g_after
              c3_1g_printed c4_1d c3_3c d3_1 d3_2 d3_2_printed d3_3 d3_3_printed d3_4 d3_5
              d3_s e3_3""".split()


def test_it_imports_only_math_and_its_own_files():
    for name, tree in FILES.items():
        for node in ast.walk(tree):
            assert not isinstance(node, ast.Import), name
            if isinstance(node, ast.ImportFrom):
                outside = node.level > len(Path(name).parts)        # above the oracle's own folder
                assert node.module == "math" if node.level == 0 else not outside, f"{name}:{node.lineno}"


def test_it_runs_where_there_is_nothing_but_python(tmp_path):
    """Copied alone into an empty folder, without site-packages; its own imports are refused, but for math."""
    shutil.copytree(FOLDER, tmp_path / "oracle", ignore=shutil.ignore_patterns("__pycache__"))
    code = """
import builtins
real = builtins.__import__
def only_math(name, *args):
    asks = (args[0] or {}).get("__name__", "") if args else ""
    if asks.split(".")[0] == "oracle" and args[3] == 0 and name != "math":
        raise ImportError(name)
    return real(name, *args)
builtins.__import__ = only_math
import oracle
print(oracle.rnn_step([[1.0]], [[2.0]], [0.0], [0.5], [0.0]))
"""
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{code}"
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout == f"[{tanh(0.5)}]\n", done.stderr


@pytest.mark.parametrize("name", FILES)
def test_no_file_needs_a_recent_python(name):
    """No annotations, no classes, no match, no zip(strict=...): small Pythons lack some of them."""
    for node in ast.walk(FILES[name]):
        assert not isinstance(node, (ast.AnnAssign, ast.Match, ast.NamedExpr, ast.AsyncFunctionDef, ast.ClassDef))
        if isinstance(node, ast.FunctionDef):
            args = node.args
            assert not (node.returns or node.decorator_list or args.posonlyargs or args.kwonlyargs), node.name
            assert not any(arg.annotation for arg in args.args), node.name
        if isinstance(node, ast.keyword):
            assert node.arg != "strict", f"{name}:{node.value.lineno}"


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.name)
def test_every_mark_stands_in_a_docstring_and_on_the_line_of_code(function):
    text = ast.get_docstring(function) or ""
    file, = [name for name, tree in FILES.items() if function in ast.walk(tree)]
    lines = (FOLDER / file).read_text().splitlines()[function.lineno - 1:function.end_lineno]
    on_lines = {m for line in lines if re.search(r"\S +# ", line) for m in re.findall(MARK, line.split(" # ")[1])}
    own = set(re.findall(rf"^({MARK})", text, re.M))
    assert own == on_lines, f"{function.name}: docstring {own}, code {on_lines}"


@pytest.mark.parametrize("name", ALL_ROWS)
def test_every_row_of_the_documents_has_a_function_that_shows_its_formula(name):
    row = re.sub(r"_(printed|after)$", "", name)
    doc = inspect.getdoc(getattr(oracle, name))
    title = row[0].upper() + row[1:].replace("_", ".")
    title = title[:-1] + title[-1].upper() if title in ("B4.1l", "C3.1l", "C3.1g") else title
    assert doc.startswith(title)
    assert re.search(r"[=←→·]", doc) and len(doc.splitlines()) >= 3
    assert ("as printed" in doc.splitlines()[0]) == name.endswith("_printed")


# Vectors and pointwise functions -------------------------------------------------------------------------

def test_vector_arithmetic():
    assert oracle.dot([1, 2, 3], [4, 5, 6]) == 32
    assert oracle.times([1, 2], [[1, 10, 100], [2, 20, 200]]) == [5, 50, 500]       # W[d][j]: not transposed
    assert oracle.add([1, 2], [10, 20], [100, 200]) == [111, 222]
    assert oracle.mul([2, 3], [5, 7]) == [10, 21]
    assert oracle.concat([1], (2, 3)) == [1, 2, 3]
    assert oracle.argmax([1, 3, 3, 2]) == 1


@pytest.mark.parametrize("call", [
    lambda: oracle.dot([1, 2], [1]), lambda: oracle.dot([1], [1, 2]),
    lambda: oracle.times([1], EYE), lambda: oracle.times([1, 2, 3], EYE),
    lambda: oracle.add([1, 2], [1]), lambda: oracle.mul([1, 2], [1])])
def test_sizes_that_do_not_fit_never_pass_in_silence(call):
    with pytest.raises(ValueError):
        call()


def test_sigmoid_and_tanh():                                                       # (F1) (F2)
    close([oracle.sigmoid(a) for a in (0.0, LN3, -LN3, LN4)], [0.5, 0.75, 0.25, 0.8])
    assert oracle.sigmoid(1000.0) == 1.0 and oracle.sigmoid(-1000.0) == 0.0
    assert oracle.sigmoid(-700.0) == approx(exp(-700.0), rel=1e-12)                 # no loss of small values
    close([oracle.tanh_(a) for a in (0.0, LN2, LN3, -LN3)], [0.0, 0.6, 0.8, -0.8])
    assert oracle.tanh_(1000.0) == 1.0 and oracle.tanh_(-1000.0) == -1.0


def test_softmax():                                                                # (F3)
    close(oracle.softmax([0.0, LN2, LN3]), [1 / 6, 2 / 6, 3 / 6])
    close(oracle.softmax([1000.0, 1000.0 + LN3]), [0.25, 0.75])
    close(oracle.softmax([-1000.0, -1000.0 + LN3]), [0.25, 0.75])
    assert oracle.softmax([1000.0, -1000.0]) == [1.0, 0.0]


def test_softmax_takes_only_real_positions():                                      # (F3)
    close(oracle.softmax([0.0, 99.0, LN3], [True, False, True]), [0.25, 0.0, 0.75])
    close(oracle.softmax([0.0, 1000.0, LN3], [True, False, True]), [0.25, 0.0, 0.75])
    close(oracle.softmax([-1000.0, 0.0], [True, False]), [1.0, 0.0])       # the shift is by the *real* maximum
    with pytest.raises(ValueError):
        oracle.softmax([1.0, 2.0], [False, False])


def test_log_softmax():                                                            # (F4)
    close(oracle.log_softmax([0.0, LN2, LN3]), [-log(6), -log(3), -LN2])
    close(oracle.log_softmax([1000.0, 0.0]), [0.0, -1000.0])
    close(oracle.log_softmax([-1000.0, -1000.0]), [-LN2, -LN2])


# Cells ---------------------------------------------------------------------------------------------------

def test_rnn():                                                                    # (R1) (R2)
    # a = [1, 2] W + [3] U + b = (1·1 + 2·2) + 3·(-2) + (1 + ln 2) = ln 2
    W, U, b = [[1.0], [2.0]], [[-2.0]], [1.0 + LN2]
    close(oracle.rnn_step(W, U, b, [1.0, 2.0], [3.0]), [0.6])
    close(oracle.rnn_step(W, U, b, [1.0, 2.0], [3.0], phi="sigmoid"), [2 / 3])
    # U leads from row k to column j: only h'_1 feeds h_2
    close(oracle.rnn_step([[0.0, 0.0]], [[0.0, 1.0], [0.0, 0.0]], [0.0, 0.0], [9.0], [LN3, LN2]), [0.0, 0.8])


def test_lstm_with_all_weights_zero():                                             # (L2) ... (L5)
    W, U, b = ({q: block for q in "ifgo"} for block in (zeros(2, 2), zeros(2, 2), [0.0, 0.0]))
    h, c = oracle.lstm_step(W, U, b, [5.0, -5.0], [7.0, 7.0], [2 * LN2, 0.0])
    close(c, [LN2, 0.0])                                      # i = f = o = 1/2, g = 0: c = c'/2
    close(h, [0.3, 0.0])                                      # h = 1/2 · 3/5


def one_unit_lstm():
    """D = H = 1; with x = 2, h' = 3:  a_i = ln 3, a_f = -ln 3, a_g = ln 2, a_o = ln 4.

    Each gate reads x and h' by weights of its own, so that a block mistaken for another is seen.
    """
    a, u = {"i": LN3, "f": -LN3, "g": LN2, "o": LN4}, {"i": 0.1, "f": 0.2, "g": 0.3, "o": 0.4}
    W = {q: [[w]] for q, w in {"i": 0.5, "f": 0.6, "g": 0.7, "o": 0.8}.items()}
    U = {q: [[u[q]]] for q in u}
    b = {q: [a[q] - 2 * W[q][0][0] - 3 * u[q]] for q in a}
    return W, U, b


def test_lstm_with_known_gates():                                                  # (L1) ... (L5)
    h, c = oracle.lstm_step(*one_unit_lstm(), [2.0], [3.0], [4.0])
    close(c, [0.25 * 4.0 + 0.75 * 0.6])                       # f c' + i g = 1.45
    close(h, [0.8 * tanh(1.45)])


def one_unit_gru():
    """D = H = 1; with x = 2, h' = 3 the gates are z = 3/4, r = 1/4; U_n = 4."""
    W = {"z": [[0.5]], "r": [[-0.5]], "n": [[1.0]]}
    U = {"z": [[0.1]], "r": [[0.3]], "n": [[4.0]]}
    b = {"z": [LN3 - 1.3], "r": [-LN3 + 1.0 - 0.9], "n": [-5.0 + LN2]}
    return W, U, b


def test_gru_with_known_gates():                                                   # (G1) ... (G4)
    # a_n = 2·1 + (1/4 · 3)·4 - 5 + ln 2 = ln 2, so n = 3/5 and h = 1/4 · 3 + 3/4 · 3/5
    close(oracle.gru_step(*one_unit_gru(), [2.0], [3.0]), [0.75 + 0.45])


def test_gru_reset_after_with_known_gates():                                       # (GA1) ... (GA4)
    # a_n = 2·1 - 5 + ln 2 + 1/4 · (3·4 + b_U): the bias b_U is inside the reset
    W, U, b = one_unit_gru()
    close(oracle.gru_after_step(W, U, b, [0.0], [2.0], [3.0]), [0.75 + 0.45])
    close(oracle.gru_after_step(W, U, b, [4.0 * (LN3 - LN2)], [2.0], [3.0]), [0.75 + 0.6])


def test_the_two_resets_differ_when_the_product_mixes_units():                     # (G2) (GA3)
    # r = (1/4, 3/4), h' = (ln 81, 0), and U_n leads from unit 1 to unit 2; z = 1/2
    W, U = {k: zeros(1, 2) for k in "zrn"}, {k: zeros(2, 2) for k in "zrn"}
    b = {"z": [0.0, 0.0], "r": [-LN3, LN3], "n": [0.0, 0.0]}
    U["n"] = [[0.0, 1.0], [0.0, 0.0]]
    h_prev = [4 * LN3, 0.0]
    close(oracle.gru_step(W, U, b, [0.0], h_prev), [2 * LN3, 0.4])             # n_2 = tanh(1/4 · ln 81) = 4/5
    close(oracle.gru_after_step(W, U, b, [0.0, 0.0], [0.0], h_prev),
          [2 * LN3, 0.5 * (27**2 - 1) / (27**2 + 1)])                         # n_2 = tanh(3/4 · ln 81)


# Time ----------------------------------------------------------------------------------------------------

def append(x, s):
    """A "cell" that writes down what it read: its state is the tuple of all inputs so far."""
    return s + (x,)


def test_unroll_carries_the_state_over_masked_steps():                             # (M1)
    states, last = oracle.unroll(append, "abcd", (), [True, False, True, False])
    assert states == [("a",), ("a",), ("a", "c"), ("a", "c")] and last == ("a", "c")
    assert oracle.unroll(append, "ab", ()) == ([("a",), ("a", "b")], ("a", "b"))
    assert oracle.unroll(append, "", ("s0",)) == ([], ("s0",))


def test_unroll_runs_lstm_states():                                                # (M1)
    p = one_unit_lstm()
    step = lambda x, s: oracle.lstm_step(*p, x, *s)
    states, last = oracle.unroll(step, [[2.0], [5.0]], ([3.0], [4.0]), [True, False])
    close(last, oracle.lstm_step(*p, [2.0], [3.0], [4.0]))
    assert states[0] == states[1] == last


def test_bidirectional_reverses_the_real_part_only():                              # (M1)
    mask = [True, True, True, False, False]
    assert oracle.reverse_real("abcPQ", mask) == list("cbaPQ")
    assert oracle.reverse_real("abc") == list("cba")
    (fw, fw_last), (bw, bw_last) = oracle.bidirectional(append, append, "abcPQ", (), (), mask)
    assert ["".join(s) for s in fw] == ["a", "ab", "abc", "abc", "abc"] and fw_last == tuple("abc")
    assert ["".join(s) for s in bw[:3]] == ["cba", "cb", "c"] and bw_last == tuple("cba")
    assert [s[-1] for s in bw[:3]] == list("abc")             # both states at t have just read x_t


# Attention -----------------------------------------------------------------------------------------------

HS = [[1.0, 0.0], [0.0, 2.0], [3.0, 1.0]]


def test_scores_without_tanh():                                                    # (AD1) (AD2) (AG1) (AG2)
    close(oracle.score_dot([2.0, 5.0], HS), [2.0, 10.0, 11.0])
    close(oracle.score_scaled_dot([2.0, 5.0], HS), [2 / sqrt(2), 10 / sqrt(2), 11 / sqrt(2)])
    close(oracle.score_scaled_dot([1.0] * 4, [[1.0, 2.0, 3.0, 4.0]]), [5.0])
    # q = [2, 5, 1] W = [2 + 1, 10]
    close(oracle.score_general([2.0, 5.0, 1.0], HS, [[1.0, 0.0], [0.0, 2.0], [1.0, 0.0]]), [3.0, 20.0, 19.0])


def test_additive_score():                                                         # (AB1) (AB2) (AB3)
    # s W_s = (ln 2, 0); h_1 W_h = (ln 3 - ln 2, ln 2), h_2 W_h = (0, -ln 3)
    W_s, W_h = [[LN2, 0.0]], [[LN3 - LN2, LN2], [0.0, -LN3 / 2]]
    close(oracle.score_additive([1.0], [[1.0, 0.0], [0.0, 2.0]], W_s, W_h, [10.0, 100.0]),
          [8.0 + 60.0, 6.0 - 80.0])


def test_concat_dot_score():                                                       # (AC1) (AC2) (AC3)
    W_s, W_h = [[LN2, 0.0]], [[LN3 - LN2, LN2], [0.0, -LN3 / 2]]
    # v as in the additive score: v_1 = (.8, .6), v_2 = (.6, -.8); each one meets its own h_i
    close(oracle.score_concat_dot([1.0], [[1.0, 0.0], [0.0, 2.0]], W_s, W_h), [0.8, -1.6])


def test_weights_and_context():                                                    # (A1) (A2)
    close(oracle.attention_weights([0.0, LN3, 50.0], [True, True, False]), [0.25, 0.75, 0.0])
    close(oracle.context([0.25, 0.75, 0.0], HS), [0.25, 1.5])
    close(oracle.context([0.2, 0.3, 0.5], HS), [1.7, 1.1])
    close(oracle.context([1.0], [[3.0, 4.0, 5.0]]), [3.0, 4.0, 5.0])


def test_fusions():                                                                # (U1) (U2) (U3) (U4)
    s, ctx = [1.0, 2.0], [3.0, 4.0]
    assert oracle.fuse_concat(s, ctx) == [1.0, 2.0, 3.0, 4.0]
    assert oracle.fuse_add(s, ctx) == [4.0, 6.0]
    W = [[LN3, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, -LN2 / 4]]
    close(oracle.fuse_sigmoid(s, ctx, W), [0.75, 1 / 3])
    close(oracle.fuse_tanh(s, ctx, W), [0.8, -0.6])


# Embedding, linear, bridge, dropout, loss ----------------------------------------------------------------

def test_layers():                                                                 # (E1) (Y1) (B1) (DR1)
    assert oracle.embed([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], 1) == [3.0, 4.0]
    assert oracle.linear([[1.0, 10.0], [2.0, 20.0]], [0.5, 0.25], [3.0, 4.0]) == [11.5, 110.25]
    close(oracle.bridge([[LN2, 0.0]], [0.0, -LN3], [1.0]), [0.6, -0.8])
    assert oracle.dropout([3.0, 5.0, 7.0], [2.0, 0.0, 2.0]) == [6.0, 0.0, 14.0]


def test_target_distribution():                                                    # (X2)
    assert oracle.target_distribution(2, 4) == [0.0, 0.0, 1.0, 0.0]
    close(oracle.target_distribution(2, 4, eps=0.2), [0.05, 0.05, 0.85, 0.05])


def test_cross_entropy_counts_real_tokens_only():                                  # (X1) (X2) (X3)
    u = [0.0, LN2, LN3]                                       # p = 1/6, 2/6, 3/6
    logits = [[u, u], [u, [99.0, -99.0, 7.0]]]                # S = 2, N = 2
    ids, mask = [[2, 2], [1, 0]], [[True, True], [True, False]]
    close(oracle.cross_entropy(logits, ids, mask), (log(2) + log(2) + log(3)) / 3)
    # smoothed by 0.3: q = 0.1, 0.1, 0.8 around token 2
    close(oracle.cross_entropy([[u]], [[2]], [[True]], eps=0.3), 0.1 * log(6) + 0.1 * log(3) + 0.8 * log(2))


# Optimizers ----------------------------------------------------------------------------------------------

def test_sgd_and_momentum():                                                       # (O1) (O2)
    gs = [[1.0, -2.0], [3.0, 0.0]]
    close(oracle.sgd([10.0, 20.0], gs, lr=0.5), [[9.5, 21.0], [8.0, 21.0]])
    # u: (1, -2), then (0.5 + 3, -1)
    close(oracle.momentum([10.0, 20.0], gs, lr=0.5, mu=0.5), [[9.5, 21.0], [7.75, 21.5]])


def test_rmsprop():                                                                # (O3) (O4)
    # v = 1/4 · 4² = 4, √v = 2; then v = 3/4 · 4 + 1/4 · 2² = 4 again
    close(oracle.rmsprop([10.0], [[4.0], [2.0]], lr=3.0, rho=0.75, eps=1.0), [[10.0 - 4.0], [6.0 - 2.0]])


def test_adam():                                                                   # (O5) (O6)
    # the first step is lr · g / |g|, whatever the size of g
    close(oracle.adam([1.0, 1.0], [[1e-3, -500.0]], lr=0.1, b1=0.9, b2=0.999, eps=0.0), [[0.9, 1.1]])
    # ε stands outside the root: lr g / (|g| + ε)
    close(oracle.adam([0.0], [[3.0]], lr=1.0, b1=0.9, b2=0.999, eps=1.0), [[-0.75]])
    # β₁ = 1/2, β₂ = 3/4, g = 4 then 0:  m = 2, 1;  m̂ = 4, 4/3;  v = 4, 3;  v̂ = 16, 48/7
    second = -1.0 - (4 / 3) / sqrt(48 / 7)
    close(oracle.adam([0.0], [[4.0], [0.0]], lr=1.0, b1=0.5, b2=0.75, eps=0.0), [[-1.0], [second]])


def test_optimizers_leave_their_input_alone():
    w, gs = [1.0, 2.0], [[3.0, 4.0], [5.0, 6.0]]
    oracle.sgd(w, gs, 0.1), oracle.momentum(w, gs, 0.1, 0.9), oracle.rmsprop(w, gs, 0.1, 0.9, 0.1)
    oracle.adam(w, gs, 0.1, 0.9, 0.99, 0.1), oracle.clip_by_global_norm(gs, 1.0), oracle.clip_by_value(gs, 1.0)
    assert (w, gs) == ([1.0, 2.0], [[3.0, 4.0], [5.0, 6.0]])


def test_clipping():                                                               # (C1) (C2)
    gs = [[3.0, 0.0], [-4.0]]                                 # norm 5 over both
    close(oracle.clip_by_global_norm(gs, 2.5), [[1.5, 0.0], [-2.0]])
    assert oracle.clip_by_global_norm(gs, 5.0) == gs and oracle.clip_by_global_norm(gs, 9.0) == gs
    assert oracle.clip_by_global_norm([[0.0], [0.0]], 1.0) == [[0.0], [0.0]]
    assert oracle.clip_by_value(gs, 3.5) == [[3.0, 0.0], [-3.5]]


# Decoding: tokens 0, 1 and EOS = 2 -----------------------------------------------------------------------

EOS = 2


def garden_path(prefix):
    """Token 0 looks best (0.6) but leads to an even spread; token 1 (0.4) then ends almost surely."""
    p = {(): [0.6, 0.4, 0.0], (0,): [1 / 3, 1 / 3, 1 / 3], (1,): [0.05, 0.05, 0.9]}
    return [log(p_v) if p_v else -inf for p_v in p.get(prefix, [0.5, 0.0, 0.5])]


def scrambled(seed, V=3):
    """A model without any structure: the logits after a prefix are pseudo-random."""
    def next_log_probs(prefix):
        code = sum((k + 1) * (token + 1) * 1.37 for k, token in enumerate(prefix))
        return oracle.log_softmax(numbers(V, seed + 7 * code, 3.0))
    return next_log_probs


def test_searches_on_a_garden_path():
    y, log_p = oracle.greedy(garden_path, 3, EOS)
    assert y == (0, 0, 0) and log_p == approx(log(0.6 / 3 * 0.5))
    for best in (oracle.exhaustive(garden_path, 3, EOS), oracle.beam_search(garden_path, 3, EOS, K=2)):
        assert best[0] == (1, 2) and best[1] == approx(log(0.36))
    # K = 1 keeps only token 0 at first: the best it meets is 0 EOS, which greedy misses
    y, log_p = oracle.beam_search(garden_path, 3, EOS, K=1)
    assert y == (0, 2) and log_p == approx(log(0.2))


def test_greedy_stops_at_the_eos():
    def ends_after_three(prefix):
        return oracle.log_softmax([0.0, LN2, -9.0] if len(prefix) < 3 else [0.0, 0.0, LN2])

    y, log_p = oracle.greedy(ends_after_three, 9, EOS)
    assert y == (1, 1, 1, EOS) and log_p == approx(3 * log(2 / (3 + exp(-9.0))) + log(0.5))
    assert oracle.greedy(ends_after_three, 2, EOS)[0] == (1, 1)


def test_length_counts_the_eos():
    # (2,) with p = 0.3 against (0, 2) with p = 0.7 · 0.2 = 0.14:  0.3² < 0.14, so a = 1 turns the order
    p = {(): [0.7, 0.0, 0.3], (0,): [0.0, 0.8, 0.2], (1,): [0.5, 0.5, 0.0]}

    def model(prefix):
        return [log(p_v) if p_v else -inf for p_v in p[prefix]]

    for search in (oracle.exhaustive, lambda *args, **kw: oracle.beam_search(*args, K=9, **kw)):
        assert search(model, 2, EOS, must_finish=True)[0] == (2,)
        assert search(model, 2, EOS, a=1.0, must_finish=True)[0] == (0, 2)
        assert search(model, 2, EOS)[0] == (0, 1)             # cut, p = 0.56
        assert search(model, 1, EOS, must_finish=True)[0] == (2,)


def test_cut_outputs_are_taken_when_nothing_finishes():
    def never(prefix):
        return [log(0.4), log(0.6)]                           # the vocabulary has no EOS

    assert oracle.exhaustive(never, 3, EOS, must_finish=True)[0] == (1, 1, 1)
    assert oracle.beam_search(never, 3, EOS, K=2, must_finish=True)[0] == (1, 1, 1)


def test_equal_outputs_go_to_the_first_tokens():
    even = [log(1 / 3)] * 3
    assert oracle.exhaustive(lambda prefix: even, 2, EOS, a=1.0)[0] == (0, 0)
    assert oracle.beam_search(lambda prefix: even, 2, EOS, K=1, a=1.0)[0] == (0, 0)


@pytest.mark.parametrize("seed", range(5))
def test_all_outputs_are_everything_once(seed):
    found = oracle.all_outputs(scrambled(seed), 4, EOS)
    words = {y[:y.index(EOS) + 1] if EOS in y else y for y in itertools.product(range(3), repeat=4)}
    assert len(found) == len(words) and {y for y, _ in found} == words
    assert sum(exp(log_p) for _, log_p in found) == approx(1.0, rel=1e-12)


@pytest.mark.parametrize("a", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(20))
def test_a_beam_wide_enough_is_the_exhaustive_search(seed, a):
    model = scrambled(seed)
    for must_finish in (False, True):
        want = oracle.exhaustive(model, 4, EOS, a, must_finish)
        assert oracle.beam_search(model, 4, EOS, K=3**4, a=a, must_finish=must_finish) == want


@pytest.mark.parametrize("seed", range(20))
def test_no_search_beats_the_exhaustive_one(seed):
    model = scrambled(seed)
    best = oracle.exhaustive(model, 4, EOS)[1]
    y, log_p = oracle.greedy(model, 4, EOS)
    assert log_p == approx(sum(model(y[:t])[y[t]] for t in range(len(y))))
    assert all(y[t] == oracle.argmax(model(y[:t])) for t in range(len(y)))
    assert log_p <= oracle.beam_search(model, 4, EOS, K=1)[1] <= best
    assert oracle.beam_search(model, 4, EOS, K=3)[1] <= best


# Document A ----------------------------------------------------------------------------------------------

def test_a3_1_context_is_the_last_state():
    hs, ctx = oracle.a3_1(append, "abc", ())
    assert hs == [("a",), ("a", "b"), ("a", "b", "c")] and ctx == hs[-1]


def test_a3_2_the_state_is_the_context():
    def decoder(ctx, ys):
        return [0.0, 1.0, 0.0] if len(ys) < 2 else [0.0, 0.0, ctx[0]]

    def rnn(x, ctx):
        return [x[0] + 10 * ctx[0]]

    ys, contexts = oracle.a3_2(rnn, decoder, [[1.0], [2.0], [3.0]], [5.0], steps=4)
    assert ys == (1, 1, 2, 2) and contexts == [[52.0], [522.0], [5223.0], [52233.0]]
    assert oracle.a3_2(rnn, decoder, [[1.0], [2.0], [3.0]], [5.0], steps=4, eos=2)[0] == (1, 1, 2)


def test_a3_3_adds_the_context():
    s, alpha, ctx = oracle.a3_3([LN3, 0.0], [[1.0, 4.0], [0.0, 8.0]])
    close((alpha, ctx, s), ([0.75, 0.25], [0.75, 5.0], [LN3 + 0.75, 5.0]))
    s, alpha, ctx = oracle.a3_3([LN3, 0.0], [[1.0, 4.0], [0.0, 8.0]], mask=[False, True])
    close((alpha, s), ([0.0, 1.0], [LN3, 8.0]))


def test_a4_1_and_a4_2():
    close(oracle.a4_1([[LN3], [0.0], [LN2]], [1.0, 9.0], [-1.0]), [0.6])             # σ(ln 3 - ln 2) = 3/5
    s, p = oracle.a4_2([[LN3], [0.0], [0.0]], [[0.0, LN3 / 0.75]], [1.0, 9.0], [5.0])
    close((s, p), ([0.75], [0.25, 0.75]))
    s, p = oracle.a4_2_printed([[0.0, LN3], [0.0, 0.0], [0.0, 0.0]], [1.0], [7.0, 8.0])
    close((s, p), ([0.5, 0.75], [0.25, 0.75]))
    close(oracle.a4_2_printed(zeros(2, 1), [1.0], [7.0], y_hat=[0.0, LN2, LN3])[1], [1 / 6, 2 / 6, 3 / 6])


def test_a4_3_fuses_with_sigmoid():
    s, a, h_tilde = oracle.a4_3([LN3], [[1.0], [0.0]], [[1.0], [-4 / 3 * LN3]])
    close((a, h_tilde, s), ([0.75, 0.25], [0.75], [0.5]))                           # σ(ln 3 - 4/3 ln 3 · 3/4)
    s, a, h_tilde = oracle.a4_3([LN3], [[1.0], [0.0]], [[1.0], [0.0]], mask=[False, True])
    close((a, h_tilde, s), ([0.0, 1.0], [0.0], [0.75]))


def test_a4_4_gives_the_printed_numbers():
    """W1.  One-hot words, so a row of W_e or W_d belongs to a word; the last two rows belong to the state."""
    hello, world = [1.0, 0.0], [0.0, 1.0]
    W_d = [[0.0, LN4], [LN4 - 1.0, 0.0], [2.0, 0.0], [0.0, 0.0]]                    # Hello, World, s'
    W_e = [[LN3, 0.0], [0.0, LN3], [LN3 - 8 / 9 * LN2, 0.0],                        # I, love, you
           [4 / 3 * LN2, 0.0], [0.0, 0.0]]                                          # h'
    i, love, you = [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]
    hs, ss, y_hats, words = oracle.a4_4(W_e, W_d, [i, love, you], [hello, world], [0.0, 0.0], s0=[0.0, 0.0])
    close(hs, [[0.75, 0.5], [2 / 3, 0.75], [0.75, 0.5]])
    close(y_hats, [[0.2, 0.8], [0.8, 0.2]])
    close(ss, [[0.5, 0.8], [0.8, 0.5]])
    assert [["World", "Hello"][k] for k in words] == ["Hello", "World"]   # index 0 is World in both lines


def test_a4_4_can_start_from_the_encoder():
    W_d = [[0.0, 0.0], [0.0, LN3]]                            # the logits are (0, ln 3 · s')
    _, ss, y_hats, _ = oracle.a4_4([[LN3, LN3], [0.0, 0.0], [0.0, 0.0]], [[0.0, 0.0]] + W_d, [[1.0]], [[1.0]],
                                   [0.0, 0.0])
    close(y_hats, [oracle.softmax([0.0, 0.75 * LN3])])
    close(ss, [[0.5, oracle.sigmoid(0.75 * LN3)]])


# Document B ----------------------------------------------------------------------------------------------

def test_b4_1_before_and_after():
    hs = [[LN3], [0.0]]
    keep = lambda x, s: s + x          # a "cell" that shows what it was given
    readout = lambda s, ctx: [0.0, LN2, ctx[0]]
    s, p, a = oracle.b4_1("before", keep, lambda s, hs: [s[0], 0.0], readout, [7.0], [LN3], hs)
    close((s, a), ([LN3, 7.0, 0.75 * LN3], [0.75, 0.25]))     # a from s_{t-1}; the cell sees [y; ctx]
    close(p, oracle.softmax([0.0, LN2, 0.75 * LN3]))
    s, p, a = oracle.b4_1("after", keep, lambda s, hs: [s[1], 0.0], readout, [-LN3], [LN3], hs)
    close((s, a), ([LN3, -LN3], [0.25, 0.75]))                # a from s_t; the cell sees y only
    close(p, oracle.softmax([0.0, LN2, 0.25 * LN3]))
    with pytest.raises(ValueError, match="order"):
        oracle.b4_1("between", keep, oracle.score_dot, readout, [0.0], [0.0], hs)


def test_b4_1_takes_the_h_of_an_lstm():
    for order in ("before", "after"):
        state, p, a = oracle.b4_1(order, lambda x, s: ([LN3], [99.0]), oracle.score_dot, lambda s, ctx: s + ctx,
                                  [0.0], ([0.0], [0.0]), [[1.0], [0.0]], mask=[True, False])
        close((state, a, p), (([LN3], [99.0]), [1.0, 0.0], oracle.softmax([LN3, 1.0])))


def test_the_two_losses_agree():
    ps, ids = [[1 / 6, 2 / 6, 3 / 6], [0.0, 0.25, 0.75]], [1, 2]
    close(oracle.e3_3(ps, ids), log(3) + log(4 / 3))
    close(oracle.b4_1l(ps, [oracle.target_distribution(y, 3) for y in ids]), log(4))
    close(oracle.b4_1l([[0.5, 0.25, 0.25]], [[0.5, 0.25, 0.25]]), 1.5 * LN2)         # any distribution y


def test_b4_2e():
    W, U, b = one_unit_lstm()
    close(oracle.b4_2e(W, U, b, [2.0], [3.0], [4.0])[1], [1.45])
    # as printed the candidate loses x W_g = 2 · 0.7:  g = tanh(ln 2 - 1.4); the gates still see x
    h, c = oracle.b4_2e_printed(W, U, b, [2.0], [3.0], [4.0])
    close(c, [0.25 * 4.0 + 0.75 * tanh(LN2 - 1.4)])
    close(h, [0.8 * tanh(c[0])])


def test_b4_2d():
    W, U, b = one_unit_lstm()
    # x = 2 now comes as y_{t-1} = 1 and ctx = 0.5 with twice the weight: 1 · w + 0.5 · 2w = 2w
    W2 = {q: [[W[q][0][0]], [2 * W[q][0][0]]] for q in W}
    close(oracle.b4_2d(W2, U, b, [1.0], [0.5], [3.0], [4.0]), ([0.8 * tanh(1.45)], [1.45]))
    # as printed the candidate loses s' U_g = 3 · 0.3
    s, c = oracle.b4_2d_printed(W, U, b, [2.0], [3.0], [4.0])
    close(c, [0.25 * 4.0 + 0.75 * tanh(LN2 - 0.9)])
    close(s, [0.8 * tanh(c[0])])


def test_b4_2a():
    hs, W_a = [[1.0], [0.5]], [[LN2], [LN3 - LN2]]
    # v_1 = tanh(ln 3) = 4/5;  v_2 = tanh(ln 2 + (ln 3 - ln 2)/2) = tanh(ln 6 / 2) = 5/7
    close(oracle.b4_2a([1.0], hs, W_a), oracle.softmax([0.8, 5 / 14]))
    # as printed there is one v for all i
    close(oracle.b4_2a_printed([1.0], hs, W_a, t=0), oracle.softmax([0.8, 0.4]))
    close(oracle.b4_2a_printed([1.0], hs, W_a, t=1), oracle.softmax([5 / 7, 5 / 14]))
    with pytest.raises(IndexError):
        oracle.b4_2a_printed([1.0], hs, W_a, t=2)              # S > T: there is no h_t
    close(oracle.b4_2a([1.0], hs, W_a, mask=[False, True]), [0.0, 1.0])
    close(oracle.b4_2a_printed([1.0], hs, W_a, t=0, mask=[False, True]), [0.0, 1.0])


def test_b4_2a_is_the_concat_dot_score():
    s, hs, W_s, W_h = numbers(3), matrix(4, 2, 1), matrix(3, 2, 2), matrix(2, 2, 3)
    close(oracle.b4_2a(s, hs, W_s + W_h), oracle.softmax(oracle.score_concat_dot(s, hs, W_s, W_h)))


def test_b4_2o():
    close(oracle.b4_2o([[LN2, 0.0, 0.0]], [0.0, 0.0, LN3], [1.0]), [2 / 6, 1 / 6, 3 / 6])


# Document C ----------------------------------------------------------------------------------------------

def test_c2_1_and_d3_1():
    for f in (oracle.c2_1, oracle.d3_1):
        assert f(append, "abc", ()) == [("a",), ("a", "b"), ("a", "b", "c")]


def test_c2_2_feeds_h_at_every_step():
    encoder = lambda x, h: [h[0] + x[0]]                      # h = 1 + 1 + 1 = 3
    decoder = lambda x, s: [10 * s[0] + x[0] + 100 * x[1]]
    ps, ss = oracle.c2_2(encoder, decoder, [[0.0, 0.0]], [0.0, LN3], [[1.0]] * 3, [0.0], [[5.0], [7.0]])
    assert ss == [[30.0 + 5.0 + 300.0], [3350.0 + 7.0 + 300.0]]
    close(ps, [[0.25, 0.75], [0.25, 0.75]])
    ps, _ = oracle.c2_2(encoder, decoder, [[0.0, LN3 / 335]], [0.0, 0.0], [[1.0]] * 3, [0.0], [[5.0]])
    close(ps, [[0.25, 0.75]])


def test_c3_1l_is_the_lstm_with_stacked_weights():
    W, U, b = ({q: block(k) for k, q in enumerate("ifgo")} for block in
               (lambda k: matrix(3, 2, k), lambda k: matrix(2, 2, 10 + k), lambda k: numbers(2, 20 + k)))
    x, h, c = numbers(3, 30), numbers(2, 31), numbers(2, 32)
    stacked = {q: U[q] + W[q] for q in "ifgo"}
    close(oracle.c3_1l(stacked, b, x, h, c), oracle.lstm_step(W, U, b, x, h, c))


def test_c3_1g():
    W, U, b = one_unit_gru()
    close(oracle.c3_1g(W, U, b, [2.0], [3.0]), [1.2])
    close(oracle.c3_1g_after(W, U, b, [4.0 * (LN3 - LN2)], [2.0], [3.0]), [1.35])
    # as printed, with the same z = 3/4 and r = 1/4:  n = tanh((3/4 · 3 + 1/4 · 2) · 4 - 11 + ln 2) = 3/5
    printed_W = {"z": [[0.1], [0.5]], "r": [[0.3], [-0.5]], "n": [[4.0]]}
    close(oracle.c3_1g_printed(printed_W, {**b, "n": [-11.0 + LN2]}, [2.0], [3.0]), [1.2])
    with pytest.raises(ValueError, match="same size; got 2 and 1"):
        oracle.c3_1g_printed(printed_W, b, [2.0, 1.0], [3.0])


def test_c4_1d_is_one_greedy_step():
    rnn = lambda x, h: [h[0] + x[0]]
    W_y, b_y = [[0.0, LN2, 0.0]], [0.0, 0.0, LN3 - LN2]
    state, p, y = oracle.c4_1d(rnn, W_y, b_y, [0.25], [0.75])
    close((state, p), ([1.0], [0.4 / 1.8, 0.8 / 1.8, 0.6 / 1.8]))
    assert y == 1
    lstm = lambda x, s: (rnn(x, s[0]), [99.0])                # h is the first part of an LSTM's state
    assert oracle.c4_1d(lstm, W_y, b_y, [0.25], ([0.75], [0.0])) == (([1.0], [99.0]), p, 1)


def test_c3_3c():
    assert oracle.c3_3c([[3.0], [4.0]], 2.5) == [[1.5], [2.0]]
    assert oracle.c3_3c([[3.0], [-4.0]], 2.5, by="value") == [[2.5], [-2.5]]


# Document D ----------------------------------------------------------------------------------------------

def test_d3_2():
    show = lambda x, s: (x, s)
    assert oracle.d3_2(show, [1.0], [2.0, 3.0], [4.0]) == ([1.0, 2.0, 3.0], [4.0])
    assert oracle.d3_2_printed(show, [2.0, 3.0], [4.0]) == ([2.0, 3.0], [4.0])


def test_d3_3():
    W_s, W_h = [[LN2, 0.0]], [[LN3 - LN2, LN2], [0.0, -LN3 / 2]]
    hs, v = [[1.0, 0.0], [0.0, 2.0]], [1.0, 0.5]
    close(oracle.d3_3([1.0], hs, W_s, W_h, v), oracle.softmax([0.8 + 0.3, 0.6 - 0.4]))
    close(oracle.d3_3([1.0], hs, W_s, W_h, v, mask=[False, True]), [0.0, 1.0])
    close(oracle.d3_3([1.0], hs, W_s, W_h, v), oracle.softmax(oracle.score_additive([1.0], hs, W_s, W_h, v)))


def test_d3_3_as_printed():
    W_s, W_h, v = [[LN2, 0.0]], [[LN3 - LN2, LN2], [0.0, -LN3 / 2]], [1.0, 0.5]
    assert oracle.d3_3_printed([1.0], [1.0, 0.0], W_s, W_h, v) == 1.0
    # over t: s_1 = (1) meets h_1, s_2 = (0) meets h_2:  e_2 = 0 - 4/5 · 1/2
    close(oracle.d3_3_printed_over_t([[1.0], [0.0]], [[1.0, 0.0], [0.0, 2.0]], W_s, W_h, v),
          oracle.softmax([1.1, -0.4]))
    with pytest.raises(ValueError, match="S = T"):
        oracle.d3_3_printed_over_t([[1.0]], [[1.0, 0.0], [0.0, 2.0]], W_s, W_h, v)


def test_d3_4_and_d3_5():
    close(oracle.d3_4([0.2, 0.3, 0.5], HS), [1.7, 1.1])
    close(oracle.d3_5([[LN2, 0.0, 0.0], [0.0, 0.0, LN3 / 2]], [1.0], [2.0]), [2 / 6, 1 / 6, 3 / 6])


def test_d3_s_uses_one_rnn_for_both():
    hs, ss = oracle.d3_s(append, "ab", "AB", ())
    assert ["".join(h) for h in hs] == ["a", "ab"] and ["".join(s) for s in ss] == ["abA", "abAB"]
