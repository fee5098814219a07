"""Derivations: each starred equation in three to eight lines, each a line of Python that is run when the book is built.

The data are text files, in the order of the book.  A derivation is written

    (L4*) dc_prev
    grad(lambda c_prev: sum(dc * (f * c_prev + i * g)), c_prev)        | definition c'
    dc * slope(lambda c_prev: f * c_prev + i * g, c_prev)              | entries c'
    dc * f                                                             | product

The head is the mark and what the library's line of that mark assigns (or "returned", what it returns; `before.dc` is
a name's value before the line).  `let` lines name things.  `in NAME` takes another example than the one the equation
is shown in, `last` the last time that the line runs, `when EXPRESSION` the first time that this is true.  Behind the
bar stands the reason: a key of texts/reasons.txt, and what stands in its places.

The names of a line are the locals of the library's own function, just behind the marked line, in a run of the live
example with three examples in the batch (snapshots.py); beside them the words of `WORDS` in derive.py.  Every line must
equal the one above it, and the last must equal what the library computed, to 1e-12: else the book is not built.
"""
