"""The judge cannot be replaced: what a hostile submission may try, and what it gets."""
import io
import os
import struct
import sys
import time

import numpy as np
import pytest

from minis2s.classroom.doctor.contract import Problem
from minis2s.classroom.doctor.outcome import Error, Facts, Outcome, Value
from minis2s.classroom.judge import wire
from minis2s.classroom.judge.process import check_file

RIGHT = """import numpy as np
def softmax(a):
    y = np.exp(a - a.max(axis=1, keepdims=True))
    return y / y.sum(axis=1, keepdims=True)
"""
WRONG = "def softmax(a):\n    return a * 0.5\n"


def judged(folder, text, seconds=None):
    path = folder / "softmax.py"
    path.write_text(text, encoding="utf-8")
    return check_file("softmax", path, seconds=seconds)


CHEATS = {
    "replaces numpy": "import numpy as np\nnp.exp = lambda x: x\nnp.array_equal = lambda *a, **k: True\n"
                      "def softmax(a):\n    return a * 0.5\n",
    "replaces check": "import minis2s\nminis2s.check = lambda *a: print('passed')\n"
                      "import minis2s.classroom.doctor.locate as d\nd.differs = lambda a, b, *r: a != a\n" + WRONG,
    "replaces the reference": "import minis2s.classroom.exercises.outputs as o\n"
                              "from minis2s.classroom.exercises import EXERCISES as E\n"
                              "E['softmax'] = E['softmax']._replace(reference=lambda a: a * 0.5)\n" + WRONG,
    "writes every descriptor": "import os\nfor fd in range(1, 64):\n    try:\n        os.write(fd, b'passed' * 100)\n"
                               "    except OSError:\n        pass\n" + WRONG,
    "sends an answer of its own": "import os, json\nfrom minis2s.classroom.judge import wire\n"
                                  "from minis2s.classroom.doctor.outcome import *\nimport numpy as np\n"
                                  "m = wire.encode(Outcome('one', (Value('an array', np.ones((4, 9)) / 9),)))\n"
                                  "for fd in range(3, 64):\n    try:\n        os.write(fd, m * 20)\n"
                                  "    except OSError:\n        pass\n" + WRONG,
    "leaves at once": "import os\nos._exit(0)\n",
    "writes result files": "import json, sys\nfor name in ('result.json', 'progress.json'):\n"
                           "    json.dump({'passed': True}, open(name, 'w'))\n" + WRONG,
    "makes a pipe of its name": "import os\nos.mkfifo('result.json')\n" + WRONG,
    "an array that compares as equal": "import numpy as np\nclass A(np.ndarray):\n"
                                       "    def __eq__(self, other): return np.ones(self.shape, bool)\n"
                                       "    def __sub__(self, other): return np.zeros(self.shape)\n"
                                       "def softmax(a):\n    return (a * 0.5).view(A)\n",
    "looks for the answer in memory": "import gc\nright = [o.reference for o in gc.get_objects()"
                                      " if type(o).__name__ == 'Exercise' and o.name == 'softmax']\n"
                                      "def softmax(a):\n    return right[0](a=a)\n",
    "looks for the answer in its callers": "import sys\ndef softmax(a):\n    f = sys._getframe()\n    while f:\n"
                                           "        for v in [*f.f_locals.values(), *f.f_globals.values()]:\n"
                                           "            if hasattr(v, 'reference'): return v.reference(a=a)\n"
                                           "        f = f.f_back\n    return a\n",
    "an answer without memory":
        "import numpy as np\ndef softmax(a):\n    return np.broadcast_to(0.5, (10**6, 10**6))\n",
    "traces every call": "import sys\nsys.settrace(lambda *a: None)\nsys.setprofile(lambda *a: sys.exit(0))\n" + WRONG,
    "processes of its own": "import os, time\nfor k in range(4):\n    os.fork()\ntime.sleep(0.2)\n" + WRONG,
    "a thread that stays": "import threading, time\nthreading.Thread(target=time.sleep, args=(1e4,)).start()\n" + WRONG,
}


@pytest.mark.parametrize("what", CHEATS)
def test_no_cheat_passes(tmp_path, what):
    report = judged(tmp_path, CHEATS[what])
    assert not report["passed"] and report["verdict"] in ("wrong", "exit", "crash", "error", "file"), report["text"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="signals of POSIX")
@pytest.mark.parametrize("line", ["os.kill(os.getppid(), 9)", "os.killpg(0, 9)", "os.kill(os.getpid(), 9)",
                                  "[os.kill(p, 9) for p in range(2, 400) if p != os.getpid() and False]"])
def test_who_kills_its_parent_does_not_kill_the_judge(tmp_path, line):
    report = judged(tmp_path, f"import os\n{line}\n" + WRONG)
    assert not report["passed"] and report["verdict"] in ("crash", "exit", "wrong"), report["text"]
    assert judged(tmp_path, RIGHT)["passed"]


def test_huge_answers_and_endless_text_end(tmp_path):
    report = judged(tmp_path, "import numpy as np\ndef softmax(a):\n    return np.ones((3000, 4000))\n")
    assert not report["passed"] and ("channel" in report["says"] or "shape" in report["says"]), report["text"]
    report = judged(tmp_path, "import numpy as np\ndef softmax(a):\n    raise ValueError('x' * 10**7)\n")
    assert report["verdict"] == "error" and len(report["text"]) < 2000


def test_nothing_that_moves_the_terminal_reaches_it(tmp_path):
    text = "def softmax(a):\n    raise ValueError('\\x1b[2J\\x1b]0;owned\\x07 \\r passed')\n"
    report = judged(tmp_path, text)
    assert "\x1b" not in report["text"] and "\r" not in report["text"] and "\x07" not in report["text"]


def test_what_a_teacher_may_want_to_see_is_listed(tmp_path):
    report = judged(tmp_path, "from minis2s.core.functions import softmax as s\ndef softmax(a):\n    return s(a)\n")
    assert report["passed"]
    seen, read = report["remarks"]
    assert seen.startswith("it uses the library minis2s while it runs: minis2s.core.functions")
    assert read == "line 1 uses the library minis2s itself: from minis2s.core.functions import softmax as s"
    assert judged(tmp_path, RIGHT)["remarks"] == []


def test_using_the_library_is_seen_however_it_is_done(tmp_path):
    hidden = "import sys, os\nname = 'mini' + 's2s'\n{}\ndef softmax(a):\n    return right(a)\n"
    for how, part in (("right = __import__(name + '.core.functions', fromlist=['softmax']).softmax",
                       "minis2s.core.functions"),
                      ("folder = next(p for p in sys.path if os.path.isdir(os.path.join(p, name)))\nworld = {}\n"
                       "text = open(os.path.join(folder, name, 'core', 'functions.py')).read()\n"
                       "exec(text.replace('from .', 'from ' + name + '.core.'), world)\nright = world['softmax']",
                       "core/functions.py")):
        report = judged(tmp_path, hidden.format(how))
        assert any("uses the library minis2s while it runs" in r and part in r.replace(os.sep, "/")
                   for r in report["remarks"]), report


def test_it_works_without_what_only_posix_has(tmp_path, monkeypatch):
    """As on Windows: no process groups, no sessions, no resource limits, and no taskkill either."""
    for name in ("killpg", "setsid"):
        monkeypatch.delattr(os, name, raising=False)
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text("import os, sys\nimport numpy\nsys.modules['resource'] = None\n"
                                           "for name in ('killpg', 'setsid', 'getuid', 'O_CLOEXEC', 'O_PATH', "
                                           "'mkfifo'):\n"
                                           "    if hasattr(os, name):\n        delattr(os, name)\n")
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("PATH", "")
    assert judged(tmp_path, RIGHT)["passed"] and not judged(tmp_path, WRONG)["passed"]
    assert judged(tmp_path, "def softmax(a):\n    while True: pass\n", seconds=1)["verdict"] == "time"


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock")
def test_files_elsewhere_stay(tmp_path):
    import subprocess
    code = ("import sys\nfrom minis2s.classroom.judge.guard import write_only_below\n"
            f"ok = write_only_below([{str(tmp_path)!r}])\n"
            f"open({str(tmp_path / 'inside')!r}, 'w').close()\n"
            "try:\n    open(sys.argv[1], 'w').close(); print(ok, 'written')\n"
            "except OSError:\n    print(ok, 'refused')\n")
    outside = tmp_path.parent / "outside"
    said = subprocess.run([sys.executable, "-c", code, str(outside)], capture_output=True, text=True).stdout
    if said.startswith("False"):
        pytest.skip("this kernel has no Landlock")
    assert said == "True refused\n" and (tmp_path / "inside").exists() and not outside.exists()
    submissions = tmp_path / "one"
    submissions.mkdir()
    victim = tmp_path / "victim.txt"
    victim.write_text("precious")
    judged(submissions, f"import os\ntry:\n    os.remove({str(victim)!r})\nexcept OSError:\n    pass\n" + RIGHT)
    assert victim.read_text() == "precious"


def test_a_used_buffer_is_noticed(tmp_path):
    text = ("import numpy as np\nKEPT = {}\ndef softmax(a):\n    y = KEPT.setdefault(a.shape, np.empty(a.shape))\n"
            "    y[:] = np.exp(a - a.max(axis=1, keepdims=True))\n    y /= y.sum(axis=1, keepdims=True)\n"
            "    return y\n")
    report = judged(tmp_path, text)
    assert report["verdict"] == "contract" and "a later call changes the result" in report["says"], report["text"]


def test_a_check_is_quick(tmp_path):
    judged(tmp_path, RIGHT)
    begin = time.process_time()
    assert judged(tmp_path, RIGHT)["passed"]
    assert time.process_time() - begin < 1


# the format ----------------------------------------------------------------------------------------------

MESSAGES = [
    Facts("function", "(a, b=1)", ("a", "b"), True, "njit"), Outcome(),
    Outcome("tuple", (Value("an array of shape (2, 3)", np.arange(6.0).reshape(2, 3)), Value("a str"),
                      Value("a float", np.array(0.5), True), Value("mask", np.array([True, False])),
                      Value("ids", np.arange(3)), Value("empty", np.zeros((0, 4)))),
            None, ("x",), ((0, "h"), (1, 0))),
    Outcome(error=Error(("ValueError", "Exception"), "said", 3, "x = 1", False)),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_messages_arrive_as_they_were_sent(message):
    came = wire.read(io.BytesIO(wire.encode(message)))
    assert type(came) is type(message)
    if isinstance(message, Outcome):
        for a, b in zip(message.values, came.values, strict=True):
            assert (a.kind, a.number) == (b.kind, b.number)
            assert a.array is b.array is None or a.array.dtype == b.array.dtype and (a.array == b.array).all()
        message, came = message._replace(values=()), came._replace(values=())
    assert came == message


def test_a_problem_arrives_too_and_only_of_two_kinds():
    came = wire.read(io.BytesIO(wire.encode(Problem("passed", "says", "look", "where"))))
    assert (came.kind, came.says, came.look, came.where) == ("file", "says", "look", "where")


def test_garbage_is_refused_and_never_run():
    good = wire.encode(MESSAGES[2])
    assert wire.read(io.BytesIO(b"")) is None and wire.read(io.BytesIO(b"12345")) is None
    bad = [good[:-1], struct.pack("<IQ", 1 << 30, 0), struct.pack("<IQ", 2, 1 << 40), struct.pack("<IQ", 2, 0) + b"{}",
           struct.pack("<IQ", 2, 0) + b"[]", good.replace(b'"<f8"', b'"|O8"'), good.replace(b"[2, 3]", b"[2,-3]"),
           good.replace(b"[2, 3]", b"[9, 9]"), struct.pack("<IQ", 200000, 0) + b"[" * 200000]
    for stream in bad:
        with pytest.raises(wire.Garbled):
            wire.read(io.BytesIO(stream))
    rng = np.random.default_rng(0)
    for _ in range(300):
        noisy = bytearray(good)
        for at in rng.integers(12, len(noisy), 3):
            noisy[at] = rng.integers(256)
        try:
            wire.read(io.BytesIO(bytes(noisy)))
        except wire.Garbled:
            pass


def test_a_file_that_ends_the_program_is_told_so(tmp_path, monkeypatch):
    from minis2s.classroom.exercises import find
    from minis2s.classroom.judge.load import load
    monkeypatch.setattr(sys, "path", list(sys.path))
    path = tmp_path / "softmax.py"
    path.write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(Problem) as caught:
        load(find("softmax"), str(path))
    assert caught.value.kind == "exit"
    assert caught.value.says == "softmax.py ends the program with sys.exit (line 2: sys.exit(3))"
