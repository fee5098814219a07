"""Units: what `split` takes apart, `join` puts together again."""
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minis2s.data.units import join, split


@given(st.text())
def test_characters_are_the_code_points_of_nfc(text):
    tokens = split(text, "char")
    assert tokens == list(unicodedata.normalize("NFC", text))
    assert join(tokens, "char") == unicodedata.normalize("NFC", text)


def test_nfc_joins_an_accent_to_its_letter():
    assert split("cafe\u0301", "char") == ["c", "a", "f", "é"]
    assert split("cafe\u0301", "word") == ["café"]


@pytest.mark.parametrize("text, tokens", [
    ("I read a book.", ["I", "read", "a", "book", "."]),
    ("  two\t words\n", ["two", "words"]),
    ("Yes, I don't know!", ["Yes", ",", "I", "don't", "know", "!"]),
    ("a well-known one", ["a", "well-known", "one"]),
    ("It costs $3.50, not 1,000.", ["It", "costs", "$", "3.50", ",", "not", "1,000", "."]),
    ("at 10:30 a.m. (or so)", ["at", "10:30", "a.m", ".", "(", "or", "so", ")"]),
    ("the end.Next", ["the", "end", ".", "Next"]),
    ('"Go," he said.', ['"', "Go", ",", '"', "he", "said", "."]),
    ("我喜欢猫。你呢？", ["我喜欢猫", "。", "你呢", "？"]),
    ("हिन्दी भाषा", ["हिन्दी", "भाषा"]),           # vowel signs are no punctuation
    ("", []),
    (" \n", []),
])
def test_words(text, tokens):
    assert split(text, "word") == tokens


@pytest.mark.parametrize("text", [
    "Tom isn't here, is he?",
    "She said, \"I don't know,\" and left.",
    '"One" and "two" are words.',
    "“Curly (or not)”, he wrote: ‘fine’.",
    "The well-known man paid $1,234.50 at 10:30 p.m. in the U.S. today!",
    "the dogs' house",
    "30% off; and/or nothing... wait—what?!",
    "1 + 1 = 2 - 0",
    "a - b",
    "Mr. Smith's e-mail is #3 on the list [see 5/7].",
    "我喜欢猫。你呢？（没有）",
])
def test_ordinary_sentences_come_back(text):
    assert join(split(text, "word"), "word") == text


@given(st.lists(st.text("abzé", min_size=1, max_size=4), max_size=6), st.sampled_from(",.!?;"))
def test_plain_words_come_back(words, mark):
    text = " ".join(words) + mark if words else ""
    tokens = split(text, "word")
    assert tokens == (words + [mark] if words else [])
    assert join(tokens, "word") == text


@given(st.text())
def test_no_character_is_lost_or_added(text):
    bare = lambda s: "".join(unicodedata.normalize("NFC", s).split())
    tokens = split(text, "word")
    assert "".join(tokens) == bare(text)
    assert bare(join(tokens, "word")) == bare(text)


@pytest.mark.parametrize("call", [split, join])
def test_unknown_unit(call):
    with pytest.raises(ValueError, match="unit: 'syllable', wanted one of char, word"):
        call("a", "syllable")
