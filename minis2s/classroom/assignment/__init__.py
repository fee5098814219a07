"""A class: a hand-out made by one command, and submissions graded by another.

    minis2s class make homework --exercises softmax,rnn-step,bptt --due 2026-12-01 --variants
    minis2s class grade submissions --assignment homework --csv marks.csv --html report

make.py         the hand-out: stubs, a README, a check script, assignment.json
submissions.py  which file of which student is which exercise, whatever it is called
grade.py        every file judged in a process of its own; a row of the CSV after each student
pages.py        a page for each student, an overview for the teacher
"""
