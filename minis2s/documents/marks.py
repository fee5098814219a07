"""How equations are marked, and how the marks are read.

A mark is a name in brackets, letters and a number, with a star for a derivative: (L4), (L4*).  It stands in the
docstring of a module before the equation, and in the comment of each code line that computes it.
"""
import ast
import functools
import re

MARK = re.compile(r"\([A-Z]{1,3}\d{1,2}\*?\)")
HEAD = re.compile(rf"(?:^|(?<=  ))({MARK.pattern})(?= )")     # where a line or a column begins


def equations(docstring):
    """Docstring of a module -> {mark: equation as it is written there}, continued lines included."""
    found, left, right, column = {}, None, None, 0
    for line in docstring.splitlines():
        heads = list(HEAD.finditer(line))
        if not line.strip() or not (heads or line.startswith("    ")):
            left = right = None
            continue
        if heads and heads[0].start() == 0:
            left = heads[0][1]
        if heads and heads[-1].start() > 0:
            right, column = heads[-1][1], heads[-1].start()
        elif left and heads and right and line[column - 2:column].strip():
            right = None                                        # the left text runs on over the right column
        cut = column if right else len(line)
        for mark, text in ((left, line[:cut]), (right, line[cut:])):
            text = re.sub(r" {2,}(?=\+?=)", " ", HEAD.sub("", text).strip())
            text = re.sub(r" {2,}", "  ", text)
            if mark and text:
                found[mark] = f"{found[mark]}\n{text}" if mark in found else text
    return found


@functools.lru_cache(maxsize=None)
def defined(source):
    """Source of a module -> {mark: equation} of its docstring."""
    return equations(ast.get_docstring(ast.parse(source)) or "")


@functools.lru_cache(maxsize=None)
def on_code_lines(source):
    """Source of a module -> {mark: numbers of the code lines whose comment has it}."""
    found = {}
    for number, line in enumerate(source.splitlines(), 1):
        code, comment, words = line.partition("  # ")
        if comment and code.strip():
            for mark in dict.fromkeys(MARK.findall(words)):
                found.setdefault(mark, []).append(number)
    return found
