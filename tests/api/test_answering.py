"""How texts are shared out before they are answered."""
from minis2s.api import answering


def test_batches_have_few_texts_and_few_tokens_with_their_padding(monkeypatch):
    monkeypatch.setattr(answering, "AT_ONCE", 12)
    tokens = [[0] * n for n in (4, 1, 3, 5, 2, 4, 13)]

    def shared(count, indices=range(7)):
        return list(answering.batches(list(indices), tokens, count))
    assert shared(9) == [[1, 4, 2], [0, 5], [3], [6]]            # 3 of 3, 2 of 4, 1 of 5 tokens, one too long for any
    assert shared(2) == [[1, 4], [2, 0], [5, 3], [6]] and shared(1) == [[i] for i in (1, 4, 2, 0, 5, 3, 6)]
    assert shared(9, [3, 0]) == [[0, 3]] and shared(9, []) == []


def test_a_text_that_was_not_read_is_no_finished_answer():
    assert answering.unread([]).finished and not answering.unread(["a"] * 9).finished
    assert answering.unread(["a"]).source == ["a"] and answering.unread([]).text == ""
