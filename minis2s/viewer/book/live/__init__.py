"""Plain Python that runs in the book's page, by MicroPython, and in the build, by any Python: see engine.py.

scalar.py    numbers that remember how they were made, so that a gradient can be pulled back through the oracle
engine.py    runs an example of the book with the oracle, and notes every number that an equation makes
source.py    the oracle's source as the page gets it (runs in the build alone)
"""
