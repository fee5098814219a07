"""A file is saved whole or not at all."""
import errno
import os

import pytest

from minis2s.core import files
from minis2s.core.files import parse_json, write_atomically, write_text


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_text_is_written_as_utf8_with_its_line_ends(tmp_path):
    write_text(tmp_path / "a.txt", "你好\r\nab\n")
    assert (tmp_path / "a.txt").read_bytes() == "你好\r\nab\n".encode("utf-8")
    write_text(str(tmp_path / "a.txt"), "new")
    assert (tmp_path / "a.txt").read_bytes() == b"new"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()],
                         ids=["full disk", "Ctrl-C"])
@pytest.mark.parametrize("old", [b"old", None], ids=["old file", "no old file"])
def test_an_error_halfway_changes_nothing(tmp_path, error, old):
    path = tmp_path / "weights.bin"
    if old is not None:
        path.write_bytes(old)

    def write(temporary):
        temporary.write_bytes(b"half of the n")
        raise error

    with pytest.raises(type(error)) as caught:
        write_atomically(path, write)
    assert caught.value is error
    assert names(tmp_path) == ([] if old is None else ["weights.bin"])
    assert old is None or path.read_bytes() == old


@pytest.mark.parametrize("name", ["fsync", "replace"])
def test_an_error_of_the_system_changes_nothing(tmp_path, monkeypatch, name):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")

    def fail(*_):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files.os, name, fail)
    with pytest.raises(OSError, match="Input/output"):
        write_text(path, "new")
    assert names(tmp_path) == ["a.txt"] and path.read_bytes() == b"old"


def test_the_old_file_is_there_while_the_new_one_is_written(tmp_path):
    path = tmp_path / "map.png"
    path.write_bytes(b"old")

    def write(temporary):
        assert path.read_bytes() == b"old"
        assert temporary.parent == tmp_path and temporary.suffix == ".png"
        temporary.write_bytes(b"new")

    write_atomically(path, write)
    assert path.read_bytes() == b"new"


@pytest.mark.skipif(os.name != "posix", reason="folders are synchronised on POSIX only")
def test_file_then_name_then_folder_are_synchronised(tmp_path, monkeypatch):
    events = []
    fsync, replace = os.fsync, os.replace

    def spy_fsync(handle):
        inode = os.fstat(handle).st_ino
        events.append("folder" if inode == tmp_path.stat().st_ino else "file")
        fsync(handle)

    def spy_replace(*paths):
        events.append("replace")
        replace(*paths)

    monkeypatch.setattr(files.os, "fsync", spy_fsync)
    monkeypatch.setattr(files.os, "replace", spy_replace)
    write_text(tmp_path / "a.txt", "new")
    assert events == ["file", "replace", "folder"]


def test_bad_places_are_refused_before_anything_is_written(tmp_path):
    def write(_):
        pytest.fail("must not be called")

    with pytest.raises(FileNotFoundError, match="folder .*missing.* does not exist"):
        write_atomically(tmp_path / "missing" / "a.txt", write)
    with pytest.raises(ValueError, match="not a regular file"):
        write_atomically(tmp_path, write)
    with pytest.raises(ValueError, match="not a regular file"):
        write_atomically(os.devnull, write)
    with pytest.raises(TypeError, match="text: got bytes, wanted a string"):
        write_text(tmp_path / "a.txt", b"bytes")
    assert names(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="links need rights elsewhere")
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    (tmp_path / "link.txt").symlink_to("real.txt")
    write_text(tmp_path / "link.txt", "new")
    assert (tmp_path / "link.txt").is_symlink() and (tmp_path / "real.txt").read_text() == "new"


def test_errors_of_the_system_name_the_persons_file(tmp_path):
    """Not the temporary one, which is gone; what names another file, or is no error of the system, stays."""
    path = tmp_path / "a.txt"
    for filename in (None, "temporary"):
        def write(temporary):
            raise PermissionError(errno.EACCES, "Permission denied", *[str(temporary)] * (filename is not None))
        with pytest.raises(PermissionError) as caught:
            write_atomically(path, write)
        assert caught.value.filename == str(path) and ".tmp" not in str(caught.value)
    for error, name in ((PermissionError(errno.EACCES, "Permission denied", "/other"), "/other"),
                        (OSError("odd"), None)):
        def write(_):
            raise error
        with pytest.raises(OSError) as caught:
            write_atomically(path, write)
        assert caught.value.filename == name


def test_half_a_surrogate_pair_is_refused_or_escaped(tmp_path):
    with pytest.raises(UnicodeEncodeError):
        write_text(tmp_path / "a.txt", "a\udcffb")
    assert names(tmp_path) == []
    write_text(tmp_path / "a.txt", "a\udcffb", "backslashreplace")
    assert (tmp_path / "a.txt").read_bytes() == b"a\\udcffb"


@pytest.mark.parametrize("text, value",
                         [("5", 5), ('{"a": [1, 2.5, null, true, "x"]}', {"a": [1, 2.5, None, True, "x"]}),
                          ("[" * 100 + "]" * 100, None)])
def test_json_is_read(text, value):
    got = parse_json(text)
    assert value is None or got == value


@pytest.mark.parametrize("text, told", [
    ("NaN", "NaN is no JSON number"), ('{"a": -Infinity}', "-Infinity is no JSON number"), ("[Infinity]", "Infinity"),
    ("[" * 102 + "]" * 102, "nested deeper than 100"), ('{"a":' * 102 + "1" + "}" * 102, "nested deeper than 100"),
    ("[" * 10_000_000, "nested deeper than 100"), ("{", "Expecting"), ("", "Expecting value"),
    ("{'a': 1}", "Expecting"), ("9" * 5_000, "digits")])
def test_what_is_no_json_is_a_value_error(text, told):
    with pytest.raises(ValueError, match=told):
        parse_json(text)


@pytest.mark.parametrize("opened, closed", [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_json_may_be_nested_a_hundred_levels_and_no_deeper(opened, closed):
    each = closed.count("]") + closed.count("}")
    files.parse_json(opened * (100 // each) + "1" + closed * (100 // each))
    with pytest.raises(ValueError, match="nested deeper than 100 levels"):
        files.parse_json("[" + opened * (100 // each) + "1" + closed * (100 // each) + "]")
