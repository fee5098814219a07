"""Forms of pairs files as people get them: Tatoeba's export, Anki's export, a header, a column of numbers."""
import pytest

from minis2s.data.formats import is_header, is_number, plain_text
from minis2s.data.pairs import read_pairs


def read(folder, text):
    path = folder / "p.tsv"
    path.write_text(text, encoding="utf-8")
    return read_pairs(path)


def test_tatoebas_sentence_pairs(tmp_path):
    """Four columns: number and text of the one language, number and text of the other; with a byte order mark."""
    p = read(tmp_path,
             "\ufeff1277\tI see 1 cats.\t373351\tJe vois.\n1282\tLet's go!\t8\tAllons-y !\n\n1283\t \t9\tvide\n")
    assert p[:3] == (["I see 1 cats.", "Let's go!"], ["Je vois.", "Allons-y !"], (1, 4))
    assert p.notes == ("read as Tatoeba's sentence pairs (number, text, number, text)",)


@pytest.mark.parametrize("text, sources", [
    ("1\tone\t2\ttwo\nx\tone\t2\ttwo\n", ["1", "x"]),            # one line of another form: not Tatoeba's
    ("1\tone\t2\n2\ttwo\t3\n", ["1", "2"]),
    ("1\tone\tnote\tmore\n2\ttwo\tnote\tmore\n", ["1", "2"]),
    ("x\tone\t1\tmore\ny\ttwo\t2\tmore\n", ["x", "y"]),
    ("1\t2\t3\t4\n5\t6\t7\t8\n", ["1", "5"]),                    # a table of numbers
])
def test_other_files_with_numbers_are_read_as_they_stand(tmp_path, text, sources):
    assert read(tmp_path, text).sources == sources


def test_a_column_of_numbers_is_pointed_out(tmp_path):
    assert read(tmp_path, "12\ttwelve\n7\tseven\n").notes == (
        "every source is a number, such as 12: is column 1 what you want to train on?",)
    assert "every target is a number, such as 5" in read(tmp_path, "a\t5\tx\nb\t6\ty\n").notes[0]
    assert read(tmp_path, "1+2\t3\n4+5\t9\n").notes == ()        # sums are numbers, and nothing else could be meant
    assert read(tmp_path, "12\ttwelve\nx\ty\n").notes == ()


ANKI = """#separator:tab
#html:true
#guid column:1
#notetype column:2
#tags column:5
abc\tBasic\tHello,<br>world&nbsp;!\t"Bonjour ""le"" <b>monde</b>"\tgreetings
abd\tBasic\t"two
lines<div>more</div>"\tdeux&amp;trois [sound:x.mp3]\t
abe\tBasic\t\tvide\t
"""


def test_anki_export(tmp_path):
    p = read(tmp_path, ANKI)
    assert p[:3] == (["Hello, world !", "two lines more"], ['Bonjour "le" monde', "deux&trois"], (1, 9))
    assert p.notes == ("read as an Anki export",)


@pytest.mark.parametrize("text, pairs", [
    ("#separator:Semicolon\na;b\n\"c;d\";e\n", [("a", "b"), ("c;d", "e")]),
    ("#separator:|\na|b\n", [("a", "b")]),
    ("#html:false\n<b>\ta &amp; b\n", [("<b>", "a &amp; b")]),
    ("#deck:Mine\na\tb\n", [("a", "b")]),
])
def test_heads_of_anki(tmp_path, text, pairs):
    p = read(tmp_path, text)
    assert list(zip(p.sources, p.targets)) == pairs


@pytest.mark.parametrize("text, told", [
    ("#separator:two\na\tb\n", "line 1: separator 'two'"),
    ("#separator:tab\na\tb\n\"open\tc\n", "line 3: "),
    ("#separator:tab\na\tb\nalone\n", "line 3: one column only, 'alone'"),
    ("#separator:tab\n#html:true\n", "no pairs"),
])
def test_broken_anki_exports(tmp_path, text, told):
    with pytest.raises(ValueError, match="p.tsv.*" + told):
        read(tmp_path, text)


def test_a_text_that_begins_with_a_hash_is_no_head(tmp_path):
    assert read(tmp_path, "#1\tfirst\n#tag: x\ty\n").sources == ["#1", "#tag: x"]


@pytest.mark.parametrize("head", ["English\tFrench", " source\tTARGET ", "en\tzh", "word\tphones\tnote"])
def test_a_header_is_left_out_and_said(tmp_path, head):
    p = read(tmp_path, f"{head}\na\tb\n")
    assert p.sources == ["a"] and "line 1 looks like a header" in p.notes[0]
    assert read(tmp_path, f"a\tb\n{head}\n").notes == ()        # only the first line can be one
    assert len(read(tmp_path, f"{head}\n").sources) == 1        # and not the only one


def test_headers():
    assert is_header("Lemma", "Form") and is_header("1", "2") is False
    for pair in (("English", "Anglais"), ("Go.", "Va !"), ("word", "word"), ("", ""), ("word", None)):
        assert not is_header(*pair)


@pytest.mark.parametrize("field, text", [
    ("a<br/>b<BR>c", "a b c"), ("<p class='x'>a</p><p>b</p>", "a b"), ("<i>a</i>b", "ab"), ("1 < 2 > 0", "1 < 2 > 0"),
    ("&lt;b&gt;", "<b>"), ("a&nbsp;b", "a b"), ("[sound:a b.mp3]x", "x"), ("  ", ""),
])
def test_html_as_plain_text(field, text):
    assert plain_text(field) == text


def test_a_number_is_written_in_ordinary_digits():
    assert is_number("12") and is_number(" 0 ")
    for text in ("", " ", "1.5", "-1", "1 2", "²", "٣", "①", "一"):
        assert not is_number(text), text


def test_a_header_of_tatoebas_columns_is_said_beside_the_form(tmp_path):
    p = read(tmp_path, "1\tEnglish\t2\tFrench\n3\tGo.\t4\tVa.\n")
    assert p.sources == ["Go."] and len(p.notes) == 2
    assert p.notes[0].startswith("read as Tatoeba's")
    assert p.notes[1].startswith("line 1 looks like a header (English, French)")
