"""The pages of the book as HTML: one for each part, one for each row of the documents."""
import ast
import html
import re

from ...documents import equations
from ...documents.formulas import page as terminal
from .. import mathml, symbols
from . import bundle, cards, numbers, parts
from .examples import EXAMPLES
from .live import source
from .texts import entries
from .words import both, both_html, word


def part_page(part, derivations):
    """A page of equations; `derivations` is {mark: HTML}."""
    cards_html = "".join(cards.card(part, mark, star, derivations.get(star, "")) for mark, star in part.pairs)
    body = [intro(part), drawing(part), before(part), rows_of(part), examples_of(part), searches(part), cards_html,
            shapes(part)]
    return article(part.id, titled("parts.txt", part.id, part.title), "".join(body), part.file)


def article(name, title, body, place=""):
    """The frame of a page."""
    place = f'<p class="place">{html.escape("minis2s/" + place)}</p>' if place else ""
    return (f'<article id="p-{name}" data-page="{name}" aria-labelledby="t-{name}">'
            f'<h2 id="t-{name}" tabindex="-1">{title}</h2>{place}{body}</article>')


def titled(file, key, fallback):
    """The title of a page: the first sentence of its text, in both languages."""
    entry = entries(file).get(key)
    if not entry:
        return html.escape(fallback)
    return both(*(heading(text) for text in (entry.en, entry.zh)))


def heading(text):
    """What stands before the first " — " of a text."""
    return text.split(" — ")[0]


def rest(text):
    """What stands behind it."""
    return text.partition(" — ")[2]


def intro(part):
    """What the part is for, then the docstring's own words."""
    entry = entries("parts.txt").get(part.id)
    lead = f'<p class="lead">{both(rest(entry.en), rest(entry.zh))}</p>' if entry else ""
    quoted = "".join(f"<p>{html.escape(text)}</p>" for text in parts.prose(part.file))
    own = both_html("The file's own words", "源文件中的说明（原文）")
    details = f'<details class="own"><summary>{own}</summary><div lang="en">{quoted}</div></details>'
    return lead + (details if quoted else "")


def drawing(part):
    """The docstring's drawing."""
    text = parts.drawing(part.file)
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{part.id}: drawing"><pre class="drawing">' \
           f"{html.escape(text)}</pre></div>" if text else ""


def link(name, title):
    """A link to a page."""
    return f'<a href="#{name}">{title}</a>'


def before(part):
    """Before this, read ..."""
    known = {p.id: p for p in parts.parts()}
    links = ", ".join(link(name, titled("parts.txt", name, known[name].title)) for name in part.before)
    return f'<p class="before">{word("before")}: {links}.</p>' if links else ""


def rows_of(part):
    """Rows of the documents whose code is here."""
    names = [name for name, (_, ids) in parts.rows().items() if part.id in ids]
    links = ", ".join(link(name.lower(), name) for name in names)
    return f'<p class="before">{word("rows_here")}: {links}.</p>' if links else ""


def examples_of(part):
    """The live examples in which this part's equations are shown."""
    marks = [mark for pair in part.pairs for mark in pair if mark]
    return "".join(example(name) for name in dict.fromkeys(
        bundle.shown()[mark][0] for mark in marks if mark in bundle.shown())) or (
        example("decoding") if part.id == "decoding" else "")


def example(name):
    """An example: its inputs, which live.js writes, a slider, and the code that runs."""
    text = source.function(EXAMPLES[name].live)
    doc = ast.get_docstring(ast.parse(text).body[0]) or ""
    return (f'<section class="example" data-example="{html.escape(name)}"><h3>{word("example")} <small lang="en">'
            f'{html.escape(doc)}</small></h3><p class="state"></p><div class="drag" hidden><label>'
            f'<output class="chosen"></output><input type="range" class="slider" min="-3" max="3" step="0.01"></label>'
            f'<label>{word("exact")} <input type="number" class="exact" step="any"></label>'
            f'<button type="button" class="reset">{word("reset")}</button></div>'
            f'<div class="set inputs"></div><p class="note">{word("under")}</p>'
            f'<details><summary>{word("what_runs")}</summary><pre><code>{mathml.code(text)}</code></pre></details>'
            "</section>")


def searches(part):
    """For decoding: each search beside the oracle's."""
    if part.id != "decoding":
        return ""
    out = []
    for file, function in parts.SEARCHES.items():
        out.append(f'<section class="card" aria-label="{file}"><h3><code>{file}</code></h3><div class="panes">'
                   + cards.pane("code", function_of(equations.PACKAGE / "decoding" / f"{file}.py", file))
                   + cards.pane("oracle", function_of(equations.PACKAGE / "testing/oracle/decoding.py", function))
                   + "</div></section>")
    return f'<section class="card" aria-label="outputs">{cards.figures(["(outputs)"])}</section>' + "".join(out)


def function_of(path, name):
    """The source of one function of a file, without its docstring."""
    text = equations.text_of(path)
    node = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == name)
    rows = text.splitlines()
    skip = node.body[0] if ast.get_docstring(node) else None
    kept = [row for at, row in enumerate(rows[node.lineno - 1:node.end_lineno], node.lineno)
            if not skip or not skip.lineno <= at <= skip.end_lineno]
    place = path.relative_to(equations.PACKAGE).as_posix()
    return f'<p class="place">{place}:{node.lineno}</p><pre><code>{mathml.code(chr(10).join(kept))}</code></pre>'


def shapes(part):
    """The table of symbols: what the file's NamedTuples say of them, and the shape in the example."""
    lines = fields(part.file)
    sizes = {}
    for pair in part.pairs:
        for mark in (m for m in pair if m in bundle.shown()):
            for b in bundle.shown()[mark][1]:
                sizes.setdefault(symbols.key(b.name), " × ".join(map(str, b.shape)) or "1")
            for key, shape, _ in numbers.all_bound()[bundle.shown()[mark][0]][0].inputs:
                sizes.setdefault(symbols.key(key), " × ".join(map(str, shape)) or "1")
    rows = []
    for name in dict.fromkeys([*map(symbols.key, lines), *equation_symbols(part), *sizes]):
        said = next((text for field, text in lines.items() if symbols.key(field) == name), "")
        rows.append(f"<tr><th scope=\"row\">{mathml.symbol(name, html.escape(spelled(name)))}</th>"
                    f"<td>{html.escape(said)}</td><td>{sizes.get(name, '')}</td></tr>")
    if not rows:
        return ""
    return (f'<section class="shapes"><h3>{word("shapes")}</h3><div class="scroll" tabindex="0" role="group" '
            f'aria-label="shapes"><table><thead><tr><th scope="col">{word("symbol")}</th>'
            f'<th scope="col">{word("shape")}</th><th scope="col">{word("example_shape")}</th></tr></thead>'
            f'<tbody>{"".join(rows)}</tbody></table></div></section>')


def spelled(name):
    """A key as people read it."""
    return name.replace("_prev", "′")


def equation_symbols(part):
    """Keys of all symbols in the part's equations, in order."""
    found = {}
    for pair in part.pairs:
        for mark in filter(None, pair):
            text = mathml.equation(equations.all_equations()[mark].text)
            found.update(dict.fromkeys(html.unescape(key) for key in re.findall(r'data-s="?([^">]*)', text)))
    return found


def fields(file):
    """{field of a NamedTuple: its comment} of a file."""
    path = equations.PACKAGE / file
    if path.is_dir():
        return {}
    text, found = equations.text_of(path), {}
    rows = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            for field in node.body:
                if isinstance(field, ast.AnnAssign):
                    comment = rows[field.lineno - 1].partition("# ")[2]
                    if comment:
                        found.setdefault(field.target.id, comment)
    return found


# Rows -------------------------------------------------------------------------------------------------------

def row_page(formula, ids):
    """A page of one row of the documents."""
    body = [f'<p class="where">{html.escape(formula.where)}</p>']
    entry = entries("rows.txt").get(formula.id)
    if entry:
        body.append(f'<p class="lead">{both(rest(entry.en), rest(entry.zh))}</p>')
    body.append(block("printed", formula.printed, "printed"))
    if formula.intended:
        body.append(block("intended", formula.intended, "intended"))
    for key, text in (("slip" if formula.cost else "remark", formula.slip), ("cost", formula.cost),
                      ("undefined", formula.undefined)):
        if text:
            what = {"remark": "slip"}.get(key, key)
            entry = entries("slips.txt").get(f"{formula.id}/{what}")
            said = both(" ".join(text.split()), entry.zh) if entry else f'<span lang="en">{html.escape(text)}</span>'
            body.append(f'<section class="said {key}"><h3>{word(key)}</h3><p>{said}</p></section>')
    if formula.demo:
        lines = "\n".join(formula.demo())
        body.append(f'<section class="said"><h3>{word("by_running")}</h3>{scrolled(lines)}</section>')
    body.append(symbol_table(formula))
    body.append(related(formula, ids))
    body.append(f'<details class="tiny"><summary>{word("tiny")}</summary>'
                f'{scrolled(chr(10).join(terminal.example(formula, 96)))}</details>')
    name = both(f"{formula.id} {formula.name}", f"{formula.id} {heading(entry.zh)}") if entry else \
        html.escape(f"{formula.id} {formula.name}")
    return article(formula.id.lower(), name, "".join(body))


def block(key, text, name):
    """Lines of a formula as the document prints them."""
    return f'<section class="said {name}"><h3>{word(key)}</h3><pre class="formula">{html.escape(text)}</pre></section>'


def scrolled(text):
    """Fixed lines that may be wider than the page."""
    return ('<div class="scroll" tabindex="0" role="group" aria-label="output">'
            f'<pre lang="en">{html.escape(text)}</pre></div>')


def symbol_table(formula):
    """Symbols of the row."""
    rows = "".join(f'<tr><th scope="row">{html.escape(symbol)}</th><td lang="en">{html.escape(meaning)}</td></tr>'
                   for symbol, meaning in formula.symbols.items())
    return (f'<section class="shapes"><h3>{word("shapes")}</h3><table><thead><tr><th scope="col">{word("symbol")}</th>'
            f'<th scope="col">{word("meaning")}</th></tr></thead><tbody>{rows}</tbody></table></section>')


def related(formula, ids):
    """Parts and equations that compute the row, as printed and as intended."""
    known = {p.id: p for p in parts.parts()}
    links = ", ".join(link(name, titled("parts.txt", name, known[name].title)) for name in ids)
    out = [f'<p class="before">{word("parts_here")}: {links}.</p>']
    for form in formula.forms:
        marks = [f"({mark})" for mark in form.marks if f"({mark})" in equations.all_equations()]
        items = "".join(f'<li><a class="mark" href="#{parts.home(m)}/{cards.anchor(m)}" data-m="{m}">{m}</a> '
                        f"{mathml.equation(equations.all_equations()[m].text)}</li>" for m in marks)
        out.append(f'<section class="said"><h3>{word("marks")}: <span lang="en">{html.escape(form.name)}</span></h3>'
                   f'<ul class="marks">{items}</ul></section>')
    return "".join(out)


# The rest ---------------------------------------------------------------------------------------------------

def contents(trained=None):
    """The list of all pages, with the words to search them by."""
    own = both(f"Your run: {trained['name']}", f"你的模型：{trained['name']}") if trained else ""
    items = {"parts": [], "rows": []}
    for part in parts.parts():
        marks = " ".join(m for pair in part.pairs for m in pair if m)
        items["parts"].append((part.id, titled("parts.txt", part.id, part.title), f"{part.title} {part.file} {marks}"))
    for name, (formula, _) in parts.rows().items():
        entry = entries("rows.txt").get(name)
        spoken = both(formula.name, heading(entry.zh)) if entry else html.escape(formula.name)
        title = f"{html.escape(name)} {spoken}"
        items["rows"].append((name.lower(), title, f"{name} {formula.name} {formula.brief}"))
    lists = "".join(f'<h3>{word(key)}</h3><ol>' + "".join(
        f'<li data-find="{html.escape(find.lower(), quote=True)}">{link(name, title)}</li>'
        for name, title, find in rows)
        + "</ol>" for key, rows in items.items())
    first = f'<ol><li data-find="run">{link("run", own)}</li></ol>' if trained else ""
    last = "".join(f'<li data-find="{name}">{link(name, word(name))}</li>' for name in ("glossary", "licences"))
    return f"{first}{lists}<h3>{word('also')}</h3><ol>{last}</ol>"


def glossary():
    """Terms in both languages."""
    rows = "".join(f'<tr><th scope="row" lang="en">{html.escape(e.of)}</th><td lang="zh">{html.escape(e.zh)}</td>'
                   f'<td lang="en">{html.escape(e.en)}</td></tr>' for e in entries("glossary.txt").values())
    table = (f'<table><thead><tr><th scope="col">English</th><th scope="col" lang="zh">中文</th><th scope="col">'
             f'{word("meaning")}</th></tr></thead><tbody>{rows}</tbody></table>')
    return article("glossary", word("glossary"), table) if rows else ""
