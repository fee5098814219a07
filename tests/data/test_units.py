"""Units: what `split` takes apart, `join` puts together again."""
import unicodedata

import pytest
from hypothesis import example, given, strategies as st

from minis2s.data.units import join, split

EXACT = ("word", "space")
planes = st.characters(exclude_categories=("Cs",))                      # every code point of every plane
any_text = st.text(planes)
marks = st.sampled_from("‿.,'\"-_:/+=#()“”«»…—。、？￭▁$€°@")               # what decides how words are cut
chunk = st.one_of(st.text(planes, min_size=1),
                  st.text(st.one_of(marks, st.sampled_from("aB1é我")), min_size=1, max_size=6))


@st.composite
def spaced(draw):
    """A text in NFC whose only white space is single spaces between other characters."""
    chunks = [c for text in draw(st.lists(chunk, max_size=6)) for c in text.split()]
    return " ".join(unicodedata.normalize("NFC", " ".join(chunks)).split())


@given(any_text)
def test_characters_are_the_code_points_of_nfc(text):
    tokens = split(text, "char")
    assert tokens == list(unicodedata.normalize("NFC", text))
    assert join(tokens, "char") == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("unit", EXACT)
@given(spaced())
@example("‿, ‿ ‿‿ (‿) ‿.‿ a‿ ‿a ,‿")
def test_a_text_with_single_spaces_comes_back_exactly(unit, text):
    assert join(split(text, unit), unit) == text


@pytest.mark.parametrize("unit", EXACT)
@given(any_text)
def test_of_other_white_space_one_space_is_left(unit, text):
    assert join(split(text, unit), unit) == " ".join(unicodedata.normalize("NFC", text).split())


@pytest.mark.parametrize("unit", EXACT)
@given(any_text)
def test_what_comes_back_is_cut_in_the_same_way(unit, text):
    tokens = split(text, unit)
    assert split(join(tokens, unit), unit) == tokens and all(tokens)


@given(st.lists(st.text(st.sampled_from("‿.,a "), min_size=1, max_size=4), max_size=5))
def test_any_tokens_are_joined_to_a_text(tokens):
    """A model may write tokens in an order that no text has."""
    bare = lambda s: s.replace("‿", "").replace(" ", "")                # noqa: E731
    assert bare(join(tokens, "word")) == bare("".join(tokens))


def test_nfc_joins_an_accent_to_its_letter():
    assert split("cafe\u0301", "char") == ["c", "a", "f", "é"]
    assert split("cafe\u0301", "word") == split("cafe\u0301", "space") == ["café"]


@pytest.mark.parametrize("text, tokens", [
    ("I read a book.", "I read a book ‿."),
    ("  two\t words\n", "two words"),
    ("Yes, I don't know!", "Yes ‿, I don't know ‿!"),
    ("a well-known one", "a well-known one"),
    ("It costs $3.50, not 1,000.", "It costs $‿ 3.50 ‿, not 1,000 ‿."),
    ("at 10:30 a.m. (or so)", "at 10:30 a.m ‿. (‿ or so ‿)"),
    ("the end.Next", "the end ‿.‿ Next"),
    ("a,1 1,a 1,1", "a ‿,‿ 1 1 ‿,‿ a 1,1"),
    ("pos=N", "pos ‿=‿ N"),
    ("(-b) 'tis a.'b", "( ‿-‿ b ‿) '‿ tis a ‿. ‿'‿ b"),
    ("C++ is -5", "C ‿+ ‿+ is -‿ 5"),
    ('"Go," he said.', '"‿ Go ‿, ‿" he said ‿.'),
    ("我喜欢猫。你呢？", "我喜欢猫 ‿。‿ 你呢 ‿？"),
    ("हिन्दी भाषा", "हिन्दी भाषा"),           # vowel signs are no punctuation
    ("", ""),
    (" \n", ""),
])
def test_words(text, tokens):
    assert split(text, "word") == tokens.split()


def test_a_word_looks_the_same_wherever_it_stands():
    """Only marks have ties: quotes and brackets make no new words."""
    for text in ("so", "so.", "(so", "„so“", "a-so", "so/", "$so+"):
        assert "so" in split(text, "word") or "-so" in text


ORDINARY = """\
Er sagte „Hallo“ und ging.|»Ja«|Wait… what|C++|user@example.com|20°C|-5|Quoi ?|בית־ספר|pos=N|a,1|« Oui », dit-il.
¿Qué tal? ¡Bien!|‚so‘|‹so›|O'Brien's|rock 'n' roll|the dogs' house|'so'|"One" and "two".|“Curly (or not)”, he wrote: ‘fine’.
30% off; and/or nothing... wait—what?!|1 + 1 = 2 - 0|a - b|x^2|f(x)|a[0]|{a}|<b>|a<b|C#|.NET|#1|& co.|AT&T|R&D|~5|≈5|≤ 3
$1,234.50|5 €|£5|¥500|50 ¢|10:30|3/4|1/2 cup|2-3|2–3|2 – 3|10×10|±5|§ 5|¶|©2020|®|™|†|‡|•a|· b|a·b|№5|²|5²
http://a.b/c?d=e&f=g|C:\\dir|~/x|*.py|--help|-x|_x_|__init__|a_b|:-)|;)|<3|(c)|[sic]|…so|so …|? !|?!|!!|...|. . .|我喜欢猫。你呢？（没有）
「はい」と言った。|안녕, 뭐해?|Что? – Да.|„Так“|Τι;|Ελληνικά·|हाँ।|مرحبا، كيف؟|ไทย|Mr. Smith's e-mail is #3 on the list [see 5/7].""".replace("\n", "|")     # noqa: E501  (a table of texts)


@pytest.mark.parametrize("text", ORDINARY.split("|"))
def test_ordinary_texts_come_back(text):
    assert join(split(text, "word"), "word") == text


def test_space_keeps_tokens_that_are_marks():
    """Tone letters, tags: the white space between them is part of the answer."""
    assert split("t a˧ ˨ ˧ pos=N ‿,", "space") == ["t", "a˧", "˨", "˧", "pos=N", "‿,"]
    assert join(["˧", "˨"], "space") == "˧ ˨"


@pytest.mark.parametrize("call", [split, join])
def test_unknown_unit(call):
    with pytest.raises(ValueError, match="unit: 'syllable', wanted one of char, word, space"):
        call("a", "syllable")


# the first rule, of old runs ---------------------------------------------------------------------------------

@pytest.mark.parametrize("text, tokens", [
    ("Yes, I don't know!", ["Yes", ",", "I", "don't", "know", "!"]),
    ("It costs $3.50, not 1,000.", ["It", "costs", "$", "3.50", ",", "not", "1,000", "."]),
    ('"Go," he said.', ['"', "Go", ",", '"', "he", "said", "."]),
    ("a - b (or so) a,1", ["a", "-", "b", "(", "or", "so", ")", "a", ",", "1"]),
])
def test_old_words(text, tokens):
    assert split(text, "word-1") == tokens
    assert "".join(tokens) == join(tokens, "word-1").replace(" ", "")


@pytest.mark.parametrize("text", [
    "Tom isn't here, is he?", "She said, \"I don't know,\" and left.", "“Curly (or not)”, he wrote: ‘fine’.",
    "30% off; and/or nothing... wait—what?!", "1 + 1 = 2 - 0", "我喜欢猫。你呢？（没有）",
])
def test_old_words_come_back_as_they_did(text):
    assert join(split(text, "word-1"), "word-1") == text


def test_the_old_rule_opens_every_second_quotation_mark():
    assert join(['"', "a", '"', "and", '"', "b", '"', "."], "word-1") == '"a" and "b".'
