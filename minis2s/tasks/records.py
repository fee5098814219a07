"""records: a short note -> a code, letter by letter: "man , 40 . acute gout , right foot . denies asthma ." -> M10.1A.

A toy: diseases, rules and codes are our own inventions in the manner of the ICD's, and nothing here is medical
advice. Row U8.  A code has a letter for the organ system, two digits for the disease, a digit for the side and a
letter for the time:

    M10.1A      M musculoskeletal   10 gout
                1 right, 2 left, 9 not said, 0 has no sides     A acute, C chronic, X not said

What is coded is the one problem that the patient has now.  Not coded are problems that are denied or excluded, that
she had once, or that run in the family; if no other is left, the code is Z00.0X, "nothing found".
"""
import re

from .judge import Judge, most_frequent
from .sampling import Splits

DISEASES = {                        # name -> system and number, places that have sides
    "gout": ("M10", ("foot", "knee", "hand")), "arthritis": ("M13", ("knee", "hip", "hand")),
    "fracture": ("S52", ("arm", "wrist", "leg")), "sprain": ("S93", ("ankle", "wrist")), "otitis": ("H66", ("ear",)),
    "conjunctivitis": ("H10", ("eye",)),
    "cataract": ("H25", ("eye",)), "pneumonia": ("J18", ("lung",)), "bronchitis": ("J20", ()), "sinusitis": ("J32", ()),
    "asthma": ("J45", ()), "gastritis": ("K29", ()), "hepatitis": ("K75", ()), "migraine": ("G43", ()),
    "anaemia": ("D64", ()), "eczema": ("L30", ("arm", "hand", "leg"))}
SIDES, TIMES = {"right": "1", "left": "2"}, {"acute": "A", "chronic": "C"}
NOW = ("{}", "presents with {}", "diagnosed with {}", "now {}", "complains of {}")
NOT_NOW = ("denies {}", "no {}", "{} excluded", "history of {}", "{} in childhood , resolved", "mother has {}",
           "no sign of {}", "father had {}")
NOTHING = "Z00.0X"
OPENINGS = ("{age} year old {sex}", "{sex} , {age}", "{sex} of {age} years")
READ = re.compile(rf"(?:(acute|chronic) )?({'|'.join(DISEASES)})(?: , (?:(right|left) )?(\w+))?")
FORMS = [(form, "now") for form in NOW] + [(form, "not now") for form in NOT_NOW]
DISCLAIMER = "a toy: invented codes, no medical advice"


def finding(rng, name):
    """A disease as a note names it: "acute gout , right foot"."""
    _, places = DISEASES[name]
    time = rng.choice(["", "acute ", "chronic "])
    if not places or rng.random() < 0.15:
        return f"{time}{name}"
    side = rng.choice(["right ", "left ", ""], p=[0.4, 0.4, 0.2])
    return f"{time}{name} , {side}{rng.choice(places)}"


def code(time, name, side):
    """The code of a disease."""
    number, places = DISEASES[name]
    return f"{number}.{SIDES.get(side, '9' if places else '0')}{TIMES.get(time, 'X')}"


def note(rng):
    """Draw one note, a text."""
    names = list(rng.permutation(list(DISEASES))[:rng.integers(1, 4)])
    current = rng.random() < 0.9
    phrases = [str(rng.choice(NOW if i == 0 and current else NOT_NOW)).format(finding(rng, name))
               for i, name in enumerate(names)]
    opening = str(rng.choice(OPENINGS)).format(age=rng.integers(18, 90), sex=rng.choice(["woman", "man"]))
    return " . ".join([opening, *(phrases[i] for i in rng.permutation(len(phrases)))]) + " ."


def solve(text):
    """The code of a note by reading it phrase by phrase."""
    for phrase in text.removesuffix(" .").split(" . ")[1:]:
        found = READ.search(phrase)
        frame = phrase[:found.start()] + "{}" + phrase[found.end():]
        if dict(FORMS)[frame] == "now":
            return code(*found.groups()[:3])
    return NOTHING


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test); no note stands twice."""
    notes = {}
    while len(notes) < sum(sizes):
        notes.setdefault(note(rng))
    pairs, (train, valid, _) = [(text, solve(text)) for text in notes], sizes
    return Splits(pairs[:train], pairs[train:train + valid], pairs[train + valid:])


def group(source):
    """Whether the note has a current problem, and others beside it."""
    if solve(source) == NOTHING:
        return "nothing found"
    return "one problem" if source.count(" . ") == 1 else "others denied or past"


JUDGE = Judge(
    right=lambda source, answer, target: answer == solve(source),
    baseline=most_frequent,
    rule="all of the code is what the rules give for the note; " + DISCLAIMER,
    trivial="the most frequent code of training",
    failure="A disease or a form of words that training never had: each name must be learnt by heart with its code, "
            "and nothing in the spelling of \"gout\" says M10.  Rare codes are learnt last.  This is "
            + DISCLAIMER + ".",
    group=group)


def prefixes(answers, targets):
    """Share of answers whose system, disease, and whole code are right: -> dict."""
    return {name: sum(a[:n] == t[:n] for a, t in zip(answers, targets)) / len(targets)
            for name, n in (("system", 1), ("disease", 3), ("whole code", None))}
