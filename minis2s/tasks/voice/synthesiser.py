"""Syllables -> samples: the synthesiser of `speech`, with a pitch that sings the four tones.

    level(t)   a tone's contour over its final; on the way from one final to the next the pitch moves evenly
    f0(t) = pitch 2^(0.2 (level(t) - 3)) (1.05 - 0.1 t / end)      and smooth, as the muscles are slow

So neither formants nor pitch jump: a syllable sounds different beside each neighbour (coarticulation).
"""
import numpy as np

from ..speech.synthesiser import durations, smoothed, sound, tracks
from ..speech.voices import PHONES
from .syllables import FINALS, INITIALS, LONGER, NARRATOR, OCTAVES, TONES, parted, speaker

SILENCE = PHONES[" "]
VARY = 0.06                         # durations differ by so much from time to time


def say(syllables, number, rng, room=None, loudness=None):
    """The sound of some syllables, such as ["huan1", "ying2"], by a speaker: -> samples, and the step at which each
    syllable ends; see speech.synthesiser.say."""
    who = speaker(number)
    phones, finals = phones_of(syllables)
    steps = durations(phones, who, rng, VARY)
    ends = np.cumsum(steps)
    f0 = pitch(syllables, finals, np.concatenate([[0], ends]), who)
    samples = sound(tracks(phones, steps, who), f0, who, rng, room, loudness)
    return samples, [int(ends[last - 1]) for _, last in finals]


def narrated(syllables, seed=0):
    """The same by the narrator, who speaks in a quiet room and always as loud."""
    return say(syllables, NARRATOR, np.random.default_rng((12, seed)), 0.003, 1)


def phones_of(syllables):
    """-> phones, and for each syllable the places (first, behind the last) of its final among them."""
    phones, finals = [SILENCE], []
    for initial, final, tone in map(parted, syllables):
        phones += INITIALS[initial]
        finals.append((len(phones), len(phones) + len(FINALS[final])))
        phones += [p._replace(seconds=p.seconds * LONGER[tone]) for p in FINALS[final]]
    return [*phones, SILENCE], finals


def pitch(syllables, finals, ends, who):
    """f0 of each step; `ends` says where phones begin and end."""
    at, level = [], []
    for syllable, (first, last) in zip(syllables, finals):
        contour = TONES[parted(syllable)[2]]
        at += list(np.linspace(ends[first], ends[last] - 1, len(contour)))
        level += contour
    t = np.arange(ends[-1])
    octaves = OCTAVES * (smoothed(np.interp(t, at, level)) - 3)
    return who.pitch * 2 ** octaves * (1.05 - 0.1 * t / ends[-1])
