"""Parameters of minis2s to the nn.Module and back, without loss: the same names, shapes and numbers."""
import numpy as np
import torch

from ..core import tree
from ..model import parameters
from .model import Seq2Seq
from .transformer import Transformer


def new_module(config):
    """The nn.Module of a Config, all its numbers zero; ValueError for a Config that has none."""
    for name, value in (("readout", "copy"), ("target", "frames")):
        if getattr(config, name) == value:
            raise ValueError(f"{name}={value}: wanted a model with a PyTorch module, which such models have not")
    made = Transformer if config.architecture == "transformer" else Seq2Seq
    return made(config.to_json(), parameters.shapes(config))


def to_module(p, config):
    """Params -> the nn.Module with copies of their numbers."""
    module = new_module(config)
    module.load_state_dict({name: torch.from_numpy(np.array(a)) for name, a in tree.named(p)})
    return module


def to_params(module, config):
    """The nn.Module -> Params with copies of its numbers; ValueError where it is one of another Config."""
    return params_of(config, {name: value.detach().cpu().numpy().copy() for name, value in module.state_dict().items()})


def gradients(module, config):
    """The gradients that autograd left in the nn.Module, as Params; those of unused parameters are zero."""
    return params_of(config, {name: (torch.zeros_like(w) if w.grad is None else w.grad).detach().cpu().numpy().copy()
                              for name, w in module.named_parameters()})


def params_of(config, arrays):
    """Arrays by name -> parameters.Params."""
    wanted = parameters.shapes(config)
    for name in sorted(wanted.keys() ^ arrays.keys()):
        raise ValueError(f"module: {name} is {'missing' if name in wanted else 'not part of this Config'}")
    for name, shape in wanted.items():
        if arrays[name].shape != shape:
            raise ValueError(f"module: {name} has shape {arrays[name].shape}, wanted {shape} of this Config")
    return tree.replace(parameters.init(config), arrays)


def tensors(batch, device="cpu"):
    """A Batch -> source, mask, inputs, targets, target mask as tensors."""
    return tuple(torch.from_numpy(np.array(a, dtype=np.int64 if a.dtype.kind in "iu" else None)).to(device)
                 for a in batch)


def masks(drops, device="cpu"):
    """Dropout masks -> the same nested tuples of tensors; None stays None."""
    return tree.map(lambda m: torch.from_numpy(np.array(m)).to(device), drops)
