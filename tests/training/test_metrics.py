"""Measures of answers, against definitions and sums done by hand."""
import sys
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minis2s.training import metrics as evaluate

texts = st.text("abc", max_size=6)


@cache
def distance(a, b):
    """The definition, by recursion on the last characters."""
    if not a or not b:
        return len(a) + len(b)
    return min(distance(a[:-1], b) + 1, distance(a, b[:-1]) + 1, distance(a[:-1], b[:-1]) + (a[-1] != b[-1]))


@given(texts, texts)
def test_edit_distance_is_the_definition(a, b):
    assert evaluate.edit_distance(a, b) == distance(a, b) == evaluate.edit_distance(b, a)


@pytest.mark.parametrize("a, b, edits",
                         [("kitten", "sitting", 3), ("", "abc", 3), ("一万两千", "一万二千", 1), ("", "", 0)])
def test_edit_distances_known(a, b, edits):
    assert evaluate.edit_distance(a, b) == edits


def test_exact_match_takes_any_reference():
    assert evaluate.exact_match(["a", "b", "c"], [["a"], ["x", "b"], ["C"]]) == pytest.approx(2 / 3)


def test_character_error_rate_by_hand():
    """1 edit of 4 characters, 0 of 2 (the nearest reference), 3 of 3: an empty answer."""
    answers, references = ["abcx", "de", ""], [["abcd"], ["xyz", "de"], ["fgh"]]
    assert evaluate.character_error_rate(answers, references) == pytest.approx((1 + 0 + 3) / (4 + 2 + 3))
    assert evaluate.character_error_rate(["aaaa"], [["b"]]) == 4
    assert evaluate.character_error_rate([""], [[""]]) == 0


def test_bleu_and_chrf_are_sacrebleus():
    sacrebleu = pytest.importorskip("sacrebleu")
    answers, references = ["the cat sat on the mat", "a dog barks"], [["the cat sat on a mat"],
                                                                      ["a dog barks", "dogs bark"]]
    got = evaluate.corpus_scores(answers, references)
    streams = [["the cat sat on a mat", "a dog barks"], ["the cat sat on a mat", "dogs bark"]]
    assert got["bleu"] == sacrebleu.corpus_bleu(answers, streams).score and 0 < got["bleu"] < 100
    assert got["chrf"] == sacrebleu.corpus_chrf(answers, streams).score
    assert got["bleu_tokenize"] == "13a"
    perfect = evaluate.corpus_scores(["dogs bark", "the cat sat on a mat"],
                                     [["x", "dogs bark"], ["the cat sat on a mat"]])
    assert perfect["chrf"] == pytest.approx(100)


def test_chinese_is_cut_into_characters():
    sacrebleu = pytest.importorskip("sacrebleu")
    got = evaluate.corpus_scores(["我喜欢猫和狗。"], [["我喜欢猫和鱼。"]])
    assert got["bleu_tokenize"] == "zh"
    assert got["bleu"] == sacrebleu.corpus_bleu(["我喜欢猫和狗。"], [["我喜欢猫和鱼。"]], tokenize="zh").score > 10


def test_without_sacrebleu_there_are_no_such_scores(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)                 # importing it raises ImportError
    assert evaluate.corpus_scores(["a"], [["a"]]) == {}
