"""minis2s figures: the pictures of README and the notebooks, drawn anew."""
import sys

from ..viewer.figures import FIGURES, check_names, draw

NAME, HELP = "figures", "draw the pictures of README and the notebooks anew, from code and seeds"
EPILOG = """examples:
  minis2s figures lstm_step dates_attention      two of them, into the folder pictures
  minis2s figures --out figures --overwrite      all of them, in place of those of this repository

Processor time, where kernels are still to be compiled: 2 s for lstm_step and gradient_flow; a minute for beam_tree and
for dates_attention with encoder_decoder, which share a model; a minute and a half for phrases_attention and for
context_kinds with forced_and_free.
The pictures of speed are drawn from speed.jsonl in the folder; without it they are measured first, which takes longest.
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
