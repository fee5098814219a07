"""Every option reaches what it sets, and what does not go together is refused: without training or searching."""
import signal
import sys
import warnings

import pytest

from minis2s import Seq2Seq
from minis2s.api import signals
from minis2s.cli import main as cli, sources, train, train_options, translate
from minis2s.training.reference import NUMPY


@pytest.fixture
def planned(call, monkeypatch, tmp_path):
    """Run `train` up to its training: -> the model, its pairs, the options of `fit`, and what was printed."""
    def planned(*argv):
        seen = []

        def fit(self, pairs, valid, **options):
            seen.append((self, pairs, options))
            raise signals.Stopped(2)
        monkeypatch.setattr(Seq2Seq, "fit", fit)
        status, out, err = call("train", *argv, "--backend", "numpy", "--out", tmp_path / "r")
        assert status == 130 and len(seen) == 1, err
        return *seen[0], out
    return planned


def test_the_units_asked_for_go_before_those_of_a_task(planned):
    model = planned("copy", "--size", "3", "--source-units", "space", "--min-count", "2")[0]
    assert (model.source_units, model.target_units, model.min_count) == ("space", "char", 2)


def test_the_seed_is_that_of_the_pairs_and_of_training(planned):
    _, pairs, options, _ = planned("copy", "--size", "9", "--seed", "4")
    assert options["training"].seed == options["origin"]["seed"] == 4 and len(pairs) == 9
    assert pairs != planned("copy", "--size", "9", "--seed", "5")[1]


def test_what_was_not_saved_is_not_said_to_be(planned):
    assert planned("copy", "--size", "3")[3] == ""


def test_the_threads_asked_for_are_used(planned, monkeypatch):
    seen = []
    monkeypatch.setattr(train, "choose", lambda name: NUMPY._replace(use_threads=seen.append))
    planned("copy", "--size", "3", "--threads", "3")
    planned("copy", "--size", "3")
    assert seen == [3, None]


def test_the_line_about_a_preset_has_what_the_preset_decides(planned, data):
    model = planned("--pairs", data, "--hidden", "7", "--dropout", "0.4")[0]
    said = model.settings.removeprefix("preset   small: ").split(", ")
    assert model.config.hidden == 7 and model.config.dropout == 0.4
    assert not [part for part in said if part.split()[0] in ("hidden", "dropout")] and "embedding 64" in said


def options(*argv):
    return translate.options(cli.parse(["translate", "RUN", "ab", *argv]))


def test_options_of_a_search():
    assert options() == ("beam", 1, 1, 1.0, None, 128, 0, {})
    given = options("--beam", "4", "--nbest", "2", "--length-penalty", "0.5", "--max-length", "9")
    assert given[:5] == ("beam", 4, 2, 0.5, 9)
    assert options("--nbest", "3")[:3] == ("beam", 3, 3) and options("--beam", "0").beam == 0       # to be refused
    sample = options("--sample", "--seed", "7", "--temperature", "2", "--top-k", "3", "--top-p", "0.5")
    assert (sample.method, sample.seed, sample.own) == ("sample", 7, {"temperature": 2.0, "top_k": 3, "top_p": 0.5})
    assert options("--precision", "int8", "--beam", "2").own == {"precision": "int8"}
    assert options("--exact", "--budget", "0").own == {"budget": 0} and options("--exact").own == {}


@pytest.mark.parametrize("argv, told", [
    (["--sample", "--beam", "2"], "choose one"), (["--exact", "--beam", "1"], "choose one"),
    (["--budget", "0"], "--budget goes with --exact"), (["--beam", "2", "--budget", "9"], "--budget goes with --exact"),
    (["--temperature", "1"], "--temperature goes with --sample"),
    (["--exact", "--top-p", "0.5"], "--top-p goes with --sample"),
    (["--exact", "--nbest", "2"], "--nbest goes with --beam"),
    (["--sample", "--precision", "int8"], "--precision goes with --beam, or with greedy search"),
    (["--sample", "--length-penalty", "0"], "--length-penalty goes"),
    (["--exact", "--length-penalty", "0"], "--length-penalty goes with --beam")])
def test_options_that_do_not_go_together(argv, told):
    with pytest.raises(ValueError, match=told):
        options(*argv)


def test_texts_before_between_and_behind_options():
    assert cli.parse(["translate", "RUN", "a", "--beam", "2", "b", "c"]).texts == ["a", "b", "c"]
    assert cli.parse(["translate", "RUN", "--beam", "2", "--", "-5", "--x"]).texts == ["-5", "--x"]


@pytest.mark.parametrize("argv", [["summary", "RUN", "more"], ["tasks", "copy", "--more"],
                                  ["translate", "RUN", "a", "--more", "b"]])
def test_arguments_that_nobody_reads_are_refused(argv, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.parse(argv)
    assert caught.value.code == 2 and "unrecognized arguments" in capsys.readouterr().err


def test_the_directory_of_a_run_is_named_by_what_it_learns():
    def out(*argv):
        return sources.default_out(cli.parse(["train", *argv])).as_posix()
    assert out("copy") == "runs/copy" and out("--pairs", "data/eng-fra.tsv.gz") == "runs/eng-fra"
    assert out("--pairs", ".hidden.tsv") == "runs/hidden" and out("--pairs", "/dev/fd/63") == "runs/63"


@pytest.mark.parametrize("argv, wanted", [(["tasks", "copy"], 0), (["tasks", "cpoy"], 2)])
def test_a_command_leaves_hooks_and_handlers_as_they_were(call, argv, wanted):
    """Programs and notebooks call `main`, too."""
    def hooks():
        return sys.unraisablehook, warnings.showwarning, *(signal.getsignal(s)
                                                           for s in signals.STOPS), signals.Pending.number
    before, filters = hooks(), list(warnings.filters)
    assert call(*argv)[0] == wanted
    assert hooks() == before and list(warnings.filters) == filters


def test_warnings_of_other_kinds_are_no_notes_of_ours(capsys, monkeypatch):
    usual = []
    monkeypatch.setattr(warnings, "showwarning", lambda text, category, *rest: usual.append(category))
    with cli.warnings_as_notes():
        warnings.warn("read this", UserWarning)
        warnings.simplefilter("always", DeprecationWarning)
        warnings.warn("old", DeprecationWarning)
    assert capsys.readouterr().err == "minis2s: read this\n" and usual == [DeprecationWarning]


@pytest.mark.parametrize("asked, kept, gone", [
    ({}, {"lr_final": 1e-4, "attention": "dot", "cell": "gru"}, ()),
    ({"schedule": "inverse-sqrt", "warmup": 9}, {"attention": "dot", "cell": "gru"}, ("lr_final",)),
    ({"schedule": "constant"}, {"lr_final": 1e-4}, ()),
    ({"attention": "none"}, {"attention": "none", "cell": "gru"}, ("fusion", "context")),
    ({"context": "every-step"}, {"attention": "none"}, ("fusion", "context")),
    ({"attention": "additive"}, {"fusion": "tanh"}, ("attention", "context")),
    ({"architecture": "transformer"}, {"lr_final": 1e-4, "hidden": 8}, ("cell", "attention", "fusion"))])
def test_a_tasks_options_make_room_for_those_asked_for(asked, kept, gone):
    own = {"lr_final": 1e-4, "attention": "dot", "context": "attention", "fusion": "tanh", "cell": "gru", "hidden": 8}
    left = train_options.drop_conflicting(own, asked)
    assert kept.items() <= left.items() and not set(gone) & left.keys()


@pytest.mark.parametrize("error, said", [
    (OSError(28, "No space left on device", "a.json"), "a.json: No space left on device"),
    (OSError(28, "No space left on device"), "No space left on device"), (OSError("in words"), "in words"),
    (MemoryError(), "not enough memory"), (MemoryError("unable to allocate"), "unable to allocate"),
    (ValueError("two\n  lines"), "two lines")])
def test_an_error_is_one_line_with_its_file(error, said):
    assert cli.message(error) == said
