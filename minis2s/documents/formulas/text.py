"""Text for a terminal: widths, paragraphs, headings."""
import textwrap
import unicodedata


def columns(text):
    """Width of a text on a terminal: a combining tilde takes no column."""
    return sum(not unicodedata.combining(c) for c in text)


def pad(text, width):
    return text + " " * (width - columns(text))


def wrap(text, width, indent="  ", more=None):
    return textwrap.wrap(text, width, initial_indent=indent, break_long_words=False, break_on_hyphens=False,
                         subsequent_indent=indent if more is None else more) or [""]


def titled(title, lines):
    return ["", title.upper(), *lines]


def indented(text):
    return [f"  {line}" for line in text.splitlines()]


def decimals(x):
    """At most four decimals."""
    return f"{round(float(x), 4) + 0.0:.4f}".rstrip("0").rstrip(".").replace("-", "−")
