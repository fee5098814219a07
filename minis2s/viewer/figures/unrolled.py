"""The encoder-decoder with attention, unrolled over one text: how much each step looks where."""
from .. import plots
from .sheet import arrow, box, write

COLOURS = [plots.BLUE, plots.ORANGE, plots.GREEN]       # one for each part of the answer
LEAST = 0.1                                             # weights below it are not drawn


def draw(alpha, source, target, path):
    """Draw one answer.

    Parameters
    ----------
    alpha : (S + 1, T)
        Attention weights, as in Translation: the row after the last token is that of the end.
    source, target : lists of T and S str
        One character each.
    """
    target = [*target, "<eos>"][:len(alpha)]
    T, S, pitch, left = len(source), len(target), 0.72, 1.4
    span = pitch * (max(T, S) - 1)
    xs = [left + (span - pitch * (T - 1)) / 2 + pitch * t for t in range(T)]
    ys = [left + (span - pitch * (S - 1)) / 2 + pitch * s for s in range(S)]
    read, low, high, written = 0.65, 1.4, 3.7, 4.45                     # heights of the four rows
    right = max(xs[-1], ys[-1]) + 0.75
    with plots.canvas(right + 0.25, 5.1, path) as axes:
        part = 0
        for s, (y, token) in enumerate(zip(ys, target)):
            colour = COLOURS[part % 3] if token not in ("-", "<eos>") else "0.45"
            for x, weight in zip(xs, alpha[s]):
                if weight >= LEAST:
                    axes.plot([x, y], [low + 0.2, high - 0.2], color=colour, linewidth=7 * weight,
                              alpha=0.35 + 0.6 * weight, solid_capstyle="round", zorder=1)
            part += token == "-"
            box(axes, y, high, 0.46, 0.4, f"s{subscript(s + 1)}", fill="white", size=9.5, edge=colour)
            wide, size = (0.6, 8) if token == "<eos>" else (0.4, 11)
            box(axes, y, written, wide, 0.38, shown(token), fill="0.95", edge="0.7", size=size)
            arrow(axes, (y, high + 0.2), (y, written - 0.19))
            if s:                                                       # the last state; what was written
                arrow(axes, (ys[s - 1] + 0.23, high), (y - 0.23, high))
                arrow(axes, (ys[s - 1] + 0.2, written), (y - 0.5 * pitch, written),
                      (y - 0.5 * pitch, high + 0.32), (y - 0.12, high + 0.32), (y - 0.12, high + 0.2),
                      colour="0.6", width=0.8)
        for t, (x, token) in enumerate(zip(xs, source)):
            box(axes, x, low, 0.46, 0.4, f"h{subscript(t + 1)}", size=9.5)
            box(axes, x, read, 0.4, 0.38, shown(token), fill="0.95", edge="0.7", size=11)
            arrow(axes, (x, read + 0.19), (x, low - 0.2))
            if t:
                arrow(axes, (xs[t - 1] + 0.23, low), (x - 0.23, low))
        bridge = dict(colour="0.35", width=1.1, linestyle=(0, (4, 2)))
        arrow(axes, (xs[-1] + 0.23, low), (right, low), (right, 0.2), (0.25, 0.2), (0.25, high),
              (ys[0] - 0.23, high), **bridge)
        write(axes, right / 2, 0.2, " bridge: the decoder starts from the encoder's last state ", "0.3", 8.5,
              bbox=dict(facecolor="white", edgecolor="none", pad=1))
        for x, height, text in ((xs[0], low, "encoder"), (ys[0], high + 0.2, "decoder")):
            write(axes, x - 0.32, height, text, "0.3", 8.5, ha="right")
        write(axes, ys[0] - 0.32, written, "writes", "0.3", 8.5, ha="right")
        write(axes, xs[0] - 0.32, read, "reads", "0.3", 8.5, ha="right")
        write(axes, right / 2, 4.92, "line width: attention weight, how much a step of the decoder looks at "
              "one of the encoder; colours: year, month, day", "0.3", 8.5)


def subscript(number):
    """12 -> ₁₂"""
    return "".join(chr(0x2080 + int(digit)) for digit in str(number))


def shown(token):
    """Spaces made visible."""
    return "␣" if token == " " else token
