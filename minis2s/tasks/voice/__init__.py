"""voice and syllables: pinyin with tones -> speech, and back: one learns to speak, the other to read what it hears.

    syllables.py    initials, finals, tones, speakers
    synthesiser.py  syllables of a speaker -> samples, by the synthesiser of `speech`
    listener.py     whether a sound says what it should, without training
    task.py         recipes of utterances, the pairs of both tasks, their judges

`voice` learns the narrator's sounds, `syllables` those of forty others, so that a run of it can judge a run of `voice`
as a stranger: `minis2s evaluate runs/voice --recogniser runs/syllables`.  Row U9.  Start reading in synthesiser.py.
"""
from .task import SYLLABLES_JUDGE, VOICE, generate, generate_syllables, samples      # noqa: F401
