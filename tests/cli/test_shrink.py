"""Smaller runs, warm starts, teachers and the list of claims, as the command line gives them."""
import json
import re

import pytest

from commands import PAIRS, SMALL
from minis2s import Seq2Seq
from minis2s.documents import claims

pytestmark = pytest.mark.usefixtures("no_pictures")


def test_a_smaller_run_is_read_like_any_other(call, trained, tmp_path):
    out = tmp_path / "small"
    status, said, _ = call("shrink", trained, "--bits", "8", "--out", out)
    before, after = (int(n.replace(",", "")) for n in re.search(r"([\d,]+) -> ([\d,]+) bytes", said).groups())
    assert status == 0 and after == (out / "weights.safetensors").stat().st_size < before
    assert call("translate", out, "abc")[1] == call("translate", trained, "abc")[1] == "cba\n"
    assert json.loads(call("evaluate", out, "--json")[1])["exact_match"] == 1.0
    assert "wanted" not in call("summary", out)[1]


def test_retraining_finds_the_pairs(call, trained, tmp_path):
    status, said, _ = call("shrink", trained, "--prune", "0.5", "--retrain", "2", "--out", tmp_path / "r")
    assert status == 0 and "50.0% of the matrices' numbers are 0" in said


def test_what_cannot_be_shrunk_is_refused(refused, trained, tmp_path):
    out = tmp_path / "x"
    assert "--bits" in refused("shrink", trained, "--bits", "9", "--out", out)
    assert "nothing would become smaller" in refused("shrink", trained, "--out", out)
    assert "--prune" in refused("shrink", trained, "--prune", "1.5", "--out", out)
    assert "no such run directory" in refused("shrink", tmp_path / "none", "--bits", "8", "--out", out)
    assert "the run itself" in refused("shrink", trained, "--bits", "8", "--out", trained, "--overwrite")
    out.mkdir()
    (out / "mine").write_text("")
    assert "exists already" in refused("shrink", trained, "--bits", "8", "--out", out)


def test_a_start_and_a_teacher(call, refused, trained, data, tmp_path):
    begin = ["train", "--pairs", data, "--valid", data, "--epochs", "1", "--batch", "2"]
    assert call(*begin, "--from", trained, "--lr", "1e-4", "--out", tmp_path / "on")[0] == 0
    assert Seq2Seq.load(tmp_path / "on").translate([x for x, _ in PAIRS]) == [y for _, y in PAIRS]
    assert Seq2Seq.load(tmp_path / "on").config == Seq2Seq.load(trained).config
    said = refused(*begin, "--from", trained, "--hidden", "9", "--out", tmp_path / "no")
    assert "--from: its hidden is 16, this model's 9" in said
    for level in ("word", "sequence"):
        out = tmp_path / level
        assert call(*begin, *SMALL, "--teacher", trained, "--distill", level, "--out", out)[0] == 0
        assert Seq2Seq.load(out).origin["distill"] == level
        assert call("train", "--pairs", data, "--resume", "--epochs", "2", "--out", out)[0] == 0
        assert call("evaluate", out)[0] == 0
    assert "name the teacher" in refused(*begin, "--distill", "word", "--out", tmp_path / "no")
    assert "knows its own" in refused("train", "--pairs", data, "--resume", "--teacher", trained, "--out",
                                      tmp_path / "word")
    assert not (tmp_path / "no").exists()


def test_the_list_of_claims(call, refused, tmp_path):
    status, out, _ = call("claims")
    assert status == 0 and [line.split()[0] for line in out.splitlines()] == list(claims.MODULES)
    result = dict(claim="K3", verdict="holds", full=True, seeds=[0, 1], numbers={}, because=[], panels=[])
    (tmp_path / "K3.json").write_text(json.dumps(result))
    out = call("claims", "--results", tmp_path)[1]
    assert "§9.5): holds (full, 2 seeds)" in out and out.count("not measured") == len(claims.MODULES) - 1
    (tmp_path / "K3.json").write_text("{}")
    assert "no result of `minis2s claim`" in refused("claims", "--results", tmp_path)
    assert "no such folder" in refused("claims", "--results", tmp_path / "none")
