"""The file in which a student works: equation, shapes, a tiny example, and a line to replace."""
import os
import textwrap
from pathlib import Path

from ...core import files

PAGE = '''"""{name}: {title}.

Write the function below, then:  minis2s exercise check {name}      (stuck?  add --hint 1, then 2, then 3)
"""
{imports}

def {function}({arguments}):
    r"""{Title}.

{equations}

    Arguments (arrays are read-only: make new ones)
{taken}

    Returns
{given}

    Example
{example}
    """
    raise NotImplementedError
'''


def stub(exercise):
    """The text of an exercise's stub."""
    def indented(text, by):
        return textwrap.indent(text.strip("\n"), " " * by)
    return PAGE.format(
        name=exercise.name, title=exercise.title, Title=exercise.title[0].upper() + exercise.title[1:],
        imports=exercise.imports, function=exercise.function, arguments=", ".join(exercise.names),
        equations=indented(exercise.equations, 4), taken=indented(exercise.arguments, 8),
        given=indented(exercise.returns, 8), example=indented(exercise.example, 8))


def free(exercise, folder):
    """The path of an exercise's file in `folder`; ValueError if there is one already."""
    path = Path(folder) / f"{exercise.function}.py"
    if os.path.lexists(path):
        raise ValueError(f"{path} exists already and stays as it is; to begin anew, move it away first")
    return path


def start(exercise, folder):
    """Write the stub into `folder` (made if it is missing): -> its path.

    Raises
    ------
    ValueError
        There is a file of that name already; it stays as it is.
    """
    path = free(exercise, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, stub(exercise))
    return path
