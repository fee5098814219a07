"""Read this folder: the model with its weights.  Needs torch and nothing else; what reads texts is in sides.py."""
import json
from pathlib import Path

import torch
from sides import description, sides  # noqa: F401  for those who want the whole folder from one file
from torch.nn.utils.rnn import pad_sequence

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
    config, made = description()["config"], Seq2Seq
    if config["architecture"] == "transformer":
        from transformer import Transformer as made
    module = made(config, {name: w.shape for name, w in weights.items()})
    module.load_state_dict(weights)
    return module.eval()


def source_of(sequences, reverse, dtype):
    """Lists of ids, or arrays (T, F) of frames -> padded (T, N) or (T, N, F), mask (T, N)."""
    rows = [torch.as_tensor(row) for row in sequences]
    rows = [row.to(getattr(torch, dtype)) if row.ndim == 2 else row for row in rows]
    lengths = torch.tensor([len(row) for row in rows])
    padded = pad_sequence([row.flip(0) if reverse else row for row in rows])
    return padded, torch.arange(len(padded))[:, None] < lengths
