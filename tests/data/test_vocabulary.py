"""Vocabulary: numbers and symbols are inverse to each other, and the four specials keep their places."""
import dataclasses
import json

import pytest
from hypothesis import given, strategies as st

from minis2s.data.vocabulary import BOS, EOS, PAD, SPECIALS, UNK, Vocabulary

words = st.lists(st.text(min_size=1, max_size=3), max_size=8)


def test_special_numbers():
    assert (PAD, BOS, EOS, UNK) == (0, 1, 2, 3)
    assert Vocabulary.build([]).symbols == ("<pad>", "<bos>", "<eos>", "<unk>")


def test_order_is_count_then_symbol():
    v = Vocabulary.build([list("cab"), list("ba"), list("dd")])
    assert v.symbols[4:] == ("a", "b", "d", "c")
    assert len(v) == 8


@given(st.lists(words, max_size=6), st.randoms())
def test_order_of_sequences_does_not_matter(sequences, random):
    shuffled = random.sample(sequences, len(sequences))
    assert Vocabulary.build(sequences) == Vocabulary.build(shuffled)


@given(st.lists(words, max_size=6))
def test_decode_undoes_encode(sequences):
    v = Vocabulary.build(sequences)
    for tokens in sequences:
        assert v.decode(v.encode(tokens)) == tokens


def test_max_size_counts_the_specials_and_keeps_the_most_frequent():
    v = Vocabulary.build([list("aaabbc")], max_size=6)
    assert v.symbols == SPECIALS + ("a", "b")


def test_min_count():
    assert Vocabulary.build([list("aaabbc")], min_count=2).symbols[4:] == ("a", "b")


def test_unknown_becomes_unk_and_is_named_once():
    v = Vocabulary.build([["a", "b"]])
    assert v.encode(["a", "x", "b", "x"]) == [4, UNK, 5, UNK]
    assert v.unknown(["y", "a", "x", "b", "x", "y"]) == ["y", "x"]
    assert v.decode([4, UNK]) == ["a", "<unk>"]


def test_decode_stops_at_eos_and_drops_pad_and_bos():
    v = Vocabulary.build([["a", "b"]])
    assert v.decode([BOS, 4, PAD, 5, EOS, 4, PAD]) == ["a", "b"]


@pytest.mark.parametrize("special", SPECIALS)
def test_a_special_in_a_text_has_no_power(special):
    v = Vocabulary.build([["a", special, special]])
    assert v.symbols == SPECIALS + ("a",)
    assert v.encode([special]) == [UNK]
    assert v.unknown([special]) == [special]


def test_json_round_trip():
    v = Vocabulary.build([["书", "b", "书"]])
    again = Vocabulary.from_json(json.loads(json.dumps(v.to_json())))
    assert again == v and again.encode(["书", "b"]) == [4, 5]
    assert type(v.to_json()) is list


@pytest.mark.parametrize("bad, error, message", [
    ("abcd", TypeError, "a str"),
    ({"symbols": []}, TypeError, "a dict"),
    ([*SPECIALS, 7], TypeError, "entry 4 is 7"),
    ([*SPECIALS, ""], ValueError, "entry 4 is empty"),
    ([*SPECIALS, "a", "b", "a"], ValueError, "'a' stands more than once"),
    ([*SPECIALS, "<pad>"], ValueError, "'<pad>' stands more than once"),
    (["<bos>", "<pad>", "<eos>", "<unk>", "a"], ValueError, "begin with"),
    ([], ValueError, "begin with"),
])
def test_from_json_refuses(bad, error, message):
    with pytest.raises(error, match=message):
        Vocabulary.from_json(bad)


@pytest.mark.parametrize("wish, message", [(dict(max_size=4), "max_size: 4"),
                                           (dict(min_count=0), "min_count: 0")])
def test_build_refuses(wish, message):
    with pytest.raises(ValueError, match=message):
        Vocabulary.build([["a"]], **wish)


@pytest.mark.parametrize("i", [-1, 5])
def test_decode_refuses_foreign_numbers(i):
    with pytest.raises(ValueError, match=f"ids: {i} is no entry"):
        Vocabulary.build([["a"]]).decode([4, i])


def test_frozen():
    v = Vocabulary.build([["a"]])
    with pytest.raises(dataclasses.FrozenInstanceError):
        v.symbols = SPECIALS
