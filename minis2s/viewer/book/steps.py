"""Derivations as HTML: the lines with their reasons, and one of them to fill in."""
import html
from functools import cache

from .. import mathml
from . import pymath
from .derivations import derive, faded
from .texts import entries
from .words import both, both_html, word


def derivations():
    """{mark: HTML} of all starred equations; every line is run.

    Raises
    ------
    derive.Wrong
        A line that is not equal to its neighbour.
    """
    found = {}
    for derivation in derive.derivations():
        checked(derivation)
        found.setdefault(derivation.mark, []).append(derivation)
    return {mark: section(those) for mark, those in found.items()}


@cache
def checked(derivation):
    """The derivation's values, run once."""
    return derive.check(derivation)


def section(those):
    """The derivations of one mark."""
    inner = "".join(f"<h5>{target(one)}</h5>{lets(one)}<ol>{lines(one.lines)}</ol>" for one in those)
    return (f'<details class="steps"><summary>{word("steps")}</summary>{inner}</details>'
            f'<details class="steps faded"><summary>{word("faded")}</summary>{puzzle(those[0])}</details>')


def target(derivation):
    """What is derived."""
    return f'<code>{mathml.code(derivation.target)}</code>'


def lets(derivation):
    """Names of the lines that the library's line has not."""
    return "".join(f"<pre><code>{html.escape(f'{name} = {value}')}</code></pre>" for name, value in derivation.lets)


def reason(key, parts):
    """A reason in both languages."""
    entry = entries("reasons.txt")[key]
    return both(*(text.format(*parts) for text in (entry.en, entry.zh)))


def lines(found):
    """All lines, each but the first with an equals sign."""
    return "".join(item(line, i > 0) for i, line in enumerate(found))


def item(line, equals=True):
    """A line: mathematics, the Python that is run, the reason."""
    return (f'<li><div>{pymath.line(line.text, equals)}<pre><code>{html.escape(line.text)}</code></pre></div>'
            f'<p class="why">{reason(line.reason, line.parts)}</p></li>')


def puzzle(derivation):
    """The derivation with a line to choose."""
    at = faded.hidden(derivation)
    before = "".join(map(item, derivation.lines[at - 1:at]))
    after = "".join(map(item, derivation.lines[at + 1:at + 2]))
    buttons = "".join(map(button, faded.choices(derivation)))
    return (f'<h5>{target(derivation)}</h5><ol>{before}<li class="gap"><div class="choices">{buttons}</div>'
            f'<p class="why" aria-live="polite"></p></li>{after}</ol>')


def button(choice):
    """One line to choose, with what is said of it."""
    if choice.right:
        said = word("right")
    else:
        words = f'<span lang="en">{html.escape(choice.says)}.</span> ' if choice.says else \
            reason(choice.reason, choice.parts) + " "
        off = both_html("It has another shape.", "形状不同。") if choice.off == float("inf") else \
            f'{word("wrong_by")} {choice.off:.2g}.'
        said = words + off
    return (f'<button type="button" data-right="{int(choice.right)}"><code>{html.escape(choice.text)}</code>'
            f'<span class="said-of" hidden>{said}</span></button>')
