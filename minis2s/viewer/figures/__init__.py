"""The pictures of README and the notebooks, made again from code and seeds: PNG and SVG.

`FIGURES` names a function for each; start reading in `pictures`.  `models` trains what they show, `stories` checks
that what they say is true.  All pictures are the same bytes every time on one machine; those of speed while the file
of measurements beside them stays.
"""
import os
import shutil
import tempfile
from difflib import get_close_matches
from pathlib import Path

from ...core.files import check_free, write_atomically
from . import growth, pictures

FIGURES = {f.__name__: f for f in (
    pictures.lstm_step, pictures.encoder_decoder, pictures.gradient_flow, pictures.dates_attention,
    pictures.phrases_attention, pictures.context_kinds, pictures.forced_and_free, pictures.beam_tree,
    pictures.speed, pictures.share_of_peak)}


def draw(names, folder, overwrite=False, begin=lambda name: None):
    """Draw figures into a folder; files there are replaced when all are drawn, or none is.

    Parameters
    ----------
    names : sequence of str
        Keys of FIGURES; all of them where none is named.
    folder : path
        Created where it is missing.
    overwrite : bool
        Replace pictures that exist.
    begin : callable
        ``begin(name)`` is called before each figure is drawn.

    Returns
    -------
    list of Path
        The pictures.

    Raises
    ------
    ValueError
        For a name that is not in FIGURES, and where a picture's story is not true.
    FileExistsError, OSError
        For pictures that exist, and a folder that cannot be written.
    """
    folder, names = Path(folder), list(dict.fromkeys(names)) or list(FIGURES)
    check_names(names)
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{folder}: not writable")
    files = [f"{name}.{suffix}" for name in names for suffix in ("png", "svg")]
    for file in files:
        check_free(folder / file, overwrite)
    with tempfile.TemporaryDirectory() as room:
        measured = folder / growth.FILE
        if measured.exists():
            shutil.copy(measured, room)
        for name in names:
            begin(name)
            for suffix in ("png", "svg"):
                FIGURES[name](Path(room) / f"{name}.{suffix}")
        for file in files + [growth.FILE] * (Path(room) / growth.FILE).exists():
            write_atomically(folder / file, lambda new: shutil.copyfile(Path(room) / file, new))
    return [folder / file for file in files]


def check_names(names):
    """Raise ValueError for a name that is not in FIGURES, with the nearest one that is."""
    for name in names:
        if name not in FIGURES:
            near = get_close_matches(name, FIGURES, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"no figure {name!r}, there are {', '.join(FIGURES)}{hint}")
