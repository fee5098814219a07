"""Faded and Parsons exercises: made of the reference, judged by numbers."""
import ast
import re

import pytest

from minis2s.classroom import puzzles
from minis2s.classroom.doctor import check
from minis2s.classroom.exercises import find
from minis2s.cli import main as cli

NAMES = list(puzzles.PARTS)


def right_side(puzzle):
    line = puzzle.part.lines[puzzle.number].text
    return re.sub(r"\s+#.*$", "", line).strip().removeprefix(puzzle.left)


@pytest.mark.parametrize("name", NAMES)
def test_each_marked_line_can_be_filled_in_and_a_wrong_one_is_told(name):
    some = puzzles.faded(name)
    assert some
    for puzzle in some:
        assert puzzles.BLANK in str(puzzle) and right_side(puzzle) not in str(puzzle) and puzzle.marks
        assert puzzle.judge(right_side(puzzle)).passed, str(puzzle)
        assert puzzle.judge(puzzle.left + right_side(puzzle)).passed            # the whole line typed
        wrong = ", ".join(f"3 * ({part})" for part in _parts(right_side(puzzle)))
        assert not puzzle.judge(wrong).passed, str(puzzle)
        for nonsense, word in (("nowhere", "nowhere"), ("(", "SyntaxError")):
            report = puzzle.judge(nonsense)
            assert report.verdict == "error" and word in report.says, str(report)
    assert check(name, lambda *g: find(name).reference(**dict(zip(find(name).names, g)))).passed    # all is put back


def _parts(text):
    """The expressions of a right side, at its commas."""
    node = ast.parse(text, mode="eval").body
    return [ast.unparse(n) for n in node.elts] if isinstance(node, ast.Tuple) else [text]


def test_every_starred_equation_of_the_cells_has_a_line():
    for name in ("rnn-step-backward", "lstm-step-backward", "gru-step-backward"):
        wanted = set(re.findall(r"\([A-Z]+\d\*\)", find(name).equations))
        assert wanted <= {mark for puzzle in puzzles.faded(name) for mark in puzzle.marks}


@pytest.mark.parametrize("name", NAMES)
def test_lines_in_the_right_order_pass_and_in_a_wrong_one_do_not(name):
    for puzzle in puzzles.parsons(name):
        n = len(puzzle.shown)
        shown = re.findall(r"^ *\d+  \S.*$", str(puzzle), re.MULTILINE)
        assert len(shown) == n and list(puzzle.shown) != sorted(puzzle.shown) and "# (" not in "".join(shown)
        order = [puzzle.shown.index(k) + 1 for k in sorted(puzzle.shown)]
        assert puzzle.judge(order).passed
        assert not puzzle.judge(order[::-1]).passed
        with pytest.raises(ValueError, match=f"each of 1 to {n} once"):
            puzzle.judge(order[1:])


def test_lines_that_are_right_in_any_order_are_no_puzzle(capsys):
    assert puzzles.parsons("frame-input-backward") == [] and len(puzzles.faded("frame-input-backward")) == 3
    assert all(puzzles.parsons(name) for name in ("bptt", "lstm-step", "frame-loss", "copying-backward"))
    assert cli.main(["exercise", "parsons", "frame-input-backward"]) == 2
    assert "no lines whose order matters" in capsys.readouterr().err


def test_a_line_with_two_names_keeps_both_at_its_left():
    puzzle = next(p for p in puzzles.faded("frame-loss-backward") if "(FO3*)" in p.marks)
    assert puzzle.left == "dE = dB = " and puzzle.judge("1 / mask.sum()").passed
    assert "M times too big" in puzzle.judge("1.0").says


def test_another_right_order_passes_too():
    puzzle, = puzzles.parsons("lstm-step-backward")
    texts = [puzzle.part.lines[k].text for k in puzzle.shown]
    order = [puzzle.shown.index(k) + 1 for k in sorted(puzzle.shown)]
    at = {text.split(" = ")[0].strip(): n + 1 for n, text in enumerate(texts)}
    i, j = order.index(at["di, dg"]), order.index(at["df, dc_prev"])
    order[i], order[j] = order[j], order[i]
    assert puzzle.judge(order).passed


def test_a_known_mistake_is_named_in_a_filled_line():
    puzzle = next(p for p in puzzles.faded("lstm-step-backward") if "(L5*)" in p.marks and p.left == "do = ")
    report = puzzle.judge("d.h * np.arctanh(tanh_c)")
    assert "tanh(c)" in report.says, str(report)


def test_on_the_terminal(monkeypatch, capsys):
    answers = iter(["d.h * h", "d.h * (1 - h**2)", "da @ p.W.T, da @ p.U.T", ""])
    monkeypatch.setattr("builtins.input", lambda asked: next(answers))
    assert cli.main(["exercise", "faded", "rnn-step-backward"]) == 1
    said = capsys.readouterr().out
    assert said.count("right\n\n") == 2 and "2 of 3 right" in said and "got  " in said
    puzzle, = puzzles.parsons("rnn-step-backward")
    order = [puzzle.shown.index(k) + 1 for k in sorted(puzzle.shown)]
    answers = iter(["first", "1 1 1", " ".join(map(str, order))])
    assert cli.main(["exercise", "parsons", "rnn-step-backward"]) == 0
    assert cli.main(["exercise", "faded", "softmax"]) == 2


def test_the_seed_of_a_puzzle_is_that_of_its_inputs_and_the_end_of_input_is_no_success(monkeypatch, capsys):
    seen = []

    class Puzzle:
        left = "y = "

        def judge(self, answer, seed=0):
            seen.append((answer, seed))
            return Report

    class Report:
        passed = True
    monkeypatch.setattr(puzzles, "faded", lambda name: [Puzzle(), Puzzle()])
    monkeypatch.setattr("builtins.input", lambda asked: "x")
    assert cli.main(["exercise", "faded", "rnn-step", "--seed", "5"]) == 0 and seen == [("x", 5), ("x", 5)]

    def ended(asked):
        raise EOFError
    monkeypatch.setattr("builtins.input", ended)
    assert cli.main(["exercise", "faded", "rnn-step"]) == 1
