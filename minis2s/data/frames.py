"""FrameReader: what makes frames of one side's sources, as a Tokenizer makes tokens of texts.

    unit   source                                   frames
    wav    a WAV file                               log-mel spectrogram, sound.py
    png    a PNG file                               columns of pixels, pictures.py
    npy    an array (T, F) that NumPy has saved     its rows

A source is named by a text: the path of a file, or a recipe such as "picture:..." of which a task makes the signal
(RECIPES). So pairs are pairs of texts for frames too, and are held out, resumed and evaluated like others.

    signal ── unit ──> (T, F) ── less mean, by scale ──> (T, F) ── k neighbours side by side ──> (T/k, k F)

Mean and scale of each of the F numbers are those of the training side; behind the end stand zeros, which are means.
Targets are read in the same way, and `join` makes a signal of the frames that a model writes.
"""
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from . import pictures, sound
from .vocabulary import SPECIALS, Vocabulary
from .vocoder import sound_of

UNITS = ("wav", "png", "npy")
WRITTEN = ("wav", "npy")            # units of targets
# prefix -> (unit, function: what stands behind the colon -> signal); tasks add theirs
RECIPES = {}
MEASURED = 1000                     # sources at most of which mean and scale are taken
MOST_NUMBERS = 50_000_000           # of an array


class NoVocabulary(Vocabulary):
    """In place of a Vocabulary where a side is frames: they are numbers already."""

    def __init__(self, symbols=SPECIALS):
        super().__init__(symbols)

    def encode(self, frames):
        """Frames as they are."""
        return frames

    def unknown(self, frames):
        """No frame is unknown."""
        return []


@dataclass(frozen=True)
class FrameReader:
    """Make frames of one side's sources.

    Parameters
    ----------
    unit : {"wav", "png", "npy"}
    stack : int
        How many neighbouring frames are one step.
    form : tuple of int
        What all sources have in common: samples a second of "wav"; rows and channels of "png"; F of "npy".
    mean, scale : tuples of F floats
        Taken from the training side.
    """
    unit: str
    stack: int
    form: tuple
    mean: tuple
    scale: tuple

    @classmethod
    def train(cls, unit, texts, stack):
        """The FrameReader of a unit; form, mean and scale are taken from `texts`, those of the training side."""
        texts = list(texts)
        form = form_of(unit, texts[0])
        some = [frames_of(unit, form, text) for text in texts[::-(-len(texts) // MEASURED)]]
        rows = np.concatenate(some)
        with np.errstate(over="ignore", invalid="ignore"):
            mean, scale = rows.mean(axis=0), rows.std(axis=0)
            scale = np.maximum(scale, 0.1 * np.sqrt((scale ** 2).mean()) + 1e-6)  # a constant number stays small
        if not np.isfinite((mean, scale)).all():
            raise ValueError(f"{unit}: frames have numbers of up to {np.abs(rows).max():.1e}, too large for a mean and "
                             "a scale; divide them by some power of 10")
        return cls(unit, stack, form, tuple(mean.tolist()), tuple(scale.tolist()))

    @property
    def frame_size(self):
        """F."""
        return len(self.mean)

    @property
    def trained(self):
        """What a run must keep."""
        return self

    def split(self, text):
        """A source -> its steps, (T/k, k F) float32."""
        frames = (frames_of(self.unit, self.form, text) - self.mean) / self.scale
        if not (abs(frames) < np.finfo(np.float32).max).all():
            raise ValueError(f"{text}: numbers that are too far from those of training to compute with")
        return stacked(frames, self.stack).astype(np.float32)

    def frames(self, steps):
        """The reverse for pictures of them: steps of `split` -> frames (T, F) as the unit has them."""
        return np.reshape(steps, (len(steps) * self.stack, -1)) * self.scale + self.mean

    def join(self, steps):
        """Steps that a model wrote -> a signal as `signal_of` has it: (samples, rate) of "wav", an array of "npy"."""
        frames = self.frames(steps) if len(steps) else np.zeros((0, self.frame_size))
        if self.unit == "npy":
            return frames.astype(np.float32)
        return (sound_of(frames, self.form[0]) if len(frames) else np.zeros(0)), self.form[0]

    def described(self):
        """The frames in a few words."""
        F, form = self.frame_size, self.form
        what = {"wav": lambda: f"log-mel, {form[0]:,} samples a second", "npy": lambda: "rows of arrays",
                "png": lambda: f"columns of {form[0]} pixels in {'grey' if form[1] == 1 else 'colour'}"}[self.unit]()
        return f"frames of {F} numbers ({self.unit}: {what})" + (f", {self.stack} in a step" if self.stack > 1 else "")

    def to_json(self):
        """Plain values."""
        return {"unit": self.unit, "stack": self.stack, "form": list(self.form), "mean": list(self.mean),
                "scale": list(self.scale)}

    @classmethod
    def from_json(cls, values):
        """The inverse of `to_json`; ValueError for other values."""
        try:
            reader = cls(values["unit"], values["stack"], *(tuple(values[name]) for name in ("form", "mean", "scale")))
            if reader.unit not in UNITS or not 0 < len(reader.mean) == len(reader.scale):
                raise ValueError
        except (TypeError, KeyError, ValueError):
            raise ValueError("frames: broken description of frames") from None
        return reader


def stacked(frames, k):
    """k neighbouring frames side by side: (T, F) -> (T/k rounded up, k F), zeros behind the end."""
    T, F = frames.shape
    steps = -(-T // k)
    full = np.zeros((steps * k, F), frames.dtype)
    full[:T] = frames
    return full.reshape(steps, k * F)


# A source's signal, and the frames of it --------------------------------------------------------------------

def is_recipe(text):
    """Whether a source is no file, but a recipe that a task makes a signal of."""
    return text.partition(":")[0] in RECIPES


def signal_of(unit, text):
    """The signal of a source: (samples, rate) of "wav", pixels (H, W, C) of "png", an array (T, F) of "npy".

    Raises
    ------
    ValueError, FileNotFoundError, OSError
        In one line that names the source.
    """
    kind, _, recipe = text.partition(":")
    if is_recipe(text):
        made, make = RECIPES[kind]
        if made != unit:
            raise ValueError(f"{text[:60]}: a recipe for {made}, wanted {unit}")
        return make(recipe)
    try:
        return {"wav": sound.read_wav, "png": pictures.read_png, "npy": read_npy}[unit](text)
    except FileNotFoundError:
        raise FileNotFoundError(f"{text}: no such file") from None


def form_of(unit, text):
    """What all sources must have in common, taken from the first one."""
    signal = signal_of(unit, text)
    if unit == "wav":
        return (int(signal[1]),)
    return (signal.shape[0], signal.shape[2]) if unit == "png" else (signal.shape[1],)


def frames_of(unit, form, text):
    """A source -> frames (T, F) of a known form; ValueError in one line that names the source."""
    signal = signal_of(unit, text)
    if unit == "wav":
        samples, rate = signal
        if rate != form[0]:
            raise ValueError(f"{text}: {rate:,} samples a second, wanted {form[0]:,} as in training")
        try:
            return sound.log_mel(samples, rate)
        except ValueError as e:
            raise ValueError(f"{text}: {e}") from None
    if unit == "png":
        if signal.shape[0] != form[0]:
            raise ValueError(f"{text}: {signal.shape[0]} rows of pixels, wanted {form[0]} as in training")
        return pictures.columns(pictures.in_channels(signal, form[1]))
    if signal.shape[1] != form[0]:
        raise ValueError(f"{text}: frames of {signal.shape[1]} numbers, wanted {form[0]} as in training")
    return signal


def read_npy(path):
    """Read an array (T, F) of numbers; nothing is unpickled.  ValueError in one line that names the file."""
    try:
        a = np.load(path, allow_pickle=False, mmap_mode="r")
    except IsADirectoryError:
        raise ValueError(f"{path}: a directory, wanted an array of NumPy (.npy)") from None
    except (ValueError, EOFError) as e:
        objects = "Python objects in dtype" in str(e)
        why = "it holds Python objects, which are never unpickled" if objects else "not whole, or none"
        raise ValueError(f"{path}: no array of numbers saved by NumPy ({why})") from None
    if not isinstance(a, np.ndarray):
        raise ValueError(f"{path}: several arrays (.npz), wanted one (.npy)")
    if a.ndim != 2 or 0 in a.shape:
        raise ValueError(f"{path}: shape {a.shape}, wanted (steps, numbers), both at least 1")
    if a.dtype.kind not in "fiub":
        raise ValueError(f"{path}: entries of dtype {a.dtype}, wanted real numbers")
    if a.size > MOST_NUMBERS:
        raise ValueError(f"{path}: {a.size:,} numbers, wanted at most {MOST_NUMBERS:,}")
    a = np.array(a, dtype=float)
    if not np.isfinite(a).all():
        at = tuple(int(i) for i in np.unravel_index(np.argmin(np.isfinite(a)), a.shape))
        raise ValueError(f"{path}: entry {at} is {a[at]}, wanted finite numbers")
    return a


# Files ------------------------------------------------------------------------------------------------------

def write_signal(path, unit, signal):
    """Write a signal as a file of its unit, whole or not at all."""
    from ..core.files import write_atomically  # exported folders have this file, and only read

    def write(temporary):
        with open(temporary, "wb") as f:                        # np.save would add .npy to a name without
            np.save(f, signal)
    sound.write_wav(path, *signal) if unit == "wav" else write_atomically(path, write)


def beside(paths, manifest):
    """Paths as a manifest has them -> as they are reached from here: relative ones are seen from its folder."""
    folder = Path(manifest).parent
    return [text if is_recipe(text) else os.path.join(folder, text) for text in paths]


def content(text):
    """What a source is known by again, wherever its file stands: the digest of its content; a recipe is its own."""
    if is_recipe(text):
        return text
    try:
        return hashlib.sha256(Path(text).read_bytes()).hexdigest()
    except IsADirectoryError:
        raise ValueError(f"{text}: a directory, wanted a file") from None
    except FileNotFoundError:
        raise FileNotFoundError(f"{text}: no such file") from None
