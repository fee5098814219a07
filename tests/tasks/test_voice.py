"""voice and syllables: tones, the listener, recipes, kinds."""
import numpy as np
import pytest

from minis2s.data import frames, sound
from minis2s.tasks import TASKS, load
from minis2s.tasks.voice import listener, syllables, synthesiser, task

SENTENCE = "huan1 ying2 lai2 dao4 wei4 lai2 shi4 jie4".split()      # 欢迎来到未来世界


def said(words, seed=1):
    return synthesiser.narrated(words, seed)[0]


def test_every_syllable_has_phones():
    for name in syllables.SYLLABLES:
        initial, final, tone = syllables.parted(f"{name}3")
        assert tone == 3 and (name == "shi" or initial + final == name) and syllables.FINALS[final]
    assert syllables.parted("shang1")[:2] == ("sh", "ang") and syllables.parted("shi1")[:2] == ("sh", "ih")
    for wrong in ("huan", "huan5", "xyz1", "1", ""):
        with pytest.raises(ValueError, match="no syllable, wanted one of huan, ying, lai, "):
            syllables.parted(wrong)


@pytest.mark.parametrize("tone, shape", [(1, "="), (2, "/"), (3, "v"), (4, "\\")])
def test_tones_are_how_the_pitch_moves(tone, shape):
    who = syllables.speaker(0)
    words = [f"lai{tone}"]
    phones, finals = synthesiser.phones_of(words)
    ends = np.concatenate([[0], np.cumsum(np.full(len(phones), 30))])
    f0 = synthesiser.pitch(words, finals, ends, who)
    first, last = ends[finals[0][0]], ends[finals[0][1]] - 1
    begin, low, end = f0[first], f0[first:last].min(), f0[last]
    assert {"=": abs(end / begin - 1) < 0.1, "/": end > 1.15 * begin, "v": low < 0.95 * begin and low < 0.8 * end,
            "\\": end < 0.7 * begin}[shape]
    assert np.abs(np.diff(np.log2(f0))).max() < 0.08            # the pitch never jumps


def test_the_narrator_is_near_himself_and_far_from_other_tones_and_syllables():
    for seed in (1, 2):
        assert listener.distances(said(SENTENCE, seed), SENTENCE).max() < 0.95 * listener.RIGHT
    for i, other in ((0, "huan4"), (3, "dao1"), (7, "jie3"), (5, "hei2"), (6, "shuo4")):
        wrong = [*SENTENCE[:i], other, *SENTENCE[i + 1:]]
        d = listener.distances(said(wrong), SENTENCE)
        assert d.argmax() == i and d[i] > listener.RIGHT
    assert np.isinf(listener.distances(said(SENTENCE[:2]), SENTENCE)).all()


def test_the_cheapest_way_by_hand():
    """Frames 0 1 1 2 against 0 1 2: the second stays for one frame more; and a way that goes only straight."""
    a, b = np.array([0, 1, 1, 2.0]), np.array([0, 1, 2.0])
    assert listener.along(np.abs(a[:, None] - b)).tolist() == [0, 0, 0]
    assert listener.along(np.abs(b[:, None] - a)).tolist() == [0, 0, 0, 0]
    assert listener.along(np.array([[5.0, 9], [9, 7]])).tolist() == [5, 7]
    assert listener.along(np.array([[1.0], [3]])).tolist() == [2]


def test_answers_are_files_or_recipes(tmp_path):
    text = " ".join(SENTENCE)
    sound.write_wav(tmp_path / "a.wav", said(SENTENCE, 5), 8000)
    sound.write_wav(tmp_path / "b.wav", said(SENTENCE, 5), 4000)
    sound.write_wav(tmp_path / "c.wav", np.ones(10), 8000)
    for right in (str(tmp_path / "a.wav"), f"voice:spk 0 seed 9: {text}"):
        assert task.is_heard(text, right, None)
    for wrong in ("", str(tmp_path / "b.wav"), str(tmp_path / "c.wav"), f"voice:spk 0 seed 9: {text[:-1]}1"):
        assert not task.is_heard(text, wrong, None)


def test_recipes():
    one, rate = task.samples("spk 3 seed 7: ni3 hao3")
    assert rate == 8000 and np.array_equal(one, task.samples("spk 3 seed 7: ni3 hao3")[0])
    others = [task.samples(r)[0] for r in ("spk 4 seed 7: ni3 hao3", "spk 3 seed 8: ni3 hao3", "spk 3 seed 7: ni3")]
    assert len({len(x) for x in (one, *others)}) == 4 and 0.1 < np.abs(one).max() <= 1
    own = [task.samples(f"spk 0 seed {seed}: ni3 hao3")[0] for seed in (7, 7, 8)]
    assert np.array_equal(own[0], own[1]) and not np.array_equal(own[0], own[2])
    for recipe in ("spk 3: ni3", "spk 3 seed 7: hello1", "spk 3 seed 7: ni"):
        with pytest.raises(ValueError, match="^voice:.*: no recipe, wanted such as voice:spk 3 seed 7: ni3 hao3$"):
            frames.signal_of("wav", f"voice:{recipe}")


def test_no_sentence_of_the_test_was_trained_and_the_narrator_is_a_stranger():
    s = load("voice", sizes=dict(train=300, valid=50, test=100))
    texts = [x for part in s for x, _ in part]
    assert len(set(texts)) == len(texts) and all(y.startswith("voice:spk 0 ") for part in s for _, y in part)
    assert {TASKS["voice"].judge.group(x) for x, _ in s.train} == {"as long as trained"}
    assert [TASKS["voice"].judge.group(x) for x, _ in s.test].count("longer than trained") == 20
    assert all(y.endswith(f": {x}") for x, y in s.train)
    t, judge = load("syllables"), TASKS["syllables"].judge
    assert {judge.group(x) for x, _ in t.train} == {"speakers of training"} and judge.group("a.wav") == "files"
    assert [judge.group(x) for x, _ in t.test].count("unseen speakers") == 200
    numbers = {task.parsed(x.partition(":")[2])[0] for x, _ in t.train}
    assert numbers == set(range(1, 41))
    assert min(task.parsed(x.partition(":")[2])[0] for x, _ in t.test if judge.group(x) == "unseen speakers") == 41
