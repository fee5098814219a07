"""Two ways to begin that are easier than a blank page: fill in a missing line; put the lines in order.

Both are made from the reference implementation itself, so there is one for every marked line of it, and what is
typed is judged by the numbers that come out, with the doctor's words.  Any right answer passes, not only ours.
"""
import ast
import inspect
import random
import re
import textwrap
from contextlib import contextmanager
from typing import Callable, NamedTuple

from ..layers import copying, embedding, frame_input, frame_output, linear, loss, unroll
from ..layers.attention import additive, attend_backward, dot
from ..layers.cells import gru, lstm, rnn
from .doctor.doctor import bench, check
from .exercises import find

PARTS = {
    "rnn-step": (rnn.step,), "rnn-step-backward": (rnn.step_backward,), "bptt": (unroll.backward,),
    "lstm-step": (lstm.step,), "lstm-step-backward": (lstm.step_backward,),
    "gru-step": (gru.step,), "gru-step-backward": (gru.step_backward,),
    "masked-loss": (loss.backward,), "embedding-backward": (embedding.backward,),
    "dot-attention": (dot.score,), "dot-attention-backward": (attend_backward, dot.score_backward),
    "additive-attention": (additive.score,),
    "additive-attention-backward": (additive.score_backward, additive.keys_backward),
    "attention-decoder-backward": (linear.backward,),
    "frame-input-backward": (frame_input.backward,), "frame-loss": (frame_output.forward,),
    "frame-loss-backward": (frame_output.backward,), "copying-backward": (copying.backward,),
}
BLANK = "_" * 12
MARK = re.compile(r"\([A-Z]{1,2}\d\*?\)")


class Line(NamedTuple):
    """One statement of a reference function: its text, its marks, and whether it is given in a Parsons puzzle."""
    text: str
    marks: tuple
    given: bool


class Part(NamedTuple):
    """A reference function of an exercise, cut into lines.

    head, tail : its text before and behind the block that holds the marked lines;  indent : of that block
    """
    exercise: str
    function: Callable
    head: str
    lines: tuple
    tail: str
    indent: str


def parts(name):
    """The Parts of an exercise; ValueError if there are none."""
    exercise = find(name)
    if exercise.name not in PARTS:
        raise ValueError(f"no puzzle for {exercise.name}; there are some for {', '.join(PARTS)}")
    return [_part(exercise.name, function) for function in PARTS[exercise.name]]


def _part(name, function):
    """Cut a function into lines."""
    text = textwrap.dedent(inspect.getsource(function))
    rows = text.splitlines()
    body = ast.parse(text).body[0].body
    block = next((node.body for node in body if isinstance(node, ast.For)), body)
    block = [node for node in block if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))]
    made = []
    for node in block:
        own = "\n".join(rows[node.lineno - 1:node.end_lineno])
        given = isinstance(node, ast.Return) or isinstance(node, ast.Assign) and isinstance(
            node.value, (ast.Name, ast.Attribute))
        made.append(Line(own, tuple(MARK.findall(own.partition("#")[2])), given))
    head, tail = rows[:block[0].lineno - 1], rows[block[-1].end_lineno:]
    return Part(name, function, "\n".join(head), tuple(made), "\n".join(tail), " " * block[0].col_offset)


class Faded(NamedTuple):
    """A line to fill in: the Part, the number of the line, its left side, its comment."""
    part: Part
    number: int
    left: str
    comment: str

    @property
    def marks(self):
        """The marks of the equations that the line is."""
        return self.part.lines[self.number].marks

    def __str__(self):
        rows = [line.text for line in self.part.lines]
        rows[self.number] = f"{self.part.indent}{self.left}{BLANK}    {self.comment}"
        return "\n".join([*_heading(self.part), *rows, *self.part.tail.splitlines()])

    def judge(self, answer, seed=0):
        """The doctor's Report on the function with `answer` in the place of the blank."""
        answer = " ".join(answer.split())
        if self.left and answer.startswith(self.left.strip()):
            answer = answer[len(self.left.strip()):].strip()    # the whole line was typed
        rows = [line.text for line in self.part.lines]
        rows[self.number] = f"{self.part.indent}{self.left}{answer}"
        return _judged(self.part, rows, seed)


class Parsons(NamedTuple):
    """Lines to put in order: the Part, and the numbers of its lines in the order that is shown."""
    part: Part
    shown: tuple

    def __str__(self):
        given = [line.text for line in self.part.lines if line.given and "return" not in line.text]
        last = [line.text for line in self.part.lines if line.given and "return" in line.text]
        lines = [f"{n:2}  {_without_comment(self.part.lines[k].text).strip()}" for n, k in enumerate(self.shown, 1)]
        return "\n".join([*_heading(self.part), *given, f"{self.part.indent}...", *last, *self.part.tail.splitlines(),
                          "", *lines])

    def judge(self, order, seed=0):
        """The doctor's Report on the lines in this order, numbers as shown: [2, 1, 3]."""
        if sorted(order) != list(range(1, len(self.shown) + 1)):
            raise ValueError(f"{' '.join(map(str, order))}: wanted each of 1 to {len(self.shown)} once")
        lines = self.part.lines
        first = [line.text for line in lines if line.given and "return" not in line.text]
        last = [line.text for line in lines if line.given and "return" in line.text]
        return _judged(self.part, [*first, *(lines[self.shown[n - 1]].text for n in order), *last], seed)


def faded(name):
    """All lines of an exercise's reference that can be filled in: a list of Faded, one for each marked line."""
    found = []
    for part in parts(name):
        for number, line in enumerate(part.lines):
            left = re.match(r"([^=(]*?[-+*/]?= )*", line.text.strip()).group()     # "" for a call by itself
            judged = "(X2)" not in line.marks                   # label smoothing: no exercise has it
            if line.marks and judged and "\n" not in line.text and not line.given:
                found.append(Faded(part, number, left, f"# {' '.join(line.marks)}"))
    return found


def parsons(name, seed=0):
    """The exercise's lines, shuffled: a list of Parsons, one for each function with three lines or more.

    Functions whose lines are right in any order are left out.
    """
    found = []
    for part in parts(name):
        order = [k for k, line in enumerate(part.lines) if not line.given]
        if not _in_order(part.lines):
            continue
        shown = list(order)
        while shown == order and len(order) > 1:
            random.Random(seed).shuffle(shown)
            seed += 1
        if len(order) > 2:
            found.append(Parsons(part, tuple(shown)))
    return found


def _in_order(lines):
    """Whether a line that is not given needs what another such line makes."""
    def names(line, kind):
        nodes = ast.walk(ast.parse(textwrap.dedent(line.text)))
        return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, kind)}
    made, read = ([names(line, kind) for line in lines if not line.given] for kind in (ast.Store, ast.Load))
    return any(a & b for i, a in enumerate(made) for j, b in enumerate(read) if i != j)


def _heading(part):
    """The first line of a function, and its docstring's first line."""
    rows = part.head.splitlines()
    return [row for row in rows if row.strip()][:2] if len(rows) < 4 else rows[:2] + [
        row for row in rows if row.strip().startswith("for ")]


def _without_comment(text):
    return re.sub(r"\s+#.*$", "", text, flags=re.MULTILINE)


def _judged(part, rows, seed):
    """Report on the exercise's reference with this text in the place of a function of it."""
    text = "\n".join([part.head, *rows, part.tail])
    exercise = find(part.exercise)
    bench(exercise.name, seed)                                  # the right answers, before anything is replaced

    def function(*given):
        with replaced(part.function, text):                     # a SyntaxError is said as any other error
            return exercise.reference(**dict(zip(exercise.names, given)))
    return check(exercise.name, function, seed)


@contextmanager
def replaced(function, text):
    """Run a function of the library with another text inside the `with` block."""
    world = {}
    exec(compile("from __future__ import annotations\n" + text, "<puzzle>", "exec"), function.__globals__, world)
    before, function.__code__ = function.__code__, world[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = before
