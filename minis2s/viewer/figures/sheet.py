"""Nodes and edges on a sheet of plots.canvas: boxes, circles, arrows, text.  Positions are inches."""
from ..plots import BLACK, BLUE, ORANGE

FORWARD, GRADIENT = BLUE, ORANGE     # the colours of values and of gradients


def box(axes, x, y, width, height, text="", fill="white", edge=BLACK, size=10, **how):
    """A box with rounded corners around (x, y)."""
    from matplotlib.patches import FancyBboxPatch
    r = min(0.08, width / 3, height / 3)
    axes.add_patch(FancyBboxPatch((x - width / 2 + r, y - height / 2 + r), width - 2 * r, height - 2 * r,
                                  boxstyle=f"round,pad={r}", facecolor=fill, edgecolor=edge, linewidth=1,
                                  zorder=3))
    write(axes, x, y, text, size=size, **how)


def circle(axes, x, y, text="", radius=0.17, fill="white", size=12):
    """A circle around (x, y)."""
    from matplotlib.patches import Circle
    axes.add_patch(Circle((x, y), radius, facecolor=fill, edgecolor=BLACK, linewidth=1, zorder=3))
    write(axes, x, y, text, size=size)


def write(axes, x, y, text, colour=BLACK, size=9, ha="center", va="center", **how):
    """Text at (x, y)."""
    how.setdefault("zorder", 5)
    axes.text(x, y, text, color=colour, fontsize=size, ha=ha, va=va, parse_math=False, **how)


def arrow(axes, *points, colour=BLACK, width=1.0, head=True, zorder=2, **how):
    """A line through points, with a head at its end."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path
    style = "-|>,head_length=4,head_width=2" if head else "-"
    axes.add_patch(FancyArrowPatch(path=Path(points), arrowstyle=style, color=colour, linewidth=width,
                                   shrinkA=0, shrinkB=0, joinstyle="round", capstyle="butt", zorder=zorder,
                                   **how))


def number(value):
    """Two or three digits that matter, with a true minus sign."""
    return f"{float(value):.3f}".replace("-", "−")
