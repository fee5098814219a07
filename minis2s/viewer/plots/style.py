"""Colours and settings of all figures; new figures, and how they are saved."""
import contextlib
import os
from pathlib import Path

from ...core.files import check_place, write_atomically
from .fonts import quiet

# Okabe and Ito's colours: told apart by colour-blind readers too. Dashes tell them apart in a grey print.
BLUE, ORANGE, GREEN, PURPLE, BLACK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#222222"

SETTINGS = {
    "font.family": ["DejaVu Sans"],        # comes with matplotlib
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "0.88",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "legend.frameon": False,
    "image.cmap": "viridis",               # perceptually uniform, reads in grey
    "figure.dpi": 100,
    "savefig.dpi": 160,
    "svg.hashsalt": "minis2s",             # the same figure gives the same bytes
}


@contextlib.contextmanager
def styled(families=("DejaVu Sans",)):
    """Our settings over matplotlib's own defaults, whatever the user's are; theirs come back afterwards.

    Parameters
    ----------
    families : sequence of str
        Fonts: each character is drawn with the first one that has it.
    """
    import matplotlib.style
    with quiet(), matplotlib.style.context(["default", {**SETTINGS, "font.family": list(families)}]):
        yield


def new_figure(width, height):
    """An empty figure of a size in inches that needs no screen."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure


@contextlib.contextmanager
def panel_row(names, path, xlabel, ylabel, size=(3.2, 3.2), sharey=True):
    """Panels side by side, to be drawn in: yields (figure, list of axes); saved at the end.

    Parameters
    ----------
    names : iterable of str
        Titles, one for each panel.
    path : str or os.PathLike, optional
    xlabel, ylabel : str
    size : (float, float)
        Inches of one panel.
    sharey : bool
        One vertical scale for all.
    """
    check_path(path)
    names = list(names)
    with styled():
        figure = new_figure(max(4.2, size[0] * len(names)), size[1])
        figure.set_layout_engine("constrained")
        panels = list(figure.subplots(1, len(names), sharey=sharey, squeeze=False)[0])
        for axes, name in zip(panels, names):
            axes.set(title=name, xlabel=xlabel)
            axes.xaxis.get_major_locator().set_params(integer=True)
        panels[0].set_ylabel(ylabel)
        yield figure, panels
        save(figure, path)


@contextlib.contextmanager
def canvas(width, height, path=None):
    """A blank sheet to draw nodes and edges on, saved at the end: yields axes whose unit is the inch.

    Parameters
    ----------
    width, height : float
        Inches; (0, 0) is the lower left corner.
    path : str or os.PathLike, optional

    Raises
    ------
    ValueError, FileNotFoundError
        As `attention_map`, for a bad path.
    """
    check_path(path)
    with styled():
        figure = new_figure(width, height)
        axes = figure.add_axes([0, 0, 1, 1])
        axes.set(xlim=(0, width), ylim=(0, height))
        axes.set_axis_off()
        yield axes
        save(figure, path, few_colours=True)


def check_path(path, name="path"):
    """Raise ValueError or FileNotFoundError unless a figure can be saved at `path`; None is allowed.
    `name` is what a message calls it."""
    if path is None:
        return
    suffix = Path(path).suffix
    if suffix.lower() not in (".png", ".svg"):
        raise ValueError(f"{name}: got suffix {suffix!r} in {os.fspath(path)!r}, wanted .png or .svg")
    check_place(path)


def save(figure, path, few_colours=False):
    """Save a figure whole or not at all, the same figure as the same bytes; without a path do nothing.

    Returns
    -------
    The figure.
    """
    if path is None:
        return figure
    kind = Path(path).suffix.lower()[1:]
    metadata = {"svg": {"Date": None}, "png": {"Software": None}}[kind]
    options = {"pil_kwargs": {"optimize": True}} if kind == "png" else {}

    def write(file):
        figure.savefig(file, format=kind, bbox_inches="tight", pad_inches=0.08, metadata=metadata, **options)
        if few_colours and kind == "png":                # a drawing in 128 colours is a third of the size
            from PIL import Image
            with Image.open(file) as image:
                small = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
            small.save(file, format="PNG", optimize=True)
    write_atomically(path, write)
    return figure
