"""How good are the answers: exact match, character errors, BLEU and chrF, over texts."""
import unicodedata

import numpy as np


def exact_match(answers, references):
    """Share of answers that equal one of their references.

    Parameters
    ----------
    answers : list of str
    references : list of list of str
        All that is right for each answer.
    """
    return float(np.mean([a in right for a, right in zip(answers, references)]))


def character_error_rate(answers, references):
    """Edits (insertions, deletions, substitutions) for each character of the nearest reference, over all answers."""
    pairs = [min(((edit_distance(a, r), len(r)) for r in right)) for a, right in zip(answers, references)]
    return sum(e for e, _ in pairs) / max(1, sum(n for _, n in pairs))


def edit_distance(a, b):
    """Fewest single-character edits that turn the sequence a into b (Levenshtein 1966)."""
    row = list(range(len(b) + 1))                               # row[j]: from a[:i] to b[:j]
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def corpus_scores(answers, references):
    """BLEU and chrF by sacrebleu, in per cent, with how the text was cut; {} where sacrebleu is not installed."""
    try:
        import sacrebleu
    except ImportError:
        return {}
    cut = "zh" if any(is_cjk(c) for right in references for c in right[0]) else "13a"
    most = max(map(len, references))
    streams = [[right[min(k, len(right) - 1)] for right in references] for k in range(most)]
    bleu = sacrebleu.corpus_bleu(answers, streams, tokenize=cut)
    return {"bleu": bleu.score, "bleu_tokenize": cut, "chrf": sacrebleu.corpus_chrf(answers, streams).score}


def is_cjk(character):
    """Whether a character is a Chinese ideograph."""
    return unicodedata.name(character, "").startswith("CJK UNIFIED")
