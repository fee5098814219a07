"""Tasks that are judged by truth: their checkers by hand-made cases, their signals, and what every Judge must have."""
import numpy as np
import pytest

from minis2s.data import frames, pictures as png, sound
from minis2s.tasks import TASKS, dialogue, headlines, judge_of, load, pictures, poems, questions, records, speech
from minis2s.tasks.dialogue import guest, replies, state
from minis2s.tasks.judge import score
from minis2s.tasks.pictures.scenes import SIDE, parsed
from minis2s.tasks.pictures.sentences import describe, is_true, kind
from minis2s.tasks.pictures.task import WITHHELD
from minis2s.tasks.poems import couplets, lexicon
from minis2s.tasks.speech.voices import SEEN, WORDS

JUDGED = [name for name, task in TASKS.items() if task.judge]


@pytest.mark.parametrize("name", JUDGED)
def test_every_judge(name):
    """Targets are right, targets of other sources mostly wrong, and the baseline leaves 30 points to be won."""
    judge, s = TASKS[name].judge, load(name, sizes=dict(train=500, valid=1, test=200))
    sources, targets = [x for x, _ in s.test], [y for _, y in s.test]
    assert score(judge, sources, targets, targets)["all"] == 1
    assert score(judge, sources, targets[1:] + targets[:1], targets)["all"] < 0.5
    assert not any(judge.right(x, "", y) for x, y in s.test[:20])
    answer = judge.baseline(s.train)
    found = score(judge, sources, [answer(x) for x in sources], targets)
    assert found["all"] < 0.67 and len(found) > 2               # kinds have scores of their own
    for text in (judge.rule, judge.trivial, judge.failure):
        assert len(text) > 20


def test_tasks_without_a_judge_ask_for_the_target():
    judge = judge_of(TASKS["dates"])
    assert judge.right("x", "a", "a") and not judge.right("x", "a", "b")
    assert score(judge, ["x", "y"], ["a", "b"], ["a", "c"]) == {"all": 0.5}
    kinds = judge._replace(group=lambda source: source, beyond=("y",))
    assert score(kinds, ["x", "y"], ["a", "b"], ["a", "c"]) == {"all": 1, "x": 1, "y": 0}
    assert score(kinds, ["y", "y"], ["a", "b"], ["a", "c"]) == {"all": 0.5, "y": 0.5}


# speech ---------------------------------------------------------------------------------------------------

def test_a_recipe_is_always_the_same_sound_and_another_is_another(tmp_path):
    one, rate = speech.samples("spk 3 seed 7: one two")
    assert rate == 8000 and np.array_equal(one, speech.samples("spk 3 seed 7: one two")[0])
    others = [speech.samples(r)[0] for r in ("spk 4 seed 7: one two", "spk 3 seed 8: one two", "spk 3 seed 7: one")]
    assert len({len(x) for x in (one, *others)}) == 4           # durations differ with speaker, seed and words
    assert 0.1 < np.abs(one).max() <= 1
    speech.JUDGE.show("speech:spk 3 seed 7: one two", tmp_path / "a.wav")
    assert np.abs(sound.read_wav(tmp_path / "a.wav")[0] - one).max() < 1e-4


def test_vowels_have_their_formants():
    """The loudest frequency near the first formant of "three" lies below that of "five"."""
    def low(words):
        x = speech.samples(f"spk 2 seed 1: {words}")[0]
        return np.exp(sound.log_mel(x, 8000)).sum(axis=0)
    high, open_ = low("three three three"), low("five five five")
    band = slice(12, 22)                                        # about 600 to 1400 Hz
    assert open_[band].sum() / open_.sum() > 3 * high[band].sum() / high.sum()


def test_who_speaks_is_kept_apart_from_training():
    s = load("speech")
    kinds = [speech.JUDGE.group(x) for x, _ in s.test]
    assert {speech.JUDGE.group(x) for x, _ in s.train} == {"speakers of training"}
    assert kinds.count("unseen speakers") == 200 and kinds.count("longer than trained") == 100
    assert all(set(y.split()) <= WORDS.keys() for _, y in s.test) and SEEN > 10


@pytest.mark.parametrize("recipe", ["spk 3: one", "spk 3 seed 7: eleven", "spk 3 seed 7: ", "hello"])
def test_what_is_no_recipe_of_a_sound(recipe):
    with pytest.raises(ValueError, match="^speech:.*: no recipe, wanted such as speech:spk 3 seed 7: one two$"):
        frames.signal_of("wav", f"speech:{recipe}")


# pictures -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("recipe, true, false", [
    ("small red circle 5 5; seed 1",
     ["a small red circle in the upper left", "there is a small red circle in the upper left",
      "the picture shows a small red circle in the upper left"],
     ["a large red circle in the upper left", "a small blue circle in the upper left",
      "a small red square in the upper left", "a small red circle in the lower left",
      "a small red circle in the upper centre", "a red circle", "one red circle", ""]),
    ("small red circle 5 5; large blue square 16 6; seed 1",
     ["a red circle is left of a blue square", "a blue square is right of a red circle"],
     ["a red circle is right of a blue square", "a red circle is above a blue square",
      "a blue circle is left of a red square", "a red circle is left of a red circle",
      "a small red circle in the upper left"]),
    ("small green triangle 5 5; small green triangle 15 5; small green triangle 5 18; seed 1",
     ["three green triangles", "i see three green triangles"],
     ["two green triangles", "three green circles", "three red triangles",
      "a green triangle is above a green triangle"]),
])
def test_what_is_true_of_a_picture(recipe, true, false):
    scene = parsed(recipe)
    assert [s for s in true if not is_true(scene, s)] == [] and [s for s in false if is_true(scene, s)] == []
    said = {describe(scene, np.random.default_rng(i)) for i in range(30)}
    assert all(is_true(scene, s) for s in said) and len(said) > 1
    assert str(scene) == recipe


def test_pixels_are_where_the_recipe_says(tmp_path):
    a = pictures.pixels("large red square 6 6; small blue circle 17 17; seed 4")
    assert a.shape == (SIDE, SIDE, 3) and a.min() >= 0 and a.max() <= 1
    assert a[6, 6, 0] > 0.7 and a[6, 6, 1] < 0.3 and a[17, 17, 2] > 0.7
    assert np.array_equal(a, pictures.pixels("large red square 6 6; small blue circle 17 17; seed 4"))
    assert np.ptp(a[6, 17]) < 0.2                               # the ground is grey
    pictures.JUDGE.show("picture:small red circle 5 5; seed 1", tmp_path / "a.png")
    assert png.read_png(tmp_path / "a.png").shape == (8 * SIDE, 8 * SIDE, 3)


def test_withheld_combinations_are_in_no_picture_of_training():
    s = load("pictures", sizes=dict(train=2000, valid=300, test=300))
    looks = {(t.colour, t.shape) for x, _ in s.train + s.valid for t in parsed(x.partition(":")[2]).things}
    assert len(looks) == 10 and not looks & WITHHELD
    assert sum(pictures.JUDGE.group(x) == "withheld combinations" for x, _ in s.test) == 30
    assert {kind(parsed(x.partition(":")[2])) for x, _ in s.train} == {"one thing", "two things", "some of a kind"}
    with pytest.raises(ValueError, match="a.png: a file; only pictures of the task can be checked"):
        pictures.JUDGE.right("a.png", "two red circles", "")


@pytest.mark.parametrize("recipe", ["seed 3", "small red circle 5 5", "small pink circle 5 5; seed 1", "x; seed 1"])
def test_what_is_no_recipe_of_a_picture(recipe):
    with pytest.raises(ValueError, match="^picture:.*: no recipe"):
        frames.signal_of("png", f"picture:{recipe}")


# questions ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("source, answer, facts", [
    ("mary went to the park . john ran to the office . ? where is mary", "park", (0,)),
    ("mary went to the park . mary ran to the office . ? where is mary", "office", (1,)),
    ("mary went to the park . mary left the park . ? where is mary", "unknown", (1,)),
    ("mary went to the park . ? where is tom", "unknown", ()),
    ("mary took the ball . mary went to the park . ? where is the ball", "park", (1, 0)),
    ("mary took the ball . mary went to the park . mary dropped the ball . mary ran to the office . "
     "? where is the ball",
     "park", (1, 2)),
    ("mary took the ball . mary put down the ball . john picked up the ball . john went to the school . ? where is the "
     "ball",
     "school", (3, 2)),
    ("mary took the ball . ? where is the ball", "unknown", (0,)),
    ("mary went to the park . ? is mary in the park", "yes", (0,)),
    ("mary went to the park . ? is mary in the office", "no", (0,)),
    ("mary went to the park . mary left the park . ? is mary in the park", "unknown", (1,)),
])
def test_answers_to_questions(source, answer, facts):
    assert questions.solve(source) == (answer, facts)


def test_the_tokens_that_an_answer_rests_on():
    source = "mary took the ball . john ran to the office . mary went to the park . ? where is the ball"
    tokens = source.split()
    assert [tokens[i] for i in sorted(questions.support(source))] == "mary took the ball mary went to the park".split()


# records --------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("text, code", [
    ("man , 40 . acute gout , right foot .", "M10.1A"), ("man , 40 . gout , foot .", "M10.9X"),
    ("man , 40 . presents with chronic otitis , left ear .", "H66.2C"), ("man , 40 . asthma .", "J45.0X"),
    ("man , 40 . denies asthma .", "Z00.0X"), ("woman of 30 years . history of gout . acute migraine .", "G43.0A"),
    ("woman of 30 years . gastritis excluded . mother has cataract , left eye .", "Z00.0X"),
    ("woman of 30 years . acute gout , left foot in childhood , resolved . now eczema , arm .", "L30.9X"),
])
def test_codes_of_notes(text, code):
    assert records.solve(text) == code


def test_codes_by_prefix_and_the_disclaimer():
    assert records.prefixes(["M10.1A", "M13.1A", "J45.0X"], ["M10.2A", "M10.1A", "J45.0X"]) == {
        "system": 1, "disease": 2 / 3, "whole code": 1 / 3}
    assert "no medical advice" in TASKS["records"].summary and "no medical advice" in records.JUDGE.failure


# dialogue -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("source, values, missing", [
    ("guest: hello , a table for four on friday please", dict(people="four", day="friday"), ["hour", "name"]),
    ("guest: a table , six o'clock please", dict(hour="six"), ["people", "day", "name"]),
    ("guest: a table for four . no , five", dict(people="five"), ["day", "hour", "name"]),
    ("guest: a table at seven . sorry , six", dict(hour="six"), ["people", "day", "name"]),
    ("guest: a table waiter: how many people ? guest: six", dict(people="six"), ["day", "hour", "name"]),
    ("guest: a table waiter: at what time ? guest: six", dict(hour="six"), ["people", "day", "name"]),
    ("guest: a table for four waiter: at what time ? guest: no , two", dict(people="two"), ["day", "hour", "name"]),
    ("guest: a table at six waiter: for six o'clock . how many ? guest: no , seven", dict(hour="seven"),
     ["people", "day", "name"]),
    ("guest: a table waiter: which day ? guest: sunday . no , monday , we are two", dict(people="two", day="monday"),
     ["hour", "name"]),
    ("guest: not on friday , on sunday", dict(day="sunday"), ["people", "hour", "name"]),
    ("guest: a table for four waiter: your name ? guest: zanbo", dict(people="four", name="zanbo"), ["day", "hour"]),
    ("guest: a table for four waiter: which day ? guest: forget all that , start again", {}, list(state.SLOTS)),
])
def test_what_a_guest_has_said(source, values, missing):
    found = state.read(source)
    assert {slot: getattr(found, slot) for slot in state.SLOTS if getattr(found, slot)} == values
    assert found.missing() == missing


FULL = "guest: for four on friday at six waiter: your name ? guest: miller"
RIGHT = f"{FULL} waiter: a table for four on friday at six the name is miller . right ? guest: yes"


@pytest.mark.parametrize("source, right, wrong", [
    ("guest: a table for four",
     ["which day ?", "at what time ?", "for four . your name ?",
      "very good , for four people . when would you like to eat ?"],
     ["how many people ?", "for five . which day ?", "on friday . which day ?", "which day ? at what time ?",
      "for four .", "", "your table is booked .", "goodbye .", "is that right ?", "which day ? good .",
      "four . which day ?", "miller . which day ?"]),
    (FULL, ["a table for four people on friday at six o'clock under the name miller . is that right ?",
            "under the name miller , at six on friday for four . correct ?"],
     ["a table for four on friday at six . is that right ?",
      "a table for four on friday at six under the name wood . right ?",
      "a table for four on friday at six under the name miller .", "which day ?", "your table is booked , miller .",
      "for four on friday at six under the name miller . which day ?"]),
    (RIGHT, ["your table is booked , miller .", "thank you , it is reserved ."],
     ["your table is booked , wood .", "goodbye .", "which day ?", "thank you .", "it is booked . is that right ?"]),
    (f"{RIGHT} waiter: it is booked . guest: thanks", ["goodbye .", "see you on friday , goodbye ."],
     ["see you on sunday , goodbye .", "it is booked .", "thank you ."]),
    ("guest: a table for four waiter: which day ? guest: how many did i say ?",
     ["you said for four .", "that is for four people ."],
     ["you said for five .", "you said on friday .", "which day ?", "you have not said that yet ."]),
    ("guest: a table for four waiter: which day ? guest: what time did i say ?", ["you have not said that yet ."],
     ["you said at six .", "you said for four .", "which day ?", "you have not said , for four ."]),
])
def test_replies_that_follow_from_what_was_said(source, right, wrong):
    found = state.read(source)
    assert [r for r in right if not replies.follows(found, r)] == []
    assert [r for r in wrong if replies.follows(found, r)] == []
    drawn = {replies.reply(np.random.default_rng(i), found) for i in range(30)}
    assert len(drawn) > 1 and all(replies.follows(found, r) for r in drawn)


def test_conversations_are_played_to_their_end_and_names_of_training_are_no_unseen_ones():
    def answer(sources):
        return [replies.reply(np.random.default_rng(len(x)), state.read(x)) for x in sources]
    assert set(dialogue.JUDGE.experiment(answer, [], count=20).values()) == {1}
    assert set(dialogue.JUDGE.experiment(lambda sources: ["goodbye ."] * len(sources), [], count=5).values()) == {0}
    s = load("dialogue", sizes=dict(train=3000, valid=100, test=300))
    names = [{name for x, _ in part
              for slot, name in state.mentions(x.split()) if slot == "name"} - {state.GUEST, state.WAITER}
             for part in s]
    assert not any(map(guest.is_unseen, names[0])) and any(map(guest.is_unseen, names[2])) and len(names[0]) > 100
    said = {word for x, y in s.train for word in f"{x} {y}".split()} - {state.GUEST, state.WAITER}
    assert said - state.WORDS <= names[0]              # all other words are known as words


def test_a_guest_puts_right_what_the_waiter_understood_wrong():
    goal = dict(people="four", day="friday", hour="six", name="miller")
    source = f"{FULL} waiter: a table for four on sunday at six under the name miller . right ?"
    said = {guest.turn(np.random.default_rng(i), dict(goal), source) for i in range(40)}
    assert "no , on friday" in said and not any(text.startswith("yes") for text in said)


# poems ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("first, right, wrong", [
    ("春风吹绿柳", ["旭日照青松", "夜雪绕幽兰"],
     ["细雨临绿柳", "明月吹青松",       # words of the first line
      "旭日照红杏", "明月绕腊梅",       # ends oblique; level where it must be oblique
      "白云绕青松",                     # the same tone in place 2
      "旭日照江村", "野鹤过青松",       # other kinds of words
      "旭日青松", "十里旭日照青松", "旭日照青", ""]),
    ("几度戏蝶寻旧院", ["八方锦鲤归楼台", "三更飞雁恋江村"],
     ["八方锦鲤归楼台旧", "锦鲤归楼台", "三更黄莺归楼台", "三更飞雁恋西岭", "八方飞雁恋江村飞", "三更飞雁恋翠竹"]),
])
def test_second_lines(first, right, wrong):
    assert couplets.is_first(first)
    assert [s for s in right if not couplets.is_parallel(first, s)] == []
    assert [s for s in wrong if couplets.is_parallel(first, s)] == []
    drawn = {couplets.second(np.random.default_rng(i), first) for i in range(20)}
    assert len(drawn) > 10 and all(couplets.is_parallel(first, s) for s in drawn)


@pytest.mark.parametrize("line", ["旭日照青松", "春风照绿柳春", "万里晚霞临腊梅", "春风过绿柳", "绿柳吹春风", "春风吹绿", "", "雨雨雨雨雨"])
def test_what_is_no_first_line(line):
    assert not couplets.is_first(line)


def test_the_words_of_poems_have_tones_and_one_form_is_withheld():
    assert {c for word in lexicon.KIND for c in word} == lexicon.TONE.keys()
    assert set(lexicon.TONE.values()) == {1, 2, 3, 4}
    assert len(lexicon.KIND) == sum(len(words.split()) for words in lexicon.KINDS.values())
    s = load("poems", sizes=dict(train=500, valid=50, test=100))
    forms = [{couplets.form(x) for x, _ in part} for part in s]
    assert forms[0] == set(couplets.FORMS) >= forms[1] and couplets.WITHHELD in forms[2]
    assert sum(couplets.form(x) == couplets.WITHHELD for x, _ in s.test) == 10
    assert all(couplets.is_first(x) for part in s for x, _ in part)


def test_how_varied_second_lines_are():
    """The first half of the temperatures is answered by the rules, the second by a line of training."""
    pairs, asked = load("poems", sizes=dict(train=2000, valid=0, test=0)).train, []

    def ask(sources, temperature):
        asked.extend(sources)
        rng = np.random.default_rng(5)
        return [couplets.second(rng, x) if temperature < 1 else pairs[0][1] for x in sources]
    found = poems.JUDGE.experiment(ask, pairs, count=200)
    assert len(set(asked)) == 200 and not set(asked) & {first for first, _ in pairs}
    assert found["T=0: valid"] == 1 and found["T=0: different"] > 0.8
    assert abs(found["T=0: found in training"] - found["by chance: found in training"]) < 0.15
    assert 0.1 < found["by chance: found in training"] < 0.6
    assert found["T=1: valid"] < 0.2 and found["T=1.5: found in training"] == 1 and found["T=1: different"] == 1 / 200


# headlines ------------------------------------------------------------------------------------------------

VOTE = ("the people of korelda chose a mayor . tanalvic got 114 votes . milonda got 198 votes . basheran got 120 "
        "votes . it rained all day . many shops were closed . the news came late at night .")
MATCH = ("rilanbo and sanerto met in korelda . at half time it was 1 to 4 for rilanbo . in the end it was 4 to 3 "
         "for sanerto . the roads were full of cars . many shops were closed .")
COLD = ("it was a cold night everywhere . in milonda it was 7 degrees . basheran had 3 degrees . tanalvic reported 12 "
        "degrees . the roads were full of cars . it rained all day . nobody wanted to say more .")


@pytest.mark.parametrize("source, right, wrong", [
    (VOTE, ["milonda wins in korelda with 198 votes", "korelda chose milonda", "milonda is mayor of korelda"],
     ["tanalvic wins in korelda with 114 votes", "milonda wins in korelda with 114 votes", "korelda chose tanalvic",
      "milonda wins in milonda", "milonda wins", "198 votes", "", VOTE, VOTE.split(" . ")[0],
      "korelda chose milonda korelda chose milonda korelda chose"]),
    ("the people of korelda chose a mayor . milonda got 198 votes .", ["korelda chose milonda"],
     ["milonda wins in korelda with 198 votes", "milonda is mayor of korelda"]),         # longer than a quarter
    (MATCH, ["sanerto beats rilanbo 4 to 3", "rilanbo loses to sanerto", "rilanbo loses 3 to 4",
             "sanerto beats rilanbo"],
     ["rilanbo beats sanerto 4 to 3", "sanerto beats rilanbo 1 to 4", "sanerto loses to rilanbo",
      "rilanbo loses 4 to 3"]),
    (COLD, ["only 3 degrees in basheran", "coldest in basheran : 3 degrees", "basheran had 3 degrees"],
     ["only 7 degrees in milonda", "only 12 degrees in tanalvic", "hottest in basheran : 3 degrees",
      "3 degrees in basheran"]),
    (COLD.replace("cold night", "hot day"), ["12 degrees in tanalvic", "hottest in tanalvic : 12 degrees"],
     ["3 degrees in basheran", "12 degrees in basheran", "only 12 degrees in tanalvic"]),
    ("a bus left its way near korelda . 40 people were on it . 12 of them were injured . milonda , the driver , was "
     "not hurt . it rained all day . many shops were closed .",
     ["12 injured in bus accident near korelda", "bus accident near korelda : 12 injured", "12 injured near korelda"],
     ["40 injured in bus accident near korelda", "12 injured in bus accident near milonda",
      "12 injured in train accident near korelda"]),
])
def test_headlines_say_what_is_so_and_what_matters(source, right, wrong):
    assert [h for h in right if not headlines.is_headline(source, h)] == []
    assert [h for h in wrong if headlines.is_headline(source, h)] == []


def test_names_of_bulletins_must_be_copied_and_headlines_are_short():
    s = load("headlines", sizes=dict(train=600, valid=50, test=200))
    names = [{word for x, _ in part for word in x.split() if headlines.NAME.fullmatch(word)} for part in s]
    assert len(names[0]) > 500 and not names[0] & (names[1] | names[2])
    assert all(4 * len(y.split()) <= len(x.split()) for part in s for x, y in part)
    assert {headlines.read(x)[0] for x, _ in s.train} == headlines.BULLETINS.keys() == headlines.HEADLINES.keys()
    found = headlines.JUDGE.experiment(lambda sources: ["korelda"] * len(sources), s.train)
    assert set(found.values()) == {0}
    task = TASKS["headlines"]
    counts = {}
    for word in (word for x, y in load("headlines").train for word in f"{x} {y}".split()):
        counts[word] = counts.get(word, 0) + 1
    kept = {word for word, count in counts.items() if count >= task.units["min_count"]}
    assert sum(map(bool, map(headlines.NAME.fullmatch, kept))) < 5 and {str(n) for n in range(100, 200)} <= kept
