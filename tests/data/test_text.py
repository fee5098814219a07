"""What is text: lines, control characters, blank."""
import unicodedata

import pytest
from hypothesis import given, strategies as st

from minis2s.data.text import control_character, is_blank, read_lines, same


@pytest.mark.parametrize("text", ["", " ", "\t\u00a0\u3000\u202f", "\u200b", "\ufeff\u2060", "\u200e \u00ad\n"])
def test_blank(text):
    assert is_blank(text)


@pytest.mark.parametrize("text", ["a", " . ", "\u200ba", "\u0301", "0"])
def test_not_blank(text):
    assert not is_blank(text)


@given(st.characters())
def test_control_characters_are_those_of_unicode_and_the_byte_order_mark(ch):
    refused = (unicodedata.category(ch) == "Cc" and ch != "\t") or ch == "\ufeff"
    assert (control_character("ab" + ch) is not None) == refused
    if refused:
        assert control_character("ab" + ch).startswith(f"character 3 is U+{ord(ch):04X}, a")


def test_lines():
    assert read_lines(b"a\nb\r\nc\rd", "x") == list("abcd")
    assert read_lines(b"a\n\n", "x") == ["a", ""] and read_lines(b"", "x") == [] and read_lines(b"\n", "x") == [""]
    assert read_lines("\ufeffa\u2028b\n".encode(), "x") == ["a\u2028b"]


@pytest.mark.parametrize("data, told", [
    (b"a\nb\0", "stdin, line 2: a NUL byte"), ("a".encode("utf-16-le"), "line 1: a NUL byte"),
    (b"a\xff", "line 1: byte 2 of the line is not UTF-8"), ("\na\x01".encode(), r"line 2: character 2 is U\+0001"),
    ("a\n\ufeffb".encode(), r"line 2: character 1 is U\+FEFF, a byte order mark"),
])
def test_lines_refused(data, told):
    with pytest.raises(ValueError, match=told + ".*"):
        read_lines(data, "stdin")


def test_texts_compared():
    assert same(" cafe\u0301\u00a0 x\u3000") == "caf\u00e9 x" and same("\u200bx") != "x" and same("A") != "a"
