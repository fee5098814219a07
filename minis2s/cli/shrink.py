"""minis2s shrink: make a smaller run from a run, by fewer bits and by zeros."""
from ..api.backends import backend_for, choose
from ..api.seq2seq import Seq2Seq
from ..training.pruning import SCHEMES
from ..training.quantization import PER
from . import sources

NAME, HELP = "shrink", "make a smaller run: fewer bits for each weight, and weights that are zero"
EPILOG = """examples:
  minis2s shrink runs/dates --bits 8 --out runs/dates-8bit          a quarter of the size
  minis2s shrink runs/dates --bits 4 --prune 0.5 --out runs/small
  minis2s shrink runs/dates --prune 0.8 --retrain 1 --out runs/sparse      trained on, what is 0 stays 0
  minis2s evaluate runs/small                                       `translate` and `evaluate` read it as any run

`minis2s claim K10` measures what each of these costs.  A smaller student of another Config learns from a run with
`minis2s train TASK --teacher RUN`."""


def arguments(parser):
    """The run, how to shrink it, where to."""
    parser.add_argument("path", metavar="RUN", help="directory of the run")
    parser.add_argument("--bits", type=int, metavar="N", help="of each number of a matrix, from 1 to 8 (default: as "
                                                              "they are)")
    parser.add_argument("--per", choices=PER, default="channel",
                        help="a scale for each column of a matrix (channel) or for each matrix (default: channel)")
    parser.add_argument("--prune", type=float, default=0.0, metavar="X",
                        help="share of the numbers of all matrices that become 0 (default: 0)")
    parser.add_argument("--scheme", choices=SCHEMES, default="blind",
                        help="which are the smallest: of all, of each matrix, or in units of its deviation (default: "
                             "blind)")
    parser.add_argument("--retrain", type=int, default=0, metavar="N",
                        help="train on for N epochs with the zeros held at 0 (default: 0)")
    parser.add_argument("--out", required=True, metavar="DIR", help="directory of the smaller run")
    parser.add_argument("--overwrite", action="store_true", help="replace the run in DIR")


def run(args):
    """Shrink, and say how much smaller the file is."""
    from ..api import shrinking
    recipe = shrinking.Recipe(args.bits, args.per, args.prune, args.scheme, args.retrain)
    pairs = backend = None
    if args.retrain:
        model = Seq2Seq.load(args.path)
        if not sources.is_reproducible(model.origin):
            raise ValueError("--retrain: this model was not trained by minis2s train, so its pairs are not known")
        pairs = sources.located(model.origin, model.data, args.path)[1][:2]
        backend = backend_for(model.config, otherwise="numba")
        choose(backend).use_threads(None)
    done = shrinking.shrink(args.path, args.out, recipe, args.overwrite, pairs, True, backend)
    print(f"weights.safetensors: {done.before:,} -> {done.after:,} bytes ({done.after / done.before:.2f} x); "
          f"{done.zeros:.1%} of the matrices' numbers are 0\nsaved in {args.out}\n"
          f"measure with:  minis2s evaluate {args.out}")
    return 0
