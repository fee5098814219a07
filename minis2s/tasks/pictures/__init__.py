"""pictures: a picture of 24 x 24 pixels -> a sentence that is true of it: "a red circle is left of a small blue
square".

    scenes.py     shapes, colours, sizes and places: what is in a picture, and its pixels
    sentences.py  what is said of a scene, in several wordings; and whether a sentence is true
    task.py       the pairs of the task, the judge

A source is a recipe, "picture:small red circle 5 7; large blue square 17 14; seed 9", of which the pixels are made.
The model reads them column by column.  Row U4.  Start reading in sentences.py.
"""
from .task import JUDGE, generate, pixels       # noqa: F401
