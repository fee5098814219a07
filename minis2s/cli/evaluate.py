"""minis2s evaluate: how good a trained model is."""
import io
import json
import math
import sys
from contextlib import redirect_stderr

from ..api.texts import fingerprint, text_pairs
from ..data.pairs import overlap
from .train import data, is_ours, read
from .translate import backend_option, model_of

SHARES = ("exact_match", "token_accuracy", "unknown_tokens", "character_error_rate", "token_error_rate")
NAME, HELP = "evaluate", "measure a trained model on held-out pairs"
EPILOG = """examples:
  minis2s evaluate runs/dates
  minis2s evaluate runs/french --pairs test.tsv --beam 5 --json
"""


def arguments(parser):
    """Run, pairs, and how to decode."""
    parser.add_argument("path", metavar="RUN", help="directory of the run")
    parser.add_argument("--pairs", metavar="FILE", help="test pairs; without it the task's own, or the held-out ones")
    parser.add_argument("--beam", type=int, default=1, metavar="K", help="hypotheses kept (default: 1, greedy)")
    parser.add_argument("--length-penalty", type=float, default=1.0, metavar="X",
                        help="beams are ranked by log p / length^X (default: 1)")
    backend_option(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args):
    """Print the metrics."""
    model = model_of(args)
    if args.pairs:
        pairs = read(args.pairs)
        count = seen(model, pairs)
        if count:
            print(f"minis2s: {count:,} of these {len(pairs.sources):,} pairs are not unseen: their sources stand in the training "
                  "pairs", file=sys.stderr)
    else:
        pairs = own_pairs(model)
    result = model.evaluate(pairs, beam=args.beam, length_penalty=args.length_penalty)
    if result["too_long"]:
        print(f"minis2s: {result['too_long']:,} pairs left out: more than {model.max_length:,} tokens on a side",
              file=sys.stderr)
    if args.json:
        print(json.dumps(finite(result), allow_nan=False))
        return 0
    for name, value in result.items():
        shown = f"{value:.2%}" if name in SHARES else f"{value:.4f}" if isinstance(value, float) else value
        print(f"{name.replace('_', ' '):<26}{shown}")
    if "chrf" not in result:
        print("BLEU and chrF need sacrebleu:  pip install 'minis2s[eval]'")
    return 0


def finite(result):
    """A result with None in place of numbers that JSON has not (infinite, not a number)."""
    return {name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in result.items()}


def seen(model, pairs):
    """How many of some pairs have a source that the model was trained on; 0 where its training pairs are not at hand."""
    try:
        with redirect_stderr(io.StringIO()):            # what there is to say of that file was said when it was trained on
            known = training_pairs(model)[0]
        return overlap(known, text_pairs("pairs", pairs))
    except (ValueError, OSError):
        return 0


def own_pairs(model):
    """The test pairs of the task that a run was trained on; of a pairs file, those held out for validation."""
    _, valid, test = training_pairs(model)
    return test or valid


def training_pairs(model):
    """The pairs that a run was trained on, those held out, and the task's test pairs or None; ValueError if they changed."""
    if not is_ours(model.origin):
        raise ValueError("--pairs FILE: name test pairs; this model was not trained by minis2s train")
    pairs, valid, test = data(model.origin)
    pairs, valid = text_pairs("pairs", pairs), text_pairs("valid", valid)
    if not isinstance(model.data, dict) or model.data.get("sha256") != fingerprint(pairs, valid):
        raise ValueError(f"{model.origin.get('task') or model.origin['pairs']}: these are not the pairs that the run was "
                         "trained on, so nobody knows which were held out; name test pairs with --pairs FILE")
    return pairs, valid, test
