"""Standard streams that can be written to whatever came: closed, none, narrow, or a text with control characters."""
import os
import sys

LONGEST = 1000                      # characters of a note: a longer one loses its middle


def repair():
    """Make sys.stdout and sys.stderr take any text, and keep closed ones from becoming somebody's file.

    Where a stream was closed by whoever started us, the next file that is opened would get its number, and what
    libraries say there would end up in that file.
    """
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)                      # takes the lowest free number: this one
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or getattr(stream, "closed", False):
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8", errors="backslashreplace"))
        elif hasattr(stream, "reconfigure"):                    # UTF-8 whatever the locale, as files are
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def printable(text):
    """A text in which every character that is not printable is written as its escape: \\x1b, \\u2028."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def one_line(text):
    """A message as one printable line of at most 1,000 characters."""
    text = printable(" ".join(text.split()))
    if len(text) > LONGEST:
        half = (LONGEST - 5) // 2
        text = f"{text[:half]} ... {text[-half:]}"
    return text


def note(text):
    """Say something on standard error, in one line; where nobody can hear it, nothing happens."""
    try:
        print(one_line(text), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        pass
