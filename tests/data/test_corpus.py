"""Corpus: what is trained on, what is left out, what is said about it."""
import pytest

from minis2s.data import corpus
from minis2s.data.tokenizer import Tokenizer
from minis2s.data.vocabulary import UNK

PAIRS = [("a b", "x"), ("a c", "x y"), ("a", "x y z"), ("a b", "z")]
VALID = [("a d", "x"), ("b", "w w"), ("b", "x")]


def build(pairs=PAIRS, valid=VALID, source="word", target="word", **options):
    return corpus.build(pairs, valid, source, target, **options)


def test_the_vocabulary_is_that_of_training():
    c = build()
    assert c.source.vocab.symbols[4:] == ("a", "b", "c") and c.target.vocab.symbols[4:] == ("x", "y", "z")
    assert c.valid == [([4, UNK], [4], "a d"), ([5], [UNK, UNK], "b"), ([5], [4], "b")] and c.valid_texts == VALID
    assert c.source.encode("c a") == [6, 4]
    assert build(min_count=2).source.vocab.symbols[4:] == ("a", "b")
    assert corpus.lengths(c) == {"source": 2, "target": 3}


def test_sub_words_are_learnt_from_training_alone():
    pytest.importorskip("sentencepiece")
    pairs, valid = [("the low", "x"), ("the lower", "x")], [("wwww qqqq wwww qqqq", "x")] * 9
    c = build(pairs, valid, source="bpe:20")
    assert c.source.tokenizer.subwords == Tokenizer.train("bpe:20", [x for x, _ in pairs]).subwords


def test_long_pairs_count_on_either_side_and_do_not_shape_the_vocabulary():
    c = build(PAIRS + [("q r s t", "x"), ("a", "p p p p")], VALID + [("a a a a", "x")], max_length=3)
    assert c.too_long == (2, 1) and len(c.train) == 4 and c.valid_texts == VALID
    assert "q" not in c.source.vocab.ids and "p" not in c.target.vocab.ids
    assert build(max_length=3).too_long == (0, 0)


@pytest.mark.parametrize("pairs, valid, options, told", [
    ([("a a", "b")], VALID, dict(max_length=1), "pairs: all 1 are longer than 1 tokens"),
    (PAIRS, [("a a a a", "b")], dict(max_length=3), "valid: all 1 are longer than 3 tokens"),
    (PAIRS, VALID, dict(min_count=9), "min_count=9: no source token"),
    (PAIRS[:2] * 2, VALID, dict(source="char", min_count=4, target="word"), None),
    ([("a", "x"), ("a", "y")], VALID, dict(min_count=2), "min_count=2: no target token"),
])
def test_refusals(pairs, valid, options, told):
    if told is None:
        assert build(pairs, valid, **options)
        return
    with pytest.raises(ValueError, match=told):
        build(pairs, valid, **options)


def test_the_summary_counts_by_hand():
    """Source tokens of training a b, a c, a, a b: 7, with min_count 2 only c is unknown; held out a d, b, b: d of 4."""
    pairs, source, target = corpus.summary(build(PAIRS + [("q " * 9, "x")], min_count=2, max_length=5))
    assert "4 to learn from" in pairs and "held out 3 of 2 different sources" in pairs
    assert "left out 1 that are too long" in pairs
    assert "vocabulary of 6 (word)" in source and "lengths 1 to 2, median 2;" in source
    assert "<unk> 14.29%, held out 25.00%" in source
    assert "<unk> 0.00%, held out 50.00%" in target and "lengths 1 to 3, median 1.5" in target
    assert "too long" not in corpus.summary(build())[0] and "not unseen" not in corpus.summary(build())[0]


def test_held_out_pairs_that_are_not_unseen_are_counted():
    c = build(valid=VALID + [("a\u00a0b", "x"), ("a b", "x"), ("a  c", "y"), ("A", "x")])
    assert c.seen == 3 and "held out 7 of 5 different sources, 3 of these pairs are not unseen" in corpus.summary(c)[0]


def test_held_out_pairs_are_counted_and_not_those_of_training_that_they_repeat():
    train, held = [("a", "x"), ("a", "y"), ("a", "z"), ("b", "x")], [("a", "w"), ("c", "v")]
    assert build(train, held, "char", "char").seen == 1 and build(held, train, "char", "char").seen == 3
