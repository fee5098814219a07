"""Standard streams in whatever state the caller left them: what is said arrives in UTF-8, or nobody notices."""
import io
import sys

import pytest

from minis2s.cli import streams


@pytest.mark.parametrize("encoding, errors", [("ascii", "strict"), ("latin-1", "strict"), ("utf-8", "surrogateescape")])
def test_what_is_said_is_utf8_whatever_the_locale(monkeypatch, encoding, errors):
    written = {name: io.BytesIO() for name in ("stdout", "stderr")}
    for name, raw in written.items():
        monkeypatch.setattr(sys, name, io.TextIOWrapper(raw, encoding=encoding, errors=errors, newline="\n"))
    streams.repair()
    print("你好 \udc80")
    streams.note("é")
    sys.stdout.flush()
    assert written["stdout"].getvalue() == "你好 \\udc80\n".encode() and written["stderr"].getvalue() == "é\n".encode()


@pytest.mark.parametrize("state", ["none", "closed"])
def test_streams_that_are_not_there_are_replaced(monkeypatch, state):
    for name in ("stdout", "stderr"):
        stream = None if state == "none" else io.StringIO()
        if stream:
            stream.close()
        monkeypatch.setattr(sys, name, stream)
    streams.repair()
    opened = sys.stdout, sys.stderr
    print("nobody reads this")
    streams.note("nor this")
    for stream in opened:
        stream.close()


class Full(io.StringIO):
    def write(self, text):
        raise OSError(28, "No space left on device")


def test_a_note_that_cannot_be_written_is_no_error(monkeypatch):
    closed = io.StringIO()
    closed.close()
    for stream in (Full(), closed, None):
        monkeypatch.setattr(sys, "stderr", stream)
        streams.note("x")
