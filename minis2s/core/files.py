"""Files are saved whole or not at all.

A file is first written under another name in the same folder, pushed to the disk, and only then given its
real name. `os.replace` is one indivisible step, so a reader (or a crash, or a full disk) meets the old file
or the new one, never half of one.
"""
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

DEEPEST = 100                       # levels of a JSON text: more would overflow Python's stack somewhere later


def write_atomically(path: str | os.PathLike, write: Callable[[Path], Any]) -> None:
    """Let `write` fill a temporary file, then put it in the place of `path`.

    Parameters
    ----------
    path : str or os.PathLike
        The file to create or replace. Its folder must exist. A symbolic link is followed.
    write : callable
        ``write(temporary_path)`` creates the file at that `pathlib.Path`, which has the suffix of `path`.

    Raises
    ------
    FileNotFoundError
        If the folder is missing.
    ValueError
        If `path` exists and is not a regular file (a folder, a device).
    OSError
        If writing fails (a full disk); it names `path`. Whatever else `write` raises is passed on. The temporary
        file is removed and an old file stays as it was.
    """
    name = os.fspath(path)
    path = Path(os.path.realpath(path))                  # replace the file a link points at, not the link
    check_place(path)
    temporary = path.with_name(f".tmp-{secrets.token_hex(8)}{path.suffix}")
    try:
        write(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())                      # the content reaches the disk before the name does
        os.replace(temporary, path)
    except OSError as e:
        raise naming(e, name, temporary)
    finally:
        temporary.unlink(missing_ok=True)                # there is one only after an error
    _sync_folder(path.parent)


def write_text(path: str | os.PathLike, text: str, errors: str = "strict") -> None:
    """Write the string `text` to `path` in UTF-8, whole or not at all; line ends stay as they are.

    `errors` is that of `str.encode`: what becomes of half a surrogate pair, which has no UTF-8.  Raises what
    `write_atomically` raises, and TypeError if `text` is not a string.
    """
    if not isinstance(text, str):
        raise TypeError(f"text: got {type(text).__name__}, wanted a string")
    data = text.encode("utf-8", errors)
    write_atomically(path, lambda temporary: temporary.write_bytes(data))


def naming(error: OSError, path: Any, temporary: Any = None) -> OSError:
    """The same OSError, but it names `path` where it named no file, or the `temporary` one that stands for it."""
    if error.errno is not None and error.filename in (None, temporary, str(temporary)):
        error.filename, error.filename2 = str(path), None
    return error


def parse_json(text: str) -> Any:
    """The value of a JSON text.

    Raises
    ------
    ValueError
        If it is not JSON (NaN and Infinity are not), or is nested deeper than 100 levels.
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError(f"nested deeper than {DEEPEST} levels") from None
    level = [value]
    for _ in range(DEEPEST + 1):
        level = [x for v in level if isinstance(v, (dict, list)) for x in (v.values() if isinstance(v, dict) else v)]
        if not level:
            return value
    raise ValueError(f"nested deeper than {DEEPEST} levels")


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON number")


def check_place(path: str | os.PathLike) -> None:
    """Raise FileNotFoundError or ValueError if no file can be saved at `path` (see `write_atomically`)."""
    path = Path(path)
    if not path.parent.is_dir():
        folder = str(path.parent)
        raise FileNotFoundError(f"path: cannot save {path.name!r}, the folder {folder!r} does not exist")
    if path.exists() and not path.is_file():
        raise ValueError(f"path: {str(path)!r} exists and is not a regular file")


def check_free(path: str | os.PathLike, overwrite: bool) -> None:
    """Raise FileExistsError if there is a file at `path` and nobody said --overwrite, and what `check_place` raises."""
    check_place(path)
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"{path}: exists already; replace it with --overwrite")


def numbered(folder: str | os.PathLike, count: int, suffix: str, overwrite: bool) -> list[Path]:
    """Paths of so many files in a folder that may be yet to be made: 1.wav, 2.wav, ...

    Raises
    ------
    NotADirectoryError
        The folder is a file.
    FileExistsError
        One of the files exists, and nobody said --overwrite.
    """
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder}: a file, wanted a folder for what is written")
    paths = [folder / f"{i}{suffix}" for i in range(1, count + 1)]
    for path in paths if folder.exists() else ():
        check_free(path, overwrite)
    return paths


def _sync_folder(folder: Path) -> None:
    """Push the folder's list of names to the disk, so that the new name survives a power cut."""
    if os.name != "posix":                               # other systems do not open folders
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
