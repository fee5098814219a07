"""Exported models of every kind answer 1,000 texts as minis2s does: greedily, and by a beam of 5.

    python tests/pytorch/thousand_texts.py [--alone PYTHON] [--dtype float64] [KIND ...]

By hand, as it takes some minutes.  Each kind learns to say letters backwards for a few epochs, is exported, checks
itself (check.py), and answers texts that training never had.  PYTHON is that of an environment that has torch and
nothing else, neither minis2s nor NumPy (python -m venv E; E/bin/pip install torch); without it this environment's is
taken, with minis2s hidden.  Only the answers to frames need NumPy, so for these this environment's is always taken;
their check.py does not.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from minis2s import Config, Seq2Seq, Training
from minis2s.pytorch.export import export
from minis2s.tasks.copy import strings

TEXTS, BEAM = 1_000, 5
NONE = dict(attention="none")
TRANSFORMER = dict(architecture="transformer", heads=2, feed_forward=32)
KINDS = {
    **{cell: dict(cell=cell, attention="dot") for cell in ("rnn", "rnn-sigmoid", "lstm", "gru", "gru-after")},
    **{f"{score}, {order}": dict(cell="gru", attention=score, attention_order=order)
       for score in ("dot", "scaled", "general", "additive", "concat-dot") for order in ("before", "after")},
    "no attention": dict(cell="lstm", layers=2, reverse_source=True, **NONE),
    "last state at every step": dict(cell="gru", context="every-step", **NONE),
    "two directions": dict(cell="lstm", attention="general", bidirectional=True, layers=2),
    "input feeding": dict(cell="lstm", attention="general", input_feeding=True, fusion="tanh"),
    "context at the readout": dict(cell="gru", attention="additive", attention_order="before", fusion="sum",
                                   readout="state-context"),
    "a path around layers": dict(cell="gru", attention="dot", layers=3, residual=True),
    "tied": dict(cell="lstm", attention="dot", tied_cells=True, tied_embedding=True, fusion="tanh", embedding=24),
    "frames": dict(cell="gru", attention="additive", bidirectional=True, source="frames"),
    "frames, by steps of two": dict(cell="lstm", attention="dot", source="frames", stack=2),
    "Transformer, norm before": dict(TRANSFORMER, norm="pre", layers=2),
    "Transformer, norm after": dict(TRANSFORMER, norm="post", layers=2, feed_forward_activation="gelu"),
    "Transformer, learned positions": dict(TRANSFORMER, positions="learned", max_positions=30, tied_embedding=True),
}
ANSWER = """
import json, sys
sys.path.insert(0, ".")
hide = sys.argv[1:] == ["hide"]
if hide:
    sys.modules["minis2s"] = None
import importlib.util, translate
assert hide or importlib.util.find_spec("minis2s") is None, "minis2s is installed here"
given = json.load(sys.stdin)
print(json.dumps([translate.translate(given["texts"], beam) for beam in given["beams"]]))
"""


def drawn(folder, texts):
    """A file with a row for each letter, in place of each text: -> their paths."""
    folder.mkdir()
    for n, text in enumerate(texts):
        np.save(folder / f"{n}.npy", np.array([[ord(a) % 2, ord(a) % 3, ord(a) % 5, ord(a) / 50] for a in text]))
    return [str(folder / f"{n}.npy") for n in range(len(texts))]


def run(python, folder, *argv, given=None):
    """What a program says in a folder, with an environment of its own."""
    done = subprocess.run([python, "-I", *argv], cwd=folder, input=given, text=True, capture_output=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})
    if done.returncode:
        sys.exit(f"{folder.name}: {done.stdout}{done.stderr}")
    return done.stdout


def compare(name, choices, dtype, alone, folder):
    """Train, export, check and answer: -> how many of the texts are answered otherwise, for each beam, and how many
    different answers there are."""
    texts = strings(np.random.default_rng(0), TEXTS + 300, 9, set())
    targets = [text[::-1] for text in texts]
    frames = choices.get("source") == "frames"
    if frames:
        texts = drawn(folder / "frames", texts)
    model = Seq2Seq(Config(**{"hidden": 24, **({} if "heads" in choices else {"embedding": 16}), **choices},
                           dtype=dtype), **({"source_units": "npy"} if frames else {}))
    pairs = list(zip(texts, targets))
    model.fit(pairs[TEXTS:], pairs[TEXTS:TEXTS + 30], training=Training(epochs=6, batch=16, lr=5e-3), progress=False)
    out = export(model, folder / "out")
    python, hide = (sys.executable, ["hide"]) if frames or not alone else (alone, [])
    found = json.loads(run(python, out, "-c", ANSWER, *hide,
                           given=json.dumps({"texts": texts[:TEXTS], "beams": [1, BEAM]})))
    checked = "import sys; sys.path.insert(0, '.'); sys.modules['minis2s'] = None; import check; sys.exit(check.main())"
    if run(alone or sys.executable, out, "-c", checked).count("same") != 4:
        sys.exit(f"{name}: check.py says that something differs")
    wanted = [model.translate(texts[:TEXTS], beam=beam) for beam in (1, BEAM)]
    return [sum(a != b for a, b in zip(*both, strict=True)) for both in zip(found, wanted)], len(set(wanted[1]))


def main():
    """All kinds, or some."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("kinds", nargs="*", metavar="KIND")
    parser.add_argument("--alone", metavar="PYTHON")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    given, total = parser.parse_args(), 0
    for name in given.kinds or KINDS:
        with tempfile.TemporaryDirectory() as folder:
            different, kinds = compare(name, KINDS[name], given.dtype, given.alone, Path(folder))
        print(f"{name:<32} of {TEXTS:,} answers differ: greedy {different[0]}, beam {different[1]}   "
              f"({kinds} different answers)", flush=True)
        total += sum(different)
    return 1 if total else 0


if __name__ == "__main__":
    sys.exit(main())
