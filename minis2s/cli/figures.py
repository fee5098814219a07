"""minis2s figures: the pictures of README and the notebooks, drawn anew."""
from ..viewer.figures import FIGURES, draw

NAME, HELP = "figures", "draw the pictures of README and the notebooks anew, from code and seeds"
EPILOG = """examples:
  minis2s figures                                      all of them: some minutes, small models are trained
  minis2s figures lstm_step dates_attention --out pictures

The pictures of speed are drawn from speed.jsonl in that folder; without it they are measured (some minutes).
Delete it to see your machine."""


def arguments(parser):
    """Names and a folder."""
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(FIGURES)} (default: all)")
    parser.add_argument("--out", default="figures", metavar="DIR", help="folder (default: figures); files are replaced")


def run(args):
    """Draw, and say what is done."""
    for name in draw(args.names, args.out):
        print(f"{args.out}/{name}.png and .svg", flush=True)
    return 0
