"""What is said about answers: which notes, about which texts, in which words."""
from types import SimpleNamespace

import pytest

from minis2s.api import notes
from minis2s.data.vocabulary import SPECIALS, Vocabulary

MODEL = SimpleNamespace(source_vocab=Vocabulary((*SPECIALS, "a", "b")), lengths={"source": 3, "target": 9},
                        config=SimpleNamespace(readout="softmax", target="tokens"))
COPYING = SimpleNamespace(**{**vars(MODEL), "config": SimpleNamespace(readout="copy", target="tokens")})


def answer(source, target="x", finished=True):
    return SimpleNamespace(source=list(source), target=list(target), finished=finished)


@pytest.mark.parametrize("one, wanted", [
    (answer("aba"), []), (answer(""), []), (answer("", "", False), []),
    (answer("abab"), [("long", 4)]),                                    # longer than sources, if not than targets
    (answer("azbz"), [("unknown", ["z"]), ("long", 4)]),
    (answer("ab", "xyz", False), [("cut", 3)]),
    (answer("z" * (notes.LONGEST + 1), "", False), [("unread", notes.LONGEST + 1)]),     # and nothing else of it
    (answer("a" * notes.LONGEST), [("long", notes.LONGEST)])])
def test_what_there_is_to_say_of_an_answer(one, wanted):
    assert list(notes.remarks(MODEL, one)) == wanted


def test_a_copying_model_reads_unknown_tokens_as_themselves():
    assert list(notes.remarks(COPYING, answer("azbz"))) == [("long", 4)]


def test_sentences():
    of = [notes.sentence(MODEL, *row) for row in (
        ("unknown", [["z", "y"], ["z"]]), ("long", [4]), ("long", [4, 1_200]), ("cut", [9, 9]), ("unread", [20_001]))]
    assert of == ["unknown to the model, read as <unk>: z y", "4 tokens; the longest text trained on has 3",
                  "up to 1,200 tokens; the longest text trained on has 3",
                  "the answer is cut off at 9 tokens, the greatest length; a larger max_length=N allows more",
                  "20,001 tokens, so not read; at most 20,000 are"]


def test_places_are_numbers_of_texts_and_never_and_one_more():
    assert notes.places_of([2], "text", 1) == "text 3" and notes.places_of([0, 1], "line", 1) == "lines 1 and 2"
    assert notes.places_of(range(6), "line", 1) == "lines 1, 2, 3, 4, 5 and 6"
    assert notes.places_of(range(7), "line", 11) == "lines 11, 12, 13, 14, 15 and 2 more"
    assert notes.places_of(range(1_000, 3_000), "text", 1) == "texts 1,001, 1,002, 1,003, 1,004, 1,005 and 1,995 more"


def test_tokens_are_listed_once_in_sight_and_not_without_end():
    assert notes.listed(["a", "b", "a"]) == "a b" and notes.listed(["\x1b[2J", "x" * 50]) == f"\\x1b[2J {'x' * 40}..."
    assert notes.listed("abcdefghij") == "a b c d e f g h i j"
    assert notes.listed("abcdefghijkl") == "a b c d e f g h i j and 2 more"


def test_notes_about_several_texts_are_one_for_each_kind():
    answers = [[answer(source)] for source in ("ab", "abab", "z", "ababa")]
    assert notes.grouped(MODEL, answers, "line", shown=lambda i: f"<{i}>") == [
        "lines 2 and 4: up to 5 tokens; the longest text trained on has 3",
        "line 3, <2>: unknown to the model, read as <unk>: z"]
    said = notes.grouped(MODEL, answers[2:3], shown=lambda i: f"<{i}>")
    assert said == ["<0>: unknown to the model, read as <unk>: z"]
