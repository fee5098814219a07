"""Everything to look at: traces of every number, pictures, the pages' files.  Start with trace/__init__.py.

    trace/     record every quantity of every marked equation while a computation runs; text, HTML page, comparison
    plots/     loss curves, attention maps, gradient curves: pictures of a run
    flow.py    the numbers behind the gradient curves
    figures/   the pictures of README and the notebooks, drawn again from code and seeds; what they say is checked
    book/      the live book: math, code, derivative and numbers in one offline file
    claims.py  the picture of a claim
    mathml.py  equations and code lines as HTML in which every symbol has its key (symbols.py), for trace and book
    explain.py  search.py    one answer explained by three witnesses; one search, length by length
    web/       HTML, CSS and JavaScript of the pages, as files

May import everything above it: core/ to classroom/.  What computes never imports this folder, except for plots/: a run
and a notebook draw their own pictures.
"""
