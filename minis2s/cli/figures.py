"""minis2s figures: the pictures of README and the notebooks, drawn anew."""
import sys

from ..viewer.figures import FIGURES, check_names, draw

NAME, HELP = "figures", "draw the pictures of README and the notebooks anew, from code and seeds"
EPILOG = """examples:
  minis2s figures lstm_step dates_attention      two of them, into the folder pictures
  minis2s figures --out figures --overwrite      all of them, in place of those of this repository

Measured on two cores: seconds for lstm_step and gradient_flow; about a minute for encoder_decoder, dates_attention and
beam_tree; two minutes for phrases_attention; three for context_kinds and forced_and_free, which share their models. Kernels
that have not been compiled yet take half a minute more, once.
The pictures of speed are drawn from speed.jsonl in the folder; where there is none, it is measured first.
A picture is drawn only if what it says is true of the models trained here. Ctrl-C replaces nothing."""


def arguments(parser):
    """Names and a folder."""
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(FIGURES)} (default: all)")
    parser.add_argument("--out", default="pictures", metavar="DIR", help="folder (default: pictures)")
    parser.add_argument("--overwrite", action="store_true", help="replace pictures that exist in DIR")


def run(args):
    """Draw, with a bar on a terminal, and say what is done."""
    from tqdm import tqdm
    check_names(args.names)
    total = len(set(args.names)) or len(FIGURES)
    with tqdm(total=total, disable=None, file=sys.stderr,
              bar_format="{desc}{n} of {total} figures drawn |{bar}| {elapsed}") as bar:
        done = iter(range(total))

        def begin(name):
            bar.update(next(done) - bar.n)
            bar.set_description(name)
        paths = draw(args.names, args.out, args.overwrite, begin)
        bar.update(total - bar.n)
    for png, svg in zip(paths[::2], paths[1::2]):
        print(f"{png} and {svg.suffix}")
    return 0
