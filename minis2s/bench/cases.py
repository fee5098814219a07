"""What is measured.

    layer    one recurrent layer, forward and backward, all gradients
    ragged   the same with odd sizes and sequences of different lengths
    step     a whole training step: additive attention, clipping, Adam
    transformer    the same of a Transformer: 2 + 2 layers, 4 heads, feed-forward layers four times as wide
    decode   greedy search, from token ids to token ids
    beam     beam search with five hypotheses, the same
    int8     greedy search, where the compiled one keeps the readout at one byte a weight; the others as in decode
    growth   time against T, B, H or V, and how straight a line it is
    memory   what a training step holds at most, over the tapes that its backward pass must read

A case is a dict of plain values, so that it can be sent to another process: {"case": "layer", "cell": "lstm",
"T": 10, "N": 1, "D": 32, "H": 32}.
"""
LAYERS = [(10, 1, 32, 32), (12, 32, 64, 64), (20, 64, 128, 128), (30, 64, 256, 256), (30, 64, 512, 512),
          (50, 128, 512, 1024)]                                                        # T N D H
RAGGED = [(17, 30, 50, 100)]                                                           # T N D H
STEPS = [(50, 1, 10, 64), (50, 32, 12, 64), (500, 64, 20, 128), (8000, 64, 25, 256)]   # V N T H
TRANSFORMERS = [(50, 32, 25, 64), (50, 32, 25, 128)]                                 # V N T H
DECODES = [(V, N, 20, H) for V, H in ((50, 64), (500, 128), (8000, 256)) for N in (1, 32)]
INT8 = [(V, 1, 20, 256) for V in (8000, 30000)]                                        # V N T H
QUICK = {"layer": 3, "step": 2, "decode": 2}     # sizes of each that take a minute together
MEMORY = STEPS[1:]              # below that a page of memory counts for more than the numbers in it
WIDTH = 5                       # of the beam
# of a layer there and back, in units of T N (D H + H H): forward, and twice that for inputs and weights
MULTIPLY_ADDS = {"lstm": 12, "gru": 9, "rnn": 3}

# Growth: one size at a time grows, the others stay as they are here
LAYER = {"case": "layer", "T": 16, "N": 32, "D": 128, "H": 128}
STEP = {"case": "step", "V": 500, "N": 32, "T": 10, "H": 128}
GROWTHS = {"T": (LAYER, ("T",), (8, 16, 32, 64, 128)),
           "B": (LAYER, ("N",), (1, 4, 16, 32, 64, 128, 256)),
           "H": (LAYER, ("D", "H"), (32, 64, 128, 256, 512)),
           "V": (STEP, ("V",), (500, 1000, 2000, 4000, 8000))}

SIZES = {"layer": ("TNDH", LAYERS), "ragged": ("TNDH", RAGGED), "step": ("VNTH", STEPS),
         "transformer": ("VNTH", TRANSFORMERS), "decode": ("VNTH", DECODES),
         "beam": ("VNTH", DECODES), "int8": ("VNTH", INT8), "memory": ("VNTH", MEMORY)}
NAMES = ("layer", "ragged", "step", "transformer", "decode", "beam", "int8", "growth", "memory")
CELLS = ("lstm", "gru", "rnn")
CHOOSE_CELL = ("layer", "ragged")            # whole models are LSTMs


def chosen(names, cell="lstm", first=None):
    """The cases to measure, in the order of the names.

    Parameters
    ----------
    names : iterable of str
        Of NAMES.
    cell : {"lstm", "gru", "rnn"}
        Of the layers.
    first : int, optional
        Only the `first` sizes of each name.

    Returns
    -------
    list of dict
    """
    made = []
    for name in names:
        if name == "growth":
            rows = [{"case": name, "cell": cell, "of": letter} for letter in GROWTHS]
        else:
            letters, shapes = SIZES[name]
            rows = [{"case": name, **({"cell": cell} if name in CHOOSE_CELL else {}),
                     **({"width": WIDTH} if name == "beam" else {}), **dict(zip(letters, shape))}
                    for shape in shapes]
        made += rows[:first]
    return made


def points(case):
    """The cases of a growth case, the smallest first: -> list of (value of the growing size, case)."""
    base, letters, values = GROWTHS[case["of"]]
    cell = {"cell": case["cell"]} if base["case"] in CHOOSE_CELL else {}
    return [(value, {**base, **cell, **dict.fromkeys(letters, value)}) for value in values]


def lengths(T, N):
    """Lengths of ragged sequences: from 0.4 T to T, 0.7 T in the mean, the longest anywhere."""
    import numpy as np
    even = np.linspace(0.4 * T, T, N).round().astype(np.int64)
    return np.random.default_rng(0).permutation(even)


def multiply_adds(case):
    """How many a layer there and back needs; None for other cases."""
    if case["case"] != "layer":
        return None
    T, N, D, H = (case[letter] for letter in "TNDH")
    return MULTIPLY_ADDS[case["cell"]] * T * N * (D * H + H * H)
