"""Attention maps: a row for each target token, a column for each source token."""
import math
import textwrap

import numpy as np

from .fonts import Letters
from .style import check_path, new_figure, save, styled


def attention_map(alpha, source, target, path=None, title=None):
    """Draw the attention weights of one pair: a row for each target token, a column for each source token.

    Parameters
    ----------
    alpha : array_like, (S, T), real
        ``alpha[t, i]``: how much target step t looks at source step i, 0 to 1. The caller leaves padding out.
    source, target : sequences of T and of S str
        The tokens, in order.
    path : str or os.PathLike, optional
        Where to save: ``.png`` or ``.svg``.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        ``figure.axes[0]`` is the map, ``figure.axes[1]`` the colour bar. Small maps show the numbers.

    Raises
    ------
    ValueError
        If shapes and tokens do not agree, a weight is not finite or not in 0..1, or the suffix is unknown.
    TypeError
        If `alpha` is not real or a token is not a string.
    FileNotFoundError
        If the folder of `path` is missing.
    """
    check_path(path)
    return draw_maps([check_map("", alpha, source, target)], 1, path, title)


def attention_grid(maps, path=None, columns=3, names=None):
    """Draw several attention maps in one figure, with one colour bar.

    Parameters
    ----------
    maps : list of (alpha, source, target)
        Each as in `attention_map`.
    path : str or os.PathLike, optional
        Where to save: ``.png`` or ``.svg``.
    columns : int
        How many maps stand side by side.
    names : list of str, optional
        What each map shows, such as "head 1"; it stands above the map.

    Returns
    -------
    matplotlib.figure.Figure
        ``figure.axes`` holds the maps in order, then the colour bar.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        As `attention_map`; also if there is no map, or `columns` is not a positive integer.
    """
    check_path(path)
    for i, one in enumerate(maps):
        if not isinstance(one, (tuple, list)) or len(one) != 3:
            raise ValueError(f"maps[{i}]: wanted (alpha, source, target)")
    maps = [check_map(f"maps[{i}]: ", *one) for i, one in enumerate(maps)]
    if not maps:
        raise ValueError("maps: got none, wanted at least one (alpha, source, target)")
    if not isinstance(columns, (int, np.integer)) or columns < 1:
        raise ValueError(f"columns: got {columns!r}, wanted a positive integer")
    if names is not None and len(names) != len(maps):
        raise ValueError(f"names: got {len(names)} for {len(maps)} maps, wanted one for each")
    return draw_maps(maps, min(columns, len(maps)), path, None, names)


def check_map(where, alpha, source, target):
    """Return alpha as a float array, and the tokens as lists."""
    alpha, source, target = np.asarray(alpha), list(source), list(target)
    for name, tokens in [("source", source), ("target", target)]:
        for i, token in enumerate(tokens):
            if not isinstance(token, str):
                raise TypeError(f"{where}{name}[{i}]: got {type(token).__name__}, wanted a string")
    if alpha.dtype.kind not in "fiu":
        raise TypeError(f"{where}alpha: got dtype {alpha.dtype}, wanted real numbers")
    if alpha.shape != (len(target), len(source)) or alpha.size == 0:
        raise ValueError(f"{where}alpha: got shape {alpha.shape}, "
                         f"wanted (S, T) = ({len(target)}, {len(source)}): a row for each target token, "
                         "a column for each source token, at least one of each")
    if not np.isfinite(alpha).all():
        bad = np.sum(~np.isfinite(alpha))
        raise ValueError(f"{where}alpha: {bad} of {alpha.size} weights are not finite")
    if alpha.min() < 0 or alpha.max() > 1 + 1e-3:        # float16 rounds to about 1e-3
        raise ValueError(f"{where}alpha: got weights from {alpha.min():.4g} to {alpha.max():.4g}, "
                         "wanted 0 to 1")
    return alpha.astype(float), source, target


def draw_maps(maps, columns, path, title, names=None):
    """Maps side by side with their names, the colour bar at their right, the title above, a note on missing glyphs
    below."""
    letters = Letters([title or ""] + [token for _, *sides in maps for side in sides for token in side])
    maps = [(alpha, *([letters.label(token) for token in side] for side in sides)) for alpha, *sides in maps]
    with styled(letters.families):
        at = Layout(maps, columns, letters, title)
        figure = new_figure(at.width, at.height)

        def place(x, y, w, h):                           # inches from the left and from the top
            return figure.add_axes([x / at.width, 1 - (y + h) / at.height, w / at.width, h / at.height])
        for i, (alpha, source, target) in enumerate(maps):
            image = draw_map(place(*at.map(i)), alpha, source, target, at, f"source, {names[i]}" if names else "source")
        bar = figure.colorbar(image, cax=place(*at.bar), ticks=[0, 0.5, 1])
        bar.set_label("weight")
        bar.outline.set_visible(False)
        bar.ax.grid(False)
        if title:
            figure.text(0.5, 1 - 0.05 / at.height, at.title, ha="center", va="top", parse_math=False, fontsize=10)
        if at.note:
            figure.text(0.5, 0.05 / at.height, at.note, ha="center", va="bottom", fontsize=7)
        return save(figure, path)


class Layout:
    """Where everything stands, in inches, so that all cells of a figure are squares of one size.

    A column of maps has room for its labels on the left and then for its cells; a row has its labels above its cells.
    """

    def __init__(self, maps, columns, letters, title):
        rows, self.columns, self.letters = math.ceil(len(maps) / columns), columns, letters
        self.shapes = [alpha.shape for alpha, _, _ in maps]
        self.cell = cell_inches(max(map(max, self.shapes)))
        self.size = min(10.0, 0.65 * 72 * self.cell)     # points, of the labels
        self.left, self.wide, self.above, self.high = [[0.0] * n for n in (columns, columns, rows, rows)]
        for i, (alpha, source, target) in enumerate(maps):
            (r, c), (S, T) = divmod(i, columns), alpha.shape
            self.left[c] = max(self.left[c], letters.width(target, self.size) + 0.45)
            self.wide[c] = max(self.wide[c], T * self.cell)
            label = letters.width(source, self.size) if self.upright(source) else self.size / 72
            self.above[r] = max(self.above[r], label + 0.45)
            self.high[r] = max(self.high[r], S * self.cell)
        bar_high = min(max(sum(self.above[1:]) + sum(self.high), 1.0), 4.0)
        maps_wide = sum(self.left) + sum(self.wide)
        maps_high = max(sum(self.above) + sum(self.high), self.above[0] + bar_high)
        self.width = max(maps_wide + 0.8, 3.0)
        self.title = wrap(letters.text(title), self.width, 10) if title else ""
        self.note = wrap(letters.note, self.width, 7)
        self.top = 0.1 + lines_high(self.title, 10)
        self.height = self.top + maps_high + 0.15 + lines_high(self.note, 7)
        self.bar = (maps_wide + 0.15, self.top + self.above[0], 0.12, bar_high)

    def map(self, i):
        """x, y, width and height of map number i."""
        (r, c), (S, T) = divmod(i, self.columns), self.shapes[i]
        return (sum(self.left[:c + 1]) + sum(self.wide[:c]), self.top + sum(self.above[:r + 1]) + sum(self.high[:r]),
                T * self.cell, S * self.cell)

    def upright(self, source):
        """Whether the labels above are too wide to stand side by side."""
        return self.letters.width(source, self.size) > 0.95 * self.cell


def draw_map(axes, alpha, source, target, at, above):
    """One map with its labels, and what stands above it; small maps show the numbers."""
    S, T = alpha.shape
    image = axes.imshow(alpha, vmin=0, vmax=1, interpolation="none")
    axes.spines[:].set_visible(False)
    axes.grid(False)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set(xlabel=above, ylabel="target")
    turned = 90 if at.upright(source) else 0
    for axis, labels, rotation in ((axes.xaxis, source, turned), (axes.yaxis, target, 0)):
        axis.set_ticks(range(len(labels)), labels, parse_math=False, fontsize=at.size,      # "$" is a token
                       rotation=rotation)
    axes.set_xticks(np.arange(1, T) - 0.5, minor=True)   # thin white lines between the cells
    axes.set_yticks(np.arange(1, S) - 0.5, minor=True)
    axes.grid(True, which="minor", color="white", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    if S * T <= 60:
        for (t, i), weight in np.ndenumerate(alpha):
            axes.text(i, t, f"{weight:.2f}", ha="center", va="center", fontsize=min(8, 0.36 * 72 * at.cell),
                      color="black" if weight > 0.6 else "white")            # viridis is bright above
    return image


def cell_inches(n):
    """Side of a cell where the longer side has n: large for few, legible up to 100, 24 inches at most."""
    return min(0.55, max(9 / n, 0.2), 24 / n)


def wrap(text, width, size):
    """Break lines that are longer than `width` inches."""
    return "\n".join(textwrap.fill(line, int(width * 72 / (0.62 * size))) for line in text.split("\n"))


def lines_high(text, size):
    """Inches that a text of some lines is high."""
    return 1.4 * size / 72 * len(text.split("\n")) if text else 0.0
