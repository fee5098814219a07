"""dialogue: the turns so far -> the next reply of a waiter who takes the booking of a table.  Row U3.

    state.py        what the guest has said so far, read turn by turn
    replies.py      replies that follow from a state, and whether one does
    guest.py        a guest with a wish, who answers, corrects and asks; names
    task.py         conversations, the pairs of the task, and who is right

Read state.py first.
"""
from .task import JUDGE, generate  # noqa: F401
