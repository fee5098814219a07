"""Tokenizer and sub-words: round trips, lower case, what is refused."""
import sys
import unicodedata

import pytest
from hypothesis import given, strategies as st

from minis2s.data.subwords import Subwords
from minis2s.data.tokenizer import Tokenizer, check_unit

TEXTS = ["the lower the better", "the lowest of the low", "a newer, wider world ▁ ␛e", "我喜欢猫。 我喜欢狗。"] * 3
any_text = st.text(st.characters(exclude_categories=("Cs",)))


@pytest.fixture(scope="module")
def bpe():
    pytest.importorskip("sentencepiece")
    return Tokenizer.train("bpe:60", TEXTS)


@given(text=st.one_of(any_text, st.text(st.sampled_from("the ▁␛eulow<nk>我\0\n"))))
def test_sub_words_come_back_exactly(bpe, text):
    assert bpe.join(bpe.split(text)) == unicodedata.normalize("NFC", text)


def test_frequent_words_are_one_piece_and_rare_ones_several(bpe):
    assert bpe.split("the low") == ["▁the", "▁low"]
    assert len(bpe.split("wow")) > 1 and bpe.split("") == []


def test_the_pieces_are_learnt_from_the_texts_given():
    pytest.importorskip("sentencepiece")
    a, again, b = (Tokenizer.train("bpe:40", texts).subwords.model for texts in (TEXTS[:2], TEXTS[:2], TEXTS[1:2] * 2))
    assert a == again != b


def test_pieces_as_json(bpe):
    text = bpe.subwords.to_json()
    assert isinstance(text, str) and Subwords.from_json(text) == bpe.subwords
    for bad in ("!", "aGVsbG8=", None, 7, ""):
        with pytest.raises(ValueError, match="pieces: |model: "):
            Subwords.from_json(bad)
    with pytest.raises(ValueError, match="pieces"):                     # a sign that base64 has not, inside
        Subwords.from_json(f"{text[:8]}!{text[8:]}")


def test_too_few_pieces_say_how_many_are_needed():
    pytest.importorskip("sentencepiece")
    with pytest.raises(ValueError, match="bpe:4: the texts have 4 different characters.*wanted bpe:5 or more") as e:
        Tokenizer.train("bpe:4", ["abc abc"])           # a, b, c, and the space
    assert "\n" not in str(e.value)
    assert Tokenizer.train("bpe:5", ["abc abc"]).split("cab")
    with pytest.raises(ValueError, match="texts: all empty"):
        Tokenizer.train("bpe:9", [" ", ""])


def test_more_pieces_than_the_texts_have_is_no_error():
    pytest.importorskip("sentencepiece")
    assert Tokenizer.train("bpe:9999", ["abc abd"]).split("abc") == ["▁abc"]


def test_without_the_library_the_way_to_it_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(ValueError, match=r"minis2s\[bpe\]"):
        Tokenizer.train("bpe:60", TEXTS)
    assert Tokenizer.train("word", TEXTS).split("a b") == ["a", "b"]


@pytest.mark.parametrize("unit", ["char", "word", "space", "bpe:60"])
def test_lower_case(unit):
    if unit == "bpe:60":
        pytest.importorskip("sentencepiece")
    t = Tokenizer.train(unit, [x.upper() for x in TEXTS], lowercase=True)
    assert t.normal("The WIDER Éa") == "the wider éa"
    assert t.normal("STRAẞE") == "straße"               # lower case, not the folded form that comparisons use
    assert t.subwords is None or t.subwords == Tokenizer.train(unit, [x.lower() for x in TEXTS]).subwords
    assert t.split("THE") == t.split("the") and Tokenizer("word").split("The") == ["The"]


@given(any_text)
def test_lower_case_is_lower_case_in_nfc(text):
    assert Tokenizer("char", lowercase=True).normal(text) == unicodedata.normalize(
        "NFC", unicodedata.normalize("NFC", text).lower())


@pytest.mark.parametrize("unit",
                         ["byte", "", None, 3, "bpe", "bpe:", "bpe:0", "bpe:-1", "bpe:1.5", "bpe:12345678", "Char",
                          "bpe:١٢"])
def test_wrong_units(unit):
    with pytest.raises(ValueError, match="source_units=.*: choose one of char, word, space, bpe:N"):
        check_unit("source_units", unit)


def test_pieces_belong_to_bpe_alone(bpe):
    with pytest.raises(ValueError, match="subwords: unit word has none"):
        Tokenizer("word", subwords=bpe.subwords)
    with pytest.raises(ValueError, match="subwords: unit bpe:60 needs trained pieces"):
        Tokenizer("bpe:60")


def test_sub_words_of_composed_and_decomposed_accents_are_the_same(bpe):
    assert bpe.split("cafe\u0301 e\u0301") == bpe.split("café é") != bpe.split("cafe e")


def test_sub_words_keep_outer_and_inner_space(bpe):
    for text in (" the low", "the low ", "  the  low  ", " "):
        assert bpe.join(bpe.split(text)) == text
