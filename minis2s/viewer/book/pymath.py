"""A line of Python as mathematics: the lines of derivations as MathML, read from their syntax tree."""
import ast
import html

from .. import mathml

WEAK, MIDDLE, STRONG = 1, 2, 3          # how tightly an expression holds together: a + b, a b, a
SPACE = '<mspace width=".22em"/>'


def line(text, equals=False):
    """An expression -> <math>, with an equals sign before it where it goes on."""
    sign = "<mo>=</mo>" if equals else ""
    return f'<math display="block"><mrow>{sign}{set_(ast.parse(text, mode="eval").body)[0]}</mrow></math>'


def set_(node):
    """A node -> MathML, and how tightly it holds together."""
    known = {ast.BinOp: binary, ast.Call: call, ast.Name: name, ast.Attribute: attribute, ast.Constant: constant,
             ast.UnaryOp: unary, ast.Subscript: subscript, ast.Lambda: inner, ast.List: several, ast.Tuple: several,
             ast.ListComp: comprehension, ast.Compare: compare}.get(type(node))
    return known(node) if known else (text(ast.unparse(node)), STRONG)


def wrapped(node, least):
    """A node in brackets if it does not hold together well enough."""
    inside, strength = set_(node)
    return inside if strength >= least else f"<mo>(</mo>{inside}<mo>)</mo>"


def text(words):
    return f"<mtext>{html.escape(words)}</mtext>"


def named(word):
    """A Python name as a symbol: dc_prev is d c'."""
    return "".join(mathml.nodes(word.replace("_prev", "'").replace("log_p", "logp")))


def name(node):
    return named(node.id), STRONG


def attribute(node):
    """`d.h` is dh, `p.W` is W; `x.T` is the transpose."""
    if node.attr == "T":
        return f"<msup><mrow>{wrapped(node.value, STRONG)}</mrow><mtext>T</mtext></msup>", STRONG
    if node.attr in ("real", "shape"):
        return set_(node.value)
    root = node.value.id if isinstance(node.value, ast.Name) else ""
    word = f"d{node.attr}" if root == "d" else node.attr
    return named({"hs": "h", "keys": "k"}.get(word, word)), STRONG


def constant(node):
    if isinstance(node.value, str):
        return text(node.value), STRONG
    return f"<mn>{node.value}</mn>", STRONG


def unary(node):
    sign = {ast.USub: "−", ast.Invert: "¬"}.get(type(node.op), "+")
    return f"<mo>{sign}</mo>{wrapped(node.operand, MIDDLE)}", MIDDLE


def binary(node):
    op = type(node.op)
    if op is ast.Div:
        return f"<mfrac><mrow>{set_(node.left)[0]}</mrow><mrow>{set_(node.right)[0]}</mrow></mfrac>", STRONG
    if op is ast.Pow:
        return f"<msup><mrow>{wrapped(node.left, STRONG)}</mrow><mrow>{set_(node.right)[0]}</mrow></msup>", STRONG
    if op in (ast.Add, ast.Sub):
        sign = "+" if op is ast.Add else "−"
        return f"{set_(node.left)[0]}<mo>{sign}</mo>{wrapped(node.right, WEAK if op is ast.Add else MIDDLE)}", WEAK
    number = any(isinstance(side, ast.Constant) for side in (node.left, node.right))
    between = {ast.Mult: "<mo>·</mo>" if number else "<mo>⊙</mo>", ast.MatMult: SPACE}.get(op, "<mo>?</mo>")
    return f"{wrapped(node.left, MIDDLE)}{between}{wrapped(node.right, MIDDLE)}", MIDDLE


def called(node):
    """The last part of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def call(node):
    """grad, slope, sum, total, ein and methods have signs of their own; any other call is f(a, b)."""
    word = called(node)
    special = {"grad": derivative, "slope": derivative, "ein": einstein, "total": summed, "sum": summed,
               "rowsum": summed, "sqrt": root, "stack": stacked, "swapaxes": transposed}.get(word)
    if special and (node.args or isinstance(node.func, ast.Attribute)):
        return special(node)
    if isinstance(node.func, ast.Attribute) and word in ("mean", "transpose", "reshape"):
        return f"{text(word)}<mo>(</mo>{set_(node.func.value)[0]}<mo>)</mo>", STRONG
    arguments = "<mo>,</mo>".join(set_(a)[0] for a in node.args if not isinstance(a, ast.Constant)
                                  or not isinstance(a.value, str))
    head = {"sigmoid": "<mi>σ</mi>"}.get(word, text(word))
    return f"{head}<mo>(</mo>{arguments}<mo>)</mo>", STRONG


def derivative(node):
    """∂/∂v of what a lambda of v is."""
    function = node.args[0]
    if isinstance(function, ast.Lambda):
        v = named(function.args.args[0].arg)
        body = wrapped(function.body, MIDDLE)
    else:
        v, body = set_(node.args[1])[0], f"{set_(function)[0]}"
    return f"<mfrac><mo>∂</mo><mrow><mo>∂</mo>{v}</mrow></mfrac>{SPACE}{body}", MIDDLE


def summed(node):
    """∑ of an expression, of a list's entries, or along an axis."""
    if isinstance(node.func, ast.Attribute):
        return f"<mo>∑</mo>{wrapped(node.func.value, MIDDLE)}", MIDDLE
    argument = node.args[0]
    if isinstance(argument, ast.ListComp):
        return f"<mo>∑</mo>{wrapped(argument.elt, MIDDLE)}", MIDDLE
    return f"<mo>∑</mo>{wrapped(argument, MIDDLE)}", MIDDLE


def einstein(node):
    """ein("nj,kj->nk", a, b) is the sum over j of a_nj b_kj."""
    spec = node.args[0].value
    inputs, _, output = spec.partition("->")
    over = "".join(sorted(set(inputs) - set(output) - set(",")))
    factors = SPACE.join(f"<msub><mrow>{wrapped(a, STRONG)}</mrow>{text(letters)}</msub>"
                         for a, letters in zip(node.args[1:], inputs.split(",")))
    sign = f"<msub><mo>∑</mo>{text(over)}</msub>" if over else ""
    return sign + factors, MIDDLE


def root(node):
    return f"<msqrt>{set_(node.args[0])[0]}</msqrt>", STRONG


def stacked(node):
    """A list of rows."""
    argument = node.args[0]
    body = argument.elt if isinstance(argument, ast.ListComp) else argument
    return f"<mo>[</mo>{set_(body)[0]}<mo>]</mo>", STRONG


def transposed(node):
    return f"<msup><mrow>{wrapped(node.func.value, STRONG)}</mrow><mtext>T</mtext></msup>", STRONG


def subscript(node):
    index = ast.unparse(node.slice)
    if set(index) <= set(":, None.()"):                     # broadcasting only
        return set_(node.value)
    return f"<msub><mrow>{wrapped(node.value, STRONG)}</mrow>{text(index)}</msub>", STRONG


def inner(node):
    return set_(node.body)


def several(node):
    return f"<mo>[</mo>{'<mo>,</mo>'.join(set_(part)[0] for part in node.elts)}<mo>]</mo>", STRONG


def comprehension(node):
    return f"<mo>[</mo>{set_(node.elt)[0]}<mo>]</mo>", STRONG


def compare(node):
    sign = {ast.Gt: "&gt;", ast.Lt: "&lt;", ast.Eq: "="}.get(type(node.ops[0]), "?")
    return f"{set_(node.left)[0]}<mo>{sign}</mo>{set_(node.comparators[0])[0]}", WEAK
