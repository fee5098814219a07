"""Kill one of two processes that train one model, at ten random moments: the resumed run has the bits of one that was
never stopped.

    python tests/pytorch/kill_and_resume.py [--kills 10] [--seed 0]

By hand, as it takes some minutes.  torchrun starts two processes, which save after every step.  Each time one of
them, either, is sent SIGKILL: once some more steps are saved, and a moment later, so also while a file is written or a
message is on its way; every fourth time while the program still starts.  Then the same run is resumed.  A run that
trained as many steps without a kill must have the same weights, checkpoint and records, byte for byte but for speeds.
"""
import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

OPTIONS = ["--batch", "5", "--hidden", "24", "--embedding", "12", "--cell", "gru", "--attention", "dot", "--dropout",
           "0.2", "--teacher-forcing", "0.8", "--evaluate-every", "7", "--epochs", "5", "--backend", "torch"]
PATIENCE = 120                      # seconds for torchrun to end all processes, and for steps to be saved


def rank(folder, *argv):
    """One of the processes: minis2s's command line, which saves after every step."""
    from minis2s import Seq2Seq
    from minis2s.cli import main as cli
    from minis2s.training import loop
    (folder / f"pid.{os.environ['RANK']}").write_text(str(os.getpid()))
    run, Seq2Seq._draw = loop.run, lambda *_: None
    loop.run = lambda *a, **k: run(*a, **k, save_seconds=0)
    return cli.main(list(argv))


def start(folder, *argv):
    """torchrun with two such processes; what they say goes to a file."""
    for path in folder.glob("pid.*"):
        path.unlink()
    env = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    command = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", __file__, "--rank", folder]
    with open(folder / "said.txt", "w", encoding="utf-8") as said:
        return subprocess.Popen([sys.executable, *map(str, command + [*argv, "--threads", "1"])], env=env, stdout=said,
                                stderr=subprocess.STDOUT)


def step_of(run):
    """The number of steps in a run's checkpoint; 0 where there is none."""
    try:
        with open(run / "checkpoint.safetensors", "rb") as f:
            head = json.loads(f.read(int.from_bytes(f.read(8), "little")))
    except FileNotFoundError:
        return 0
    return json.loads(head["__metadata__"]["minis2s"])["story"]["progress"]["step"]


def wait(condition, what):
    """Until a condition holds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"waited {PATIENCE} s for {what}")
        time.sleep(0.002)


def kill_one(process, folder, run, coins, number):
    """Kill one of the processes at a random moment: -> words about it, or None where training ended first."""
    before, victim = step_of(run), coins.randrange(2)
    pid = folder / f"pid.{victim}"
    wait(lambda: pid.exists() and pid.read_text(), "the processes to start")
    if number % 4 != 3:
        goal = before + coins.randrange(1, 40)
        wait(lambda: step_of(run) >= goal or process.poll() is not None, f"step {goal}")
    time.sleep(coins.uniform(0, 0.05 if number % 4 != 3 else 2))
    if process.poll() is not None:
        return None
    os.kill(int(pid.read_text()), signal.SIGKILL)
    wait(lambda: process.poll() is not None, "torchrun to end the other process")
    said = (folder / "said.txt").read_text(encoding="utf-8")
    if process.returncode == 0:
        return None
    clear = "another process of this training has ended" in said
    return (f"process {victim} after step {step_of(run)}; the other one "
            + ("says in a line that it has ended" if clear else "was ended by torchrun"))


def compare(whole, killed):
    """Names of files that differ."""
    def records(run):
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
        return [{key: value for key, value in row.items() if key != "tokens_per_second"} for row in rows]
    different = [name for name in ("weights.safetensors", "checkpoint.safetensors")
                 if (whole / name).read_bytes() != (killed / name).read_bytes()]
    return different + ["metrics.jsonl"] * (records(whole) != records(killed))


def main(kills, seed):
    """Train twice and compare."""
    coins, folder = random.Random(seed), Path(tempfile.mkdtemp(prefix="kill-and-resume-"))
    pairs, whole, killed = folder / "pairs.tsv", folder / "whole", folder / "killed"
    words = ["".join(coins.choices("abcdefg", k=coins.randrange(1, 9))) for _ in range(400)]
    pairs.write_text("".join(f"{word}\t{word[::-1]}\n" for word in dict.fromkeys(words)), encoding="utf-8")
    train = ["train", "--pairs", pairs]
    if start(folder, *train, *OPTIONS, "--out", whole).wait():
        sys.exit((folder / "said.txt").read_text(encoding="utf-8"))
    print(f"never stopped: {step_of(whole)} steps in {whole}", flush=True)
    done = 0
    while done < kills:
        begun = (killed / "config.json").exists()
        process = start(folder, *train, *(["--resume"] if begun else [*OPTIONS, "--overwrite"]), "--out", killed)
        said = kill_one(process, folder, killed, coins, done)
        if said is None:
            sys.exit(f"training ended after {done} kills, wanted {kills}: give more epochs")
        done += 1
        print(f"kill {done}: {said}", flush=True)
    if start(folder, *train, "--resume", "--out", killed).wait():
        sys.exit((folder / "said.txt").read_text(encoding="utf-8"))
    different = compare(whole, killed)
    print(f"{done} kills, {step_of(killed)} steps: " + (f"DIFFERENT: {', '.join(different)}" if different else
                                                        "weights, checkpoint and records have the same bits"))
    return 1 if different else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--rank"]:
        sys.exit(rank(Path(sys.argv[2]), *sys.argv[3:]))
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    sys.exit(main(given.kills, given.seed))
