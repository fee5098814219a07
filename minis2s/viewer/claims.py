"""The picture of a claim: the panels that its experiment measured, side by side, four and more in two rows."""
import textwrap

from . import plots
from .plots.style import save, styled

WIDTH, HEIGHT = 4.6, 3.4       # inches of one panel
DASHES, MARKERS = ("-", "--", "-.", ":"), ("o", "s", "^", "D")      # the next of each where the colours begin again


def figure(result, path=None):
    """Draw the panels of a claim's result.

    Parameters
    ----------
    result : dict
        As `minis2s.documents.claims.run` returns it, or one line of a JSON file of them.
    path : str or os.PathLike, optional
        Where to save: ``.png`` or ``.svg``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is nothing to draw.
    """
    panels = result.get("panels")
    if not panels:
        raise ValueError("result: it has no panels to draw")
    with styled():
        rows = 1 if len(panels) < 4 else 2
        columns = -(-len(panels) // rows)
        fig = plots.new_figure(WIDTH * columns, HEIGHT * rows)
        places = fig.subplots(rows, columns, squeeze=False).ravel()
        for ax, panel in zip(places, panels):
            draw(ax, panel)
        for ax in places[len(panels):]:                        # of an odd number one place stays empty
            ax.remove()
        fig.suptitle(f"{result['claim']}: {result['verdict']}")
        fig.tight_layout()
        if path is not None:
            save(fig, path)
    return fig


def draw(ax, panel):
    """One panel into its axes."""
    colours = (plots.BLUE, plots.ORANGE, plots.GREEN, plots.PURPLE, plots.BLACK)
    for k, line in enumerate(panel["lines"]):
        colour, again = colours[k % len(colours)], k // len(colours)
        dashes, marker = DASHES[again % len(DASHES)], MARKERS[again % len(MARKERS)]
        if line["style"] == "bars":
            error = None if line["low"] is None else [[line["y"][0] - line["low"][0]], [line["high"][0] - line["y"][0]]]
            ax.bar([k], line["y"], color=colour, yerr=error, capsize=3)
        else:
            ax.plot(line["x"], line["y"], linestyle=dashes if line["style"] == "line" else "none",
                    marker=marker if len(line["x"]) < 30 else "", color=colour, label=line["label"])
            if line["low"] is not None:
                ax.fill_between(line["x"], line["low"], line["high"], color=colour, alpha=0.15, linewidth=0)
    if panel["lines"][0]["style"] == "bars":
        ax.set_xticks(range(len(panel["lines"])), [textwrap.fill(line["label"], 13) for line in panel["lines"]],
                      fontsize=8)
        ax.set_axisbelow(True)
    else:
        ax.legend(fontsize=7, frameon=True, framealpha=0.75, edgecolor="none")
    ax.set(title=panel["title"], xlabel=panel["xlabel"], ylabel=panel["ylabel"])
    if panel["lines"][0]["style"] != "bars":
        ax.set(xscale=panel["xscale"])
        whole = sorted({x for line in panel["lines"] for x in line["x"]})
        steps = [line["style"] == "line" and isinstance(x, int) for line in panel["lines"] for x in line["x"]]
        if len(whole) <= 9 and all(steps):
            ax.set_xticks(whole, [f"{x:,}" for x in whole])
        ax.xaxis.set_minor_formatter("")                       # of a logarithmic axis: they would lie over one another
    ax.set(yscale=panel["yscale"])
