"""`minis2s examples`: which worked examples there are."""
from ..documents import examples

NAME, HELP = "examples", "list the worked examples of the documents"
EPILOG = "examples:\n  minis2s examples\n  minis2s example W1"


def arguments(parser):
    """No arguments."""


def run(args):
    """Print a line for each example: -> 0."""
    print("\n".join(examples.listing()))
    return 0
