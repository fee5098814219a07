"""Attention over frames: the picture, or the spectrogram, and beneath it the weights: of each target token on its
steps, or of its steps on each source token."""
import math

import numpy as np

from .fonts import Letters
from .style import check_path, new_figure, save, styled

WIDE, PICTURE, CELL, GAP = 4.2, 1.1, 0.22, 0.35      # inches: of a map, its picture, a row of weights, between


def attention_over_frames(maps, path=None, columns=2, by_row=True):
    """Draw pictures or spectrograms with the attention on them: a row of weights for each token.

    Parameters
    ----------
    maps : list of (picture, alpha, tokens)
        picture (H, W, 1) in any numbers, or (H, W, 3) in colours from 0 to 1; alpha (S, T), whose T columns share out
        the picture's width evenly; S tokens.
    path : str or os.PathLike, optional
        Where to save: ``.png`` or ``.svg``.
    columns : int
        How many stand side by side.
    by_row : bool
        Tokens look at the frames: the greatest weight of each row is dark.  False: frames look at the tokens, and the
        greatest weight of each column is.

    Returns
    -------
    matplotlib.figure.Figure
        ``figure.axes`` holds for each map its picture, then its weights.

    Raises
    ------
    ValueError, FileNotFoundError
        If there is no map, shapes do not agree, or the path cannot be.
    """
    check_path(path)
    if not maps:
        raise ValueError("maps: got none, wanted at least one (picture, alpha, target)")
    for i, (picture, alpha, target) in enumerate(maps):
        if np.ndim(picture) != 3 or np.ndim(alpha) != 2 or len(alpha) != len(target) or not np.size(alpha):
            raise ValueError(f"maps[{i}]: got a picture of shape {np.shape(picture)}, alpha of shape {np.shape(alpha)} "
                             f"and "
                             f"{len(target)} tokens, wanted (H, W, 1 or 3), (S, T) and S")
    columns = min(columns, len(maps))
    letters = Letters([token for _, _, target in maps for token in target])
    side = max(letters.width([letters.label(t) for t in target], 8) for _, _, target in maps) + 0.35
    rows = [maps[i:i + columns] for i in range(0, len(maps), columns)]
    heights = [PICTURE + 0.08 + CELL * max(len(target) for _, _, target in row) + GAP for row in rows]
    width, height = columns * (side + WIDE), sum(heights) + 0.3
    with styled(letters.families):
        figure = new_figure(width, height)

        def place(x, y, w, h):                           # inches from the left and from the top
            return figure.add_axes([x / width, 1 - (y + h) / height, w / width, h / height])
        for i, (picture, alpha, target) in enumerate(maps):
            row, column = divmod(i, columns)
            x, y = column * (side + WIDE) + side, sum(heights[:row]) + 0.1
            draw_picture(place(x, y, WIDE - 0.2, PICTURE), picture)
            draw_weights(place(x, y + PICTURE + 0.08, WIDE - 0.2, CELL * len(target)),
                         alpha / alpha.max(axis=int(by_row), keepdims=True), [letters.label(token) for token in target])
        return save(figure, path)


def draw_picture(axes, picture):
    """The picture, as wide as its axes whatever its shape."""
    grey = picture.shape[2] == 1
    axes.imshow(picture[:, :, 0] if grey else np.clip(picture, 0, 1), aspect="auto", interpolation="nearest",
                cmap="magma" if grey else None)
    axes.grid(False)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def draw_weights(axes, alpha, labels):
    """A row for each token, a column for each step; dark is what was looked at most."""
    S, T = alpha.shape
    axes.imshow(alpha, aspect="auto", interpolation="nearest", cmap="Blues",
                vmin=0, vmax=1)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_yticks(range(S), labels, parse_math=False, fontsize=8)
    axes.set_xticks(range(0, T, max(1, 10 ** math.ceil(math.log10(max(T, 10) / 10)))))
    axes.tick_params(length=0, labelsize=7)
    for t in range(1, S):
        axes.axhline(t - 0.5, color="white", linewidth=1)
