"""minis2s bench: every side computes what it says, and the table and the JSON come out of it."""
import argparse
import json
import subprocess
import sys

import numpy as np
import pytest

from minis2s import bench
from minis2s.commands import bench as command
from minis2s.kernels import jit


def run(*words):
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    return command.run(parser.parse_args(words))


def test_a_worker_answers_each_line_by_seconds():
    case = json.dumps({"case": "layer", "cell": "gru", "T": 2, "N": 2, "D": 3, "H": 4})
    done = subprocess.run([sys.executable, "-m", "minis2s.bench", "numpy", case], input="0\n0\n", text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) == 2 and all(0 < float(t) < 60 for t in done.stdout.split())


@pytest.mark.skipif(not jit.JIT, reason="speed without compilation says nothing")
def test_measure_and_the_rows_made_of_it(capsys, monkeypatch):
    row = bench.measure({"case": "layer", "cell": "rnn", "T": 2, "N": 2, "D": 3, "H": 4}, rounds=2, seconds=0,
                        who=["numpy", "numba"])
    assert row["sides"]["numba"]["ratio"] == [1, 1, 1] and row["sides"]["numpy"]["seconds"] > 0
    monkeypatch.setattr(bench, "measure", lambda case, *args: {**case, "threads": 1, "sides": {
        "numpy": {"seconds": 3e-3, "ratio": [1.0, 1.5, 2.0]}, "numba": {"seconds": 2e-3,
                                                                        "ratio": [1.0, 1.0, 1.0]}}})
    assert run("layer", "--first", "1", "--json") == 0
    (line,) = capsys.readouterr().out.splitlines()
    told = json.loads(line)
    work = 12 * 10 * 1 * (32 * 32 + 32 * 32)
    assert 0 < told["share_of_peak"] < 1 and np.isclose(told["share_of_peak"] * bench.peak(), work / 2e-3,
                                                        rtol=0.5)
    run("layer", "step", "--first", "1")
    out = capsys.readouterr().out
    assert "numpy 3.000 ms (1.50 [1.00, 2.00])  numba 2.000 ms" in out and "peak of one core" in out


def test_bad_arguments():
    with pytest.raises(ValueError, match="speed: choose of layer, step, decode"):
        run("speed")
    with pytest.raises(ValueError, match="--rounds=0: wanted 1 or more"):
        run("--rounds", "0")


def test_the_cases():
    assert bench.cases(["layer"], "gru", 1) == [{"case": "layer", "cell": "gru", "T": 10, "N": 1, "D": 32,
                                                 "H": 32}]
    assert [c["case"] for c in bench.cases(["step", "decode"])] == ["step"] * 4 + ["decode"] * 3
