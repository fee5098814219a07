"""The table of all formulas: each form is run and checked while it is printed."""
import numpy as np

from .. import DOCUMENTS, SECOND
from . import FORMULAS, check
from .cases import Sizes
from .entry import place, source
from .text import wrap

HEAD = f"  {'':14} {'code':41} oracle exact diff."
LEGEND = """\
oracle: error of the forward pass against the scalar oracle (minis2s/testing/oracle); exact: error of the
hand-written derivative against the complex step; diff.: against central differences, which cannot do better
than about 1e-10.  All are computed now, relative to an array's largest entry.  `minis2s formulas ID` shows
one formula in full."""


def measure(form, sizes=Sizes(), seed=0, central=True):
    """Errors of one form, on a case drawn from `seed`."""
    rng = np.random.default_rng(seed)
    return check.measure(form.case(rng, sizes), rng, central)


def verdict(errors):
    """Whether forward and gradient are as exact as they must be."""
    good = errors.forward <= check.FORWARD and (errors.gradient is None or errors.gradient <= check.GRADIENT)
    return "ok" if good else "FAILS"


def number(error):
    return "none" if error is None else f"{error:.0e}" if error else "0"


def row(form, errors):
    return (f"  {form.name:14} {place(form.forward[0]):41} {number(errors.forward):>6} "
            f"{number(errors.gradient):>5} {number(errors.central):>5} {verdict(errors)}")


def record(formula, form, errors):
    """The same for `--json`: plain values."""
    path, line, _ = source(form.forward[0])
    return dict(id=formula.id, where=formula.where, name=formula.name, form=form.name, formula=formula.brief,
                latex=formula.latex, limit=formula.limit, file=path, line=line, forward=list(form.forward),
                backward=list(form.backward), marks=list(form.marks), forward_error=errors.forward,
                gradient_error=errors.gradient, central_difference_error=errors.central,
                arrays={name: exact for name, (exact, _) in errors.arrays.items()}, verdict=verdict(errors))


def rows(formulas):
    """Measure every form, one after the other: yields (formula, form, errors)."""
    for formula in formulas:
        for form in formula.forms:
            yield formula, form, measure(form)


def table(measured, width):
    """Yield the lines of the table, each as soon as it is known."""
    yield from wrap(LEGEND.replace("\n", " "), width, "")
    yield ""
    yield HEAD
    last, forms, arrays, worst, bad = None, 0, 0, (0.0, 0.0), 0
    for formula, form, errors in measured:
        if formula is not last:
            yield from wrap(f"{formula.id:6} {formula.brief}", width, "", "       ")
            if formula.limit:
                yield f"  ({formula.limit})"
            last = formula
        yield row(form, errors)
        forms, arrays = forms + 1, arrays + len(errors.arrays)
        worst = max(worst[0], errors.forward), max(worst[1], errors.gradient or 0.0)
        bad += verdict(errors) != "ok"
    yield ""
    outcome = f"{bad} FAIL" if bad else "all ok"
    yield from wrap(f"{forms} forms; gradients of {arrays} arrays checked; worst error: forward "
                    f"{number(worst[0])}, gradient {number(worst[1])}; {outcome}", width, "")


def documents(width):
    """The documents that the letters stand for."""
    lines = ["The documents:"]
    for letter, document in DOCUMENTS.items():
        title = f"{document.title}: " if document.title else ""
        lines += wrap(f"{letter}  {document.file}  {title}{document.subject}", width, "  ", "     ")
    return lines + wrap(SECOND, width) + wrap(
        '"Part P4" is a part that they name without a formula: `minis2s formulas P4`.', width)


def chosen(document=None):
    """The formulas of one document, or all.

    Raises
    ------
    ValueError
        There is no such document.
    """
    documents = sorted({name[0] for name in FORMULAS})
    if document is None:
        return list(FORMULAS.values())
    if document.upper() not in documents:
        raise ValueError(f"--document {document}: wanted one of {', '.join(documents)}")
    return [formula for name, formula in FORMULAS.items() if name[0] == document.upper()]
