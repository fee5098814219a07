"""Numbers that remember how they were made: reverse differentiation of plain Python, one number at a time.

The oracle has no derivatives.  Here its equations get them without a change: it computes with `Number`s in place of
floats, each of which knows the numbers it was made from and its slope against each of them, and `backward` walks the
tape from the last number to the first: dL/da += dL/db · db/da.  This file runs on MicroPython, too, where it stands
in the place of the module `math`.
"""
import math

TAPE = []
pi = math.pi
inf = float("inf")


class Number:
    """A value, its parents with the slope against each, and (after `backward`) dL/d itself."""

    def __init__(self, value, *parents):
        self.value, self.parents, self.grad = value, parents, 0.0
        TAPE.append(self)

    def __add__(self, other):
        if isinstance(other, Number):
            return Number(self.value + other.value, self, 1.0, other, 1.0)
        return Number(self.value + other, self, 1.0)

    def __mul__(self, other):
        if isinstance(other, Number):
            return Number(self.value * other.value, self, other.value, other, self.value)
        return Number(self.value * other, self, other)

    def __sub__(self, other):
        if isinstance(other, Number):
            return Number(self.value - other.value, self, 1.0, other, -1.0)
        return Number(self.value - other, self, 1.0)

    def __truediv__(self, other):
        if isinstance(other, Number):
            y = self.value / other.value
            return Number(y, self, 1 / other.value, other, -y / other.value)
        return Number(self.value / other, self, 1 / other)

    def __radd__(self, other):
        return Number(other + self.value, self, 1.0)

    def __rmul__(self, other):
        return Number(other * self.value, self, other)

    def __rsub__(self, other):
        return Number(other - self.value, self, -1.0)

    def __rtruediv__(self, other):
        y = other / self.value
        return Number(y, self, -y / self.value)

    def __neg__(self):
        return Number(-self.value, self, -1.0)

    def __abs__(self):
        return -self if self.value < 0 else self

    def __pow__(self, n):
        return Number(self.value ** n, self, n * self.value ** (n - 1))

    def __lt__(self, other):
        return self.value < value(other)

    def __gt__(self, other):
        return self.value > value(other)

    def __le__(self, other):
        return self.value <= value(other)

    def __ge__(self, other):
        return self.value >= value(other)


def value(a):
    """The plain number of a Number, or the number itself."""
    return a.value if isinstance(a, Number) else a


def exp(a):
    """e^a, whose slope is itself."""
    y = math.exp(value(a))
    return Number(y, a, y) if isinstance(a, Number) else y


def log(a):
    """The natural logarithm: slope 1/a."""
    y = math.log(value(a))
    return Number(y, a, 1 / a.value) if isinstance(a, Number) else y


def tanh(a):
    """Slope 1 - tanh²."""
    y = math.tanh(value(a))
    return Number(y, a, 1 - y * y) if isinstance(a, Number) else y


def sqrt(a):
    """Slope 1 / 2√a."""
    y = math.sqrt(value(a))
    return Number(y, a, 0.5 / y) if isinstance(a, Number) else y


def floor(a):
    """Of rounding, which has no slope."""
    return math.floor(value(a))


def ceil(a):
    """Of rounding, which has no slope."""
    return math.ceil(value(a))


def sin(a):
    """Only of positions, which are no Numbers."""
    return math.sin(a)


def cos(a):
    """Only of positions, which are no Numbers."""
    return math.cos(a)


def backward(L):
    """Fill in `grad` = dL/d(number) of every number on the tape, which L was made from."""
    L.grad = 1.0
    for number in reversed(TAPE):
        grad, parents = number.grad, number.parents
        if grad != 0.0:
            for i in range(0, len(parents), 2):
                parents[i].grad += parents[i + 1] * grad
