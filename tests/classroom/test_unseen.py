"""How good is the doctor on wrong answers that its bank was not made from?  See unseen.py; -s prints the figures."""
import inspect
import re
from itertools import combinations

import pytest

from minis2s.classroom.doctor import check
from minis2s.classroom.doctor.doctor import bench
from minis2s.classroom.mistakes import bank_of
from minis2s.classroom.mistakes.edited import Edited
from solutions import unseen


def mutated(function, edits):
    """The function with pieces of its text replaced."""
    text = inspect.getsource(function)
    text = text[text.index("def "):]
    for old, new in edits:
        assert old in text, (function.__name__, old)
        text = text.replace(old, new)
    world = dict(function.__globals__)
    exec(compile(text, "<unseen>", "exec"), world)
    return world[function.__name__]


@pytest.fixture(scope="module")
def reports():
    return [(row, check(row[0], mutated(*row[1:3]))) for row in unseen.WRONG]


def test_nearly_all_are_detected_located_and_explained(reports):
    detected = sum(not r.passed for _, r in reports)
    located = sum(r.location.output == row[3] if r.location else row[3] == "" and not r.passed for row, r in reports)
    explained = sum(bool(re.search(row[4], str(r))) and not r.passed for row, r in reports)
    n = len(reports)
    print(f"\n{n} wrong answers: {detected} detected, {located} located, "
          f"{explained} named or with a telling experiment")
    assert n >= 60 and detected >= 0.99 * n and located >= 0.97 * n and explained >= 0.9 * n


def test_no_report_ends_in_a_dead_end_and_no_sentence_is_untrue_of_the_outputs(reports):
    for row, r in reports:
        text = str(r)
        assert r.look and "none of the" not in text and "more than one thing" not in text
        if not r.location:
            continue
        wrong = {r.location.output, *r.location.wrong}
        for name in re.findall(r"only (\w+) is wrong", text):
            assert wrong == {name}, text
        for names in re.findall(r"(?:what|and): +((?:\w+, )*\w+ and \w+) are right", text):
            assert not wrong & set(re.split(r", | and ", names)), text


def answers_to(name, function):
    b = bench(name, 0)
    return [function(*case.inputs.values()) for case in b.cases]


def test_two_mistakes_in_different_outputs_are_both_named():
    """Pairs of the bank whose wrong outputs do not meet: both names are in the report."""
    both = count = 0
    for name in ("bptt", "lstm-step-backward", "gru-step-backward", "additive-attention-backward",
                 "frame-input-backward", "frame-loss-backward", "copying-backward"):
        b = bench(name, 0)
        outputs = [o.name for o in b.exercise.outputs]

        def wrong(m):
            from minis2s.classroom.doctor.locate import differs
            return {o for k, o in enumerate(outputs) for c in range(len(b.cases))
                    if differs(b.run(m, c)[k], b.want[c][k]).any()}
        some = {m.name: (m, wrong(m)) for m in b.known if isinstance(m.f, Edited)}
        for (one, first), (other, second) in list(combinations(some.values(), 2))[::7]:
            if first & second or not first or not second:
                continue
            try:
                f = one.f + other.f
            except ValueError:
                continue
            report = check(name, f)
            count += 1
            both += {one.name, other.name} <= {m.name for m in report.mistakes}
    print(f"\n{count} pairs: both named in {both}")
    assert count >= 36 and both >= 0.8 * count


def test_bank_sentences_are_true_of_their_own_outputs():
    """What a mistake's sentence claims of other outputs holds on every seed that is tried."""
    from minis2s.classroom.doctor.locate import differs
    from minis2s.classroom.exercises import EXERCISES
    for name in EXERCISES:
        for seed in (0, 9):
            b = bench(name, seed)
            outputs = [o.name for o in b.exercise.outputs]
            for m in bank_of(name):
                bad = {o for k, o in enumerate(outputs) for c, w in enumerate(b.want)
                       if w is not None and b.run(m, c) is not None and not isinstance(b.run(m, c), str)
                       and differs(b.run(m, c)[k], w[k]).any()}
                only = re.match(r"only (\w+) is wrong", m.says)
                if only and only.group(1) in outputs:
                    assert bad == {only.group(1)}, (name, m.name, bad)
                right = re.match(r"((?:\w+, )*\w+(?: and \w+)?) (?:is|are) right[,;:]", m.says)
                if right and set(re.split(r", | and ", right.group(1))) <= set(outputs):
                    assert not bad & set(re.split(r", | and ", right.group(1))), (name, m.name, bad)


def test_two_mistakes_that_meet_are_named_together():
    """Pairs of the bank whose wrong outputs meet: no output shows one of them alone, both together give all numbers."""
    found = count = 0
    for name, step in (("bptt", 61), ("lstm-step-backward", 171), ("lstm-bptt", 331),
                       ("frame-loss-backward", 31), ("copying-backward", 31)):
        some = {m.name: m for m in bank_of(name) if isinstance(m.f, Edited)}
        for one, other in list(combinations(some.values(), 2))[::step]:
            try:
                f = one.f + other.f
            except (ValueError, SyntaxError):
                continue
            report = check(name, f)
            count += 1
            found += bool({one.name, other.name} & {m.name for m in report.mistakes})
            assert not report.passed and report.look
    print(f"\n{count} pairs that may meet: one or both named in {found}")
    assert count >= 25 and found >= 0.6 * count
