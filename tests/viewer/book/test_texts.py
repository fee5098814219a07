"""English and Chinese: every page has both, and none is stale."""
import re

import pytest

from minis2s.documents import equations
from minis2s.viewer.book import parts, texts, words


def known_files(wanted):
    """Of marks, those of parts in the book's order: a later part may come before its texts."""
    return {mark: of for mark, of in wanted.items() if equations.all_equations()[mark].file in parts.ORDER}


def test_every_equation_has_a_sentence_in_both_languages_and_none_is_stale():
    assert [p for p in texts.problems("marks.txt", texts.wanted_marks()) if "is missing" not in p] == []
    assert [p for p in texts.problems("marks.txt", known_files(texts.wanted_marks())) if "is missing" in p] == []


def test_every_part_and_every_row_has_both_languages_and_none_is_stale():
    titles = {part.id: part.title for part in parts.parts()}
    assert [p for p in texts.problems("parts.txt", titles) if "is missing" not in p] == []
    assert {part.id for part in parts.parts() if part.file in parts.ORDER} <= texts.entries("parts.txt").keys()
    rows, said = texts.wanted_rows()
    assert texts.problems("rows.txt", rows) == [] and texts.problems("slips.txt", said) == []


def test_a_missing_a_stale_and_a_left_over_pair_are_found():
    wanted = texts.wanted_marks()
    assert texts.problems("marks.txt", {**wanted, "(ZZ1)": "y = x"})[-1] == "marks.txt: (ZZ1) is missing"
    stale = texts.problems("marks.txt", {**wanted, "(L4)": "c = f c' - i g"})
    assert any("(L4) is stale: it describes \"c = f c' + i g\"" in p for p in stale)
    less = {mark: of for mark, of in wanted.items() if mark != "(L4)"}
    assert "marks.txt: (L4) is described, but there is none" in texts.problems("marks.txt", less)
    assert texts.digest("a  b") == texts.digest("a b") != texts.digest("a c")


@pytest.mark.parametrize("name", texts.FILES)
def test_every_entry_is_chinese_in_its_third_line_and_english_in_its_second(name):
    for entry in texts.entries(name).values():
        assert re.search("[一-鿿]", entry.zh) or entry.of.casefold() == entry.zh.casefold(), entry
        assert entry.en and not re.search("[一-鿿]", entry.en), entry


def test_the_terms_of_the_glossary_are_those_of_the_sentences():
    """One Chinese word for one term: no rival of a term is used anywhere."""
    rivals = {"隐含状态": "隐藏状态", "隐状态": "隐藏状态", "单元状态": "细胞状态", "记忆门": "遗忘门", "反向传递": "反向传播",
              "定向搜索": "束搜索", "集束搜索": "束搜索", "损失方程": "损失函数", "注意机制": "注意力", "令牌": "词元",
              "嵌套": "词嵌入", "丢弃法": "随机失活", "梯度剪裁": "梯度裁剪"}
    for name in texts.FILES:
        for entry in texts.entries(name).values():
            assert not [word for word in rivals if word in entry.zh], entry


def test_the_books_own_words_have_both_languages():
    for key, (en, zh) in words.WORDS.items():
        assert en and zh, key
        assert re.search("[一-鿿]", zh) or key == "language", key


@pytest.mark.parametrize("text, message", [("(A1) x\nonly two lines\n", "wanted three lines, got 2"),
                                           ("(A1) x\na\nb\n\n(A1) x\na\nb\n", "stands there twice")])
def test_a_broken_file_is_refused(tmp_path, monkeypatch, text, message):
    (tmp_path / "broken.txt").write_text(text)
    monkeypatch.setattr(texts, "files", lambda package: tmp_path)
    with pytest.raises(ValueError, match=message):
        texts.entries("broken.txt")
