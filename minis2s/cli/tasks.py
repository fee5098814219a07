"""minis2s tasks: what can be trained on at once."""
from ..tasks import TASKS, load

NAME, HELP = "tasks", "list the built-in tasks, each with an example"
EPILOG = "examples:\n  minis2s tasks\n  minis2s train dates"


def arguments(parser):
    """No arguments."""


def run(args):
    """Print a table."""
    for name, task in TASKS.items():
        pairs = load(name, sizes=dict(train=1, valid=1, test=1)).train
        print(f"{name:<14}{task.summary}\n{'':<14}{pairs[0][0]!r} -> {pairs[0][1]!r}, "
              f"{task.source_unit}s -> {task.target_unit}s, {task.sizes['train']:,} pairs")
    return 0
