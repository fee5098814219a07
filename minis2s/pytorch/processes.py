"""Several processes that train one model, as `torchrun` starts them: each has a share of every batch.

All of them draw the same batches and hold the same parameters.  Of N examples, process r of W takes r, r+W, r+2W,
...; its loss is a sum over its own tokens divided by the tokens of the whole batch, so the sum of all processes'
gradients is the gradient of one process, whatever the lengths are.  Process 0 alone writes the run and speaks.
"""
import atexit

import torch
from torch import distributed

from ..core import tree
from ..core.backend import processes


def join(device):
    """Meet the other processes, once.

    Raises
    ------
    ConnectionError
        The place where they meet cannot be opened or reached.
    """
    if processes()[1] > 1 and not distributed.is_initialized():
        try:
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        except RuntimeError as e:
            raise ConnectionError(f"the processes of this training did not meet: {str(e).splitlines()[0]}") from e
        atexit.register(distributed.destroy_process_group)


def together(act):
    """Call `act`, in which all processes take part.

    Raises
    ------
    ConnectionError
        Another process has ended.
    """
    try:
        return act()
    except RuntimeError as e:
        raise ConnectionError("another process of this training has ended; `--resume` goes on from the last "
                              "checkpoint") from e


def share_of(a, axis):
    """This process's examples of an array that has examples on `axis`, 0 or 1."""
    rank, count = processes()
    mine = slice(rank, None, count)
    return a[mine] if axis == 0 else a[:, mine]


def add_up(loss, gradient):
    """The sums over all processes of a loss and of a tree of gradients, in one message for each kind of number."""
    if processes()[1] == 1:
        return loss, gradient
    arrays = [loss.detach(), *(a for _, a in tree.named(gradient))]
    flat = torch.cat([a.reshape(-1).to(arrays[-1].dtype) for a in arrays])
    together(lambda: distributed.all_reduce(flat))
    pieces = iter(flat.split([a.numel() for a in arrays]))
    loss = next(pieces)[0]
    return loss, tree.map(lambda a: next(pieces).view_as(a), gradient)


def agree(numbers):
    """A tuple of whole numbers -> for each the greatest of all processes."""
    if processes()[1] == 1:
        return numbers
    device = "cuda" if distributed.get_backend() == "nccl" else "cpu"
    votes = torch.tensor(numbers, dtype=torch.int64, device=device)
    together(lambda: distributed.all_reduce(votes, distributed.ReduceOp.MAX))
    return tuple(votes.tolist())


def from_first(value):
    """Process 0's value, in all processes."""
    if processes()[1] == 1:
        return value
    message = [value]
    together(lambda: distributed.broadcast_object_list(message))
    return message[0]
