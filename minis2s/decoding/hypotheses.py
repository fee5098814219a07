"""What all searches share: hypotheses, one step of the decoder for a batch of them, and answers.

A *hypothesis* is a beginning y_1 ... y_l of an output.  Every search repeats three moves:

    advance    feed each live hypothesis its last token: log p of every next token, for all rows at once
    extend     append chosen tokens to chosen hypotheses: here, and only here, the searches differ
    follow     go on with those that did not end

The sources are encoded once.  Hypotheses come and go, and with them the rows of the decoder's state, so what
belongs to a hypothesis is picked by index.  Sources that have their answer leave the batch; the rows of one
hypothesis never look at another row, so an answer does not depend on its neighbours, but for rounding.

PAD, BOS and UNK are never produced.  The other tokens keep the log-probability that the model's softmax over
*all* tokens gives them: nothing is spread anew, so log_prob is what the loss would say of the same answer.
"""
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..core import tree, validation
from ..core.functions import log_softmax
from ..data.vocabulary import BOS, EOS, PAD, UNK
from ..model import architectures
from ..model.checks import check_source_steps
from ..model.config import Config

NEVER = [PAD, BOS, UNK]        # tokens that no answer shall hold


class Answer(NamedTuple):
    """One output for one source.

    ids : list of int, without BOS and EOS.
    log_prob : float, log p(ids EOS | source) in nats; without the EOS's share where there is no EOS.
    score : float, what the search ranked it by.
    alpha : ndarray of shape (tokens, real source positions), or None without attention.  Row t holds the
        weights with which output token t was chosen; the EOS of a finished answer has a row as well.
    finished : bool, whether it ended by EOS within max_length tokens, EOS counted.
    proven : bool, only from `exact`: no finished output of at most max_length tokens is more probable.
    """
    ids: list
    log_prob: float
    score: float
    alpha: np.ndarray
    finished: bool
    proven: bool = False


class Hypothesis(NamedTuple):  # a token appended to another hypothesis: a chain back to BOS
    n: int                     # the source it answers
    previous: Any              # Hypothesis, or None at the beginning
    token: int
    length: int                # tokens after BOS, EOS counted
    log_p: float               # of all tokens so far
    row: int                   # where in the last step's arrays its state stands
    alpha: np.ndarray          # (T,), the weights when `token` was chosen, or None


class Beam(NamedTuple):        # the hypotheses that go on: row r of every array belongs to hypotheses[r]
    hypotheses: list
    source: Any                # what the decoder reads of the sources: a decoder's Source
    state: Any                 # what it hands from step to step: a tree of (R, ...) arrays


NO_TOKEN = "p: the model has probability 0 for all tokens that may come next, wanted one that can be chosen"


class Step(NamedTuple):        # what one step of the decoder says about every live hypothesis
    live: Beam                 # with the states *after* the step
    log_p: np.ndarray          # (R, V), of each next token; -inf for those never produced
    total: np.ndarray          # (R, V), of the hypothesis with that token appended
    alpha: np.ndarray          # (T, R), or None


def start(p: Any, config: Config, source: np.ndarray, mask: np.ndarray) -> tuple[Any, Beam]:
    """Encode the sources once: -> the decoder's Params (untied), Beam with each source's empty hypothesis.

    Raises
    ------
    ValueError
        For parameters of another Config.
    """
    p, encoded, state = architectures.of(config).start(p, config, source, mask)
    empty = [Hypothesis(n, None, BOS, 0, 0.0, n, None) for n in range(source.shape[1])]
    return p, Beam(empty, encoded, state)


def advance(p: Any, config: Config, live: Beam) -> Step:
    """Feed each live hypothesis its last token: decoder Params, Config, Beam -> Step.

    Raises
    ------
    ValueError
        The model computes NaN, or probability 0 for all tokens: no search could rank that.
    """
    ids = np.array([h.token for h in live.hypotheses])
    logits, state, alpha = architectures.of(config).step(p, config, live.source, ids, live.state)
    log_p = log_softmax(logits.astype(np.float64))                  # float64: log p are summed over tokens
    return weigh(live._replace(state=state), log_p, alpha)


def weigh(live: Beam, log_p: np.ndarray, alpha: np.ndarray | None) -> Step:
    """Add log p (R, V) of the next tokens to those of the hypotheses: -> Step."""
    if np.isnan(log_p).any():
        raise ValueError("p: the model's log-probabilities hold NaN, wanted finite parameters")
    log_p[:, NEVER] = -np.inf
    if np.isneginf(log_p.max(axis=1)).any():
        raise ValueError(NO_TOKEN)
    total = np.array([h.log_p for h in live.hypotheses])[:, None] + log_p
    return Step(live, log_p, total, alpha)


def extend(step: Step, rows: Iterable, tokens: Iterable) -> list[Hypothesis]:
    """Append tokens[i] to the hypothesis in rows[i]: -> list of Hypothesis."""
    def one(row: int, token: int) -> Hypothesis:
        h = step.live.hypotheses[row]
        alpha = None if step.alpha is None else step.alpha[:, row]
        return Hypothesis(h.n, h, token, h.length + 1, float(step.total[row, token]), row, alpha)
    return [one(int(row), int(token)) for row, token in zip(rows, tokens)]


def follow(step: Step, hypotheses: list[Hypothesis]) -> Beam:
    """Make the next Beam of extended hypotheses: each takes its state from the row it came from."""
    rows = np.array([h.row for h in hypotheses], dtype=int)
    source = step.live.source
    if [h.n for h in hypotheses] != [h.n for h in step.live.hypotheses]:    # else nothing to copy
        source = source.select(rows)
    return Beam(hypotheses, source, select(step.live.state, rows))


def select(state: Any, rows: Any) -> Any:
    """Pick rows, in any order and any number of times, of a tree of (N, ...) arrays; None stays None."""
    return tree.map(lambda a: a[rows], state)


def top(values: np.ndarray, K: int) -> np.ndarray:
    """Indices of the K greatest values, greatest first; of equal ones the lower index; never of -inf."""
    K = min(K, int((values > -np.inf).sum()))
    if K == 0:
        return np.array([], dtype=int)
    least = np.partition(values, -K)[-K]
    best = np.flatnonzero(values >= least)      # K of them, or more where several equal the least
    return best[np.argsort(-values[best], kind="stable")][:K]


def ended(h: Hypothesis) -> bool:
    """Whether a hypothesis is finished."""
    return h.token == EOS


def score(h: Hypothesis, length_penalty: float = 0.0) -> float:
    """log p / length**a with a = length_penalty; the EOS counts."""
    return h.log_p / h.length ** length_penalty


def answer(h: Hypothesis, mask: np.ndarray, length_penalty: float = 0.0) -> Answer:
    """Walk the chain back to BOS: Hypothesis, the sources' mask (T, N) -> Answer."""
    chain: list[Hypothesis] = []
    link = h
    while link.previous is not None:
        chain.insert(0, link)
        link = link.previous
    alpha = None
    if h.alpha is not None:
        alpha = np.stack([link.alpha for link in chain])[:, mask[:, h.n]]
    ids = [link.token for link in chain if not ended(link)]
    return Answer(ids, h.log_p, score(h, length_penalty), alpha, ended(h))


# What public functions check -----------------------------------------------------------------------------

def check_source(config: Config, source: np.ndarray, mask: np.ndarray, max_length: int) -> None:
    """ValueError, TypeError for what cannot be read, or for answers of no token."""
    check_source_steps("source", config, source)
    validation.mask("mask", mask, source.shape[:2])
    validation.whole("max_length", max_length, 1)
