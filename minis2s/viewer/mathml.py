"""Equations as the docstrings write them, "dh' = da U^T", as MathML; and lines of code, symbol by symbol.

Every symbol is an element of its own with the key of symbols.py, so that the page can light it up everywhere.
"""
import builtins
import html
import io
import keyword
import re
import tokenize
from contextvars import ContextVar

from . import symbols

equation_of: ContextVar = ContextVar("equation_of", default="")
LETTERS = {"alpha": "α", "phi": "φ", "sigmoid": "σ", "sum": "∑", "eps": "ε", "mu": "μ", "rho": "ρ", "beta1": "β₁",
           "beta2": "β₂", "logsoftmax": "log softmax"}
WORDS = {"tanh", "softmax", "exp", "log", "min", "max", "mean", "relu", "gelu", "sin", "cos", "norm", "σ", "∑",
         "log softmax"}                             # functions: upright, no symbols
NAMES = {"ctx", "logits", "hs", "finals", "memory", "ids", "id", "lr", "limit", "kv", "dkv", "dkvs", "inputs",
         "targets", "source", "values", "keys", "dlogp"}     # symbols of more than one letter
TOKEN = re.compile(r"""(?P<mark>\([A-Z]{1,3}\d{1,2}\*?\))
  |(?P<name>[A-Za-zα-ωσφ]+[12]?(?:’s|(?:‑[a-z]+)+)?)(?P<p1>'?)(?:_(?P<sub>\{[^}]*\}|real|i,2k(?:\+1)?|[A-Za-z]{1,2}(?:,[a-z])?(?![A-Za-z])|[0-9]))?(?P<p2>'?)
   (?:\^(?P<sup>-?[A-Za-z0-9]+|\([^()]*\)))?
  |(?P<number>\d+(?:\.\d+)?(?:e-?\d+)?)(?:\^(?P<sup2>\([^()]*\)|\w+))?
  |(?P<close>[)\]])\^(?P<sup3>\w+|\([^()]*\))
  |(?P<op><-|\+=|\|\||[^\sA-Za-z0-9])
  |(?P<space>\s+)""", re.X)
OPERATORS = {"-": "−", "<-": "←", "||": "‖", ".": "·", "*": "∗"}


def is_prose(text):
    """A sentence rather than an equation: four plain words in a row, and no equals sign at the start."""
    return not re.match(r"[^=]{1,12}=", text) and re.search(r"(?:\b[a-z]{2,}\b[ ,]+){4}", text) is not None


def equation(text, mark=""):
    """The text of an equation -> HTML: a <math> for each equation in it, prose as it is.

    With its mark, its symbols have the keys of what its lines of code call them.
    """
    token = equation_of.set(mark)
    try:
        return rows_of(text)
    finally:
        equation_of.reset(token)


def rows_of(text):
    """Lines and columns of an equation."""
    rows = []
    for line in text.splitlines():
        for part in re.split(r"  +", line):
            rows.append(f"<p>{html.escape(part)}</p>" if is_prose(part) else math(part))
    return "".join(rows)


def math(text):
    """One equation -> <math>."""
    text = re.sub(r"(\w)'s\b", r"\1’s", re.sub(r"(\w{3,}s)'", r"\1’", text))
    text = re.sub(r"([a-z])-(?=[a-z]{2})", r"\1‑", text)         # a hyphen is no minus
    plain = text.replace("log_softmax", "logsoftmax").replace("dlog_p", "dlogp").replace("log_p", "log p")
    return f'<math display="block"><mrow>{"".join(nodes(plain))}</mrow></math>'


def nodes(text):
    """The elements of an equation, roots as <msqrt>."""
    at = 0
    while at < len(text):
        if text.startswith("sqrt(", at):
            end = closing(text, at + 4)
            yield f"<msqrt>{''.join(nodes(text[at + 5:end]))}</msqrt>"
            at = end + 1
            continue
        found = TOKEN.match(text, at)
        yield element(found)
        at = found.end()


def closing(text, at):
    """The index of the bracket that closes the one at `at`."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"(": 1, ")": -1}.get(text[i], 0)
        if depth == 0:
            return i
    return len(text)


def element(found):
    """One token as MathML."""
    if found["space"]:
        return '<mspace width=".28em"/>'
    if found["close"]:
        return power(f"<mo stretchy=\"false\">{found['close']}</mo>", found["sup3"])
    if found["op"]:
        stretchy = ' stretchy="false"' if found["op"] in "()[]" else ""
        return f"<mo{stretchy}>{html.escape(OPERATORS.get(found['op'], found['op']))}</mo>"
    if found["mark"]:
        return f"<mtext>{found['mark']}</mtext>"
    if found["number"]:
        return power(f"<mn>{found['number']}</mn>", found["sup2"])
    return named(found)


def named(found):
    """A name with its prime, index and power."""
    word = found["name"]
    letter = LETTERS.get(word, word)
    sub, prime = found["sub"], "'" if found["p1"] or found["p2"] else ""
    if letter in WORDS or word in WORDS:
        base = f"<mo>{letter}</mo>" if letter == "∑" else f"<mi mathvariant=\"normal\">{letter}</mi>"
        return power(f"<msub>{base}{index(sub)}</msub>" if sub else base, found["sup"])
    if not is_symbol(word):
        return f"<mtext>{html.escape(word + (prime and '’'))}</mtext>"
    base = identifier(word)
    if sub:
        base = f"<msub>{base}{index(sub)}</msub>"
    if prime:
        base = f'<mrow>{base}<mo lspace="0" rspace="0">′</mo></mrow>'
    name = symbols.of_equation(equation_of.get(), symbols.key(word + prime + (f"_{sub}" if sub else "")))
    return power(symbol(name, base, "mrow"), found["sup"])


def is_symbol(word):
    """One letter, a Greek one, or a name of the library; with or without d before it."""
    bare = word[1:] if word[0] == "d" and len(word) > 1 else word
    return len(bare) == 1 or word in LETTERS or bare in LETTERS or word in NAMES or bare in NAMES or bare == "logp"


def identifier(word):
    """<mi>, a gradient's d upright before it."""
    if word[0] == "d" and len(word) > 1 and is_symbol(word):
        return f'<mrow><mi mathvariant="normal">d</mi>{identifier(word[1:])}</mrow>'
    return f"<mi>{html.escape({'logp': 'log p'}.get(word, LETTERS.get(word, word)))}</mi>"


def index(sub):
    """An index."""
    sub = sub.strip("{}").replace("-", "−")
    return f"<mrow><mi>{html.escape(sub)}</mi></mrow>" if len(sub) == 1 else f"<mtext>{html.escape(sub)}</mtext>"


def power(base, sup):
    """A base with its power; T is the transpose."""
    if not sup:
        return base
    inner = "<mtext>T</mtext>" if sup == "T" else "".join(nodes(sup.strip("()")))
    return f"<msup>{base}<mrow>{inner}</mrow></msup>"


def symbol(name, inner, tag="span"):
    """An element that lights up with all others of its key."""
    value = name if name.replace("_", "").isalnum() and name.isascii() else f'"{html.escape(name, quote=True)}"'
    return f"<{tag} data-s={value}>{inner}</{tag}>"


# Code -----------------------------------------------------------------------------------------------------

PLAIN = set(keyword.kwlist) | set(dir(builtins)) | {
    "np", "tree", "linear", "embedding", "dropout", "unroll", "recurrent", "fusion", "attend", "attend_backward",
    "score", "cell", "config", "map", "lambda", "einsum", "oracle", "math", "each", "add", "mul", "times", "dot",
    "concat", "softmax", "sigmoid", "tanh", "tanh_", "exp", "log", "sqrt", "sub", "axis"}


def code(text):
    """Python source -> HTML, with an element around each symbol, `d.h` as one."""
    out, at = [], 0
    lines = text.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    try:
        tokens = [t for t in tokenize.generate_tokens(io.StringIO(text).readline)]
    except (tokenize.TokenError, IndentationError):
        return html.escape(text)
    i = 0
    while i < len(tokens):
        token = tokens[i]
        begin, end = (starts[min(at_row, len(starts)) - 1] + column for at_row, column in (token.start, token.end))
        if token.type == tokenize.NAME:
            names, last = [token.string], i
            while last + 2 < len(tokens) and tokens[last + 1].string == "." and tokens[last + 2].type == tokenize.NAME:
                names.append(tokens[last + 2].string)
                last += 2
            called = last + 1 < len(tokens) and tokens[last + 1].string == "("
            end = starts[tokens[last].end[0] - 1] + tokens[last].end[1]
            out.append(html.escape(text[at:begin]))
            out.append(colour_name(names, called, text[begin:end]))
            at, i = end, last + 1
            continue
        if token.type == tokenize.COMMENT:
            out.append(html.escape(text[at:begin]))
            out.append(f'<span class="comment">{html.escape(text[begin:end])}</span>')
            at = end
        i += 1
    return "".join(out) + html.escape(text[at:])


def colour_name(names, called, text):
    """A name, or names with dots: a symbol unless it is a keyword, a module, or a function that is called."""
    shown = html.escape(text)
    if names[0] in PLAIN or (called and len(names) == 1):
        return f"<b>{shown}</b>" if keyword.iskeyword(names[0]) else shown
    if called and len(names) > 1 and names[-1] not in symbols.METHODS:
        return shown
    return symbol(symbols.dotted(names), shown)
