"""Pairs files: everything a person may hand over is read right or refused with file and line."""
import gzip
import os
from pathlib import Path

import pytest

from minis2s.data.pairs import overlap, read_pairs, split_by_source


def write(folder, data, name="p.tsv"):
    path = folder / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode("utf-8"))
    return path


def test_plain(tmp_path):
    p = read_pairs(write(tmp_path, "a b\tx\nHi.\t你好。\n"))
    assert p.sources == ["a b", "Hi."] and p.targets == ["x", "你好。"]
    assert p.skipped == (0, None)


def test_path_as_string_and_no_last_newline(tmp_path):
    assert read_pairs(str(write(tmp_path, "a\tx"))).targets == ["x"]


def test_further_columns_are_ignored(tmp_path):
    p = read_pairs(write(tmp_path, "a\tx\tCC-BY 2.0 #1\t\tmore\nb\ty\n"))
    assert p[:2] == (["a", "b"], ["x", "y"])


@pytest.mark.parametrize("encode", [lambda b: b, gzip.compress])
def test_bom_crlf_blank_lines_outer_space(tmp_path, encode):
    data = "\ufeffa\tx\r\n\r\n  \n\u3000\n\u200b\n b \t y \r\n".encode()
    p = read_pairs(write(tmp_path, encode(data), "p.tsv.gz" if encode is gzip.compress else "p.tsv"))
    assert p == (["a", "b"], ["x", "y"], (0, None), ())


def test_nfc(tmp_path):
    assert read_pairs(write(tmp_path, "cafe\u0301\te\u0301\n"))[:2] == (["café"], ["é"])


def test_characters_that_only_look_alike_stay_what_they_are(tmp_path):
    """NFC composes accents; it does not write ligatures, full-width letters, or raised and circled digits anew."""
    assert read_pairs(write(tmp_path, "ﬁ Ａ\t① x²\n"))[:2] == (["ﬁ Ａ"], ["① x²"])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path, end):
    p = read_pairs(write(tmp_path, end.join(["a\tx", "", "b\ty", "\tz", ""])))
    assert p == (["a", "b"], ["x", "y"], (1, 4), ())


def test_other_separators_of_lines_stand_inside_a_text(tmp_path):
    assert read_pairs(write(tmp_path, "a\u2028b\tc\u2029d\n"))[:2] == (["a\u2028b"], ["c\u2029d"])


def test_pairs_with_an_empty_side_are_counted(tmp_path):
    p = read_pairs(write(tmp_path, "a\tx\n\ty\nb\t \tattribution\nc\tz\n\t\nd\t\u200b\u00a0\n\u2060\te\n"))
    assert p == (["a", "c"], ["x", "z"], (5, 2), ())
    assert p.skipped.count == 5 and p.skipped.first_line == 2


@pytest.mark.parametrize("data, line, reason", [
    ("a\tx\nonly one column\n", 2, "one column only, 'only one column'"),
    ("a\tx\n\nb c d\n", 3, "one column only"),
    (b"a\tx\nb\t\x00y\n", 2, "NUL byte"),
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 1, "not UTF-8"),
    ("a\tx\n".encode() + "b\té\n".encode("latin-1"), 2, "byte 3 of the line is not UTF-8"),
    ("a\tx\n".encode("utf-16"), 1, "NUL byte"),
    ("a\tx\n".encode() + b"\xe4\xbd", 2, "not UTF-8"),
    ("a\tx\n".encode("utf-16-le"), 1, "NUL byte"),
    ("a\tx\nb\x0b\ty\n", 2, "character 2 is U+000B, a control character"),
    ("a\tx\nb\ty\x85z\n", 2, "character 4 is U+0085, a control character"),
    ("a\tx\x7f\n", 1, "U+007F"), ("\x1b[1ma\tx\n", 1, "character 1 is U+001B"), ("a\tx\n\x0c\n", 2, "U+000C"),
    ("\ufeffa\tx\n\ufeffb\ty\n", 2, "character 1 is U+FEFF, a byte order mark inside the text"),
    ("a\tx\nb\ty\ufeff\n", 2, "U+FEFF"), ("\ufeff\ufeffa\tx\n", 1, "U+FEFF"),
])
def test_bad_lines_name_file_and_line(tmp_path, data, line, reason):
    path = write(tmp_path, data)
    with pytest.raises(ValueError) as e:
        read_pairs(path)
    assert f"{path}, line {line}: " in str(e.value) and reason in str(e.value)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("data, reason", [
    ("", "no pairs"),
    ("\n\r\n", "no pairs"),
    ("\ufeff", "no pairs"),
    ("a\t\n\tx\n", "a side is blank in all 2, the first at line 1"),
])
def test_files_without_pairs(tmp_path, data, reason):
    path = write(tmp_path, data)
    with pytest.raises(ValueError) as e:
        read_pairs(path)
    assert str(path) in str(e.value) and reason in str(e.value)


good = gzip.compress("".join(f"a{i}\tx{i * i}\n" for i in range(500)).encode())


@pytest.mark.parametrize("name", ["p.tsv.gz", "P.TSV.GZ", "p.gz"])
def test_gzip_by_name(tmp_path, name):
    assert len(read_pairs(write(tmp_path, good, name)).sources) == 500


@pytest.mark.parametrize("data", [
    good[:-30], good[:5], b"a\tx\n", good[:-6] + b"\0\0" + good[-4:], good[:10] + b"\xff" * 200 + good[210:],
], ids=["truncated", "header only", "not gzip", "wrong checksum", "damaged"])
def test_broken_gzip(tmp_path, data):
    path = write(tmp_path, data, "p.tsv.gz")
    with pytest.raises(ValueError) as e:
        read_pairs(path)
    assert f"{path}: no whole gzip file" in str(e.value)


def test_missing_and_directory(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere.tsv: no such file"):
        read_pairs(tmp_path / "nowhere.tsv")
    with pytest.raises(ValueError, match="a directory"):
        read_pairs(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = write(tmp_path, "a\tx\n")
    path.chmod(0)
    with pytest.raises(OSError, match="p.tsv: cannot be read .Permission denied"):
        read_pairs(path)


def test_what_the_system_refuses_is_not_a_missing_file(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))
    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(OSError, match="p.tsv: cannot be read .Permission denied") as e:
        read_pairs(write(tmp_path, "a\tx\n"))
    assert not isinstance(e.value, FileNotFoundError)


sources = [f"s{i % 60}" for i in range(200)]
targets = [f"t{i}" for i in range(200)]


def test_no_source_stands_in_both_parts_and_nothing_is_lost():
    train, valid = split_by_source(sources, targets, 0.2, seed=0)
    assert not set(train[0]) & set(valid[0])
    assert len(set(valid[0])) == 12
    assert sorted(zip(train[0] + valid[0], train[1] + valid[1])) == sorted(zip(sources, targets))


def test_sources_that_look_the_same_go_to_the_same_part():
    """A no-break space, two spaces, a composed accent: for people, and for most units, they are one source."""
    same = ["caf\u00e9 a", "cafe\u0301 a", "caf\u00e9\u00a0a", "caf\u00e9  a", " caf\u00e9 a\u3000"]
    for seed in range(6):
        train, valid = split_by_source(same + ["b", "c", "d"], list("12345678"), 0.5, seed)
        assert set(same) <= set(train[0]) or set(same) <= set(valid[0])


def test_overlap_counts_pairs_whose_source_is_known():
    known = [("caf\u00e9  a", "x"), ("b", "x")]
    assert overlap(known, [("cafe\u0301\u00a0a", "y"), ("b", "x"), ("b", "z"), ("B", "x")]) == 3
    assert overlap([], known) == overlap(known, []) == 0
    assert overlap([("ÉTÉ", "x")], [("e\u0301te\u0301", "y"), ("ete", "z")], True) == 1, "a model that reads lower case"


def test_sources_of_one_lower_case_go_to_one_part():
    sources = [f"{word} {k}" for k in range(20) for word in ("The", "the", "THE")]
    for lowercase, both in ((True, 0), (False, 20)):
        parts = split_by_source(sources, sources, 0.5, 3, lowercase)
        train, valid = ({x.lower() for x in part[0]} for part in parts)
        assert (len(train & valid) > 0) == (both > 0) and len(train | valid) == 20


def test_the_same_sources_are_held_out_as_ever():
    """Runs find their held-out pairs again by seed and order of appearance."""
    assert split_by_source(list("zabyc"), list("12345"), 0.4, 0)[1][0] == ["b", "c"]
    assert split_by_source(list("abcyz"), list("12345"), 0.4, 0)[1][0] != ["b", "c"]


def test_the_seed_decides():
    assert split_by_source(sources, targets, 0.2, 0) == split_by_source(sources, targets, 0.2, 0)
    assert split_by_source(sources, targets, 0.2, 0) != split_by_source(sources, targets, 0.2, 1)


@pytest.mark.parametrize("arguments, message", [
    ((["a", "a"], ["x", "y"], 0.5, 0), "of 1 different sources"),
    ((["a", "b"], ["x", "y"], 0.1, 0), "one part would be empty"),
    ((["a", "b"], ["x", "y"], 0.9, 0), "one part would be empty"),
    (([], [], 0.5, 0), "of 0 different sources"),
    ((["a", "b"], ["x", "y"], 1.0, 0), "fraction: 1.0"),
    ((["a", "b"], ["x", "y"], 0, 0), "fraction: 0"),
    ((["a", "b"], ["x"], 0.5, 0), "targets: 1 for 2 sources"),
])
def test_split_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        split_by_source(*arguments)
