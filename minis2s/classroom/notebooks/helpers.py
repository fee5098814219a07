"""What the notebooks' own cells use: pictures with words, and exercises that fail kindly."""
import base64
import io
import sys
from contextlib import contextmanager

# Okabe and Ito's: told apart by colour-blind readers, too.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]


class Unsolved(Exception):
    """An exercise is not solved (yet).  A notebook shows the one line of it and no traceback."""

    def _render_traceback_(self):
        return [str(self)]


@contextmanager
def attempt(name):
    """Judge the exercise `name` by the asserts inside the `with` block.

    Raises
    ------
    Unsolved
        One line in place of a traceback: for a stub that is still a stub, and for an assert that fails.
    """
    try:
        yield
    except NotImplementedError:
        raise Unsolved(f"{name}: not solved yet. Write it in the cell above, run that, then this.") from None
    except AssertionError as e:
        raise Unsolved(f"{name}: not right yet. {e}") from None
    print(f"{name}: right.")


def judge(name, function):
    """Have `minis2s.check` look at a student's function, and print its report.

    Raises
    ------
    Unsolved
        One line, unless the function passed: nothing further down runs on a wrong answer.
    """
    from ..doctor import check
    report = check(name, function)
    with attempt(name):
        if report.verdict == "unfinished":
            raise NotImplementedError
        if not report.passed:
            print(report)
            raise AssertionError("The report above says where to look; `minis2s exercise` has hints.")


def compare(what, predicted, measured):
    """Print a prediction beside what was measured, and how far apart they are.

    Parameters
    ----------
    what : str
    predicted : number or None
        None where the reader has not written one yet: the measurement is shown, and nothing fails.
    measured : number
    """
    if not isinstance(predicted, (int, float)):
        print(f"{what}: no prediction yet; measured {measured:.4g}.")
        return
    away = abs(predicted - measured)
    size = "as predicted" if away <= 0.1 * abs(measured) else "near" if away <= 0.5 * abs(measured) else \
        "another order of things: why?"
    print(f"{what}: you predicted {predicted:.4g}, measured {measured:.4g}: {size}.")


@contextmanager
def picture(words, width=7.0, height=2.6, rows=1, columns=1, **layout):
    """Draw inside the `with` block; the picture is shown when it ends.

    Parameters
    ----------
    words : str
        What the picture shows, for readers who cannot see it (alt text).
    width, height : float
        Inches, at 96 dots each.
    rows, columns : int
        Of panels; `layout` goes on to matplotlib's `subplots`.

    Yields
    ------
    matplotlib Axes, or an array of them
    """
    import matplotlib

    from ...viewer.plots import new_figure, styled
    with styled(), matplotlib.rc_context({"axes.prop_cycle": matplotlib.cycler(color=COLOURS)}):
        figure = new_figure(width, height)
        figure.set_layout_engine("constrained")
        yield figure.subplots(rows, columns, **layout)
        png = io.BytesIO()
        figure.savefig(png, format="png", dpi=96, metadata={"Software": None})
    if "IPython" in sys.modules and sys.modules["IPython"].get_ipython():
        from IPython.display import display
        display({"image/png": base64.b64encode(png.getvalue()).decode(), "text/plain": words}, raw=True,
                metadata={"image/png": {"alt": words}})
