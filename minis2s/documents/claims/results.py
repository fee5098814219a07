"""Results of claims as files: read again, and as the table of README."""
import json
from pathlib import Path

from . import MODULES, find

PARTS = {"claim", "verdict", "seeds", "full", "numbers", "because", "panels"}
HEAD = "| claim | verdict | measured | picture |\n|---|---|---|---|\n"


def read(folder):
    """{claim's id: result} of the files K1.json ... in a folder, in the order of the claims.

    Raises
    ------
    FileNotFoundError, ValueError
        There is no such folder; a file that is no result.
    """
    if not Path(folder).is_dir():
        raise FileNotFoundError(f"{folder}: no such folder")
    found = {}
    for key in MODULES:
        path = Path(folder) / f"{key}.json"
        if path.exists():
            try:
                result = json.loads(path.read_text(encoding="utf-8"))
            except ValueError:
                result = None
            if not isinstance(result, dict) or not PARTS <= result.keys():
                raise ValueError(f"{path}: no result of `minis2s claim`")
            found[key] = result
    return found


def size(result):
    """How much was measured: "full, 3 seeds"."""
    count = len(result["seeds"])
    return f"{'full' if result['full'] else 'small'}, {count} seed{'s' if count > 1 else ''}"


def judged(result):
    """The verdict by the claim's rule, from the numbers: what a file says of itself must be this."""
    return find(result["claim"]).verdict(result["numbers"]).verdict


def table(results, folder):
    """The results as a Markdown table."""
    return HEAD + "".join(
        f"| {key}: {find(key).title} | **{result['verdict']}** | {size(result)} | [{key}.png]({folder}/{key}.png) |\n"
        for key, result in results.items())
