"""What MicroPython runs in the page: loads the oracle and the examples once, then computes one whenever it is asked."""
import json

import engine
import page_numbers

with open("/book.json") as file:
    BOOK = json.load(file)
oracle = engine.load(BOOK["modules"])
LIVE = {}
for name in BOOK["examples"]:
    BOOK["examples"][name]["wanted"] = set(BOOK["examples"][name]["wanted"])
    space = {"oracle": oracle, "blocks": engine.blocks}
    exec(BOOK["examples"][name]["source"], space)
    LIVE[name] = space[BOOK["examples"][name]["function"]]


def run(name):
    """Read the inputs' numbers from JavaScript, compute, and hand back those that the page shows."""
    example = BOOK["examples"][name]
    inputs, at = [], 0
    for key, shape in example["inputs"]:
        size = 1
        for n in shape:
            size *= n
        inputs.append((key, shape, [page_numbers.read(i) for i in range(at, at + size)]))
        at += size
    L, values, gradients = engine.compute(LIVE[name], inputs, example["plain"], example["wanted"])
    for i in example["values"]:
        page_numbers.write(values[i])
    for i in example["gradients"]:
        page_numbers.write(gradients[i])


# A trained run ----------------------------------------------------------------------------------------------

RUN = {}


def wake():
    """Read the weights from JavaScript, once."""
    import whole
    with open("/run.json") as file:
        about = json.load(file)
    arrays, at = {}, 0
    for name, shape in about["arrays"]:
        size = 1
        for n in shape:
            size *= n
        arrays[name] = engine.nest([float(page_numbers.read(i)) for i in range(at, at + size)], shape)
        at += size
    engine.WANTED[0] = ()
    RUN.update(config=about["config"], arrays=arrays, inspect=whole.inspect,
               model=whole.Whole(oracle, about["config"], arrays))


def given(n):
    """The whole numbers that JavaScript handed over."""
    return [int(page_numbers.read(i)) for i in range(n)]


def read(n):
    """Encode a source."""
    engine.WANTED[0] = ()
    RUN["model"].read(given(n))


def follow(n):
    """log p of what follows some tokens, then the attention weights."""
    log_p, alpha, _, _ = RUN["model"].step(tuple(given(n)))
    for x in log_p + list(alpha):
        page_numbers.write(x)


def beam(n):
    """Width, longest -> size of the best output, its log p, its tokens; then each beginning: size, log p, tokens."""
    width, longest = given(n)
    model = RUN["model"]
    best, log_p, looked = model.beam(width, longest)
    page_numbers.write(len(best))
    page_numbers.write(log_p)
    for token in best:
        page_numbers.write(token)
    ends = set(looked)
    ends.add(best)
    for y in ends:
        page_numbers.write(len(y))
        page_numbers.write(sum([model.step(y[:i])[0][y[i]] for i in range(len(y))]))
        for token in y:
            page_numbers.write(token)


def inside(n):
    """Lane, step, gradient or not, length of the source, source, target: the numbers of that cell in the top layer."""
    lane, t, gradient, T = given(n)[:4]
    rest = given(n)[4:]
    place = ("decoder" if lane else "encoder", RUN["config"]["layers"] - 1)
    found = RUN["inspect"](oracle, RUN["config"], RUN["arrays"], rest[:T], rest[T:], place, t, bool(gradient))
    for mark, name, values, gradients in found:
        page_numbers.note(mark, name, len(values))
        for x in values + gradients:
            page_numbers.write(x)
    engine.WANTED[0] = ()
