"""The pages of the book in their reading order, found in the library itself.

A part is a file with marked equations.  ORDER is the order to read them in; a file that it does not name comes after
those it names, so that later parts join by themselves.
"""
import ast
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ...documents import equations, marks
from ...documents.formulas import FORMULAS

ORDER = ("core/functions.py", "core/gradient_check.py", "core/initializers.py", "layers/embedding.py",
         "layers/frame_input.py", "layers/linear.py", "layers/dropout.py", "layers/cells/rnn.py", "layers/unroll.py",
         "layers/cells/lstm.py", "layers/cells/gru.py", "layers/cells/gru_after.py", "layers/recurrent.py",
         "layers/attention/attend.py", "layers/attention/dot.py", "layers/attention/general.py",
         "layers/attention/additive.py", "layers/attention/concat_dot.py", "layers/fusion.py",
         "model/bridge.py", "model/context_step.py", "model/decoder.py", "layers/loss.py", "layers/frame_output.py",
         "layers/copying.py", "model/seq2seq.py", "training/optimizers.py", "training/schedule.py", "decoding",
         "layers/distillation.py", "training/pruning.py", "training/quantization.py",
         "layers/layer_norm.py", "layers/positions.py", "layers/feed_forward.py", "layers/residual.py",
         "layers/attention/scaled_dot_product.py", "layers/attention/multi_head.py",
         "model/transformer_sublayers.py", "model/transformer_encoder.py", "model/transformer_decoder.py",
         "model/transformer.py", "documents/printed/a.py", "documents/printed/b.py",
         "documents/printed/c.py", "documents/printed/d.py")
SEARCHES = {"greedy": "greedy", "beam": "beam_search", "exact": "exhaustive"}     # decoding/: file -> oracle's function


class Part(NamedTuple):
    """A page: of a file, or of the folder decoding/.

    pairs : (mark or None, mark of the derivative or None), in the order of the docstring
    before : ids of the parts that it imports, to be read first
    """
    id: str
    file: str
    title: str
    pairs: tuple
    before: tuple


def page_id(file):
    """"layers/cells/lstm.py" -> "lstm"; "documents/printed/a.py" -> "printed-a"."""
    path = Path(file)
    if path.parent.name == "printed":
        return f"printed-{path.stem}"
    return path.stem.replace("_", "-")


@cache
def parts():
    """All Parts, in reading order."""
    by_file = {}
    for mark, equation in equations.all_equations().items():
        by_file.setdefault(equation.file, []).append(mark)
    by_file["decoding"] = []
    files = sorted(by_file, key=lambda file: (ORDER.index(file) if file in ORDER else len(ORDER), file))
    return tuple(Part(page_id(file), file, title(file), pairs(by_file[file]), before(file, files)) for file in files)


def title(file):
    """The first sentence of the file's docstring, without its full stop."""
    return docstring(file).split("\n\n")[0].replace("\n", " ").rstrip(".")


def docstring(file):
    """Of a file, or of a folder."""
    path = equations.PACKAGE / file
    path = path / "__init__.py" if path.is_dir() else path
    return ast.get_docstring(ast.parse(equations.text_of(path))) or ""


def prose(file):
    """The paragraphs of the docstring that are no equations, no examples and no drawings, the title left out."""
    found = []
    for paragraph in docstring(file).split("\n\n")[1:]:
        lines = paragraph.splitlines()
        drawn = any(c in paragraph for c in "│─┬└") or paragraph.startswith(">>>")
        if not drawn and not any(marks.HEAD.search(line) for line in lines) and not lines[0].startswith("Forward"):
            found.append(" ".join(line.strip() for line in lines))
    return found


def drawing(file):
    """The first paragraph of the docstring that is a drawing, or ""."""
    return next((p for p in docstring(file).split("\n\n") if any(c in p for c in "│─┬└")), "")


def pairs(found):
    """Marks of a file -> (forward, derivative) pairs."""
    out = []
    for mark in found:
        if not equations.is_derivative(mark):
            star = equations.derivative(mark)
            out.append((mark, star if star in found else None))
        elif equations.forward(mark) not in found:
            out.append((None, mark))
    return tuple(out)


def imported(file):
    """The files of the package that a file imports, as they are named here."""
    path = equations.PACKAGE / file
    paths = sorted(path.glob("*.py")) if path.is_dir() else [path]
    for path in paths:
        package = path.relative_to(equations.PACKAGE).parts[:-1]
        for node in ast.walk(ast.parse(equations.text_of(path))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = package[:len(package) - node.level + 1] + tuple(filter(None, (node.module or "").split(".")))
                for alias in node.names:
                    yield "/".join((*base, alias.name)) + ".py"
                yield "/".join(base) + ".py"
                if (equations.PACKAGE / "/".join(base)).is_dir():
                    yield "/".join(base) + "/"


def before(file, files):
    """Ids of the parts to be read first: those that the file imports, and that stand before it."""
    wanted = list(imported(file))
    earlier = files[:files.index(file)]
    return tuple(page_id(f) for f in earlier if f in wanted or f + "/" in wanted)


@cache
def rows():
    """The rows of the documents, and for each the ids of the parts that its code is in: {id: (Formula, ids)}."""
    found = {}
    for name, formula in FORMULAS.items():
        files = {equations.all_equations()[f"({mark})"].file for form in formula.forms for mark in form.marks
                 if f"({mark})" in equations.all_equations()}
        found[name] = formula, tuple(part.id for part in parts() if part.file in files)
    return found


def home(mark):
    """The id of the page that has a mark."""
    return page_id(equations.all_equations()[mark].file)
