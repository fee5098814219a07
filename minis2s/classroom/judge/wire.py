"""Facts, Outcomes and Problems as bytes: a JSON head with a length before it, then the arrays' numbers.

The reader believes nothing: every length has a limit, every dtype is one of a short list, and text is cut to
printable characters.  Nothing here can run code.
"""
import json
import struct

import numpy as np

from ..doctor.contract import Problem
from ..doctor.outcome import Error, Facts, Outcome, Value

HEAD, BODY, TEXT, NAMES = 1 << 18, 1 << 26, 400, 60           # greatest bytes of a message, of a text; of names
DTYPES = {np.dtype(k).str for k in ("?", "i1", "u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f2", "<f4",
                                    "<f8", "<c8", "<c16", "<f16")}


KINDS = ("file", "exit")


class Garbled(Exception):
    """What came is no message in this format."""


def encode(message):
    """Bytes of a Facts, an Outcome or a Problem."""
    body = b""
    if isinstance(message, Facts):
        head = {"facts": message._asdict()}
    elif isinstance(message, Problem):
        head = {"problem": [message.kind, message.says, message.look, message.where]}
    else:
        values = []
        for v in message.values:
            entry = {"kind": v.kind, "number": bool(v.number)}
            if v.array is not None:
                a = v.array.astype(v.array.dtype.newbyteorder("<"))
                if a.dtype.str in DTYPES:
                    entry.update(dtype=a.dtype.str, shape=a.shape)
                    body += a.tobytes()
            values.append(entry)
        head = {"outcome": {**message._asdict(), "values": values,
                            "error": message.error and message.error._asdict()}}
    text = json.dumps(head).encode("ascii")
    return struct.pack("<IQ", len(text), len(body)) + text + body


def read(stream):
    """The next message of a binary stream, or None at its end; Garbled for anything else."""
    lengths = _exactly(stream, 12)
    if lengths is None:
        return None
    head, body = struct.unpack("<IQ", lengths)
    if head > HEAD or body > BODY:
        raise Garbled(f"a message of {head} + {body} bytes")
    text, numbers = _exactly(stream, head), _exactly(stream, body)
    if text is None or numbers is None:
        raise Garbled("a message that ends in its middle")
    try:
        return _decode(json.loads(text), numbers)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as e:
        raise Garbled(f"a message that cannot be read ({type(e).__name__})") from None


def _exactly(stream, size):
    """`size` bytes, or None if the stream ends before."""
    parts = bytearray()
    while len(parts) < size:
        more = stream.read(min(1 << 16, size - len(parts)))
        if not more:
            return None
        parts += more
    return bytes(parts)


def _decode(head, body):
    if "problem" in head:
        kind, says, look, where = map(clean, head["problem"])
        return Problem(kind if kind in KINDS else "file", says, look, where)
    if "facts" in head:
        f = head["facts"]
        return Facts(clean(f["kind"]), clean(f["parameters"]), tuple(map(clean, f["names"][:NAMES])),
                     bool(f["fits"]), clean(f["compiled"]))
    o, values, at = head["outcome"], [], 0
    for entry in o["values"][:NAMES]:
        array = None
        if "dtype" in entry:
            if entry["dtype"] not in DTYPES or len(entry["shape"]) > 8:
                raise ValueError("dtype")
            dtype, form = np.dtype(entry["dtype"]), tuple(int(n) for n in entry["shape"])
            size = dtype.itemsize
            for n in form:
                if not 0 <= n <= BODY:
                    raise ValueError("shape")
                size *= n
            if size > len(body) - at:
                raise ValueError("too short")
            array = np.frombuffer(body[at:at + size], dtype).reshape(form)
            at += size
        values.append(Value(clean(entry["kind"]), array, bool(entry["number"])))
    e = o["error"]
    error = e and Error(tuple(map(clean, e["names"][:NAMES])) or ("Exception",), clean(e["says"]),
                        None if e["line"] is None else int(e["line"]), clean(e["text"]), bool(e["compiler"]))
    shared = tuple((int(k), clean(other) if isinstance(other, str) else int(other))
                   for k, other in o["shared"][:NAMES] if 0 <= int(k) < len(values))
    return Outcome(clean(o["container"]), tuple(values), error or None,
                   tuple(map(clean, o["changed"][:NAMES])), shared, tuple(map(clean, o["used"][:NAMES])))


def clean(text, longest=TEXT):
    """Text with nothing that moves a terminal's cursor, colours it, or breaks a line; cut to a length."""
    text = str(text)[:longest]
    return "".join(c if c.isprintable() else "?" for c in text)
