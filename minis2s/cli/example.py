"""`minis2s example W1`: a worked example of the documents, every quantity by its name there."""
from pathlib import Path

from ..core import validation
from ..documents import examples

NAME, HELP = "example", "run a worked example of the documents, number by number"
EPILOG = """examples:
  minis2s example              which examples there are
  minis2s example W1           one of them, to read with the document beside it
  minis2s example W7 --seed 3  with other random weights and data
  minis2s example W3 --out figures/w3   also draw its picture there"""


def arguments(parser):
    """Add this command's arguments to an argparse parser."""
    parser.add_argument("name", nargs="?", metavar="NAME", help="W1 .. W8; without it, a list of all")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="for weights and data (default: 0)")
    parser.add_argument("--out", metavar="DIR", help="draw the example's picture into this directory (W3)")
    parser.add_argument("--overwrite", action="store_true", help="replace a picture that is there already")


def run(args):
    """Run the example and print its report: -> 0.

    Raises
    ------
    ValueError
        There is no such example, it has no picture to draw, or the seed is negative.
    FileExistsError
        The picture is there already.
    """
    validation.whole("--seed", args.seed, 0)
    if args.name is None:
        if args.out is not None or args.overwrite or args.seed:
            raise ValueError("which example?  " + ", ".join(examples.MODULES))
        print("\n".join(examples.listing()))
        return 0
    module = examples.find(args.name)
    if args.overwrite and args.out is None:
        raise ValueError("--overwrite: wanted --out DIR, too")
    path = None
    if args.out is not None:
        path = picture(module, args.name.upper(), Path(args.out), args.overwrite)
    result = module.run(args.seed)
    print("\n".join(module.report(result)))
    if path:
        from ..viewer import plots
        path.parent.mkdir(parents=True, exist_ok=True)
        plots.attention_map(**module.picture(result), path=path)
        print(f"\npicture: {path}")
    return 0


def picture(module, name, folder, overwrite):
    """Where the picture goes; asked before the example runs."""
    if not hasattr(module, "PICTURE"):
        with_one = [key for key in examples.MODULES if hasattr(examples.find(key), "PICTURE")]
        raise ValueError(f"--out: {name} draws no picture; {', '.join(with_one)} does")
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"--out: {folder} is a file, wanted a directory")
    path = folder / module.PICTURE
    if path.exists() and not overwrite:
        raise FileExistsError(f"{path}: exists already; replace it with --overwrite")
    return path
