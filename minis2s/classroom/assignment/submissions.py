"""Which file of which student is which exercise: names are matched tolerantly, sub-folders and zip files are read.

Nothing of a submission is run here, and no link in it is followed.
"""
import ast
import json
import re
import shutil
import stat
import zipfile
from pathlib import Path
from typing import NamedTuple

LARGEST, MOST = 1 << 20, 2000                                   # bytes of a file; files of a submission
SKIP = {"__macosx", "__pycache__", "node_modules", "site-packages", "venv"}


class Submission(NamedTuple):
    """A student's name for the table, the student's id, and where the files lie."""
    name: str
    student: str
    place: Path


def submissions(folder):
    """The Submissions in a folder: one for each sub-folder or zip file, in order.

    Raises
    ------
    ValueError
        `folder` is no folder, or holds none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    found = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.name.lower() in SKIP or path.is_symlink():
            continue
        if path.is_dir() or path.suffix.lower() == ".zip":
            name = path.stem if path.suffix.lower() == ".zip" and not path.is_dir() else path.name
            name = re.sub(r"_\d+_assignsubmission_file_?$", "", name)              # what Moodle adds
            found.append(Submission(name, _id(path) or name, path))
    if not found:
        raise ValueError(f"{folder} holds no folders and no zip files; wanted one for each student")
    return found


def _id(path):
    """What student.txt says, or ""."""
    for place in (path / "student.txt", *sorted(path.glob("*/student.txt"))) if path.is_dir() else ():
        try:
            if place.is_file() and not place.is_symlink():
                text = place.read_text(encoding="utf-8-sig", errors="replace")[:200].strip()
                return text.splitlines()[0].strip() if text else ""
        except OSError:
            pass
    return ""


def listed(place):
    """All Python files and notebooks of a submission, sub-folders included, without links."""
    found, left = [], [Path(place)]
    while left and len(found) < MOST:
        try:
            entries = sorted(left.pop(0).iterdir())
        except OSError:
            continue
        for path in entries:
            mode = path.lstat().st_mode
            if stat.S_ISDIR(mode) and not path.name.startswith(".") and path.name.lower() not in SKIP:
                left.append(path)
            elif stat.S_ISREG(mode) and path.suffix.lower() in (".py", ".ipynb", ".txt"):
                if path.lstat().st_size <= LARGEST:
                    found.append(path)
    return found


def unzip(path, into):
    """The files of a zip below `into`, as far as they are small and stay there."""
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist()[:MOST]:
            target = (Path(into) / info.filename).resolve()
            inside = Path(into).resolve() in target.parents
            if info.is_dir() or not inside or info.file_size > LARGEST or stat.S_ISLNK(info.external_attr >> 16):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as source, open(target, "wb") as out:
                out.write(source.read(LARGEST))


def plain(name):
    """A file's name without what copies and people add: "Softmax (1).py" -> "softmax"."""
    stem = Path(name).stem.lower().removesuffix(".py")
    stem = re.sub(r"\s*\(\d+\)$|\s*-?\s*(copy|kopie|final|neu|new|副本)(\s*\(?\d*\)?)?$", "", stem.strip())
    return re.sub(r"[\s\-_.]+", "_", stem).strip("_")


def match(files, functions):
    """Function name -> (path, remark) for those functions for which a file is found."""
    found = {}
    for function in functions:
        longer = [f for f in functions if function in f and f != function]
        ranked = []
        for path in files:
            stem = plain(path.name)
            if path.suffix.lower() == ".txt":
                rank = 2 if stem == function else None          # softmax.py.txt, as some systems save it
            elif stem == function:
                rank = 0 if path.name == f"{function}.py" else 1
            elif re.search(rf"(^|_){function}(_|$)", stem) and not any(f in stem for f in longer):
                rank = 3
            else:
                rank = 4 if _defines(path, function) else None
            if rank is not None:
                ranked.append((rank, len(path.parts), -path.lstat().st_mtime, path))
        if ranked:
            rank, _, _, path = min(ranked)
            remark = "" if rank == 0 else f"taken from {path.name}"
            same = sum(r[0] == rank for r in ranked)
            found[function] = path, remark + (f"; {same} files fit, the newest was taken" if same > 1 else "")
    return found


def _defines(path, function):
    """Whether a file's text defines the function."""
    text = path.read_text(encoding="utf-8", errors="replace")
    start = r"^\s*" if path.suffix.lower() == ".py" else r"(\b|\\n)"    # a notebook's are strings of JSON
    return bool(re.search(rf"{start}def {function}\(", text, re.MULTILINE))


def collect(path, function, into):
    """Copy a file, with the Python files beside it, to `into` under the exercise's name: -> its new path."""
    into.mkdir(parents=True, exist_ok=True)
    target = into / f"{function}.py"
    for other in sorted(path.parent.iterdir())[:200]:
        mode = other.lstat()
        if stat.S_ISREG(mode.st_mode) and other.suffix == ".py" and mode.st_size <= LARGEST and other != path:
            shutil.copyfile(other, into / other.name)
    if path.suffix.lower() == ".ipynb":
        target.write_text(from_notebook(path.read_text(encoding="utf-8", errors="replace")), encoding="utf-8")
    else:
        shutil.copyfile(path, target)
    return target


def from_notebook(text):
    """The imports and functions of a notebook's code cells, as one file; cells that do not parse are left out."""
    try:
        cells = json.loads(text)["cells"]
        sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "raise ValueError('this is no notebook')\n"
    kept = ["import numpy as np\n"]
    for source in sources:
        source = re.sub(r"^[%!].*$", "", source, flags=re.MULTILINE)
        try:
            body = ast.parse(source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        for node in body:
            own = not re.search(r"minis2s", ast.unparse(node)) if isinstance(node, (ast.Import, ast.ImportFrom)) else \
                isinstance(node, ast.FunctionDef)
            if own:
                kept.append(ast.unparse(node) + "\n")
    return "\n".join(kept)
