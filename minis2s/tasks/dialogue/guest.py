"""A guest who wants a table: what she says next, and what she is called.

She answers, or says something else than was asked; slips and puts it right at once ("four . no , five"); changes her
mind later; asks what she has said; and sometimes wants to start again.
"""
from .replies import phrase
from .state import SLOTS, VALUES, asked, mentions, read, turns

COMMON = ("miller smith jones brown taylor wilson davies evans thomas johnson roberts walker wright robinson thompson "
          "white hughes edwards green hall wood harris lewis martin jackson clarke turner hill scott cooper").split()
STARTS, MIDDLES = "b d f g h k l m n p r s t".split(), "al an er il on ur".split()
ENDS = "bo da ker la man ni sen to vic".split()
UNSEEN_STARTS = "qu v y z".split()                              # of names that training never has
GREETINGS = ("hello , a table {} please", "good evening , i would like a table {}", "hello , we want to eat {}",
             "a table {}")
RECALLS = {"people": "how many did i say ?", "day": "which day did i say ?", "hour": "what time did i say ?",
           "name": "what name did i say ?"}
AGAIN = ("forget all that , start again", "no , once again from the start")
YES = ("yes", "yes , thank you", "yes , that is right", "yes please")
THANKS = ("thank you", "thanks", "very good , thank you")
WRONG, SWAP = ("no , {}", "sorry , {}"), ("{} . no , {}", "{} . sorry , {}")


def invented(rng, starts):
    """Draw a name that is no common one."""
    return "".join(part[rng.integers(len(part))] for part in (starts, MIDDLES, ENDS))


def is_unseen(name):
    """Whether a name is none of training."""
    return name is not None and name not in COMMON and name.startswith(tuple(UNSEEN_STARTS))


def wish(rng, rare=0.0, starts=STARTS):
    """Draw what a guest wants, a dict of all slots; her name is an invented one with probability `rare`."""
    name = invented(rng, starts) if rng.random() < rare else COMMON[rng.integers(len(COMMON))]
    return {**{slot: other(rng, slot) for slot in VALUES}, "name": name}


def other(rng, slot, value=None):
    """Draw a value of a slot that is not `value`."""
    some = [v for v in VALUES[slot] if v != value]
    return some[rng.integers(len(some))]


def opening(rng, goal):
    """The first turn: none to two of the slots."""
    slots = [slot for slot in VALUES if rng.random() < 0.35][:2]
    return " ".join(str(rng.choice(GREETINGS)).format(" ".join(phrase(rng, s, goal[s]) for s in slots)).split())


def turn(rng, goal, source):
    """What the guest says after a conversation so far, which a reply ends; None if she has left.

    `goal` changes where she changes her mind.
    """
    state = read(source)
    if state.leaving:
        return None
    if state.booked:
        return str(rng.choice(THANKS))
    words, known = turns(source)[-1][1], [slot for slot in VALUES if getattr(state, slot) is not None]
    changes = known and rng.random() < (0.25 if asked(words) == "right" else 0.1)
    if changes:
        slot = known[rng.integers(len(known))]
        goal[slot] = other(rng, slot, goal[slot])
        bare = rng.random() < 0.5 and (slot == "day" or slot == state.number)
        return str(rng.choice(WRONG)).format(goal[slot] if bare else phrase(rng, slot, goal[slot]))
    if asked(words) == "right":
        wrong = [slot for slot, value in mentions(words) if slot and goal[slot] != value]
        return f"no , {phrase(rng, wrong[0], goal[wrong[0]])}" if wrong else str(rng.choice(YES))
    return answer(rng, goal, state)


def answer(rng, goal, state):
    """What the guest says to a question."""
    missing, what = state.missing(), rng.random()
    if known := len(SLOTS) - len(missing):
        if what < 0.04:
            return str(rng.choice(AGAIN))
        if what < 0.14 and state.asked in SLOTS:
            return RECALLS[SLOTS[rng.integers(len(SLOTS))]]
    slot = state.asked if state.asked in SLOTS and what < 0.88 else missing[rng.integers(len(missing))]
    bare = slot == state.asked and rng.random() < 0.5
    value = goal[slot]
    said = value if bare else phrase(rng, slot, value)
    if slot in VALUES and known and rng.random() < 0.2:
        slip = other(rng, slot, value)
        said = str(rng.choice(SWAP)).format(slip if bare else phrase(rng, slot, slip), value)
    more = [s for s in missing if s != slot and s != "name"]
    return f"{said} , {phrase(rng, more[0], goal[more[0]])}" if more and rng.random() < 0.15 else said
