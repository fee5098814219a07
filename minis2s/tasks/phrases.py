"""phrases: English -> Chinese, from a small grammar of both; words -> characters.

What makes it more than word for word:

- measure words by noun: 一本书, 三只猫, 两个人; two is 两 before them, but twelve is 十二; many takes none: 很多书
- time and place stand before the verb: I read two books in the park yesterday -> 我昨天在公园看了两本书
- the past is 了 after the verb, and 没 without 了 when denied; habits, wishes and the future are denied by
  不; 有 by 没
- questions keep the word order: 吗 at the end, or 什么, 几本, 哪里 in the place of the answer
- can (skill) and will are 会, want to is 想, is reading is 正在看, is wearing is 穿着 or, a hat, 戴着
- possession is 的 (我的书), but not with family (我妈妈); nouns have no plural, people spoken of take 们
- adjectives are verbs: 这本书很贵, 这本书不贵, but colours 是白色的; before a noun 新书, 便宜的书
- English has a and an, plurals, -s, past forms, do, am/is/are; Chinese has none of these

Valid and test hold out COMBINATIONS: certain pairs of verb and noun, adjective and noun, place and noun,
owner and noun, subject and skill, subject and job, and triples of subject, verb and time never stand in
a training sentence (`held_out`).  Every sentence of valid and test has at least one of them, while all
their words occur in training.  So the test asks for grammar, not memory.
"""
from functools import cache
from inspect import signature
from itertools import product
from typing import NamedTuple

from .lexicon import (
    ACTIVITIES, ADJECTIVES, COUNTS, FUTURE, GO, HABIT, HAVE, JOBS, NOUNS, OWNERS, PAST, PLACES, SEE, SKILLS, SUBJECTS,
    VEHICLES, VERBS, WEAR, Phrase
)
from .sampling import Splits, draw

# What can be held out, by the parameter names of the templates.
KINDS = [("verb", "noun"), ("adjective", "noun"), ("place", "noun"), ("owner", "noun"),
         ("subject", "skill"), ("subject", "job"), ("subject", "verb", "time")]
ONE_IN = 9          # of the combinations of a kind, about one in so many is held out:
HELD = 4           # those whose number leaves this remainder (so that reading books is practised)

_TABLES = [SUBJECTS, [*VERBS, SEE, HAVE, WEAR, GO, *ACTIVITIES], list(NOUNS.values()),
           list(ADJECTIVES.values()), list(PLACES.values()), PAST + HABIT + FUTURE, OWNERS, SKILLS, JOBS]
_NUMBER = {(type(word), word.en): i for table in _TABLES for i, word in enumerate(table)}


def held_out(*words):
    """Is this combination kept for valid and test?  The words' places in their tables decide, for good."""
    return sum((k + 1) * _NUMBER[type(w), w.en] for k, w in enumerate(words)) % ONE_IN == HELD


# ---- templates: a function that writes one sentence, and all the choices of words that it can be given

class Template(NamedTuple):
    write: object           # (*choice) -> (English, Chinese)
    choices: object         # () -> iterable of tuples of words
    kinds: list             # the KINDS among its parameters, each a list of positions in the choice


TEMPLATES = []


def template(choices):
    """Register a function as a template with these choices."""
    def register(write):
        names = list(signature(write).parameters)
        kinds = [[names.index(name) for name in kind] for kind in KINDS if set(kind) <= set(names)]
        TEMPLATES.append(Template(write, choices, kinds))
        return write
    return register


def combinations(t, choice):
    """The combinations in one choice of words for template `t`: list of tuples of words."""
    return [words for words in ([choice[k] for k in kind] for kind in t.kinds) if None not in words]


A, TWO, THREE = COUNTS[:3]
ASKED = SUBJECTS[1:]                                        # nobody asks: do I read books?
OBJECTS = [(v, NOUNS[n]) for v in VERBS for n in v.nouns.split(",")]
SEEN = OBJECTS + [(SEE, NOUNS[n]) for n in SEE.nouns.split(",")]
OWNED = [NOUNS[n] for n in HAVE.nouns.split(",")]
WORN = [NOUNS[n] for n in WEAR.nouns.split(",")]
SPOTS = [(p, NOUNS[n]) for p in PLACES.values() for n in p.nouns.split()]
VERY = Phrase("very", "非常")


def counts(noun, few=False):
    """The counts that suit a noun; many cups of tea would need a measure word, so it is left out."""
    unfit = ["ten", "twelve"] * few + ["many"] * noun.packed
    return [c for c in COUNTS if c.en not in unfit]


def places(verb):
    return [PLACES[p] for p in verb.places.split(",")]


def adjectives(noun):
    return [ADJECTIVES[a] for a in noun.adjectives.split()]


# ---- pieces of sentences: English, Chinese, or (English, Chinese)

def sentence(en, zh):
    """Close a sentence: a capital, and a question mark in Chinese where English has one."""
    return en[0].upper() + en[1:], zh + ("？" if en.endswith("?") else "。")


def thing(count, noun, adjective=None):
    """two black cats, 两只黑猫; a pair of white shoes, 一双白鞋子."""
    en = noun.en if count is A else noun.many
    if adjective and noun.packed:
        en = en.replace(" of ", f" of {adjective.en} ")
    elif adjective:
        en = f"{adjective.en} {en}"
    article = ("an" if en[0] in "aeiou" else "a") if count is A else count.en
    measure = "" if count.en == "many" else noun.measure
    return f"{article} {en}", count.zh + measure + (adjective.before if adjective else "") + noun.zh


def at(place):
    """The place with the space before it; nothing for None."""
    return f" {place.preposition} {place.en}" if place else ""


def zai(place):
    return f"在{place.zh}" if place else ""


def to(place):
    return f"to {place.en}"


def do(subject):
    return "does" if subject.third else "do"


def not_be(subject):
    return {"am": "am not", "is": "isn't", "are": "aren't"}[subject.be]


def present(subject, verb):
    return verb.third if subject.third else verb.en


# ---- the past

@template(lambda: ((s, v, n, c, t) for v, n in SEEN for s, c, t in product(SUBJECTS, counts(n, v.few), PAST)))
def past(subject, verb, noun, count, time):
    en, zh = thing(count, noun)
    return sentence(f"{subject.en} {verb.past} {en} {time.en}.", f"{subject.zh}{time.zh}{verb.zh}了{zh}")


@template(lambda: ((s, v, n, c, p, t) for v, n in SEEN
                   for s, c, p, t in product(SUBJECTS, (A, TWO), places(v), PAST)))
def past_place(subject, verb, noun, count, place, time):
    en, zh = thing(count, noun)
    return sentence(f"{subject.en} {verb.past} {en}{at(place)} {time.en}.",
                    f"{subject.zh}{time.zh}{zai(place)}{verb.zh}了{zh}")


@template(lambda: ((s, v, n, a, c, t) for v, n in SEEN
                   for s, a, c, t in product(SUBJECTS, adjectives(n), (A, TWO), PAST)))
def past_adjective(subject, verb, noun, adjective, count, time):
    en, zh = thing(count, noun, adjective)
    return sentence(f"{subject.en} {verb.past} {en} {time.en}.", f"{subject.zh}{time.zh}{verb.zh}了{zh}")


@template(lambda: ((s, v, n, t) for v, n in SEEN for s, t in product(SUBJECTS, PAST)))
def past_not(subject, verb, noun, time):
    return sentence(f"{subject.en} didn't {verb.en} any {noun.bare} {time.en}.",
                    f"{subject.zh}{time.zh}没{verb.zh}{noun.zh}")


@template(lambda: ((s, v, n, t) for v, n in SEEN for s, t in product(ASKED, PAST)))
def past_question(subject, verb, noun, time):
    return sentence(f"did {subject.en} {verb.en} any {noun.bare} {time.en}?",
                    f"{subject.zh}{time.zh}{verb.zh}{noun.zh}了吗")


@template(lambda: ((s, v, n, t) for v, n in SEEN for s, t in product(ASKED, PAST)))
def past_how_many(subject, verb, noun, time):
    return sentence(f"how many {noun.many} did {subject.en} {verb.en} {time.en}?",
                    f"{subject.zh}{time.zh}{verb.zh}了几{noun.measure}{noun.zh}")


@template(lambda: ((s, v, p, t) for v in VERBS for s, p, t in product(ASKED, [None, *places(v)], PAST)))
def past_what(subject, verb, place, time):
    return sentence(f"what did {subject.en} {verb.en}{at(place)} {time.en}?",
                    f"{subject.zh}{time.zh}{zai(place)}{verb.zh}了什么")


# ---- habits

@template(lambda: ((s, v, n, p, t) for v, n in OBJECTS
                   for s, p, t in product(SUBJECTS, [None, *places(v)], HABIT)))
def habit(subject, verb, noun, place, time):
    return sentence(f"{subject.en} {present(subject, verb)} {noun.bare}{at(place)} {time.en}.",
                    f"{subject.zh}{time.zh}{zai(place)}{verb.zh}{noun.zh}")


@template(lambda: ((s, v, n) for s, (v, n) in product(SUBJECTS, OBJECTS)))
def habit_often(subject, verb, noun):
    return sentence(f"{subject.en} often {present(subject, verb)} {noun.bare}.",
                    f"{subject.zh}常常{verb.zh}{noun.zh}")


@template(lambda: ((s, v, n) for s, (v, n) in product(SUBJECTS, OBJECTS)))
def habit_not(subject, verb, noun):
    return sentence(f"{subject.en} {do(subject)}n't {verb.en} {noun.bare}.",
                    f"{subject.zh}不{verb.zh}{noun.zh}")


@template(lambda: ((s, v, n, t) for s, (v, n), t in product(ASKED, OBJECTS, HABIT)))
def habit_question(subject, verb, noun, time):
    return sentence(f"{do(subject)} {subject.en} {verb.en} {noun.bare} {time.en}?",
                    f"{subject.zh}{time.zh}{verb.zh}{noun.zh}吗")


@template(lambda: ((s, v, p, t) for v in ACTIVITIES for s, p, t in product(SUBJECTS, places(v), HABIT)))
def activity(subject, verb, place, time):
    return sentence(f"{subject.en} {present(subject, verb)}{at(place)} {time.en}.",
                    f"{subject.zh}{time.zh}{zai(place)}{verb.zh}")


@template(lambda: product(ASKED, ACTIVITIES))
def activity_where(subject, verb):
    return sentence(f"where {do(subject)} {subject.en} {verb.en}?", f"{subject.zh}在哪里{verb.zh}")


# ---- wishes, the future, the very moment

@template(lambda: ((s, v, n, c, t)
                   for s, (v, n), c, t in product(SUBJECTS, OBJECTS, (A, TWO), [None, *FUTURE])))
def want(subject, verb, noun, count, time):
    en, zh = thing(count, noun)
    return sentence(f"{subject.en} {'wants' if subject.third else 'want'} to {verb.en} {en}"
                    f"{' ' + time.en if time else ''}.",
                    f"{subject.zh}{time.zh if time else ''}想{verb.zh}{zh}")


@template(lambda: ((s, v, n) for s, (v, n) in product(SUBJECTS, OBJECTS)))
def want_not(subject, verb, noun):
    return sentence(f"{subject.en} {do(subject)}n't want to {verb.en} any {noun.bare}.",
                    f"{subject.zh}不想{verb.zh}{noun.zh}")


@template(lambda: ((s, v, n, c) for s, (v, n), c in product(ASKED, OBJECTS, (A, TWO))))
def want_question(subject, verb, noun, count):
    en, zh = thing(count, noun)
    return sentence(f"{do(subject)} {subject.en} want to {verb.en} {en}?", f"{subject.zh}想{verb.zh}{zh}吗")


@template(lambda: ((s, v, n, c, t)
                   for s, (v, n), c, t in product(SUBJECTS, OBJECTS, (A, TWO, THREE), FUTURE)))
def future(subject, verb, noun, count, time):
    en, zh = thing(count, noun)
    return sentence(f"{subject.en} will {verb.en} {en} {time.en}.", f"{subject.zh}{time.zh}会{verb.zh}{zh}")


@template(lambda: ((s, v, n, t) for s, (v, n), t in product(SUBJECTS, OBJECTS, FUTURE)))
def future_not(subject, verb, noun, time):
    return sentence(f"{subject.en} won't {verb.en} any {noun.bare} {time.en}.",
                    f"{subject.zh}{time.zh}不会{verb.zh}{noun.zh}")


@template(lambda: ((s, v, n, c) for s, (v, n), c in product(SUBJECTS, OBJECTS, (A, TWO))))
def progressive(subject, verb, noun, count):
    en, zh = thing(count, noun)
    return sentence(f"{subject.en} {subject.be} {verb.ing} {en}.", f"{subject.zh}正在{verb.zh}{zh}")


@template(lambda: ((s, WEAR, n, a) for n in WORN for s, a in product(SUBJECTS, [None, *adjectives(n)])))
def wearing(subject, verb, noun, adjective):
    en, zh = thing(A, noun, adjective)
    return sentence(f"{subject.en} {subject.be} wearing {en}.",
                    f"{subject.zh}{'戴' if noun.en == 'hat' else verb.zh}着{zh}")


# ---- skills and jobs

@template(lambda: product(SUBJECTS, SKILLS))
def skill(subject, skill):
    return sentence(f"{subject.en} can {skill.en}.", f"{subject.zh}会{skill.zh}")


@template(lambda: product(SUBJECTS, SKILLS))
def skill_not(subject, skill):
    return sentence(f"{subject.en} can't {skill.en}.", f"{subject.zh}不会{skill.zh}")


@template(lambda: product(ASKED, SKILLS))
def skill_question(subject, skill):
    return sentence(f"can {subject.en} {skill.en}?", f"{subject.zh}会{skill.zh}吗")


def a_job(subject, job):
    """He is a doctor, they are doctors: Chinese says 医生 for both."""
    return job.many if subject.be == "are" and subject.en != "you" else thing(A, job)[0]


WORKERS = [s for s in SUBJECTS if s.en not in ("our teacher", "the students")]


@template(lambda: product(WORKERS, JOBS))
def job(subject, job):
    return sentence(f"{subject.en} {subject.be} {a_job(subject, job)}.", f"{subject.zh}是{job.zh}")


@template(lambda: product(WORKERS, JOBS))
def job_not(subject, job):
    return sentence(f"{subject.en} {not_be(subject)} {a_job(subject, job)}.", f"{subject.zh}不是{job.zh}")


@template(lambda: product(WORKERS[1:], JOBS))
def job_question(subject, job):
    return sentence(f"{subject.be} {subject.en} {a_job(subject, job)}?", f"{subject.zh}是{job.zh}吗")


@template(lambda: product(SUBJECTS, JOBS))
def job_wish(subject, job):
    return sentence(f"{subject.en} {'wants' if subject.third else 'want'} to be {a_job(subject, job)}.",
                    f"{subject.zh}想当{job.zh}")


# ---- going places

@template(lambda: product(SUBJECTS, [GO], places(GO), PAST))
def went(subject, verb, place, time):
    return sentence(f"{subject.en} {verb.past} {to(place)} {time.en}.",
                    f"{subject.zh}{time.zh}{verb.zh}了{place.zh}")


@template(lambda: product(SUBJECTS, [GO], places(GO), PAST))
def went_not(subject, verb, place, time):
    return sentence(f"{subject.en} didn't {verb.en} {to(place)} {time.en}.",
                    f"{subject.zh}{time.zh}没{verb.zh}{place.zh}")


@template(lambda: product(ASKED, [GO], places(GO), PAST))
def went_question(subject, verb, place, time):
    return sentence(f"did {subject.en} {verb.en} {to(place)} {time.en}?",
                    f"{subject.zh}{time.zh}{verb.zh}{place.zh}了吗")


@template(lambda: product(SUBJECTS, [GO], places(GO), FUTURE, VEHICLES[2:]))
def will_go(subject, verb, place, time, vehicle):
    return sentence(f"{subject.en} will {verb.en} {to(place)} {vehicle.en} {time.en}.",
                    f"{subject.zh}{time.zh}会{vehicle.zh}{verb.zh}{place.zh}")


@template(lambda: product(SUBJECTS, [GO], [PLACES["Beijing"], PLACES["Shanghai"]], PAST, VEHICLES))
def went_by(subject, verb, place, time, vehicle):
    return sentence(f"{subject.en} {verb.past} {to(place)} {vehicle.en} {time.en}.",
                    f"{subject.zh}{time.zh}{vehicle.zh}{verb.zh}了{place.zh}")


# ---- having and being there

@template(lambda: ((s, HAVE, n, c) for n in OWNED for s, c in product(SUBJECTS, counts(n))))
def have(subject, verb, noun, count):
    en, zh = thing(count, noun)
    return sentence(f"{subject.en} {present(subject, verb)} {en}.", f"{subject.zh}{verb.zh}{zh}")


@template(lambda: product(SUBJECTS, [HAVE], OWNED))
def have_not(subject, verb, noun):
    return sentence(f"{subject.en} {do(subject)}n't have any {noun.bare}.",
                    f"{subject.zh}没{verb.zh}{noun.zh}")


@template(lambda: product(ASKED, [HAVE], OWNED))
def have_question(subject, verb, noun):
    return sentence(f"{do(subject)} {subject.en} have any {noun.bare}?", f"{subject.zh}{verb.zh}{noun.zh}吗")


@template(lambda: product(ASKED, [HAVE], OWNED))
def have_how_many(subject, verb, noun):
    return sentence(f"how many {noun.many} {do(subject)} {subject.en} have?",
                    f"{subject.zh}{verb.zh}几{noun.measure}{noun.zh}")


@template(lambda: ((p, n, c) for p, n in SPOTS for c in counts(n)))
def there(place, noun, count):
    en, zh = thing(count, noun)
    return sentence(f"there {'is' if count is A else 'are'} {en}{at(place)}.", f"{place.spot}有{zh}")


@template(lambda: ((p, n, c, a) for p, n in SPOTS for c, a in product((A, TWO, THREE), adjectives(n))))
def there_adjective(place, noun, count, adjective):
    en, zh = thing(count, noun, adjective)
    return sentence(f"there {'is' if count is A else 'are'} {en}{at(place)}.", f"{place.spot}有{zh}")


@template(lambda: SPOTS)
def there_not(place, noun):
    return sentence(f"there aren't any {noun.bare}{at(place)}.", f"{place.spot}没有{noun.zh}")


@template(lambda: SPOTS)
def there_question(place, noun):
    return sentence(f"are there any {noun.bare}{at(place)}?", f"{place.spot}有{noun.zh}吗")


@template(lambda: SPOTS)
def there_how_many(place, noun):
    return sentence(f"how many {noun.many} are there{at(place)}?", f"{place.spot}有几{noun.measure}{noun.zh}")


# ---- saying of things what they are like and whose they are

DESCRIBED = [(n, a) for n in NOUNS.values() for a in adjectives(n)]


def these(noun):
    """The ways to point at a noun: (English, be, Chinese)."""
    ways = [(f"{en} {noun.en}", "is", f"{zh}{noun.measure}{noun.zh}")
            for en, zh in (("this", "这"), ("that", "那"))]
    ways += [(f"{en} {noun.many}", "are", f"{zh}{noun.measure}{noun.zh}")
             for en, zh in (("these two", "这两"), ("those three", "那三"))]
    if not noun.packed:
        ways += [(f"{en} {noun.many}", "are", f"{zh}{noun.zh}")
                 for en, zh in (("these", "这些"), ("those", "那些"))]
    return ways


@template(lambda: ((n, a, w, d) for n, a in DESCRIBED
                   for w, d in product(these(n), ("", VERY) if not a.colour else ("",))))
def like(noun, adjective, way, degree):
    en, be, zh = way
    if degree:
        return sentence(f"{en} {be} very {adjective.en}.", f"{zh}{degree.zh}{adjective.stem}")
    return sentence(f"{en} {be} {adjective.en}.", f"{zh}{'' if adjective.colour else '很'}{adjective.stem}")


@template(lambda: ((n, a, w) for n, a in DESCRIBED for w in these(n)))
def like_not(noun, adjective, way):
    en, be, zh = way
    return sentence(f"{en} {be}n't {adjective.en}.", f"{zh}不{adjective.stem}")


@template(lambda: ((n, a, w) for n, a in DESCRIBED for w in these(n)))
def like_question(noun, adjective, way):
    en, be, zh = way
    return sentence(f"{be} {en} {adjective.en}?", f"{zh}{adjective.stem}吗")


@template(lambda: ((o, n, a) for n in OWNED for o, a in product(OWNERS, adjectives(n))))
def own_like(owner, noun, adjective):
    return sentence(f"{owner.en} {noun.en} is {adjective.en}.",
                    f"{owner.zh}{noun.zh}{'' if adjective.colour else '很'}{adjective.stem}")


POINTED = [("this", "is", "这"), ("that", "is", "那"), ("these", "are", "这些"), ("those", "are", "那些")]


def named(noun, be):
    return noun.en if be == "is" else noun.many


@template(lambda: product(POINTED, OWNERS, OWNED))
def own(way, owner, noun):
    en, be, zh = way
    return sentence(f"{en} {be} {owner.en} {named(noun, be)}.", f"{zh}是{owner.zh}{noun.zh}")


@template(lambda: product(POINTED, OWNERS, OWNED))
def own_not(way, owner, noun):
    en, be, zh = way
    return sentence(f"{en} {be}n't {owner.en} {named(noun, be)}.", f"{zh}不是{owner.zh}{noun.zh}")


@template(lambda: product(POINTED, OWNERS, OWNED))
def own_question(way, owner, noun):
    en, be, zh = way
    return sentence(f"{be} {en} {owner.en} {named(noun, be)}?", f"{zh}是{owner.zh}{noun.zh}吗")


# ---- drawing

@cache
def pools():
    """All choices of every template: those without and those with a held-out combination."""
    free, held = [], []
    for t in TEMPLATES:
        free.append([])
        held.append([])
        for choice in t.choices():
            pool = held if any(held_out(*words) for words in combinations(t, choice)) else free
            pool[-1].append(choice)
    return free, held


def generate(rng, sizes):
    """-> Splits of sizes (train, valid, test): even over the templates."""
    train, valid, test = sizes
    free, held = pools()
    write = lambda pool, count, what: [TEMPLATES[g].write(*pool[g][i])
                                       for g, _, i in draw([[len(p)] for p in pool], count, rng, what)]
    practised = write(free, train, "training phrases")
    asked = write(held, valid + test, "phrases with a held-out combination")
    return Splits(practised, asked[:valid], asked[valid:])
