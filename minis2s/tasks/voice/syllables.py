"""Syllables of Mandarin in pinyin, their phones, their four tones, and the speakers that say them.

A syllable is an initial consonant and a final; its tone, 1 to 4, is how the pitch moves, and it tells words apart: ma1
is a mother, ma3 a horse.  Tones are written on Chao's scale (1930) from 1, low, to 5, high.
"""
import numpy as np

from ..speech.voices import Phone, Speaker

INITIALS = {                        # of stops the closure, then the burst
    "": (), "b": (Phone((250, 700, 2000), 0.05, 0, 0), Phone((300, 800, 2100), 0.025, 0, 0.3, (200, 1000))),
    "d": (Phone((250, 1800, 2700), 0.05, 0, 0), Phone((300, 1800, 2700), 0.025, 0, 0.5, (2600, 3900))),
    "t": (Phone((250, 1800, 2700), 0.05, 0, 0), Phone((300, 1800, 2700), 0.07, 0, 0.45, (1800, 3900))),
    "g": (Phone((250, 1300, 1900), 0.05, 0, 0), Phone((300, 1300, 1900), 0.03, 0, 0.5, (1000, 1900))),
    "j": (Phone((280, 2100, 2900), 0.06, 0, 0), Phone((280, 2100, 2900), 0.045, 0, 0.5, (2500, 3900))),
    "x": (Phone((280, 2100, 2900), 0.13, 0, 0.4, (2300, 3900)),),
    "sh": (Phone((320, 1500, 2100), 0.12, 0, 0.4, (1400, 2800)),),
    "h": (Phone((500, 1200, 2300), 0.09, 0, 0.25, (700, 2000)),),
    "m": (Phone((250, 1000, 2200), 0.08, 0.4, 0),), "n": (Phone((250, 1500, 2500), 0.08, 0.4, 0),),
    "l": (Phone((360, 1300, 2800), 0.07, 0.6, 0),),
    "w": (Phone((290, 610, 2150), 0.06, 0.6, 0),), "y": (Phone((270, 2250, 2900), 0.06, 0.6, 0),)}
N, NG = Phone((250, 1500, 2500), 0.08, 0.45, 0), Phone((280, 1000, 2000), 0.09, 0.45, 0)
FINALS = {
    "a": (Phone((780, 1250, 2500), 0.17, 1, 0),), "e": (Phone((450, 1150, 2400), 0.16, 1, 0),),
    "i": (Phone((280, 2250, 2900), 0.16, 1, 0),), "u": (Phone((310, 750, 2250), 0.16, 1, 0),),
    "ih": (Phone((380, 1500, 2100), 0.16, 1, 0),),              # written i behind sh
    "o": (Phone((480, 800, 2350), 0.16, 1, 0),), "ai": (Phone((760, 1300, 2500), 0.19, 1, 0, end=(350, 2100, 2700)),),
    "ei": (Phone((500, 1850, 2500), 0.18, 1, 0, end=(300, 2250, 2850)),),
    "ao": (Phone((760, 1200, 2500), 0.19, 1, 0, end=(450, 800, 2350)),),
    "ou": (Phone((520, 950, 2400), 0.18, 1, 0, end=(330, 750, 2300)),),
    "an": (Phone((750, 1450, 2500), 0.13, 1, 0), N), "en": (Phone((520, 1500, 2450), 0.13, 1, 0), N),
    "ang": (Phone((740, 1050, 2450), 0.13, 1, 0), NG), "ing": (Phone((300, 2100, 2800), 0.13, 1, 0), NG),
    "ia": (Phone((290, 2200, 2850), 0.06, 0.9, 0), Phone((760, 1300, 2500), 0.14, 1, 0)),
    "ie": (Phone((290, 2200, 2850), 0.06, 0.9, 0), Phone((550, 1800, 2500), 0.14, 1, 0)),
    "uo": (Phone((310, 750, 2250), 0.06, 0.9, 0), Phone((520, 900, 2400), 0.14, 1, 0)),
    "ian": (Phone((290, 2200, 2850), 0.06, 0.9, 0), Phone((600, 1750, 2500), 0.11, 1, 0), N),
    "ong": (Phone((420, 800, 2300), 0.13, 1, 0), NG),
    "uan": (Phone((310, 750, 2250), 0.06, 0.9, 0), Phone((750, 1400, 2500), 0.11, 1, 0), N)}
SYLLABLES = tuple(
    "huan ying lai dao wei shi jie ni hao wo men ma bu da jia nan bei dong xi shang xia hai guo tian lan hei mao gou "
    "li du gao tai ye xie shuo la".split())
TONES = {1: (5, 5), 2: (3, 3.3, 5), 3: (2, 1, 1, 3.5), 4: (5.2, 3, 1)}
LONGER = {1: 1.0, 2: 1.05, 3: 1.2, 4: 0.85}     # factor of a final's duration
OCTAVES = 0.2                       # of one step of the scale
NARRATOR, SEEN, UNSEEN = 0, 40, 8   # one speaker for `voice`; speakers of training of `syllables`, and others


def parted(syllable):
    """"huan1" -> initial, final, tone; ValueError for what is no syllable here."""
    name, tone = syllable[:-1], syllable[-1:]
    if name not in SYLLABLES or tone not in ("1", "2", "3", "4"):
        raise ValueError(f"{syllable[:20]!r}: no syllable, wanted one of {', '.join(SYLLABLES[:3])}, ... with a tone "
                         f"from 1 to 4")
    initial = next(name[:i] for i in (2, 1, 0) if name[:i] in INITIALS and (name[i:] in FINALS))
    final = name[len(initial):]
    return initial, "ih" if name == "shi" else final, int(tone)


def speaker(number):
    """Speaker 0, 1, ...: always the same.  Voices are higher than those of `speech`: 25 ms must hear the pitch move."""
    rng = np.random.default_rng((8, number))
    size = rng.random()                                         # small people have short tracts and high voices
    return Speaker(0.9 + 0.25 * size, (140 + 90 * size) * rng.uniform(0.93, 1.07), rng.uniform(0.9, 1.15),
                   rng.uniform(0.6, 1.4))
