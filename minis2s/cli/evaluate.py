"""minis2s evaluate: how good a trained model is."""
import json
import math

from ..api import evaluation
from ..api.seq2seq import Seq2Seq
from ..api.speaking import check_recogniser
from ..api.texts import text_pairs
from ..data.frames import content
from ..data.pairs import overlap
from ..tasks import TASKS
from . import sources
from .streams import note
from .translate import backend_option, model_of

SHARES = ("exact_match", "token_accuracy", "unknown_tokens", "character_error_rate", "token_error_rate",
          "stop_accuracy", "finished", "length_error", "read_back_error_rate", "read_back_exact_match",
          "read_back_error_rate_targets", "read_back_exact_match_targets")
NAME, HELP = "evaluate", "measure a trained model on held-out pairs"
EPILOG = """examples:
  minis2s evaluate runs/dates
  minis2s evaluate runs/french --pairs test.tsv --beam 5 --json
  minis2s evaluate runs/voice --recogniser runs/syllables     what another run hears in the sounds that this one writes
"""


def arguments(parser):
    """Run, pairs, and how to decode."""
    parser.add_argument("path", metavar="RUN", help="directory of the run")
    parser.add_argument("--pairs", metavar="FILE", help="test pairs; without it the task's own, or the held-out ones")
    parser.add_argument("--beam", type=int, default=1, metavar="K", help="hypotheses kept (default: 1, greedy)")
    parser.add_argument("--length-penalty", type=float, default=1.0, metavar="X",
                        help="beams are ranked by log p / length^X (default: 1)")
    parser.add_argument("--recogniser", metavar="RUN2",
                        help="of a run that writes sounds: another run, which reads them back (default: no run does)")
    backend_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args):
    """Print the metrics."""
    model, recogniser = model_of(args), Seq2Seq.load(args.recogniser) if args.recogniser else None
    check_recogniser(model, recogniser)
    pairs = named_pairs(model, args) if args.pairs else own_pairs(model, args.path)
    task = TASKS.get(model.origin.get("task")) if not args.pairs else None
    result = evaluation.evaluate(model, text_pairs("pairs", pairs), args.beam, args.length_penalty, progress=True,
                                 judge=task and task.judge, recogniser=recogniser)
    if result["too_long"]:
        note(f"minis2s: {result['too_long']:,} pairs left out: more than {model.max_length:,} tokens on a side")
    if args.json:
        print(json.dumps(finite(result), allow_nan=False))
        return 0
    wide = 32 if model.config.target == "frames" else 26
    for name, share in result.pop("right", {}).items():
        print(f"{'right by the checker' if name == 'all' else '  ' + name:<{wide}}{share:.2%}")
    for name, value in result.items():
        shown = f"{value:.2%}" if name in SHARES else f"{value:.4f}" if isinstance(value, float) else value
        print(f"{name.replace('_', ' '):<{wide}}{shown}")
    if "chrf" not in result and "finished" not in result:
        print("BLEU and chrF need sacrebleu:  pip install 'minis2s[eval]'")
    return 0


def contents(pairs):
    """Pairs with what is in a source's file in place of its path."""
    return [(content(source), target) for source, target in pairs]


def finite(result):
    """A result with None in place of numbers that JSON has not (infinite, not a number)."""
    return {name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in result.items()}


def own_pairs(model, run):
    """The test pairs of the task that a run was trained on; of a pairs file, those held out for validation."""
    if not sources.is_reproducible(model.origin):
        raise ValueError("--pairs FILE: name test pairs; this model was not trained by minis2s train")
    try:
        _, valid, test = sources.located(model.origin, model.data, run)[1]
    except FileNotFoundError:
        raise
    except ValueError as e:
        raise ValueError(f"{e}, so nobody knows which were held out; name test pairs with --pairs FILE") from None
    return test or valid


def named_pairs(model, args):
    """The pairs of a file; of the file that the run was trained on, those held out.

    A file is recognized by its content, wherever it is.  It is said how many pairs are not unseen.
    """
    pairs = text_pairs("pairs", sources.read(args.pairs, files=model._files))
    if not sources.is_reproducible(model.origin):
        return pairs
    if model.origin.get("pairs") and not model.origin["valid"]:
        try:
            held_out = sources.located(model.origin, model.data, args.path, {"pairs": args.pairs})[1][1]
        except (OSError, ValueError):
            pass                                        # another file
        else:
            note(f"minis2s: {args.pairs} is the file that the run was trained on; its {len(held_out):,} held-out pairs "
                 f"are scored")
            return held_out
    try:
        known = sources.located(model.origin, model.data, args.path)[1][0]
    except (OSError, ValueError):
        note("minis2s: the pairs that the run was trained on are not at hand, so it is not known whether these are "
             "unseen")
        return pairs
    count = overlap(*(contents(part) if model._files[0] else part for part in (known, pairs)), model.lowercase)
    if count:
        note(f"minis2s: {count:,} of these {len(pairs):,} pairs are not unseen: their sources stand in the training "
             f"pairs")
    return pairs
