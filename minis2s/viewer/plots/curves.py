"""Loss curves of a run."""
import math

import numpy as np

from .style import BLUE, GREEN, ORANGE, check_path, new_figure, save, styled

CURVES = {                                 # key of a record: (label, colour, dashes)
    "train_loss": ("training", BLUE, "-"),
    "valid_loss_teacher_forced": ("validation, teacher forced", ORANGE, "--"),
    "valid_loss_free_running": ("validation, free running", GREEN, "-."),
    "valid_exact_match": ("exact match", BLUE, "-"),
    "valid_token_accuracy": ("token accuracy", ORANGE, "--"),
    "valid_stop_accuracy": ("stops right", BLUE, "-"),
}
LOSSES, RATES = list(CURVES)[:3], list(CURVES)[3:]


def loss_curves(records, path=None):
    """Draw losses, and exact match with token accuracy, against the epoch.

    Parameters
    ----------
    records : list of dict
        The lines of a run's ``metrics.jsonl``. Keys: ``epoch`` (where no record has one, ``step`` is the
        horizontal axis), ``train_loss``, ``valid_loss_teacher_forced``, ``valid_loss_free_running`` (nats per
        token, or per frame), ``valid_token_accuracy``, ``valid_exact_match``, and of frames
        ``valid_stop_accuracy`` (fractions, 0 to 1). Any may be missing or None.
    path : str or os.PathLike, optional
        Where to save: ``.png`` or ``.svg``.

    Returns
    -------
    matplotlib.figure.Figure
        The left panel holds the losses, the right one the rates in per cent.

    Raises
    ------
    ValueError
        If `records` is empty, none has an epoch or step, a rate is not a fraction, or the suffix is unknown.
    TypeError
        If a record is not a dict, or a value not a number.
    FileNotFoundError
        If the folder of `path` is missing.
    """
    check_path(path)
    records = list(records)
    x_key = check_records(records)
    with styled():
        figure = new_figure(8.0, 3.2)
        figure.set_layout_engine("constrained")
        losses, rates = figure.subplots(1, 2)
        draw_panel(losses, records, x_key, LOSSES, 1.0)
        draw_panel(rates, records, x_key, RATES, 100.0)
        of_frames = any("valid_stop_accuracy" in record for record in records)
        losses.set(title="loss", ylabel="per frame" if of_frames else "nats per token")
        losses.set_ylim(bottom=0)
        rates.set(title="validation", ylabel="per cent", ylim=(-3, 103))
        return save(figure, path)


def draw_panel(axes, records, x_key, keys, scale):
    """The curves of some keys; a sentence where there is none."""
    for key in keys:
        x, y = curve(records, x_key, key)
        if any(map(math.isfinite, y)):
            label, colour, dashes = CURVES[key]
            axes.plot(x, scale * np.array(y), dashes, color=colour, label=label,
                      marker="o" if len(x) <= 30 else None)                  # one point alone has no line
    if axes.lines:
        axes.legend()
    else:
        axes.text(0.5, 0.5, "no finite value recorded", ha="center", va="center", transform=axes.transAxes)
    last = max(record[x_key] for record in records if record.get(x_key) is not None)
    axes.set(xlabel=x_key, xlim=(0, 1.03 * last if last > 0 else 1))
    axes.xaxis.get_major_locator().set_params(integer=True)


def check_records(records):
    """Return the key of the horizontal axis."""
    if not records:
        raise ValueError("records: got none, wanted at least one")
    for i, record in enumerate(records):
        if not isinstance(record, dict):
            raise TypeError(f"records[{i}]: got {type(record).__name__}, wanted a dict")
        for key in ["epoch", "step", *CURVES]:
            value = record.get(key)
            if value is not None and not isinstance(value, (int, float, np.integer, np.floating)):
                raise TypeError(f"records[{i}][{key!r}]: got {value!r}, wanted a number or None")
            if value is not None and key in ("epoch", "step") and not (math.isfinite(value) and value >= 0):
                raise ValueError(f"records[{i}][{key!r}]: got {value!r}, wanted a number from 0 upwards")
            if value is not None and key in RATES and not 0 <= value <= 1:
                raise ValueError(f"records[{i}][{key!r}]: got {value!r}, wanted a fraction, 0 to 1")
    for key in ["epoch", "step"]:
        if any(record.get(key) is not None for record in records):
            return key
    raise ValueError("records: none has an 'epoch' or a 'step'")


def curve(records, x_key, key):
    """The points of one curve. A loss that is infinite or NaN leaves a gap."""
    points = [(r[x_key], r[key]) for r in records if r.get(x_key) is not None and r.get(key) is not None]
    return [x for x, _ in points], [y if math.isfinite(y) else math.nan for _, y in points]
