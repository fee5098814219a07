"""minis2s compare: LSTM with attention against Transformer on a task, and who wins where."""
from ..documents.comparison import comparison
from .claim import conduct, thoroughness

NAME, HELP = "compare", "LSTM with attention against Transformer on a task: equal parameters, equal tuning"
EPILOG = """examples:
  minis2s compare reverse                 two minutes, one seed, small models
  minis2s compare dates --full --out figures/claims       three seeds, an hour and more; picture and JSON"""


def arguments(parser):
    """Which task, how thoroughly, and where to write."""
    parser.add_argument("task", metavar="TASK", help="`minis2s tasks` lists them")
    thoroughness(parser)


def run(args):
    """Measure and print."""
    return conduct(comparison(args.task), args, f"minis2s compare {args.task}")
