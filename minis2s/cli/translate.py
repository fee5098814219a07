"""minis2s translate: answers to texts."""
import sys

from ..api.backends import BACKENDS, choose
from ..api.seq2seq import Seq2Seq, attention_of
from ..core.files import check_free
from ..data.text import control_character, is_blank, read_lines

NAME, HELP = "translate", "translate texts, given as arguments or as lines on standard input"
EPILOG = """examples:
  minis2s translate runs/dates "the 3rd of May 1999"
  minis2s translate runs/dates "3 May 99" --beam 5 --nbest 3 --attention map.png
  minis2s translate runs/french < sentences.txt
  minis2s translate runs/addition -- "-5+3"      a text that begins with - stands after --
"""


def arguments(parser):
    """Run, texts, and how to decode."""
    parser.add_argument("path", metavar="RUN", help="directory of the run")
    parser.add_argument("texts", nargs="*", default=[], metavar="TEXT",
                        help="without any: lines of standard input (UTF-8, no control characters but TAB); a blank text, also "
                             "of no-break or zero-width spaces, is answered by a blank line")
    parser.add_argument("--beam", type=int, default=None, metavar="K", help="hypotheses kept (default: 1, greedy)")
    parser.add_argument("--nbest", type=int, default=1, metavar="N",
                        help="answers shown, with log p and score (at most K of --beam)")
    parser.add_argument("--length-penalty", type=float, default=1.0, metavar="X",
                        help="beams are ranked by log p / length^X (default: 1)")
    parser.add_argument("--max-length", type=int, metavar="N", help="most tokens of an answer")
    parser.add_argument("--sample", action="store_true", help="draw a random answer")
    parser.add_argument("--temperature", type=float, metavar="X", help="of --sample (default: 1)")
    parser.add_argument("--top-k", type=int, metavar="N", help="of --sample: only the N most probable tokens")
    parser.add_argument("--top-p", type=float, metavar="X", help="of --sample: only the most probable X of the mass")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of --sample (default: 0)")
    parser.add_argument("--exact", action="store_true", help="search for the provably most probable answer")
    parser.add_argument("--budget", type=int, metavar="N", help="of --exact: outputs begun at most")
    backend_option(parser)
    parser.add_argument("--attention", metavar="MAP.png",
                        help="draw the attention weights (of all texts, in one figure)")
    parser.add_argument("--overwrite", action="store_true", help="replace MAP.png if it exists")


def backend_option(parser):
    """Who computes, for a model that is trained."""
    parser.add_argument("--backend", choices=BACKENDS,
                        help="implementation that computes: plain NumPy, which starts at once, or compiled kernels, for many "
                             "texts (default: MINIS2S_BACKEND, or numpy)")


def model_of(args):
    """The run's model, and as many threads as kernels shall use."""
    model = Seq2Seq.load(args.path, args.backend)
    choose(model.backend).use_threads(None)
    return model


def run(args):
    """Print an answer for each text; notes go to standard error."""
    model = model_of(args)
    if args.attention:
        check_free(args.attention, args.overwrite)
    elif args.overwrite:
        raise ValueError("--overwrite goes with --attention")
    if args.attention and model.config.context != "attention":
        raise ValueError("--attention: this model has no attention")
    method, options = how(args)
    texts = args.texts or lines(sys.stdin)
    for i, text in enumerate(args.texts, start=1):
        if control_character(text):
            raise ValueError(f"TEXT {i}: {control_character(text)}")
    asked = [text for text in texts if not is_blank(text)]
    if not asked:
        raise ValueError("no text: give TEXT, or lines on standard input")
    answers = model.decode(asked, method=method, max_length=args.max_length, **options)
    coming = iter(answers)
    for text in texts:
        if is_blank(text):
            print()                             # so that the lines of a file and of its translation go together
            continue
        best = next(coming)
        for note in best[0].notes:
            print(f"minis2s: {text!r}: {note}", file=sys.stderr)
        for a in best:
            if method == "exact":
                proven = "proven" if a.proven else "not proven, the budget is spent"
                print(f"{a.text}\t{a.log_prob:.4f}\t{proven}")
            elif args.nbest > 1:
                print(f"{a.text}\t{a.log_prob:.4f}\t{a.score:.4f}")
            else:
                print(a.text)
    if args.attention:
        from ..viewer import plots
        plots.attention_grid([attention_of(best[0]) for best in answers], args.attention)
        print(f"minis2s: attention drawn in {args.attention}", file=sys.stderr)
    return 0


def how(args):
    """-> method, options of Seq2Seq.decode; ValueError for options that do not go together."""
    if args.sample + args.exact + (args.beam is not None) > 1:
        raise ValueError("--beam, --sample, --exact: choose one")
    sampling = {k: getattr(args, k) for k in ("temperature", "top_k", "top_p") if getattr(args, k) is not None}
    if sampling and not args.sample:
        raise ValueError(f"--{next(iter(sampling)).replace('_', '-')} goes with --sample")
    if args.budget is not None and not args.exact:
        raise ValueError("--budget goes with --exact")
    if args.nbest != 1 and (args.sample or args.exact):
        raise ValueError("--nbest goes with --beam")
    if args.length_penalty != 1 and (args.sample or args.exact):
        raise ValueError("--length-penalty goes with --beam")
    if args.beam is not None and 1 <= args.beam < args.nbest:
        raise ValueError(f"--nbest {args.nbest} with --beam {args.beam}: a beam has no more answers than it keeps")
    if args.sample:
        return "sample", {**sampling, "seed": args.seed}
    if args.exact:
        return "exact", {} if args.budget is None else {"budget": args.budget}
    beam = args.beam if args.beam is not None else max(1, args.nbest)
    return "beam", {"beam": beam, "nbest": args.nbest, "length_penalty": args.length_penalty}


def lines(stream):
    """Lines of standard input, by the rule of pairs files, whatever the locale makes of them."""
    if stream is None:                          # closed by whoever started us
        return []
    data = stream.buffer.read() if hasattr(stream, "buffer") else stream.read().encode()
    return read_lines(data, "standard input")
