"""An encoder-decoder of torch.nn.LSTM, GRU or RNN as a run of minis2s: the reverse of export.py.

The folder holds three files, none of which is ever unpickled:

    model.safetensors   safetensors.torch.save_file(model.state_dict(), ...)
    vocabulary.json     {"source": [...], "target": [...]}: the symbols in the order of their numbers; the special ones
                        are called <pad>, <bos>, <eos>, <unk>
    mapping.json        what is what, by its name here on the left and its name there on the right:

        {"config":    {"cell": "lstm", "embedding": 32, "hidden": 64, "attention": "none"},
         "units":     {"source_units": "char", "target_units": "char"},
         "lengths":   {"source": 30, "target": 40},
         "embedding": {"encoder": "src_embed", "decoder": "tgt_embed"},
         "cells":     {"encoder": "encoder", "decoder": "decoder"},
         "linear":    {"decoder.readout": "out"},
         "arrays":    {"decoder.score.W": "attention.weight.T"}}

    config      choices of a Config but for the sizes of vocabularies; PyTorch's GRU is the cell "gru-after"
    lengths     of the longest pairs in training; answers may be a little longer
    embedding   nn.Embedding of each side
    cells       nn.LSTM, nn.GRU or nn.RNN of each side, with all layers and directions (see interop.py: gates in
                another order, two biases summed)
    linear      nn.Linear: W is its weight's transpose, b its bias
    arrays      anything else, as it is, or transposed where the name there ends in ".T"

Special tokens may stand anywhere and move to numbers 0 to 3.  One that is missing has an embedding of zeros, and the
target's are never answered.  Such models differ in what surrounds a text; here a source is read without <bos> and
<eos>, and the decoder begins with <bos>.
"""
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..core import tree
from ..core.files import parse_json
from ..data.vocabulary import BOS, EOS, SPECIALS, Vocabulary
from ..layers.cells import CELLS
from ..model import parameters
from ..model.config import Config
from .interop import from_torch

CUTS = ("char", "word", "space")
UNITS = {"source_units": CUTS, "target_units": CUTS, "lowercase": (True, False)}
PARTS = ("config", "units", "lengths", "embedding", "cells", "linear", "arrays")
LONGEST = 50                        # where mapping.json does not say it
NEVER = -1e4                        # logit of a token that their model does not have: its probability is 0


class Imported(NamedTuple):
    """What a folder holds, as minis2s has it."""
    config: Config
    params: Any
    units: dict                # arguments of Seq2Seq
    lengths: dict              # "source", "target"
    vocabs: tuple              # of source and target


def read(folder):
    """Read such a folder: -> Imported.

    Raises
    ------
    FileNotFoundError, ValueError, TypeError
        Naming the file and what does not fit.
    """
    folder = Path(folder)
    place = folder / "mapping.json"
    mapping, words = read_json(place), read_json(folder / "vocabulary.json")
    theirs = read_arrays(folder / "model.safetensors")
    sides = [vocabulary(folder / "vocabulary.json", words, side) for side in ("source", "target")]
    try:
        check(mapping)
        sizes = dict(zip(("source_vocab", "target_vocab"), (len(known) for known, _ in sides)))
        config = Config(**{**mapping.get("config", {}), **sizes})
        arrays = converted(mapping, theirs, config)
        arrays = {name: by_our_numbers(name, a, sides) for name, a in arrays.items()}
        params = tree.replace(parameters.init(config), fitting(arrays, config))
    except (TypeError, ValueError) as e:
        raise type(e)(f"{place}: {e}") from None
    lengths = {side: mapping.get("lengths", {}).get(side, LONGEST) for side in ("source", "target")}
    return Imported(config, params, mapping.get("units", {}), lengths, tuple(known for known, _ in sides))


def check(mapping):
    """ValueError for what mapping.json cannot hold."""
    for name, value in mapping.items():
        if name not in PARTS:
            raise ValueError(f"{name!r}, wanted some of {', '.join(PARTS)}")
        if not isinstance(value, dict):
            raise ValueError(f"{name} is {value!r}, wanted a JSON object")
    for name, value in mapping.get("units", {}).items():
        if value not in UNITS.get(name, ()):
            raise ValueError(f"units: {name} is {value!r}, wanted of {', '.join(UNITS)} one that needs no training")
    for side, value in mapping.get("lengths", {}).items():
        if side not in ("source", "target") or not isinstance(value, int) or value < 1:
            raise ValueError(f"lengths: {side} is {value!r}, wanted source and target, whole numbers from 1")
    for part in PARTS[3:]:
        for name, value in mapping.get(part, {}).items():
            if not isinstance(value, str):
                raise ValueError(f"{part}: {name} is {value!r}, wanted a name")


def read_json(path):
    """A JSON object; FileNotFoundError, ValueError naming the file."""
    try:
        value = parse_json(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise FileNotFoundError(f"{path}: no such file; `minis2s import --help` says what it holds") from None
    except (NotADirectoryError, ValueError) as e:
        raise ValueError(f"{path}: not JSON ({e})") from None
    if not isinstance(value, dict):
        raise ValueError(f"{path}: wanted a JSON object")
    return value


def read_arrays(path):
    """The arrays of a safetensors file by name; FileNotFoundError, ValueError naming it."""
    from safetensors import SafetensorError, safe_open
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; pickled weights (.pt, .bin) are not read: write them with "
                                f"safetensors.torch.save_file")
    try:
        with safe_open(str(path), framework="numpy") as f:
            return {name: f.get_tensor(name) for name in f.keys()}
    except (SafetensorError, TypeError) as e:
        raise ValueError(f"{path}: not a whole safetensors file of numbers that NumPy has ({e})") from None


def vocabulary(path, words, side):
    """Symbols in their order -> Vocabulary, and for each of its numbers the number there, or None."""
    symbols = words.get(side)
    if not isinstance(symbols, list) or not all(isinstance(symbol, str) for symbol in symbols):
        raise ValueError(f"{path}: {side} is {symbols!r:.60}, wanted a list of symbols")
    known = {symbol: i for i, symbol in enumerate(symbols)}
    if side == "target":
        for special in (SPECIALS[BOS], SPECIALS[EOS]):
            if special not in known:
                raise ValueError(f"{path}: target has no {special}, wanted one, as every answer begins or ends with it")
    try:
        found = Vocabulary((*SPECIALS, *(symbol for symbol in symbols if symbol not in SPECIALS)))
    except ValueError as e:
        raise ValueError(f"{path}, {side}: {e}") from None
    return found, [known.get(symbol) for symbol in found.symbols]


def converted(mapping, theirs, config):
    """Arrays under our names, in the order of their numbers still."""
    def get(name):
        plain = name.removesuffix(".T")
        if plain not in theirs:
            raise ValueError(f"{plain} is not in model.safetensors, which has {', '.join(theirs)}")
        return theirs[plain].T if name.endswith(".T") else theirs[plain]
    found = {f"{side}.embedding": get(f"{name}.weight") for side, name in mapping.get("embedding", {}).items()}
    for ours, name in mapping.get("linear", {}).items():
        found.update({f"{ours}.W": get(f"{name}.weight.T"), f"{ours}.b": get(f"{name}.bias")})
    for side, prefix in mapping.get("cells", {}).items():
        found.update(cells(side, prefix, theirs, config))
    found.update({ours: get(name) for ours, name in mapping.get("arrays", {}).items()})
    return found


def cells(side, prefix, theirs, config):
    """The layers of one nn.LSTM, nn.GRU or nn.RNN under our names."""
    arrays = {name.removeprefix(f"{prefix}."): a for name, a in theirs.items() if name.startswith(f"{prefix}.")}
    if not arrays:
        raise ValueError(f"{prefix}.weight_ih_l0 is not in model.safetensors, which has {', '.join(theirs)}")
    if config.cell not in CELLS or config.architecture != "recurrent":
        raise ValueError("cells: wanted a recurrent model")
    found, two = {}, side == "encoder" and config.bidirectional
    for layer in range(config.layers):
        for reverse, direction in ((False, ".forward" if two else ""), (True, ".backward"))[:1 + two]:
            p = from_torch(config.cell, arrays, layer, reverse)
            found.update({f"{side}.layers.{layer}{direction}.{name}": a for name, a in tree.named(p)})
    return found


def by_our_numbers(name, a, vocabs):
    """An array with an entry for each token, in the order of our numbers; any other as it is."""
    if name not in SIDES:
        return a
    side, axis, nothing = SIDES[name]
    theirs = vocabs[side][1]
    many = sum(i is not None for i in theirs)
    if a.shape[axis:axis + 1] != (many,):
        raise ValueError(f"{name}: shape {a.shape} with {many} symbols in vocabulary.json")
    full = np.full((*a.shape[:axis], len(theirs), *a.shape[axis + 1:]), nothing, a.dtype)
    here = [i for i, there in enumerate(theirs) if there is not None]
    np.moveaxis(full, axis, 0)[here] = np.moveaxis(a, axis, 0)[[theirs[i] for i in here]]
    return full


# name -> number of its vocabulary, axis of the tokens, what stands for a token that their model has not
SIDES = {"encoder.embedding": (0, 0, 0.0), "decoder.embedding": (1, 0, 0.0), "decoder.readout.W": (1, 1, 0.0),
         "decoder.readout.b": (1, 0, NEVER)}


def fitting(arrays, config):
    """The arrays in the Config's dtype; ValueError for one that is missing, left over, of another shape, or not
    finite."""
    wanted = parameters.shapes(config)
    for name in sorted(wanted.keys() ^ arrays.keys()):
        raise ValueError(f"{name} is {'missing' if name in wanted else 'not part of a model of this config'}")
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            raise ValueError(f"{name} has shape {arrays[name].shape}, wanted {shape}")
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{name} holds NaN or infinity, wanted finite numbers")
    return {name: np.ascontiguousarray(a, config.dtype) for name, a in arrays.items()}
