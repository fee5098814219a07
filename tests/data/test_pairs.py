"""Pairs files: everything a person may hand over is read right or refused with file and line."""
import gzip

import pytest

from minis2s.data.pairs import read_pairs, split_by_source


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
    data = "\ufeffa\tx\r\n\r\n  \n\u3000\n\x0c\r\n b \t y \r\n".encode()
    p = read_pairs(write(tmp_path, encode(data), "p.tsv.gz" if encode is gzip.compress else "p.tsv"))
    assert p == (["a", "b"], ["x", "y"], (0, None))


def test_nfc(tmp_path):
    assert read_pairs(write(tmp_path, "cafe\u0301\te\u0301\n"))[:2] == (["café"], ["é"])


def test_only_line_feeds_end_a_line(tmp_path):
    """U+2028, U+0085 and a lone CR stand inside a text; str.splitlines would cut there."""
    assert read_pairs(write(tmp_path, "a\u2028b\rc\td\u0085e\n"))[:2] == (["a\u2028b\rc"], ["d\u0085e"])


def test_pairs_with_an_empty_side_are_counted(tmp_path):
    p = read_pairs(write(tmp_path, "a\tx\n\ty\nb\t \tattribution\nc\tz\n\t\n"))
    assert p == (["a", "c"], ["x", "z"], (3, 2))
    assert p.skipped.count == 3 and p.skipped.first_line == 2


@pytest.mark.parametrize("data, line, reason", [
    ("a\tx\nonly one column\n", 2, "one column only, 'only one column'"),
    ("a\tx\n\nb c d\n", 3, "one column only"),
    (b"a\tx\nb\t\x00y\n", 2, "NUL byte"),
    (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 1, "not UTF-8"),
    ("a\tx\n".encode() + "b\té\n".encode("latin-1"), 2, "byte 3 of the line is not UTF-8"),
    ("a\tx\n".encode("utf-16"), 1, "NUL byte"),
    ("a\tx\n".encode() + b"\xe4\xbd", 2, "not UTF-8"),
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
    ("a\t\n\tx\n", "a side is empty in all 2, the first at line 1"),
])
def test_files_without_pairs(tmp_path, data, reason):
    path = write(tmp_path, data)
    with pytest.raises(ValueError) as e:
        read_pairs(path)
    assert str(path) in str(e.value) and reason in str(e.value)


good = gzip.compress("".join(f"a{i}\tx{i * i}\n" for i in range(500)).encode())


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


sources = [f"s{i % 60}" for i in range(200)]
targets = [f"t{i}" for i in range(200)]


def test_no_source_stands_in_both_parts_and_nothing_is_lost():
    train, valid = split_by_source(sources, targets, 0.2, seed=0)
    assert not set(train[0]) & set(valid[0])
    assert len(set(valid[0])) == 12
    assert sorted(zip(train[0] + valid[0], train[1] + valid[1])) == sorted(zip(sources, targets))


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
