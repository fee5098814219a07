"""questions: a story and a question -> the answer.

"mary went to the park . mary took the ball . ? where is the ball" -> park

Row U5, in the manner of Weston et al. (2015), "Towards AI-Complete Question Answering".  The latest fact about a
person wins; a thing is where its carrier is, or where it was dropped; who left a place is nobody knows where.  Facts
about others distract.

    where is mary               one hop     the last fact about mary
    where is the ball           two hops    who has it, and where that person is
    is mary in the garden       yes or no   or unknown: she left, or nothing is said of her

The checker reads the story again, fact by fact; the answer that is to be learnt is its own.
"""
from .judge import Judge, most_frequent
from .sampling import Splits

PEOPLE = "mary john anna peter lucy tom".split()
PLACES = "garden kitchen office park school bathroom".split()
THINGS = "ball book apple cup".split()
MOVES, TAKES, DROPS = ("went to", "moved to", "ran to"), ("took", "picked up"), ("dropped", "put down")
UNKNOWN = "unknown"
MOST_FACTS = 8


class World:
    """Where everybody is and who has what, as far as it was told, and which fact said so (its number in the story)."""

    def __init__(self):
        self.place, self.holder, self.lies = {}, {}, {}        # name -> (place or None, facts); thing -> (person, fact)

    def tell(self, fact, number):
        """Believe one fact: a list of words."""
        who, what = fact[0], " ".join(fact[1:])
        if "left the" in what:
            self.place[who] = None, (number,)
        elif " to the " in what:
            self.place[who] = fact[-1], (number,)
        elif any(what.startswith(verb) for verb in TAKES):
            self.holder[fact[-1]] = who, number
            self.lies.pop(fact[-1], None)
        else:
            self.holder.pop(fact[-1], None)
            place, facts = self.place.get(who, (None, ()))
            self.lies[fact[-1]] = place, (*facts, number)

    def find(self, name):
        """Where a person or thing is: -> place or None, the facts that say so."""
        if name in self.holder:
            who, number = self.holder[name]
            place, facts = self.place.get(who, (None, ()))
            return place, (*facts, number)
        return self.lies.get(name) or self.place.get(name) or (None, ())


def read(source):
    """A source -> facts (lists of words), the question (a list of words)."""
    story, _, question = source.partition("? ")
    return [fact.split() for fact in story.split(" . ") if fact.strip()], question.split()


def solve(source):
    """The answer to a source by reading it, and the numbers of the facts that say so."""
    facts, question = read(source)
    world = World()
    for number, fact in enumerate(facts):
        world.tell(fact, number)
    if question[0] == "where":
        place, support = world.find(question[-1])
        return place or UNKNOWN, support
    place, support = world.find(question[1])
    return (UNKNOWN if place is None else "yes" if place == question[-1] else "no"), support


def support(source):
    """Positions of the tokens of the facts that the answer rests on."""
    facts, numbers, at, found = read(source)[0], solve(source)[1], 0, set()
    for number, fact in enumerate(facts):
        if number in numbers:
            found |= set(range(at, at + len(fact)))
        at += len(fact) + 1                                     # the full stop
    return found


def pick(rng, items):
    """Draw one of some items: what rng.choice draws, without an array of them."""
    return items[rng.integers(len(items))]


def story(rng):
    """Draw facts that can follow each other: nobody drops what she has not, or takes what another has."""
    facts, has, people = [], {}, [str(who) for who in rng.permutation(PEOPLE)[:rng.integers(2, 5)]]
    for _ in range(rng.integers(2, MOST_FACTS + 1)):
        who, free = pick(rng, people), [thing for thing in THINGS if thing not in has]
        mine = [thing for thing, holder in has.items() if holder == who]
        what = rng.random()
        if what < 0.2 and free and len(has) < 2:
            thing = pick(rng, free)
            has[thing] = who
            facts.append(f"{who} {pick(rng, TAKES)} the {thing}")
        elif what < 0.35 and mine:
            facts.append(f"{who} {pick(rng, DROPS)} the {mine[0]}")
            del has[mine[0]]
        elif what < 0.45 and (place := whereabouts(facts, who)):
            facts.append(f"{who} left the {place}")
        else:
            facts.append(f"{who} {pick(rng, MOVES)} the {pick(rng, PLACES)}")
    return facts


def whereabouts(facts, name):
    """Where somebody is after some facts, or None."""
    world = World()
    for number, fact in enumerate(facts):
        world.tell(fact.split(), number)
    return world.find(name)[0]


def pair(rng):
    """Draw one pair."""
    facts = story(rng)
    people = sorted({fact.split()[0] for fact in facts})
    things = sorted({fact.split()[-1] for fact in facts} & set(THINGS))
    if rng.random() < 0.3:
        who = pick(rng, people)
        place = whereabouts(facts, who) if rng.random() < 0.4 else None
        question = f"is {who} in the {place or pick(rng, PLACES)}"
    elif things and rng.random() < 0.6:
        question = f"where is the {pick(rng, things)}"
    else:
        question = f"where is {pick(rng, people if rng.random() < 0.95 else PEOPLE)}"
    source = " . ".join(facts) + f" . ? {question}"
    return source, solve(source)[0]


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test); no source stands twice."""
    found, seen = [], set()
    while len(found) < sum(sizes):
        source, answer = pair(rng)
        if source not in seen:
            seen.add(source)
            found.append((source, answer))
    train, valid, _ = sizes
    return Splits(found[:train], found[train:train + valid], found[train + valid:])


def group(source):
    """The kind of question."""
    question = read(source)[1]
    return "yes or no" if question[0] == "is" else "two hops" if question[-1] in THINGS else "one hop"


JUDGE = Judge(
    right=lambda source, answer, target: answer == solve(source)[0],
    baseline=most_frequent,
    rule="it is what reading the story fact by fact gives",
    trivial="the most frequent answer of training, whatever the story",
    failure="Two hops are hardest: the fact about the thing says who, and only then is it known which fact about a "
            "person to look for.  One look with attention finds one of them; the other must have been put together "
            "while reading.",
    group=group, support=support)
