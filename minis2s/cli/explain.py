"""minis2s explain: which tokens of a text an answer depends on, by three witnesses, and what units do over the text."""
import numpy as np

from ..core import validation
from ..core.files import check_free
from .streams import printable
from .translate import backend_option, model_of

NAME, HELP = "explain", "which tokens of a text an answer depends on: attention, gradient x input, occlusion"
EPILOG = """examples:
  minis2s explain runs/dates "3 May 99"                     for each token written, the token that each witness names
  minis2s explain runs/dates "3 May 99" --out why.png       drawn, with the states of single units over the text
  minis2s explain runs/dates "3 May 99" --out why.png --units 3 17
  minis2s explain runs/dates "3 May 99" --search 3 --step   one beam search, length by length; Enter goes on

`minis2s claim K11` puts the three witnesses on trial; model/saliency.py says what they measure."""


def arguments(parser):
    """Run, text, and where to draw."""
    parser.add_argument("path", metavar="RUN", help="directory of the run")
    parser.add_argument("text", metavar="TEXT", help="what the model is to read")
    parser.add_argument("--out", metavar="FILE", help="draw into this file (.png, .svg)")
    parser.add_argument("--units", type=int, nargs="+", metavar="N", help="units to draw, from 0 (default: those that "
                                                                          "vary most)")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE")
    parser.add_argument("--search", type=int, metavar="K", help="in place of the witnesses: what a beam of K keeps at "
                                                                "every length")
    parser.add_argument("--step", action="store_true", help="wait for Enter after every length")
    backend_option(parser)


def run(args):
    """Print the places that the witnesses name, or draw."""
    from ..viewer import explain
    if (args.units or args.overwrite) and not args.out:
        raise ValueError(f"--{'units' if args.units else 'overwrite'} goes with --out")
    if args.step and args.search is None:
        raise ValueError("--step goes with --search")
    if args.search is not None:
        return show_search(args)
    if args.out:
        check_free(args.out, args.overwrite)
    model = model_of(args)
    check_tokens(model)
    if args.out:
        explain.figure(model, args.text, args.units, args.out)
    maps, source, target = explain.witnesses(model, args.text)
    source, target = ([printable(token.replace(" ", "␣")) for token in side] for side in (source, target))
    wide = max(len(token) for token in target)
    print(f"{'':{wide}}  " + "  ".join(f"{name:<22}" for name in maps))
    for t, token in enumerate(target):
        named = [(i := int(rows[t].argmax()), rows[t, i]) for rows in maps.values()]
        cells = [f"{source[i]} at {i + 1} ({share:.0%})" for i, share in named]
        print(f"{token:{wide}}  " + "  ".join(f"{cell:<22}" for cell in cells).rstrip())
    agree = np.mean([len({int(rows[t].argmax()) for rows in maps.values()}) == 1 for t in range(len(target))])
    print(f"\nall witnesses name the same place for {agree:.0%} of the tokens written")
    if args.out:
        print(f"drawn in {args.out}")
    return 0


def check_tokens(model):
    """ValueError where a side is frames."""
    for side, does in (("source", "reads"), ("target", "writes")):
        if getattr(model.config, side) != "tokens":
            raise ValueError(f"RUN: {does} frames, wanted a run that {does} tokens; `translate --attention-map` draws "
                             f"those of frames")


def show_search(args):
    """Print a beam search length by length."""
    from ..viewer import search
    if args.out or args.units:
        raise ValueError("--search prints, and draws nothing: leave --out and --units out")
    validation.whole("search", args.search, 1, 100)
    model = model_of(args)
    if model.config.target != "tokens":
        raise ValueError("--search: RUN writes frames, which are not searched for")
    for block in search.steps(model, args.text, args.search):
        print(*block, "", sep="\n", flush=True)
        if args.step:
            try:
                input()
            except EOFError:                                    # nobody is there to press Enter
                args.step = False
    return 0
