"""Derivations: one for each starred equation, every line equal to its neighbour, a wrong line stops the build."""
import re

import pytest

from minis2s.documents import equations
from minis2s.viewer.book import build, parts, pymath, steps
from minis2s.viewer.book.derivations import derive, faded
from minis2s.viewer.book.texts import entries

ALL = derive.derivations()
L4 = next(one for one in ALL if (one.mark, one.target) == ("(L4*)", "dc_prev"))


def changed(derivation, at, text):
    lines = list(derivation.lines)
    lines[at] = lines[at]._replace(text=text)
    return derivation._replace(lines=tuple(lines))


def test_every_starred_equation_has_one():
    starred = {mark for mark, equation in equations.all_equations().items()
               if equations.is_derivative(mark) and equation.file in parts.ORDER}
    assert starred - {one.mark for one in ALL} == set(), "see minis2s/viewer/book/derivations"
    assert {one.mark for one in ALL} <= equations.all_equations().keys()


@pytest.mark.parametrize("one", ALL, ids=lambda one: f"{one.mark} {one.target}")
def test_every_line_equals_its_neighbour_and_the_last_the_librarys_number(one):
    assert derive.LEAST <= len(one.lines) <= derive.MOST
    derive.check(one)
    assert all(line.reason in entries("reasons.txt") for line in one.lines)


@pytest.mark.parametrize("at, text, message", [
    (1, "dc * slope(lambda c_prev: f * c_prev, c_prev) * (1 + 1e-9)",
     "differs from the line above by [0-9.]+e-(09|10)"),
    (3, "dc * i", "differs from the line above"),
    (0, "dc * i", "differs from the line above"),
    (2, "dc * nothing", "NameError"),
    (2, "(dc * f).sum()", "differs from the line above by inf")])
def test_a_planted_wrong_line_is_named(at, text, message):
    with pytest.raises(derive.Wrong, match=re.escape("(L4*) dc_prev: ") + ".*" + message):
        derive.check(changed(L4, at, text))


def test_lines_that_agree_with_each_other_but_not_with_the_library_are_wrong():
    wrong = L4._replace(lines=tuple(line._replace(text="dc * i") for line in L4.lines))
    with pytest.raises(derive.Wrong, match="differs from what the library computes"):
        derive.check(wrong)


def test_a_wrong_line_stops_the_build(monkeypatch):
    wrong = changed(L4, 3, "dc * i")
    monkeypatch.setattr(derive, "derivations", lambda: (*ALL[:3], wrong))
    with pytest.raises(ValueError, match="dc_prev: dc \\* i"):
        build.book(("en",))


def test_a_line_that_the_library_has_not_is_wrong():
    with pytest.raises(derive.Wrong, match="no line of the library makes it in lstm"):
        derive.check(L4._replace(target="dc_next"))


@pytest.mark.parametrize("text, message", [
    ("L4 dc\n a | b", "is no head"), ("(L4*) dc\nx\ny\nz", "no reason behind the bar"),
    ("(L4*) dc\nx | product\ny | product", "2 lines, wanted 3 to 8")])
def test_a_file_that_is_none_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        derive.parse(text)


@pytest.mark.filterwarnings("ignore:Mean of empty slice", "ignore:invalid value")
@pytest.mark.parametrize("one", ALL, ids=lambda one: f"{one.mark} {one.target}")
def test_one_choice_is_right_and_the_others_are_not(one):
    choices = faded.choices(one)
    assert [choice.right for choice in choices].count(True) == 1 and 3 <= len(choices) <= 4
    for choice in choices:
        line = changed(one, faded.hidden(one), choice.text)
        if choice.right:
            derive.check(line)
        else:
            assert choice.says or choice.reason in entries("reasons.txt")
            with pytest.raises(derive.Wrong):
                derive.check(line)


def test_the_doctors_words_are_used():
    said = {choice.says for one in ALL for choice in faded.choices(one)}
    assert "only db is wrong: the examples are averaged, wanted is their sum" in said and len(said) > 20


def test_lines_are_set_as_mathematics():
    got = pymath.line("d.h * (1 - h**2)")
    assert "data-s=dh" in got and "<msup>" in got and got.count("<mo>(</mo>") == 1
    assert "<mfrac><mo>∂</mo>" in pymath.line("grad(lambda W: sum(da * (x @ W)), p.W)")
    assert "<msub><mo>∑</mo><mtext>j</mtext></msub>" in pymath.line('ein("nj,kj->nk", da, p.U)')
    for one in ALL:
        for line in one.lines:
            text = pymath.line(line.text)
            assert text.count("<mrow") == text.count("</mrow>") and "ast." not in text


def test_the_steps_stand_in_the_book():
    found = steps.derivations()
    assert found.keys() == {one.mark for one in ALL} and found["(L4*)"].count("<li") > 12
