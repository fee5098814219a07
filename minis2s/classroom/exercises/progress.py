"""What has been checked, and how it went: a JSON file beside the student's work, a table, an HTML page."""
import html
import json
from datetime import date
from pathlib import Path

from ...core import files
from . import EXERCISES

FILE = "progress.json"


def load(folder):
    """The record of a folder: name -> {"passed", "checks", "last", "text"}; {} where nothing was checked yet.

    Raises
    ------
    ValueError
        The file is damaged.
    """
    path = Path(folder) / FILE
    try:
        record = files.parse_json(path.read_text(encoding="utf-8"))
        if not (isinstance(record, dict) and all(
                isinstance(r, dict) and isinstance(r.get("passed"), bool) and isinstance(r.get("checks"), int)
                and isinstance(r.get("last"), str) and isinstance(r.get("text"), str)
                for r in record.values())):
            raise ValueError("not a record of exercises")
    except FileNotFoundError:
        return {}
    except ValueError as e:
        raise ValueError(f"{path} is damaged ({e}); move it away to begin a new record") from None
    return record


def note(folder, reports):
    """Add the outcome of some checks to the record; what was passed once and is not any more, is not."""
    record = load(folder)
    for report in reports:
        old = record.get(report["exercise"], {"checks": 0})
        record[report["exercise"]] = {"passed": report["passed"], "checks": old["checks"] + 1,
                                      "last": date.today().isoformat(), "text": report["text"]}
    files.write_text(Path(folder) / FILE, json.dumps(record, indent=1) + "\n")


def rows(folder):
    """For each exercise: name, title, state ("passed", "not yet", "started" or ""), checks, day, report.

    In a hand-out's folder these are the exercises of the assignment.
    """
    from ..assignment import make
    wanted = make.load(folder).exercises if (Path(folder) / make.FILE).exists() else EXERCISES
    record, table = load(folder), []
    for name in wanted:
        exercise = EXERCISES[name]
        r = record.get(name)
        started = (Path(folder) / f"{exercise.function}.py").exists()
        state = ("passed" if r["passed"] else "not yet") if r else "started" if started else ""
        table.append((name, exercise.title, state, r["checks"] if r else 0, r["last"] if r else "", r["text"]
                      if r else ""))
    return table


def table(folder):
    """The rows as text."""
    lines, all_rows = [], rows(folder)
    for name, title, state, checks, last, _ in all_rows:
        lines.append(f"{name:28} {state:8} {checks or '':>4} {last:10}  {title}".rstrip())
    passed = sum(row[2] == "passed" for row in all_rows)
    head = f"{'exercise':28} {'state':8} {'runs':>4} {'last':10}  what"
    return "\n".join([head, *lines, "", f"{passed} of {len(all_rows)} passed"])


PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>minis2s exercises</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }}
progress {{ width: 100%; height: 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8886; vertical-align: top; }}
.passed {{ font-weight: bold; }}
pre {{ white-space: pre-wrap; font-size: .85rem; margin: .3rem 0; }}
</style></head><body>
<h1>Exercises</h1>
<p>{passed} of {total} passed</p>
<progress value="{passed}" max="{total}">{passed} of {total}</progress>
<table><thead><tr><th>exercise</th><th>state</th><th>runs</th><th>last</th><th>what</th></tr></thead><tbody>
{rows}
</tbody></table></body></html>
"""


def page(folder):
    """The rows as one HTML page that needs nothing else."""
    lines, all_rows = [], rows(folder)
    for name, title, state, checks, last, text in all_rows:
        sign = {"passed": "✓ passed", "not yet": "· not yet"}.get(state, state)
        more = f"<details><summary>last report</summary><pre>{html.escape(text)}</pre></details>"
        more = more if state == "not yet" else ""
        lines.append(f'<tr><td>{name}</td><td '
                     f'class="{state.replace(" ", "-")}">{sign}</td><td>{checks or ""}</td>'
                     f"<td>{html.escape(last)}</td><td>{html.escape(title)}{more}</td></tr>")
    passed = sum(row[2] == "passed" for row in all_rows)
    return PAGE.format(passed=passed, total=len(all_rows), rows="\n".join(lines))
