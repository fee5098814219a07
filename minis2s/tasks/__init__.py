"""Built-in tasks: pairs made from a seed, without files or network.  Start with copy.py, then dates.py.

A task may import core/ and data/.  ``load("dates")`` gives the pairs; ``TASKS`` says what there is.  Same seed, same
pairs, on every machine.

Sources of `speech`, `syllables` and `pictures`, and targets of `voice`, are recipes, texts of which the sound or the
picture is made (data.frames.RECIPES).
Where several answers are true a task has a Judge (judge.py): a checker, a baseline, and what fails.
"""
from difflib import get_close_matches
from typing import NamedTuple

import numpy as np

from ..data.frames import RECIPES
from . import (
    addition, commands, copy, dates, dialogue, headlines, numbers, phrases, pictures, poems, questions, records,
    reverse, speech, voice
)
from .judge import Judge, most_frequent
from .sampling import Splits


class Task(NamedTuple):
    name: str
    summary: str            # one line
    source_unit: str        # "char", "word" or "space", see data.units; "wav" or "png", see data.frames
    target_unit: str
    generate: object        # (numpy.random.Generator, (train, valid, test)) -> Splits
    options: dict           # suggested Config and training options
    sizes: dict             # default number of pairs: {"train": ..., "valid": ..., "test": ...}
    judge: object = None    # a Judge, where equal texts are no measure
    units: dict = {}        # suggested options of Seq2Seq beside the units


def _sizes(train, valid, test):
    return dict(train=train, valid=valid, test=test)


MOST = 10_000_000            # pairs of a part: more would be made for hours, and fill the memory
STEPS = dict(batch=64, lr=3e-3, lr_final=1e-4, clip=1.0)      # a large step at first, nearly none at the end
READER = dict(bidirectional=True, attention_order="before", fusion="tanh", **{**STEPS, "batch": 32})
EVERY_STEP = dict(attention="none", context="every-step", reverse_source=True)

TASKS = {task.name: task for task in (
    Task("copy", "letters, said again", "char", "char", copy.generate,
         dict(hidden=64, embedding=32, epochs=4, **STEPS), _sizes(10_000, 500, 1_000)),
    Task("reverse", "letters, said backwards; tested on longer texts than trained", "char", "char",
         reverse.generate, dict(cell="gru", attention_order="before", hidden=128, embedding=64, epochs=4, **STEPS),
         _sizes(50_000, 1_000, 2_000)),
    Task("addition", "16+75 -> 91, numbers up to 999", "char", "char", addition.generate,
         dict(hidden=128, embedding=16, epochs=25, **EVERY_STEP, **STEPS), _sizes(45_000, 1_000, 4_000)),
    Task("dates", "a date as people write it -> ISO: the 3rd of May 1999 -> 1999-05-03", "char", "char",
         dates.generate, dict(hidden=128, embedding=32, epochs=3, **STEPS), _sizes(45_000, 1_000, 2_000)),
    Task("numbers", "English number words -> Chinese numerals: twelve thousand five -> 一万两千零五",
         "word", "char",
         numbers.generate, dict(hidden=128, embedding=64, epochs=6, **STEPS), _sizes(40_000, 1_000, 2_000)),
    Task("numbers-back", "Chinese numerals -> English number words", "char", "word",
         numbers.generate_back, dict(hidden=128, embedding=64, epochs=6, **STEPS), _sizes(40_000, 1_000, 2_000)),
    Task("numbers-eo", "Esperanto number words -> Chinese numerals: dek du mil kvin -> 一万两千零五", "word", "char",
         numbers.generate_esperanto, dict(hidden=128, embedding=64, epochs=6, **STEPS), _sizes(40_000, 1_000, 2_000)),
    Task("commands", "commands -> moves: walk left twice and jump -> LEFT WALK LEFT WALK JUMP", "space", "space",
         commands.generate,
         dict(hidden=128, embedding=64, attention_order="before", input_feeding=True, epochs=15, **STEPS),
         _sizes(16_728, 500, 3_682)),
    Task("phrases", "English -> Chinese from a small grammar; tested on new combinations of words",
         "word", "char", phrases.generate,
         dict(hidden=128, embedding=64, epochs=12, dropout=0.3, **STEPS),
         _sizes(20_000, 1_000, 1_000)),
    Task("questions", "a story and a question -> the answer; one hop, two hops, yes or no, unknown", "space", "space",
         questions.generate,
         dict(cell="gru", readout="copy", hidden=96, embedding=32, epochs=8, **READER), _sizes(80_000, 500, 1_000),
         questions.JUDGE),
    Task("dialogue", "the turns so far -> the reply of a waiter who books a table; judged by what the guest has said",
         "space", "space", dialogue.generate,
         dict(cell="gru", readout="copy", hidden=96, embedding=48, dropout=0.1, epochs=6, **READER),
         _sizes(20_000, 500, 1_000), dialogue.JUDGE),
    Task("headlines", "a bulletin -> its headline: what matters most, with names that training never had", "space",
         "space", headlines.generate,
         dict(cell="gru", readout="copy", hidden=64, embedding=48, dropout=0.1, epochs=8, **READER),
         _sizes(16_000, 200, 600), headlines.JUDGE, dict(min_count=40)),
    Task("poems", "the first line of a Chinese couplet -> a second: the same kinds of words, the opposite tones",
         "char", "char", poems.generate,
         dict(bidirectional=True, hidden=128, embedding=64, dropout=0.2, epochs=20, **{**STEPS, "batch": 32}),
         _sizes(5_000, 300, 600), poems.JUDGE),
    Task("records", "a short note -> a code, letter by letter: a toy with invented codes, no medical advice", "space",
         "char", records.generate, dict(bidirectional=True, hidden=96, embedding=48, dropout=0.1, epochs=6, **STEPS),
         _sizes(12_000, 500, 1_000), records.JUDGE),
    Task("speech", "the sound of spoken digits -> the words, by a formant synthesiser; tested on unseen speakers and "
                   "longer utterances", "wav", "word",
         speech.generate, dict(stack=4, hidden=96, embedding=64, dropout=0.1, epochs=8, **READER),
         _sizes(4_000, 150, 500), speech.JUDGE),
    Task("syllables", "the sound of syllables of Mandarin -> pinyin with tones, by a formant synthesiser", "wav",
         "space", voice.generate_syllables, dict(stack=3, hidden=96, embedding=64, dropout=0.1, epochs=16, **READER),
         _sizes(4_000, 150, 500), voice.SYLLABLES_JUDGE),
    Task("voice", "pinyin with tones -> the sound of it; `syllables` reads it back", "char", "wav", voice.generate,
         dict(frames_per_step=5, hidden=128, embedding=64, epochs=16, **READER), _sizes(3_000, 100, 250), voice.VOICE),
    Task("pictures", "a picture of coloured shapes -> a sentence that is true of it; tested on new combinations too",
         "png", "word", pictures.generate,
         dict(stack=2, cell="gru", hidden=128, embedding=64, dropout=0.1, epochs=9, **READER),
         _sizes(48_000, 300, 1_000), pictures.JUDGE),
)}
RECIPES.update(speech=("wav", speech.samples), voice=("wav", voice.samples), picture=("png", pictures.pixels))


EQUAL = Judge(right=lambda source, answer, target: answer == target, baseline=most_frequent,
              rule="it is the target", trivial="the most frequent target of training",
              failure="Nothing is documented for this task; `minis2s claim K7` tells of longer texts than trained.")


def judge_of(task):
    """The Judge of a Task: its own, or the one for which an answer is right if it is the target."""
    return task.judge or EQUAL


def load(name, seed=0, sizes=None):
    """Make the pairs of a task.

    Parameters
    ----------
    name : str
        A key of TASKS.
    seed : int
        Same seed, same pairs.
    sizes : dict, optional
        Numbers of pairs for any of "train", "valid", "test" in place of the task's own.

    Returns
    -------
    Splits
        Lists train, valid, test of (source, target) texts.  No source text stands twice.

    Raises
    ------
    ValueError
        The task is unknown, `sizes` names an unknown part or a bad number, or the task has too few
        different pairs.
    """
    if name not in TASKS:
        near = get_close_matches(str(name), TASKS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"name: no task {name!r}, there are {', '.join(TASKS)}{hint}")
    counts = {**TASKS[name].sizes, **(sizes or {})}
    for part, count in counts.items():
        if part not in Splits._fields:
            raise ValueError(f"sizes: no part {part!r}, there are {', '.join(Splits._fields)}")
        if not isinstance(count, (int, np.integer)) or isinstance(count, bool) or count < 0:
            raise ValueError(f"sizes: {part} is {count!r}, wanted an integer of 0 or more")
        if count > MOST:
            raise ValueError(f"sizes: {part} is {count:,}, wanted at most {MOST:,}")
    return TASKS[name].generate(np.random.default_rng(seed), tuple(int(counts[p]) for p in Splits._fields))
