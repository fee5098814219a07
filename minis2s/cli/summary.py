"""minis2s summary: configuration, parameters and training of a model."""
from ..api.run import Run
from ..api.seq2seq import Seq2Seq
from ..training.evaluation import measure
from .streams import note

NAME, HELP = "summary", "show a trained model's configuration, parameters and sizes"
EPILOG = "examples:\n  minis2s summary runs/dates"


def arguments(parser):
    """The run."""
    parser.add_argument("path", metavar="RUN", help="directory of the run")


def run(args):
    """Print the table, and how long the model was trained."""
    print(Seq2Seq.load(args.path).summary())
    records, problem = Run(args.path).read_records()
    if problem:
        note(f"minis2s: {problem}")
    ends = [r for r in records if r["end_of_epoch"]]
    if ends:
        epochs = f"{ends[-1]['epoch']:g} epoch{'s' if ends[-1]['epoch'] != 1 else ''}"
        name, share = measure(ends[-1])
        print(f"\ntrained for {epochs}; held-out {name} {share:.2%}")
    return 0
