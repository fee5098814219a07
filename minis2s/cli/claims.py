"""minis2s claims: all claims of the documents, a line each, with the verdicts of the full measurements that are at hand."""
import json
from pathlib import Path

from ..documents import claims

NAME, HELP = "claims", "list the claims of the documents that are experiments"
EPILOG = """examples:
  minis2s claims                          all claims, a line each
  minis2s claims --results figures/claims     with the verdicts of the results in this folder
  minis2s claim K3                        measure one"""


def arguments(parser):
    """Where results are."""
    parser.add_argument("--results", metavar="DIR", help="folder with K1.json and others, as `minis2s claim --out DIR` writes them")


def run(args):
    """Print the list."""
    if args.results is not None and not Path(args.results).is_dir():
        raise FileNotFoundError(f"{args.results}: no such folder")
    for key in claims.MODULES:
        c = claims.find(key)
        print(f"{key:<4} {c.title}  ({c.where})" + (told(Path(args.results) / f"{key}.json") if args.results else ""))
    return 0


def told(path):
    """The verdict of a result's file; ValueError where it is none."""
    if not path.exists():
        return ": not measured"
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        seeds = len(result["seeds"])
        return f": {result['verdict']} ({'full, ' if result['full'] else 'quick, '}{seeds} seed{'s' if seeds > 1 else ''})"
    except (ValueError, KeyError, TypeError) as e:
        raise ValueError(f"{path}: no result of `minis2s claim` ({e})") from None
