"""Memory of a training whose pairs stay in their file, and pairs per second of one process and of two.

    python tests/pytorch/three_million.py memory [--pairs 3000000] [--backend torch]
    python tests/pytorch/three_million.py speed [--rounds 3] [--hidden 256]

By hand.  `memory` runs the whole path of `minis2s train --stream`, from the file to the saved run, for a few seconds
of updates: once with 2,000 pairs and once with millions, everything else alike.  The difference of the two greatest
resident sizes, as the system counted them for each process (ru_maxrss), is what the pairs cost.

`speed` trains by torchrun with one process and with two, alternating.  Beside seconds on the clock it gives processor
seconds of all processes together: others who use the machine change the first and hardly the second.
"""
import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SMALL = 2_000
MODEL = ["--hidden", "64", "--embedding", "32", "--cell", "gru", "--attention", "dot", "--threads", "1"]
ALONE = {**os.environ, "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}


def write(path, count):
    """So many different pairs: a number in digits and in letters, backwards."""
    letters, rng = str.maketrans("0123456789", "abcdefghij"), random.Random(0)
    with open(path, "w", encoding="utf-8") as file:
        for n in range(count):
            text = f"{n} {rng.randrange(10 ** 9)} {rng.randrange(10 ** 9)}"
            file.write(f"{text}\t{text[::-1].translate(letters)}\n")


def run(command, said):
    """-> seconds, processor seconds, MB at most of a program and, one by one, of those that it started."""
    began = time.monotonic()
    with open(said, "w", encoding="utf-8") as out:
        process = subprocess.Popen([sys.executable, *map(str, command)], stdout=out, stderr=subprocess.STDOUT,
                                   env=ALONE)
        _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(said.read_text(encoding="utf-8"))
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def memory(folder, given):
    """What millions of pairs cost beside a few."""
    sizes = {}
    for count in (SMALL, given.pairs):
        path, out = folder / f"{count}.tsv", folder / f"run-{count}"
        write(path, count)
        seconds, cpu, sizes[count] = run(
            ["-m", "minis2s", "train", "--pairs", path, "--stream", "--backend", given.backend, *MODEL, "--batch", "64",
             "--epochs", "1000", "--minutes", "0.2", "--out", out], folder / "said.txt")
        last = json.loads((out / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[-1])
        print(f"{given.backend}: {count:,} pairs in a file of {path.stat().st_size / 1e6:.0f} MB, {last['step']:,} "
              f"updates: {seconds:.0f} s, {cpu:.0f} s of a processor, at most {sizes[count]:.0f} MB", flush=True)
    more = sizes[given.pairs] - sizes[SMALL]
    print(f"{given.pairs:,} pairs cost {more:.0f} MB more than {SMALL:,}")


def speed(folder, given):
    """One process and two, alternating; what does not train is measured with no epoch's work and taken away."""
    path, rows = folder / "pairs.tsv", {1: [], 2: []}
    write(path, given.few)
    for _ in range(given.rounds):
        for count in rows:
            found = []
            for epochs in (1, 3):
                found.append(run(
                    ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", count, "-m", "minis2s", "train",
                     "--pairs", path, "--backend", "torch", *MODEL, "--hidden", given.hidden, "--batch", "128",
                     "--epochs", epochs, "--overwrite", "--out", folder / "run"], folder / "said.txt"))
            wall, cpu = (b - a for a, b in zip(*(each[:2] for each in found)))
            pairs = 2 * json.loads((folder / "run" / "config.json").read_text(encoding="utf-8"))["data"]["train"]
            rows[count].append((pairs / wall, pairs / cpu, found[1][2]))
            print(f"{count} process{'es' * (count > 1)}: {pairs / wall:.0f} pairs a second, {pairs / cpu:.0f} pairs in "
                  f"a processor second, at most {found[1][2]:.0f} MB for each process", flush=True)
    middle = {count: [sorted(column)[len(column) // 2] for column in zip(*found)] for count, found in rows.items()}
    print(f"medians, hidden {given.hidden}: two processes make {middle[2][0] / middle[1][0]:.2f} times the pairs a "
          f"second, and {middle[2][1] / middle[1][1]:.2f} times the pairs in a processor second")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("what", choices=("memory", "speed"))
    parser.add_argument("--pairs", type=int, default=3_000_000)
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--few", type=int, default=6_000, help="pairs of `speed`")
    parser.add_argument("--hidden", type=int, default=256)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        {"memory": memory, "speed": speed}[options.what](Path(place), options)
