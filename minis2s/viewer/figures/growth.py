"""How time grows with each size, and what share of the processor is used: drawn from speed.jsonl.

    minis2s bench growth --json ──>> figures/speed.jsonl ──> speed.png, share_of_peak.png

The file stands beside the pictures and holds what was measured, so they can be drawn again anywhere, also by
one who has no PyTorch. Where it has no such rows they are measured now, and added.
"""
import json
import textwrap
from pathlib import Path

from ... import bench
from ...bench import table
from .. import plots

FILE = "speed.jsonl"
PANELS = {"T": "steps T", "B": "batch B", "H": "hidden H", "V": "vocabulary V"}
LOOKS = {"numpy": (plots.BLUE, "--"), "numba": (plots.ORANGE, "-"), "torch": (plots.GREEN, "-.")}


def measured(folder, **how):
    """The rows of growth with one thread, from a folder's file or measured now: -> {letter: row}."""
    path = Path(folder) / FILE
    rows = {row["of"]: row for row in (table.read(path) if path.exists() else [])
            if row["case"] == "growth" and row["cell"] == "lstm" and row["threads"] == 1}
    for case in bench.chosen(["growth"]):
        if case["of"] not in rows:
            rows[case["of"]] = bench.run(case, **how)
            with open(path, "a", encoding="utf-8") as f:
                f.write(json.dumps(rows[case["of"]]) + "\n")
    return rows


def curves(row, what):
    """Yield for each side: its label, colour, dashes, the sizes, and `what` was measured at each."""
    for side, (colour, dashes) in LOOKS.items():
        known = [(size, point["sides"][side][what]) for size, point in zip(row["sizes"], row["points"])
                 if side in point["sides"]]
        if known:
            yield table.LABELS[side], colour, dashes, *zip(*known)


def ticks(axes, sizes):
    """Every size under the axis; every second one where they are many."""
    every = 1 if len(sizes) < 6 else 2
    axes.set_xticks(sizes, [str(size) if k % every == 0 else "" for k, size in enumerate(sizes)])
    axes.minorticks_off()


def sign(figure, rows):
    """The machine, small, below."""
    text = textwrap.wrap(table.machines(rows) + "; one thread, float32", int(18 * figure.get_figwidth()))
    figure.supxlabel("\n".join(text), fontsize=6.5, color="0.35")


def draw(path):
    """Time of one call against T, B, H (an LSTM layer, both ways) and V (a training step), log-log."""
    rows = measured(Path(path).parent)
    with plots.panel_row(PANELS.values(), path, "", "milliseconds", size=(2.5, 3.1)) as (figure, panels):
        for axes, (letter, title) in zip(panels, PANELS.items()):
            row = rows[letter]
            for label, colour, dashes, sizes, times in curves(row, "seconds"):
                axes.loglog(sizes, [1e3 * t for t in times], dashes, marker="o", color=colour, label=label)
            first = "training step" if letter == "V" else "LSTM layer, both ways"
            others = "  ".join(f"{k} = {v}" for k, v in table.letters(row["points"][0]).items()
                               if k != letter and k != "D")
            axes.set_title(f"{title}\n{first}\n{others}", fontsize=8.5)
            ticks(axes, row["sizes"])
        panels[0].legend()
        sign(figure, rows.values())


def share_of_peak(path):
    """What share of the processor's multiply-adds an LSTM layer uses, against H."""
    row = measured(Path(path).parent)["H"]
    sizes = table.letters(row["points"][0])
    title = f"LSTM layer, T = {sizes['T']}, B = {sizes['B']}: share of what one core could do"
    with plots.panel_row([title], path, "hidden size H", "per cent", size=(4.6, 3.4)) as (figure, (axes,)):
        for label, colour, dashes, sizes, shares in curves(row, "share_of_peak"):
            axes.plot(sizes, [100 * s for s in shares], dashes, marker="o", color=colour, label=label)
        axes.set_xscale("log", base=2)
        ticks(axes, row["sizes"])
        axes.set_ylim(0, 100)
        axes.legend()
        sign(figure, [row])
