"""Several processes that train one model: their gradient is that of one, and a run outlives one that is killed."""
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from configs import CONFIGS
from draw import batch as draw_batch, like

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from minis2s.api.backends import choose  # noqa: E402
from minis2s.core import tree  # noqa: E402
from minis2s.model import dropout_masks, seq2seq  # noqa: E402
from minis2s.pytorch.backend import arrays  # noqa: E402
from minis2s.training import optimizers  # noqa: E402

TORCH = choose("torch")
HERE = Path(__file__).parent
WORDS = [word + end for word in ("ab", "bca", "cab", "c", "abca", "ba", "bb", "cc") for end in ("", "d")]


def case(name, seed=0):
    """Random parameters, ragged batch, dropout masks and coins of a Config."""
    rng, config = np.random.default_rng(seed), CONFIGS[name]
    p = like(rng, seq2seq.init(config), 0.6)
    batch = draw_batch(rng, config, (5, 2, 4), (1, 3, 2))
    return p, config, batch, rng.random(batch.inputs.shape) < 0.5, dropout_masks.draw(rng, config, 3)


def start(program, *argv, count=2, **env):
    """The processes of a program that train together on this machine, as torchrun would start them.

    They meet in a store of this process, as in torchrun's: a port that is only chosen here might be taken by another
    program before the first of them listens to it.
    """
    store = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    together = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(store.port),
                "TORCHELASTIC_USE_AGENT_STORE": "True", "OMP_NUM_THREADS": "1", "MINIS2S_THREADS": "1",
                "PYTHONPATH": os.pathsep.join(sys.path), **env}
    processes = [subprocess.Popen([sys.executable, *program, *map(str, argv)], text=True, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, env={**os.environ, **together, "RANK": str(rank),
                                                               "LOCAL_RANK": str(rank)}) for rank in range(count)]
    return store, processes


def ends(started):
    """Wait for processes: -> [(status, standard output, standard error)]."""
    _store, processes = started
    outputs = [p.communicate(timeout=1200) for p in processes]
    return [(p.returncode, *said) for p, said in zip(processes, outputs)]


STEP = """
import sys, numpy as np, torch
sys.path.insert(0, sys.argv[2])
from test_processes import TORCH, arrays, case, optimizers
from minis2s.core import tree
p, config, batch, coins, masks = case("everything")
L, p, s, size, finite = TORCH.loss_and_update(p, config, batch, coins, masks, optimizers.start(p), "sgd", 1.0)
np.savez(sys.argv[1] + torch.distributed.get_rank().__str__(), L=L, size=size, **dict(tree.named(arrays(p))))
"""


@pytest.mark.parametrize("count", [2, 5])
def test_the_gradient_of_several_processes_is_that_of_one(tmp_path, count):
    """On a ragged batch of three examples: with five processes, two have none."""
    p, config, batch, coins, masks = case("everything")
    L, q, _, size, _ = TORCH.loss_and_update(p, config, batch, coins, masks, optimizers.start(p), "sgd", 1.0)
    done = ends(start(["-c", STEP], tmp_path / "rank", HERE, count=count))
    assert [status for status, *_ in done] == [0] * count, done
    want = dict(tree.named(arrays(q)))
    for rank in range(count):
        with np.load(tmp_path / f"rank{rank}.npz") as found:
            assert abs(found["L"] - L) < 1e-12 and abs(found["size"] - size) < 1e-12
            for name, a in want.items():
                assert np.abs(found[name] - a).max() < 1e-12, (rank, name)


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(f"{word}\t{word[::-1]}\n" for word in WORDS))
    return path


# the command line, which saves after every step; the second process is killed after step 40
KILLED = """
import os, signal, sys
from minis2s.cli import main as cli
from minis2s.training import loop
run = loop.run
def killed(*a, on_step, **k):
    def step(progress, loss):
        if os.environ["RANK"] == "1" and progress.step == 40:
            os.kill(os.getpid(), signal.SIGKILL)
        on_step(progress, loss)
    return run(*a, on_step=step, save_seconds=0, **k)
loop.run = killed
sys.exit(cli.main())
"""


def test_a_process_that_is_killed_ends_all_and_the_resumed_run_has_the_same_bits(tmp_path, pairs):
    """At ten random moments: kill_and_resume.py, by hand."""
    options = ("--pairs", pairs, "--batch", 3, "--hidden", 6, "--epochs", 12, "--backend", "torch", "--threads", 1)
    train, whole, killed = ["-m", "minis2s", "train"], tmp_path / "whole", tmp_path / "killed"
    done = ends(start(train, *options, "--out", whole))
    assert [status for status, *_ in done] == [0, 0], done
    assert "saved in" in done[0][1] and done[1][1:] == ("", ""), "only the first process speaks"
    done = ends(start(["-c", KILLED], "train", *options, "--out", killed))
    assert [status for status, *_ in done] == [2, -signal.SIGKILL], done
    assert "another process of this training has ended" in done[0][2] and "Traceback" not in done[0][2]
    assert json.loads((killed / "metrics.jsonl").read_text().splitlines()[-1])["step"] < 40
    resumed = ends(start(train, *options[:2], "--resume", "--threads", 1, "--out", killed))
    assert [status for status, *_ in resumed] == [0, 0], resumed
    for name in ("weights.safetensors", "checkpoint.safetensors"):
        assert (whole / name).read_bytes() == (killed / name).read_bytes()


def test_several_processes_want_pytorch(tmp_path, pairs):
    status, _, err = ends(start(["-m", "minis2s", "train"], "--pairs", pairs, "--backend", "numpy", "--out",
                                tmp_path / "x"))[0]
    assert status == 2 and "--backend numpy: wanted torch, as 2 processes were started to train together" in err


def test_a_place_to_meet_that_is_taken_is_said_in_one_line(tmp_path, pairs):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        env = {**os.environ, "WORLD_SIZE": "2", "RANK": "0", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1",
               "MASTER_PORT": str(taken.getsockname()[1]), "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-m", "minis2s", "train", "--pairs", pairs, "--backend", "torch",
                               "--out", tmp_path / "x"], env=env, text=True, capture_output=True)
    said = [line for line in done.stderr.splitlines() if "minis2s" in line]
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert len(said) == 1 and "the processes of this training did not meet: " in said[0]
