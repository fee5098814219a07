"""Pictures of a run: loss curves, attention maps, and how gradients flow.

Every function returns a `matplotlib.figure.Figure` of its own and saves it when a path is given; pyplot and
its global list of figures are never used. matplotlib is imported when the first figure is drawn.

Labels are tokens of any language. Each is drawn with a font that has a glyph for every character in it; a
character that no installed font has is written as its code point, U+4F60: no label is ever an empty box.
"""
import contextlib
import functools
import math
import os
import textwrap
import unicodedata
from pathlib import Path

import numpy as np

from ..core.files import check_place, write_atomically

# Okabe and Ito's colours: told apart by colour-blind readers too. Dashes tell them apart in a grey print.
BLUE, ORANGE, GREEN, PURPLE, BLACK = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#222222"

STYLE = {
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

CURVES = {                                 # key of a record: (label, colour, dashes)
    "train_loss": ("training", BLUE, "-"),
    "valid_loss_teacher_forced": ("validation, teacher forced", ORANGE, "--"),
    "valid_loss_free_running": ("validation, free running", GREEN, "-."),
    "valid_exact_match": ("exact match", BLUE, "-"),
    "valid_token_accuracy": ("token accuracy", ORANGE, "--"),
}
LOSSES, RATES = list(CURVES)[:3], list(CURVES)[3:]

# Tried first, in this order; any other font that has the characters will do.
CJK_FAMILIES = ["Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC",
                "Hiragino Sans GB", "Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei",
                "Heiti SC", "Arial Unicode MS", "Noto Sans CJK JP", "Droid Sans Fallback"]
NO_CJK_FONT = "no font with CJK glyphs found: those labels are shown as code points"
NO_GLYPH = "no font found for some characters: they are shown as code points"

LONGEST_LABEL = 40                         # characters; a longer label is cut


def loss_curves(records, path=None):
    """Draw losses, and exact match with token accuracy, against the epoch.

    Parameters
    ----------
    records : list of dict
        The lines of a run's ``metrics.jsonl``. Keys: ``epoch`` (where no record has one, ``step`` is the
        horizontal axis), ``train_loss``, ``valid_loss_teacher_forced``, ``valid_loss_free_running`` (nats per
        token), ``valid_token_accuracy``, ``valid_exact_match`` (fractions, 0 to 1). Any may be missing
        or None.
    path : str or os.PathLike, optional
        Where to save: ``.png`` or ``.svg``.

    Returns
    -------
    matplotlib.figure.Figure
        The left panel holds the losses, the right one the rates in per cent.

    Raises
    ------
    ValueError
        If `records` is empty, none has an epoch or step, a rate is not a fraction, or the suffix is unknown.
    TypeError
        If a record is not a dict, or a value not a number.
    FileNotFoundError
        If the folder of `path` is missing.
    """
    _check_path(path)
    records = list(records)
    x_key = _check_records(records)
    with _style():
        figure = _new_figure(8.0, 3.2)
        figure.set_layout_engine("constrained")
        losses, rates = figure.subplots(1, 2)
        for axes, keys, scale in [(losses, LOSSES, 1.0), (rates, RATES, 100.0)]:
            for key in keys:
                x, y = _curve(records, x_key, key)
                if any(map(math.isfinite, y)):
                    label, colour, dashes = CURVES[key]
                    axes.plot(x, scale * np.array(y), dashes, color=colour, label=label,
                              marker="o" if len(x) <= 30 else None)          # one point alone has no line
            if axes.lines:
                axes.legend()
            else:
                axes.text(0.5, 0.5, "no finite value recorded", ha="center", va="center",
                          transform=axes.transAxes)
            last = max(record[x_key] for record in records if record.get(x_key) is not None)
            axes.set(xlabel=x_key, xlim=(0, 1.03 * last if last > 0 else 1))
            axes.xaxis.get_major_locator().set_params(integer=True)
        losses.set(title="loss", ylabel="nats per token")
        losses.set_ylim(bottom=0)
        rates.set(title="validation", ylabel="per cent", ylim=(-3, 103))
        return _finish(figure, path)


def attention_map(alpha, source, target, path=None, title=None):
    """Draw the attention weights of one pair: a row for each target token, a column for each source token.

    Parameters
    ----------
    alpha : array_like, (S, T), real
        ``alpha[s, t]``: how much target step s looks at source step t, 0 to 1. The caller leaves padding out.
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
    _check_path(path)
    return _draw_maps([_check_map("", alpha, source, target)], 1, path, title)


def attention_grid(maps, path=None, columns=3):
    """Draw several attention maps in one figure, with one colour bar.

    Parameters
    ----------
    maps : list of (alpha, source, target)
        Each as in `attention_map`.
    path : str or os.PathLike, optional
        Where to save: ``.png`` or ``.svg``.
    columns : int
        How many maps stand side by side.

    Returns
    -------
    matplotlib.figure.Figure
        ``figure.axes`` holds the maps in order, then the colour bar.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        As `attention_map`; also if there is no map, or `columns` is not a positive integer.
    """
    _check_path(path)
    maps = [_check_map(f"maps[{i}]: ", *_three(i, one)) for i, one in enumerate(maps)]
    if not maps:
        raise ValueError("maps: got none, wanted at least one (alpha, source, target)")
    if not isinstance(columns, (int, np.integer)) or columns < 1:
        raise ValueError(f"columns: got {columns!r}, wanted a positive integer")
    return _draw_maps(maps, min(columns, len(maps)), path, None)


def gradient_paths(paths, path=None):
    """Draw the size of dL/dh_t against t, and of the paths by which it comes: readout, recurrence, attention.

    Parameters
    ----------
    paths : dict
        Name -> flow.Paths of (T,) norms (see `flow.gradient_paths`, `flow.norms`); a panel for each.
    path : str or os.PathLike, optional
        Where to save: ``.png`` or ``.svg``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is nothing to draw, a size is negative or not finite, or the suffix is unknown.
    FileNotFoundError
        If the folder of `path` is missing.
    """
    looks = {"total": (BLACK, "-"), "readout": (BLUE, "--"), "recurrence": (ORANGE, "-."),
             "attention": (GREEN, ":")}
    rows = {name: {field: _sizes(f"paths[{name!r}].{field}", getattr(one, field)) for field in looks}
            for name, one in _named("paths", paths).items()}
    with panel_row(rows, path, "step t", "size of dL/dh") as (figure, panels):
        for axes, lines in zip(panels, rows.values()):
            for field, y in lines.items():
                if field == "total" or y.any():
                    _log_curve(axes, y, field, *looks[field])
            axes.legend()
    return figure


def gradient_norms(flows, path=None):
    """Draw the size of dL/dh_t against t for a loss that reads h_T alone: one curve for each cell.

    Parameters
    ----------
    flows : dict
        Name -> flow.CellFlow (see `flow.side_by_side`).
    path : str or os.PathLike, optional

    Returns, Raises
    ---------------
    As `gradient_paths`.
    """
    rows = {name: _sizes(f"flows[{name!r}].dh", one.dh) for name, one in _named("flows", flows).items()}
    title = "how far back the gradient reaches"
    with panel_row([title], path, "step t", "size of dL/dh") as (figure, panels):
        for (name, y), look in zip(rows.items(), _looks()):
            _log_curve(panels[0], y, name, *look)
        panels[0].legend()
    return figure


def jacobian_spectra(flows, path=None):
    """Draw the singular values of every step's ds_t/ds_{t-1}: a panel for each cell, 1 marked by a line.

    Parameters
    ----------
    flows : dict
        Name -> flow.CellFlow.
    path : str or os.PathLike, optional

    Returns, Raises
    ---------------
    As `gradient_paths`.
    """
    rows = {name: _sizes(f"flows[{name!r}].singular", one.singular, 2)
            for name, one in _named("flows", flows).items()}
    with panel_row(rows, path, "step t", "singular values") as (figure, panels):
        for axes, values in zip(panels, rows.values()):
            axes.axhline(1, color="0.5", linewidth=0.8)
            for y, label, colour, dashes in ((values.max(axis=1), "largest", ORANGE, "-"),
                                             (np.median(values, axis=1), "median", BLUE, "--"),
                                             (values.min(axis=1), "smallest", GREEN, "-.")):
                _log_curve(axes, y, label, colour, dashes)
            axes.legend()
    return figure


def gate_saturation(flows, path=None):
    """Draw the share of units whose gates are shut (full lines) or wide open (dashes): a panel for each cell.

    Parameters
    ----------
    flows : dict
        Name -> flow.CellFlow.
    path : str or os.PathLike, optional

    Returns, Raises
    ---------------
    As `gradient_paths`.
    """
    rows = {name: {gate: _sizes(f"flows[{name!r}].saturation[{gate!r}]", share, 2)
                   for gate, share in one.saturation.items()} for name, one in _named("flows", flows).items()}
    with panel_row(rows, path, "step t", "per cent of units") as (figure, panels):
        for axes, gates in zip(panels, rows.values()):
            for (gate, share), (colour, _) in zip(gates.items(), _looks()):
                for column, (end, dashes) in enumerate((("shut", "-"), ("open", "--"))):
                    axes.plot(100 * share[:, column], dashes, color=colour, label=f"{gate} {end}",
                              marker="o" if len(share) == 1 else None)
            axes.set(ylim=(-3, 103))
            axes.legend()
    return figure


# ---- gradient flow ----

def _named(what, parts):
    if not isinstance(parts, dict) or not parts:
        raise ValueError(f"{what}: got {parts!r}, wanted a dict with at least one entry")
    return parts


def _sizes(what, values, ndim=1):
    """Return an array of sizes: finite, from 0 upwards."""
    values = np.asarray(values, dtype=float)
    if values.ndim != ndim or values.size == 0:
        raise ValueError(f"{what}: got shape {values.shape}, wanted {ndim} axes and at least one step")
    if not (np.isfinite(values).all() and values.min() >= 0):
        raise ValueError(f"{what}: wanted finite numbers from 0 upwards")
    return values


def _looks():
    return [(BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"), (BLACK, "-")]


def _log_curve(axes, y, label, colour, dashes):
    """A curve on a logarithmic axis; a size of 0 leaves a gap."""
    axes.set_yscale("log")
    axes.plot(np.where(y > 0, y, np.nan), dashes, color=colour, label=label,
              marker="o" if len(y) <= 30 else None)


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
    _check_path(path)
    names = list(names)
    with _style():
        figure = _new_figure(max(4.2, size[0] * len(names)), size[1])
        figure.set_layout_engine("constrained")
        panels = list(figure.subplots(1, len(names), sharey=sharey, squeeze=False)[0])
        for axes, name in zip(panels, names):
            axes.set(title=name, xlabel=xlabel)
            axes.xaxis.get_major_locator().set_params(integer=True)
        panels[0].set_ylabel(ylabel)
        yield figure, panels
        _finish(figure, path)


# ---- what comes in ----

def _check_path(path):
    if path is None:
        return
    suffix = Path(path).suffix
    if suffix.lower() not in (".png", ".svg"):
        raise ValueError(f"path: got suffix {suffix!r} in {os.fspath(path)!r}, wanted .png or .svg")
    check_place(path)


def _check_records(records):
    """Return the key of the horizontal axis."""
    if not records:
        raise ValueError("records: got none, wanted at least one")
    for i, record in enumerate(records):
        if not isinstance(record, dict):
            raise TypeError(f"records[{i}]: got {type(record).__name__}, wanted a dict")
        for key in ["epoch", "step", *CURVES]:
            value = record.get(key)
            if value is not None and not isinstance(value, (int, float, np.integer, np.floating)):
                raise TypeError(f"records[{i}][{key!r}]: got {value!r}, wanted a number or None")
            if value is not None and key in ("epoch", "step") and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"records[{i}][{key!r}]: got {value!r}, wanted a number from 0 upwards")
            if value is not None and key in RATES and not 0 <= value <= 1:
                raise ValueError(f"records[{i}][{key!r}]: got {value!r}, wanted a fraction, 0 to 1")
    for key in ["epoch", "step"]:
        if any(record.get(key) is not None for record in records):
            return key
    raise ValueError("records: none has an 'epoch' or a 'step'")


def _curve(records, x_key, key):
    """The points of one curve. A loss that is infinite or NaN leaves a gap."""
    points = [(r[x_key], r[key]) for r in records if r.get(x_key) is not None and r.get(key) is not None]
    return [x for x, _ in points], [y if math.isfinite(y) else math.nan for _, y in points]


def _three(i, one):
    if not isinstance(one, (tuple, list)) or len(one) != 3:
        raise ValueError(f"maps[{i}]: wanted (alpha, source, target)")
    return one


def _check_map(where, alpha, source, target):
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


# ---- attention maps ----

def _draw_maps(maps, columns, path, title):
    rows = math.ceil(len(maps) / columns)
    cell = _cell_inches(max(max(alpha.shape) for alpha, _, _ in maps))
    size = min(10.0, 0.65 * 72 * cell)                   # points, of the labels
    lettering = _Lettering([title or ""] + [token for _, *sides in maps for side in sides for token in side])
    labels = [[[lettering.label(token) for token in side] for side in sides] for _, *sides in maps]

    # Everything is placed in inches, so that all cells of a figure are squares of one size. A column of maps
    # has room for its labels on the left and then for its cells; a row has its labels above its cells.
    left, wide, above, high = [[0.0] * n for n in (columns, columns, rows, rows)]
    for i, ((alpha, _, _), (source, target)) in enumerate(zip(maps, labels)):
        r, c = divmod(i, columns)
        S, T = alpha.shape
        left[c] = max(left[c], _longest(target, size) + 0.45)
        wide[c] = max(wide[c], T * cell)
        label_high = _longest(source, size) if _upright(source, size, cell) else size / 72
        above[r] = max(above[r], label_high + 0.45)
        high[r] = max(high[r], S * cell)
    bar_high = min(max(sum(above[1:]) + sum(high), 1.0), 4.0)
    maps_wide, maps_high = sum(left) + sum(wide), max(sum(above) + sum(high), above[0] + bar_high)
    width = max(maps_wide + 0.8, 3.0)

    title_text, title_font = lettering.prose(title or "")
    title_text = _wrap(title_text, width, 10) if title else ""
    note = _wrap(lettering.note(), width, 7)
    top = 0.1 + _lines_high(title_text, 10)
    height = top + maps_high + 0.15 + _lines_high(note, 7)

    with _style():
        figure = _new_figure(width, height)

        def place(x, y, w, h):                           # inches from the left and from the top
            return figure.add_axes([x / width, 1 - (y + h) / height, w / width, h / height])

        for i, ((alpha, _, _), (source, target)) in enumerate(zip(maps, labels)):
            r, c = divmod(i, columns)
            S, T = alpha.shape
            x, y = sum(left[:c + 1]) + sum(wide[:c]), top + sum(above[:r + 1]) + sum(high[:r])
            axes = place(x, y, T * cell, S * cell)
            image = _draw_map(axes, alpha, source, target, size, cell)
        bar_place = place(maps_wide + 0.15, top + above[0], 0.12, bar_high)
        bar = figure.colorbar(image, cax=bar_place, ticks=[0, 0.5, 1])
        bar.set_label("weight")
        bar.outline.set_visible(False)
        bar.ax.grid(False)
        if title:
            figure.text(0.5, 1 - 0.05 / height, title_text, ha="center", va="top", parse_math=False,
                        fontproperties=_font(title_font, 10))
        if note:
            figure.text(0.5, 0.05 / height, note, ha="center", va="bottom", fontsize=7)
        return _finish(figure, path)


def _draw_map(axes, alpha, above, left, size, cell):
    S, T = alpha.shape
    image = axes.imshow(alpha, vmin=0, vmax=1, interpolation="none")
    axes.spines[:].set_visible(False)
    axes.grid(False)
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set(xlabel="source", ylabel="target")
    _label_axis(axes.xaxis, above, size, rotation=90 if _upright(above, size, cell) else 0)
    _label_axis(axes.yaxis, left, size)
    axes.set_xticks(np.arange(1, T) - 0.5, minor=True)   # thin white lines between the cells
    axes.set_yticks(np.arange(1, S) - 0.5, minor=True)
    axes.grid(True, which="minor", color="white", linewidth=0.5)
    axes.tick_params(which="both", length=0)
    if S * T <= 60:
        for (s, t), weight in np.ndenumerate(alpha):
            axes.text(t, s, f"{weight:.2f}", ha="center", va="center", fontsize=min(8, 0.36 * 72 * cell),
                      color="black" if weight > 0.6 else "white")            # viridis is bright above
    return image


def _label_axis(axis, labels, size, **how):
    shown = [text for text, _ in labels]
    axis.set_ticks(range(len(labels)), shown, parse_math=False, **how)       # "$" is a token, not a formula
    for tick, (_, font) in zip(axis.get_major_ticks(), labels):
        for text in (tick.label1, tick.label2):
            text.set_fontproperties(_font(font, size))


def _cell_inches(n):
    """Side of a cell where the longer side has n: large for few, legible up to 100, 24 inches at most."""
    return min(0.55, max(9 / n, 0.2), 24 / n)


def _longest(labels, size):
    """Width in inches of the widest label, measured in its own font."""
    from matplotlib.font_manager import get_font
    widest = 0.0
    for text, file in labels:
        font = get_font(file)
        font.set_size(size, 720)                         # dots per inch
        font.set_text(text)
        widest = max(widest, font.get_width_height()[0] / 64 / 720)          # it counts 64ths of a dot
    return widest


def _upright(labels, size, cell):
    """Whether the labels above are too wide to stand side by side."""
    return _longest(labels, size) > 0.95 * cell


def _wrap(text, width, size):
    """Break lines that are longer than `width` inches."""
    return "\n".join(textwrap.fill(line, int(width * 72 / (0.62 * size))) for line in text.split("\n"))


def _lines_high(text, size):
    return 1.4 * size / 72 * len(text.split("\n")) if text else 0.0


# ---- letters ----

class _Lettering:
    """Finds for each label of one figure a font that has all its glyphs."""

    def __init__(self, strings):
        import matplotlib
        self.plain = os.path.join(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
        wanted = {char for char in "".join(strings) if char.isprintable()} - glyphs(self.plain)
        self.other = find_font(frozenset(wanted)) if wanted else None
        self.without_glyph = set()

    def label(self, token):
        """A token: -> (text to show, file of its font). Spaces are made visible."""
        font = self._choose(token)
        text = self._shown(token, font).replace(" ", "␣" if "␣" in glyphs(font) else "_")
        text = text.replace("\0", " ")
        return (text if len(text) <= LONGEST_LABEL else text[:LONGEST_LABEL - 3] + "..."), font

    def prose(self, text):
        """A title: -> (text to show, file of its font). Its lines are kept."""
        font = self._choose(text.replace("\n", ""))
        return "\n".join(self._shown(line, font).replace("\0", " ") for line in text.split("\n")), font

    def note(self):
        """What the reader must know about characters that could not be drawn ('' if nothing)."""
        if not self.without_glyph:
            return ""
        return NO_CJK_FONT if self.other is None and any(map(_is_cjk, self.without_glyph)) else NO_GLYPH

    def _choose(self, text):
        if self.other is None or set(filter(str.isprintable, text)) <= glyphs(self.plain):
            return self.plain
        return self.other

    def _shown(self, text, font):
        """`text` with code points for what `font` cannot draw; NUL is the blank between code points."""
        pieces, after_code = [], False
        for char in text:
            drawn = char.isprintable() and (char in glyphs(font) or char == " ")
            if not drawn and char.isprintable():
                self.without_glyph.add(char)
            if pieces and (after_code or not drawn) and " " not in (char, pieces[-1]):
                pieces.append("\0")
            pieces.append(char if drawn else f"U+{ord(char):04X}")
            after_code = not drawn
        return "".join(pieces)


@functools.lru_cache(maxsize=64)
def find_font(characters):
    """Find the installed font that draws most of some characters, and plain ASCII too.

    Parameters
    ----------
    characters : frozenset of str

    Returns
    -------
    str or None
        Its file, as `matplotlib.font_manager.FontProperties(fname=...)` takes it. Among equals the families
        in `CJK_FAMILIES` come first. None if no font draws any of the characters.
    """
    best, most = None, 0
    for font in _font_files():
        count = len(characters & glyphs(font)) if ASCII <= glyphs(font) else 0
        if count > most:
            best, most = font, count
        if most == len(characters):
            break
    return best


ASCII = frozenset(map(chr, range(0x20, 0x7F)))


@functools.lru_cache(maxsize=None)
def glyphs(font):
    """The characters that a font file really has glyphs for (a frozenset; empty if it cannot be read)."""
    from matplotlib import font_manager
    try:
        charmap = font_manager.get_font(font).get_charmap()
    except (OSError, RuntimeError):                      # removed since matplotlib listed it, or broken
        return frozenset()
    if 0xFDD0 in charmap:                                # no character: only a font of placeholders claims it
        return frozenset()
    return frozenset(map(chr, charmap))


def _font(file, size):
    from matplotlib.font_manager import FontProperties
    return FontProperties(fname=file, size=size)


def _font_files():
    """Files of the installed fonts, preferred families and regular weights first."""
    from matplotlib import font_manager
    listed = font_manager.fontManager.ttflist
    yield from _in_order(listed)
    # matplotlib keeps its list from one run to the next: fonts installed since are not in it.
    new = sorted(set(font_manager.findSystemFonts()) - {entry.fname for entry in listed})
    yield from _in_order([entry for file in new for entry in _entries(file)])


def _entries(file):
    """What matplotlib would list for one font file: an entry for each face (none if it cannot be read)."""
    from matplotlib import font_manager
    try:
        first = font_manager.get_font(file)
        faces = [first]
        if hasattr(font_manager, "FontPath"):
            others = [font_manager.FontPath(file, i) for i in range(1, first.num_faces)]
            faces += [font_manager.get_font(other) for other in others]
        return [font_manager.ttfFontProperty(face) for face in faces]
    except (OSError, RuntimeError, NotImplementedError):
        return []


def _in_order(entries):
    """Files (and faces) of matplotlib's font entries: preferred families, upright, regular weight first."""
    from matplotlib import font_manager
    rank = {family: i for i, family in enumerate(CJK_FAMILIES)}

    def order(entry):
        weight = entry.weight if isinstance(entry.weight, int) else 400
        return rank.get(entry.name, len(rank)), entry.style != "normal", abs(weight - 400), entry.fname

    for entry in sorted(entries, key=order):
        if hasattr(font_manager, "FontPath"):            # matplotlib 3.11 knows the faces of a .ttc file
            yield font_manager.FontPath(entry.fname, entry.index)
        else:
            yield entry.fname


def _is_cjk(char):
    """Whether it fills a square as Chinese, Japanese and Korean characters do, and is no emoji."""
    return unicodedata.east_asian_width(char) in "WF" and not 0x1F000 <= ord(char) <= 0x1FAFF


# ---- figures ----

@contextlib.contextmanager
def _style():
    """Our settings over matplotlib's own defaults, whatever the person's are; theirs come back afterwards."""
    import matplotlib.style
    with matplotlib.style.context(["default", STYLE]):
        yield


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
    _check_path(path)
    with _style():
        figure = _new_figure(width, height)
        axes = figure.add_axes([0, 0, 1, 1])
        axes.set(xlim=(0, width), ylim=(0, height))
        axes.set_axis_off()
        yield axes
        _finish(figure, path, few_colours=True)


def _new_figure(width, height):
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)                              # draws without a screen
    return figure


def _finish(figure, path, few_colours=False):
    if path is not None:
        kind = Path(path).suffix.lower()[1:]
        metadata = {"svg": {"Date": None}, "png": {"Software": None}}[kind]  # the same figure, the same bytes
        how = {"pil_kwargs": {"optimize": True}} if kind == "png" else {}

        def save(file):
            figure.savefig(file, format=kind, bbox_inches="tight", pad_inches=0.08, metadata=metadata, **how)
            if few_colours and kind == "png":            # a drawing in 128 colours is a third of the size
                from PIL import Image
                with Image.open(file) as image:
                    small = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
                small.save(file, format="PNG", optimize=True)
        write_atomically(path, save)
    return figure
