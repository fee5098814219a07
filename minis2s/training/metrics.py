"""How good are the answers: exact match, edits, BLEU and chrF, over texts.

What each measure means is said here once; `training.loop.validate` and `Seq2Seq.evaluate` use the same definitions:

exact match     A source is right if its answer equals any of its targets.  The share is that of right sources: a source
                with several targets counts once.  Both sides are compared in the form that answers have (NFC, single
                spaces; lower case if the model is).  An answer with <unk> is wrong.
token accuracy  Share of target tokens that are the most probable ones, teacher-forced, the end of the answer included.
                A target token that the model cannot write (<unk>) is wrong, whatever the model says.
perplexity      exp(nll); nll is the mean of −log p over target tokens that the model can write, in nats.  Those that it
                cannot write have no probability; their share is reported beside it.
error rates     Edits (insertions, deletions, substitutions) between the answer and the nearest target, over all
                sources, divided by the length of these targets: in characters, or in tokens of the target side (with
                words: the word error rate; with phones: the phone error rate).
BLEU, chrF      By sacrebleu, on the texts as the person gave them, with all targets of a source as references.
"""
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from rapidfuzz.distance import Levenshtein

ORDER = 4                       # n-grams of BLEU
WITHOUT_SPACES = ("THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")     # scripts that put no spaces between words
SCRIPTS = {"CJK": "han", "HIRAGANA": "kana", "KATAKANA": "kana", **dict.fromkeys(WITHOUT_SPACES, "none")}


def exact_match(answers: list[str], references: list[list[str]]) -> float:
    """Share of answers that equal one of their references.

    Parameters
    ----------
    answers : list of str
    references : list of list of str
        All that is right for each answer.
    """
    return float(np.mean([a in right for a, right in zip(answers, references)]))


def error_rate(answers: list, references: list) -> float:
    """Edits for each symbol of the nearest reference, over all answers.

    Parameters
    ----------
    answers : list of sequences
        Strings, compared by characters, or lists of tokens.
    references : list of lists of such sequences
    """
    pairs = [min((edit_distance(a, r), len(r)) for r in right) for a, right in zip(answers, references)]
    return sum(e for e, _ in pairs) / max(1, sum(n for _, n in pairs))


def edit_distance(a: Sequence, b: Sequence) -> int:
    """Fewest insertions, deletions and substitutions that turn the sequence a into b (Levenshtein 1966)."""
    return Levenshtein.distance(a, b)


def corpus_scores(answers: list[str], references: list[list[str]]) -> dict:
    """BLEU and chrF, in per cent.

    Parameters
    ----------
    answers : list of str
    references : list of list of str
        As the person gave them.

    Returns
    -------
    dict
        bleu, bleu_tokenize (how sacrebleu cut the texts), chrf; in place of bleu, bleu_undefined with the reason where
        no answer or no reference has four tokens, for BLEU counts runs of four.  Empty where sacrebleu is not
        installed.
    """
    try:
        import sacrebleu
    except ImportError:
        return {}
    cut = tokenizer_for(right[0] for right in references)
    most = max(map(len, references))
    streams = [[right[min(k, len(right) - 1)] for right in references] for k in range(most)]
    scores = {"bleu_tokenize": cut, "chrf": sacrebleu.corpus_chrf(answers, streams).score}
    metric = sacrebleu.BLEU(tokenize=cut)
    short = too_short(metric.tokenizer, answers, [r for right in references for r in right])
    if short:
        return {"bleu_undefined": short, **scores}
    return {"bleu": metric.corpus_score(answers, streams).score, **scores}


def too_short(tokenizer: Callable[[str], str], answers: list[str], references: list[str]) -> str | None:
    """Why BLEU is undefined, or None."""
    for texts, name in ((references, "reference"), (answers, "answer")):
        if not any(len(tokenizer(text).split()) >= ORDER for text in texts):
            return f"no {name} has {ORDER} tokens"
    return None


def tokenizer_for(texts: Iterable[str]) -> str:
    """The name of sacrebleu's tokenizer for the script that most of some texts is written in.

    Counted are characters of scripts without spaces, and a quarter of the letters of all others, for these make words.

    Han alone "zh"; Japanese (Han and kana) "ja-mecab" where MeCab is installed, else "char"; scripts without spaces
    between words "char"; all others "13a".
    """
    characters = Counter(ch for text in texts for ch in text)
    counts: Counter[str] = Counter()
    for ch, count in characters.items():
        counts[script(ch)] += count if ch.isalpha() else 0
    east = counts["han"] + counts["kana"]
    half = (east + counts["none"] + counts["other"] / 4) / 2
    if east > half:
        if 10 * counts["kana"] < east:
            return "zh"
        return "ja-mecab" if has_mecab() else "char"
    return "char" if counts["none"] > half else "13a"


def script(character: str) -> str:
    """A character's script as far as `tokenizer_for` asks: "han", "kana", "none" (no spaces) or "other"."""
    return SCRIPTS.get(unicodedata.name(character, "").split(" ")[0], "other")


def has_mecab() -> bool:
    """Whether sacrebleu can cut Japanese into words."""
    try:
        import ipadic  # noqa: F401
        import MeCab  # noqa: F401
    except ImportError:
        return False
    return True
