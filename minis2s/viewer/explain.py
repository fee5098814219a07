"""Why a model writes what it writes: three witnesses beside one another, and what units do over a text.

    attention   gradient x input   occlusion        a row for each token written, a column for each token read
    states of single units of the top encoder layer, after each token read

model/saliency.py says what is measured.  Rows of the three maps are scaled so that they can be compared: attention sums
to 1 as it is; of gradient x input the sizes are divided by their sum, and so is what occlusion costs (a gain counts 0).
"""
import numpy as np

from ..api import answering
from ..core import validation
from ..model import saliency
from .plots.fonts import Letters
from .plots.style import check_path, new_figure, save, styled

UNITS = 8                      # drawn where nobody names some
CELL = 0.3                     # inches


def witnesses(model, text):
    """What each of the witnesses says about a model's greedy answer.

    Parameters
    ----------
    model : Seq2Seq
        A trained recurrent model.
    text : str

    Returns
    -------
    maps : dict
        Name -> ndarray (S, T), rows of sum 1; without attention two of them.
    source, target : lists of str
        The tokens read, and those written with "<eos>" behind them.

    Raises
    ------
    ValueError
        For a blank text, and for a Transformer.
    """
    p, c, (best,) = model.params, model.config, model.decode([text])[0]
    if not best.source or not best.finished and not best.target:
        raise ValueError(f"text: {text[:40]!r} is blank or too long, so there is nothing to explain")
    x, y = answering.numbered(model, (best.source, best.target))
    found = {"attention": saliency.attention(p, c, x, y),
             "gradient x input": np.abs(saliency.gradient_times_input(p, c, x, y)),
             "occlusion": np.maximum(saliency.occlusion(p, c, x, y), 0)}
    maps = {name: shares(rows) for name, rows in found.items() if rows is not None}
    return maps, best.source, [*best.target, "<eos>"]


def shares(rows):
    """Rows divided by their sums.  A word that can only be copied costs all of its probability with its one place."""
    endless = np.isinf(rows)
    rows = np.where(endless.any(axis=1, keepdims=True), endless, rows)
    return rows / np.maximum(rows.sum(axis=1, keepdims=True), 1e-12)


def liveliest(hs, count):
    """The units whose states (T, H) vary most over a text."""
    return np.sort(np.argsort(-hs.std(axis=0), kind="stable")[:count]).tolist()


def figure(model, text, units=None, path=None):
    """Draw the witnesses, and units over the text.

    Parameters
    ----------
    model : Seq2Seq
    text : str
    units : list of int, optional
        Numbers of units, from 0; None: those whose states vary most.
    path : str or os.PathLike, optional
        Where to save: ``.png`` or ``.svg``.

    Returns
    -------
    matplotlib.figure.Figure
        Its axes are the maps in order, then the units.
    """
    check_path(path)
    maps, source, target = witnesses(model, text)
    hs = saliency.states(model.params, model.config, answering.numbered(model, (source, []))[0])
    for unit in units or ():
        validation.whole("units", unit, 0, hs.shape[1] - 1)
    units = list(units) if units else liveliest(hs, UNITS)
    letters = Letters([*source, *target])
    x, y = ([letters.label(token) for token in side] for side in (source, target))
    wide, high, low = CELL * len(x) + 0.9, CELL * len(y), CELL * len(units)
    with styled(letters.families):
        size = max(wide * len(maps), 6), high + low + 2.2
        fig = new_figure(*size)

        def place(left, top, width, height):                   # inches
            return fig.add_axes([left / size[0], 1 - (top + height) / size[1], width / size[0], height / size[1]])
        for k, (name, rows) in enumerate(maps.items()):
            ax = place(0.8 + k * wide, 0.7, CELL * len(x), high)
            ax.imshow(rows, vmin=0, vmax=1, aspect="auto", interpolation="none")
            ax.set_title(name, pad=22)
            tick(ax, x, y if k == 0 else [""] * len(y))
        ax = place(0.8, high + 1.5, CELL * len(x), low)
        top = max(1e-9, float(np.abs(hs).max()))
        image = ax.imshow(hs[:, units].T, vmin=-top, vmax=top, cmap="RdBu_r", aspect="auto", interpolation="none")
        ax.set_title("states of single units", pad=22)
        tick(ax, x, [str(unit) for unit in units])
        fig.colorbar(image, cax=place(0.9 + CELL * len(x), high + 1.5, 0.1, low)).outline.set_visible(False)
        return save(fig, path)


def tick(ax, x, y):
    """Tokens above and at the left."""
    ax.grid(False)
    ax.xaxis.tick_top()
    turned = 90 if max(map(len, x)) > 2 else 0
    ax.set_xticks(range(len(x)), x, parse_math=False, fontsize=8, rotation=turned)
    ax.set_yticks(range(len(y)), y, parse_math=False, fontsize=8)
    ax.tick_params(length=0)
