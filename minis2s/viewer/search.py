"""One beam search to be stepped through: what it kept at every length, what ended, and what exact search proves."""
import numpy as np

from ..api import answering
from ..data.batches import pad
from ..data.text import is_blank
from ..decoding import exact, hypotheses
from .figures.hypothesis_tree import grow

BUDGET = 2000                  # prefixes that exact search may expand


def steps(model, text, width):
    """The search as blocks of lines, one for each length, and one for its end.

    Parameters
    ----------
    model : Seq2Seq
    text : str
    width : int
        Of the beam; hypotheses are ranked by log p.

    Yields
    ------
    list of str
    """
    tokens = model.source_tokenizer.split(text)
    ids, _ = answering.numbered(model, (tokens, []))
    if is_blank(text):
        raise ValueError("text: blank, so there is nothing to search for")
    source, mask = pad([ids[::-1] if model.config.reverse_source else ids])
    longest = answering.checked(answering.Options(), model).max_length
    levels = grow(model.params, model.config, source, mask, longest, width)
    ended = []
    for number, level in enumerate(levels, 1):
        ended += [h for h in level if hypotheses.ended(h)]
        yield [f"length {number}: the {len(level)} most probable of all beginnings of this length",
               *(row(model, h, tokens) for h in level)]
        going = [h.log_p for h in level if not hypotheses.ended(h)]
        if ended and (not going or max(h.log_p for h in ended) >= max(going)):
            break                                               # log p only falls: nothing that goes on can win
    best = max(ended, key=lambda h: h.log_p, default=None)
    found = exact(model.params, model.config, source, mask, longest, BUDGET)[0][0]
    said = model.target_tokenizer.join(answering.written(model, found.ids, tokens))
    known = "the optimum, proven" if found.proven else f"the best known after {BUDGET:,} prefixes"
    yield [f"the beam's best: {'none ended' if best is None else row(model, best, tokens).strip()}",
           f"exact search: {said!r}, log p {found.log_prob:.3f}: {known}"
           + ("" if best is None or best.log_p >= found.log_prob - 1e-6 else "; the beam has missed it")]


def row(model, h, source):
    """A hypothesis about source tokens as a line: log p, the probability of its last token, its text."""
    chain, link = [], h
    while link.previous is not None:
        chain.insert(0, link.token)
        link = link.previous
    ids = [token for token in chain if token != hypotheses.EOS]
    text = model.target_tokenizer.join(answering.written(model, ids, source))
    return f"  log p {h.log_p:8.3f}   p(last) {np.exp(h.log_p - h.previous.log_p):6.2%}   {text!r}" + (
        "  ended" if hypotheses.ended(h) else "")
