"""headlines: a bulletin -> its headline, at most a quarter as long.  Row U6.

    the people of korda chose a mayor . tanvic got 214 votes . milda got 398 votes . it rained all day .
    -> milda wins in korda with 398 votes

The headline needs one fact of several: the winner, the hottest town, the final result and not that of half time.  Names
are invented, and those of validation and test begin as no name of training does: they can only be copied.
"""
import re

from .judge import Judge
from .sampling import Splits

STARTS, UNSEEN_STARTS = "b d f g h k l m n p r s t".split(), "qu v y z".split()
MIDDLES, ENDS = "al an er il on ur ok esh".split(), "bo da ker la man ni sen to vic ru".split()
FILLERS = (
    "it rained all day", "the roads were full of cars", "the radio reported all evening", "many shops were closed",
    "the mayor said thanks to all", "music was played until midnight", "the news came late at night",
    "nobody wanted to say more", "more will be known in some days")
BULLETINS = {                       # kind -> first sentence, sentences with the facts, in order
    "vote": ("the people of {town} chose a mayor", ["{a} got {m} votes", "{b} got {n} votes", "{c} got {o} votes"]),
    "heat": ("it was a hot day everywhere",
             ["in {a} it was {m} degrees", "{b} had {n} degrees", "{c} reported {o} degrees"]),
    "cold": ("it was a cold night everywhere",
             ["in {a} it was {m} degrees", "{b} had {n} degrees", "{c} reported {o} degrees"]),
    "match": ("{a} and {b} met in {town}",
              ["at half time it was {m} to {n} for {a}", "in the end it was {n} to {o} for {b}"]),
    "accident": ("a {thing} left its way near {town}",
                 ["{m} people were on it", "{n} of them were injured", "{a} , the driver , was not hurt"])}
THINGS = ("bus", "train", "tram", "boat")
HEADLINES = {                       # the first ones are those of training; an answer may have any form
    "vote": ("{who} wins in {town} with {n} votes", "{town} chose {who}", "{who} is mayor of {town}",
             "{who} wins in {town}"),
    "heat": ("{n} degrees in {who}", "hottest in {who} : {n} degrees", "{who} had {n} degrees", "hottest in {who}"),
    "cold": ("only {n} degrees in {who}", "coldest in {who} : {n} degrees", "{who} had {n} degrees",
             "coldest in {who}"),
    "match": ("{who} beats {other} {n} to {o}", "{other} loses to {who}", "{who} beats {other}",
              "{other} loses {o} to {n}"),
    "accident": ("{n} injured in {thing} accident near {town}", "{thing} accident near {town} : {n} injured",
                 "{thing} accident near {town}", "{n} injured near {town}")}
TAUGHT = 2                          # forms of a headline that training has
ROLE = re.compile(r"\{(\w+)\}")
NAME = re.compile(f"({'|'.join(STARTS + UNSEEN_STARTS)})({'|'.join(MIDDLES)}){{2}}({'|'.join(ENDS)})")


def pattern(form):
    """A form with {roles} -> a pattern that finds them in a text; a role that stands twice must be the same twice."""
    seen = set()

    def group(found):
        name = found[1]
        again = name in seen
        seen.add(name)
        return f"(?P={name})" if again else rf"(?P<{name}>\w+)"
    return re.compile(ROLE.sub(group, form))


READ = {kind: pattern(first) for kind, (first, _) in BULLETINS.items()}
FACTS = {kind: [pattern(fact) for fact in facts] for kind, (_, facts) in BULLETINS.items()}
SAID = {kind: [pattern(form) for form in forms] for kind, forms in HEADLINES.items()}


def read(source):
    """A bulletin -> its kind and what a headline may say: {role: word}."""
    first, *others = source.removesuffix(" .").split(" . ")
    kind = next(kind for kind, start in READ.items() if start.fullmatch(first))
    facts = [found for sentence in others for fact in FACTS[kind] if (found := fact.fullmatch(sentence))]
    roles = dict(READ[kind].fullmatch(first).groupdict())
    for found in facts:
        roles.update(found.groupdict())
    if kind == "match":
        return kind, {"who": roles["b"], "other": roles["a"], "n": roles["n"], "o": roles["o"]}
    if kind == "accident":
        return kind, {"n": roles["n"], "thing": roles["thing"], "town": roles["town"]}
    numbers = {found[1]: int(found[2]) for found in facts}         # a name and its number
    who = (min if kind == "cold" else max)(numbers, key=numbers.get)
    return kind, {"who": who, "n": str(numbers[who]), **({"town": roles["town"]} if kind == "vote" else {})}


def is_headline(source, answer):
    """Whether an answer, in any of the forms, says of a bulletin what is so, and is at most a quarter as long."""
    kind, facts = read(source)
    if 4 * len(answer.split()) > len(source.split()):
        return False
    return any(found and all(facts[role] == word for role, word in found.groupdict().items())
               for found in (form.fullmatch(answer) for form in SAID[kind]))


def name(rng, starts):
    """Draw a name."""
    return "".join(part[rng.integers(len(part))] for part in (starts, MIDDLES, MIDDLES, ENDS))


def bulletin(rng, starts):
    """Draw one bulletin."""
    kind = list(BULLETINS)[rng.integers(len(BULLETINS))]
    first, facts = BULLETINS[kind]
    names = []
    while len(names) < 4:
        names = list(dict.fromkeys([*names, name(rng, starts)]))
    roles = dict(zip(("a", "b", "c", "town"), names), thing=THINGS[rng.integers(len(THINGS))])
    low, high = dict(vote=(100, 200), heat=(25, 45), cold=(1, 20)).get(kind, (0, 0))
    m, n, o = (int(x) for x in low + rng.permutation(max(high - low, 3))[:3])
    if kind == "match":
        m, n, o = int(rng.integers(1, 3)), int(rng.integers(3, 6)), int(rng.integers(2, 4))
        o = min(o, n - 1)
    if kind == "accident":
        m, n = int(rng.integers(20, 60)), int(rng.integers(2, 20))
    sentences = [fact.format(**roles, m=m, n=n, o=o) for fact in facts]
    if kind != "match":
        sentences = [sentences[i] for i in rng.permutation(len(sentences))]
    while sum(len(s.split()) + 1 for s in [first, *sentences]) < 36:
        filler = FILLERS[rng.integers(len(FILLERS))]
        if filler not in sentences:
            sentences.insert(int(rng.integers(len(sentences) + 1)), filler)
    return " . ".join([first.format(**roles), *sentences]) + " ."


def pair(rng, starts):
    """Draw one pair."""
    source = bulletin(rng, starts)
    kind, facts = read(source)
    return source, HEADLINES[kind][rng.integers(TAUGHT)].format(**facts)


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test); no bulletin stands twice."""
    parts = []
    for size, starts in zip(sizes, (STARTS, UNSEEN_STARTS, UNSEEN_STARTS)):
        found = {}
        while len(found) < size:
            found.setdefault(*pair(rng, starts))
        parts.append(list(found.items()))
    return Splits(*parts)


def first_fact(pairs):
    """The baseline that takes the first name and the first number of the facts: right where these are the ones."""
    def answer(source):
        kind, facts = read(source)
        words = source.split(" . ", 1)[1].split()
        number = next(word for word in words if word.isdigit())
        who = next((word for word in words if NAME.fullmatch(word)), "")
        return HEADLINES[kind][0].format(**{**facts, "n": number, "who": who})
    return answer


def lead_and_copy(ask, training, count=300):
    """What the usual baselines of summaries are worth: the first sentence, and the whole bulletin."""
    sources = [source for source, _ in training[:count]]
    return {"the first sentence (lead-1)": sum(is_headline(s, s.split(" . ")[0]) for s in sources) / len(sources),
            "the whole bulletin (copy)": sum(is_headline(s, s) for s in sources) / len(sources),
            "the model, on training": sum(map(is_headline, sources, ask(sources))) / len(sources)}


JUDGE = Judge(
    right=lambda source, answer, target: is_headline(source, answer),
    baseline=first_fact,
    rule="it says, in one of several forms, only what is so and what matters most, and is at most a quarter as long",
    trivial="a headline of the right form with the first name and the first number of the facts",
    failure="Numbers are words without order: that 198 is more than 114 is learnt from comparisons, number by number, "
            "and numbers that training seldom had are compared badly.  Without --readout copy no name of the test can "
            "be said.",
    group=lambda source: read(source)[0], experiment=lead_and_copy)
