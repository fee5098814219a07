"""One process at a time writes to a run; however it ends, the next one may."""
import os
import subprocess
import sys
import threading

import pytest

from minis2s.api import lock as lock_file
from minis2s.api.lock import NAME, lock
from minis2s.api.run import Run

HOLDER = """
import sys
from minis2s.api.lock import lock
with lock(sys.argv[1]):
    print('held', flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of tmp_path until it is killed or its input ends."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def free(folder):
    with lock(folder):
        return (folder / NAME).is_file()


def test_the_second_process_is_refused_and_told_who_the_first_is(tmp_path, holder):
    with pytest.raises(BlockingIOError, match=f"in use by process {holder.pid} on .*, which began at 20.*; wait"):
        with lock(tmp_path):
            pytest.fail("two in one run")
    assert (tmp_path / NAME).is_file()                                  # still the first one's
    holder.communicate("")
    assert not (tmp_path / NAME).exists() and free(tmp_path) and not (tmp_path / NAME).exists()


def test_the_lock_of_a_killed_process_is_taken_over(tmp_path, holder):
    holder.kill()
    holder.wait()
    assert f"process {holder.pid}" in (tmp_path / NAME).read_text()
    with lock(tmp_path):
        assert f"process {os.getpid()}" in (tmp_path / NAME).read_text()
    assert not (tmp_path / NAME).exists()


def test_a_second_thread_is_a_second_writer(tmp_path):
    said = []

    def other():
        try:
            with lock(tmp_path):
                said.append("held")
        except BlockingIOError as e:
            said.append(str(e))
    with lock(tmp_path):
        worker = threading.Thread(target=other)
        worker.start()
        worker.join()
    assert f"in use by process {os.getpid()}" in said[0]
    assert free(tmp_path)


def test_the_lock_is_released_by_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        with lock(tmp_path):
            raise KeyboardInterrupt
    assert free(tmp_path)


def test_a_file_that_its_owner_removes_meanwhile_is_no_lock(tmp_path, monkeypatch):
    """Between opening and locking the first owner ended and removed the file: whoever comes next would make another."""
    taken, take = [], lock_file.take

    def late(file):
        taken.append(file)
        if len(taken) == 1:
            (tmp_path / NAME).unlink()
        return take(file)
    monkeypatch.setattr(lock_file, "take", late)
    with lock(tmp_path):
        assert len(taken) == 2
        with pytest.raises(BlockingIOError):
            with lock(tmp_path):
                pytest.fail("two in one run")


@pytest.mark.parametrize("content", [b"", b"\x1b[31m", b"a\xff", b"x" * 10_000])
def test_an_owner_who_wrote_nonsense_is_another_process(tmp_path, monkeypatch, content):
    (tmp_path / NAME).write_bytes(content)
    monkeypatch.setattr(lock_file, "take", lambda file: False)
    with pytest.raises(BlockingIOError) as caught:
        with lock(tmp_path):
            pytest.fail("it is not ours")
    told = str(caught.value).removeprefix(f"{tmp_path}: in use by ")
    assert told.isprintable() and len(told) < 400
    assert content[:1] == b"x" or told.startswith("another process")


def test_a_place_without_rights_names_the_folder(tmp_path):
    with pytest.raises(OSError) as caught:
        with lock(tmp_path / "none"):
            pytest.fail("no such folder")
    assert caught.value.filename == str(tmp_path / "none")


def test_a_run_is_owned_once_and_an_empty_directory_is_removed(tmp_path):
    run = Run(tmp_path / "a" / "r")
    with run.owned(make=True):
        with run.owned():                                               # its own
            assert run.path.is_dir()
        assert (run.path / NAME).exists()
        with pytest.raises(BlockingIOError):
            with Run(run.path).owned():
                pytest.fail("two in one run")
    assert not run.path.exists()
    with pytest.raises(FileNotFoundError, match="r: no such run directory"):
        with run.owned():
            pytest.fail("there is none")
    run.path.mkdir()
    with pytest.raises(ValueError):
        with run.owned(make=True):
            raise ValueError
    assert run.path.is_dir()                                            # it was there before


def test_the_owner_named_is_the_present_one(tmp_path):
    """A killed process leaves its name behind."""
    path = tmp_path / NAME
    path.write_text("process 1 on elsewhere, which began at 2001-01-01 00:00:00")
    with lock(tmp_path):
        assert path.read_text().startswith(f"process {os.getpid()} on ") and "elsewhere" not in path.read_text()
