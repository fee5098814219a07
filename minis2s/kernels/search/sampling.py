"""Twin of search/sampling.py: the decoder's steps are compiled; tokens are drawn by the page itself."""
from functools import partial

from ...search import sampling as page

sample = partial(page.sample, backend="numba")
