"""Pictures: every form of PNG becomes the same pixels, or is refused in one line."""
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from minis2s.data import pictures

RGB = (np.arange(4 * 3 * 3).reshape(4, 3, 3) * 7).astype(np.uint8)


def saved(tmp_path, image, **options):
    image.save(tmp_path / "a.png", **options)
    return tmp_path / "a.png"


def test_colours_grey_palette_and_16_bits(tmp_path):
    colour = Image.fromarray(RGB)
    assert np.array_equal(pictures.read_png(saved(tmp_path, colour)), RGB / 255)
    assert np.array_equal(pictures.read_png(saved(tmp_path, colour.quantize(64))),
                          np.asarray(colour.quantize(64).convert("RGB")) / 255)
    assert np.array_equal(pictures.read_png(saved(tmp_path, colour.convert("L")))[:, :, 0],
                          np.asarray(colour.convert("L")) / 255)
    assert np.array_equal(pictures.read_png(saved(tmp_path, colour.convert("RGBA"))), RGB / 255)      # opaque
    deep = np.array([[0, 65535], [32768, 257]], np.uint16)
    assert np.array_equal(pictures.read_png(saved(tmp_path, Image.fromarray(deep)))[:, :, 0], deep / 65535)
    assert pictures.read_png(saved(tmp_path, Image.fromarray(RGB[:, :, 0] > 50))).max() == 1


def test_columns_and_back(tmp_path):
    frames = pictures.columns(RGB / 255)
    assert frames.shape == (3, 12) and np.array_equal(frames[1, :6], RGB[:2, 1].ravel() / 255)
    assert np.array_equal(pictures.from_columns(frames, 3), RGB / 255)
    pictures.write_png(tmp_path / "b.png", RGB / 255)
    assert np.array_equal(pictures.read_png(tmp_path / "b.png"), RGB / 255)
    grey = pictures.in_channels(RGB / 255, 1)
    assert grey.shape == (4, 3, 1) and np.allclose(grey[0, 0], RGB[0, 0].mean() / 255)
    assert pictures.in_channels(grey, 3).shape == (4, 3, 3)


def head(width, height):
    """The beginning of a PNG file that says it has so many pixels."""
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))


@pytest.mark.parametrize("make, told", [
    (lambda whole: b"no picture", "no PNG file"), (lambda whole: b"", "no PNG file"),
    (lambda whole: whole[:-30], "no whole PNG file"), (lambda whole: whole[:60], "no whole PNG file"),
    (lambda whole: head(3000, 2000) + whole[33:], "3,000 x 2,000 pixels, wanted at most 4,000,000 in all"),
    (lambda whole: head(100_000, 100_000) + whole[33:], "pixels, wanted at most 4,000,000"),
])
def test_what_is_broken_or_huge_is_refused_in_one_line(tmp_path, make, told):
    path = saved(tmp_path, Image.fromarray(np.random.default_rng(0).integers(0, 255, (20, 20, 3)).astype(np.uint8)))
    path.write_bytes(make(path.read_bytes()))
    with pytest.raises(ValueError) as e:
        pictures.read_png(path)
    assert str(e.value).startswith(f"{path}: ") and told in str(e.value) and "\n" not in str(e.value)


def test_transparent_pixels_other_formats_and_no_file(tmp_path):
    clear = np.dstack([RGB, np.full(RGB.shape[:2], 100, np.uint8)])
    with pytest.raises(ValueError, match="has transparent pixels, wanted an opaque picture"):
        pictures.read_png(saved(tmp_path, Image.fromarray(clear)))
    Image.fromarray(RGB).save(tmp_path / "b.gif")
    with pytest.raises(ValueError, match="b.gif: no PNG file"):
        pictures.read_png(tmp_path / "b.gif")
    with pytest.raises(FileNotFoundError):
        pictures.read_png(tmp_path / "none.png")
    with pytest.raises(ValueError, match="a directory"):
        pictures.read_png(tmp_path)
