'''The notebooks of the course: each is built from one source, `notebooks/src/NN_name.py`.

    python -m minis2s.classroom.notebooks build 03 04        student notebooks -> notebooks/NN_name.ipynb (default: all)
    python -m minis2s.classroom.notebooks instructor DIR     the versions with solutions -> DIR; nothing is run
    python -m minis2s.classroom.notebooks check              are the built ones up to date, and does everything run?

How a source is written
-----------------------
It is a Python file in jupytext's percent format, and it runs as plain Python from beginning to end,
solutions included.  Cells are told apart by their first line:

    # %% [markdown]                      prose, in a raw string, so that formulas keep their backslashes
    r"""
    ## A heading, and $h_t = \\tanh(a_t)$
    """

    # %%                                 a demonstration: runs when the notebook is built; its output stays
    with picture("Heat map: what the picture shows, in words", 7, 2.5) as axes:
        axes.imshow(hs[:, 0].T)

    # %% exercise="rnn-step"             an exercise: the student gets a stub in place of the solution
    def rnn_step(x, h_prev, W, U, b):
        ### BEGIN SOLUTION
        return np.tanh(x @ W + h_prev @ U + b)
        ### END SOLUTION

    # %% check="rnn-step" points=2       the cell that judges it; points count for nbgrader, 1 where not said
    judge("rnn-step", rnn_step)

Rules

- An exercise is a function (or several) with a docstring, so that its stub can be defined without an error.
  Only check cells call it: demonstrations run in the student's notebook too, where nothing is solved yet.
- Every exercise has one check cell of the same name, further down.  It calls `judge`, which asks
  `minis2s.check`; or, where only this notebook has the exercise, it holds its asserts in
  `with attempt("name"):`.  Both end in one line, and no traceback, for a stub and for a wrong answer.  The builder
  puts an import of both names into the cell, so a `judge` of the student's own is not believed there.
- "Run all" runs through: a check cell may raise (its tag says so) and what stands below it still runs.
- Predict, then measure: a cell `my_guess = None` stands before the experiment, whose cell calls `compare`; with no
  prediction it says so and shows the measurement.
- No solution stands above its exercise: code of the library is shown behind the check.
- A cell that begins with `with picture(` only draws, and is folded.
- A check cell draws no numbers from a generator that demonstrations use: when the notebook is built it does
  not run, and what stands below must show the same numbers.
- Asserts compare numbers, never printed text or pixels.  What is printed does not depend on time or machine.
- No files, no network, nothing random without a seed; a minute at most on two busy cores.
- Pictures come from `picture` only: it takes the words for those who cannot see it.  A built notebook has at
  most 300 kB.

jupytext reads, nbclient runs, nbformat writes.  Cells get the metadata that nbgrader wants, so that a teacher
can give the instructor versions to `nbgrader generate_assignment` as they are.
'''
from .helpers import Unsolved, attempt, compare, judge, picture     # noqa: F401
