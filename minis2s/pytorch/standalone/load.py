"""Read this folder: the model with its weights, and what turns texts into tokens.  Needs torch and nothing else."""
import json
from pathlib import Path

import torch
from text.subwords import Subwords
from text.tokenizer import Tokenizer
from text.vocabulary import Vocabulary

from model import Seq2Seq

HERE = Path(__file__).parent
TYPES = {"F32": torch.float32, "F64": torch.float64, "I64": torch.int64}


def tensors(path):
    """A safetensors file: 8 bytes with the length of a JSON header, the header, then the numbers."""
    data = bytearray(Path(path).read_bytes())
    end = 8 + int.from_bytes(data[:8], "little")
    header, found = json.loads(data[8:end]), {}
    header.pop("__metadata__", None)
    for name, about in header.items():
        start, stop = about["data_offsets"]
        flat = torch.frombuffer(data[end + start:end + stop], dtype=TYPES[about["dtype"]])
        found[name] = flat.reshape(about["shape"]).clone()
    return found


def model():
    """-> the nn.Module, its weights loaded."""
    weights = tensors(HERE / "model.safetensors")
    module = Seq2Seq(description()["config"], {name: w.shape for name, w in weights.items()})
    module.load_state_dict(weights)
    return module.eval()


def description():
    """config.json: the choices of the model, the units of the texts, the greatest lengths trained on."""
    return json.loads((HERE / "config.json").read_text(encoding="utf-8"))


def sides():
    """-> (tokenizer, vocabulary) of the source and of the target."""
    words, units, found = json.loads((HERE / "vocabulary.json").read_text(encoding="utf-8")), description()["units"], []
    for side in ("source", "target"):
        pieces = words.get("subwords", {}).get(side)
        tokenizer = Tokenizer(units[f"{side}_units"], units["lowercase"], pieces and Subwords.from_json(pieces))
        found.append((tokenizer, Vocabulary.from_json(words[side])))
    return found


def source_of(sequences, reverse):
    """Lists of ids -> padded ids (T, N), mask (T, N)."""
    rows = [row[::-1] if reverse else row for row in sequences]
    T = max(map(len, rows))
    ids = torch.tensor([row + [0] * (T - len(row)) for row in rows]).T
    return ids, torch.arange(T)[:, None] < torch.tensor([len(row) for row in rows])
