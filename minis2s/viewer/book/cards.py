"""The card of an equation: four panes that know each other, its numbers, its derivation."""
import ast
import html
import re

from ...documents import equations
from .. import mathml, symbols
from . import bundle, numbers
from .texts import sentence
from .words import both, both_html, word


def anchor(mark):
    """"(L4*)" -> "L4s", an id of HTML."""
    return mark.strip("()").replace("*", "s")


def card(part, mark, star, derivation=""):
    """The HTML of a card."""
    known = equations.all_equations()
    main = known[mark or star]
    panes = [pane("equation", mathml.equation(main.text, main.mark) if mark else f"<p>{word('no_forward')}</p>"),
             pane("code", lines_of(equations.in_reference(main), main.mark) if mark else ""),
             pane("oracle", lines_of(equations.in_oracle(main), equations.forward(main.mark), oracle=True)),
             pane("derivative", backward(star) if star else f"<p>{word('no_derivative')}</p>")]
    names = [m for m in (mark, star) if m]
    head = " ".join(f'<a class="mark" id="{anchor(m)}" href="#{part.id}/{anchor(m)}" data-m="{m}">{m}</a>'
                    for m in names)
    return (f'<section class="card" data-marks="{" ".join(names)}" aria-label="{" ".join(names)}">'
            f"<h3>{head} {both(*sentence(main.mark))}</h3>"
            f'<div class="panes">{"".join(panes)}</div>{figures(names)}{derivation}{elsewhere(main)}</section>')


def pane(key, inner):
    """One of the four."""
    return f'<div class="pane {key}"><h4>{word(key)}</h4>{inner}</div>'


def backward(star):
    """The derivative and its lines of code."""
    known = equations.all_equations()[star]
    return mathml.equation(known.text, star) + lines_of(equations.in_reference(known), star)


def lines_of(places, mark, oracle=False):
    """Code lines with their places, those of one file together."""
    out, last = [], None
    for file, at in places:
        short = file.removeprefix("minis2s/")
        text = statement(file, at)
        if short != last:
            out.append(f'<p class="place">{html.escape(short)}</p>')
        last = short
        out.append(f'<pre><i class="at">{at}</i><code>{mathml.code(text)}</code></pre>')
    return "".join(dict.fromkeys(out))


def statement(file, line):
    """The whole statement that stands on a line, without its indentation and without its comment's alignment."""
    text = equations.text_of(equations.path_of(file))
    rows = text.splitlines()
    node = min((n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.stmt) and not hasattr(n, "body")
                and n.lineno <= line <= n.end_lineno), key=lambda n: n.end_lineno - n.lineno, default=None)
    first, last = (node.lineno, node.end_lineno) if node else (line, line)
    found = rows[first - 1:last]
    indent = min(len(row) - len(row.lstrip()) for row in found if row.strip())
    return "\n".join(re.sub(r" {2,}#", "  #", row[indent:]) for row in found)


def figures(marks):
    """The numbers of the equations: a row for each pass."""
    out = []
    for mark in marks:
        if mark not in bundle.shown():
            continue
        example, bound = bundle.shown()[mark]
        key = "backward" if equations.is_derivative(mark) else "forward"
        tables = "".join(quantity(example, b) for b in bound)
        out.append(f'<div class="figures"><h4>{word("numbers")}: {word(key)}</h4><div class="set">{tables}</div></div>')
    return "".join(out)


def quantity(example, bound):
    """One quantity as a table of numbers; each knows where the oracle's trace has it."""
    run = numbers.all_bound()[example][0]
    cells = []
    for kind, at in bound.where:
        x = {numbers.VALUE: run.values, numbers.GRADIENT: run.gradients}.get(kind, {at: 0.0})[at]
        cells.append(number(x, f"{kind}{at}" if kind != numbers.ZERO else ""))
    shape = " × ".join(map(str, bound.shape)) or "1"
    columns = bound.shape[-1] if bound.shape else 1
    name = symbols.key(bound.name)
    return (f'<figure class="q"><figcaption>{mathml.symbol(name, html.escape(bound.name))} <small>{shape}</small>'
            f'</figcaption><div class="grid" style="--n:{columns}" data-e="{html.escape(example)}">'
            f'{"".join(cells)}</div></figure>')


def number(x, place):
    """One number: three digits; the rest is in the examples' data, at its place."""
    return f'<i class="n" data-p="{place}">{short(x)}</i>' if place else '<i class="n">0</i>'


def short(x):
    """Three digits, as book.js writes them."""
    if x == 0:
        return "0"
    text = f"{x:.3f}" if 1e-3 <= abs(x) < 1e3 else f"{x:.1e}".replace("e-0", "e-").replace("e+0", "e+")
    return text.replace("-", "−")


def elsewhere(equation):
    """Where the equation stands too: compiled, and in the tests."""
    found = [f"{file.removeprefix('minis2s/')}:{at}" for file, at in equations.in_kernels(equation)[:3]]
    reason = equations.why_not_compiled(equation)
    text = ", ".join(found) or (reason and f"not compiled: {reason}") or ""
    return f'<p class="elsewhere">{both_html("compiled", "编译实现")}: {html.escape(text)}</p>' if text else ""
