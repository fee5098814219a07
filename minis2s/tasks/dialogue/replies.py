"""Replies that follow from a State, and whether a reply does.

    something is missing            ask for it; what is said beside must be true
    all is said                     say all of it, and ask whether it is right
    the guest says yes              say that it is booked
    the guest asks what she said    say it, or that she has not said it
    the guest takes her leave       say goodbye
"""
from .state import SLOTS, asked, mentions, split

PHRASES = {"people": ("for {} people", "for {}"), "day": ("on {}",), "hour": ("at {}", "at {} o'clock"),
           "name": ("under the name {}", "the name is {}")}
QUESTIONS = {"people": ("how many people ?", "for how many ?", "how many will you be ?"),
             "day": ("which day ?", "for which day ?", "on what day ?"),
             "hour": ("at what time ?", "what time ?", "when would you like to eat ?"),
             "name": ("under which name ?", "what is your name ?", "your name , please ?")}
HEARD = ("good , {} .", "{} , very good .", "ok , {} .")
ALL = ("a table {} . is that right ?", "so {} . is that correct ?", "i have noted : {} . right ?".replace(" :", ""))
BOOKED = ("thank you , it is booked .", "your table is booked , {name} .", "fine , {name} , the table is reserved .")
LEAVING = ("goodbye .", "thank you , goodbye .", "see you on {day} , goodbye .")
RECALLED, NOT_SAID = ("you said {} .", "that is {} ."), ("you have not said that yet .", "that you have not said .")


def phrase(rng, slot, value):
    """A value as a guest or a waiter says it: "at eight"."""
    return str(rng.choice(PHRASES[slot])).format(value)


def reply(rng, state):
    """Draw one of the replies that follow from a State."""
    values, missing = state._asdict(), state.missing()
    if state.leaving or state.booked:
        return str(rng.choice(LEAVING if state.leaving else BOOKED)).format(**values)
    if state.recall:
        value = values[state.recall]
        said = value and phrase(rng, state.recall, value)
        return str(rng.choice(RECALLED if said else NOT_SAID)).format(said)
    if not missing:
        return str(rng.choice(ALL)).format(" ".join(phrase(rng, slot, values[slot]) for slot in SLOTS))
    known = [slot for slot in SLOTS if slot not in missing]
    heard = str(rng.choice(HEARD)) if known and rng.random() < 0.3 else ""
    slot = known[rng.integers(len(known))] if heard else None
    heard = f"{heard} ".format(slot and phrase(rng, slot, values[slot])).lstrip()
    return heard + str(rng.choice(QUESTIONS[missing[0]]))


def follows(state, text):
    """Whether a reply, in whatever wording, follows from a State."""
    words = text.split()
    said = mentions(words)
    if any(slot is None or getattr(state, slot) != value for slot, value in said):
        return False                                            # something that is not so
    slots, sentences = {slot for slot, _ in said}, split(text.replace("?", "? .").split(), ".")
    questions = [asked(sentence) for sentence in sentences if sentence[-1] == "?"]
    done, bye = {"booked", "reserved"} & set(words), "goodbye" in words
    if state.leaving or state.booked:
        return not questions and (bye and not done if state.leaving else bool(done) and not bye)
    if done or bye:
        return False
    if state.recall:
        told = "not" in words and not said if getattr(state, state.recall) is None else slots == {state.recall}
        return not questions and told
    if not state.missing():
        return slots == set(SLOTS) and questions == ["right"]
    return len(questions) == 1 and words[-1] == "?" and questions[0] in state.missing()
