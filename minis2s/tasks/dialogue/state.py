"""What a guest has said so far: a reader of conversations.

    guest: a table for four , please  waiter: which day ?  guest: friday . no , sunday      people four, day sunday

Whatever was said last holds.  A bare number is what the waiter asked for; after "no" or "sorry" it puts right the
number that was named last.  A word that no turn of the task has is a name.
"""
from typing import NamedTuple

NUMBERS = "two three four five six seven eight".split()
DAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
HOURS = "six seven eight nine".split()
VALUES = {"people": NUMBERS, "day": DAYS, "hour": HOURS}
SLOTS = (*VALUES, "name")
GUEST, WAITER = "guest:", "waiter:"
ASKED = {"people": {"many"}, "day": {"day"}, "hour": {"time", "when"}, "name": {"name"}, "right": {"right", "correct"}}
WORDS = set(NUMBERS + DAYS + HOURS) | set(
    ". , ? a again all an and are at be booked correct could did eat evening fine for forget from good goodbye have "
    "hello how i is it like make many may me my name no not noted o'clock of on ok once people please reserved right "
    "said say see so sorry start table thank thanks that the then time to under very want we what when which will "
    "would yes yet you your day".split())


class State(NamedTuple):
    """What holds after some turns; None: not said."""
    people: str | None = None
    day: str | None = None
    hour: str | None = None
    name: str | None = None
    asked: str | None = None        # what the waiter asked for last: a slot, or "right": whether all is right
    number: str | None = None       # the slot of the number that was named last
    recall: str | None = None       # the slot that the guest just asked about
    booked: bool = False
    leaving: bool = False           # said thanks after the table was booked

    def missing(self):
        """The slots that were not said."""
        return [slot for slot in SLOTS if getattr(self, slot) is None]


def mentions(words):
    """The values in a list of words, in order: pairs of slot and value, the slot None for a bare number."""
    found = []
    for before, word, after in zip([None, *words], words, [*words[1:], None]):
        if word in NUMBERS or word in HOURS:
            hour, people = before == "at" or after == "o'clock", before in ("for", "are") or after == "people"
            found.append(("hour" if hour else "people" if people else None, word))
        elif word in DAYS:
            found.append(("day", word))
        elif word not in WORDS:
            found.append(("name", word))
    return found


def asked(words):
    """What the last sentence of these words asks for: a slot, "right", or None if it is no question."""
    last = split(words, ".")[-1:] if words[-1:] == ["?"] else []
    return next((what for part in last for what, keys in ASKED.items() if keys & set(part)), None)


def hear(state, words):
    """The State after a turn of the guest."""
    if "again" in words:
        return State()
    state = state._replace(recall=asked(words), leaving=state.booked)
    for part in split(words, "."):
        wrong = "no" in part or "sorry" in part
        for slot, value in mentions(part):
            slot = slot or (state.number if wrong else state.asked)
            if slot in SLOTS:
                state = state._replace(**{slot: value}, number=slot if value in NUMBERS + HOURS else state.number)
    agreed = state.asked == "right" and "yes" in words
    return state._replace(booked=state.booked or agreed)


def split(words, mark):
    """Cut a list of words at a mark."""
    parts = [[]]
    for word in words:
        parts[-1].append(word) if word != mark else parts.append([])
    return [part for part in parts if part]


def turns(source):
    """A conversation -> list of (speaker, words)."""
    found = []
    for word in source.split():
        if word in (GUEST, WAITER):
            found.append((word, []))
        else:
            found[-1][1].append(word)
    return found


def read(source):
    """The State after all turns of a conversation."""
    state = State()
    for speaker, words in turns(source):
        state = hear(state, words) if speaker == GUEST else state._replace(asked=asked(words), recall=None)
    return state
