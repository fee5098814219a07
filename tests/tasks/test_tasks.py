"""Tasks: every answer is checked by a reader of its own, and no test question was ever practised."""
import re
from collections import Counter, defaultdict
from datetime import datetime
from itertools import product

import numpy as np
import pytest

from minis2s.data import frames
from minis2s.data.units import join, split
from minis2s.tasks import TASKS, dates, load, numbers, phrases
from minis2s.tasks.sampling import draw, fill

SMALL = dict(train=3000, valid=300, test=600)
BIG = {name: load(name) for name in TASKS}          # with the default sizes


def everything(splits):
    return splits.train + splits.valid + splits.test


# ---- what holds for every task

@pytest.mark.parametrize("name", TASKS)
def test_sizes_and_no_source_twice(name):
    splits = BIG[name]
    assert [len(part) for part in splits] == [TASKS[name].sizes[p] for p in ("train", "valid", "test")]
    sources = [s for s, _ in everything(splits)]
    assert len(set(sources)) == len(sources)
    assert all(s.strip() == s and t.strip() == t and s and t for s, t in everything(splits))


@pytest.mark.parametrize("name", TASKS)
def test_the_seed_decides(name):
    assert load(name, 3, SMALL) == load(name, 3, SMALL)
    assert load(name, 3, SMALL).train != load(name, 4, SMALL).train


@pytest.mark.parametrize("name", TASKS)
def test_texts_survive_their_units(name):
    task = TASKS[name]
    assert task.name == name and "\n" not in task.summary
    for pair in BIG[name].test:
        for text, unit in zip(pair, (task.source_unit, task.target_unit)):
            if unit in frames.UNITS:                            # a recipe
                assert frames.is_recipe(text)
            else:
                assert join(split(text, unit), unit) == text


@pytest.mark.parametrize("name", TASKS)
def test_training_knows_every_token_of_the_test(name):
    task, splits = TASKS[name], BIG[name]
    if task.options.get("readout") == "copy":                       # what training never had is copied
        return
    for side, unit in enumerate((task.source_unit, task.target_unit)):
        if unit in frames.UNITS:
            continue
        known = {token for pair in splits.train for token in split(pair[side], unit)}
        held = [(x, y) for x, y in splits.valid + splits.test if not task.judge
                or task.judge.group(x) not in task.judge.beyond]
        assert not {token for pair in held for token in split(pair[side], unit)} - known


def test_sizes_may_be_given_in_part_and_be_zero():
    splits = load("copy", sizes=dict(train=7, valid=0))
    assert [len(part) for part in splits] == [7, 0, TASKS["copy"].sizes["test"]]


@pytest.mark.parametrize("arguments, message", [
    (dict(name="date"), "no task 'date', there are copy, reverse, .*; did you mean dates"),
    (dict(name="zzzz"),
     "no task 'zzzz', there are copy, reverse, addition, dates, numbers, numbers-back, numbers-eo, commands, phrases, "
     "questions"),
    (dict(name=None), "no task None"),
    (dict(name="copy", sizes=dict(dev=3)), "no part 'dev', there are train, valid, test"),
    (dict(name="copy", sizes=dict(train=-1)), "train is -1"),
    (dict(name="copy", sizes=dict(train=1.5)), "train is 1.5"),
    (dict(name="addition", sizes=dict(train=10**6 - 10, valid=5, test=6)),
     "1,000,001 sums asked for, but there are 1,000,000"),
    (dict(name="numbers", sizes=dict(train=10**9)), "train is 1,000,000,000, wanted at most 10,000,000"),
    (dict(name="reverse", sizes=dict(train=99_999_999_999)), "wanted at most 10,000,000"),
    (dict(name="addition", sizes=dict(train=10_000_001)), "train is 10,000,001, wanted at most 10,000,000"),
    (dict(name="poems", sizes=dict(train=10_000)), "first lines asked for, but there are 6,192 different ones"),
    (dict(name="commands", sizes=dict(train=20_000)), "24,182 commands asked for, but there are 20,910 different ones"),
    (dict(name="dates", sizes=dict(train=10**7)), "dates asked for, but there are 2,"),
    (dict(name="phrases", sizes=dict(train=10**6)), "training phrases asked for, but there are"),
    (dict(name="phrases", sizes=dict(test=10**6)), "held-out combination asked for, but there are"),
])
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        load(**arguments)


# ---- sampling

def test_fill_gives_equal_shares_but_never_more_than_there_is():
    assert fill([5, 100, 100], 65) == [5, 30, 30]
    assert fill([100, 3, 0, 100], 10) == [3, 3, 0, 4]
    assert sum(fill([7, 1, 9], 17)) == 17 and fill([7, 1, 9], 17) == [7, 1, 9]


def test_draw_takes_all_there_is_once():
    items = draw([[2, 3], [1]], 6, np.random.default_rng(0))
    assert sorted(items) == [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (0, 1, 2), (1, 0, 0)]


# ---- copy, reverse, addition

def test_copy():
    assert all(s == t for s, t in everything(BIG["copy"]))
    assert {len(s) for s, _ in BIG["copy"].train} == set(range(1, 11))
    assert max(len(s) for s, _ in BIG["copy"].test) == 12


def test_reverse():
    splits = BIG["reverse"]
    assert all(s[::-1] == t for s, t in everything(splits))
    assert {len(s) for s, _ in splits.train} == set(range(1, 26))
    assert set(range(3, 31)) <= {len(s) for s, _ in splits.test}
    assert len({c for s, _ in splits.train for c in s}) == 50
    lengths = Counter(len(s) for s, _ in splits.test)
    assert all(30 < lengths[n] < 120 for n in range(3, 31))             # even, about 67 of 2,000 each


def test_addition():
    for source, target in everything(BIG["addition"]):
        x, y = source.split("+")
        assert str(int(x)) == x and str(int(y)) == y and 0 <= int(x) <= 999 and 0 <= int(y) <= 999
        assert int(target) == int(x) + int(y) and str(int(target)) == target


def test_addition_has_all_digit_counts_in_the_test():
    shapes = Counter(tuple(map(len, s.split("+"))) for s, _ in BIG["addition"].test)
    assert len(shapes) == 9 and all(shapes[a, b] > 300 for a, b in [(1, 3), (2, 3), (3, 2), (3, 3), (2, 2)])


# ---- dates: read back with strptime

READERS = [         # a pattern of the whole lower-case text, and how strptime reads it after cleaning
    (r"\d{4}-\d\d-\d\d", "%Y-%m-%d"),
    (r"\d{4}\.\d\d\.\d\d", "%Y.%m.%d"),
    (r"\d{4}/\d{1,2}/\d{1,2}", "%Y/%m/%d"),
    (r"\d\d-\d\d-\d{4}", "%m-%d-%Y"),
    (r"\d{1,2}/\d{1,2}/\d{4}", "%m/%d/%Y"),
    (r"\d{1,2}/\d{1,2}/\d\d", "%m/%d/%y"),
    (r"\d{1,2}-[a-z]{3}-\d{4}", "%d-%b-%Y"),
    (r"[a-z]+ \d{1,2} '\d\d", "%b %d '%y"),
    (r"[a-z]+ \d{1,2} \d{4}", "%b %d %Y"),
    (r"\d{1,2} [a-z]+ \d{4}", "%d %b %Y"),
    (r"\d{4} [a-z]+ \d{1,2}", "%Y %b %d"),
]


def read_date(text):
    """-> the date, and its weekday in three letters if the text names it."""
    text = text.lower()
    weekday = re.match(r"(mon|tue|wed|thu|fri|sat|sun)([a-z]*day)?\b,? ", text)
    text = text[weekday.end():] if weekday else text
    text = re.sub(r"(?<=\d)(st|nd|rd|th)\b|\bthe |\bof |,", "", text)
    text = re.sub(r"\b([a-z]{3})[a-z]*\.?", r"\1", text)
    matches = [form for pattern, form in READERS if re.fullmatch(pattern, text)]
    assert len(matches) == 1, text
    day = datetime.strptime(text, matches[0]).date()
    if "%y" in matches[0]:                                  # strptime turns at 69, the task at 50
        day = day.replace(year=1950 + (day.year - 1950) % 100)
    return day, weekday and weekday[1]


def test_dates_are_read_back():
    seen_weekdays = 0
    for source, target in everything(BIG["dates"]):
        day, weekday = read_date(source)
        assert day.isoformat() == target
        if weekday:
            seen_weekdays += 1
            assert day.strftime("%a").lower() == weekday
        assert len(source) <= 32
        assert 1900 <= day.year <= 2049
    assert seen_weekdays > 5000


def test_every_form_and_case_is_there_and_no_text_has_two_meanings():
    meaning = {}
    for form in dates.FORMS:
        days = dates.days(form)
        for n in days[::7]:
            day = datetime.fromordinal(n).date()
            for case in range(form.cases):
                text = dates.write(day, form, case)
                assert text not in meaning, text
                meaning[text] = day
    assert len(dates.FORMS) >= 12
    shape = lambda s: re.sub("[a-z]+", "a", re.sub("[A-Z]+", "A", re.sub(r"\d", "9", s)))
    kinds = Counter(shape(s) for s, _ in BIG["dates"].test)
    assert len(kinds) >= 40


@pytest.mark.parametrize("text", [
    "May 3rd, 2001", "2/10/93", "the 22nd of may 1999", "TUESDAY, SEPTEMBER 25, 1984", "sept. 11th, 1912",
    "wed the 31st of december, 1975", "1/1/49", "12/31/50"])
def test_particular_dates_can_be_written(text):
    day, _ = read_date(text)
    written = {dates.write(day, form, case) for form in dates.FORMS for case in range(form.cases)}
    assert text in written


def test_days_begin_and_end_where_the_task_says():
    for form in dates.FORMS:
        days = [datetime.fromordinal(n).date().isoformat() for n in dates.days(form)]
        assert (days[0], days[-1]) == ("1950-01-01" if form.short_year else "1900-01-01", "2049-12-31")


def test_ordinals():
    assert [dates.ordinal(n) for n in (1, 2, 3, 4, 10, 11, 12, 13, 20, 21, 22, 23, 24, 30, 31)] == [
        "1st", "2nd", "3rd", "4th", "10th", "11th", "12th", "13th", "20th", "21st", "22nd", "23rd", "24th",
        "30th", "31st"]


def test_window_of_short_years():
    assert read_date("1/1/49")[0].year == 2049 and read_date("12/31/50")[0].year == 1950
    short = [(s, t) for s, t in BIG["dates"].train if re.search(r"^\d{1,2}/\d+/\d\d$|'\d\d$", s)]
    assert {t[:4] for _, t in short} == {str(y) for y in range(1950, 2050)}


# ---- numbers: read back by readers that know nothing of the writers

def read_chinese(text):
    """Chinese numeral -> int: a running section, closed by 万 and 亿."""
    digit = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"两": 2}
    total = section = current = 0
    for c in text:
        if c in digit:
            current = digit[c]
        elif c in "十百千":
            section += (current or (1 if c == "十" else 0)) * {"十": 10, "百": 100, "千": 1000}[c]
            current = 0
        else:
            total = (total + section + current) * {"万": 10**4, "亿": 10**8}[c]
            section = current = 0
    return total + section + current


def read_english(text):
    values = dict(zero=0, one=1, two=2, three=3, four=4, five=5, six=6, seven=7, eight=8, nine=9, ten=10,
                  eleven=11, twelve=12, thirteen=13, fourteen=14, fifteen=15, sixteen=16, seventeen=17,
                  eighteen=18, nineteen=19, twenty=20, thirty=30, forty=40, fifty=50, sixty=60, seventy=70,
                  eighty=80, ninety=90)
    total = group = 0
    for word in re.split("[ -]", text):
        if word in values:
            group += values[word]
        elif word == "hundred":
            group *= 100
        else:
            total, group = total + group * {"thousand": 10**3, "million": 10**6}[word], 0
    return total + group


def test_numbers_are_read_back():
    for english, chinese in everything(BIG["numbers"]):
        assert read_english(english) == read_chinese(chinese) < 10**8


def test_numbers_back_is_numbers_turned():
    for chinese, english in everything(BIG["numbers-back"]):
        assert read_english(english) == read_chinese(chinese)


def test_chinese_grammar():
    """Where the reader would accept more than a person."""
    for _, z in everything(BIG["numbers"]):
        assert "零零" not in z and not z.endswith("零") or z == "零"
        assert not z.startswith("一十") and not re.search("(?<!^)(?<![一二三四五六七八九])十", z)
        assert not re.search("二[百千]|^二万|零[万亿]|两十|两$", z)
        assert not re.search("万[一两二三四五六七八九]百|千[一二三四五六七八九](?:十|$)|百[一二三四五六七八九](?:$|万)", z)


@pytest.mark.parametrize("n, english, chinese", [
    (0, "zero", "零"),
    (2, "two", "二"),
    (10, "ten", "十"),
    (12, "twelve", "十二"),
    (20, "twenty", "二十"),
    (110, "one hundred ten", "一百一十"),
    (202, "two hundred two", "两百零二"),
    (1_010, "one thousand ten", "一千零一十"),
    (2_000, "two thousand", "两千"),
    (10_000, "ten thousand", "一万"),
    (10_005, "ten thousand five", "一万零五"),
    (20_300, "twenty thousand three hundred", "两万零三百"),
    (22_222, "twenty-two thousand two hundred twenty-two", "两万两千两百二十二"),
    (105_000, "one hundred five thousand", "十万五千"),
    (120_000, "one hundred twenty thousand", "十二万"),
    (2_000_000, "two million", "两百万"),
    (10_100_010, "ten million one hundred thousand ten", "一千零一十万零一十"),
    (99_999_999, "ninety-nine million nine hundred ninety-nine thousand nine hundred ninety-nine",
     "九千九百九十九万九千九百九十九"),
    (100_000_005, "one hundred million five", "一亿零五"),
    (200_020_000, "two hundred million twenty thousand", "两亿零两万"),
])
def test_particular_numbers(n, english, chinese):
    assert numbers.english(n) == english
    assert numbers.chinese(n) == chinese


def test_magnitudes_are_even_and_zeros_frequent():
    values = [read_english(e) for e, _ in BIG["numbers"].test]
    digits = Counter(len(str(v)) for v in values)
    assert max(digits.values()) < 0.3 * len(values) and all(digits[d] > 200 for d in (4, 5, 6, 7, 8))
    assert sum(digits[d] for d in (1, 2, 3)) < 0.05 * len(values)
    assert sum("0" in str(v) for v in values) > 0.3 * len(values)


# ---- phrases

GOOD = {
    # measure words; two
    "He will buy two umbrellas tomorrow.": "他明天会买两把雨伞。",
    "I have twelve books.": "我有十二本书。",
    "I have many books.": "我有很多书。",
    "She bought a pair of white shoes last week.": "她上个星期买了一双白鞋子。",
    "There are two people in the park.": "公园里有两个人。",
    "There are three black cats in the room.": "房间里有三只黑猫。",
    "My father is drinking a cup of tea.": "我爸爸正在喝一杯茶。",
    "They have a horse.": "他们有一匹马。",
    # time and place before the verb; the past
    "I read two books in the park yesterday.": "我昨天在公园看了两本书。",
    "His friend ate an orange in the restaurant last night.": "他的朋友昨天晚上在饭馆吃了一个橙子。",
    "My older brother sold an old bicycle yesterday.": "我哥哥昨天卖了一辆旧自行车。",
    "We went to Shanghai by train last week.": "我们上个星期坐火车去了上海。",
    "The students read newspapers in the library every day.": "学生们每天在图书馆看报纸。",
    "She works in the hospital every evening.": "她每天晚上在医院工作。",
    # negation
    "They didn't buy any eggs this morning.": "他们今天早上没买鸡蛋。",
    "He doesn't drink coffee.": "他不喝咖啡。",
    "I don't have any cats.": "我没有猫。",
    "Our teacher didn't go to school last Monday.": "我们的老师上个星期一没去学校。",
    "There aren't any chairs in the library.": "图书馆里没有椅子。",
    "We don't want to eat any noodles.": "我们不想吃面条。",
    "She won't write any letters tonight.": "她今天晚上不会写信。",
    "I am not a doctor.": "我不是医生。",
    # questions
    "Did you buy any apples yesterday?": "你昨天买苹果了吗？",
    "Do you read newspapers every day?": "你每天看报纸吗？",
    "Does her mother have any dogs?": "她妈妈有狗吗？",
    "How many cats do they have?": "他们有几只猫？",
    "How many people are there in the room?": "房间里有几个人？",
    "What did he buy in the store yesterday?": "他昨天在商店买了什么？",
    "Where does his younger sister study?": "他妹妹在哪里学习？",
    "Are you a nurse?": "你是护士吗？",
    "Are they doctors?": "他们是医生吗？",
    # modals and aspect
    "I want to buy a map.": "我想买一张地图。",
    "Can you swim?": "你会游泳吗？",
    "He can't drive.": "他不会开车。",
    "She is wearing a red hat.": "她戴着一顶红帽子。",
    "She is wearing an expensive coat.": "她穿着一件很贵的大衣。",
    "They want to be engineers.": "他们想当工程师。",
    "My friends often eat fish.": "我的朋友们常常吃鱼。",
    # possession and adjectives
    "This is my book.": "这是我的书。",
    "Those aren't our teacher's chairs.": "那些不是我们老师的椅子。",
    "Is that her mother's car?": "那是她妈妈的汽车吗？",
    "This book is expensive.": "这本书很贵。",
    "These two coats are very beautiful.": "这两件大衣非常漂亮。",
    "Those horses aren't big.": "那些马不大。",
    "That cat is white.": "那只猫是白色的。",
    "That cat isn't white.": "那只猫不是白色的。",
    "Is this pair of pants new?": "这条裤子新吗？",
    "My house is small.": "我的房子很小。",
}


@pytest.fixture(scope="module")
def language():
    """Every pair of the grammar: template, choice -> pair."""
    free, held = phrases.pools()
    return [(t.write(*choice), is_held) for k, t in enumerate(phrases.TEMPLATES)
            for pool, is_held in ((free[k], False), (held[k], True)) for choice in pool]


def test_good_translations(language):
    pairs = dict(pair for pair, _ in language)
    assert {source: pairs.get(source) for source in GOOD} == GOOD


def test_one_source_has_one_target_and_stands_once(language):
    assert len({source for (source, _), _ in language}) == len(language) > 100_000


def test_every_template_gives_training_sentences_and_most_are_asked():
    free, held = phrases.pools()
    assert all(free) and sum(map(bool, held)) > 0.9 * len(held)


A_SOUND = re.compile(r"\b(a [aeiou]|an [^aeiou])", re.I)


def test_form_of_the_sentences(language):
    for (en, zh), _ in language:
        assert en[0].isupper() and "  " not in en and not A_SOUND.search(en)
        assert (en[-1], zh[-1]) in ((".", "。"), ("?", "？"))
        assert not re.search("[A-Za-z .?]", zh) and "二" not in zh.replace("十二", "")
        assert not ("没" in zh and "了" in zh) and zh.count("的") <= 2
        assert ("吗" in zh) + bool(re.search("几|什么|哪里", zh)) == (zh[-1] == "？")


def forms(*lines):
    """One line for each word, its forms between strokes: -> form -> line."""
    return {form: line for line in lines for form in line.split("/")}


VERB_FORMS = forms(
    "read/reads/reading", "write/writes/wrote/writing", "buy/buys/bought/buying", "sell/sells/sold/selling",
    "borrow/borrows/borrowed/borrowing", "eat/eats/ate/eating", "drink/drinks/drank/drinking",
    "draw/draws/drew/drawing", "wash/washes/washed/washing", "see/saw", "have/has", "wearing", "go/went",
    "work/works", "study/studies", "exercise/exercises")
NOUN_FORMS = forms(
    "book/books", "newspaper/newspapers", "magazine/magazines", "novel/novels", "letter/letters",
    "map/maps", "computer/computers", "bicycle/bicycles", "car/cars", "umbrella/umbrellas",
    "chair/chairs", "table/tables", "cup/cups", "house/houses", "shirt/shirts", "coat/coats",
    "hat/hats", "pants", "shoes", "apple/apples", "orange/oranges", "banana/bananas", "egg/eggs",
    "rice", "noodles", "tea", "coffee", "water", "milk", "beer", "cat/cats", "dog/dogs", "bird/birds",
    "horse/horses", "fish", "flower/flowers", "tree/trees", "child/children", "student/students",
    "person/people")
ADJECTIVES = forms(*"new old big small white black red expensive cheap beautiful".split())
SUBJECT_WORDS = forms("I", "you", "he", "she", "we", "they", "my father", "her mother", "my older brother",
                      "his younger sister", "our teacher", "his friend", "my friends", "the_students")
OWNER_WORDS = ("my", "your", "his", "her", "our", "their", "my father's", "her mother's", "our teacher's",
               "his friend's")
TIMES = forms(
    "yesterday", "this morning", "last night", "last week", "last Monday", "every day", "every morning",
    "every evening", "every week", "tomorrow", "tonight", "next week", "next Monday")
SKILLS = forms("swim", "drive", "cook", "sing", "dance", "speak Chinese", "speak English", "ride a bicycle",
               "play the piano", "play chess")
JOBS = forms(*(f"{job}/{job}s" for job in "doctor nurse teacher driver farmer singer actor engineer".split()))
PLACE = re.compile("under the tree|on the table|(?:in|at|to) (?:the )?(?:home|school|library|park|station|"
                   "store|market|restaurant|hospital|room|Beijing|Shanghai)")


def facts(sentence):
    """The combinations that a person finds in an English sentence, by its words alone."""
    text = PLACE.sub(lambda m: m[0].replace(" ", "_"), sentence[:-1])
    text = text if text.startswith("I ") else text[0].lower() + text[1:]
    words = text.replace("the students", "the_students").split()        # the subject, no object
    runs = {" ".join(words[i:i + n]) for n in (1, 2, 3) for i in range(len(words))}
    found = lambda table: {table[run] for run in runs if run in table}
    verbs, nouns, subjects = found(VERB_FORMS), found(NOUN_FORMS), found(SUBJECT_WORDS)
    places = {word for word in words if "_" in word and not word.startswith("to_")}
    owners = {o for o in OWNER_WORDS for form in NOUN_FORMS if f"{o} {form}" in runs}
    return {*product(["verb-noun"], verbs, nouns), *product(["adjective-noun"], found(ADJECTIVES), nouns),
            *product(["place-noun"], places, nouns), *product(["owner-noun"], owners, nouns),
            *product(["subject-verb-time"], subjects, verbs, found(TIMES)),
            *product(["subject-skill"], subjects, found(SKILLS)),
            *product(["subject-job"], subjects, found(JOBS))}


def test_each_question_of_the_test_has_a_combination_never_practised():
    splits = BIG["phrases"]
    practised = set().union(*(facts(source) for source, _ in splits.train))
    kinds = defaultdict(int)
    for source, _ in splits.valid + splits.test:
        new = facts(source) - practised
        assert new, source
        for kind in {f[0] for f in new}:
            kinds[kind] += 1
    assert len(kinds) == 7 and min(kinds.values()) >= 20


def test_held_out_combinations_never_stand_in_a_training_choice():
    free, held = phrases.pools()
    for t, pool, asked in zip(phrases.TEMPLATES, free, held):
        has = lambda choice: any(phrases.held_out(*words) for words in phrases.combinations(t, choice))
        assert not any(map(has, pool[::5])) and all(map(has, asked[::5]))


def test_held_out_for_good():
    """Another seed practises other sentences, but the same combinations are kept back."""
    other = load("phrases", 9, dict(train=8000, valid=1, test=1))
    practised = set().union(*(facts(source) for source, _ in other.train))
    assert all(facts(source) - practised for source, _ in BIG["phrases"].test)


# ---- commands

def obey(words):
    """The moves of a command, read from its end: a second way to say what the words mean."""
    if "after" in words:
        at = words.index("after")
        return obey(words[at + 1:]) + obey(words[:at])
    if "and" in words:
        at = words.index("and")
        return obey(words[:at]) + obey(words[at + 1:])
    if words[-1] in ("twice", "thrice"):
        return obey(words[:-1]) * (2 if words[-1] == "twice" else 3)
    act = [] if words[0] == "turn" else [words[0].upper()]
    if len(words) == 1:
        return act
    side = words[-1].upper()
    if words[1] == "around":
        return ([side] + act) * 4
    return [side] * (2 if words[1] == "opposite" else 1) + act


def test_commands_mean_what_they_say():
    for source, target in everything(BIG["commands"]):
        assert obey(source.split()) == target.split()
    assert obey("turn opposite right after jump around left twice".split()) == "LEFT JUMP".split() * 8 + ["RIGHT"] * 2


def test_the_default_sizes_are_all_commands_four_fifths_to_train():
    splits = BIG["commands"]
    assert len({s for s, _ in everything(splits)}) == 102 + 2 * 102**2 == 20_910
    assert len(splits.train) == round(0.8 * 20_910) and max(len(t.split()) for _, t in splits.test) == 48


@pytest.mark.parametrize("n, words", [
    (0, "nul"), (1, "unu"), (10, "dek"), (12, "dek du"), (20, "dudek"), (100, "cent"), (111, "cent dek unu"),
    (1000, "mil"), (1001, "mil unu"), (2000, "du mil"), (21_005, "dudek unu mil kvin"),
    (345_678, "tricent kvardek kvin mil sescent sepdek ok"), (1_000_000, "unu miliono"), (2_000_001, "du milionoj unu"),
    (99_999_999, "naŭdek naŭ milionoj naŭcent naŭdek naŭ mil naŭcent naŭdek naŭ")])
def test_numbers_in_esperanto(n, words):
    from minis2s.tasks.numbers import esperanto
    assert esperanto(n) == words
