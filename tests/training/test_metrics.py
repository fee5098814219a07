"""Measures of answers, against definitions and sums done by hand."""
import sys
import time
import types
from functools import cache

import numpy as np
import pytest
from hypothesis import given, strategies as st

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


def test_error_rate_by_hand():
    """1 edit of 4 characters, 0 of 2 (the nearest reference), 3 of 3: an empty answer."""
    answers, references = ["abcx", "de", ""], [["abcd"], ["xyz", "de"], ["fgh"]]
    assert evaluate.error_rate(answers, references) == pytest.approx((1 + 0 + 3) / (4 + 2 + 3))
    assert evaluate.error_rate(["aaaa"], [["b"]]) == 4
    assert evaluate.error_rate([""], [[""]]) == 0


def test_error_rate_of_tokens():
    """Tokens are whole: a tone letter is one edit, however long its neighbours."""
    assert evaluate.error_rate([["AH", "M"]], [[["AH", "N", "T"], ["AA", "M"]]]) == 1 / 2
    assert evaluate.error_rate([["kitten"]], [[["sitting"]]]) == 1


def test_twenty_thousand_long_pairs_are_scored_in_seconds():
    """Hours with an edit distance in plain Python."""
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefgh "))
    texts = ["".join(row) for row in letters[rng.integers(9, size=(20_000, 300))]]
    began = time.process_time()
    rate = evaluate.error_rate(texts, [[t] for t in texts[1:] + texts[:1]])
    assert 0.4 < rate < 0.9 and time.process_time() - began < 10


@pytest.mark.parametrize("cut, answers, references", [
    ("13a", ["the cat sat on the mat", "a dog barks"], [["the cat sat on a mat"], ["a dog barks", "dogs bark"]]),
    ("zh", ["我喜欢猫和狗。"], [["我喜欢猫和鱼。"]]),
    ("char", ["ฉันชอบแมว"], [["ฉันชอบหมา"]]),
    ("13a", ["나는 고양이 와 개를 좋아한다", "a b c d"], [["나는 고양이 와 개를 싫어한다"], ["a b c d"]]),
])
def test_bleu_and_chrf_are_sacrebleus(cut, answers, references):
    sacrebleu = pytest.importorskip("sacrebleu")
    got = evaluate.corpus_scores(answers, references)
    streams = [[right[0] for right in references], [right[-1] for right in references]]
    if streams[0] == streams[1]:
        del streams[1]
    assert got["bleu"] == sacrebleu.corpus_bleu(answers, streams, tokenize=cut).score and 0 < got["bleu"] < 100
    assert got["chrf"] == sacrebleu.corpus_chrf(answers, streams).score
    assert got["bleu_tokenize"] == cut


def test_the_references_say_how_texts_are_cut_whatever_the_answers():
    pytest.importorskip("sacrebleu")
    for answers, references in ((["the cat sat on the mat"], [["猫坐在垫子上。"]]),
                                (["猫坐在垫子上。"], [["the cat sat on the mat"]])):
        assert evaluate.corpus_scores(answers, references)["bleu_tokenize"] == evaluate.tokenizer_for(references[0])


def test_perfect_answers_in_any_order_of_references():
    pytest.importorskip("sacrebleu")
    got = evaluate.corpus_scores(["dogs bark", "the cat sat on a mat"], [["x", "dogs bark"], ["the cat sat on a mat"]])
    assert got["chrf"] == pytest.approx(100) and got["bleu"] == pytest.approx(100)


@pytest.mark.parametrize("answers, references, why", [
    (["yes", "no sir"], [["yes"], ["no sir"]], "no reference has 4 tokens"),
    (["yes", ""], [["yes"], ["no my dear sir"]], "no answer has 4 tokens"),
    (["你好"], [["你好"]], "no reference has 4 tokens"),
])
def test_bleu_is_not_given_where_it_is_undefined(answers, references, why):
    pytest.importorskip("sacrebleu")
    got = evaluate.corpus_scores(answers, references)
    assert "bleu" not in got and got["bleu_undefined"] == why and got["chrf"] > 0
    assert "bleu" in evaluate.corpus_scores(answers + ["a b c d"], references + [["a b c d"]])


@pytest.mark.parametrize("texts, name", [
    (["The word 猫 means cat."] * 3, "13a"),                # one ideograph does not decide
    (["我在 Google 工作。", "你好，Tom！"], "zh"),
    (["ฉันชอบแมว", "ok"], "char"), (["ຂ້ອຍ"], "char"), (["ខ្ញុំ"], "char"), (["ငါ"], "char"), (["བོད་ཡིག"], "char"),
    (["Привет, мир"], "13a"), (["한국어"], "13a"), ([""], "13a"), (["123 。"], "13a"), (["猫 1234567890 1234567890"], "zh"),
])
def test_the_script_of_most_letters_decides(texts, name):
    assert evaluate.tokenizer_for(texts) == name


@pytest.mark.parametrize("there", [True, False])
def test_japanese_is_cut_into_words_where_mecab_is(monkeypatch, there):
    for name in ("MeCab", "ipadic"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name) if there else None)
    for texts in (["私は猫が好きです。"], ["カタカナ"], ["ひらがな"], ["東京都知事が会見を開き新方針を説明した"]):
        assert evaluate.tokenizer_for(texts) == ("ja-mecab" if there else "char")
    assert evaluate.tokenizer_for(["我喜欢猫。"]) == "zh"


def test_without_sacrebleu_there_are_no_such_scores(monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)                 # importing it raises ImportError
    assert evaluate.corpus_scores(["a"], [["a"]]) == {}
