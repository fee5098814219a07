"""MicroPython for the page: found at build time where its npm package was installed, never part of this repository."""
import json
import os
import re
from pathlib import Path
from typing import NamedTuple

PACKAGE = "@micropython/micropython-webassembly-pyscript"
FILES = ("micropython.mjs", "micropython.wasm")
VARIABLE = "MINIS2S_MICROPYTHON"
HOW = f"npm install {PACKAGE}"
LICENCE = """MicroPython, WebAssembly port, PyScript variant ({package} {version}).

The MIT License (MIT)

Copyright (c) 2013-2026 Damien P. George and others

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE."""


class Runtime(NamedTuple):
    script: str                # of micropython.mjs, without its export
    wasm: bytes
    licence: str


def find(folder=None):
    """The folder of the package, or None where there is none.

    It is the one named, or else the one that the environment variable MINIS2S_MICROPYTHON names, or else in
    node_modules here or in a folder above.

    Raises
    ------
    FileNotFoundError
        The folder named has not its files.
    """
    folder = folder or os.environ.get(VARIABLE)
    if folder is not None:
        candidates = [Path(folder), Path(folder) / "node_modules" / PACKAGE, Path(folder) / PACKAGE]
    else:
        candidates = [parent / "node_modules" / PACKAGE for parent in (Path.cwd(), *Path.cwd().parents)]
    for candidate in candidates:
        if all((candidate / name).is_file() for name in FILES):
            return candidate
    if folder is not None:
        raise FileNotFoundError(f"runtime: {folder} has no {' and no '.join(FILES)}; install them: {HOW}")
    return None


def load(folder):
    """Read the package: -> Runtime.

    Raises
    ------
    ValueError
        Its script does not look as this book expects.
    """
    text = (folder / FILES[0]).read_text(encoding="utf-8")
    if "loadMicroPython" not in text:
        raise ValueError(f"runtime: {folder / FILES[0]} has no loadMicroPython; install it anew: {HOW}")
    script = without_exports(text)
    about = folder / "package.json"
    version = json.loads(about.read_text(encoding="utf-8")).get("version", "") if about.is_file() else ""
    wasm = (folder / FILES[1]).read_bytes()
    return Runtime(script, wasm, LICENCE.format(package=PACKAGE, version=version))


def without_exports(text):
    """The module's text, so that it defines `globalThis.loadMicroPython` from within a page."""
    text = re.sub(r"export\s+async\s+function", "async function", text)
    text = re.sub(r"export\s+(?=function|const|class)", "", text)
    text = re.sub(r"export\s*\{[^}]*\};?", "", text)
    text = re.sub(r"export\s+default\s+\w+;?", "", text)
    return text + "\nglobalThis.loadMicroPython = loadMicroPython;\n"
