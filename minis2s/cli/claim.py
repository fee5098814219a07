"""minis2s claim: run the experiment of one of the documents' claims, and say whether the claim holds."""
import os
import platform
import subprocess
import sys
from pathlib import Path

import numpy as np

from .. import __version__
from ..core import validation
from ..core.files import check_free, write_text
from ..documents import claims
from ..documents.claims import claim as form

NAME, HELP = "claim", "measure whether a claim of the documents holds: K1 to K12, P13, P16"
EPILOG = """examples:
  minis2s claim                           all claims, a line each
  minis2s claim K3                        a minute at most on two cores, one seed
  minis2s claim K3 --seeds 3              the same sizes with three seeds, so with intervals
  minis2s claim K3 --full --out figures/claims    three seeds and the sizes of the table, with picture and JSON

Models are small: where several threads of NumPy's own products would only wait for one another, as on a busy machine,
set OPENBLAS_NUM_THREADS=1; the result says whether it was set."""
FULL_SEEDS = (0, 1, 2)


def arguments(parser):
    """Which claim, how thoroughly, and where to write."""
    parser.add_argument("claim", nargs="?", metavar="K", help=f"one of {', '.join(claims.MODULES)} (default: list "
                                                              f"them)")
    thoroughness(parser)


def thoroughness(parser):
    """How thoroughly to measure, and where to write."""
    parser.add_argument("--full", action="store_true", help="several seeds and larger sizes (minutes)")
    parser.add_argument("--seeds", type=int, metavar="N", help="seeds 0 to N-1 (default: 1; with --full 3)")
    parser.add_argument("--out", metavar="DIR", help="write picture (png, svg) and JSON into this folder")
    parser.add_argument("--overwrite", action="store_true", help="replace these files")
    parser.add_argument("--json", action="store_true", help="print the result as one line of JSON")


def run(args):
    """List, or measure and print."""
    if args.claim is None:
        for key in claims.MODULES:
            c = claims.find(key)
            print(f"{key:<4} {c.title}  ({c.where})")
        return 0
    claim = claims.find(args.claim)
    return conduct(claim, args, f"minis2s claim {claim.id}")


def conduct(claim, args, command):
    """Measure, decide, print and write: -> exit status."""
    if args.seeds is not None:
        validation.whole("seeds", args.seeds, 1, 1000)
    seeds = tuple(range(args.seeds)) if args.seeds else FULL_SEEDS if args.full else (0,)
    files = places(args, claim)
    if not args.json:
        introduce(claim)
    result = {**measure(claim, claims.Plan(args.full, seeds)), **provenance(command, args)}
    if args.json:
        print(form.as_json(result))
    else:
        print("\n".join(f"  {sentence}" for sentence in result["because"]))
        print(f"\nverdict: the claim {result['verdict']}" + ("" if args.full else
              f" ({len(seeds)} seed{'s' if len(seeds) > 1 else ''}, small sizes; --full measures more)"))
    write(result, files)
    return 0


def provenance(command, args):
    """By which command, code and machine a result came about."""
    threads = {name: os.environ[name] for name in ("OPENBLAS_NUM_THREADS", "MINIS2S_THREADS") if name in os.environ}
    options = (" --full" if args.full else "") + (f" --seeds {args.seeds}" if args.seeds else "")
    return {"command": command + options, "environment": threads, "version": __version__, "commit": commit(),
            "machine": processor(), "python": platform.python_version(), "numpy": np.__version__}


def commit():
    """The commit of the checkout that this code stands in; None where it is installed, or there is no git."""
    def git(*words):
        done = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
        return done.stdout.strip()
    try:
        git("ls-files", "--error-unmatch", Path(__file__).name)    # not of a repository around an installed package
        return git("rev-parse", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        return None


def processor():
    """The processor's name as the system tells it."""
    try:
        rows = Path("/proc/cpuinfo").read_text().splitlines()
        names = [row.split(":", 1)[1].strip() for row in rows if "model name" in row]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def places(args, claim):
    """The files to write, looked at before anything is measured: -> {suffix: path}, or {}."""
    if args.out is None:
        return {}
    folder = Path(args.out)
    folder.mkdir(parents=True, exist_ok=True)
    files = {suffix: folder / f"{claim.id}{suffix}" for suffix in (".json", ".png", ".svg")}
    for path in files.values():
        check_free(path, args.overwrite)
    return files


def introduce(claim):
    """What is claimed, what is known, what will be measured, and the rule of the verdict."""
    print(f"{claim.id}: {claim.title}\n\nThe document says ({claim.where}):\n  {claim.words}\n\nWhat is known:\n  "
          f"{claim.known}\n\nThe experiment:\n  {claim.design}\n\nThe rule, fixed before measuring:\n  "
          f"{claim.rule}\n", flush=True)


def measure(claim, plan):
    """Run with a progress bar on standard error."""
    from tqdm import tqdm
    with tqdm(total=100, unit="%", disable=None, file=sys.stderr, dynamic_ncols=True,
              bar_format="{l_bar}{bar}| {elapsed} {postfix}") as bar:
        def tick(share, text):
            bar.set_postfix_str(text)
            bar.update(max(0, round(100 * share) - bar.n))
        return claims.run(claim, plan, tick)


def write(result, files):
    """The result as JSON, and its picture."""
    if files:
        from ..viewer.claims import figure
        write_text(files[".json"], form.as_json(result) + "\n")
        for suffix in (".png", ".svg"):
            figure(result, files[suffix])
        print(f"written: {', '.join(str(path) for path in files.values())}", file=sys.stderr)
