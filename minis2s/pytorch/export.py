"""A run as a folder that needs only torch, or only onnxruntime: plain files that can be read, moved, and checked.

    model.py            the nn.Module                    translate.py   answers texts, or files
    transformer.py      that of a Transformer            check.py       proves equal logits, loss and answers
    model.safetensors   its weights                      load.py  search.py  sides.py  text/
    config.json         choices, units, lengths          reference.json  reference.safetensors
    vocabulary.json     symbols of both sides, pieces of bpe, mean and scale of frames

and with form="onnx", in place of the nn.Module: encoder.onnx, decoder.onnx (see onnx_graphs.py), and run.py, a greedy
search around them that needs onnxruntime and NumPy.

Nothing in it imports minis2s, and check.py needs torch alone.  translate.py needs another library for `bpe` units,
sentencepiece, and for frames: NumPy for sounds and arrays, Pillow for pictures as well.
"""
import copy
import dataclasses
import json
import math
import os
import shutil
import tempfile
from importlib import resources
from pathlib import Path

import numpy as np

from ..core import tree
from ..data.batches import make_batch
from ..training.reference import NUMPY

TEXT = ("units.py", "words.py", "words_1.py", "subwords.py", "tokenizer.py", "vocabulary.py")      # of minis2s/data
FRAMES = ("frames.py", "sound.py", "pictures.py", "vocoder.py")
STANDALONE = ("load.py", "sides.py", "search.py", "translate.py", "check.py")
BEAM, NBEST, EXAMPLES = 5, 3, 16
CONVENTIONS = {
    "gate order": "LSTM i, f, g, o; GRU z, r, n", "GRU": "h = (1-z) h' + z n; gru resets before the product, gru-after "
                                                         "after it",
    "rows": "examples are rows: x @ W + h @ U + b", "time": "first axis", "masks": "True where real"}


def export(model, folder, overwrite=False, backend=NUMPY, form="torch"):
    """Write the folder.

    Parameters
    ----------
    model : minis2s.Seq2Seq
        Trained or loaded.
    folder : path
        To be made.
    overwrite : bool
        Replace it if it is an exported folder.
    backend : core.backend.Backend
        Which implementation computes the reference numbers.
    form : {"torch", "onnx"}

    Returns
    -------
    Path of the folder

    Raises
    ------
    FileExistsError, NotADirectoryError
        If something stands there, and overwriting it was not asked for or it is no exported folder.
    ValueError
        If the model was not trained yet, or answers frames; or if onnxruntime does not compute its logits with the
        graphs.
    """
    folder = Path(folder)
    if model.params is None:
        raise ValueError("not fitted: call fit() or load() first")
    if model.config.target == "frames":
        raise ValueError("target=frames: wanted a model that answers tokens; the nn.Module has no frames as targets")
    if model.config.readout == "copy":
        raise ValueError("readout=copy: wanted a model with a PyTorch module, which a readout that copies has not")
    check_free(folder, overwrite)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".tmp-export-") as made:
        new = Path(made) / "new"
        new.mkdir()
        WRITERS[form](new, model, backend)
        if folder.exists():
            os.replace(folder, Path(made) / "old")             # gone with the temporary directory
        os.replace(new, folder)
    return folder


def check_free(folder, overwrite):
    """Raise unless the folder may be made; only one that `export` made is ever replaced."""
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder}: a file, wanted a directory for the exported model")
    if folder.is_dir() and any(folder.iterdir()):
        if not overwrite:
            raise FileExistsError(f"{folder}: exists already; replace it with --overwrite")
        if not (folder / "reference.json").is_file() or not (folder / "config.json").is_file():
            raise FileExistsError(f"{folder}: no exported model, so it is not replaced")


def write_torch(folder, model, backend):
    """The folder that needs torch."""
    from safetensors.numpy import save
    package, config = resources.files("minis2s.pytorch"), model.config
    shutil.copyfile(str(package / "model.py"), folder / "model.py")
    if config.architecture == "transformer":
        code = (package / "transformer.py").read_text(encoding="utf-8")
        (folder / "transformer.py").write_text(code.replace("from .model", "from model"), encoding="utf-8")
    write_sides(folder, model, STANDALONE)
    arrays = {name: np.ascontiguousarray(a) for name, a in tree.named(model.params)}
    about = json.dumps({**described(model), "conventions": CONVENTIONS}, sort_keys=True)
    (folder / "model.safetensors").write_bytes(save(arrays, metadata={"minis2s": about}))
    batch, logits, said = reference(model, backend)
    arrays = {"logits": logits, "source": batch.source, "source_mask": batch.source_mask.astype(np.int64),
              "inputs": batch.inputs, "targets": batch.targets, "target_mask": batch.target_mask.astype(np.int64)}
    arrays = {name: np.ascontiguousarray(a, np.int64 if a.dtype.kind in "iu" else None) for name, a in arrays.items()}
    (folder / "reference.safetensors").write_bytes(save(arrays))
    (folder / "reference.json").write_text(json.dumps(said) + "\n", encoding="utf-8")


def write_onnx(folder, model, backend):
    """The folder that needs onnxruntime; ValueError where the graphs compute anything else than the model."""
    from . import convert, onnx_graphs
    model = single(model)
    write_sides(folder, model, ("sides.py", "run.py"))
    onnx_graphs.write(convert.to_module(model.params, model.config), folder)
    batch, logits, said = reference(model, backend)
    onnx_graphs.check(folder, batch, logits)
    said = {"source": batch.source.tolist(), "source_mask": batch.source_mask.tolist(),
            "max_length": said["max_length"], "greedy": said["greedy"]}
    (folder / "reference.json").write_text(json.dumps(said) + "\n", encoding="utf-8")


def single(model):
    """The model in float32, in which onnxruntime computes."""
    if model.config.dtype == "float32":
        return model
    model = copy.copy(model)
    model.config = dataclasses.replace(model.config, dtype="float32")
    model.params = tree.map(lambda a: a.astype(np.float32), model.params)
    return model


def described(model):
    """What config.json says: the choices, the greatest lengths trained on, and the units."""
    known = model._description()
    units = {name: known["units"][name] for name in ("source_units", "target_units", "lowercase")}
    return {"config": known["config"], "lengths": known["lengths"], "units": units}


def write_sides(folder, model, scripts):
    """Scripts, config.json, vocabularies, and the part of minis2s/data that cuts texts or reads frames."""
    package, data = resources.files("minis2s.pytorch"), resources.files("minis2s.data")
    for name in scripts:
        shutil.copyfile(str(package / "standalone" / name), folder / name)
    (folder / "text").mkdir()
    (folder / "text" / "__init__.py").write_text('"""From texts to tokens and back, as minis2s does it."""\n',
                                                 encoding="utf-8")
    for name in (*TEXT, *(FRAMES if model.config.source == "frames" else ())):
        shutil.copyfile(str(data / name), folder / "text" / name)
    about = json.dumps(described(model), indent=2, ensure_ascii=False)
    (folder / "config.json").write_text(about + "\n", encoding="utf-8")
    words = {"source": model.source_vocab.to_json(), "target": model.target_vocab.to_json(),
             "subwords": model._description()["subwords"]}
    (folder / "vocabulary.json").write_text(json.dumps(words, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def reference(model, backend):
    """A batch of random sources with targets of the model's own symbols, its logits, and what else minis2s says of
    it."""
    rng, config = np.random.default_rng(0), model.config
    longest = [max(1, min(model.lengths[side], 40)) for side in ("source", "target")]
    steps, target_steps = (rng.integers(1, most + 1, size=EXAMPLES) for most in longest)
    rows = [source_row(rng, config, T) for T in steps], [rng.integers(4, config.target_vocab, size=S).tolist()
                                                         for S in target_steps]
    batch = make_batch(*rows, config.reverse_source, config.dtype)
    loss, logits, _ = backend.forward(model.params, config, batch)
    most = min(model.lengths["target"] + 10, config.max_positions or math.inf)
    given = (model.params, config, batch.source, batch.source_mask, most)
    said = {"loss": float(loss), "max_length": most, "beam": BEAM, "nbest": NBEST,
            "greedy": [list(map(int, best.ids)) for best, in backend.greedy(*given)],
            "beams": [[list(map(int, a.ids)) for a in best] for best in backend.beam(*given, BEAM, 1.0, NBEST)]}
    return batch, logits, said


def source_row(rng, config, steps):
    """A random source: ids, or frames of mean 0 and scale 1."""
    if config.source == "frames":
        return rng.normal(size=(steps, config.step_size)).astype(config.dtype)
    return rng.integers(4, config.source_vocab, size=steps).tolist()


WRITERS = {"torch": write_torch, "onnx": write_onnx}
