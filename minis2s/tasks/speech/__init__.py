"""speech: the sound of spoken digits -> the words: a small formant synthesiser says "three five", and it is to be read.

    voices.py       phones, and the speakers that say them
    synthesiser.py  phones of a speaker -> samples, 8,000 a second
    task.py         recipes of utterances, their pairs, the judge

A source is a recipe, "speech:spk 12 seed 804: three five", of which the synthesiser makes the sound; the same recipe
gives the same sound everywhere.  A run trained here reads WAV files of 8,000 samples a second too, and real ones are
learnt from a manifest (`minis2s train --pairs digits.tsv --source-units wav`).  Row U2.  Start reading in
synthesiser.py.
"""
from .task import JUDGE, generate, samples      # noqa: F401
