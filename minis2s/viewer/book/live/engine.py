"""Runs an example of the book: the oracle's own source, forward, and its gradient by scalar.py.

`load` takes the oracle's modules as source.py prepared them: behind each assignment and at each return of a function
with marks stands a call of `see`, which notes the numbers.  This file runs on MicroPython, too.
"""
import scalar

LEAVES, HEADS, COUNT, WANTED = [], [], [0], [None]


class Space:
    """Names as attributes: `oracle.lstm_step`."""


def see(function, mark, name, value):
    """Note all numbers in a value, lists and dicts included: -> the value."""
    COUNT[0] += 1
    if WANTED[0] is None:
        HEADS.append((function, mark, name, len(LEAVES)))
        leaves(value, LEAVES)
    elif COUNT[0] in WANTED[0]:
        HEADS.append((function, mark, name, len(LEAVES)))
        leaves(value, LEAVES)
    return value


def leaves(value, found):
    """Append the numbers of a nest of lists, tuples and dicts, in order."""
    if isinstance(value, (list, tuple)):
        for part in value:
            leaves(part, found)
    elif isinstance(value, dict):
        for key in sorted(value):
            leaves(value[key], found)
    elif isinstance(value, (scalar.Number, float)):
        found.append(value)
    return found


def best(numbers, key, better):
    """What `max` and `min` do; MicroPython's own cannot compare a float with a Number."""
    numbers = list(numbers[0]) if len(numbers) == 1 else numbers
    found = numbers[0]
    for a in numbers[1:]:
        x, y = (a, found) if key is None else (key(a), key(found))
        if better(scalar.value(x), scalar.value(y)):
            found = a
    return found


def largest(*numbers, key=None):
    """`max`."""
    return best(numbers, key, lambda x, y: x > y)


def smallest(*numbers, key=None):
    """`min`."""
    return best(numbers, key, lambda x, y: x < y)


def load(modules):
    """[(name, source)] in the order of their imports -> Space with all names, as `oracle` has them."""
    loaded, oracle = {"math": scalar.__dict__}, Space()

    def names(module, *wanted):
        return tuple([loaded[module][name] for name in wanted])
    for name, text in modules:
        space = {"see": see, "names": names, "max": largest, "min": smallest, "__name__": name}
        exec(text, space)
        loaded[name] = space
        for key in space:
            if key[0] != "_":
                setattr(oracle, key, space[key])
    return oracle


def nest(flat, shape):
    """A flat list -> lists in lists of this shape."""
    if not shape:
        return flat[0]
    if len(shape) == 1:
        return list(flat)
    size = len(flat) // shape[0] if shape[0] else 0
    return [nest(flat[i * size:(i + 1) * size], shape[1:]) for i in range(shape[0])]


def blocks(a, letters):
    """Gates packed on the last axis -> a dict by their letters, as the oracle has them."""
    if isinstance(a[0], list):
        rows = [blocks(row, letters) for row in a]
        return {letter: [row[letter] for row in rows] for letter in letters}
    H = len(a) // len(letters)
    return {letter: a[j * H:(j + 1) * H] for j, letter in enumerate(letters)}


def compute(live, inputs, plain=False, wanted=None):
    """Run one example.  `wanted`: which calls of `see`, counted from 1, shall note their numbers; None: all.

    `inputs` is a list of (name, shape, flat values); a name that begins with "arrives:" is the gradient that arrives
    at the output of that name.  -> L, and for all numbers that were seen: values, gradients.
    """
    del LEAVES[:], HEADS[:], scalar.TAPE[:]
    COUNT[0], WANTED[0] = 0, wanted
    v, d = {}, {}
    for name, shape, flat in inputs:
        if name[:8] == "arrives:":
            d[name[8:]] = [float(a) for a in flat]
        else:
            v[name] = nest([float(a) if plain else scalar.Number(float(a)) for a in flat], shape)
            see("inputs", "", name, v[name])
    outputs = live(v)
    L = 0.0
    for name in sorted(outputs):
        see("outputs", "", name, outputs[name])
        if name in d:
            for a, weight in zip(leaves(outputs[name], []), d[name]):
                L = L + a * weight
    if isinstance(L, scalar.Number):
        scalar.backward(L)
    return (scalar.value(L), [scalar.value(a) for a in LEAVES],
            [a.grad if isinstance(a, scalar.Number) else 0.0 for a in LEAVES])
