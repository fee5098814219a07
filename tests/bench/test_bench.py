"""minis2s bench: every side computes what it says, and the tables, the lines and the JSON come out of it."""
import argparse
import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest

from minis2s import bench
from minis2s.api.backends import ANSWERING, choose
from minis2s.bench import __main__ as worker, cases, growth, limits, load, memory, ours, profiling, rounds, table
from minis2s.cli import bench as command, main as cli
from minis2s.core import tree
from minis2s.kernels.runtime import jit
from minis2s.kernels.runtime.processor import cache_size
from minis2s.model import seq2seq, transformer

TINY = {"case": "layer", "cell": "rnn", "T": 2, "N": 2, "D": 3, "H": 4}
COMPILED = pytest.mark.skipif(not jit.JIT, reason="speed without compilation says nothing")


def run(*words):
    parser = argparse.ArgumentParser()
    command.arguments(parser)
    return command.run(parser.parse_args(words))


def given(case, threads=1, *_):
    """In the place of measure: three sides, and 4 ms, 2 ms, 3 ms."""
    def side(seconds):
        return {"seconds": seconds, "ratio": [seconds / 2e-3 - 0.1, seconds / 2e-3, seconds / 2e-3 + 0.2],
                **({"share_of_peak": 1e-3 / seconds} if case["case"] == "layer" else {})}
    return {**case, "threads": threads, "sides": {"numpy": side(4e-3), "numba": side(2e-3), "torch": side(3e-3)}}


@pytest.fixture
def measured(monkeypatch):
    """bench.run returns given times at once."""
    monkeypatch.setattr(bench, "measure", given)
    monkeypatch.setattr(growth, "measure", given)


# What is measured -----------------------------------------------------------------------------------------

def test_the_cases():
    assert bench.chosen(["layer"], "gru", 1) == [{"case": "layer", "cell": "gru", "T": 10, "N": 1, "D": 32, "H": 32}]
    made = bench.chosen(bench.NAMES)
    assert [sum(c["case"] == name for c in made) for name in bench.NAMES] == [6, 1, 4, 2, 6, 6, 2, 4, 3]
    assert made[5] == {"case": "layer", "cell": "lstm", "T": 50, "N": 128, "D": 512, "H": 1024}
    assert {"case": "ragged", "cell": "lstm", "T": 17, "N": 30, "D": 50, "H": 100} in made
    assert {"case": "step", "V": 8000, "N": 64, "T": 25, "H": 256} in made
    assert {"case": "decode", "V": 500, "N": 32, "T": 20, "H": 128} in made
    assert {"case": "beam", "width": 5, "V": 8000, "N": 1, "T": 20, "H": 256} in made
    assert len(bench.chosen(bench.NAMES, first=1)) == len(bench.NAMES)


def test_lengths_of_ragged_sequences():
    real = cases.lengths(17, 30)
    assert real.max() == 17 and real.min() == 7 and abs(real.mean() - 0.7 * 17) < 0.2
    assert (np.diff(real) > 0).any() and (np.diff(real) < 0).any()                 # in no order


def test_growth_doubles_one_size():
    for letter, key in dict(T="T", B="N", H="H", V="V").items():
        points = cases.points({"case": "growth", "cell": "gru", "of": letter})
        sizes = [size for size, _ in points]
        assert [case[key] for _, case in points] == sizes
        assert all(b == 2 * a for a, b in zip(sizes[-5:], sizes[-4:])) and len(sizes) >= 5     # 4 doublings
        others = [{k: v for k, v in case.items() if k != key and (letter, k) != ("H", "D")} for _, case in points]
        assert all(other == others[0] for other in others)
        assert all(case["D"] == case["H"] for _, case in points if letter == "H")
        assert others[0].get("cell") == ("gru" if letter != "V" else None)


def test_multiply_adds():
    sizes = {"T": 2, "N": 3, "D": 5, "H": 7}
    for cell, gates in dict(rnn=1, lstm=4, gru=3).items():
        assert cases.multiply_adds({"case": "layer", "cell": cell, **sizes}) == 3 * gates * 6 * (5 + 7) * 7
    assert cases.multiply_adds({"case": "ragged", "cell": "rnn", **sizes}) is None


@pytest.mark.parametrize("ragged", [False, True])
def test_both_sides_of_a_layer_compute_the_same(ragged):
    one, two = (ours.layer(side, "gru", 5, 4, 3, 6, ragged) for side in ANSWERING)
    (hs, (dxs, _, grads)), (hs2, (dxs2, _, grads2)) = one(), two()
    assert np.allclose(hs, hs2, atol=1e-6) and np.allclose(dxs, dxs2, atol=1e-5) and hs.dtype == np.float32
    for (name, a), (_, b) in zip(tree.named(grads), tree.named(grads2)):
        assert np.allclose(a, b, atol=1e-5), name
    padding = np.arange(5)[:, None] >= cases.lengths(5, 4)
    given = dict(zip(one.__code__.co_freevars, (cell.cell_contents for cell in one.__closure__)))
    for a in (dxs, given["dhs"]):                              # nothing arrives at padding, nothing leaves it
        assert np.array_equal((a == 0).all(axis=2), padding if ragged else 0 * padding)


@pytest.mark.parametrize("side, case", [*((side, "step") for side in ANSWERING), ("numpy", "transformer")])
def test_a_step_trains_and_searches_answer_at_full_length(side, case):
    one = ours.make(side, 1, case, V=9, N=2, T=3, H=4)
    one()
    before = one.__closure__
    one()
    progress = next(c.cell_contents for c in before if isinstance(c.cell_contents, list))[0]
    assert progress.step == 2
    for answers in (ours.make(side, 1, "decode", V=9, N=2, T=3, H=4)(),
                    ours.make(side, 1, "beam", V=9, N=2, T=3, H=4, width=3)()):
        assert len(answers) == 2 and all(len(best.ids) == 3 for best, in answers)


def test_pytorch_computes_the_same_model():
    torch = pytest.importorskip("torch")
    from minis2s.bench import pytorch
    p = seq2seq.init(ours.config(9, 4))
    weights = sum(a.numel() for a in pytorch.Model(9, 4).parameters())
    biases = 2 * 4 * 4                                                     # of torch.nn: two for each LSTM
    bridge = sum(a.size for _, a in tree.named(p.bridge))
    assert weights - biases == sum(a.size for _, a in tree.named(p)) - bridge
    p = transformer.init(ours.transformer_config(9, 4))
    model = pytorch.Transformer(9, 4, 3)
    # change nothing
    keys = sum(a.numel() // 3 for name, a in model.named_parameters() if name.endswith("in_proj_bias"))
    assert sum(a.numel() for a in model.parameters()) - keys == sum(a.size for _, a in tree.named(p))
    for case in bench.chosen(["ragged", "step", "transformer", "decode", "beam", "int8"], first=1):
        small = {**case, **{k: min(case[k], 8) for k in "VTNDH" if k in case}}      # four heads divide 8
        said = pytorch.make(torch.get_num_threads(), **small)()
        assert said is None or said.shape == (small["T"], small["N"])


def test_beam_search_of_pytorch_keeps_the_best():
    torch = pytest.importorskip("torch")
    from minis2s.bench import pytorch
    torch.manual_seed(0)
    wide, V, T = 400, 7, 3                                                  # wide enough for all 7^3 outputs
    said = pytorch.beam(V, 1, T, 4, V * V)()
    torch.manual_seed(0)
    model, source = pytorch.Model(V, 4).eval(), torch.randint(4, V, (T, 1))
    rows = torch.cartesian_prod(*[torch.arange(V)] * T).T                   # (T, 343)
    with torch.inference_mode():
        first = torch.ones(1, rows.shape[1], dtype=torch.long)
        logits = model(source.repeat(1, rows.shape[1]), torch.cat([first, rows[:-1]]))
        log_p = torch.log_softmax(logits, 2).gather(2, rows[:, :, None]).sum((0, 2))
    assert wide > V * V and said[:, 0].tolist() == rows[:, log_p.argmax()].tolist()


# Measuring ------------------------------------------------------------------------------------------------

def test_a_worker_answers_each_line_by_seconds():
    done = subprocess.run([sys.executable, "-m", "minis2s.bench", "numpy", "1", json.dumps(TINY)], input="0\n0\n",
                          text=True, capture_output=True)
    assert done.returncode == 0 and not done.stderr, done.stderr
    answers = [[float(word) for word in line.split()] for line in done.stdout.splitlines()]
    assert len(answers) == 2 and all(0 < middle < spent < 60 for middle, spent in answers)


def clock(monkeypatch, durations):
    """perf_counter stands still, but for calls of the returned function."""
    now, left = [100.0], list(durations)
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def call():
        now[0] += left.pop(0)
    return call, left


def test_a_block_is_the_median_without_the_first_call(monkeypatch):
    call, left = clock(monkeypatch, [0.9, 0.2, 0.4, 0.3, 5.0])
    assert worker.block(call, 0) == pytest.approx(0.3) and left == [5.0]
    call, left = clock(monkeypatch, [0.9, 0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 5.0])
    assert worker.block(call, 0.85) == pytest.approx(0.15) and left == [5.0]
    call, left = clock(monkeypatch, [2.0, 5.0])
    assert worker.block(call, 0) == 2.0 and left == [5.0]


class Given:
    """In the place of a Worker: its blocks take given times."""
    asked = []

    def __init__(self, side, times):
        self.side, self.times = side, list(times)

    def block(self, seconds):
        self.asked.append(self.side)
        return self.times.pop(0), 0.0

    def end(self):
        self.asked.append("end")


def test_sides_take_turns_and_who_begins_changes(monkeypatch):
    monkeypatch.setattr(rounds, "PAUSE", 0)
    monkeypatch.setattr(Given, "asked", [])
    workers = {"numba": Given("numba", [2, 3]), "torch": Given("torch", [8, 7])}
    assert rounds.take_turns(workers, 2, 0.1)[0] == {"numba": [2, 3], "torch": [8, 7]}
    assert Given.asked == ["numba", "torch", "torch", "numba"]


def test_ratios_are_of_the_same_round(monkeypatch):
    class Fake(Given):
        def __init__(self, side, case, threads):
            made.append((side, case))
            limit = limits.multiply_adds_of_peak(threads, case.get("seconds", 0))       # 1 s: so many a second
            super().__init__(side, {"numpy": [rounds.LONGEST + 1], "numba": [1, 1, 2, 4], "torch": [1, 4, 3, 4],
                                    "peak": [limit, limit, 2 * limit, 2 * limit]}[side])
    made = []
    monkeypatch.setattr(Given, "asked", [])
    monkeypatch.setattr(rounds, "Worker", Fake)
    monkeypatch.setattr(rounds, "PAUSE", 0)
    monkeypatch.setattr(load, "busy_seconds", lambda: None)     # whatever else this machine is doing
    row = rounds.measure(TINY, 2, 3, 0.1, ["numpy", "numba", "torch"])
    assert Given.asked.count("numpy") == 1 and "numpy" not in row["sides"]              # it takes too long
    assert made[-1] == ("peak", {"case": "peak", "seconds": 1})                         # as long as Numba's call
    assert Given.asked[-3:] == ["end"] * 3 and row["threads"] == 2 and row["peak"] == pytest.approx(0.5)
    assert row["sides"]["torch"]["ratio"] == [1.25, 1.5, 2.75] and row["sides"]["numba"]["ratio"] == [1, 1, 1]
    work = 3 * 4 * (12 + 16)
    assert row["sides"]["torch"]["share_of_peak"] == pytest.approx(work / 4 / 0.5) and set(row) == {
        *TINY, "threads", "peak", "sides", "others", "doubtful"}
    assert "differ by 100%" in row["doubtful"]                                          # (2.75 - 1.25) / 1.5
    assert "peak" not in rounds.measure({**TINY, "case": "ragged"}, 1, 3, 0.1, ["numba", "torch"])


def test_work_of_others_is_noticed(monkeypatch):
    """0.5 s of measuring, in which all processors worked for 0.8 s, of them 0.45 s for us: 0.7 cores for others."""
    now, busy = [0.0], [10.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(load, "busy_seconds", lambda: busy[0])
    measured = load.Load()
    assert measured.others() is None
    with measured:
        now[0], busy[0] = 0.5, 10.8
        measured.own += 0.45
    busy[0] = 99.0                                             # outside of a block: none of our business
    assert measured.others() == pytest.approx(0.7)
    quiet = {"torch": {"ratio": [0.95, 1.0, 1.05]}, "numba": {"ratio": [1.0, 1.0, 1.0]}}
    assert "0.7 cores" in rounds.doubt(quiet, measured.others())
    assert rounds.doubt(quiet, 0.1) == rounds.doubt(quiet, None) == ""
    assert "differ by 40%" in rounds.doubt({"torch": {"ratio": [0.8, 1.0, 1.2]}}, None)
    monkeypatch.setattr(load, "busy_seconds", lambda: None)    # a system that does not tell
    with load.Load() as silent:
        pass
    assert silent.others() is None


@pytest.mark.skipif(not load.STAT.exists(), reason="only Linux tells")
def test_the_system_tells_how_much_its_processors_worked():
    before, spent = load.busy_seconds(), time.process_time()
    while time.process_time() < spent + 0.3:
        sum(range(1000))
    assert load.busy_seconds() - before >= 0.25


def test_a_doubtful_row_has_no_ratio():
    row = {"machine": "M", **given(TINY), "doubtful": "other programs used 1.5 cores meanwhile"}
    told = table.line(row)
    assert "[" not in told and "of peak" not in told and "other programs used 1.5 cores" in told
    assert table.ratio(row, "torch") == "not idle" and "not idle" in table.markdown([row])


def test_a_process_stays_on_its_cores_and_one_thread_is_timed_by_the_processor():
    code = ("import os, sys, time\nfrom minis2s.bench import __main__ as worker\n"
            "worker.pin(1)\nprint(len(os.sched_getaffinity(0)))\n"
            "print(worker.block(lambda: time.sleep(0.02), 0, time.process_time) < 0.01, "
            "worker.block(lambda: time.sleep(0.02), 0) > 0.015)")
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("a system that does not pin")
    done = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True)
    assert done.stdout.split() == ["1", "True", "True"]


def test_cache_sizes_as_linux_tells_them(tmp_path):
    for index, (level, kind, size) in enumerate([("1", "Data", "48K"), ("1", "Instruction", "32K"),
                                                 ("2", "Unified", "2M")]):
        folder = tmp_path / f"index{index}"
        folder.mkdir()
        for name, text in (("level", level), ("type", kind), ("size", size)):
            (folder / name).write_text(text + "\n")
    assert cache_size(2, tmp_path) == 2 << 20 and cache_size(1, tmp_path) == 48 << 10
    assert cache_size(3, tmp_path) is None and cache_size(2, tmp_path / "none") is None


def test_all_sides_get_the_same_threads_and_none_the_other_ones_backend(monkeypatch):
    monkeypatch.setenv("MINIS2S_BACKEND", "numba")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    env = rounds.environment(2)
    assert "MINIS2S_BACKEND" not in env
    assert [env[k] for k in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")] == ["2"] * 3


@COMPILED
def test_measure_with_real_processes():
    row = bench.measure(TINY, rounds=1, seconds=0, who=["numpy", "numba"])
    assert row["sides"]["numba"]["ratio"] == [1, 1, 1] and row["sides"]["numpy"]["seconds"] > 0
    assert 0 < row["sides"]["numba"]["share_of_peak"] < 1


def test_a_side_that_dies_is_named(capfd):
    with pytest.raises(OSError, match="the process of numpy ended early"):
        bench.measure({**TINY, "case": "ragged", "cell": "no"}, rounds=1, who=["numpy"])
    assert "KeyError" in capfd.readouterr().err


@COMPILED
def test_the_peak_of_two_threads_is_two_calls_at_once():
    assert limits.make(2)() == [None, None] and bench.peak(0.01) > 1e8
    assert limits.multiply_adds_of_peak(2) == 2 * 12 * 16 * limits.TIMES
    long = limits.multiply_adds_of_peak(1, 0.5)
    assert long == pytest.approx(0.5 * 64e9, rel=0.01)         # about half a second of a fast core's work


# Growth ---------------------------------------------------------------------------------------------------

def test_a_straight_line():
    fixed, each, worst = growth.straight_line([1, 2, 4, 8], [5.0, 7.0, 11.0, 19.0])
    assert (fixed, each) == (pytest.approx(3), pytest.approx(2)) and worst < 1e-12
    sizes, times = np.array([1, 2, 4, 8, 16.0]), np.array([5, 7.5, 10, 20, 33.0])
    fixed, each, worst = growth.straight_line(sizes, times)
    assert worst == pytest.approx(abs((fixed + each * sizes) / times - 1).max()) and 0.04 < worst < 0.12

    def loss(a, b):
        return (((a + b * sizes - times) / times)**2).sum()
    assert all(loss(fixed, each) <= loss(fixed + i, each + j) for i in (-.1, 0, .1) for j in (-.1, 0, .1))


def test_a_bent_curve_does_not_pass_for_a_line():
    sizes = np.array([1, 2, 4, 8, 16.0])
    fixed, each, worst = growth.straight_line(sizes, sizes**1.5)
    assert fixed == 0 and worst > 0.4


def test_growth_fits_four_doublings(monkeypatch):
    def bent(case, threads, *_):
        seconds = 1e-3 * (case["N"] if case["N"] >= 16 else 40)                      # a floor, then a line
        return {**case, "threads": threads, "sides": {"numba": {"seconds": seconds, "ratio": [1, 1, 1]}}}
    monkeypatch.setattr(growth, "measure", bent)
    row = growth.grow({"case": "growth", "cell": "lstm", "of": "B"}, 2)
    assert row["sizes"] == [1, 4, 16, 32, 64, 128, 256] and [p["N"] for p in row["points"]] == row["sizes"]
    fixed, each, worst = row["lines"]["numba"]
    assert each == pytest.approx(1e-3) and fixed == pytest.approx(0, abs=1e-9) and worst < 1e-9
    assert growth.grow({"case": "growth", "cell": "lstm", "of": "H"})["lines"] == {}


# Memory ---------------------------------------------------------------------------------------------------

def test_arrays_of_a_cache_count_once():
    a, b = np.zeros(6), np.zeros(3)
    found = memory.arrays((a[:2], [a.reshape(2, 3), {"b": b}], None, 3, b[1:]))
    assert sorted(x.nbytes for x in found) == [24, 48]


@pytest.mark.parametrize("side", ANSWERING)
def test_tapes_are_what_backward_reads(side):
    config, batch = ours.config(7, 4), ours.batch(7, 2, 3)
    p = seq2seq.init(config)
    found = memory.tapes(p, config, batch, choose(side))
    own = {id(a) for a in memory.arrays([p, tuple(batch)])}
    assert found and not any(id(a) in own for a in found)
    states = 3 * 2 * 4 * 4                                   # bytes of (T, N, H): gates i f g o, c, tanh c, h, twice
    assert 2 * 6 * states < sum(a.nbytes for a in found) < 60 * states
    L, _, k = choose(side).forward(p, config, batch)
    cached = [a for a in memory.arrays(k) if a.nbytes and id(a) not in own]
    assert len(found) < len(cached) or side == "numpy"         # the twin keeps logits, which nobody reads again
    kept = {a.tobytes() for a in found if a.dtype.kind == "f"}
    assert kept <= {a.tobytes() for a in memory.arrays(k)}                                 # put back as they were


PEAK = """
import ctypes
import numpy as np
from minis2s.bench import memory
memory.CLEAR = {status!r}
trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

def run():
    np.ones({size} // 8).sum()
    if trim:                                                  # the system has it back before the call ends
        trim(0)
run()
print(memory.peak_of(run))
"""


@pytest.mark.parametrize("status", [memory.CLEAR, "/nowhere"])
def test_the_peak_is_seen(status):
    """In a process of its own, as it is used: a long-lived one may give memory back in between."""
    size = 20_000_000
    done = subprocess.run([sys.executable, "-c", PEAK.format(status=status, size=size)], text=True,
                          capture_output=True, check=True)
    assert 0.98 * size < int(done.stdout) < 1.1 * size


def test_memory_of_a_step():
    row = bench.run({"case": "memory", "V": 20, "N": 4, "T": 5, "H": 8})
    for side in ANSWERING:
        m = row["sides"][side]
        parameters = sum(a.nbytes for _, a in tree.named(seq2seq.init(ours.config(20, 8))))
        assert m["answer"] == 4 * parameters and m["tapes"] > 0
        assert m["ratio"] == pytest.approx((m["peak"] - m["answer"]) / m["tapes"])
        assert m["ratio_of_all"] == pytest.approx(m["peak"] / m["tapes"])
    assert "tapes" in table.lines(row) and row["machine"] == bench.machine()


# Where the time goes --------------------------------------------------------------------------------------

def test_a_part_ends_where_its_function_ends(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(profiling.time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(profiling, "HOUSE", __file__)
    here = __name__.rpartition(".")[2]
    monkeypatch.setattr(profiling, "PARTS", {(here, "outer"): "out", (here, "inner"): "in"})

    def inner():
        now[0] += 2

    def helper():
        now[0] += 4
        inner()

    def outer():
        now[0] += 1
        helper()
        now[0] += 8
    assert dict(profiling.Clock().watch(outer, 2)) == {profiling.REST: 0, "out": 26, "in": 4}


def test_parts_name_functions_that_exist():
    from ast import FunctionDef, parse, walk
    there = {(path.stem, node.name) for path in profiling.Path(profiling.HOUSE).rglob("*.py")
             for node in walk(parse(path.read_text(encoding="utf-8"))) if isinstance(node, FunctionDef)}
    assert set(profiling.PARTS) <= there


def test_the_profile_of_a_step(capsys, monkeypatch):
    shares = bench.profile({"case": "step", "V": 9, "N": 2, "T": 3, "H": 4}, seconds=0)
    assert sum(share for share, _, _ in shares) == pytest.approx(1)
    told = {part for _, _, part in shares}
    assert {"clipping and Adam", "readout and softmax cross-entropy, both ways", "recurrent layer, forward",
            "keys of attention, backward"} <= told
    if jit.JIT:
        assert "decoder's loop, backward: attention and cell" in told
    monkeypatch.setattr(bench, "profile", lambda case, threads: [(0.5, 2e-3, "Adam"), (0.001, 1e-6, "little")])
    assert run("step", "--profile", "--first", "1") == 0
    assert capsys.readouterr().out == "training step V=50 T=10 B=1 H=64\n   50.0%      2 ms  Adam\n"


# What is told ---------------------------------------------------------------------------------------------

def test_one_line_for_each_case(capsys, measured):
    assert run("layer", "beam", "--first", "1") == 0
    machine, told, layer, beam = capsys.readouterr().out.splitlines()
    assert machine == bench.machine() and told.startswith("processor time of one call, with 1 thread;")
    assert layer.split("  ")[0] == "LSTM layer" and "T=10 B=1 D=32 H=32" in layer
    assert "NumPy 4 ms (2.00 [1.90, 2.20])  Numba 2 ms, 50% of peak  PyTorch 3 ms (1.50 [1.40, 1.70])" in layer
    assert beam.startswith("beam search") and "of peak" not in beam


def test_json_and_the_file_of_rows(capsys, measured, tmp_path):
    assert run("layer", "growth", "--first", "1", "--json") == 0
    out = capsys.readouterr().out
    layer, grown = map(json.loads, out.splitlines())
    assert layer == {"machine": bench.machine(), **given(bench.chosen(["layer"])[0])}
    assert grown["of"] == "T" and len(grown["points"]) == len(grown["sizes"]) == 5 and set(grown["lines"]) == {
        "numpy", "numba", "torch"}
    path = tmp_path / "rows.jsonl"
    path.write_text(out + json.dumps({**layer, "machine": "another"}) + "\n" + json.dumps({**layer, "threads": 2}))
    first, second, third = table.read(path)
    assert first["machine"] == "another" and second == grown and third["threads"] == 2
    path.write_text("{}\n")
    with pytest.raises(ValueError, match="line 1 is not a row"):
        table.read(path)


def test_quick_chooses_by_itself(capsys, measured):
    assert run("--quick") == 0
    out = capsys.readouterr().out.splitlines()[2:]
    assert [line.split("  ")[0] for line in out] == ["LSTM layer"] * 3 + ["training step"] * 2 + ["greedy search"] * 2
    with pytest.raises(ValueError, match="--quick chooses"):
        run("layer", "--quick")


def test_lines_of_growth(capsys, measured):
    run("growth")
    out = capsys.readouterr().out
    assert "LSTM layer against T, B=32 D=128 H=128\n" in out and "LSTM layer against H, T=16 B=32\n" in out
    assert "training step against V, T=10 B=32 H=128\n" in out
    assert out.count("worst deviation") == 9 and "  PyTorch 8: 3 ms  16: 3 ms" in out


def test_markdown():
    layer, beam = bench.chosen(["layer"], first=1) + bench.chosen(["beam"], first=1)
    rows = [{"machine": "M", **given(*each)} for each in ((layer, 1), (layer, 2), (beam, 1))]
    assert table.markdown(rows) == (
        "|  | sizes | NumPy | Numba | PyTorch | PyTorch / Numba, 1 thread | PyTorch / Numba, 2 threads |\n"
        "| --- | --- | --: | --: | --: | --: | --: |\n"
        "| LSTM layer | T=10 B=1 D=32 H=32 | 4 ms | 2 ms | 3 ms | **1.50** [1.40, 1.70] | **1.50** [1.40, 1.70] |\n"
        "| beam search | V=50 T=20 B=1 H=64 | 4 ms | 2 ms | 3 ms | **1.50** [1.40, 1.70] |  |\n")
    for row in rows:
        del row["sides"]["torch"]
    assert "| NumPy / Numba, 1 thread |" in table.markdown(rows) and "PyTorch" not in table.markdown(rows)


def test_markdown_of_the_command(capsys, measured):
    assert run("--first", "1", "--markdown") == 0
    out = capsys.readouterr().out
    assert out.startswith(bench.machine() + "\n\n|  | sizes |") and "growth" not in out
    assert out.count("\n| ") == len(table.WORDS) + 2 == 9


def test_short_times():
    said = [table.short(t) for t in (1234, 2.5, 0.999, 0.0123456, 1.5e-6)]
    assert said == ["1234 s", "2.5 s", "999 ms", "12.3 ms", "1.5 µs"]


@pytest.mark.parametrize("words, message", [
    (["speed"], "speed: choose of layer, ragged, step, transformer, decode, beam, int8, growth, memory"),
    (["--rounds", "0"], "--rounds=0: wanted 1 or more"),
    (["--threads", "-1"], "--threads=-1: wanted 1 or more"),
    (["--first", "0"], "--first=0: wanted 1 or more"),
    (["--seconds", "nan"], "--seconds=nan: wanted a number of seconds, 0 or more"),
    (["--seconds", "-1"], "--seconds=-1.0: wanted"),
    (["memory", "--profile"], "--profile: not for memory, only for layer"),
    (["growth", "--markdown"], "--markdown: not for growth, only for layer")])
def test_bad_arguments(words, message, capsys):
    assert cli.main(["bench", *words]) == 2
    said = capsys.readouterr()
    assert message in said.err and said.err.count("\n") == 1 and not said.out
