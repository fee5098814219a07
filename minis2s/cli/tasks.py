"""minis2s tasks: the built-in tasks, which need no files."""
from ..tasks import TASKS, load
from . import sources, train_options

NAME, HELP = "tasks", "list the built-in tasks, each with an example; or say more of one"
EPILOG = "examples:\n  minis2s tasks\n  minis2s tasks dates\n  minis2s train dates"
EXAMPLES = 5                        # pairs shown of one task


def arguments(parser):
    """A task, or none for all."""
    parser.add_argument("task", nargs="?", metavar="TASK", help="say more of this one (default: list all)")


def run(args):
    """Print a table, or what there is to say of one task."""
    if args.task is not None:
        print("\n".join(described(sources.task_of(args.task))))
        return 0
    for name, task in TASKS.items():
        pairs = load(name, sizes=dict(train=1, valid=1, test=1)).train
        print(f"{name:<14}{task.summary}\n{'':<14}{pairs[0][0]!r} -> {pairs[0][1]!r}, units {task.source_unit} -> "
              f"{task.target_unit}, {task.sizes['train']:,} pairs")
    return 0


def described(task):
    """The lines about one task: pairs, units, sizes, and its own options of training."""
    sizes = task.sizes
    yield f"{task.name}: {task.summary}"
    yield f"units: {task.source_unit} -> {task.target_unit}"
    yield f"pairs: {sizes['train']:,} for training, {sizes['valid']:,} for validation, {sizes['test']:,} for the test"
    yield f"its own options: {train_options.as_text(task.options)}"
    yield f"`minis2s train {task.name}` has these; --size N takes fewer pairs, --seed N other ones.  Some pairs:"
    for source, target in load(task.name, sizes=dict(train=EXAMPLES, valid=1, test=1)).train:
        yield f"  {source!r} -> {target!r}"
