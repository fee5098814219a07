"""minis2s evaluate: how good a trained model is."""
import json

from ..api.texts import fingerprint, text_pairs
from .train import data, is_ours, read
from .translate import backend_option, model_of

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
    else:
        pairs = own_pairs(model)
    result = model.evaluate(pairs, beam=args.beam, length_penalty=args.length_penalty)
    if args.json:
        print(json.dumps(result))
        return 0
    for name, value in result.items():
        per_cent = name in ("exact_match", "token_accuracy", "character_error_rate")
        shown = f"{value:.2%}" if per_cent else f"{value:.4f}" if isinstance(value, float) else value
        print(f"{name.replace('_', ' '):<26}{shown}")
    if "bleu" not in result:
        print("BLEU and chrF need sacrebleu:  pip install 'minis2s[eval]'")
    return 0


def own_pairs(model):
    """The test pairs of the task that a run was trained on; of a pairs file, those held out for validation."""
    if not is_ours(model.origin):
        raise ValueError("--pairs FILE: name test pairs; this model was not trained by minis2s train")
    pairs, valid, test = data(model.origin)
    if not isinstance(model.data, dict) or model.data.get("sha256") != fingerprint(text_pairs("pairs", pairs),
                                                                                   text_pairs("valid", valid)):
        raise ValueError(f"{model.origin.get('task') or model.origin['pairs']}: these are not the pairs that the run was "
                         "trained on, so nobody knows which were held out; name test pairs with --pairs FILE")
    return test or valid
