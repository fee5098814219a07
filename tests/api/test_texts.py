"""Texts and pairs as people give them: echoed in messages, recognized again."""
import itertools

import pytest

from minis2s.api.texts import fingerprint, hold_out, shown, text_pairs


def test_messages_show_the_beginning_of_what_is_long():
    assert shown("ab") == "'ab'" and shown(5) == "5" and shown(None) == "None"
    assert shown("x" * 5_000) == repr("x" * 60) + "... (5,000 characters)"
    assert shown(["x"] * 1_000) == "list of 1,000" and shown({i: i for i in range(99)}) == "dict of 99"
    assert len(shown([["x" * 9] * 50])) < 200
    for text in ("a\x1b[31mb", "a\nb\u2028c", "\x00", "\u202eabc"):
        assert shown(text).isprintable(), text


@pytest.mark.parametrize("pair", [("a", "x" * 10_000, "c"), ("a" * 10_000,), ["a\x1b[2J", 5]])
def test_a_wrong_pair_is_shown_in_short_and_printable(pair):
    with pytest.raises(TypeError) as caught:
        text_pairs("pairs", [("a", "b"), pair])
    assert str(caught.value).startswith("pairs[1]: ") and len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("pair", [("a\udc80", "b"), ("a", "b\ud83d")])
def test_half_a_character_is_refused_on_either_side(pair):
    with pytest.raises(ValueError, match=r"pairs\[1\]: .* holds half of a surrogate pair"):
        text_pairs("pairs", [("a", "b"), pair])


def test_half_a_character_is_shown_in_short():
    with pytest.raises(ValueError) as caught:
        text_pairs("pairs", [("a" * 10_000 + "\ud800", "b")])
    assert len(str(caught.value)) < 200


def test_the_fingerprint_covers_every_text_its_side_its_part_and_the_order():
    a, b, c = ("a", "b"), ("c", "d"), ("e", "f")
    parts = [([a, b], [c]), ([b, a], [c]), ([a], [b, c]), ([a, b, c], []), ([a, b], [("f", "e")]),
             ([a, b], [("e", "g")]), ([("ab", "")], []), ([("a", "b")], []), ([("", "ab")], []),
             ([("a\tb", "c")], []), ([("a", "b\tc")], []), ([("a", "b\nc\td")], []), ([("a", "b"), ("c", "d")], []),
             ([('["a", "b"]', "")], []), ([("a", "b\n")], []), ([("a\n", "b")], [])]
    for x, y in itertools.combinations(parts, 2):
        assert fingerprint(*x) != fingerprint(*y), (x, y)
    assert fingerprint([a, b], [c]) == fingerprint([list(a), list(b)], [list(c)])


def test_the_fingerprint_is_that_of_the_runs_that_there_are():
    """Runs are resumed by it, so it must not change: SHA-256 of lines source TAB target LF, a NUL after each part."""
    import hashlib
    data = "ä\tb\nc\td\n".encode() + b"\0" + b"e\tf\n" + b"\0"
    assert fingerprint([("ä", "b"), ("c", "d")], [("e", "f")]) == hashlib.sha256(data).hexdigest()


def test_one_source_in_two_spellings_is_one_source():
    with pytest.raises(ValueError, match="one source only"):
        hold_out([("a b", "x"), ("a  b", "y"), (" a\u00a0b", "z")], 0)


def test_held_out_sources_depend_on_the_seed_and_stand_in_one_part():
    pairs = [(f"s{i % 40}", f"t{i}") for i in range(100)]
    parts = {seed: hold_out(pairs, seed) for seed in (0, 0, 1)}
    assert parts[0] != parts[1] and hold_out(pairs, 0) == parts[0]
    for train, valid in parts.values():
        assert sorted(train + valid) == sorted(pairs)
        assert not {x for x, _ in train} & {x for x, _ in valid} and len({x for x, _ in valid}) == 2
