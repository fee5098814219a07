"""Pictures: PNG files, read column by column from left to right, so that a column of pixels is a frame (row U4).

            column 1    2    3   ...   W
    row 1      ■   ■    ■    ■         ■
    row 2      ■   ■    ■    ■         ■         frame t has H numbers from 0 (black) to 1 (white), or 3 H in colour:
     ...                                         red, green and blue of row 1, then of row 2, ...
    row H      ■   ■    ■    ■         ■

Pillow reads the files; matplotlib requires it, so it is there.
"""
import warnings

import numpy as np

MOST_PIXELS = 4_000_000
GREY = ("1", "L", "I", "I;16", "I;16B", "LA", "La")       # Pillow's names of modes without colours
CLEAR = ("LA", "La", "PA", "RGBA", "RGBa")                # and of those in which pixels may be transparent


def read_png(path):
    """Read a PNG file: -> pixels (H, W, 1) in grey or (H, W, 3) in colour, from 0 to 1.

    Raises
    ------
    FileNotFoundError, OSError
    ValueError
        In one line that names the file: no PNG, damaged, too many pixels, transparent ones.
    """
    from PIL import Image, UnidentifiedImageError
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=("PNG",)) as image:
                check_size(path, *image.size)
                image.load()
                return pixels_of(path, image)
    except UnidentifiedImageError:
        raise ValueError(f"{path}: no PNG file") from None
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise ValueError(f"{path}: too many pixels, wanted at most {MOST_PIXELS:,}") from None
    except (FileNotFoundError, PermissionError):
        raise
    except IsADirectoryError:
        raise ValueError(f"{path}: a directory, wanted a PNG file") from None
    except (OSError, SyntaxError, EOFError) as e:               # Pillow's words for damaged files
        raise ValueError(f"{path}: no whole PNG file ({' '.join(str(e).split())})") from None


def check_size(path, width, height):
    """ValueError for a picture that would fill the memory; the size stands in the file's first bytes."""
    if width * height > MOST_PIXELS:
        raise ValueError(f"{path}: {width:,} x {height:,} pixels, wanted at most {MOST_PIXELS:,} in all")


def pixels_of(path, image):
    """A loaded image -> (H, W, 1) or (H, W, 3); a palette gives its colours."""
    if image.mode in CLEAR or "transparency" in image.info:
        if np.asarray(image.convert("RGBA"))[:, :, 3].min() < 255:
            raise ValueError(f"{path}: has transparent pixels, wanted an opaque picture")
    if image.mode in ("I", "I;16", "I;16B"):
        return np.asarray(image, dtype=float)[:, :, None] / 65535
    grey = image.mode in GREY
    a = np.asarray(image.convert("L" if grey else "RGB"), dtype=float) / 255
    return a[:, :, None] if grey else a


def in_channels(pixels, channels):
    """Pixels (H, W, 1 or 3) with the number of channels that a model knows; grey is the mean of red, green and blue."""
    if pixels.shape[2] == channels:
        return pixels
    return np.repeat(pixels, 3, axis=2) if channels == 3 else pixels.mean(axis=2, keepdims=True)


def columns(pixels):
    """Pixels (H, W, C) -> frames (W, H C)."""
    H, W, C = pixels.shape
    return pixels.transpose(1, 0, 2).reshape(W, H * C)


def from_columns(frames, channels):
    """The reverse: frames (W, H C) -> pixels (H, W, C)."""
    return frames.reshape(len(frames), -1, channels).transpose(1, 0, 2)


def write_png(path, pixels):
    """Write pixels (H, W, 1 or 3) from 0 to 1 as a PNG file, whole or not at all."""
    from PIL import Image

    from ..core.files import write_atomically
    a = np.round(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    image = Image.fromarray(a[:, :, 0] if a.shape[2] == 1 else a)
    write_atomically(path, lambda temporary: image.save(temporary, format="PNG"))
