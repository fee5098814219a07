"""minis2s bench: how fast this machine computes, by NumPy, by the compiled kernels, by PyTorch."""
import json
import math
import sys

from .. import bench
from ..bench import cases, table
from ..core.backend import MOST_THREADS

NAME, HELP = "bench", "measure speed: NumPy, compiled kernels, and PyTorch where it is installed"
EPILOG = """cases:
  layer    a recurrent layer, forward and backward         beam     beam search with five hypotheses
  ragged   the same, sequences of different lengths        growth   time against T, B, H and V
  step     a whole training step                           memory   of a training step
  decode   greedy search                                   int8     greedy, the compiled readout at one byte

examples:
  minis2s bench --quick               a minute: small layers, steps and searches
  minis2s bench                       all cases, one thread (some minutes; leave the machine alone meanwhile)
  minis2s bench layer --cell gru --threads 2
  minis2s bench step --first 2 --markdown
  minis2s bench step --profile        where the time of a training step goes
  minis2s bench --json >> figures/speed.jsonl     what README's table and the pictures of speed are made of"""


QUICK_ROUNDS, QUICK_SECONDS = 5, 0.05


def arguments(parser):
    """What to measure, how long, and how to say it."""
    parser.add_argument("cases", nargs="*", metavar="CASE",
                        help=f"of {', '.join(bench.NAMES)} (default: all)")
    parser.add_argument("--cell", choices=cases.CELLS, default="lstm", help="of the layers (default: lstm)")
    parser.add_argument("--first", type=int, metavar="N", help="only the first N sizes of each case")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of every side (default: 1)")
    parser.add_argument("--rounds", type=int, default=7, metavar="N",
                        help="turns that each side takes (default: 7)")
    parser.add_argument("--seconds", type=float, default=0.1, metavar="X",
                        help="length of a turn (default: 0.1)")
    parser.add_argument("--quick", action="store_true",
                        help="the first sizes of layer, step and decode, in about a minute")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object for each case")
    form.add_argument("--markdown", action="store_true", help="a table for a README, of the cases with times")
    form.add_argument("--profile", action="store_true",
                      help="share of time by part, of the compiled kernels")


def run(args):
    """Measure and print."""
    wrong = [name for name in args.cases if name not in bench.NAMES]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: choose of {', '.join(bench.NAMES)}")
    for name in ("first", "threads", "rounds"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ValueError(f"--{name}={value}: wanted 1 or more")
    if args.threads > MOST_THREADS:
        raise ValueError(f"--threads={args.threads}: wanted 1 .. {MOST_THREADS}")
    if not (math.isfinite(args.seconds) and args.seconds >= 0):
        raise ValueError(f"--seconds={args.seconds}: wanted a number of seconds, 0 or more")
    timed = [name for name in bench.NAMES if name in table.WORDS]
    if args.profile or args.markdown:
        option = "--profile" if args.profile else "--markdown"
        refused = [name for name in args.cases if name not in timed]
        if refused:
            raise ValueError(f"{option}: not for {', '.join(refused)}, only for {', '.join(timed)}")
    names = args.cases or (timed if args.profile or args.markdown else bench.NAMES)
    if args.quick:
        if args.cases or args.first:
            raise ValueError("--quick chooses cases and sizes itself; name none")
        chosen = [case for name, first in cases.QUICK.items() for case in bench.chosen([name], args.cell, first)]
        args.rounds, args.seconds = min(args.rounds, QUICK_ROUNDS), min(args.seconds, QUICK_SECONDS)
    else:
        chosen = bench.chosen(dict.fromkeys(names), args.cell, args.first)
    return profile(chosen, args.threads) if args.profile else measure(chosen, args)


def measure(chosen, args):
    """Print each row when it is there, or a table at the end."""
    from tqdm import tqdm
    if not (args.json or args.markdown):
        clock = "processor time" if args.threads == 1 else "time on the wall"
        print(f"{bench.machine()}\n{clock} of one call, with {args.threads} thread{'s'[:args.threads > 1]}; "
              "in brackets the time over Numba's [quartiles]", flush=True)
    rows = []
    with tqdm(total=len(chosen), unit="case", disable=None, file=sys.stderr, dynamic_ncols=True) as bar:
        for case in chosen:
            bar.set_postfix_str(f"{case['case']} {table.sizes(case) or case['of']}")
            rows.append(bench.run(case, args.threads, args.rounds, args.seconds))
            bar.update(1)
            if not args.markdown:
                bar.write(json.dumps(rows[-1]) if args.json else table.lines(rows[-1]), file=sys.stdout)
                sys.stdout.flush()
    if args.markdown:
        print(f"{table.machines(rows)}\n\n{table.markdown(rows)}", end="")
    return 0


def profile(chosen, threads):
    """Print each case's parts that take 1 % or more."""
    for case in chosen:
        print(f"{table.name(case)} {table.sizes(case)}")
        for share, seconds, part in bench.profile(case, threads):
            if share >= 0.01:
                print(f"  {share:6.1%}  {table.short(seconds):>8}  {part}", flush=True)
    return 0
