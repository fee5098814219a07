"""How gradients flow: the numbers of `minis2s.viewer.flow` as curves over the steps."""
import numpy as np

from .style import BLACK, BLUE, GREEN, ORANGE, PURPLE, panel_row

LOOKS = [(BLUE, "-"), (ORANGE, "--"), (GREEN, "-."), (PURPLE, ":"), (BLACK, "-")]


def gradient_paths(paths, path=None):
    """Draw the size of dL/dh_t against t, and of the paths by which it comes: readout, recurrence, attention.

    Parameters
    ----------
    paths : dict
        Name -> flow.Paths of (T,) norms (see `flow.gradient_paths`, `flow.norms`); a panel for each.
    path : str or os.PathLike, optional
        Where to save: ``.png`` or ``.svg``.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is nothing to draw, a size is negative or not finite, or the suffix is unknown.
    FileNotFoundError
        If the folder of `path` is missing.
    """
    looks = {"total": (BLACK, "-"), "readout": (BLUE, "--"), "recurrence": (ORANGE, "-."),
             "attention": (GREEN, ":")}
    rows = {name: {field: sizes(f"paths[{name!r}].{field}", getattr(one, field)) for field in looks}
            for name, one in named("paths", paths).items()}
    with panel_row(rows, path, "step t", "size of dL/dh") as (figure, panels):
        for axes, lines in zip(panels, rows.values()):
            for field, y in lines.items():
                if field == "total" or y.any():
                    log_curve(axes, y, field, *looks[field])
            axes.legend()
    return figure


def gradient_norms(flows, path=None):
    """Draw the size of dL/dh_t against t for a loss that reads h_T alone: one curve for each cell.

    Parameters
    ----------
    flows : dict
        Name -> flow.CellFlow (see `flow.side_by_side`).
    path : str or os.PathLike, optional

    Returns, Raises
    ---------------
    As `gradient_paths`.
    """
    rows = {name: sizes(f"flows[{name!r}].dh", one.dh) for name, one in named("flows", flows).items()}
    title = "how far back the gradient reaches"
    with panel_row([title], path, "step t", "size of dL/dh") as (figure, panels):
        for (name, y), look in zip(rows.items(), LOOKS):
            log_curve(panels[0], y, name, *look)
        panels[0].legend()
    return figure


def jacobian_spectra(flows, path=None):
    """Draw the singular values of every step's ds_t/ds_{t-1}: a panel for each cell, 1 marked by a line.

    Parameters
    ----------
    flows : dict
        Name -> flow.CellFlow.
    path : str or os.PathLike, optional

    Returns, Raises
    ---------------
    As `gradient_paths`.
    """
    rows = {name: sizes(f"flows[{name!r}].singular", one.singular, 2)
            for name, one in named("flows", flows).items()}
    with panel_row(rows, path, "step t", "singular values") as (figure, panels):
        for axes, values in zip(panels, rows.values()):
            axes.axhline(1, color="0.5", linewidth=0.8)
            for y, label, colour, dashes in ((values.max(axis=1), "largest", ORANGE, "-"),
                                             (np.median(values, axis=1), "median", BLUE, "--"),
                                             (values.min(axis=1), "smallest", GREEN, "-.")):
                log_curve(axes, y, label, colour, dashes)
            axes.legend()
    return figure


def gate_saturation(flows, path=None):
    """Draw the share of units whose gates are shut (full lines) or wide open (dashes): a panel for each cell.

    Parameters
    ----------
    flows : dict
        Name -> flow.CellFlow.
    path : str or os.PathLike, optional

    Returns, Raises
    ---------------
    As `gradient_paths`.
    """
    rows = {name: {gate: sizes(f"flows[{name!r}].saturation[{gate!r}]", share, 2)
                   for gate, share in one.saturation.items()} for name, one in named("flows", flows).items()}
    with panel_row(rows, path, "step t", "per cent of units") as (figure, panels):
        for axes, gates in zip(panels, rows.values()):
            for (gate, share), (colour, _) in zip(gates.items(), LOOKS):
                for column, (end, dashes) in enumerate((("shut", "-"), ("open", "--"))):
                    axes.plot(steps(share), 100 * share[:, column], dashes, color=colour, label=f"{gate} {end}",
                              marker="o" if len(share) == 1 else None)
            axes.set(ylim=(-3, 103))
            axes.legend()
    return figure


def named(what, parts):
    """Return `parts`, a dict with at least one entry."""
    if not isinstance(parts, dict) or not parts:
        raise ValueError(f"{what}: got {parts!r}, wanted a dict with at least one entry")
    return parts


def sizes(what, values, ndim=1):
    """Return an array of sizes: finite, from 0 upwards."""
    values = np.asarray(values, dtype=float)
    if values.ndim != ndim or values.size == 0:
        raise ValueError(f"{what}: got shape {values.shape}, wanted {ndim} axes and at least one step")
    if not (np.isfinite(values).all() and values.min() >= 0):
        raise ValueError(f"{what}: wanted finite numbers from 0 upwards")
    return values


def steps(values):
    """1, 2, ..., T for T values."""
    return np.arange(1, len(values) + 1)


def log_curve(axes, y, label, colour, dashes):
    """A curve over the steps t = 1, 2, ... on a logarithmic axis; a size of 0 leaves a gap."""
    axes.set_yscale("log")
    axes.plot(steps(y), np.where(y > 0, y, np.nan), dashes, color=colour, label=label,
              marker="o" if len(y) <= 30 else None)
