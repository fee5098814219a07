"""Judge: what a task knows about right and wrong beside its pairs, and how its sources are shown.

Where several answers are true, as for a picture that can be described in two ways, equal texts are no measure: a
checker decides by what the source really is.
"""
from typing import Callable, NamedTuple


class Judge(NamedTuple):
    right: Callable             # source, answer, target -> whether the answer is right
    baseline: Callable          # training pairs -> function: source -> answer; what a model must beat
    rule: str                   # what makes an answer right, one sentence
    trivial: str                # what the baseline answers, one sentence
    failure: str                # what fails, and why, some sentences
    group: Callable = None      # source -> the name of its kind, for scores kind by kind; None: all are one kind
    beyond: tuple = ()          # kinds that are not like training, which "all" leaves out: what fails
    support: Callable = None    # source -> positions of the tokens that the answer rests on, where that is known
    suffix: str = None          # ".wav", ".png": of the files that show recipes; None: the texts show themselves
    show: Callable = None       # recipe, path -> None: writes such a file
    # ask, training pairs -> {what: share}: what single answers cannot show; ask(sources, temperature=0) -> answers
    experiment: Callable = None

    def is_beyond(self, source):
        """Whether a source is of a kind that is not like training."""
        return self.group is not None and self.group(source) in self.beyond


def score(judge, sources, answers, targets):
    """Share of right answers: -> {"all": share, kind: share, ...}, kinds in order of their names.

    "all" leaves out the kinds beyond training, unless there are no others.

    Parameters
    ----------
    judge : Judge
    sources, answers, targets : lists of str, as many of each
    """
    verdicts = {"all": []}
    for source, answer, target in zip(sources, answers, targets):
        right = bool(judge.right(source, answer, target))
        kind = judge.group(source) if judge.group else "all"
        verdicts.setdefault(kind, []).append(right)
        if kind != "all" and kind not in judge.beyond:
            verdicts["all"].append(right)
    verdicts["all"] = verdicts["all"] or [right for kind in verdicts.values() for right in kind]
    return {name: sum(verdicts[name]) / len(verdicts[name]) for name in ["all", *sorted(verdicts.keys() - {"all"})]}


def most_frequent(pairs):
    """The baseline that gives every source the most frequent target of training."""
    counts = {}
    for _, target in pairs:
        counts[target] = counts.get(target, 0) + 1
    best = max(counts, key=counts.get)
    return lambda source: best
