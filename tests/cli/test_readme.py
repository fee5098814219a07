"""README says what is true: the equation index is made from the registry, the table of speed from what was measured,
and the two commands stand alone.

`python tests/cli/test_readme.py` writes index and table anew.
"""
import re
from pathlib import Path

import pytest

from minis2s.bench import table
from minis2s.cli.main import COMMANDS
from minis2s.documents.formulas import FORMULAS, source

README = Path(__file__).parents[2] / "README.md"
HEAD = "| formula | in short | marks | code |\n|---|---|---|---|\n"


def row(formula):
    """One line of the index: all forms as meant, and the printed one where it has code of its own."""
    groups = {"": [], " · printed: ": []}
    for form in formula.forms:
        own = any("printed" in source(name)[0] for name in form.forward)
        groups[" · printed: " if own else ""].append(form)
    marks = code = ""
    for title, forms in groups.items():
        if forms:
            names = dict.fromkeys(mark for form in forms for mark in form.marks)
            files = dict.fromkeys(source(name)[0] for form in forms for name in form.forward)
            marks += title + " ".join(f"({mark})" for mark in names)
            code += title + " ".join(f"[{name.removeprefix('minis2s/')}]({name})" for name in files)
    return f"| {formula.id} | {formula.brief.replace('|', chr(92) + '|')} | {marks} | {code} |\n"


def index():
    return HEAD + "".join(map(row, FORMULAS.values()))


def speed():
    """The table of speed: LSTMs and what is built of them."""
    rows = [row for row in table.read(README.parent / "figures" / "speed.jsonl")
            if row["case"] in table.WORDS and row.get("cell", "lstm") == "lstm"]
    rows.sort(key=lambda row: list(table.WORDS).index(row["case"]))
    return ("Time of one call in float32, one thread, medians; ratios with [quartiles]. T steps, B batch, "
            f"D input, H hidden, V vocabulary. {table.machines(rows)}.\n\n{table.markdown(rows)}")


def test_the_table_of_speed_is_what_was_measured():
    assert speed() in README.read_text(encoding="utf-8"), "run `python tests/cli/test_readme.py`"


def test_the_index_is_the_registry():
    assert index() in README.read_text(encoding="utf-8"), "run `python tests/cli/test_readme.py`"


def test_there_are_exactly_two_set_up_commands():
    commands = re.findall(r"^    python3 -m venv .*$", README.read_text(encoding="utf-8"), re.M)
    assert len(commands) == 2 and commands[0].endswith("minis2s train dates") and " .venv/bin/pytest " in commands[1]


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_every_file_that_readme_links_is_there(name):
    text = (README.parent / name).read_text(encoding="utf-8")
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (README.parent / link).exists(), link


def test_the_chinese_readme_has_the_same_set_up_and_only_commands_that_exist():
    english, chinese = (README.with_name(name).read_text(encoding="utf-8") for name in ("README.md", "README.zh.md"))
    for pattern in (r"^    python3 -m venv .*$", r"^\| `[a-z]+/`"):
        assert re.findall(pattern, chinese, re.M) == re.findall(pattern, english, re.M)
    commands = set(re.findall(r"^    \.venv/bin/minis2s (\w+)", chinese, re.M))
    assert commands and commands <= {name.rstrip("_") for name in COMMANDS}


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    for name, made in (("equations", index()), ("speed", speed())):
        before, _, after = text.partition(f"<!-- {name} -->\n")
        after = after.partition(f"<!-- end of {name} -->\n")[2]
        text = f"{before}<!-- {name} -->\n{made}<!-- end of {name} -->\n{after}"
    README.write_text(text, encoding="utf-8")
