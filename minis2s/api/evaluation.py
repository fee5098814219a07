"""How good a model is: its answers against references, and its losses."""
import math

from ..training import loop, metrics
from . import answering
from .backends import choose


def evaluate(model, pairs, beam, length_penalty):
    """See `Seq2Seq.evaluate`."""
    references = {}
    for x, y in pairs:
        references.setdefault(x, []).append(model.target_tokenizer.normal(y))
    how = answering.checked(answering.Options(beam=beam, length_penalty=length_penalty), model.lengths)
    answers = [best[0].text for best in answering.decode(model, list(references), how)]
    right = list(references.values())
    v = loop.validate(model.params, model.config, model._encode(pairs), backend=choose(model.backend))
    return {
        "pairs": len(pairs), "sources": len(references), "beam": beam,
        "exact_match": metrics.exact_match(answers, right), "token_accuracy": v.token_accuracy,
        "character_error_rate": metrics.character_error_rate(answers, right),
        "nll_teacher_forced": v.loss_teacher_forced, "perplexity_teacher_forced": safe_exp(v.loss_teacher_forced),
        "nll_free_running": v.loss_free_running, "perplexity_free_running": safe_exp(v.loss_free_running),
        **metrics.corpus_scores(answers, right)}


def safe_exp(x):
    """exp(x), infinite where it would overflow."""
    return math.exp(x) if x < 700 else math.inf
