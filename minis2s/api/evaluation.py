"""How good a model is: its answers against references, and its losses."""
import math

from ..data import corpus as corpora
from ..training import loop, metrics
from . import answering
from .backends import choose_for_texts
from .display import Bar


def evaluate(model, pairs, beam, length_penalty, progress=False):
    """See `Seq2Seq.evaluate`; with `progress` there are bars on standard error, if that is a terminal."""
    pairs, tokens, left_out = short_enough(model, pairs)
    references = {}
    for (x, y), (_, cut) in zip(pairs, tokens):
        references.setdefault(x, []).append((y, cut))
    how = answering.checked(answering.Options(beam=beam, length_penalty=length_penalty), model.lengths)
    best = [answers[0] for answers in answering.decode(model, list(references), how, progress)]
    answers, right = [a.text for a in best], list(references.values())
    said = [[model.target_tokenizer.join(cut) for _, cut in one] for one in right]      # in the form that answers have
    ids = [(model.source_vocab.encode(s), model.target_vocab.encode(t), x) for (s, t), (x, _) in zip(tokens, pairs)]
    with Bar(len(ids), "pair", progress) as bar:
        v = loop.validate(model.params, model.config, ids, backend=choose_for_texts(model, len(ids)), on_batch=bar.advance)
    return {
        "pairs": len(pairs), "sources": len(references), "too_long": left_out, "beam": beam,
        "exact_match": metrics.exact_match(answers, said), "token_accuracy": v.token_accuracy,
        "unknown_tokens": corpora.unknown_share(ids, 1),
        "character_error_rate": metrics.error_rate(answers, said),
        "token_error_rate": metrics.error_rate([a.target for a in best], [[cut for _, cut in one] for one in right]),
        "nll_teacher_forced": v.loss_teacher_forced, "perplexity_teacher_forced": safe_exp(v.loss_teacher_forced),
        "nll_free_running": v.loss_free_running, "perplexity_free_running": safe_exp(v.loss_free_running),
        **metrics.corpus_scores(answers, [[y for y, _ in one] for one in right])}


def short_enough(model, pairs):
    """The pairs with no side longer than model.max_length, their tokens, and how many were left out."""
    tokens = [(model.source_tokenizer.split(x), model.target_tokenizer.split(y)) for x, y in pairs]
    kept = [i for i, pair in enumerate(tokens) if max(map(len, pair)) <= model.max_length]
    if not kept:
        raise ValueError(f"pairs: all {len(pairs)} are longer than {model.max_length} tokens, the limit of this run "
                         "(max_length)")
    return [pairs[i] for i in kept], [tokens[i] for i in kept], len(pairs) - len(kept)


def safe_exp(x):
    """exp(x), infinite where it would overflow."""
    return math.exp(x) if x < 700 else math.inf
