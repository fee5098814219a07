"""How time grows with each size, measured on the spot: the only picture that is not the same twice."""
from functools import lru_cache

from .. import bench, plots

LAYER = dict(case="layer", cell="lstm", T=16, N=16, D=64, H=64)
STEP = dict(case="step", cell="lstm", V=1000, N=16, T=10, H=64)
GROWTH = {                                   # panel title: (case, what grows with it, its values)
    "steps T": (LAYER, ("T",), (8, 16, 32, 64)),
    "batch B": (LAYER, ("N",), (1, 4, 16, 64)),
    "hidden H": (LAYER, ("D", "H"), (32, 64, 128, 256)),
    "vocabulary V": (STEP, ("V",), (250, 1000, 4000, 16000)),
}
LOOKS = {"numpy": ("NumPy", plots.BLUE, "--"), "numba": ("Numba", plots.ORANGE, "-"),
         "torch": ("PyTorch", plots.GREEN, "-.")}


@lru_cache(maxsize=1)
def measured(rounds=7, seconds=0.02):
    """-> {panel: [row of bench.measure for each value]}, one thread."""
    return {title: [bench.measure({**case, **dict.fromkeys(letters, value)}, rounds=rounds, seconds=seconds)
                    for value in values] for title, (case, letters, values) in GROWTH.items()}


def draw(path):
    """Time of one call against T, B, H (an LSTM layer, both ways) and V (a training step), log-log."""
    rows = measured()
    with plots.panel_row(list(GROWTH), path, "", "milliseconds", size=(2.5, 2.9)) as (_, panels):
        for axes, (title, (case, letters, values)) in zip(panels, GROWTH.items()):
            for side in rows[title][0]["sides"]:
                label, colour, dashes = LOOKS[side]
                times = [1e3 * row["sides"][side]["seconds"] for row in rows[title]]
                axes.loglog(values, times, dashes, marker="o", color=colour, label=label)
            first = "training step" if case is STEP else "LSTM layer, both ways"
            fixed = {"B" if k == "N" else k: case[k] for k in "TNHV" if k in case and k not in letters}
            others = "  ".join(f"{k} = {v}" for k, v in fixed.items())
            axes.set_title(f"{title}\n{first}\n{others}", fontsize=8.5)
            axes.set_xticks(values, map(str, values))
            axes.minorticks_off()
        panels[0].legend()


def share_of_peak(path):
    """What share of the processor's multiply-adds an LSTM layer uses, against H."""
    peak, rows = bench.peak(), measured()["hidden H"]
    title = "LSTM layer: share of what one core could do"
    with plots.panel_row([title], path, "hidden size H", "per cent") as (_, (axes,)):
        for side in rows[0]["sides"]:
            label, colour, dashes = LOOKS[side]
            of_side = [{**row, "sides": {"numba": row["sides"][side]}} for row in rows]
            share = [100 * bench.share_of_peak(row, peak) for row in of_side]
            axes.plot([row["H"] for row in rows], share, dashes, marker="o", color=colour, label=label)
        axes.set_xscale("log", base=2)
        axes.set_xticks([row["H"] for row in rows], [str(row["H"]) for row in rows])
        axes.set_ylim(0, 100)
        axes.legend()
