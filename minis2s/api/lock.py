"""One process at a time in a run's directory.

The lock is the operating system's, upon a file in the directory, so it is released however its owner ends, and a file
that a killed process left behind locks nobody out.  The file names the owner, for the message to the second process.
"""
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..core.files import naming

NAME = ".lock"                      # of the file
FAR = 1 << 30                       # the byte that is locked where a lock is upon bytes: behind the owner's name


@contextmanager
def lock(folder: str | os.PathLike) -> Iterator[None]:
    """Hold the lock of a directory.

    Raises
    ------
    BlockingIOError
        Another process (or another thread of this one) holds it; the message names it.
    OSError
        No file can be made there.
    """
    path = Path(folder) / NAME
    file = acquire(path, folder)
    try:
        yield
    finally:
        release(file, path)


def acquire(path: Path, folder: str | os.PathLike) -> IO:
    """The open and locked file at `path`."""
    while True:
        try:
            file = open(path, "a+", encoding="utf-8")
        except OSError as e:
            raise naming(e, folder, path)
        if not take(file):
            owner = owner_of(file)
            file.close()
            raise BlockingIOError(f"{folder}: in use by {owner}; wait until it has ended, or stop it")
        try:
            if os.path.samestat(os.fstat(file.fileno()), os.stat(path)):
                break
        except FileNotFoundError:
            pass
        file.close()                                    # its owner removed it meanwhile; the next one will be ours
    try:
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}, which began at "
                   f"{time.strftime('%Y-%m-%d %H:%M:%S')}")
        file.flush()
    except OSError:                                     # a full disk: the lock holds without a name
        pass
    return file


def release(file: IO, path: Path) -> None:
    """Give the lock back and remove its file."""
    if os.name == "posix":                              # other systems remove no open file
        path.unlink(missing_ok=True)
    try:
        file.close()
    except OSError:                                     # the owner's name, which found no room
        pass
    if os.name != "posix":
        try:
            path.unlink(missing_ok=True)
        except OSError:                                 # the next owner has opened it
            pass


def owner_of(file: IO) -> str:
    """What the owner wrote into its file."""
    try:
        file.seek(0)
        text = file.read(300).strip()
    except (OSError, ValueError):
        text = ""
    return text if text.isprintable() and text else "another process"


def take(file: IO) -> bool:
    """Lock an open file unless another has: -> whether it is ours.  File systems without locks refuse nobody."""
    try:
        import fcntl
    except ImportError:
        import msvcrt
        file.seek(FAR)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)    # type: ignore[attr-defined]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True
