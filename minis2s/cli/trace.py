"""minis2s trace: every number of every equation for one text."""
import os
import sys
from argparse import ArgumentTypeError

from ..api import answering
from ..api.seq2seq import Seq2Seq
from ..core.files import check_free, write_text
from ..data.batches import make_batch
from ..model import architectures
from ..viewer.trace import trace
from ..viewer.trace.marks import equations_of
from ..viewer.trace.show import equation_by_equation

NAME, HELP = "trace", "show every number that a model computes for one text, equation by equation"
EPILOG = """examples:
  minis2s trace --tiny cab --backward bac --html trace.html     a model of eight units, trained now
  minis2s trace runs/dates "3 May 99"
  minis2s trace runs/dates "3 May 99" --steps 1-2
  minis2s trace runs/dates "3 May 99" --backward 1999-05-03 --html trace.html

Without --backward the decoder is fed the model's own greedy answer, token by token, and nothing flows back.
With it, it is fed the target given, and the gradient of the loss follows. A line that begins with < is what
an equation reads, one with = what it gives.
"""


def arguments(parser):
    """Run, text, and what to show."""
    parser.add_argument("path", metavar="RUN", nargs="?", help="directory of the run")
    parser.add_argument("--tiny", action="store_true", help="in place of RUN: a model of eight units that reverses "
                        "texts of one to three letters a, b, c, trained now in about two seconds")
    parser.add_argument("text", metavar="TEXT", help="one source text, or the path of a file where the run reads files")
    parser.add_argument("--backward", metavar="TARGET", help="the right answer: trace loss and gradient too")
    parser.add_argument("--steps", metavar="A-B", type=steps, help="only steps t from A to B, counted from 1 "
                        "(what belongs to no single step is left out then)")
    parser.add_argument("--html", metavar="FILE", help="write one self-contained page instead of printing")
    parser.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")


def steps(text):
    """"1-3" or "2", counted from 1 -> range of indices."""
    first, dash, last = text.partition("-")
    if not first.isdecimal() or dash and not last.isdecimal() or int(first) < 1 or int(last or first) < int(first):
        raise ArgumentTypeError(f"{text!r}: wanted steps such as 1-3, or one such as 2; the first step is 1")
    return range(int(first) - 1, int(last or first))


def run(args):
    """Print the trace, or write the page."""
    if args.html:
        check_free(args.html, args.overwrite)
    elif args.overwrite:
        raise ValueError("--overwrite goes with --html")
    if bool(args.path) == args.tiny:
        raise ValueError("RUN or --tiny: wanted one of them, and TEXT")
    if args.tiny:
        from ..viewer.trace.tiny import tiny_model
    model = tiny_model() if args.tiny else Seq2Seq.load(args.path, backend="numpy")
    tr, source, target = of_pair(model, args.text, args.backward)
    if args.steps is not None:
        last = max(e.t for e in tr.entries if e.t is not None)
        if args.steps.start > last:
            raise ValueError(f"--steps {args.steps.start + 1}-{args.steps.stop}: the last step is {last + 1}")
    for side, name, tokens in ((model.source_vocab, "text", source), (model.target_vocab, "target", target)):
        unknown = [token for token in side.unknown(tokens) if model.config.readout != "copy" or token not in source]
        if unknown:
            print(f"minis2s: {name}: unknown to the model, read as <unk>: {' '.join(unknown)}", file=sys.stderr)
    if args.html:
        if args.steps is not None:
            tr = tr.steps(args.steps)
        name = "tiny" if args.tiny else os.path.basename(os.path.normpath(args.path))
        write_text(args.html, tr.html(f"{name}: {args.text}"))
        lines = len({e.execution for e in tr.entries})
        print(f"minis2s: {len(tr.entries):,} quantities of {lines:,} lines in {args.html}", file=sys.stderr)
        return 0
    writes = model.config.target == "frames"
    answer = f"{len(target)} frames" if writes else model.target_tokenizer.join(target)
    print(f"{args.text} → {answer}   loss {float(tr.loss.L.value):.4f} {'per frame' if writes else 'nats per token'}")
    for line in equation_by_equation(tr, equations_of(tr), steps=args.steps):
        print(line)
    return 0


def of_pair(model, text, target=None):
    """Trace a model on one pair: -> Trace, source tokens, target tokens.

    Without a target the model's greedy answer is the target, and there is no backward pass.
    """
    source = model.source_tokenizer.split(text)
    if not len(source):
        raise ValueError("TEXT: empty, wanted a source text")
    if target is None:
        answer, gradient = model.decode([text])[0][0].target, False
    else:
        answer, gradient = model.target_tokenizer.split(target), True
    x, y = answering.numbered(model, (source, answer))
    batch = make_batch([x], [y], model.config.reverse_source, model.config.dtype, model.config.frames_per_step or 1)
    labels = labelled(source, model.config.source, len(batch.source))
    fed = labels[::-1] if model.config.reverse_source else labels
    with trace(source=fed, target=labelled(answer, model.config.target, len(batch.targets))) as tr:
        _, _, cache = architectures.forward(model.params, model.config, batch)
        if gradient:
            architectures.backward(model.params, model.config, cache)
    return tr, source, answer


def labelled(side, kind, count):
    """Names of so many steps: the tokens themselves, or for frames the steps' numbers."""
    return [f"step {i + 1}" for i in range(count)] if kind == "frames" else side
