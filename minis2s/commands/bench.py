"""minis2s bench: how fast this machine computes, by NumPy, by the compiled kernels, by PyTorch."""
import json

from .. import bench

NAME, HELP = "bench", "measure speed: NumPy, compiled kernels, and PyTorch where it is installed"
EPILOG = """examples:
  minis2s bench                       all cases, one thread (some minutes)
  minis2s bench layer --cell gru --threads 2
  minis2s bench step --first 2 --json
  minis2s bench step --profile        where the time of a training step goes"""


def arguments(parser):
    """What to measure, and how long."""
    parser.add_argument("cases", nargs="*", metavar="CASE", help="of layer, step, decode (default: all)")
    parser.add_argument("--cell", choices=("lstm", "gru", "rnn"), default="lstm",
                        help="of the layers (default: lstm)")
    parser.add_argument("--first", type=int, metavar="N", help="only the N smallest sizes of each case")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of every side (default: 1)")
    parser.add_argument("--rounds", type=int, default=7, metavar="N",
                        help="turns that each side takes (default: 7)")
    parser.add_argument("--seconds", type=float, default=0.1, metavar="X",
                        help="length of a turn (default: 0.1)")
    parser.add_argument("--json", action="store_true", help="one JSON object for each case")
    parser.add_argument("--profile", action="store_true",
                        help="share of time by part, of the compiled kernels")


def run(args):
    """Measure and print a table."""
    wrong = set(args.cases) - {"layer", "step", "decode"}
    if wrong:
        raise ValueError(f"{', '.join(sorted(wrong))}: choose of layer, step, decode")
    for name in ("first", "threads", "rounds"):
        value = getattr(args, name)
        if value is not None and value < 1:
            raise ValueError(f"--{name}={value}: wanted 1 or more")
    chosen = bench.cases(args.cases or ["layer", "step", "decode"], args.cell, args.first)
    if args.profile:
        return profile(chosen)
    peak = bench.peak()
    if not args.json:
        print(f"{bench.machine()}\npeak of one core: {2e-9 * peak:.0f} GFLOP/s in float32\n"
              f"times of one call, with {args.threads} thread{'s'[:args.threads > 1]}; "
              "in brackets the time over Numba's [quartiles]")
    for case in chosen:
        row = bench.measure(case, args.threads, args.rounds, args.seconds)
        row["share_of_peak"] = bench.share_of_peak(row, peak)
        print(json.dumps(row) if args.json else line(row), flush=True)
    return 0


def line(row):
    """One row of the table."""
    sizes = " ".join(f"{letter}={row[letter]}" for letter in "VTNDH" if letter in row)
    name = f"{row['case']} {row['cell'] if row['case'] == 'layer' else ''}".strip()
    parts = [f"{name:<11}{sizes:<24}"]
    for side, m in row["sides"].items():
        low, middle, high = m["ratio"]
        told = "" if side == "numba" else f" ({middle:.2f} [{low:.2f}, {high:.2f}])"
        parts.append(f"{side} {1e3 * m['seconds']:.3f} ms{told}")
    share = row["share_of_peak"]
    return "  ".join(parts) + (f"  {share:.0%} of peak" if share else "")


def profile(chosen):
    """Print each case's parts that take 1 % or more."""
    for case in chosen:
        print(" ".join(f"{key}={value}" for key, value in case.items()))
        for share, seconds, part in bench.profile(case):
            if share >= 0.01:
                print(f"  {share:6.1%}  {1e3 * seconds:9.3f} ms  {part}")
    return 0
