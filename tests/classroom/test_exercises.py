"""Stubs, the process that checks a file, progress, grading, and the command."""
import csv
import doctest
import json
import os
import re
import sys
import time

import numpy as np
import pytest

from minis2s.classroom.doctor import check
from minis2s.classroom.exercises import EXERCISES, progress
from minis2s.classroom.exercises.stub import start, stub
from minis2s.classroom.judge.process import check_file
from minis2s.cli import main as cli

SOFTMAX = """import numpy as np
def softmax(a):
    y = np.exp(a - a.max(axis=1, keepdims=True))
    return y / y.sum(axis=1, keepdims=True)
"""
NO_SHIFT = """import numpy as np
def softmax(a):
    return np.exp(a) / np.exp(a).sum(axis=1, keepdims=True)
"""


@pytest.fixture
def minis2s(monkeypatch, tmp_path, capsys):
    """Run `minis2s ...` in an empty folder: -> status, output, errors."""
    monkeypatch.setattr(cli, "COMMANDS", ("exercise",))
    monkeypatch.chdir(tmp_path)

    def run(*argv):
        try:
            status = cli.main(["exercise", *argv])
        except SystemExit as e:                                 # argparse
            status = e.code
        out, err = capsys.readouterr()
        return status, out, err
    return run


# stubs -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", EXERCISES)
def test_the_example_of_a_stub_is_true(name):
    exercise = EXERCISES[name]

    def function(*given):
        if name in ("greedy", "teacher-forcing"):    # the library needs its own model, the example has none
            from solutions import decoding
            return {"greedy": decoding.greedy_done, "teacher-forcing": decoding.forcing_inputs}[name](*given)
        return exercise.reference(**dict(zip(exercise.names, given)))
    world = {}
    exec(stub(exercise).replace("from numba import njit", ""), world)
    assert world[exercise.function].__code__.co_varnames == exercise.names
    text = world[exercise.function].__doc__
    test = doctest.DocTestParser().get_doctest(text, {"np": np, exercise.function: function}, name, None, 0)
    found = []
    assert test.examples
    assert doctest.DocTestRunner(verbose=False).run(test, out=found.append).failed == 0, "".join(found)


@pytest.mark.parametrize("name", EXERCISES)
def test_a_stub_names_everything_and_is_not_implemented_yet(name):
    exercise, world = EXERCISES[name], {}
    text = stub(exercise)
    assert exercise.equations.splitlines()[-1] in text and all(arg in text for arg in exercise.names)
    assert not any(hint in text for hint in exercise.hints) and max(map(len, text.splitlines())) < 130
    exec(text.replace("from numba import njit", ""), world)
    report = check(name, world[exercise.function])
    assert report.verdict == "unfinished" and "Traceback" not in str(report)


def test_no_work_is_ever_overwritten(tmp_path):
    path = start(EXERCISES["lstm-step"], tmp_path / "new" / "folder")
    assert path.name == "lstm_step.py" and path.read_text() == stub(EXERCISES["lstm-step"])
    path.write_text("my work")
    with pytest.raises(ValueError, match="lstm_step.py exists already and stays as it is"):
        start(EXERCISES["lstm-step"], path.parent)
    assert path.read_text() == "my work"
    (tmp_path / "softmax.py").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="exists already"):
        start(EXERCISES["softmax"], tmp_path)


# the process -------------------------------------------------------------------------------------------

def judged(folder, text, seconds=None, name="softmax"):
    path = folder / f"{EXERCISES[name].function}.py"
    if isinstance(text, str):
        text = text.encode()
    path.write_bytes(text)
    return check_file(name, path, seconds=seconds)


def test_a_right_file_passes_and_may_import_another(tmp_path):
    assert judged(tmp_path, SOFTMAX)["passed"]
    text = ("import numpy as np\nfrom softmax import softmax\ndef attention_mask(e, mask):\n"
            "    return softmax(np.where(mask, e, -np.inf).T).T\n")
    report = judged(tmp_path, text, name="attention-mask")
    assert report["passed"], report["text"]


BAD = {
    "syntax": ("def softmax(a):\n    return a +\n", "file", "softmax.py is not valid Python: invalid syntax "
               "(line 2: return a +)"),
    "indent": ("def softmax(a):\nreturn a\n", "file", "(line 2: return a)"),
    "null bytes": (b"def softmax(a):\0", "file", "softmax.py is not "),
    "not utf-8": (b"def softmax(a):\n    return '\xff'\n", "file", "softmax.py is not valid Python"),
    "import": ("import numpi\ndef softmax(a):\n    return a\n", "file", "imports numpi, which is not "
               "installed (line 1: import numpi)"),
    "at load": ("x = 1 / 0\n", "file", "softmax.py stops while it is loaded: ZeroDivisionError: division by "
                "zero (line 1: x = 1 / 0)"),
    "no function": ("def soft_max(a):\n    return a\n", "file", "has no function softmax; it has soft_max"),
    "exit at load": ("import sys\nsys.exit(0)\n", "exit", "sys.exit (line 2: sys.exit(0))"),
    "exit": ("import sys\ndef softmax(a):\n    sys.exit(0)\n", "exit", "ends the program (sys.exit, exit or "
             "quit), line 3"),
    "hard exit": ("import os\ndef softmax(a):\n    os._exit(0)\n", "exit", "(exit status 0) before there was "
                  "an answer"),
    "abort": ("import os\ndef softmax(a):\n    os.abort()\n", "crash", "SIGABRT"),
    "flood": ("def softmax(a):\n    while True:\n        print('a' * 1000)\n", "flood", "prints without end"),
    "input": ("def softmax(a):\n    return input()\n", "error", "EOFError"),
    "memory": ("import numpy as np\ndef softmax(a):\n    return np.ones(10**12)\n", "error", "MemoryError"),
    "recursion": ("def softmax(a):\n    return softmax(a)\n", "error", "RecursionError"),
    "in place": ("def softmax(a):\n    a -= a.max()\n    return a\n", "contract", "(line 2: a -= a.max())"),
    "wrong": (NO_SHIFT, "wrong", "exp overflows"),
}


@pytest.mark.parametrize("what", BAD)
def test_bad_files_are_reported_not_suffered(tmp_path, what):
    text, verdict, phrase = BAD[what]
    report = judged(tmp_path, text)
    assert not report["passed"] and report["verdict"] == verdict and phrase in report["says"], report["text"]
    assert "Traceback" not in report["text"] and "  next:    " in report["text"]


def test_memory_and_files_are_bounded(tmp_path):
    pytest.importorskip("resource", reason="this system cannot bound a process's memory")
    report = judged(tmp_path, "import resource as r\nassert max(r.getrlimit(r.RLIMIT_AS)[0], 0) == 4 << 30\n"
                    "assert max(r.getrlimit(r.RLIMIT_FSIZE)[0], 0) == 64 << 20\n" + SOFTMAX)
    assert report["passed"], report["text"]


def test_words_that_are_no_text(tmp_path):
    report = judged(tmp_path, "def softmax(a):\n    raise ValueError('half \\ud800 a sign, 你')\n")
    assert "half ? a sign, 你" in report["text"]


def test_an_endless_loop_ends(tmp_path):
    begin = time.monotonic()
    report = judged(tmp_path, "def softmax(a):\n    while True: pass\n", seconds=1.0)
    assert report["verdict"] == "time"
    assert "no answer within 1 seconds of processor time: an endless loop" in report["says"]
    assert time.monotonic() - begin < 30


def test_waiting_is_not_computing(tmp_path, monkeypatch):
    """Who sleeps is not called endless while its processor time is small; who waits for ever is ended."""
    from minis2s.classroom.judge import process
    report = judged(tmp_path, "import time\ntime.sleep(2.5)\n" + SOFTMAX, seconds=1.0)
    assert report["passed"], report["text"]
    monkeypatch.setattr(process, "max", lambda *_: 2.0, raising=False)
    report = judged(tmp_path, "import time\ndef softmax(a):\n    time.sleep(600)\n", seconds=1.0)
    assert report["verdict"] == "time" and "waits for something" in report["says"]


@pytest.mark.skipif(not os.path.exists("/proc/self/limits"), reason="reads /proc")
def test_an_endless_loop_ends_though_nobody_waits_for_it(tmp_path):
    """Who closes the terminal ends the command, and the loop is in a session of its own."""
    text = "print(open('/proc/self/limits').read())\n" + SOFTMAX
    printed = judged(tmp_path, text, seconds=3)["printed"]
    assert re.search(r"Max cpu time +[4-7] +[5-8] ", printed), printed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_children_that_the_code_leaves_behind_are_ended(tmp_path):
    beats = tmp_path / "beats"
    report = judged(tmp_path, "import os, time\nif not os.fork():\n    while True:\n"
                    f"        open({str(beats)!r}, 'a').write('.')\n        time.sleep(0.02)\n" + SOFTMAX)
    assert report["passed"], report["text"]
    time.sleep(0.2)
    size = beats.stat().st_size
    time.sleep(0.2)
    assert beats.stat().st_size == size


def test_what_the_code_prints_is_kept_and_files_of_the_folder_do_not_shadow_modules(tmp_path):
    (tmp_path / "json.py").write_text("1 / 0\n")
    (tmp_path / "numpy.py").write_text("1 / 0\n")
    report = judged(tmp_path, SOFTMAX.replace("    y =", "    print('shape', a.shape)\n    y ="))
    assert report["passed"], report["text"]
    assert report["printed"].startswith("shape (4, 9)\n")


# the command -------------------------------------------------------------------------------------------

def test_a_student_starts_errs_repairs_and_sees_the_progress(minis2s, tmp_path):
    status, out, _ = minis2s("list")
    assert status == 0 and all(name in out for name in EXERCISES)
    assert len(out.splitlines()) == len(EXERCISES) >= 20
    status, out, _ = minis2s("start", "softmax", "--dir", "work")
    assert status == 0 and "exercise check softmax --dir work" in out
    path = tmp_path / "work" / "softmax.py"
    status, out, _ = minis2s("check", "softmax", "--dir", "work")
    assert status == 1 and out.startswith("softmax: not implemented yet")
    path.write_text(NO_SHIFT)
    status, out, _ = minis2s("check", "--dir", "work", "--hint", "2")
    assert status == 1 and "exp overflows" in out and EXERCISES["softmax"].hints[1] in out
    assert "not yet" in minis2s("progress", "--dir", "work")[1]
    path.write_text(SOFTMAX)
    status, out, _ = minis2s("check", "softmax", "--dir", "work")
    assert status == 0 and out.startswith("softmax: passed")
    minis2s("start", "rnn-step", "--dir", "work")
    status, out, _ = minis2s("check", "--dir", "work")
    assert status == 1 and "1 of 2 passed" in out
    status, out, err = minis2s("progress", "--dir", "work", "--html", "p.html")
    lines = {line.split()[0]: line for line in out.splitlines() if line}
    assert status == 0 and lines["softmax"].split()[1:3] == ["passed", "4"]
    assert f"1 of {len(EXERCISES)} passed" in out
    assert "rnn-step" in lines and "not yet" in lines["rnn-step"]
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") and "✓ passed" in page and "http" not in page
    assert "not implemented" in page
    status, out, err = minis2s("progress", "--dir", "work", "--html", "work/softmax.py")
    assert status == 2 and "softmax.py: exists already" in err and out == ""
    assert minis2s("progress", "--dir", "work", "--html", "p.html", "--overwrite")[0] == 0
    assert "--overwrite goes with --html" in minis2s("progress", "--dir", "work", "--overwrite")[2]
    record = json.loads((tmp_path / "work" / "progress.json").read_text())
    assert record["softmax"]["passed"] is True and record["softmax"]["checks"] == 4


def test_json_for_teachers(minis2s, tmp_path):
    (tmp_path / "softmax.py").write_text(NO_SHIFT)
    status, out, err = minis2s("check", "--json", "--seed", "31")
    report, = json.loads(out)
    assert status == 1 and err == "" and report["seed"] == 31 and report["mistake"] == "no shift"
    assert report["mark"] == "(F3)"
    (tmp_path / "softmax.py").write_text("print('{')\n" + SOFTMAX)
    status, out, _ = minis2s("check", "softmax", "--json")
    assert status == 0 and json.loads(out)[0]["passed"]


@pytest.mark.parametrize("argv, phrase", [
    (("start", "lstm-stp"), "did you mean lstm-step"), (("check", "softmx"), "did you mean softmax"),
    (("check", "softmax"), "no file softmax.py; begin with: minis2s exercise start softmax"),
    (("check",), "no exercise has been started"), (("check", "--seed", "-1"), "--seed -1: wanted 0 or more"),
    (("check", "softmax", "--hint", "4"), "invalid choice"), (("progress", "--dir", "nowhere"),
                                                              "no folder nowhere"),
    (("grade", "nowhere", "--csv", "a.csv"), "nowhere is no folder"), ((), "ACTION"),
    (("grade", ".", "--csv", "nowhere/a.csv"), "does not exist"), (("grade", ".", "--csv", "a.csv"),
                                                                   "holds no folders"),
    (("grade", ".", "--csv", "a.csv", "--only", "sofmax"), "did you mean softmax"),
])
def test_bad_calls_end_with_status_2_and_one_line(minis2s, argv, phrase):
    status, out, err = minis2s(*argv)
    assert status == 2 and phrase in err and "Traceback" not in err and out == ""


def test_a_damaged_record_is_named_and_kept(minis2s, tmp_path):
    (tmp_path / "softmax.py").write_text(SOFTMAX)
    for text in ("{", "[]", '{"softmax": 3}', '{"softmax": {"passed": 1}}'):
        (tmp_path / "progress.json").write_text(text)
        status, out, err = minis2s("check")
        assert status == 2 and "progress.json is damaged" in err
        assert (tmp_path / "progress.json").read_text() == text
    assert progress.load(tmp_path / "elsewhere") == {}


def test_progress_counts_checks_knows_what_was_begun_and_shows_reports_as_text(tmp_path):
    report = {"exercise": "softmax", "passed": False, "text": "wrong: <b>a & b</b>"}
    for _ in range(3):
        progress.note(tmp_path, [report])
    start(EXERCISES["rnn-step"], tmp_path)
    rows = {row[0]: row[2:] for row in progress.rows(tmp_path)}
    assert rows["softmax"][:2] == ("not yet", 3)
    assert rows["rnn-step"] == ("started", 0, "", "") and rows["bptt"][0] == ""
    page = progress.page(tmp_path)
    assert "<pre>wrong: &lt;b&gt;a &amp; b&lt;/b&gt;</pre>" in page and "<b>" not in page


def test_a_class_is_graded_and_no_submission_stops_the_rest(minis2s, tmp_path):
    for student, text in {"anna": SOFTMAX, "=bert": NO_SHIFT, "carl": "def softmax(a:\n",
                          "dora": "import os\nos._exit(0)\n",
                          "emil": None}.items():
        folder = tmp_path / "class" / student
        folder.mkdir(parents=True)
        if text:
            (folder / "softmax.py").write_text(text)
    (tmp_path / "class" / "anna" / "rnn_step.py").write_text("def rnn_step(x, h_prev, W, U, b):\n    return "
                                                             "1\n")
    (tmp_path / "class" / "notes.txt").write_text("not a student")
    status, out, err = minis2s("grade", "class", "--csv", "marks.csv", "--seed", "8")
    assert status == 0 and "anna: 1 of 2" in err
    with open(tmp_path / "marks.csv", newline="", encoding="utf-8-sig") as f:
        table = {row["student"]: row for row in csv.DictReader(f)}
    assert list(table) == ["'=bert", "anna", "carl", "dora", "emil"]
    assert (table["anna"]["softmax"], table["anna"]["points"], table["anna"]["of"]) == ("passed", "1", "2")
    assert table["anna"]["rnn-step"].startswith("contract: h is an int")
    assert table["emil"]["softmax"] == "missing"
    assert "exp overflows" in table["'=bert"]["softmax"] and "not valid Python" in table["carl"]["softmax"]
    assert table["dora"]["softmax"].startswith("exit:")
    assert "marks.csv: exists already" in minis2s("grade", "class", "--csv", "marks.csv")[2]
    assert minis2s("grade", "class", "--csv", "marks.csv", "--only", "bptt", "--overwrite")[0] == 0
    assert (tmp_path / "marks.csv").read_text(encoding="utf-8-sig").splitlines()[1] == "'=bert,0,1,,missing"


def test_the_worker_runs_from_any_folder_with_the_same_python(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    (tmp_path / "softmax.py").write_text("import sys\nassert sys.executable == " + repr(sys.executable) + "\n"
                                         + SOFTMAX)
    report = check_file("softmax", tmp_path / "softmax.py")
    assert report["passed"], report["text"]
