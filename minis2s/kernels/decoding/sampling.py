"""Twin of search/sampling.py: the decoder's steps are compiled; tokens are drawn by the page itself."""
from functools import partial

from ...decoding.sampling import sample as page

sample = partial(page, backend="numba")
