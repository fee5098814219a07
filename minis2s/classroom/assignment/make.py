"""The hand-out: what students get, with no solution in it."""
import datetime
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from ...core import files
from ..exercises import find
from ..exercises.stub import start

FILE = "assignment.json"


class Assignment(NamedTuple):
    """What a class works on.

    title : str;  exercises : tuple of names;  points : dict name -> int
    due : "2026-12-01" or "";  variants : whether every student has numbers of their own
    """
    title: str
    exercises: tuple
    points: dict
    due: str = ""
    variants: bool = False

    @property
    def total(self):
        """All points."""
        return sum(self.points.values())

    def seed(self, student, seed=0):
        """The seed of a student's inputs: `seed` for all, or one from the student's id where there are variants."""
        if not self.variants:
            return seed
        return seed + int(hashlib.sha256(student.strip().lower().encode()).hexdigest()[:6], 16)


def assignment(title, names, points="", due="", variants=False):
    """An Assignment from what was typed.

    Raises
    ------
    ValueError
        An exercise, a number of points or the date is none.
    """
    exercises = tuple(dict.fromkeys(find(name).name for name in names))
    if not exercises:
        raise ValueError("--exercises: wanted one at least")
    worth = dict.fromkeys(exercises, 1)
    for part in filter(None, points.split(",")):
        name, equals, number = part.partition("=")
        name = find(name).name
        if name not in worth or not equals or not number.strip().isdigit():
            raise ValueError(f"--points {part}: wanted EXERCISE=NUMBER, with one of {', '.join(exercises)}")
        worth[name] = int(number)
    if due:
        try:
            datetime.date.fromisoformat(due)
        except ValueError:
            raise ValueError(f"--due {due}: wanted a date such as 2026-12-01") from None
    return Assignment(title, exercises, worth, due, bool(variants))


def load(path):
    """The Assignment of a hand-out's folder, or of its assignment.json; ValueError for anything else."""
    path = Path(path)
    path = path / FILE if path.is_dir() else path
    try:
        made = files.parse_json(path.read_text(encoding="utf-8"))
        return Assignment(str(made["title"]), tuple(find(name).name for name in made["exercises"]),
                          {find(name).name: int(n) for name, n in made["points"].items()}, str(made["due"]),
                          bool(made["variants"]))
    except FileNotFoundError:
        raise ValueError(f"there is no {path}; `minis2s class make` writes one") from None
    except (ValueError, TypeError, KeyError, AttributeError) as e:
        raise ValueError(f"{path} is not an assignment: {e}") from None


CHECK = '''"""Check your work:  python check.py        all files, or  python check.py softmax  one of them."""
import sys
from pathlib import Path

try:
    from minis2s.classroom.assignment.student import main
except ImportError:
    sys.exit("minis2s is not installed in this Python: README.md says how")

if __name__ == "__main__":
    sys.exit(main(Path(__file__).resolve().parent, sys.argv[1:]))
'''

README = """# {title}

{due}Write the function in each of these files:

| file | what | points |
|---|---|---|
{rows}

1. Install once: {install} (Python 3.11 or newer).
2. {who}Open a file, read the equations in it, and write the code in place of `raise NotImplementedError`.
3. `python check.py` says what is right, where the first wrong number stands, and what to look at next.
   `python check.py softmax --hint 1` shows a hint; there are three for each exercise.
4. Hand in the files, under their names. Your code may use NumPy (and Numba, where the file imports it), and no
   function of minis2s.

The grading uses other numbers than `check.py`: a function that is right passes both.
"""


BY_TEACHER = "`python -m pip install FILE`, where FILE is the minis2s that your teacher gives you"


def make(folder, made, wheel=None):
    """Write the hand-out of an Assignment into `folder`: -> list of paths.

    Parameters
    ----------
    folder : str or os.PathLike
    made : Assignment
    wheel : str or os.PathLike, optional
        A built minis2s that is copied into the folder, for students to install from.

    Raises
    ------
    ValueError
        The folder exists already and holds something; the wheel is none.
    """
    if wheel and not (str(wheel).endswith(".whl") and Path(wheel).is_file()):
        raise ValueError(f"--wheel {wheel}: wanted a file that ends in .whl; `pip wheel --no-deps FOLDER` builds one")
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} exists already; wanted a new or an empty folder")
    folder.mkdir(parents=True, exist_ok=True)
    paths = [start(find(name), folder) for name in made.exercises]
    rows = "\n".join(f"| `{find(name).function}.py` | {find(name).title} | {made.points[name]} |"
                     for name in made.exercises)
    due = f"Due on {made.due}.\n\n" if made.due else ""
    install = f"`python -m pip install {Path(wheel).name}`, in this folder" if wheel else BY_TEACHER
    who = "Write your student id into `student.txt`: your numbers depend on it.\n   " if made.variants else ""
    texts = {"README.md": README.format(title=made.title, due=due, rows=rows, who=who, install=install),
             "check.py": CHECK,
             FILE: json.dumps({**made._asdict(), "exercises": list(made.exercises)}, indent=1) + "\n"}
    if made.variants:
        texts["student.txt"] = "\n"
    for name, text in texts.items():
        files.write_text(folder / name, text)
        paths.append(folder / name)
    if wheel:
        paths.append(Path(shutil.copy(wheel, folder)))
    return [Path(os.path.normpath(path)) for path in paths]
