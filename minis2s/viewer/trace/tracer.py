"""The line tracer: Python calls it before each line; it records what marked statements read and assign.

It is installed by `sys.settrace`, as a debugger is.  Functions without marks are not followed, and nothing of the
tracer is left when the trace ends: the code that computes does not know that it is traced.
"""
import itertools
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from ...core import tree
from . import marks
from .position import locate, module_of

ALIASES = {("(D3)", "h"): "s"}       # where the code's name is not the equation's
STATES = ("s", "new", "layers", "d", "d_prev", "dlayers")   # locals that hold states, plainly called h and c


def one_hot(k):
    """The y of (X2): targets as probabilities.  `k` is what the loss's cache holds."""
    return k.targets if k.targets.ndim == 3 else np.eye(k.log_p.shape[2], dtype=k.log_p.dtype)[k.targets]


def smoothed(k):
    """The q of (X2)."""
    return (1 - k.eps) * one_hot(k) + k.eps / k.log_p.shape[2]


# Symbols of equations that the code never forms, as it works on several at once: for the statement that has
# this mark and assigns this name, the symbol's own mark and name, and its value from the locals.
IMPLIED = {
    ("(X3)", "L"): {("(X2)", "y"): lambda v: one_hot(SimpleNamespace(**v)),
                    ("(X2)", "q"): lambda v: smoothed(SimpleNamespace(**v)),
                    ("(X3)", "M"): lambda v: v["mask"].sum()},
    ("(X1*)", "dlogits"): {("(X1*)", "p"): lambda v: v["dlogits"],
                           ("(X1*)", "dlog_p"): lambda v: -smoothed(v["k"]) * v["k"].mask[:, :, None]
                           / v["k"].mask.sum(dtype=v["k"].log_p.real.dtype)},
    ("(R2*)", "da"): {("(R2*)", "phi_prime"): lambda v: v["phi"].df(v["h"])},
}

# Functions of the compiled implementation that Python calls.
COMPILED = {"forward", "backward", "loss_and_gradient", "logits", "loss_and_update", "step", "sgd", "rmsprop", "adam",
            "clip_by_norm", "greedy", "beam"}


class Tracer:
    """Follow marked functions and hand each quantity to `record`.

    Parameters
    ----------
    record : callable
    also : sequence of file names whose marks are followed beside those of this package
    """

    def __init__(self, record, also=()):
        self.record, self.also = record, {str(Path(file)) for file in also}
        self.plans, self.copies, self.executions, self.running = {}, {}, 0, []

    def __call__(self, frame, event, arg):
        code = frame.f_code
        if code not in self.plans:
            self.plans[code] = self.plan(code)
        plan = self.plans[code]
        return plan and Call(self, plan)

    def plan(self, code):
        """Code object -> {line: Statement}, or None where nothing is marked."""
        module = module_of(code.co_filename)
        compiled = module and module[1][:1] == ("kernels",)
        if compiled and code.co_name in COMPILED:
            raise ValueError('trace: compiled loops have no lines to follow; take backend="numpy"')
        followed = module and module[0] != "oracle" and not compiled
        if not (followed or code.co_filename in self.also):
            return None
        return marks.read_module(code.co_filename)[0].get((code.co_firstlineno, code.co_name))

    def copy(self, array):
        """A copy that is shared as long as the array stays as it is: weights are read at every step."""
        known = self.copies.get(id(array))
        if known and known[0] is array and same(known[1], array):
            return known[1]
        copy = np.array(array)
        copy.setflags(write=False)
        if isinstance(array, np.ndarray):
            self.copies[id(array)] = array, copy        # the array is kept, so that its id stays its own
        return copy


def same(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


class Call:
    """One call of a marked function: which of its statements is running."""

    def __init__(self, tracer, plan):
        self.tracer, self.plan, self.statement, self.written = tracer, plan, None, set()

    def __call__(self, frame, event, arg):
        if event == "exception":
            if self.statement:                          # it was not completed
                self.tracer.running.pop()
            self.statement = None
            return self
        now = self.plan.get(frame.f_lineno) if event == "line" else None
        if now is not self.statement:
            if self.statement:
                self.leave(frame, arg)
                self.tracer.running.pop()
            self.statement = now
            if now:
                self.enter(frame)
        return self

    def enter(self, frame):
        """Note what the statement is about to read."""
        running = self.tracer.running
        self.tracer.executions += 1
        self.execution, self.position, self.entered = self.tracer.executions, locate(frame), set()
        self.inside = running[-1][1] if running and running[-1][0] is frame.f_back else None
        running.append((frame, self.execution))
        v, backward = frame.f_locals, self.position.phase == "backward"
        for path in self.statement.reads:
            for name, array in read_path(path, v, backward):
                self.note(frame, name, "in", self.position, array)

    def leave(self, frame, returned):
        """Note what it has assigned or returned."""
        v, backward, statement = frame.f_locals, self.position.phase == "backward", self.statement
        if statement.returns is not None:
            values = returned if type(returned) is tuple else (returned,)
            values = [(name, value) for (name, local), value in zip(statement.returns, values)
                      if local not in self.written]                 # else it was noted when it was made
        else:
            values = [(name, v[name]) for name in statement.writes if name in v]
        for name, value in values:
            for name, changes, array in quantities(name, value, backward, statement.returns is not None):
                self.note(frame, name, "out", self.position._replace(**changes), array)
        self.written.update(statement.writes)
        if module_of(frame.f_code.co_filename):                 # its locals are known by name
            for key in itertools.product(statement.marks, statement.writes):
                for (mark, name), make in IMPLIED.get(key, {}).items():
                    try:
                        value = make(v)
                    except (ValueError, IndexError):            # wrong shapes: the code itself will say so
                        continue
                    self.note(frame, name, "out", self.position, value, (mark,))

    def note(self, frame, name, role, position, value, marks_=None):
        marks_ = marks_ or self.statement.marks
        for mark in marks_:
            name = ALIASES.get((mark, name), name)
        if role == "in":
            if name in self.entered:
                return
            self.entered.add(name)
        self.tracer.record(marks_, name, role, position, self.tracer.copy(value), self.execution,
                           self.inside, self.statement, frame.f_code.co_filename)


def is_number(value):
    return isinstance(value, (np.ndarray, float, complex, np.number))


def is_record(value, kind):
    return isinstance(value, tuple) and type(value).__name__ == kind


def read_path(path, v, backward):
    """Yield (name, value) if the path ("s", "h") leads from a local to a number or an array of numbers."""
    if path[0] not in v:
        return
    base, value = None, v[path[0]]
    name = path[0]
    for attribute in path[1:]:
        if is_number(value):
            break
        base, name, value = value, attribute, getattr(value, attribute, None)
    if not is_number(value):
        return
    if is_record(base, "State"):
        name = f"d{name}" if backward else f"{name}_prev"
    elif base is not None and backward and path[0].startswith("d"):
        name = f"d{name}"                               # dmemory.keys, dsource.ctx
    yield "E" if name == "embedding" else name, value


def quantities(name, value, backward, returned=False):
    """Yield (name, changes of the position, array) for what a statement assigned: an array or a tree.

    States give h and c (backward: dh and dc, of the step before except in dnew); gradients of a cell's or
    layer's Params give dW, dU, ...; bigger trees give dotted names.  Caches are left out: they hold what was
    noted before.
    """
    if is_number(value):
        yield name, {}, value
    elif not isinstance(value, tuple) or type(value).__name__.endswith("Cache"):
        return
    elif type(value) is tuple or is_record(value, "Bidirectional"):
        layers = type(value) is tuple
        for key, part in enumerate(value) if layers else zip(value._fields, value):
            for n, changes, array in quantities(name, part, backward, returned):
                yield n, {"layer" if layers else "direction": key, **changes}, array
    elif is_record(value, "EncoderOutput"):
        for field, part in zip(value._fields, value):
            yield from quantities(f"d{field}" if backward else field, part, backward)
    elif all(part is None or is_number(part) for part in value):
        yield from ((leaf_name(name, field, type(value).__name__, backward, returned), {}, part)
                    for field, part in zip(value._fields, value) if part is not None)
    else:
        yield from ((n, {}, array) for n, array in tree.named(value, name))


def leaf_name(name, field, kind, backward, returned):
    """The name of a field of a State, a Params or a Memory that a statement assigned to the local `name`."""
    if kind == "State":
        if name == "dnew":
            return f"d{field}"
        if returned or name in STATES:
            return f"d{field}_prev" if backward else field
        return f"{name}_{field}"
    return f"d{field}" if backward else field
