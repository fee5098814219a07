"""The live book: math, code, derivative and numbers side by side, in one offline HTML file: `minis2s book`.

Nothing in it is retyped.  Equations, code lines, oracle lines and their places come from the marks of the library
(documents/equations.py), rows from documents/formulas, and the numbers from the oracle itself, which the page runs.

build.py      the whole file; pages.py, cards.py: its parts as HTML; parts.py: which pages there are
pymath.py     lines of Python as mathematics; steps.py, derivations/: every derivative derived, and run
examples/     the live examples: one for each part, by the oracle and by the library
numbers.py    binds each number of the library to one of the oracle's, by value
live/         plain Python that runs in the page, too: numbers that know their gradient, the engine, the oracle's source
run.py        a trained model of your own in the book
bundle.py     what the page's Python gets; runtime.py finds MicroPython, which is never part of the repository
texts/        sentences in English and Chinese, keyed to marks, parts and rows; words.py: headings and buttons
web/          HTML, CSS and JavaScript, beside those of ../web that all pages share; ../mathml.py sets equations

May import everything above it in the order of folders (minis2s/__init__.py).  Start with numbers.py, then build.py.
"""
