"""Rows of measurements as text, as Markdown, as lines of JSON.

A row is what bench.run returns; a file of rows holds one in each line, and a later one takes the place of an
earlier one of the same case with the same threads.
"""
from ..core.files import parse_json

LABELS = {"numpy": "NumPy", "numba": "Numba", "torch": "PyTorch"}
WORDS = {"layer": "layer", "ragged": "layer, ragged", "step": "training step", "transformer": "Transformer step",
         "decode": "greedy search", "beam": "beam search", "int8": "greedy search, int8 readout"}


def letters(row):
    """Its sizes by the README's letters: B is the batch, N in the code."""
    return {"B" if letter == "N" else letter: row[letter] for letter in "VTNDH" if letter in row}


def sizes(row):
    """ "T=10 B=1 D=32 H=32" """
    return " ".join(f"{letter}={value}" for letter, value in letters(row).items())


def name(row):
    """ "LSTM layer, ragged", "beam search" """
    words = WORDS.get(row["case"], row["case"])
    return f"{row['cell'].upper()} {words}" if "cell" in row else words


def short(seconds):
    """Three digits with a unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds < 1000 * size else f"{seconds:.0f} {unit}"
    return f"{seconds * 1e6:.3g} µs"


# As text --------------------------------------------------------------------------------------------------

def lines(row):
    """The lines of one row."""
    return {"growth": lines_of_growth, "memory": lines_of_memory}.get(row["case"], line)(row)


def line(row):
    """Times on one line, with ratios to Numba's and their quartiles."""
    parts = [f"{name(row):<19} {sizes(row):<25}"]
    for side, m in row["sides"].items():
        low, middle, high = m["ratio"]
        if row.get("doubtful"):
            parts.append(f"{LABELS[side]} {short(m['seconds'])}?")
            continue
        text = "" if side == "numba" else f" ({middle:.2f} [{low:.2f}, {high:.2f}])"
        share = f", {m['share_of_peak']:.0%} of peak" if "share_of_peak" in m and side == "numba" else ""
        parts.append(f"{LABELS[side]} {short(m['seconds'])}{text}{share}")
    if row.get("doubtful"):
        parts.append(f"no ratio: {row['doubtful']}; measure again on an idle machine")
    return "  ".join(parts)


def lines_of_growth(row):
    """Times at each size, and the line through the last of them."""
    of, first = row["of"], row["points"][0]
    fixed = " ".join(f"{k}={v}" for k, v in letters(first).items() if k != of and (k, of) != ("D", "H"))
    text = [f"{name(first)} against {of}, {fixed}"]
    for side in row["points"][-1]["sides"]:
        times = [(size, point["sides"][side]["seconds"]) for size, point in zip(row["sizes"], row["points"])
                 if side in point["sides"]]
        text.append(f"  {LABELS[side]:<8}" + "  ".join(f"{size}: {short(t)}" for size, t in times))
        if side in row["lines"]:
            start, each, worst = row["lines"][side]
            text.append(f"          line: {1e6 * start:.4g} µs + {1e6 * each:.4g} µs for each, "
                        f"worst deviation {worst:.1%}")
    return "\n".join(text)


def lines_of_memory(row):
    """Megabytes of each side."""
    text = [f"memory of a step    {sizes(row)}"]
    for side, m in row["sides"].items():
        text.append(f"  {LABELS[side]:<8}tapes {m['tapes'] / 1e6:.1f} MB, peak {m['peak'] / 1e6:.1f} MB "
                    f"({m['ratio_of_all']:.2f} x tapes); without gradient, new parameters and moments "
                    f"{m['ratio']:.2f} x tapes")
    return "\n".join(text)


# As Markdown ----------------------------------------------------------------------------------------------

def markdown(rows):
    """Timed rows as a table: one line for each case, a ratio for each number of threads."""
    cases = {}
    for row in rows:
        if row["case"] in WORDS:
            cases.setdefault((name(row), sizes(row)), {})[row["threads"]] = row
    if not cases:
        return ""
    here = [side for side in LABELS if any(side in r["sides"] for c in cases.values() for r in c.values())]
    other = "torch" if "torch" in here else "numpy"
    counts = sorted({threads for case in cases.values() for threads in case})
    head = ["", "sizes", *(LABELS[side] for side in here),
            *(f"{LABELS[other]} / Numba, {n} thread{'s'[:n > 1]}" for n in counts)]
    out = [head, ["---"] * 2 + ["--:"] * (len(head) - 2)]
    for (words, of), found in cases.items():
        first = found[min(found)]["sides"]
        times = [short(first[side]["seconds"]) if side in first else "" for side in here]
        out.append([words, of, *times, *(ratio(found.get(n), other) for n in counts)])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in out)


def ratio(row, side):
    """ "**1.23** [1.21, 1.25]", or nothing."""
    if row is None or side not in row["sides"]:
        return ""
    if row.get("doubtful"):
        return "not idle"
    low, middle, high = (f"{q:.3g}" if q >= 10 else f"{q:.2f}" for q in row["sides"][side]["ratio"])
    return f"**{middle}** [{low}, {high}]"


def machines(rows):
    """The machines that the rows come from, in a line."""
    return "; ".join(dict.fromkeys(row["machine"] for row in rows))


# As JSON --------------------------------------------------------------------------------------------------

def key(row):
    """What a later row must agree in to take an earlier one's place."""
    return tuple((k, v) for k, v in row.items() if k in ("case", "cell", "of", "width", "threads", *"VTNDH"))


def read(path):
    """The rows of a file.

    Raises
    ------
    OSError, ValueError
        If there is no such file, or a line of it is not a row.
    """
    rows = {}
    with open(path, encoding="utf-8") as f:
        for number, text in enumerate(f, 1):
            try:
                row = parse_json(text)
                row["case"], row["machine"], row["threads"]
            except (ValueError, TypeError, KeyError):
                raise ValueError(f"{path}: line {number} is not a row of minis2s bench --json") from None
            rows[key(row)] = row
    return list(rows.values())
