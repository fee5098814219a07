"""The tree of hypotheses that a beam search grows: what it kept, what it dropped, what it answered."""
import numpy as np

from ...decoding import hypotheses as moves
from ...decoding.beam import candidates
from .. import plots
from .sheet import arrow, box, write


def grow(p, config, source, mask, max_length, width):
    """The search of search.beam for ONE source, keeping every hypothesis that was ever in the beam.

    Returns
    -------
    list of lists of Hypothesis
        levels[l]: those of length l + 1, the most probable first, finished ones among them.
    """
    p, live = moves.start(p, config, source, mask)
    levels = []
    while live.hypotheses and live.hypotheses[0].length < max_length:
        step = moves.advance(p, config, live)
        (_, new), = candidates(step, width)
        levels.append(new)
        live = moves.follow(step, [h for h in new if not moves.ended(h)])
    return levels


def finished(levels):
    """The hypotheses that ended, the most probable first."""
    return sorted((h for level in levels for h in level if moves.ended(h)), key=lambda h: -h.log_p)


def best_tokens(levels):
    """The token ids of the most probable hypothesis that ended, without its end; none where none ended."""
    h, found = next(iter(finished(levels)), None), []
    while h is not None and h.previous is not None:
        found.insert(0, h.token)
        h = h.previous
    return found[:-1]


def line(h):
    """A hypothesis and all its beginnings, as ids of objects: two of them may have the same tokens."""
    found = []
    while h.previous is not None:
        found.append(id(h))
        h = h.previous
    return found


def draw(levels, decode, title, path):
    """Draw the tree.

    Parameters
    ----------
    levels : as from `grow`
    decode : callable, token id -> str
    title : str
    """
    levels = [list(level) for level in levels]
    ended = finished(levels)
    best = set(line(ended[0])) if ended else set()
    useful = {i for h in ended for i in line(h)}
    width, pitch, gap = max(len(level) for level in levels), 1.5, 0.78
    height = gap * (width - 1) + 1.95
    place = {id(h): (1.95 + pitch * k, height - 1.15 - gap * r)
             for k, level in enumerate(levels) for r, h in enumerate(level)}
    root = (0.45, height - 1.15)
    with plots.canvas(pitch * len(levels) + 0.9, height, path) as axes:
        box(axes, *root, 0.56, 0.38, "<bos>", fill="0.95", size=8)
        for level in levels:
            for h in level:
                x, y = place[id(h)]
                on, kept = id(h) in best, id(h) in useful
                colour = plots.ORANGE if on else plots.BLACK if kept else "0.62"
                a, b = place.get(id(h.previous), root)
                end = moves.ended(h)
                start, stop = a + (0.2 if h.length > 1 else 0.28), x - (0.28 if end else 0.2)
                arrow(axes, (start, b), (a + 0.4, b), (a + 0.72, y), (stop, y), colour=colour,
                      width=2.2 if on else 1.1, zorder=2 if on else 1)
                write(axes, x - 0.52, y + 0.11, f"{np.exp(h.log_p - h.previous.log_p):.2f}", colour, 8)
                box(axes, x, y, 0.56 if end else 0.4, 0.38, "<eos>" if end else decode(h.token),
                    size=8 if end else 11, edge=colour, colour=colour, fill="#FFF3EA" if on else "white")
                write(axes, x, y - 0.29, f"{h.log_p:.2f}".replace("-", "−"), colour, 7.5)
        for k in range(len(levels)):
            write(axes, 1.95 + pitch * k, height - 0.62, f"length {k + 1}", "0.4", 8)
        write(axes, 0.15, height - 0.2, title, size=9.5, ha="left")
        write(axes, 0.15, 0.15, "edge: p(token | beginning);  node: log p so far;  orange: the answer;  "
              "grey: dropped before it ended", "0.3", 8, ha="left")
