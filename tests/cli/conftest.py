"""Fixtures of the command line's tests: pairs, a trained run, and calls in this process."""
import pytest

from commands import PAIRS, SMALL
from minis2s.api import fitting
from minis2s.cli import main as cli

OPENING = ["pairs", "source", "target", "model", "compute"]     # the lines before the first epoch


@pytest.fixture(scope="module")
def no_pictures():
    with pytest.MonkeyPatch.context() as m:
        m.setattr(fitting, "draw", lambda *_: None)
        m.setenv("MINIS2S_BACKEND", "numpy")                    # many small Configs: nothing is compiled for them
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "pairs.tsv"
    path.write_text("".join(f"{x}\t{y}\n" for x, y in PAIRS), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="module")
def trained(data, no_pictures, tmp_path_factory):
    """A run that knows its pairs by heart, with attention."""
    out = str(tmp_path_factory.mktemp("runs") / "good")
    assert cli.main(["train", "--pairs", data, "--valid", data, *SMALL, "--epochs", "120", "--lr", "0.02",
                     "--out", out]) == 0
    return out


@pytest.fixture
def call(capfd):
    """Run a command in this process: -> exit status, standard output, standard error."""
    def call(*argv):
        capfd.readouterr()
        try:
            status = cli.main([str(a) for a in argv])
        except SystemExit as e:
            status = e.code
        return status, *capfd.readouterr()
    return call


@pytest.fixture
def refused(call):
    """Run a command that must end with 2 and one line: -> that line."""
    def refused(*argv):
        status, out, err = call(*argv)
        assert status == 2 and "Traceback" not in err, (status, err)
        lines = err.strip().splitlines()
        line, before = lines[-1], [row.split()[0] for row in lines[:-1]]
        assert line.startswith("minis2s") and (err.startswith("usage:")
                                               or before in ([], OPENING, ["preset", *OPENING])), err
        return line
    return refused
