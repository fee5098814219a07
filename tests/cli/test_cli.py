"""The command line: what it prints, what it refuses, and how it ends when it is stopped."""
import gzip
import io
import json
import os
import re
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from commands import PAIRS, RESTLESS, SIGNALLED, SMALL, done, module, start, wait_for
from minis2s import Config, Seq2Seq
from minis2s.api import answering, backends, evaluation
from minis2s.api.backends import ANSWERING, choose
from minis2s.api.run import Run
from minis2s.api.signals import Stopped
from minis2s.cli import main as cli, sources
from minis2s.training import loop as train

pytestmark = pytest.mark.usefixtures("no_pictures")
OPENING = ["pairs", "source", "target", "model", "compute"]     # the lines before the first epoch


# What it prints ------------------------------------------------------------------------------------------

def version():
    """What setup.cfg says, which is what an installer sees."""
    return re.search(r"^version = (.*)$", (Path(__file__).parents[2] / "setup.cfg").read_text(), re.M)[1]


def test_help_has_examples(call):
    status, out, _ = call("--help")
    names = [name.rstrip("_") for name in cli.COMMANDS]                  # class_.py is the command `class`
    assert status == 0 and all(name in out for name in names)
    for name in names:
        status, out, _ = call(name, "--help")
        assert status == 0 and f"minis2s {name}" in out.split("examples:")[1]
    assert call("--version")[:2] == (0, f"minis2s {version()}\n")


def test_tasks(call):
    status, out, _ = call("tasks")
    assert status == 0
    assert {"copy", "reverse", "addition", "dates", "numbers",
            "phrases"} <= {line.split()[0] for line in out.splitlines()}


def test_every_option_says_its_default():
    """Also those that are None until the rest is known: no person should have to guess."""
    import argparse
    top = cli.parser()
    for name, sub in next(a for a in top._actions if isinstance(a, argparse._SubParsersAction)).choices.items():
        if name not in ("train", "evaluate", "translate"):
            continue
        for action in sub._actions:
            flag = isinstance(action, argparse._StoreTrueAction | argparse._HelpAction)
            if action.help != argparse.SUPPRESS and action.option_strings and not flag:
                said = "default" in action.help or action.dest in ("pairs", "valid", "budget", "attention_map")
                assert said and "None" not in action.help, (name, action.dest)


def test_the_options_of_a_task_are_shown(call):
    """By `tasks` and by the help of `train`; a command line with them spelled out is the task."""
    from minis2s.cli import train_options
    from minis2s.tasks import TASKS
    shown = call("train", "--help")[1]
    for name, task in TASKS.items():
        status, out, _ = call("tasks", name)
        text = train_options.as_text(task.options)
        assert status == 0 and f"its own options: {text}\n" in out and len(re.findall(r"""['"] -> ['"]""", out)) == 5
        assert re.search(rf"^  {name} +{re.escape(text)}$", shown, re.M)
        top = cli.parser(["train"]).parse_args(["train", name, *text.split()])
        from minis2s import Training
        assert {**train_options.given(top, Config), **train_options.given(top, Training)} == task.options
    status, _, err = call("tasks", "datse")
    assert status == 2 and err.startswith("minis2s: no task 'datse'")


def test_training_a_task(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = call("train", "copy", "--size", "30", "--epochs", "2", *SMALL)
    assert status == 0 and "saved in runs/copy: " in out and "minis2s translate runs/copy" in out
    assert re.search(r"1,000 unseen texts: exact match \d", out) and out.count("  ->  ") >= 8
    assert err.startswith("pairs    30 to learn from") and "epoch 1: loss" in err
    assert "\r" not in err and err.count("\n") == 7
    model = Seq2Seq.load("runs/copy")
    assert (model.config.hidden, model.config.embedding, len(model.records)) == (16, 8, 2)
    assert call("train", "copy", "--resume", "--epochs", "3")[0] == 0
    assert len(Seq2Seq.load("runs/copy").records) == 3
    status, out, _ = call("evaluate", "runs/copy")
    assert status == 0 and re.search(r"sources +1000\n", out)
    assert call("train", "copy", "--size", "30", "--epochs", "1", *SMALL, "--overwrite")[0] == 0
    assert len(Seq2Seq.load("runs/copy").records) == 1


def test_texts_that_begin_with_a_dash_stand_behind_two(call, refused, trained):
    for argv in ((trained, "--", "-ab"), (trained, "--beam", "2", "--", "-ab"),
                 (trained, "ab", "--beam", "2", "--", "-ab"), ("--beam", "2", trained, "--", "-ab")):
        status, out, _ = call("translate", *argv)
        assert status == 0 and len(out.splitlines()) == 1 + ("ab" in argv), argv
    assert "unrecognized arguments: --bema" in refused("translate", trained, "--bema", "2", "--", "-ab")
    assert "unrecognized arguments" in refused("evaluate", trained, "--", "-ab")


def test_pairs_of_a_pipe_and_of_a_hidden_file(call, data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    read, write = os.pipe()
    os.write(write, open(data, "rb").read())
    os.close(write)
    assert call("train", "--pairs", f"/dev/fd/{read}", *SMALL, "--epochs", "0", "--out", "p")[0] == 0
    shutil.copy(data, ".mine.tsv")
    assert call("train", "--pairs", ".mine.tsv", *SMALL, "--epochs", "0")[0] == 0
    assert os.listdir("runs") == ["mine"]
    assert len(Seq2Seq.load("p").source_vocab) == len(Seq2Seq.load("runs/mine").source_vocab)


def test_every_option_of_config_and_training_has_its_option(call, data, tmp_path):
    _, out, _ = call("train", "--help")
    from dataclasses import fields

    from minis2s import Config, Training
    follow_from_the_pairs = "source", "frame_size", "target", "target_frame_size"
    for f in [*fields(Config), *fields(Training)]:
        if not f.name.endswith("vocab") and f.name not in follow_from_the_pairs:
            assert "--" + f.name.replace("_", "-") in out, f.name
    status, _, err = call("train", "--pairs", data, "--valid", data, *SMALL, "--epochs", "0", "--out",
                          tmp_path / "r", "--cell",
                          "gru", "--reset", "after", "--attention", "concat-dot", "--bidirectional",
                          "--layers", "2",
                          "--input-feeding", "--fusion", "tanh", "--no-reverse-source", "--source-units",
                          "word")
    assert status == 0, err
    model = Seq2Seq.load(tmp_path / "r")
    assert (model.config.cell, model.config.layers, model.config.bidirectional) == ("gru-after", 2, True)
    assert (model.source_units, model.target_units) == ("word", "char")


def test_context_without_attention(call, data, tmp_path):
    assert call("train", "--pairs", data, "--valid", data, *SMALL, "--epochs", "0", "--context", "every-step",
                "--out", tmp_path / "r")[0] == 0
    assert Seq2Seq.load(tmp_path / "r").config.attention == "none"


def test_pairs_from_gzip_with_empty_sides(call, tmp_path):
    path = tmp_path / "p.tsv.gz"
    path.write_bytes(gzip.compress(("\ufeffab\tba\textra\n\tx\n" + "c\t\n" + "你好\thi\n").encode()))
    status, out, err = call("train", "--pairs", path, "--valid", path, *SMALL, "--epochs", "1", "--out",
                            tmp_path / "r")
    assert status == 0 and f"{path}: 2 pairs with a blank side left out, the first at line 2" in err
    assert "你" in Seq2Seq.load(tmp_path / "r").source_vocab.symbols
    status, out, err = call("evaluate", tmp_path / "r", "--pairs", path, "--json")
    assert json.loads(out)["pairs"] == 2                                # nothing but JSON on standard output


def test_translating(call, trained, monkeypatch):
    assert call("translate", trained, "abc", "d", "ab") == (0, "cba\nd\nba\n", "")
    assert call("translate", trained, "--beam", "3", "abc", "d")[:2] == (0, "cba\nd\n")
    monkeypatch.setattr(sys, "stdin", io.StringIO("ca\r\nbc\n"))
    assert call("translate", trained)[:2] == (0, "ac\ncb\n")


def test_a_preset_is_said_and_stands_in_the_run(call, data, tmp_path, refused):
    quick = ["--hidden", "8", "--embedding", "4", "--epochs", "1", "--backend", "numpy", "--out"]
    status, _, err = call("train", "--pairs", data, "--valid", data, "--preset", "characters", *quick, tmp_path / "r")
    assert status == 0 and err.startswith("preset   characters: bidirectional, attention-order before, fusion tanh")
    # what was asked for is not its
    assert "dropout 0.1" in err.splitlines()[0] and "hidden" not in err.splitlines()[0]
    config = Seq2Seq.load(tmp_path / "r").config
    assert (config.hidden, config.attention_order, config.bidirectional, config.dropout) == (8, "before", True, 0.1)
    assert call("train", "--pairs", data, "--valid", data, *quick, tmp_path / "s")[2].startswith("preset   small: ")
    assert "preset" not in call("train", "copy", "--size", "20", *quick, tmp_path / "t")[2]
    assert "characters" in call("train", "copy", "--size", "20", "--preset", "characters", *quick, tmp_path / "u")[2]
    assert "--preset: a run that is resumed" in refused("train", "--resume", "--preset", "small", "--out",
                                                        tmp_path / "r")


def test_a_blank_text_is_answered_by_a_blank_line(call, trained, refused):
    """As an argument too; what cannot be seen is blank."""
    assert call("translate", trained, "ab", "", " ", "\u00a0", "\u200b", "d") == (0, "ba\n\n\n\n\nd\n", "")
    assert "no text" in refused("translate", trained, " ")
    assert "TEXT 2: character 2 is U+001B" in refused("translate", trained, "ab", "a\x1b")


def test_what_was_assumed_of_a_file_is_said(call, tmp_path):
    path = tmp_path / "p.tsv"
    path.write_text("1\tab\t2\tba\n3\tab\u00a0\t4\tab\n5\tb\t6\tb\n7\t" + "c" * 9 + "\t8\tc\n", encoding="utf-8")
    status, out, err = call("train", "--pairs", path, "--valid", path, *SMALL, "--epochs", "1", "--max-length", "8",
                            "--out", tmp_path / "r")
    assert status == 0 and f"{path}: read as Tatoeba's sentence pairs" in err
    assert "pairs    3 to learn from; held out 3 of 2 different sources, 3 of these pairs are not unseen" in err
    assert "left out 2 that are too long" in err and "char" in err


def test_lines_of_standard_input_are_those_of_the_answer(call, trained, monkeypatch):
    """A blank line stays one, also of no-break or zero-width spaces; U+2028 inside a text does not end it."""
    raw = "\ufeffab\r\n\n \u00a0\nb\u2028c\n\u200b\nca".encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="ascii"))
    status, out, err = call("translate", trained)
    rows = out.split("\n")
    assert status == 0 and rows[:3] == ["ba", "", ""] and rows[4:] == ["", "ac", ""]
    assert err.count("minis2s:") == 1 and "'b\\u2028c': unknown" in err


def test_closed_streams_and_narrow_locales(trained, tmp_path):
    model = Seq2Seq.load(trained)
    model.fit([("a", "你"), ("b", "好")], [("a", "你")], progress=False,
              training=train.Training(epochs=40, lr=0.05))
    model.save(tmp_path / "zh")
    got = module("translate", tmp_path / "zh", "a", env={**os.environ, "PYTHONUTF8": "0", "LC_ALL": "C",
                                                         "PYTHONCOERCECLOCALE": "0"})
    assert (got.returncode, got.stdout.decode().strip()) == (0, "你")
    script = f"{shlex.quote(sys.executable)} -m minis2s translate {shlex.quote(trained)} <&-"
    got = subprocess.run(["sh", "-c", script], capture_output=True, timeout=60)
    assert got.returncode == 2 and got.stderr == b"minis2s: no text: give TEXT, or lines on standard input\n"


@pytest.mark.parametrize("task, argv, attention, context", [
    ("reverse", ["--attention", "none"], "none", "init"),
    ("reverse", ["--context", "every-step"], "none", "every-step"),
    ("addition", ["--attention", "dot"], "dot", "attention"),
    ("addition", ["--context", "attention"], "additive", "attention"),
    ("addition", ["--context", "init"], "none", "init")])
def test_what_is_asked_for_goes_before_what_a_task_brings(call, tmp_path, monkeypatch, task, argv, attention,
                                                          context):
    monkeypatch.setattr("minis2s.cli.train.report", lambda *_: None)       # slow, and not asked about
    status, _, err = call("train", task, *argv, "--size", "9", "--epochs", "0", "--hidden", "4", "--overwrite",
                          "--backend", "numpy", "--out", tmp_path / "r")
    assert status == 0, err
    config = Seq2Seq.load(tmp_path / "r").config
    assert (config.attention, config.context) == (attention, context)


def test_a_run_is_resumed_by_who_began_it(call, data, tmp_path, monkeypatch):
    """Otherwise the same bits could not come out: two backends add in different orders."""
    monkeypatch.delenv("MINIS2S_BACKEND", raising=False)
    argv = ["train", "--pairs", data, "--valid", data, *SMALL, "--out", tmp_path / "r"]

    def backend():
        return json.loads((tmp_path / "r" / "config.json").read_text())["backend"]
    assert call(*argv, "--epochs", "1", "--backend", "numpy")[0] == 0 and backend() == "numpy"
    assert call(*argv, "--epochs", "2", "--resume")[0] == 0 and backend() == "numpy"


def test_nbest_exact_and_samples(call, trained):
    status, out, _ = call("translate", trained, "abc", "--beam", "4", "--nbest", "3")
    rows = [line.split("\t") for line in out.splitlines()]
    assert status == 0 and len(rows) == 3 and rows[0][0] == "cba"
    assert [float(r[2]) for r in rows] == sorted((float(r[2]) for r in rows), reverse=True)
    assert all(float(r[2]) == pytest.approx(float(r[1]) / (len(r[0]) + 1), abs=1e-3) for r in rows)
    status, out, _ = call("translate", trained, "abc", "--exact")
    assert out.split("\t")[0] == "cba" and out.strip().endswith("proven") and "not" not in out
    assert "not proven" in call("translate", trained, "abc", "--exact", "--budget", "1", "--max-length",
                                "30")[1]
    hot = [call("translate", trained, "abc", "abc", "abc", "--sample", "--temperature", "9", "--seed",
                s)[1] for s in (0, 0, 1)]
    assert hot[0] == hot[1] != hot[2]
    assert call("translate", trained, "abc", "--sample", "--top-k", "1")[1] == "cba\n"


def test_a_blank_text_draws_no_random_numbers(call, trained, monkeypatch):
    """So the samples of the texts around it stay as they are; each text is a batch here, and has its own numbers."""
    monkeypatch.setattr(answering.Options, "__new__", partial(answering.Options.__new__, batch=1))
    how = "--sample", "--temperature", "9", "--seed", "4"
    texts = ["abc", "bca", "cab", "acb"]
    alone = call("translate", trained, *texts, *how)[1].splitlines()
    blank = call("translate", trained, " ", texts[0], "", "\u00a0", *texts[1:3], "\u200b", texts[3],
                 *how)[1].splitlines()
    assert blank == ["", alone[0], "", "", *alone[1:3], "", alone[3]] and len(set(alone)) == 4


def test_what_was_saved_is_said_and_nothing_else(call, data, tmp_path, monkeypatch):
    """Where training was stopped, and only if it had begun; at the end, the files that are there."""
    argv, fit = ["train", "--pairs", data, "--valid", data, *SMALL, "--epochs", "1", "--out"], Seq2Seq.fit
    status, out, _ = call(*argv, tmp_path / "a")
    files = ", ".join(sorted(p.name for p in (tmp_path / "a").iterdir()))
    assert status == 0 and f"\nsaved in {tmp_path / 'a'}: {files}\n" in out and "weights.safetensors" in files
    for began in (True, False):
        def stopped(model, *args, **options):
            if began:
                fit(model, *args, **options)
                model.stopped_by = signal.SIGTERM
            raise Stopped(signal.SIGTERM)
        monkeypatch.setattr(Seq2Seq, "fit", stopped)
        status, out, _ = call(*argv, tmp_path / f"b{began}")
        assert status == 128 + signal.SIGTERM
        assert out == (f"stopped; saved in {tmp_path / 'bTrue'}; go on with --resume\n" if began else "")


def test_unseen_is_unseen_in_lower_case_too(call, tmp_path, monkeypatch, no_pictures):
    """With --lowercase `The` and `the` are one token: one part has both, and an overlap is counted."""
    monkeypatch.chdir(tmp_path)
    words = [f"{a}{b}" for a in "abcdefgh" for b in "xyz"]
    Path("p.tsv").write_text("".join(f"{w}\t{w}\n{w.upper()}\t{w}\n" for w in words))
    argv = ["train", "--pairs", "p.tsv", *SMALL, "--epochs", "1", "--lowercase"]
    assert call(*argv, "--out", "r")[0] == 0
    model = Seq2Seq.load("r")
    _, (train_pairs, valid, _) = sources.located(model.origin, model.data, "r")
    assert valid and not {x.lower() for x, _ in train_pairs} & {x.lower() for x, _ in valid}
    assert call(*argv[:-1], "--resume", "--epochs", "2", "--out", "r")[0] == 0
    Path("t.tsv").write_text(f"{train_pairs[0][0].swapcase()}\tx\nnew\ty\n")
    assert "1 of these 2 pairs are not unseen" in call("evaluate", "r", "--pairs", "t.tsv")[2]
    status, _, err = call(*argv, "--valid", "t.tsv", "--out", "q")
    assert status == 0 and "1 of these pairs are not unseen" in err


def test_sizes_of_a_search_are_looked_at_first(refused, trained):
    for option, most in (("--max-length", 20000), ("--beam", 10000)):
        for number in (most + 1, 99999999999):
            line = refused("translate", trained, "abc", option, str(number))
            assert line == f"minis2s: {option}: got {number}, wanted a whole number, 1 .. {most}"


def test_notes_go_to_standard_error(call, trained):
    status, out, err = call("translate", trained, "axb", "abcab")
    assert status == 0 and out.count("\n") == 2
    assert "'axb': unknown to the model, read as <unk>: x" in err
    assert "'abcab': 5 tokens; the longest text trained on has 3" in err


def test_drawing_attention(call, refused, trained, tmp_path):
    status, out, err = call("translate", trained, "abc", "--attention-map", tmp_path / "map.png")
    assert (status, out) == (0, "cba\n") and (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    (tmp_path / "map.png").write_text("mine")
    assert "map.png: exists already" in refused("translate", trained, "abc", "--attention-map", tmp_path / "map.png")
    assert (tmp_path / "map.png").read_text() == "mine"
    assert call("translate", trained, "abc", "--attention-map", tmp_path / "map.png", "--overwrite")[0] == 0
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert "--overwrite goes with --attention-map" in refused("translate", trained, "abc", "--overwrite")


def test_the_former_name_of_the_attention_map(call, trained, tmp_path):
    status, out, err = call("translate", trained, "abc", "--attention", tmp_path / "map.png")
    assert (status, out) == (0, "cba\n") and (tmp_path / "map.png").exists()
    assert "--attention is now called --attention-map" in err
    assert "--attention " not in call("translate", "--help")[1]


def test_a_map_that_cannot_be_drawn_is_refused_before_anything_is_searched(refused, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(answering, "search", lambda *_: pytest.fail("searched in vain"))
    for name, told in (("x.pdf", "wanted .png or .svg"), ("none/x.png", "does not exist"),
                       ("x", "wanted .png or .svg")):
        assert told in refused("translate", trained, "abc", "--attention-map", tmp_path / name)
    got = module("translate", trained, "abc", "--attention-map", tmp_path / "x.png",
                 env={**os.environ, "MPLBACKEND": "pdq"})
    assert got.returncode == 2 and got.stdout == b"" and b"pdq" in got.stderr and got.stderr.count(b"\n") == 1


def test_lists_of_several_texts_number_them(call, trained, monkeypatch):
    """The number of the argument, or of the line, also where some are blank; a single text has none."""
    rows = [row.split("\t")
            for row in call("translate", trained, "abc", " ", "d", "--beam", "3", "--nbest", "2")[1].splitlines()]
    assert [row[0] for row in rows] == ["1", "1", "2", "3", "3"]
    assert [row[1] for row in rows][::2] == ["cba", "", rows[4][1]]
    assert rows[3][1] == "d" and len(rows[0]) == 4 and len(rows[2]) == 2
    monkeypatch.setattr(sys, "stdin", io.StringIO("\nabc\n"))
    rows = [row.split("\t") for row in call("translate", trained, "--nbest", "2")[1].splitlines()]
    assert [row[0] for row in rows] == ["1", "2", "2"]
    assert call("translate", trained, "abc", "--nbest", "2")[1].startswith("cba\t")


def test_answers_that_are_cut_off_are_marked(call, trained, monkeypatch):
    status, out, err = call("translate", trained, "abc", "d", "ca", "--max-length", "2")
    assert out == "cb\nd\nac\n"
    assert err == "minis2s: texts 1 and 3, ".replace(", ", ": ") + (
        "the answer is cut off at 2 tokens, the greatest length; a larger --max-length allows more\n")
    rows = [row.split("\t")
            for row in call("translate", trained, "abc", "--max-length", "2", "--nbest", "2")[1].splitlines()]
    assert all(row[3:] == ["cut off"] for row in rows if len(row[0]) == 2) and rows[0][0] == "cb"
    assert call("translate", trained, "abc", "--exact", "--max-length", "2")[1].count("\t") >= 2


def test_notes_about_many_lines_are_few_and_name_them(call, trained, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("ab\n" * 200 + "axb\n" + "\n" * 99 + "azb\nab\n" + "ayb\n" * 100))
    status, out, err = call("translate", trained)
    assert status == 0 and len(out.splitlines()) == 402
    first, *rest = [line for line in err.splitlines() if "unknown" in line]
    assert not rest and first == ("minis2s: lines 201, 301, 303, 304, 305 and 97 more: unknown to the model, read as "
                                  "<unk>: x z y")
    monkeypatch.setattr(sys, "stdin", io.StringIO("ab\n" * 20 + "axb" + "b" * 500 + "\n"))
    err = call("translate", trained)[2].splitlines()
    assert all(line.startswith("minis2s: line 21, 'axbbb") and len(line) < 300 for line in err) and len(err) >= 2


def test_evaluating(call, trained, data):
    status, out, _ = call("evaluate", trained)                          # its own validation file
    assert status == 0 and re.search(r"exact match +100.00%", out) and "perplexity free running" in out
    status, out, _ = call("evaluate", trained, "--pairs", data, "--beam", "2", "--json")
    got = json.loads(out)
    assert got["exact_match"] == 1.0 and got["beam"] == 2
    assert {"token_accuracy", "character_error_rate", "nll_teacher_forced", "nll_free_running",
            "perplexity_teacher_forced", "perplexity_free_running"} <= got.keys()


def test_both_backends_translate_and_evaluate(call, trained, monkeypatch):
    monkeypatch.delenv("MINIS2S_BACKEND")
    monkeypatch.setenv("MINIS2S_THREADS", "1")
    asked = []
    monkeypatch.setattr(backends, "choose", lambda name: asked.append(name) or choose(name))
    said, measured = {}, {}
    for backend in ANSWERING:
        asked.clear()
        out = call("translate", trained, "abc", "cab", "--beam", "2", "--nbest", "2", "--backend", backend)[1]
        said[backend] = [line.split("\t")[1] for line in out.splitlines()]
        measured[backend] = json.loads(call("evaluate", trained, "--beam", "2", "--json", "--backend", backend)[1])
        assert set(asked) == {backend}
    assert said["numpy"] == said["numba"] and said["numpy"][0] == "cba"
    assert measured["numba"].keys() == measured["numpy"].keys()
    for name, value in measured["numpy"].items():
        assert measured["numba"][name] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-4)), name


def test_evaluating_on_the_held_out_pairs_of_a_file(call, data, tmp_path):
    """Without --valid some sources are held out: the same again when the run is evaluated, none of them trained on."""
    call("train", "--pairs", data, *SMALL, "--epochs", "1", "--out", tmp_path / "r")
    counts = json.loads((tmp_path / "r" / "config.json").read_text())["data"]
    result = json.loads(call("evaluate", tmp_path / "r", "--json")[1])
    assert result["pairs"] == counts["valid"] == 1 and counts["train"] == len(PAIRS) - 1
    row = json.loads((tmp_path / "r" / "metrics.jsonl").read_text())
    assert result["nll_teacher_forced"] == pytest.approx(row["valid_loss_teacher_forced"], rel=1e-6)


def test_pairs_that_changed_since_are_not_taken_for_held_out_ones(call, refused, data, tmp_path):
    """Others would be held out of them, which the model was trained on."""
    path = tmp_path / "p.tsv"
    shutil.copy(data, path)
    call("train", "--pairs", path, *SMALL, "--epochs", "0", "--out", tmp_path / "r")
    Seq2Seq.load(tmp_path / "r").save(tmp_path / "copy")
    for name in ("r", "copy"):
        assert call("evaluate", tmp_path / name)[0] == 0
    path.write_text(path.read_text() + "zz\tzz\n")
    for name in ("r", "copy"):
        assert "p.tsv: these are not the pairs that the run was trained on" in refused("evaluate", tmp_path / name)
    assert call("evaluate", tmp_path / "r", "--pairs", path)[0] == 0


@pytest.mark.parametrize("origin", [{"task": "dates"}, {"pairs": "p.tsv"}, {"pairs": "p.tsv", "valid": None}])
def test_an_origin_of_ones_own_names_no_pairs(refused, tmp_path, origin):
    model = Seq2Seq(Config(hidden=3, embedding=2))
    model.fit(PAIRS, PAIRS, training=train.Training(epochs=0), out=tmp_path / "r", origin=origin, progress=False)
    assert "--pairs FILE: name test pairs" in refused("evaluate", tmp_path / "r")
    assert "was not begun by minis2s train" in refused("train", "--resume", "--out", tmp_path / "r")


def test_sacrebleu_is_named_where_it_is_missing(call, trained, monkeypatch):
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    assert "need sacrebleu" in call("evaluate", trained)[1]


def test_scores_that_are_no_numbers_of_json(call, trained, monkeypatch):
    """Infinite perplexity is null: JSON has no Infinity."""
    real = evaluation.evaluate
    monkeypatch.setattr(evaluation, "evaluate",
                        lambda *a, **k: {**real(*a, **k), "perplexity_free_running": float("inf"),
                                         "nll_free_running": float("nan")})
    status, out, _ = call("evaluate", trained, "--json")
    got = json.loads(out, parse_constant=lambda name: pytest.fail(name))
    assert status == 0 and got["perplexity_free_running"] is got["nll_free_running"] is None
    assert "inf" in call("evaluate", trained)[1]


def test_test_pairs_that_were_trained_on_are_counted(call, trained, data, tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("ab\tba\nbc \tcb\nzz\tzz\n", encoding="utf-8")
    status, _, err = call("evaluate", trained, "--pairs", path)
    assert status == 0
    assert err == "minis2s: 2 of these 3 pairs are not unseen: their sources stand in the training pairs\n"


def test_summary(call, trained):
    status, out, _ = call("summary", trained)
    assert status == 0 and re.search(r"encoder.embedding +8 x 8 +64\n",
                                     out) and "trained for 120 epochs" in out


# What it refuses -----------------------------------------------------------------------------------------

BAD_FILES = {
    "missing": (None, "p.tsv: no such file"), "empty": (b"", "p.tsv: no pairs"),
    "binary": (b"a\tb\n\0\x01\x02\tx\n", "p.tsv, line 2: a NUL byte"),
    "latin-1": ("a\tb\nü\tx\n".encode("latin-1"), "p.tsv, line 2: byte 1 of the line is not UTF-8"),
    "one column": (b"a\tb\nonly one\n", "p.tsv, line 2: one column only, 'only one'"),
    "empty sides": (b"a\t\n\tb\n", "p.tsv: no pairs: a side is blank in all 2, the first at line 1"),
}


@pytest.mark.parametrize("content, told", BAD_FILES.values(), ids=BAD_FILES)
def test_bad_pairs_files(refused, trained, data, tmp_path, content, told):
    path = tmp_path / "p.tsv"
    if content is not None:
        path.write_bytes(content)
    assert told in refused("train", "--pairs", path, "--out", tmp_path / "r")
    assert told in refused("train", "--pairs", data, "--valid", path, "--out", tmp_path / "r")
    assert told in refused("evaluate", trained, "--pairs", path)
    assert not (tmp_path / "r").exists()
    assert "a directory" in refused("train", "--pairs", tmp_path)


BAD_TRAINING = {
    "nothing": ([], "name a task or --pairs FILE"), "both": (["copy", "--pairs", "DATA"], "not both"),
    "unknown task": (["datse"], ": no task 'datse'.*did you mean dates"),
    "unknown task, resumed": (["datse", "--resume"], "datse: no task; a run .* is named by --resume --out DIR"),
    "both ways": (["copy", "--resume", "--overwrite"], "choose one"),
    "resume nothing": (["--resume"], "--out DIR"),
    "validation of a task": (["copy", "--valid", "DATA"], "--valid goes with --pairs"),
    "size of pairs": (["--pairs", "DATA", "--size", "5"], "--size is for built-in tasks"),
    "size": (["copy", "--size", "-3"], "--size: got -3, wanted a whole number, 1 .. 5000000"),
    "no pairs": (["copy", "--size", "0"], "--size: got 0"),
    "endless": (["reverse", "--size", "99999999999"], "--size: got 99999999999"),
    "too many": (["dates", "--size", "4999999"], "different ones"),
    "seed": (["copy", "--seed", "-1"], "--seed -1: wanted 0 or more"),
    "epochs": (["copy", "--epochs", "-1"], "--epochs -1"),
    "lr": (["copy", "--lr", "nan"], "--lr nan: wanted a finite number"),
    "hidden": (["copy", "--hidden", "0"], "--hidden 0"),
    "batch": (["copy", "--batch", "0"], "--batch 0"), "dropout": (["copy", "--dropout", "1"], "--dropout 1.0"),
    "momentum": (["copy", "--optimizer", "adam", "--momentum", "0.5"], "--momentum 0.5 is SGD's"),
    "min count": (["--pairs", "DATA", "--valid", "DATA", "--min-count", "99"], "--min-count 99"),
    "no min count": (["--pairs", "DATA", "--valid", "DATA", "--min-count", "0"], "--min-count: got 0"),
    "dot two ways": (["copy", "--attention", "dot", "--bidirectional"], "sizes differ with two directions"),
    "feeding": (["copy", "--attention", "none", "--input-feeding"],
                "--input-feeding needs attention; --context init has none"),
    "activation": (["copy", "--cell", "lstm", "--activation", "sigmoid"],
                   "--activation sigmoid with --cell lstm: choose one of the cells rnn, rnn-sigmoid"),
    "word": (["copy", "--hidden", "many"], "invalid int value"),
    "choice": (["copy", "--cell", "lstn"], "invalid choice"),
    "option": (["copy", "--hiden", "3"], "unrecognized arguments: --hiden"),
    "too much memory": (["copy", "--size", "9", "--hidden", "100000000000"], "[Uu]nable to allocate"),
}


@pytest.mark.parametrize("argv, told", BAD_TRAINING.values(), ids=BAD_TRAINING)
def test_bad_training(refused, data, tmp_path, monkeypatch, argv, told):
    monkeypatch.chdir(tmp_path)
    assert re.search(told, refused("train", *[data if a == "DATA" else a for a in argv]))


def test_an_existing_run_is_kept(refused, data, trained, tmp_path):
    before = {p.name: p.read_bytes() for p in Run(trained).path.iterdir()}
    assert "exists already" in refused("train", "--pairs", data, "--valid", data, "--out", trained)
    for more in (["--lr", "0.5"], ["--hidden", "8"], ["--source-units", "word"], ["--pairs", tmp_path / "x"],
                 ["copy"],
                 ["--valid", tmp_path / "x"], ["--size", "5"], ["--min-count", "2"]):
        refused("train", "--resume", "--out", trained, *more)
    (tmp_path / "f").write_text("x")
    assert "a file, wanted a directory" in refused("train", "--pairs", data, "--valid", data, "--out",
                                                   tmp_path / "f")
    assert {p.name: p.read_bytes() for p in Run(trained).path.iterdir()} == before


def test_changed_data_are_no_resume(refused, call, tmp_path):
    path, out = tmp_path / "p.tsv", tmp_path / "r"
    path.write_text("a\tb\nc\td\n")
    assert call("train", "--pairs", path, "--valid", path, *SMALL, "--epochs", "1", "--out", out)[0] == 0
    path.write_text("c\td\na\tb\n")
    assert "not the pairs that the run was trained on" in refused("train", "--resume", "--out", out)
    path.unlink()
    assert "no such file" in refused("train", "--resume", "--out", out)


def test_runs_of_python_are_no_resume_for_the_command(refused, tmp_path):
    Seq2Seq().fit(PAIRS, PAIRS, training=train.Training(epochs=0), out=tmp_path / "r", progress=False)
    assert "was not begun by minis2s train" in refused("train", "--resume", "--out", tmp_path / "r")
    Seq2Seq.load(tmp_path / "r").save(tmp_path / "m")
    assert "was not begun by minis2s train" in refused("train", "--resume", "--out", tmp_path / "m")
    assert "name test pairs" in refused("evaluate", tmp_path / "m")


@pytest.fixture
def copied(trained, tmp_path):
    """A copy of the good run, to break."""
    import shutil
    return Run(shutil.copytree(trained, tmp_path / "copy"))


def broken_files(run):
    weights = run.weights.read_bytes()
    config = run.config.read_text(encoding="utf-8")
    return {
        "truncated": (run.weights, weights[:-9], "not a whole safetensors file"),
        "one byte": (run.weights, weights[:-9] + bytes([weights[-9] ^ 4]) + weights[-8:],
                     "changed after it was saved"),
        "foreign": (run.weights, b"PK\x03\x04", "not a whole safetensors file"),
        "no weights": (run.weights, None, "weights.safetensors: no such file"),
        "other configuration": (run.config, config.replace('"hidden": 16', '"hidden": 17').encode(),
                                "config.json: changed after it was saved (its digest does not fit)"),
        "no configuration": (run.config, None, "config.json: missing"),
        "no JSON": (run.config, b"{", "config.json: not JSON"),
        "vocabulary": (run.vocabulary, run.vocabulary.read_bytes().replace(b'"a"', b'"z"'),
                       "vocabulary.json: changed"),
        "no vocabulary": (run.vocabulary, None, "vocabulary.json: missing"),
    }


@pytest.mark.parametrize("name", ["truncated", "one byte", "foreign", "no weights", "other configuration",
                                  "no configuration", "no JSON", "vocabulary", "no vocabulary"])
def test_broken_runs(refused, copied, name):
    path, content, told = broken_files(copied)[name]
    if content is None:
        path.unlink()
    else:
        assert path.read_bytes() != content
        path.write_bytes(content)
    for argv in (["translate", copied.path, "ab"], ["evaluate", copied.path], ["summary", copied.path]):
        assert told in refused(*argv)


def test_no_run(refused, tmp_path, data):
    for command in (["translate", tmp_path / "none", "a"], ["evaluate", tmp_path / "none"],
                    ["summary", tmp_path / "none"],
                    ["train", "--resume", "--out", tmp_path / "none"]):
        assert "none: no such run directory" in refused(*command)
    assert "no such run directory" in refused("summary", data)


BAD_DECODING = {
    "beam": (["--beam", "0"], "--beam: got 0"), "nbest": (["--nbest", "0"], "--nbest: got 0"),
    "too many": (["--beam", "2", "--nbest", "3"], "--nbest 3 with --beam 2"),
    "beam word": (["--beam", "wide"], "invalid int"),
    "penalty": (["--beam", "2", "--length-penalty", "-1"], "--length-penalty"),
    "length": (["--max-length", "0"], "--max-length"),
    "penalty alone": (["--length-penalty", "nan"], "--length-penalty"),
    "temperature": (["--sample", "--temperature", "0"], "--temperature"),
    "seed": (["--sample", "--seed", "-1"], "--seed"),
    "top-k": (["--sample", "--top-k", "0"], "--top-k"), "top-p": (["--sample", "--top-p", "2"], "--top-p"),
    "no sample": (["--temperature", "2"], "--temperature goes with --sample"),
    "budget": (["--budget", "9"], "--exact"),
    "spent": (["--exact", "--budget", "0"], "--budget"), "two ways": (["--sample", "--exact"], "choose one"),
    "penalty of exact": (["--exact", "--length-penalty", "0.5"], "--length-penalty goes with --beam"),
    "nbest of samples": (["--sample", "--nbest", "2"], "--nbest goes with --beam"),
    "nowhere": (["--attention-map", "/nowhere/map.png"], "/nowhere"),
}


@pytest.mark.parametrize("argv, told", BAD_DECODING.values(), ids=BAD_DECODING)
def test_bad_decoding(refused, trained, argv, told):
    assert told in refused("translate", trained, "ab", *argv)


def test_bad_texts_and_evaluations(refused, trained, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert "no text" in refused("translate", trained)
    assert "--beam: got 0" in refused("evaluate", trained, "--beam", "0")
    assert "--length-penalty" in refused("evaluate", trained, "--beam", "2", "--length-penalty", "-1")


def test_attention_maps_need_attention(refused, call, data, tmp_path):
    assert call("train", "--pairs", data, "--valid", data, *SMALL, "--epochs", "0", "--attention", "none",
                "--out", tmp_path / "r")[0] == 0
    assert "has no attention" in refused("translate", tmp_path / "r", "ab", "--attention-map",
                                         tmp_path / "map.png")


def test_a_divergence_ends_with_2_and_keeps_a_good_checkpoint(refused, data, tmp_path):
    line = refused("train", "--pairs", data, "--valid", data, *SMALL, "--lr", "1e38", "--out", tmp_path / "r")
    assert re.fullmatch(r"minis2s: step \d+ \(epoch 1\): .* nan.*|minis2s: step \d+ \(epoch 1\): .* inf.*",
                        line)
    model = Seq2Seq.load(tmp_path / "r")
    assert np.isfinite(model.params.decoder.readout.W).all()


# A process of its own: signals, limits, pipes ------------------------------------------------------------

def rows(out):
    return [{k: v for k, v in r.items() if k != "tokens_per_second"} for r in Run(out).records()]


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """A run that was never stopped."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert cli.main(["train", "--pairs", data, "--valid", data, *RESTLESS, "--out", str(out)]) == 0
    return out


def same_files(part, whole):
    for name in ("weights.safetensors", "checkpoint.safetensors"):
        assert (part / name).read_bytes() == (whole / name).read_bytes(), name
    assert rows(part) == rows(whole) and len(rows(whole)) == 12 + 12


def test_killed_again_and_again_it_ends_with_the_same_bytes(data, whole, tmp_path):
    out, rng = tmp_path / "part", np.random.default_rng()              # other moments every time
    argv = ["train", "--pairs", data, "--valid", data, *RESTLESS, "--out", out]
    for goal in (1, 5, 9, 14, 19):
        process = start(*argv)
        wait_for(process, lambda: len(Run(out).records()) >= goal)
        time.sleep(rng.uniform(0, 0.03))
        process.kill()
        process.communicate()
        argv = ["train", "--resume", "--out", out]
    status, printed, err = done(start(*argv))
    assert status == 0 and "saved in" in printed
    assert not list(out.glob(".tmp-*"))
    same_files(out, whole)


def test_killed_before_the_first_checkpoint(data, whole, tmp_path):
    for delay in (0.0, 0.002):
        out = tmp_path / f"part{delay}"
        argv = ["train", "--pairs", data, "--valid", data, *RESTLESS, "--out", out]
        process = start(*argv)
        while process.poll() is None and not out.exists():
            pass
        time.sleep(delay)
        process.kill()
        process.communicate()
        status, _, err = done(start("train", "--resume", "--out", out))
        if status:
            assert status == 2 and "begin again (--overwrite)" in err
            assert done(start(*argv, "--overwrite"))[0] == 0
        same_files(out, whole)


@pytest.mark.parametrize("stop, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_finishes_the_step_and_saves(data, whole, tmp_path, stop, status):
    out = tmp_path / "part"
    script = SIGNALLED.format(step=10, number=int(stop))
    code, printed, _ = done(start("train", "--pairs", data, "--valid", data, *RESTLESS, "--out", out, script=script))
    assert code == status and "go on with --resume" in printed
    assert 2 <= len(rows(out)) < 24
    assert done(start("train", "--resume", "--out", out))[0] == 0
    same_files(out, whole)


def test_a_full_disk(data, tmp_path):
    """Files may not grow beyond some KB: the configuration fits, a checkpoint does not."""
    out = tmp_path / "r"
    argv = ["train", "--pairs", data, "--valid", data, *SMALL, "--epochs", "1", "--out", out]
    assert done(start(*argv))[0] == 0
    before = {name: (out / name).read_bytes() for name in ("checkpoint.safetensors", "weights.safetensors")}

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (8000, 8000))

    status, _, err = done(start("train", "--resume", "--epochs", "2", "--out", out, preexec_fn=limit))
    assert status == 2 and err.count("\n") in (len(OPENING) + 1, len(OPENING) + 2) and "File too large" in err
    assert {name: (out / name).read_bytes() for name in before} == before and not list(out.glob(".tmp-*"))
    assert done(start("train", "--resume", "--epochs", "2", "--out", out))[0] == 0


def test_the_module_is_the_command(trained):
    got = module("translate", trained, "ab", "abc")
    assert (got.returncode, got.stdout, got.stderr) == (0, b"ba\ncba\n", b"")
    got = module("translate", trained, input="bc\nzz\n".encode())
    assert got.returncode == 0 and got.stdout.startswith(b"cb\n") and b"<unk>: z" in got.stderr
    got = module("translate", trained, input=b"ab\n\xff\xfe\n")
    assert got.returncode == 2 and got.stderr == (
        b"minis2s: standard input, line 2: byte 1 of the line is not UTF-8 (save the file as UTF-8)\n")
    for raw, told in (("ab".encode("utf-16-le"), b"line 1: a NUL byte"),
                      (b"ab\nb\x0c\n", b"line 2: character 2 is U+000C")):
        got = module("translate", trained, input=raw)
        assert got.returncode == 2 and told in got.stderr and got.stderr.count(b"\n") == 1
    got = module("summary", "nowhere")
    assert (got.returncode, got.stdout, got.stderr) == (2, b"", b"minis2s: nowhere: no such run directory\n")
    assert module().returncode == 2


def test_a_closed_pipe_is_no_traceback():
    process = subprocess.Popen([sys.executable, "-m", "minis2s", "tasks"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    assert process.wait(60) == 1


def test_what_translate_cannot_draw_or_read_is_named(refused, trained, tmp_path):
    for name in ("map.pdf", "map", "map.png.gz"):
        assert "--attention-map: got suffix" in refused("translate", trained, "ab", "--attention-map", tmp_path / name)
    assert "TEXT 2: 'a\\udc80b' holds half of a surrogate pair" in refused("translate", trained, "ab", "a\udc80b")
