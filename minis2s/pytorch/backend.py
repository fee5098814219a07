"""TORCH: PyTorch as a Backend, for a GPU, or for several processes that train one model.  Start reading here.

It computes with the nn.Module of model.py, and autograd takes the place of the derivatives.  Parameters and moments
are trees of tensors between two steps, so that they stay on the device; `arrays` makes NumPy's of them where a run is
saved. Searches run on NumPy: a trained model is the same in every backend, and the compiled one searches best.
"""
import os
from typing import NamedTuple

import numpy as np
import torch

from ..core import tree
from ..core.backend import thread_count
from ..training.reference import NUMPY
from . import convert, processes, update
from .convert import new_module, params_of, tensors


class Cache(NamedTuple):
    """What `backward` needs: the loss with autograd's graph, and the parameters by name."""
    loss: torch.Tensor
    named: dict


class Engine:
    """The functions of the Backend for one device and precision.

    Parameters
    ----------
    device : str
        As PyTorch names it: "cpu", "cuda", "cuda:1", "mps".
    amp : bool
        Products in bfloat16 (autocast); parameters, sums and the loss keep the Config's precision.

    Raises
    ------
    ValueError
        PyTorch has no such device here.
    """

    def __init__(self, device="cpu", amp=False):
        self.device, self.amp, self.modules = usable(device), amp, {}
        processes.join(self.device)

    def on_device(self, a):
        """An array or tensor as a tensor there."""
        return a.to(self.device) if isinstance(a, torch.Tensor) else torch.from_numpy(np.array(a)).to(self.device)

    def module(self, config):
        """The nn.Module of a Config, without numbers of its own."""
        if config not in self.modules:
            with torch.device("meta"):
                self.modules[config] = new_module(config)
        return self.modules[config]

    def run(self, p, config, batch, teacher=None, masks=None, tokens=None):
        """Parameters and a Batch -> loss, logits, parameters by name."""
        module = self.module(config)
        named = {name: self.on_device(a).detach().requires_grad_(torch.is_grad_enabled()) for name, a in tree.named(p)}
        for name, a in named.items():
            put(module, name, a)
        source, mask, inputs, targets, target_mask = tensors(batch, self.device)
        masks = convert.masks(masks, self.device)
        teacher = None if teacher is None else self.on_device(teacher)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.amp):
            logits = module(source, mask, inputs, masks, teacher)
        logits = logits.to(getattr(torch, config.dtype))
        return module.loss(logits, targets, target_mask, tokens), logits, named

    # a whole model

    def forward(self, p, config, batch, teacher=None, masks=None):
        """See model.seq2seq.forward: -> loss, logits, Cache."""
        loss, logits, named = self.run(p, config, batch, teacher, masks)
        return loss.item(), as_array(logits), Cache(loss, named)

    def backward(self, p, config, k):
        """See model.seq2seq.backward: the gradient, by autograd; may be called twice."""
        return params_of(config, {name: as_array(a) for name, a in derivatives(k.loss, k.named, again=True).items()})

    def loss_and_gradient(self, p, config, batch, teacher=None, masks=None):
        """See model.seq2seq.loss_and_gradient."""
        loss, _, k = self.forward(p, config, batch, teacher, masks)
        return loss, self.backward(p, config, k)

    @torch.no_grad()
    def logits(self, p, config, batch, teacher=None):
        """See model.seq2seq.logits."""
        return as_array(self.run(p, config, batch, teacher)[1])

    def forced_and_free(self, p, config, batch):
        """See model.architectures.forced_and_free."""
        return self.logits(p, config, batch), self.logits(p, config, batch, np.zeros(batch.inputs.shape, bool))

    def loss_and_update(self, p, config, batch, teacher, masks, s, optimizer, lr, limit=None, value=None, **options):
        """See training.update.loss_and_update; every process takes its share of the batch, and all have the same
        result."""
        mine = type(batch)(*(processes.share_of(a, 1) for a in batch))
        teacher = None if teacher is None else processes.share_of(teacher, 1)
        masks = tree.map(lambda m: processes.share_of(m, m.ndim - 2), masks)     # (N, D), a Transformer's (T, N, D)
        loss, _, named = self.run(p, config, mine, teacher, masks, int(batch.target_mask.sum()))
        g = tree.replace(p, derivatives(loss, named))
        with torch.no_grad():
            loss, g = processes.add_up(loss.detach(), g)
            p = tree.map(self.on_device, p)
            s = s._replace(m=tree.map(self.on_device, s.m), v=tree.map(self.on_device, s.v))
            p, s, size, finite = update.step(p, g, s, optimizer, lr, limit, value, **options)
            loss, size, finite = torch.stack([loss.double(), size, finite.double()]).tolist()
        return loss, p, s, size, bool(finite)

    # around it

    def description(self):
        """What computes, in a few words."""
        threads = f", {torch.get_num_threads()} threads" if self.device.type == "cpu" else ""
        count = processes.processes()[1]
        several = f", {count} processes" if count > 1 else ""
        return (f"PyTorch {torch.__version__} on {self.device}{threads}{several}"
                f"{', products in bfloat16' if self.amp else ''}")


def usable(device):
    """The torch.device of a name; ValueError where PyTorch has none here."""
    if device == "cuda":
        device = f"cuda:{os.environ.get('LOCAL_RANK', 0)}"      # one for each process
    try:
        found = torch.device(device)
        torch.zeros(1, device=found)
    except (RuntimeError, AssertionError, NotImplementedError):        # AssertionError: PyTorch was built without CUDA
        raise ValueError(f"device={device!r}: PyTorch has no such device here") from None
    if found.type == "cuda":
        torch.cuda.set_device(found)
    return found


def put(module, name, a):
    """Let an nn.Module compute with this tensor as its parameter of that name, "encoder.layers.0.W"."""
    *path, last = name.split(".")
    for part in path:
        module = module._modules[part]                     # getattr would find the method `forward` for that part
    module._parameters[last] = a


def derivatives(loss, named, again=False):
    """Gradients by name; of parameters that the loss does not depend on, zeros."""
    found = torch.autograd.grad(loss, list(named.values()), retain_graph=again, allow_unused=True)
    return {name: torch.zeros_like(a) if g is None else g for (name, a), g in zip(named.items(), found)}


def as_array(a):
    """A tensor as an array; anything else as it is."""
    return a.detach().cpu().numpy() if isinstance(a, torch.Tensor) else a


def arrays(part):
    """A tree with NumPy's arrays in place of tensors."""
    return tree.map(as_array, part)


def on_numpy(search):
    """A search of decoding/ that takes tensors, too."""
    return lambda p, *rest, **options: search(arrays(p), *rest, **options)


def use_threads(count=None):
    """Let PyTorch use so many threads on a CPU; None: as MINIS2S_THREADS says, or all cores."""
    torch.set_num_threads(thread_count(count))


def backend(name="torch"):
    """The Backend of a name: "torch", "torch:cuda", "torch:cpu+amp", ...; see Engine."""
    device, _, amp = name.partition(":")[2].partition("+")
    engine = Engine(device or "cpu", bool(amp))
    searches = {search: on_numpy(getattr(NUMPY, search)) for search in ("greedy", "beam", "sample", "exact")}
    return NUMPY._replace(
        name=name, forward=engine.forward, backward=engine.backward, loss_and_gradient=engine.loss_and_gradient,
        logits=engine.logits, forced_and_free=engine.forced_and_free, loss_and_update=engine.loss_and_update,
        description=engine.description,
        use_threads=use_threads, arrays=arrays, agree=processes.agree, from_first=processes.from_first, **searches)
