"""README's way to step through a cell with a debugger works, every time, and its launch file is one."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import minis2s

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SECTION = README.partition("### Stepping through a cell\n")[2].partition("\n## ")[0]
PYTHON, LAUNCH = (re.search(rf"```{kind}\n(.*?)```", SECTION, re.S)[1] for kind in ("python", "json"))


def stepped(folder, *keys):
    """The output of the debugger for these keys, a list with what each printed."""
    (folder / "step.py").write_text(PYTHON, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(Path(minis2s.__file__).parents[1])}
    environment.pop("MINIS2S_BACKEND", None)
    done = subprocess.run([sys.executable, "step.py"], cwd=folder, input="\n".join([*keys, "q", ""]), text=True,
                          capture_output=True, env=environment, timeout=120)
    assert "Traceback" not in done.stdout, done.stdout
    return done.stdout.split("(Pdb) ")


def test_one_step_line_by_line_twice_the_same(tmp_path):
    keys = ["s", *["n"] * 6, "p x.shape", "p i.shape", "r", "s", "n", "s", "p k.f.shape"]
    first, again = stepped(tmp_path, *keys), stepped(tmp_path, *keys)
    assert first == again
    assert "--Call--" in first[1] and "lstm.py" in first[1] and "def step(" in first[1]
    shown = " ".join(first[2:8])
    assert "(L1)" in shown and "(L2)" in shown
    assert [first[8].strip(), first[9].strip()] == ["(1, 3)", "(1, 2)"]
    assert "--Return--" in first[10]
    assert [p.name for p in tmp_path.iterdir()] == ["step.py"]


def test_breakpoints_in_the_whole_model_and_the_loops_above_them(tmp_path):
    backward = re.search(r"`b (lstm\.\w*backward)`", SECTION)[1]
    out = stepped(tmp_path, "c", "b lstm.step", f"b {backward}", "c", "up", "p len(xs)", "cl 1", "c", "up", "up")
    expected = {1: "seq2seq.forward(", 2: "Breakpoint 1 at", 3: "Breakpoint 2 at", 4: "lstm.py", 5: "unroll.py",
                6: "3\n", 7: "Deleted breakpoint 1", 8: "lstm.py"}
    assert {i: text for i, text in expected.items() if text not in out[i]} == {}, out
    assert "backward()" in out[8] and any("recurrent.py" in text for text in out[9:11]), out


def test_every_key_that_the_text_names_is_tried_here():
    keys = set(re.findall(r"`((?:[a-z]{1,2}|up)(?: [\w. ]+)?)`", SECTION.replace(PYTHON, "").replace(LAUNCH, "")))
    own = Path(__file__).read_text(encoding="utf-8")
    assert {"s", "n", "c", "up", "q", "p i", "b lstm.step"} <= keys
    assert [key for key in keys if key.split()[0] not in re.findall(r'"(\w+)', own)] == []


def test_the_launch_file_is_whole():
    found, = json.loads(LAUNCH)["configurations"]
    assert found["program"] == "${workspaceFolder}/step.py" and found["request"] == "launch"
    assert "/tmp" not in SECTION and "Scripts" in SECTION


@pytest.mark.parametrize("mark", ["(L4)", "(L4*)"])
def test_the_search_for_a_mark_finds_it(mark):
    assert f'git grep -nF "{mark}"' in README
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        pytest.skip("no git repository here")
    found = subprocess.run(["git", "grep", "-nF", mark, "minis2s/layers"], cwd=root, text=True, capture_output=True)
    assert "lstm.py" in found.stdout
