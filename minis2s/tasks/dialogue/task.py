"""Conversations, the pairs of the task, and who is right.

A pair is a conversation so far and the next reply.  In training half of the guests have common names; in validation
and test a fifth have names that training never has: those can only be copied.
"""
import numpy as np

from ..judge import Judge, most_frequent
from ..sampling import Splits
from . import guest
from .replies import follows, reply
from .state import GUEST, WAITER, mentions, read

MOST_TURNS = 30                     # of the guest, in a conversation that does not come to an end
UNSEEN, UNSEEN_NAMES = "unseen names", (0.2, guest.UNSEEN_STARTS)


def conversation(rng, *names):
    """Draw the pairs of one whole conversation; `names` as of guest.wish."""
    goal = guest.wish(rng, *names)
    source, pairs = f"{GUEST} {guest.opening(rng, goal)}", []
    while source and len(pairs) < MOST_TURNS:
        pairs.append((source, reply(rng, read(source))))
        source = continued(rng, goal, *pairs[-1])
    return pairs


def continued(rng, goal, source, answer):
    """A conversation with a reply, and with what the guest says then; None if she has left."""
    source = f"{source} {WAITER} {answer}"
    said = guest.turn(rng, goal, source)
    return said and f"{source} {GUEST} {said}"


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test), cut between conversations or within one; no source stands twice."""
    parts, seen = [], set()
    for names, size in zip(((0.5, guest.STARTS), UNSEEN_NAMES, UNSEEN_NAMES), sizes):
        found = []
        while len(found) < size:
            for source, target in conversation(rng, *names):
                if source not in seen:
                    seen.add(source)
                    found.append((source, target))
        parts.append(found[:size])
    return Splits(*parts)


def group(source):
    """What the reply has to do, or that the guest's name is none of training."""
    state = read(source)
    if any(slot == "name" and guest.is_unseen(name) for slot, name in mentions(source.split())):
        return UNSEEN
    if state.booked:
        return "takes leave" if state.leaving else "books"
    return "says what was said" if state.recall else "asks" if state.missing() else "sums up"


def play(ask, training, count=200, seed=1):
    """Whole conversations with a guest who hears what the model says: -> {kind: share in which every reply was right}.

    Parameters
    ----------
    ask : function: list of sources -> list of answers
    training : pairs of training, which are not needed here
    """
    rng = np.random.default_rng(seed)
    kinds, right = {"conversations": 0.0, "conversations, unseen names": 1.0}, {}
    for kind, rare in kinds.items():
        goals = [guest.wish(rng, rare, guest.UNSEEN_STARTS) for _ in range(count)]
        live = {i: f"{GUEST} {guest.opening(rng, goal)}" for i, goal in enumerate(goals)}
        done = 0
        for _ in range(MOST_TURNS):
            answers = dict(zip(live, ask(list(live.values())))) if live else {}
            live = {i: continued(rng, goals[i], live[i], answer) for i, answer in answers.items()
                    if follows(read(live[i]), answer)}
            done += sum(source is None for source in live.values())
            live = {i: source for i, source in live.items() if source}
        right[kind] = done / count
    return right


JUDGE = Judge(
    right=lambda source, answer, target: follows(read(source), answer),
    baseline=most_frequent,
    rule="it does what the state of the conversation asks for, in whatever wording, and nothing in it is untrue",
    trivial="the most frequent reply of training, whatever was said",
    failure="What the guest asks to hear again is said wrongly most often, as few turns ask for it.  With --readout "
            "state, a softmax over the words of training alone, names that training never had cannot be said, and "
            "after as many epochs the summary has wrong values: attention has not learnt where they stand.",
    group=group, beyond=(UNSEEN,), experiment=play)
