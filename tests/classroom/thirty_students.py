"""30 students, 5 exercises, 4 of them hostile; `python tests/classroom/thirty_students.py` grades all, checks marks.

Takes minutes, so no test runs it; test_assignment.py does the same with a few students.
"""
import os
import sys
import tempfile
import time
from pathlib import Path

from minis2s.classroom.assignment.grade import grade
from minis2s.classroom.assignment.make import assignment

HEAD = "import numpy as np\n\n\n"
SIGMOID = "def sigmoid(a):\n    return 1 / (1 + np.exp(-a))\n\n\n"
RIGHT = {
    "softmax": "def softmax(a):\n    e = np.exp(a - a.max(axis=1, keepdims=True))\n"
               "    return e / e.sum(axis=1, keepdims=True)\n",
    "rnn-step": "def rnn_step(x, h_prev, W, U, b):\n    return np.tanh(x @ W + h_prev @ U + b)\n",
    "rnn-step-backward": "def rnn_step_backward(x, h_prev, h, W, U, dh):\n    da = dh * (1 - h**2)\n"
                         "    return da @ W.T, da @ U.T, x.T @ da, h_prev.T @ da, da.sum(axis=0)\n",
    "lstm-step": SIGMOID + "def lstm_step(x, h_prev, c_prev, W, U, b):\n"
                           "    i, f, g, o = np.split(x @ W + h_prev @ U + b, 4, axis=1)\n"
                           "    c = sigmoid(f) * c_prev + sigmoid(i) * np.tanh(g)\n"
                           "    return sigmoid(o) * np.tanh(c), c\n",
    "attention-mask": "def attention_mask(e, mask):\n    e = np.where(mask, e, -np.inf)\n"
                      "    p = np.exp(e - e.max(axis=0))\n    return p / p.sum(axis=0)\n",
}
WRONG = {"softmax": ("axis=1", "axis=0"), "rnn-step": ("@ U", "@ U.T"), "rnn-step-backward": ("h**2", "h"),
         "lstm-step": ("i, f, g, o =", "i, f, o, g ="), "attention-mask": ("np.where(mask, e, -np.inf)", "e * mask")}
HOSTILE = {
    "endless loop": "while True:\n    pass\n",
    "kills its parent": "import os\nos.kill(os.getppid(), 9)\n",
    "deletes files": "import shutil\nshutil.rmtree({victim!r}, ignore_errors=True)\n",
    "replaces NumPy": "import numpy as np\nnp.exp = np.tanh = lambda x: x\n"
                      "np.array_equal = np.allclose = lambda *a, **k: 1\n",
}


def hand_in(folder, victim):
    """Write all submissions; -> points that each student should get."""
    wanted = {}
    for k in range(26):
        name, solved = f"student {k:02}", 0
        for bit, (exercise, text) in enumerate(RIGHT.items()):
            right = (k + 1) >> bit & 1
            solved += right
            _write(folder / name, exercise, HEAD + (text if right else text.replace(*WRONG[exercise])))
        wanted[name] = solved
    for name, begin in HOSTILE.items():
        for exercise, text in RIGHT.items():
            _write(folder / name, exercise, begin.format(victim=str(victim)) + HEAD + text.replace(*WRONG[exercise]))
        wanted[name] = 0
    return wanted


def _write(folder, exercise, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{exercise.replace('-', '_')}.py").write_text(text, encoding="utf-8")


def main():
    """Grade them all; -> exit status."""
    with tempfile.TemporaryDirectory() as space:
        space = Path(space)
        victim = space / "elsewhere"
        victim.mkdir()
        (victim / "marks.txt").write_text("kept")
        wanted = hand_in(space / "submissions", victim)
        begin, load = time.monotonic(), getattr(os, "getloadavg", lambda: "unknown")()
        records = grade(space / "submissions", space / "marks.csv", assignment("Thirty", list(RIGHT)), seed=7,
                        html=space / "report", tell=print)
        seconds, used = time.monotonic() - begin, os.times()
        got = {record["student"]: record["points"] for record in records}
        wrong = {name: (got.get(name), points) for name, points in wanted.items() if got.get(name) != points}
        pages = len(list((space / "report").glob("*.html")))
        print(f"{len(records)} students, {len(RIGHT)} exercises: {seconds:.0f} s by the clock, "
              f"{used.user + used.system + used.children_user + used.children_system:.0f} s of processor time, "
              f"load before {load}, {pages} pages; marks that are wrong: {wrong or 'none'}; "
              f"files elsewhere {'kept' if (victim / 'marks.txt').exists() else 'DELETED'}")
        return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
