"""minis2s book: the math, the code, the derivative and the numbers side by side, in one offline file."""
import os
import sys
import time

from ..core.files import check_free, write_text

NAME, HELP = "book", "write the live book: math, code, derivative and numbers side by side, in one offline HTML file"
EPILOG = """examples:
  minis2s book                                     book.html, in English and Chinese
  minis2s book --lang zh --out shu.html
  npm install @micropython/micropython-webassembly-pyscript
  minis2s book --overwrite                         with the Python that runs in the page, found in node_modules
  minis2s book --runtime DIR                       the same, found in DIR
  minis2s book --run runs/dates                    and a model of at most 64 units that reads and writes in the page

The file needs no server and asks for nothing: it opens from a disk, a phone, a course page. Without MicroPython's
package its numbers are fixed; with it they can be dragged, and forward and backward values follow.
"""
CHOICES = {"en": ("en",), "zh": ("zh",), "both": ("en", "zh")}


def arguments(parser):
    """Where to, which languages, which runtime."""
    parser.add_argument("--out", metavar="FILE", default="book.html", help="the file to write (book.html)")
    parser.add_argument("--lang", choices=CHOICES, default="both", help="languages (both)")
    parser.add_argument("--runtime", metavar="DIR", help="folder of MicroPython's npm package; else it is looked for "
                        "in the folder that MINIS2S_MICROPYTHON names, and in node_modules here and above")
    parser.add_argument("--run", dest="trained", metavar="RUN", help="embed a small trained model; needs the runtime")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")


def run(args):
    """Build and write."""
    check_free(args.out, args.overwrite)
    from ..viewer.book import build, runtime
    start, folder = time.perf_counter(), runtime.find(args.runtime)
    text = build.book(CHOICES[args.lang], folder, args.trained and embedded(args.trained, folder))
    write_text(args.out, text)
    size = len(text.encode("utf-8")) / 1e6
    print(f"minis2s: {args.out}: {size:.2f} MB in {time.perf_counter() - start:.0f} s", file=sys.stderr)
    if folder is None:
        print(f"minis2s: the numbers are fixed: no MicroPython was found; {runtime.HOW}, then build again",
              file=sys.stderr)
    return 0


def embedded(path, folder):
    """A run as the page gets it.

    Raises
    ------
    ValueError
        It is too large, of another kind, or there is nothing to run it with.
    """
    from ..api.seq2seq import Seq2Seq
    from ..viewer.book import run, runtime
    if folder is None:
        raise ValueError(f"--run: the page needs MicroPython to run a model, and none was found; {runtime.HOW}")
    return run.payload(Seq2Seq.load(path, backend="numpy"), os.path.basename(os.path.normpath(path)))
