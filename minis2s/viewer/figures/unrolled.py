"""The encoder-decoder with attention, unrolled over one text: how much each step looks where."""
from .. import plots
from .sheet import arrow, box, write

COLOURS = [plots.BLUE, plots.ORANGE, plots.GREEN]       # one for each part of the answer
LEAST = 0.1                                             # weights below it are not drawn


READ, LOW, HIGH, WRITTEN = 0.65, 1.4, 3.7, 4.45         # heights of the four rows
PITCH, LEFT = 0.72, 1.4                                 # from step to step; of the first one


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
    span = PITCH * (max(len(source), len(target)) - 1)
    xs, ys = ([LEFT + (span - PITCH * (n - 1)) / 2 + PITCH * t for t in range(n)] for n in (len(source), len(target)))
    right = max(xs[-1], ys[-1]) + 0.75
    with plots.canvas(right + 0.25, 5.1, path) as axes:
        draw_decoder(axes, alpha, xs, ys, target)
        draw_encoder(axes, xs, source)
        bridge = dict(colour="0.35", width=1.1, linestyle=(0, (4, 2)))
        arrow(axes, (xs[-1] + 0.23, LOW), (right, LOW), (right, 0.2), (0.25, 0.2), (0.25, HIGH),
              (ys[0] - 0.23, HIGH), **bridge)
        write(axes, right / 2, 0.2, " bridge: the decoder starts from the encoder's last state ", "0.3", 8.5,
              bbox=dict(facecolor="white", edgecolor="none", pad=1))
        for x, height, text in ((xs[0], LOW, "encoder"), (ys[0], HIGH + 0.2, "decoder"), (ys[0], WRITTEN, "writes"),
                                (xs[0], READ, "reads")):
            write(axes, x - 0.32, height, text, "0.3", 8.5, ha="right")
        write(axes, right / 2, 4.92, "line width: attention weight, how much a step of the decoder looks at "
              "one of the encoder; colours: year, month, day", "0.3", 8.5)


def draw_decoder(axes, alpha, xs, ys, target):
    """States, attention and what is written."""
    part = 0
    for t, (y, token) in enumerate(zip(ys, target)):
        colour = COLOURS[part % 3] if token not in ("-", "<eos>") else "0.45"
        for x, weight in zip(xs, alpha[t]):
            if weight >= LEAST:
                axes.plot([x, y], [LOW + 0.2, HIGH - 0.2], color=colour, linewidth=7 * weight,
                          alpha=0.35 + 0.6 * weight, solid_capstyle="round", zorder=1)
        part += token == "-"
        box(axes, y, HIGH, 0.46, 0.4, f"s{subscript(t + 1)}", fill="white", size=9.5, edge=colour)
        wide, size = (0.6, 8) if token == "<eos>" else (0.4, 11)
        box(axes, y, WRITTEN, wide, 0.38, shown(token), fill="0.95", edge="0.7", size=size)
        arrow(axes, (y, HIGH + 0.2), (y, WRITTEN - 0.19))
        if t:                                                           # the last state; what was written
            arrow(axes, (ys[t - 1] + 0.23, HIGH), (y - 0.23, HIGH))
            arrow(axes, (ys[t - 1] + 0.2, WRITTEN), (y - 0.5 * PITCH, WRITTEN),
                  (y - 0.5 * PITCH, HIGH + 0.32), (y - 0.12, HIGH + 0.32), (y - 0.12, HIGH + 0.2),
                  colour="0.6", width=0.8)


def draw_encoder(axes, xs, source):
    """States, and what is read."""
    for i, (x, token) in enumerate(zip(xs, source)):
        box(axes, x, LOW, 0.46, 0.4, f"h{subscript(i + 1)}", size=9.5)
        box(axes, x, READ, 0.4, 0.38, shown(token), fill="0.95", edge="0.7", size=11)
        arrow(axes, (x, READ + 0.19), (x, LOW - 0.2))
        if i:
            arrow(axes, (xs[i - 1] + 0.23, LOW), (x - 0.23, LOW))


def subscript(number):
    """12 -> ₁₂"""
    return "".join(chr(0x2080 + int(digit)) for digit in str(number))


def shown(token):
    """Spaces made visible."""
    return "␣" if token == " " else token
