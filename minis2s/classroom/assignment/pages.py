"""HTML: a page for each student, an overview for the teacher; each page needs nothing but itself."""
import hashlib
import html
import re
from collections import Counter
from pathlib import Path

from ...core import files
from ..exercises import find

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th, td {{ text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #8886; vertical-align: top; }}
.passed {{ color: #00704f; font-weight: bold; }}
@media (prefers-color-scheme: dark) {{ .passed {{ color: #5fd0a5; }} }}
pre {{ white-space: pre-wrap; font-size: .9rem; margin: .3rem 0 1rem; padding: .5rem; border: 1px solid #8886; }}
</style></head><body>
<h1>{title}</h1>
{body}
</body></html>
"""


def file_name(student):
    """A file name for a student's page: readable, and different for different students."""
    stem = re.sub(r"[^A-Za-z0-9]+", "-", student).strip("-")[:40] or "student"
    return f"{stem}-{hashlib.sha256(student.encode('utf-8', 'replace')).hexdigest()[:6]}.html"


def student(folder, record, made):
    """Write a student's page: each exercise with the doctor's words and what to do next."""
    parts = [f"<p>{record['points']} of {made.total} points"
             + (", handed in late" if record["late"] == "yes" else "") + "</p>"]
    for name in made.exercises:
        report = record["reports"][name]
        points = made.points[name] if report["passed"] else 0
        parts.append(f"<h2>{html.escape(name)}: {html.escape(find(name).title)}</h2>"
                     f"<p>{_state(report)}, {points} of {made.points[name]} points</p>")
        if not report["passed"] and report["text"]:
            parts.append(f"<pre>{html.escape(report['text'])}</pre>")
            if report.get("printed"):
                parts.append(f"<p>Your code printed:</p><pre>{html.escape(report['printed'][:1000])}</pre>")
    _write(folder, file_name(record["student"]), f"{made.title}: {record['student']}", parts)


def _state(report):
    return '<span class="passed">✓ passed</span>' if report["passed"] else \
        "not handed in" if report["verdict"] == "missing" else "not yet"


def overview(folder, records, made):
    """Write index.html: who has what, and which mistakes are common."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in made.exercises)
    rows = []
    for record in records:
        cells = "".join(f"<td>{_state(record['reports'][name])}{_remarks(record['reports'][name])}</td>"
                        for name in made.exercises)
        link = f'<a href="{file_name(record["student"])}">{html.escape(record["student"])}</a>'
        rows.append(f"<tr><td>{link}</td><td>{record['points']}</td><td>{record['late']}</td>{cells}</tr>")
    passed = "".join(f"<td>{sum(r['reports'][name]['passed'] for r in records)} of {len(records)}</td>"
                     for name in made.exercises)
    table = (f"<table><thead><tr><th>student</th><th>points of {made.total}</th><th>late</th>{head}</tr></thead>"
             f"<tbody>{''.join(rows)}<tr><td>passed</td><td></td><td></td>{passed}</tr></tbody></table>")
    _write(folder, "index.html", made.title, ["<h2>What to explain again</h2>", _common(records, made),
                                              "<h2>Students</h2>", table])


def _remarks(report):
    """What the teacher may want to look at, small."""
    return "".join(f"<br><small>{html.escape(remark)}</small>" for remark in report["remarks"])


def _common(records, made):
    """The mistakes that several students made, most common first."""
    count, example = Counter(), {}
    for record in records:
        for name in made.exercises:
            report = record["reports"][name]
            if not report["passed"] and report["verdict"] not in ("missing", "unfinished"):
                for key in report.get("mistakes") or [re.sub(r"\d[\d.e+-]*", "#", report["says"])]:
                    count[name, key] += 1
                    example.setdefault((name, key), report)
    if not count:
        return "<p>No mistakes.</p>"
    rows = []
    for (name, key), times in count.most_common(20):
        report = example[name, key]
        rows.append(f"<tr><td>{times}</td><td>{html.escape(name)}</td><td>{html.escape(report['says'])}</td>"
                    f"<td>{html.escape(report['look'])}</td></tr>")
    return ("<table><thead><tr><th>students</th><th>exercise</th><th>what is wrong</th><th>where to look</th></tr>"
            f"</thead><tbody>{''.join(rows)}</tbody></table>")


def _write(folder, name, title, parts):
    Path(folder).mkdir(parents=True, exist_ok=True)
    files.write_text(Path(folder) / name, PAGE.format(title=html.escape(title), body="\n".join(parts)))
