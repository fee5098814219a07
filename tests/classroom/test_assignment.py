"""A class: the hand-out, whose file is which exercise, grading, pages, and what happens when it is stopped."""
import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import zipfile

import pytest

from minis2s.classroom.assignment import pages
from minis2s.classroom.assignment.grade import _late, grade
from minis2s.classroom.assignment.make import assignment, load, make
from minis2s.classroom.assignment.submissions import from_notebook, listed, match, plain, submissions
from minis2s.classroom.exercises import progress
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
RNN = "import numpy as np\ndef rnn_step(x, h_prev, W, U, b):\n    return np.tanh(x @ W + h_prev @ U + b)\n"


@pytest.fixture
def minis2s(monkeypatch, tmp_path, capsys):
    """Run `minis2s class ...` in an empty folder: -> status, output, errors."""
    monkeypatch.chdir(tmp_path)

    def run(*argv):
        try:
            status = cli.main(["class", *argv])
        except SystemExit as e:                                 # argparse
            status = e.code
        out, err = capsys.readouterr()
        return status, out, err
    return run


def handed_in(folder, **students):
    """A folder for each student, with files name -> text."""
    for student, files in students.items():
        for name, text in files.items():
            path = folder / student / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


def rows(path):
    with open(path, newline="", encoding="utf-8-sig") as f:
        return {row["student"]: row for row in csv.DictReader(f)}


# the hand-out --------------------------------------------------------------------------------------------

def test_a_hand_out_has_stubs_a_readme_and_a_check_that_runs_and_no_solution(minis2s, tmp_path):
    status, out, _ = minis2s("make", "homework", "--exercises", "softmax,rnn-step", "--points", "rnn-step=2",
                             "--due", "2031-05-06", "--title", "Week 1")
    folder = tmp_path / "homework"
    assert status == 0 and "class grade SUBMISSIONS --assignment homework" in out
    assert sorted(p.name for p in folder.iterdir()) == ["README.md", "assignment.json", "check.py", "rnn_step.py",
                                                        "softmax.py"]
    text = (folder / "README.md").read_text()
    assert "Week 1" in text and "2031-05-06" in text and "| `rnn_step.py` | one step of an RNN | 2 |" in text
    assert load(folder) == assignment("Week 1", ["softmax", "rnn-step"], "rnn-step=2", "2031-05-06")
    assert "BEGIN SOLUTION" not in "".join(p.read_text() for p in folder.iterdir())

    def check(*argv):
        done = subprocess.run([sys.executable, "check.py", *argv], cwd=folder, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr
    status, said = check()
    assert status == 1 and said.count("not implemented yet") == 2 and "0 of 2 passed" in said
    (folder / "softmax.py").write_text(SOFTMAX)
    assert check("softmax")[0] == 0 and "hint 2" in check("rnn-step", "--hint", "2")[1]
    assert progress.table(folder).splitlines()[-1] == "1 of 2 passed"
    assert check("nonsense")[0] == 2


def test_variants_ask_for_the_id_and_give_everyone_numbers_of_their_own(tmp_path):
    made = assignment("A", ["softmax"], variants=True)
    make(tmp_path / "a", made)
    seeds = {made.seed(name) for name in ("anna", "bert", "carl")}
    assert len(seeds) == 3 and made.seed("Anna ") == made.seed("anna")
    assert assignment("A", ["softmax"]).seed("x", 4) == 4
    run = [sys.executable, str(tmp_path / "a" / "check.py")]
    done = subprocess.run(run, capture_output=True, text=True)
    assert done.returncode == 2 and "student.txt" in done.stderr
    (tmp_path / "a" / "student.txt").write_text("anna\n")
    assert subprocess.run(run, capture_output=True, text=True).returncode == 1


@pytest.mark.parametrize("argv, phrase", [
    (("make", "a", "--exercises", "softmx"), "did you mean softmax"), (("make", "a"), "--exercises"),
    (("make", ".", "--exercises", "softmax", "--points", "bptt=2"), "--points bptt=2: wanted"),
    (("make", "a", "--exercises", "softmax", "--points", "softmax=much"), "--points softmax=much: wanted"),
    (("make", "a", "--exercises", "softmax", "--due", "tomorrow"), "--due tomorrow: wanted a date"),
    (("make", "a", "--exercises", "softmax", "--wheel", "minis2s.zip"), "--wheel minis2s.zip: wanted"),
    (("grade", "nowhere", "--csv", "m.csv"), "nowhere is no folder"),
    (("grade", ".", "--csv", "m.csv", "--jobs", "0"), "--jobs 0: wanted 1 or more"),
    (("grade", ".", "--csv", "m.csv", "--assignment", "nowhere"), "there is no nowhere"),
    (("grade", ".", "--csv", "m.csv", "--assignment", ".", "--exercises", "softmax"), "goes without"),
])
def test_bad_calls_end_with_status_2_and_one_line(minis2s, argv, phrase):
    status, out, err = minis2s(*argv)
    assert status == 2 and phrase in err and "Traceback" not in err and out == ""


def test_a_hand_out_says_how_to_install_and_brings_the_wheel(minis2s, tmp_path):
    assert "that your teacher gives you" in make(tmp_path / "a", assignment("A", ["softmax"]))[1].read_text()
    (tmp_path / "minis2s-1-py3-none-any.whl").write_bytes(b"built")
    assert minis2s("make", "b", "--exercises", "softmax", "--wheel", "minis2s-1-py3-none-any.whl")[0] == 0
    assert (tmp_path / "b" / "minis2s-1-py3-none-any.whl").read_bytes() == b"built"
    assert "pip install minis2s-1-py3-none-any.whl`, in this folder" in (tmp_path / "b" / "README.md").read_text()


def test_a_hand_out_is_never_written_over_files(tmp_path):
    (tmp_path / "old.txt").write_text("mine")
    with pytest.raises(ValueError, match="exists already"):
        make(tmp_path, assignment("A", ["softmax"]))
    assert [p.name for p in tmp_path.iterdir()] == ["old.txt"]


# whose file is what --------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["softmax.py", "Softmax.py", "softmax (1).py", "softmax-copy.py", "Softmax - Copy.py",
                                  "softmax_final.py", "SOFTMAX (12).PY", "anna_softmax.py", "softmax.py.txt",
                                  "Exercise 1 softmax.py", "homework.py"])
def test_names_are_matched_tolerantly(tmp_path, name):
    handed_in(tmp_path, anna={f"week 1/{name}": SOFTMAX})
    found = match(listed(tmp_path / "anna"), ["softmax", "rnn_step"])
    assert [p.name for p, _ in found.values()] == [name] and list(found) == ["softmax"]
    assert (found["softmax"][1] == "") == (name == "softmax.py")


def test_a_longer_name_is_not_taken_for_a_shorter_one(tmp_path):
    handed_in(tmp_path, anna={"rnn_step_backward.py": "x", "my rnn_step.py": "y"})
    found = match(listed(tmp_path / "anna"), ["rnn_step", "rnn_step_backward"])
    assert {f: p.name for f, (p, _) in found.items()} == {"rnn_step": "my rnn_step.py",
                                                          "rnn_step_backward": "rnn_step_backward.py"}
    assert plain("LSTM-Step (2).py") == "lstm_step"


def test_of_two_files_the_exact_name_wins_and_else_the_newest(tmp_path):
    handed_in(tmp_path, anna={"softmax (1).py": "a", "softmax (2).py": "b"})
    os.utime(tmp_path / "anna" / "softmax (1).py", (2e9, 2e9))
    path, remark = match(listed(tmp_path / "anna"), ["softmax"])["softmax"]
    assert path.name == "softmax (1).py" and "2 files fit" in remark
    handed_in(tmp_path, anna={"softmax.py": "c"})
    assert match(listed(tmp_path / "anna"), ["softmax"])["softmax"][0].name == "softmax.py"


def test_links_pipes_and_huge_files_are_left_alone(tmp_path):
    handed_in(tmp_path, anna={"notes.md": "x"})
    secret = tmp_path / "secret.py"
    secret.write_text(SOFTMAX)
    (tmp_path / "anna" / "softmax.py").symlink_to(secret)
    (tmp_path / "anna" / "rnn_step.py").write_bytes(b"#" * (2 << 20))
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "anna" / "bptt.py")
    assert listed(tmp_path / "anna") == []


def test_a_notebook_gives_its_functions_and_not_its_judge():
    cells = [("import numpy as np\nfrom minis2s.classroom.notebooks import judge", "code"), ("# text", "markdown"),
             ("%matplotlib inline\ndef softmax(a):\n    return np.exp(a)", "code"),
             ("judge = lambda *a: print('ok')\njudge('softmax', softmax)\n1 / 0", "code"), ("def broken(", "code")]
    text = json.dumps({"cells": [{"cell_type": kind, "source": [source]} for source, kind in cells]})
    source = from_notebook(text)
    assert "def softmax(a):" in source and not re.search("judge|1 / 0|minis2s|broken", source)
    assert "no notebook" in from_notebook("{") and "no notebook" in from_notebook("[" * 100000)


# grading -------------------------------------------------------------------------------------------------

def test_a_class_is_graded_whatever_is_handed_in(minis2s, tmp_path):
    work = tmp_path / "class"
    handed_in(work, anna={"softmax.py": SOFTMAX, "rnn_step.py": RNN},
              bert={"deep/er/Softmax (1).py": NO_SHIFT, "rnn_step.py": RNN.replace("h_prev @ U", "h_prev @ U.T")},
              carl={"softmax.py": "def softmax(a:\n"}, dora={"notes.md": "sorry"},
              emil={"softmax.py": "from minis2s.core.functions import softmax\n"})
    notebook = {"cells": [{"cell_type": "code", "source": SOFTMAX}]}
    handed_in(work, **{"=frieda": {"week1.ipynb": json.dumps(notebook)}})
    with zipfile.ZipFile(work / "Gerd Meier_4711_assignsubmission_file_.zip", "w") as z:
        z.writestr("Gerd/softmax.py", SOFTMAX)
        z.writestr("../../evil.py", "1 / 0")
        z.writestr("__MACOSX/._softmax.py", "garbage")
    (work / "broken.zip").write_bytes(b"PK nonsense")
    (work / "feedback.txt").write_text("not a student")
    assert minis2s("make", "homework", "--exercises", "softmax,rnn-step", "--points", "rnn-step=2", "--due",
                   "2001-01-01")[0] == 0
    status, out, err = minis2s("grade", "class", "--assignment", "homework", "--csv", "m.csv", "--html", "report",
                               "--json", "m.json", "--seed", "5")
    assert status == 0 and "anna: 3 of 3 points" in err and out == ""
    table = rows(tmp_path / "m.csv")
    assert (tmp_path / "m.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    assert list(table) == ["'=frieda", "Gerd Meier", "anna", "bert", "broken", "carl", "dora", "emil"]
    points = {name: row["points"] for name, row in table.items()}
    assert points == {"'=frieda": "1", "Gerd Meier": "1", "anna": "3", "bert": "0", "broken": "0", "carl": "0",
                      "dora": "0", "emil": "1"}
    assert table["dora"]["softmax"] == "missing" and "exp overflows" in table["bert"]["softmax"]
    assert "transposed" in table["bert"]["rnn-step"] and "not valid Python" in table["carl"]["softmax"]
    assert table["emil"]["softmax"] == "passed (look at the file)"
    assert table["anna"]["late"] == "yes" and table["dora"]["late"] == ""
    assert not (tmp_path / "evil.py").exists() and not (tmp_path.parent / "evil.py").exists()
    index = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "What to explain again" in index and "exp overflows" in index and "2 of 8" not in index[:300]
    assert "1 uses the library minis2s itself" in index and "http" not in index
    page = (tmp_path / "report" / pages.file_name("bert")).read_text(encoding="utf-8")
    assert "exp overflows" in page and "next:" in page and "def softmax" not in page
    assert f'href="{pages.file_name("bert")}"' in index
    made = json.loads((tmp_path / "m.json").read_text())
    assert made["students"][2]["reports"]["rnn-step"]["passed"] is True
    assert "exists already" in minis2s("grade", "class", "--csv", "m.csv")[2]
    status = minis2s("grade", "class", "--csv", "m.csv", "--overwrite", "--exercises", "rnn-step", "--pass", "1")[0]
    assert status == 1 and rows(tmp_path / "m.csv")["anna"]["rnn-step"] == "passed"


HOSTILE = {
    "endless": "def {f}(*a):\n    while True:\n        pass\n",
    "killer": "import os\nos.kill(os.getppid(), 9)\nos.killpg(0, 9)\n",
    "deleter": "import os, shutil\nfor top in ('.', '..', '{victim}'):\n    shutil.rmtree(top, ignore_errors=True)\n"
               "def {f}(*a):\n    return 1\n",
    "faker": "import numpy as np\nnp.exp = np.tanh = lambda x: x\nimport minis2s\nminis2s.check = print\n"
             "def {f}(*a):\n    return a[0]\n",
}


def test_hostile_students_cost_only_themselves(tmp_path):
    work, victim = tmp_path / "class", tmp_path / "class" / "anna" / "precious"
    handed_in(work, anna={"softmax.py": SOFTMAX, "rnn_step.py": RNN, "precious/notes.py": "# mine"},
              zoe={"softmax.py": SOFTMAX, "rnn_step.py": RNN},
              **{name: {f"{f}.py": text.format(f=f, victim=victim) for f in ("softmax", "rnn_step")}
                 for name, text in HOSTILE.items()})
    short = assignment("A", ["softmax", "rnn-step"])
    done = {r["student"]: r for r in grade(work, tmp_path / "m.csv", short, seed=3)}
    assert {name: r["points"] for name, r in done.items()} == {"anna": 2, "zoe": 2, **dict.fromkeys(HOSTILE, 0)}
    assert done["endless"]["reports"]["softmax"]["verdict"] == "time"
    assert (work / "deleter" / "softmax.py").exists()           # a copy was run
    probe = "from minis2s.classroom.judge.guard import write_only_below as w; print(w(['/tmp']))"
    if subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True).stdout == "True\n":
        assert (victim / "notes.py").exists()                   # where the kernel has Landlock


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_stopped_in_the_middle_nothing_is_lost_and_nothing_runs_on(tmp_path):
    handed_in(tmp_path / "class", anna={"softmax.py": SOFTMAX},
              **{f"slow{k}": {"softmax.py": "import time\ntime.sleep(600)\n"} for k in range(3)})
    program = ("import sys\nfrom minis2s.cli.main import main\n"
               "sys.exit(main(['class', 'grade', 'class', '--csv', 'm.csv', '--jobs', '2']))")
    running = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if (tmp_path / "m.csv").exists() and "anna" in (tmp_path / "m.csv").read_text(encoding="utf-8-sig"):
            break
        time.sleep(0.05)
    begin = time.monotonic()
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=60)[1]
    assert time.monotonic() - begin < 5 and running.returncode == 130, said
    assert "Traceback" not in said and rows(tmp_path / "m.csv")["anna"]["softmax"] == "passed"


def test_submissions_need_a_folder(tmp_path):
    with pytest.raises(ValueError, match="wanted one for each student"):
        submissions(tmp_path)
    handed_in(tmp_path, anna={"a.md": "x"})
    with pytest.raises(ValueError, match="holds an exercise"):
        grade(tmp_path, tmp_path / "m.csv")
    assert not (tmp_path / "m.csv").exists()


def test_late_is_what_is_newer_than_the_day_itself(tmp_path):
    """The newest file decides, and the whole of the last day is in time."""
    def file(name, moment):
        path = tmp_path / name
        path.write_text("")
        os.utime(path, (time.mktime(time.strptime(moment, "%Y-%m-%d %H:%M")),) * 2)
        return path, ""
    early, last, behind = (file(*one)
                           for one in (("a", "2026-11-29 08:00"), ("b", "2026-12-01 23:59"), ("c", "2026-12-02 00:01")))
    for own, wanted in (({"f": early}, "no"), ({"f": early, "g": last}, "no"), ({"f": behind, "g": early}, "yes"),
                        ({"f": last, "g": behind}, "yes"), ({}, "")):
        assert _late(own, "2026-12-01") == wanted, own
    assert _late({"f": behind}, "") == ""


def test_a_cell_that_does_not_parse_hides_no_other():
    cells = ["a = 1", "def softmax(a:", "%timeit f()\ndef softmax(a):\n    return a", "softmax(",
             "def more(b):\n    return b"]
    source = from_notebook(json.dumps({"cells": [{"cell_type": "code", "source": [cell]} for cell in cells]}))
    world = {}
    exec(source, world)
    assert world["softmax"](3) == 3 and world["more"](4) == 4 and "a" not in world


def test_marks_and_pages_that_exist_are_kept(minis2s, tmp_path):
    (tmp_path / "class" / "anna").mkdir(parents=True)
    (tmp_path / "class" / "anna" / "softmax.py").write_text(SOFTMAX)
    (tmp_path / "report").mkdir()
    for name in ("m.csv", "m.json"):
        (tmp_path / name).write_text("mine")
    for argv, told in ((("--csv", "m.csv"), "m.csv: exists already"),
                       (("--csv", "n.csv", "--json", "m.json"), "m.json: exists already"),
                       (("--csv", "n.csv", "--html", "report"), "report exists already")):
        status, _, err = minis2s("grade", "class", *argv)
        assert status == 2 and told in err and "--overwrite" in err, err
    assert not (tmp_path / "n.csv").exists()
    assert (tmp_path / "m.csv").read_text() == (tmp_path / "m.json").read_text() == "mine"


def test_an_exercise_that_is_named_twice_is_one():
    made = assignment("Week 1", ["softmax", "rnn-step", "softmax"], "softmax=2")
    assert made.exercises == ("softmax", "rnn-step")
    assert made.points == {"softmax": 2, "rnn-step": 1} and made.total == 3
