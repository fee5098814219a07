"""minis2s book: the file, what stands in its way, what is said."""
import pytest

from minis2s.cli.main import main
from minis2s.viewer.book import build, runtime


@pytest.fixture
def quick(monkeypatch):
    """The command with a book of one line: what is built is tested in test_book.py."""
    asked = []

    def book(languages, folder, trained=None):
        asked.append((languages, folder, trained))
        return "<!DOCTYPE html>"
    monkeypatch.setattr(build, "book", book)
    return asked


@pytest.fixture
def alone(tmp_path, monkeypatch):
    """A folder without MicroPython."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(runtime.VARIABLE, raising=False)
    return tmp_path


def test_it_writes_one_file_and_says_how_large_it_is(quick, alone, capsys):
    assert main(["book"]) == 0
    assert (alone / "book.html").read_text() == "<!DOCTYPE html>"
    said = capsys.readouterr().err
    assert "book.html: 0.00 MB" in said and "the numbers are fixed: no MicroPython was found; npm install" in said
    assert quick == [(("en", "zh"), None, None)]


def test_an_old_file_is_kept_without_overwrite(quick, alone, capsys):
    (alone / "b.html").write_text("old")
    assert main(["book", "--out", "b.html"]) == 2
    assert "b.html: exists already; replace it with --overwrite" in capsys.readouterr().err
    assert (alone / "b.html").read_text() == "old" and quick == []
    assert main(["book", "--out", "b.html", "--overwrite", "--lang", "zh"]) == 0 and quick[0][0] == ("zh",)


@pytest.mark.parametrize("argv, said", [
    (["--out", "no/book.html"], "the folder 'no' does not exist"),
    (["--runtime", "."], "has no micropython.mjs"),
    (["--run", "x"], "--run: the page needs MicroPython to run a model, and none was found; npm install"),
    (["--lang", "fr"], "invalid choice: 'fr'")])
def test_what_cannot_be_is_refused_in_one_line(quick, alone, capsys, argv, said):
    try:
        status = main(["book", *argv])
    except SystemExit as e:
        status = e.code
    lines = capsys.readouterr().err.strip().splitlines()
    assert status == 2 and said in lines[-1] and not (alone / "book.html").exists()
