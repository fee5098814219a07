"""Marks of equations are read from docstrings and from the comments of code lines."""
import pytest

from minis2s.documents import equations, marks

PAGE = '''"""Title.

(L4)  c = f c'            (L4*) dc = x, by (L9)
                                df = y
Uses (L7).
"""
c = f * c_prev  # (L4) and a remark
# (L5) a comment alone is no code line
text = "(L6)"
df, dc = (dc * c_prev,  # (L4*)
          dc * f)  # (L4*) (L3*)
'''


def test_what_a_docstring_defines():
    assert marks.defined(PAGE) == {"(L4)": "c = f c'", "(L4*)": "dc = x, by (L9)\ndf = y"}


def test_which_lines_of_code_have_a_mark():
    assert marks.on_code_lines(PAGE) == {"(L4)": [7], "(L4*)": [10, 11], "(L3*)": [11]}


@pytest.mark.parametrize("name", ["L4*", "(L4*)", "l4*", " L4* "])
def test_an_equation_is_found_by_its_mark(name):
    found = equations.find(name)
    assert found.mark == "(L4*)" and found.file == "layers/cells/lstm.py" and "dc' = dc f" in found.text
    assert equations.forward(found.mark) == "(L4)" and equations.derivative("(L4)") == "(L4*)"


@pytest.mark.parametrize("name", ["L44", "", "LSTM", "(L4"[:1]])
def test_an_unknown_mark_is_refused_with_the_nearest(name):
    with pytest.raises(ValueError, match=r"no equation .*; the nearest are \("):
        equations.find(name)


def test_the_four_places_of_an_equation():
    places = {place: find(equations.find("L4")) for place, find in equations.PLACES.items()}
    for place, file in (("reference implementation", "minis2s/layers/cells/lstm.py"),
                        ("compiled implementation", "minis2s/kernels/layers/cells/lstm.py"),
                        ("oracle", "minis2s/testing/oracle/cells.py"), ("test", "tests/equations/cells.py")):
        (found, line), = places[place]
        assert found == file
        text = equations.path_of(file).read_text().splitlines()[line - 1]
        assert "(L4)" in text


def test_an_equation_that_is_not_compiled_says_why():
    assert equations.why_not_compiled(equations.find("B1")).startswith("runs once")
    assert equations.why_not_compiled(equations.find("L4*")) is None
    assert equations.compiled_files(equations.find("B1")) == ()


def test_a_comment_alone_is_no_code():
    from minis2s.documents.marks import on_code_lines
    text = "a = 1  # (L4)\n    # (L5)\n  # b = 2  # (L4)\n\n    c = 3    # (L4) (L5*), twice: (L4)\n"
    assert on_code_lines(text) == {
        "(L4)": [1, 5], "(L5*)": [5]}
