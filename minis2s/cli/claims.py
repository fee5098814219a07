"""minis2s claims: all claims of the documents, a line each, with the verdicts of results that are at hand."""
from ..documents import claims

NAME, HELP = "claims", "list the claims of the documents that are experiments"
EPILOG = """examples:
  minis2s claims                          all claims, a line each
  minis2s claims --results figures/claims     with the verdicts of the results in this folder
  minis2s claim K3                        measure one"""


def arguments(parser):
    """Where results are."""
    parser.add_argument("--results", metavar="DIR", help="folder with K1.json and others, as `minis2s claim --out DIR` "
                                                         "writes them")


def run(args):
    """Print the list."""
    from ..documents.claims import results
    found = results.read(args.results) if args.results is not None else None
    for key in claims.MODULES:
        c = claims.find(key)
        verdict = ": not measured" if key not in (found or {}) else (
            f": {found[key]['verdict']} ({results.size(found[key])})")
        shown = "" if found is None else verdict
        print(f"{key:<4} {c.title}  ({c.where}){shown}")
    return 0
