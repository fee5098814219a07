"""What counts as text: lines, control characters, blank texts.  One rule for files, standard input and arguments.

* Text is UTF-8; a byte order mark at the start of a file is dropped.
* Lines end in LF, CRLF or CR.
* Any other control character (Unicode class Cc but TAB), and a byte order mark anywhere else, is refused: it is the
  trace of another encoding, of a damaged or a binary file, or of two files put together.
* A text is blank if all it has is white space (no-break spaces too) and characters without a width (class Cf).
"""
import re
import unicodedata

REFUSED = re.compile("[\0-\x08\x0a-\x1f\x7f-\x9f\ufeff]")       # TAB is allowed
LINE_END = re.compile(rb"\r\n|\n|\r")
MARK = "\ufeff".encode()


def is_blank(text):
    """Whether there is nothing to see in a text: white space and zero-width characters only."""
    return all(ch.isspace() or unicodedata.category(ch) == "Cf" for ch in text)


def same(text, lowercase=False):
    """The form in which texts are compared: NFC, runs of white space as one space, none at the ends; in lower case for
    a model that reads only that."""
    text = unicodedata.normalize("NFC", text)
    return " ".join((text.lower() if lowercase else text).split())


def control_character(text):
    """A sentence about the first control character or byte order mark that a text must not have, or None."""
    found = REFUSED.search(text)
    if not found:
        return None
    ch = found.group()
    what = "a byte order mark inside the text" if ch == "\ufeff" else "a control character"
    return f"character {found.start() + 1} is U+{ord(ch):04X}, {what}"


def read_lines(data, name, wanted="text"):
    """Bytes -> list of str, the lines without their ends; what stands behind the last line end is one, unless empty.

    Parameters
    ----------
    data : bytes
    name : str
        What to call them in an error message, such as the file's name.
    wanted : str
        What the lines should be, for the same purpose.

    Raises
    ------
    ValueError
        A line has a NUL byte, is not UTF-8, or has a control character; the message says which line.
    """
    lines = []
    for number, line in enumerate(LINE_END.split(data.removeprefix(MARK)), start=1):
        if b"\0" in line:
            raise ValueError(f"{name}, line {number}: a NUL byte, so this is no UTF-8 text (UTF-16, or binary); "
                             f"wanted {wanted}")
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as e:
            raise ValueError(f"{name}, line {number}: byte {e.start + 1} of the line is not UTF-8 "
                             "(save the file as UTF-8)") from None
        wrong = control_character(text)
        if wrong:
            raise ValueError(f"{name}, line {number}: {wrong}; wanted {wanted}")
        lines.append(text)
    return lines[:-1] if not lines[-1] else lines
