"""poems: the first line of a Chinese couplet -> a second line that is parallel to it.  Row U7.

    lexicon.py      words by kind, and the tone of every character
    couplets.py     lines and couplets: drawing them, and the rules that make them right
    task.py         the pairs of the task, and who is right

Read couplets.py first.
"""
from .task import JUDGE, generate  # noqa: F401
