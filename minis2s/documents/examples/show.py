"""How the examples write: numbers, headings, paragraphs and tables for a terminal of 80 columns."""
import unicodedata

import numpy as np

WIDTH = 79


def columns(text):
    """Width of a text on a terminal: a Chinese character takes two columns."""
    return sum(1 + (unicodedata.east_asian_width(c) in "WF") for c in text)


def number(x, digits=3):
    """One number, never as -0.000."""
    return f"{round(float(x), digits) + 0.0:.{digits}f}"


def vector(a, digits=3):
    """All entries of an array in one pair of brackets."""
    return "[" + ", ".join(number(x, digits) for x in np.ravel(a)) + "]"


def named(name, a, digits=2):
    """`  name = [...]`, long arrays on several lines."""
    return remark(vector(a, digits), f"  {name} = ")


def heading(text):
    """A blank line, the text, a line below it."""
    return ["", text, "-" * columns(text)]


def remark(text, label=""):
    """A paragraph, with its label ("slip: ") hanging out to the left."""
    lines, line = [], label
    for word in text.split():
        if line.strip() and line != label and columns(line + word) > WIDTH:
            lines.append(line.rstrip())
            line = " " * len(label)
        line += word + " "
    return lines + [line.rstrip()]


def slip(text):
    """A paragraph about a mistake of the document."""
    return remark(text, "  slip: ")


def look_next(*places):
    """What to read now: (file, marks, why)."""
    lines = heading("Look next at")
    wide = max(columns(f"{file}  {marks}".rstrip()) for file, marks, _ in places)
    for file, marks, why in places:
        place = f"{file}  {marks}".rstrip()
        lines.append(f"  {place}{' ' * (wide - columns(place))}  {why}")
    return lines


def table(rows, indent="  "):
    """Rows of texts in columns: the first column stands left, the others right."""
    rows = [[str(cell) for cell in row] for row in rows]
    wide = [max(map(columns, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [" " * (w - columns(cell)) + cell for cell, w in zip(row, wide)]
        cells[0] = row[0] + " " * (wide[0] - columns(row[0]))
        lines.append((indent + "  ".join(cells)).rstrip())
    return lines


def main(module):
    """What `python -m minis2s.documents.examples.<module>` does: run with seed 0 and print the report."""
    print("\n".join(module["report"](module["run"]())))
