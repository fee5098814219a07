"""minis2s translate: answers to texts."""
import argparse
import sys

from ..api import answering, fitting, notes, speaking
from ..api.backends import ANSWERING, choose
from ..api.heads import maps_of
from ..api.seq2seq import Seq2Seq
from ..api.texts import check_characters, shown
from ..core.files import check_free, numbered
from ..data.text import control_character, is_blank, read_lines
from ..decoding import rough
from .streams import note

NAME, HELP = "translate", "translate texts, given as arguments or as lines on standard input"
EPILOG = """examples:
  minis2s translate runs/dates "the 3rd of May 1999"
  minis2s translate runs/dates "3 May 99" --beam 5 --nbest 3 --attention-map map.png
  minis2s translate runs/french < sentences.txt
  minis2s translate runs/addition -- "-5+3"      a text that begins with - stands after --
  minis2s translate runs/digits seven.wav --attention-map map.png     a sound, where the run reads sounds
  minis2s translate runs/voice "ni3 hao3" --out said        a run that writes sounds: said/1.wav

One line for each text: its answer.  With --nbest or --exact a line has columns, divided by TAB: answer, log p, score or
proof, and "cut off" where the answer reached --max-length.  With --nbest, if there are several texts, a column before
these has the number of the text (or of its line).  Notes about texts and answers go to standard error.
"""


class Former(argparse.Action):
    """A name that an option had: it works, and the present name is said."""

    def __call__(self, parser, namespace, value, option):
        setattr(namespace, self.dest, value)
        note(f"minis2s: {option} is now called --{self.dest.replace('_', '-')}")


def arguments(parser):
    """Run, texts, and how to decode."""
    parser.add_argument("path", metavar="RUN", help="directory of the run")
    parser.add_argument("texts", nargs="*", default=[], metavar="TEXT",
                        help="a text, or the path of a file where the run reads sounds, pictures or arrays; without "
                             "any: lines of standard input (UTF-8, no control characters but TAB); a blank text, also "
                             "of no-break or zero-width spaces, is answered by a blank line")
    parser.add_argument("--beam", type=int, default=None, metavar="K", help="hypotheses kept (default: 1, greedy)")
    parser.add_argument("--nbest", type=int, default=1, metavar="N",
                        help="answers shown, with log p and score (at most K of --beam; default: 1)")
    parser.add_argument("--length-penalty", type=float, default=1.0, metavar="X",
                        help="beams are ranked by log p / length^X (default: 1)")
    parser.add_argument("--precision", choices=tuple(rough.PRECISIONS),
                        help="at which kernels read the readout's weights, those of likely tokens in full, where up to "
                             "8 hypotheses are searched at once: faster for many words (default: all in full)")
    parser.add_argument("--max-length", type=int, metavar="N", help="most tokens of an answer (default: "
                        f"{answering.EXTRA} more than the longest target trained on)")
    parser.add_argument("--sample", action="store_true", help="draw a random answer")
    parser.add_argument("--temperature", type=float, metavar="X", help="of --sample (default: 1)")
    parser.add_argument("--top-k", type=int, metavar="N", help="of --sample: only the N most probable tokens (default: "
                                                               "all)")
    parser.add_argument("--top-p", type=float, metavar="X",
                        help="of --sample: only the most probable X of the mass (default: all)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of --sample (default: 0)")
    parser.add_argument("--exact", action="store_true", help="search for the provably most probable answer")
    parser.add_argument("--budget", type=int, metavar="N", help="of --exact: outputs begun at most")
    backend_option(parser)
    parser.add_argument("--attention-map", metavar="MAP.png",
                        help="draw the attention weights (of all texts, in one figure; .png or .svg); of a Transformer "
                             "those of each head of the last layer")
    parser.add_argument("--attention", dest="attention_map", action=Former, help=argparse.SUPPRESS)
    parser.add_argument("--out", metavar="DIR", help="folder for the sounds (or arrays) of a run that writes them: "
                                                     "1.wav, 2.wav, ... for the texts in their order (no default)")
    parser.add_argument("--overwrite", action="store_true", help="replace MAP.png, or files in DIR, if they exist")


def backend_option(parser):
    """The implementation that computes, for a model that is trained."""
    parser.add_argument("--backend", choices=ANSWERING,
                        help="implementation that computes: plain NumPy, which starts at once, or compiled kernels "
                             "(default: "
                             "MINIS2S_BACKEND, or NumPy for a few texts and kernels for many)")


def model_of(args):
    """The run's model, and as many threads as kernels shall use."""
    model = Seq2Seq.load(args.path, args.backend)
    choose(model.backend).use_threads(None)
    return model


def run(args):
    """Print an answer for each text; notes go to standard error."""
    how = options(args)
    model = model_of(args)
    check_map(args, model)
    texts, what = texts_of(args)
    check_out(args, model, texts)
    answers = answering.decode(model, texts, answering.checked(how, model), progress=True)
    if args.precision:
        note(f"minis2s: {rough.said(args.precision, how.beam)}")
    for line in notes.grouped(model, answers, what, shown=lambda i: shown(texts[i])):
        note(f"minis2s: {line.replace('max_length=N', '--max-length')}")
    paths = speaking.write(model, [best[0] for best in answers], args.out, args.overwrite) if args.out else []
    for path, best in zip(paths, answers):
        print(f"{path}\t{len(best[0].target):,} frames")
    for number, best in enumerate([] if paths else answers, 1):
        before = f"{number}\t" if how.nbest > 1 and (len(texts) > 1 or what == "line") else ""
        for a in best:
            print(before + "\t".join(columns(a, how)))
    if args.attention_map:
        draw_map(model, answers, args.attention_map)
    return 0


def options(args):
    """The answering.Options; ValueError for options that do not go together."""
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
    if args.precision and (args.sample or args.exact):
        raise ValueError("--precision goes with --beam, or with greedy search")
    if args.beam is not None and 1 <= args.beam < args.nbest:
        raise ValueError(f"--nbest {args.nbest} with --beam {args.beam}: a beam has no more answers than it keeps")
    how = answering.Options(max_length=args.max_length)
    if args.sample:
        return how._replace(method="sample", own=sampling, seed=args.seed)
    if args.exact:
        return how._replace(method="exact", own={} if args.budget is None else {"budget": args.budget})
    beam = args.beam if args.beam is not None else max(1, args.nbest)
    own = {"precision": args.precision} if args.precision else {}
    return how._replace(beam=beam, nbest=args.nbest, length_penalty=args.length_penalty, own=own)


def check_map(args, model):
    """Whether the picture can be drawn, before anything is computed for it."""
    if not args.attention_map:
        if args.overwrite and not args.out:
            raise ValueError("--overwrite goes with --attention-map or --out")
        return
    if model.config.context != "attention":
        raise ValueError("--attention-map: this model has no attention")
    import matplotlib.figure  # noqa: F401  refuses a wrong MPLBACKEND

    from ..viewer.plots.style import check_path
    check_path(args.attention_map, "--attention-map")
    check_free(args.attention_map, args.overwrite)


def check_out(args, model, texts):
    """Whether the folder fits the model, and its files can be written, before anything is computed for them."""
    if bool(args.out) != (model.config.target == "frames"):
        raise ValueError("--out: goes with a run that writes sounds or arrays; this one writes texts" if args.out else
                         f"--out DIR: wanted, as this run writes files ({model.target_units})")
    for i, text in enumerate(texts if args.out else (), start=1):
        if is_blank(text):
            raise ValueError(f"text {i} is blank, so there is nothing to say")
    if args.out:
        numbered(args.out, len(texts), f".{model.target_units}", args.overwrite)


def texts_of(args):
    """-> the texts, and what one is called: "text" of the arguments, or "line" of standard input."""
    for i, text in enumerate(args.texts, start=1):
        if control_character(text):
            raise ValueError(f"TEXT {i}: {control_character(text)}")
        check_characters(f"TEXT {i}", text)
    texts = args.texts or lines(sys.stdin)
    if all(map(is_blank, texts)):
        raise ValueError("no text: give TEXT, or lines on standard input")
    return texts, "text" if args.texts else "line"


def lines(stream):
    """Lines of standard input, by the rule of pairs files, whatever the locale makes of them."""
    if stream is None:                          # closed by whoever started us
        return []
    data = stream.buffer.read() if hasattr(stream, "buffer") else stream.read().encode()
    return read_lines(data, "standard input")


def columns(a, how):
    """What is printed of an answer."""
    if how.method != "exact" and how.nbest == 1:
        return [a.text]
    if how.method == "exact":
        last = "proven" if a.proven else "not proven, the budget is spent"
    else:
        last = f"{a.score:.4f}"
    if not len(a.source):
        return [a.text]                         # of a blank text nothing was computed
    return [a.text, f"{a.log_prob:.4f}", last] + ([] if a.finished else ["cut off"])


def draw_map(model, answers, path):
    """Draw the attention of the best answers in one figure; of a Transformer a row of heads for each text."""
    chosen = [best[0] for best in answers if best[0].alpha is not None]
    if not chosen:
        raise ValueError("--attention-map: no text was read, so there is nothing to draw")
    if model.config.architecture == "transformer":
        from ..viewer import plots
        maps, names = zip(*(maps_of(model, a) for a in chosen))
        plots.attention_grid(sum(maps, []), path, model.config.heads, sum(names, []))
    else:
        fitting.draw_attention(model, chosen, path)
    note(f"minis2s: attention drawn in {path}")
