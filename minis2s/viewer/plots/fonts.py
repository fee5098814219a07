"""Labels in any language, none of them an empty box.

matplotlib draws each character with the first font of a list that has it.  `Letters` makes that list for the labels
of one figure; a character that no installed font has is written as its code point, U+4F60.
"""
import contextlib
import functools
import logging

PLAIN = "DejaVu Sans"                      # comes with matplotlib
# Tried before all other installed fonts: they have Chinese characters.
PREFERRED = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC",
             "Hiragino Sans GB", "Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei",
             "Heiti SC", "Arial Unicode MS", "Noto Sans CJK JP", "Droid Sans Fallback")
NOTE = "no installed font has some of these characters: they are shown as code points"
LONGEST_LABEL = 40                         # characters; a longer label is cut


class Letters:
    """The fonts for the texts of one figure.

    Attributes
    ----------
    families : list of str
        Names of fonts, for `styled`.
    glyphs : set of str
        The characters that they have.
    note : str
        What the reader must know about characters that cannot be drawn; "" if there are none.
    """

    def __init__(self, texts):
        from matplotlib import font_manager
        wanted = set(filter(str.isprintable, "".join(texts)))
        self.families, self.glyphs = [PLAIN], set(glyphs(PLAIN))
        installed = font_manager.get_font_names() if wanted - self.glyphs else []
        with quiet():
            for family in [*(name for name in PREFERRED if name in installed), *sorted(installed)]:
                missing = wanted - self.glyphs
                if missing and missing & glyphs(family):
                    self.families.append(family)
                    self.glyphs |= glyphs(family)
        self.note = NOTE if wanted - self.glyphs - {" "} else ""

    def label(self, token):
        """A token as it is shown: spaces are visible, a long one is cut."""
        text = self.line(token.replace(" ", "␣"))
        return text if len(text) <= LONGEST_LABEL else text[:LONGEST_LABEL - 3] + "..."

    def text(self, text):
        """A text of several lines as it is shown."""
        return "\n".join(map(self.line, text.split("\n")))

    def line(self, text):
        """A line with code points, set off by spaces, for what no font can draw."""
        pieces, after_code = [], False
        for char in text:
            drawn = char == " " or char.isprintable() and char in self.glyphs
            if pieces and (after_code or not drawn) and " " not in (char, pieces[-1]):
                pieces.append(" ")
            pieces.append(char if drawn else f"U+{ord(char):04X}")
            after_code = not drawn
        return "".join(pieces)

    def width(self, texts, size):
        """Inches of the widest of some texts at a size in points."""
        from matplotlib.font_manager import get_font
        font, widest = get_font([file_of(family) for family in self.families]), 0
        font.set_size(size, 720)                         # dots per inch
        for text in texts:
            font.set_text(text)
            widest = max(widest, font.get_width_height()[0])
        return widest / 64 / 720                         # the font counts 64ths of a dot


@contextlib.contextmanager
def quiet():
    """No message of matplotlib that a family has no font of just the weight 400."""
    logger = logging.getLogger("matplotlib.font_manager")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def file_of(family):
    """The file (and face) of a family's regular font."""
    from matplotlib.font_manager import FontProperties, findfont
    return findfont(FontProperties(family=[family]), fallback_to_default=False)


@functools.lru_cache(maxsize=None)
def glyphs(family):
    """The characters that a font really has glyphs for; none if it cannot be read."""
    from matplotlib.font_manager import get_font
    try:
        charmap = get_font(file_of(family)).get_charmap()
    except (OSError, RuntimeError, ValueError):          # removed since matplotlib listed it, or broken
        return frozenset()
    if 0xFDD0 in charmap:                                # no character: only a font of placeholders claims it
        return frozenset()
    return frozenset(map(chr, charmap))
