"""Pairs that stay in their file: the same split, digest, vocabularies and bits as of pairs in memory; clear errors."""
import gzip
import os

import numpy as np
import pytest

from minis2s import Seq2Seq
from minis2s.api.texts import fingerprint, hold_out, text_pairs
from minis2s.cli.main import main
from minis2s.data import corpus, stream
from minis2s.data.batches import lengths_of
from minis2s.data.pairs import read_pairs, split_by_source

WORDS = ["ab", "b a", "abc", "cab", "a b", "a  b", "é", "e\u0301", "bb", "cc", "ca", "ac", "acb", "bca", "b", "c"]
LINES = [f"{x}\t{y[::-1]}" for x in WORDS for y in (x, x + "d")] + ["aaaaaaaaa\tb", "bab\tccccccccc", " \tblank", "",
                                                                    "third\tcolumn\tignored "]


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_bytes(b"\xef\xbb\xbf" + "\r\n".join(LINES).encode() + b"\n")
    return path


def test_pairs_and_their_split_are_those_in_memory(file):
    lazy, listed = stream.open_pairs(file), text_pairs("pairs", read_pairs(file))
    assert list(lazy) == listed and lazy.skipped == 1 and lazy[3] == listed[3]
    assert list(lazy.subset(np.array([4, 2]))) == [listed[4], listed[2]]
    for seed in range(5):
        train, held = hold_out(lazy, seed)
        assert [list(train), held] == hold_out(listed, seed)
        assert fingerprint(train, held) == fingerprint(*hold_out(listed, seed))
    assert text_pairs("pairs", lazy) is lazy


def test_a_source_is_digested_once_and_one_source_is_not_enough(file, tmp_path, monkeypatch):
    """It takes some seconds for millions."""
    pairs, found, real = stream.open_pairs(file), [], stream.digest
    monkeypatch.setattr(stream, "digest", lambda *a: found.append(a) or real(*a))
    hold_out(pairs, 0)
    assert len(found) == len(pairs)
    one = tmp_path / "one.tsv"
    one.write_text("a\tb\n a\tc\n")
    with pytest.raises(ValueError, match="pairs: one source only, so none can be held out; give valid"):
        hold_out(stream.open_pairs(one), 0)


@pytest.mark.parametrize("units", ["char", "word"])
def test_the_corpus_is_the_one_in_memory(file, units):
    def built(pairs):
        return corpus.build(*hold_out(pairs, 0), units, "char", min_count=2, max_length=6)
    lazy, listed = built(stream.open_pairs(file)), built(text_pairs("pairs", read_pairs(file)))
    assert len(lazy.train) == len(listed.train) and [lazy.train[i] for i in range(len(lazy.train))] == listed.train
    assert lazy.valid == listed.valid
    assert lazy.source.vocab == listed.source.vocab and lazy.target.vocab == listed.target.vocab
    np.testing.assert_array_equal(lengths_of(lazy.train), lengths_of(listed.train))
    assert corpus.summary(lazy) == corpus.summary(listed) and corpus.lengths(lazy) == corpus.lengths(listed)
    assert lazy.too_long == listed.too_long and lazy.seen == listed.seen
    assert units == "word" or lazy.too_long[0] == 2                 # one by its source, one by its target


def test_a_streamed_run_has_the_bits_of_one_in_memory_and_is_resumed(file, tmp_path):
    options = ["--pairs", str(file), "--backend", "numpy", "--hidden", "6", "--batch", "4", "--max-length", "8"]
    for name, more in (("memory", []), ("stream", ["--stream"])):
        assert main(["train", *options, *more, "--epochs", "2", "--out", str(tmp_path / name)]) == 0
        assert main(["train", "--resume", "--epochs", "4", "--out", str(tmp_path / name)]) == 0
    memory, streamed = ((tmp_path / name / "weights.safetensors").read_bytes() for name in ("memory", "stream"))
    assert memory == streamed
    assert Seq2Seq.load(tmp_path / "stream").origin["stream"] is True
    file.write_bytes(file.read_bytes() + b"more\tpairs\n")
    assert main(["train", "--resume", "--epochs", "5", "--out", str(tmp_path / "stream")]) == 2


def test_what_cannot_be_streamed_is_refused(file, tmp_path, capsys, monkeypatch):
    def refused(data, *more):
        path = tmp_path / "bad.tsv"
        path.write_bytes(data)
        assert main(["train", "--stream", "--pairs", str(path), "--out", str(tmp_path / "x"), *more]) == 2
        error, = capsys.readouterr().err.splitlines()
        assert not (tmp_path / "x").exists()
        return error
    good = b"a\tb\nb\tc\n"
    assert "line 3: one column only, 'alone'" in refused(good + b"alone\n")
    for head in (stream.HEAD, 1):                               # by the lines that show the form, and after them
        monkeypatch.setattr(stream, "HEAD", head)
        assert "line 3: byte 1 of the line is not UTF-8" in refused(good + b"\xff\tb\n")
        assert "line 3: character 2 is U+0007" in refused(good + b"a\x07\tb\n")
    monkeypatch.undo()
    assert "no pairs" in refused(b"\n\n") and "no pairs" in refused(b"")
    assert "compressed with gzip" in refused(gzip.compress(good))
    assert "looks like a header" in refused(b"source\ttarget\n" + good)
    assert "for texts of --pairs" in refused(good, "--source-units", "wav")
    assert main(["train", "dates", "--stream"]) == 2 and "for texts of --pairs" in capsys.readouterr().err
    assert main(["train", "--stream", "--pairs", str(tmp_path / "none.tsv")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_the_file_may_be_removed_from_its_folder_while_it_is_open(file):
    pairs = stream.open_pairs(file)
    first = pairs[0]
    os.unlink(file)
    assert pairs[0] == first and len(list(pairs)) == len(pairs)


def test_letters_of_both_cases_are_one_source_where_lowercase_is_asked_for(tmp_path):
    path = tmp_path / "p.tsv"
    path.write_text("".join(f"{w}\t{i}\n{w.upper()}\t{i}\n" for i, w in enumerate(("ab", "cd", "ef", "gh"))))
    pairs = stream.open_pairs(path)
    counts = []

    def half(sources):
        counts.append(sources)
        return 0.5
    stream.split_by_source(pairs, half, 0)
    train, held = stream.split_by_source(pairs, half, 0, lowercase=True)
    assert counts == [8, 4]
    assert held and not {x.lower() for x, _ in train} & {x.lower() for x, _ in held}
    assert [sorted(map(tuple, part)) for part in (train, held)] == [
        sorted(zip(*part)) for part in split_by_source(*zip(*pairs), 0.5, 0, lowercase=True)]
