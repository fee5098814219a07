"""For teaching: exercises, their judge, and the notebooks.  Start with exercises/__init__.py.

    exercises/   what a student writes, with cases and the library's own solution
    doctor/      `minis2s.check`: runs a student's function and names the mistake
    mistakes/    common mistakes, with what they do to the numbers
    judge/       runs foreign code in a process of its own          assignment/   hand-out and grading for a class
    notebooks/   builds the course's notebooks

May import everything but cli/.
"""
