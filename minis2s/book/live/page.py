"""What MicroPython runs in the page: loads the oracle and the examples once, then computes one whenever it is asked."""
import json
import page_numbers
import engine

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
