"""Phones of English digits, and speakers: where the resonances of their throat lie, how high and how fast they speak.

A vowel is told by its first formants, the resonances of the vocal tract.  The table has them for a man's voice
(Peterson & Barney 1952, rounded); a shorter tract raises all of them by one factor, so a child's or a woman's have
the same pattern.
"""
from typing import NamedTuple

import numpy as np


class Phone(NamedTuple):
    formants: tuple             # F1, F2, F3 in Hz
    seconds: float              # how long, at an even pace
    voice: float                # loudness of the vocal folds' tone, 0 to 1
    noise: float                # loudness of turbulence
    band: tuple = (0, 0)        # Hz in which the turbulence lies
    end: tuple | None = None    # formants at the end, of a diphthong


PHONES = {
    "IY": Phone((280, 2250, 2900), 0.12, 1, 0), "IH": Phone((400, 1950, 2550), 0.08, 1, 0),
    "EH": Phone((530, 1840, 2480), 0.09, 1, 0), "AH": Phone((640, 1190, 2390), 0.09, 1, 0),
    "UW": Phone((310, 870, 2240), 0.13, 1, 0), "AO": Phone((570, 840, 2410), 0.12, 1, 0),
    "OW": Phone((500, 900, 2400), 0.14, 1, 0, end=(340, 800, 2300)),
    "AY": Phone((730, 1150, 2450), 0.17, 1, 0, end=(320, 2100, 2700)),
    "EY": Phone((480, 1900, 2500), 0.15, 1, 0, end=(310, 2250, 2850)),
    "R": Phone((330, 1060, 1380), 0.07, 0.7, 0), "W": Phone((290, 610, 2150), 0.07, 0.6, 0),
    "N": Phone((250, 1200, 2300), 0.08, 0.45, 0), "V": Phone((250, 1100, 2200), 0.06, 0.35, 0.12, (1200, 3800)),
    "Z": Phone((250, 1500, 2500), 0.09, 0.2, 0.3, (2900, 4000)),
    "S": Phone((250, 1500, 2500), 0.11, 0, 0.5, (2800, 4000)),
    "F": Phone((250, 1100, 2200), 0.10, 0, 0.22, (1000, 3900)),
    "TH": Phone((280, 1400, 2500), 0.09, 0, 0.16, (1600, 3900)),
    "T": Phone((300, 1700, 2600), 0.03, 0, 0.5, (2200, 3900)),
    "K": Phone((300, 1700, 2300), 0.03, 0, 0.45, (1200, 2400)),
    "-": Phone((300, 1500, 2500), 0.045, 0, 0),                # the closure before a burst
    " ": Phone((500, 1500, 2500), 0.06, 0, 0),                 # between words
}
WORDS = {
    "zero": "Z IH R OW", "one": "W AH N", "two": "- T UW", "three": "TH R IY", "four": "F AO R", "five": "F AY V",
    "six": "S IH - K S", "seven": "S EH V AH N", "eight": "EY - T", "nine": "N AY N"}
SEEN, UNSEEN = 24, 8                # speakers of training, and others that are tested only


class Speaker(NamedTuple):
    tract: float                # factor of all formants
    pitch: float                # Hz
    pace: float                 # factor of all durations
    breath: float               # loudness of turbulence


def speaker(number):
    """Speaker 0, 1, ...: always the same; those from SEEN on are of no training."""
    rng = np.random.default_rng((7, number))
    size = rng.random()                                         # small people have short tracts and high voices
    return Speaker(0.88 + 0.32 * size, (85 + 150 * size) * rng.uniform(0.9, 1.1), rng.uniform(0.8, 1.25),
                   rng.uniform(0.6, 1.4))
