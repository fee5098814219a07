"""Two processes, closed streams, full disks, lost interrupts: what happens to a run and what is said."""
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest

from commands import PAIRS, RESTLESS, SMALL, done, module, start, wait_for
from minis2s import Seq2Seq
from minis2s.api import signals
from minis2s.api.run import Run
from minis2s.cli import main as command_line, streams
from minis2s.training import loop

pytestmark = pytest.mark.usefixtures("no_pictures")
SLOW = ["--epochs", "100000", "--evaluate-every", "1"]


def contents(path):
    return {p.name: p.read_bytes() for p in path.iterdir()}


# Two processes -------------------------------------------------------------------------------------------

def test_the_second_process_in_a_run_is_refused_in_one_line(refused, data, tmp_path):
    """Whatever it wants to do; the first one goes on, and ends as ever."""
    out = tmp_path / "r"
    argv = ["train", "--pairs", data, "--valid", data, *SMALL]
    first = start(*argv, *SLOW, "--out", out)
    try:
        wait_for(first, lambda: len(Run(out).records()) >= 2)
        for more in (["--overwrite"], [], ["--resume"]):
            line = refused(*(argv if more != ["--resume"] else ["train"]), *more, "--out", out)
            assert f"r: in use by process {first.pid} on " in line, line
        assert Seq2Seq.load(out).params is not None                     # reading is free
    finally:
        first.send_signal(signal.SIGINT)
    assert done(first)[0] == 130
    assert not (out / ".lock").exists() and Run(out).read_records()[1] is None


def test_a_killed_owner_locks_nobody_out(data, tmp_path):
    out = tmp_path / "r"
    first = start("train", "--pairs", data, "--valid", data, *RESTLESS, "--out", out)
    wait_for(first, lambda: len(Run(out).records()) >= 2)
    first.kill()
    first.communicate()
    assert (out / ".lock").exists()
    assert done(start("train", "--resume", "--out", out))[0] == 0
    assert not (out / ".lock").exists()


# Streams that are closed ---------------------------------------------------------------------------------

@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", "2>/dev/full", "2> >(true)"])
def test_training_without_standard_error_trains_all_the_same(data, tmp_path, closed):
    """And what would be said there gets neither into the output nor into a file of the run."""
    argv = ["-m", "minis2s", "train", "--pairs", data, "--valid", data, *SMALL, "--epochs", "3", "--backend", "numpy",
            "--out", str(tmp_path / "r")]
    script = f"{shlex.join([sys.executable, *argv])} {closed}"
    got = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60,
                         env={**os.environ, "MPLBACKEND": "Agg"})
    assert got.returncode == 0, got
    assert b"epoch 1" not in got.stdout and (b"saved in" in got.stdout) == (">&- 2" not in closed)
    assert len(Seq2Seq.load(tmp_path / "r").records) == 3 and Run(tmp_path / "r").read_records()[1] is None


def test_no_streams_at_all_as_for_a_program_without_a_window(monkeypatch):
    """pythonw has None in their place; a host program may have closed them."""
    closed = io.StringIO()
    closed.close()
    for stream in (None, closed):
        monkeypatch.setattr(sys, "stderr", stream)
        model = Seq2Seq().fit(PAIRS, PAIRS, training=loop.Training(epochs=2))
        assert len(model.records) == 2


def test_notes_do_not_get_into_the_output(trained):
    script = f"{shlex.join([sys.executable, '-m', 'minis2s', 'translate', trained, 'axb'])} 2>&-"
    got = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60)
    assert got.returncode == 0 and b"unknown" not in got.stdout and got.stdout.count(b"\n") == 1


def test_closed_streams_are_given_numbers_of_their_own():
    code = ("import os\nfor n in (0, 1, 2): os.close(n)\nimport sys\nsys.stdout = sys.stderr = None\n"
            "from minis2s.cli.streams import repair\nrepair()\n"
            "f = open(sys.argv[1], 'w')\nprint('said'); print('said', file=sys.stderr)\nos.write(2, b'said')\n"
            "f.write(str(f.fileno()))\n")
    path = "/tmp/streams-test" if not os.environ.get("TMPDIR") else os.environ["TMPDIR"] + "/streams-test"
    got = subprocess.run([sys.executable, "-c", code, path], timeout=60)
    text = open(path).read()
    os.unlink(path)
    assert got.returncode == 0 and text.isdecimal() and int(text) > 2


# Names and texts that are no UTF-8, control characters ----------------------------------------------------

@pytest.mark.parametrize("environment", [{"PYTHONUTF8": "1"}, {"PYTHONIOENCODING": "utf-8:strict"},
                                         {"PYTHONIOENCODING": "ascii:strict", "PYTHONUTF8": "0", "LC_ALL": "C"}])
def test_a_run_whose_name_is_not_utf8(data, environment):
    folder = f"/dev/shm/minis2s-{os.getpid()}"
    os.makedirs(folder)
    try:
        out = os.fsdecode(f"{folder}/r-".encode() + b"\xff")
        pairs = os.fsdecode(f"{folder}/p-".encode() + b"\xff.tsv")
        shutil.copy(data, pairs)
        got = module("train", "--pairs", pairs, *SMALL, "--epochs", "1", "--backend", "numpy", "--out", out,
                     env={**os.environ, **environment})
        assert got.returncode == 0 and b"r-\\udcff" in got.stdout, got
        assert module("evaluate", out, env={**os.environ, **environment}).returncode == 0
        assert Seq2Seq.load(out).origin["pairs"] == pairs
    finally:
        shutil.rmtree(folder)


def test_messages_have_no_control_characters_and_are_not_endless(refused, call, trained, tmp_path):
    for argv in (["translate", "\x1b[31m\x07nowhere", "a"], ["train", "--out", "x" * 5000, "--pairs", "y\x1b[2J"],
                 ["translate", trained, "ab", "--beam", "\x1b[31m"], ["train", "--\x1b[31m"], ["\x1b[31m"],
                 ["train", "\x1b]0;title\x07" + "z" * 9000], ["evaluate", trained, "--pairs", "\u202eevil"]):
        line = refused(*argv)
        assert line.isprintable() and len(line) < 1200, argv
    _, out, err = call("translate", trained, "a\u202eb" + "\U000e0001" * 300)
    assert err and all(line.isprintable() and len(line) < 1200 for line in err.splitlines()), err


def test_one_line_is_printable_short_and_keeps_both_ends():
    assert streams.one_line("a  b\n c\td") == "a b c d"
    assert streams.one_line("\x1b[31m\u202eé\ud800") == "\\x1b[31m\\u202eé\\ud800"
    long = streams.one_line("begin " + "x" * 9000 + " end")
    assert len(long) <= streams.LONGEST and long.startswith("begin xxx")
    assert long.endswith("xxx end") and " ... " in long


# Full disks ----------------------------------------------------------------------------------------------

FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), -1))
""" + "from minis2s.cli import main as cli\nsys.exit(cli.main())\n"


def test_overwriting_on_a_full_disk_leaves_the_old_run(data, tmp_path):
    """Configuration and vocabulary find room, weights do not: nothing of the old run is replaced."""
    out = tmp_path / "r"
    argv = ["train", "--pairs", data, "--valid", data, *SMALL, "--epochs", "1", "--out", out]
    assert done(start(*argv))[0] == 0
    before = contents(out)
    for room in (100, 3000, 9000, 20000):
        status, _, err = done(start(room, *argv, "--overwrite", "--seed", "9", script=FULL))
        assert status == 2 and err.count("minis2s: ") == 1 and "File too large" in err and ".tmp-" not in err, err
        assert str(out) in err
        assert contents(out) == before, room


# Interrupts ----------------------------------------------------------------------------------------------

LOST = """
import ctypes, signal, sys
from minis2s.cli import main as cli
from minis2s.data import corpus
from minis2s import Seq2Seq
Seq2Seq._draw = lambda *_: None
build, CALL = corpus.build, ctypes.CFUNCTYPE(None)
def interrupted(*args, **options):                  # as in a callback of LLVM: Python drops the exception
    CALL(lambda: signal.raise_signal(signal.SIGINT))()
    return build(*args, **options)
corpus.build = interrupted
sys.exit(cli.main())
"""


def test_an_interrupt_lost_in_a_compiled_library_stops_training(data, tmp_path):
    status, out, err = done(start("train", "--pairs", data, "--valid", data, *SMALL, *SLOW, "--out", tmp_path / "r",
                                  script=LOST))
    assert status == 130 and "go on with --resume" in out and "ignored" not in err
    assert len(Run(tmp_path / "r").records()) <= 1


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("where", ["evaluate", "translate", "tasks", "import"])
def test_every_command_ends_with_the_signals_status(call, trained, monkeypatch, number, status, where):
    """And without a traceback: while it computes, and while it is still being imported."""
    def stop(*_, **__):
        signal.raise_signal(number)
    if where == "import":
        monkeypatch.setattr("minis2s.cli.main.import_module", stop)
    elif where == "tasks":
        monkeypatch.setattr("minis2s.cli.tasks.load", stop)
    else:
        monkeypatch.setattr("minis2s.api.answering.search", stop)
        monkeypatch.setattr("minis2s.api.evaluation.loop.validate", stop)
    argv = {"evaluate": [trained], "translate": [trained, "ab"]}.get(where, [])
    got, out, err = call(where if where != "import" else "tasks", *argv)
    assert got == status and err == "", (got, err)
    assert signals.Pending.number is None


def test_an_interrupt_that_a_library_turned_into_an_error_is_none(call, trained, monkeypatch):
    def wrapped(*_):
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise ValueError("failed to compile") from None
    monkeypatch.setattr("minis2s.api.answering.search", wrapped)
    assert call("translate", trained, "ab") == (130, "", "")


@pytest.mark.parametrize("number", signals.STOPS)
def test_an_interrupt_that_became_another_error(monkeypatch, capsys, number):
    """As Python makes a RuntimeError of what is raised while a class is being made."""
    def importing(argv):
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt as e:
            raise RuntimeError("Error calling __set_name__") from e
    monkeypatch.setattr(command_line, "command", importing)
    assert command_line.main(["summary"]) == 128 + number and signals.Pending.number is None
    assert capsys.readouterr() == ("", "")


def test_ctrl_c_in_the_first_half_second_is_no_traceback(trained):
    """At any moment after Python itself has started."""
    for i in range(12):
        process = subprocess.Popen([sys.executable, "-X", "importtime", "-m", "minis2s", "summary", trained],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for line in process.stderr:
            if "minis2s.api.signals" in line:
                break
        time.sleep(0.03 * i)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        lines = [line for line in err.splitlines() if not line.startswith("import time:")]
        # the last: Python itself was ending, and a shell calls that 130, too
        assert process.returncode in (0, 130, -signal.SIGINT) and not lines, (process.returncode, lines)


# Records -------------------------------------------------------------------------------------------------

def test_summary_says_that_a_record_is_broken(call, trained, tmp_path):
    run = Run(shutil.copytree(trained, tmp_path / "copy"))
    lines = run.metrics.read_text().splitlines()
    row = json.loads(lines[5])
    for broken, told in ((json.dumps({**row, "epoch": float("nan")}), "NaN is no JSON number"), ("{" * 5, "not JSON"),
                         ('{"a":' + "[" * 100_000, "nested deeper")):
        run.metrics.write_text("\n".join([*lines[:5], broken, *lines[6:]]) + "\n")
        status, out, err = call("summary", run.path)
        assert status == 0 and "trained for 5 epochs" in out and "nan epochs" not in out
        assert "metrics.jsonl, line 6: not JSON" in err and told in err and "nor are the 114 lines after it" in err


def test_resuming_says_what_it_does_with_a_broken_record(call, data, tmp_path):
    out = tmp_path / "r"
    assert call("train", "--pairs", data, "--valid", data, *SMALL, "--epochs", "3", "--out", out)[0] == 0
    run = Run(out)
    run.metrics.write_text(run.metrics.read_text().replace('"epoch": 2', '"epoch": NaN'))
    status, _, err = call("train", "--resume", "--epochs", "4", "--out", out)
    assert status == 0 and "metrics.jsonl, line 2: not JSON (NaN is no JSON number)" in err
    assert [r["epoch"] for r in run.records()] == [1, 4]


def test_fewer_epochs_than_there_were(refused, call, data, tmp_path):
    out = tmp_path / "r"
    assert call("train", "--pairs", data, "--valid", data, *SMALL, "--epochs", "5", "--out", out)[0] == 0
    before = contents(out)
    line = refused("train", "--resume", "--epochs", "2", "--out", out)
    assert "--epochs 2: " in line and "has completed 5 epochs; wanted 5 or more in all" in line
    assert contents(out) == before
    status, _, err = call("train", "--resume", "--out", out)
    assert status == 0 and "5 epochs completed, nothing is left to train" in err


# Runs and files that were moved --------------------------------------------------------------------------

LINES = "".join(f"{x}{y}\t{y}{x}\n" for x in "abcdefgh" for y in "abcdefgh")


@pytest.fixture
def moved(call, tmp_path):
    """A run of two epochs, in a folder with its pairs file: -> folder of both, argv to make it again."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "p.tsv").write_text(LINES)
    # whatever the epochs
    argv = ["train", "--pairs", home / "p.tsv", *SMALL, "--lr", "0.003", "--lr-final", "0.003"]
    assert call(*argv, "--epochs", "2", "--out", home / "r")[0] == 0
    return home, argv


def test_a_run_that_moved_with_its_pairs_goes_on(call, moved, tmp_path):
    home, argv = moved
    assert call(*argv, "--epochs", "4", "--out", tmp_path / "whole")[0] == 0
    os.rename(home, tmp_path / "elsewhere")
    out = tmp_path / "elsewhere" / "r"
    held_out = json.loads(call("evaluate", out, "--json")[1])
    assert held_out["pairs"] == 3
    assert call("train", "--resume", "--epochs", "4", "--out", out)[0] == 0
    for name in ("weights.safetensors", "checkpoint.safetensors"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert json.loads((out / "config.json").read_text())["origin"]["pairs"] == str(tmp_path / "elsewhere" / "p.tsv")


def test_pairs_that_moved_are_recognized_wherever_they_are(call, refused, moved, tmp_path):
    home, _ = moved
    os.rename(home / "p.tsv", tmp_path / "other-name.txt")
    for argv in (["train", "--resume", "--epochs", "3", "--out", home / "r"], ["evaluate", home / "r"]):
        line = refused(*argv)
        assert "p.tsv: no such file; name the file with --pairs FILE" in line and "recognized by its content" in line
    (home / "p.tsv").write_text("a\tb\nc\td\n")                         # another file in its place is not its pairs
    for argv in (["train", "--resume", "--epochs", "3", "--out", home / "r"], ["evaluate", home / "r"]):
        assert "p.tsv: these are not the pairs that the run was trained on" in refused(*argv)
    line = refused("train", "--resume", "--epochs", "3", "--out", home / "r", "--pairs", home / "p.tsv")
    assert "these are not the pairs" in line
    resumed = call("train", "--resume", "--epochs", "3", "--out", home / "r", "--pairs", tmp_path / "other-name.txt")
    assert resumed[0] == 0
    assert call("train", "--resume", "--epochs", "4", "--out", home / "r")[0] == 0      # its place is known now
    assert call("evaluate", home / "r")[0] == 0


def test_the_file_trained_on_is_not_scored_as_unseen(call, moved, tmp_path):
    """Under any name: only what was held out of it is; and of another file it is said how much was trained on."""
    home, _ = moved
    os.rename(home / "p.tsv", tmp_path / "other-name.txt")
    status, out, err = call("evaluate", home / "r", "--pairs", tmp_path / "other-name.txt", "--json")
    assert json.loads(out)["pairs"] == 3 and "its 3 held-out pairs are scored" in err
    (tmp_path / "t.tsv").write_text("".join(LINES.splitlines(True)[:10]) + "zz\tzz\n")
    status, out, err = call("evaluate", home / "r", "--pairs", tmp_path / "t.tsv", "--json")
    assert json.loads(out)["pairs"] == 11 and "are not at hand, so it is not known whether these are unseen" in err
    os.rename(tmp_path / "other-name.txt", home / "p.tsv")
    status, out, err = call("evaluate", home / "r", "--pairs", tmp_path / "t.tsv", "--json")
    assert json.loads(out)["pairs"] == 11 and "of these 11 pairs are not unseen" in err


def test_a_validation_file_that_moved(call, refused, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "p.tsv").write_text(LINES)
    (home / "v.tsv").write_text("ax\txa\nbx\txb\n")
    argv = ["--epochs", "1", *SMALL, "--out", tmp_path / "r"]
    assert call("train", "--pairs", home / "p.tsv", "--valid", home / "v.tsv", *argv)[0] == 0
    os.rename(home / "v.tsv", tmp_path / "w.tsv")
    assert "v.tsv: no such file" in refused("train", "--resume", "--epochs", "2", "--out", tmp_path / "r")
    assert call("train", "--resume", "--epochs", "2", "--out", tmp_path / "r", "--valid", tmp_path / "w.tsv")[0] == 0
    assert json.loads(call("evaluate", tmp_path / "r", "--json")[1])["pairs"] == 2
    assert call("train", "--pairs", home / "p.tsv", *SMALL, "--epochs", "1", "--out", tmp_path / "s")[0] == 0
    assert "was begun without --valid" in refused("train", "--resume", "--out", tmp_path / "s", "--valid",
                                                  tmp_path / "w.tsv")


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_picture_of_a_model_that_was_stopped_is_not_drawn(call, monkeypatch, tmp_path, number, status):
    """A half-trained model would be drawn over the picture that there is."""
    monkeypatch.setenv("MINIS2S_BACKEND", "numpy")
    monkeypatch.setattr(loop, "run", lambda config, training, *_, **__: (
        signal.raise_signal(number), loop.begin(config, training))[1])
    for suffix in ("png", "svg"):
        (tmp_path / f"dates_attention.{suffix}").write_text("mine")
    got, out, err = call("figures", "dates_attention", "--out", tmp_path, "--overwrite")
    assert got == status and "Traceback" not in err and "dates_attention.png" not in out, (got, err)
    kept = {p.name: p.read_text() for p in tmp_path.iterdir()}
    assert kept == {f"dates_attention.{s}": "mine" for s in ("png", "svg")}


def test_a_measurement_that_was_stopped_ends_with_the_signals_status(call, monkeypatch):
    from minis2s import bench
    monkeypatch.setattr(bench, "run", lambda *_: signal.raise_signal(signal.SIGINT))
    status, out, err = call("bench", "step", "--first", "1")
    assert status == 130 and "Traceback" not in err
