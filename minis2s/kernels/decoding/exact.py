"""Twin of search/exact.py: the decoder's steps are compiled; the tree is searched by the page itself."""
from functools import partial

from ...decoding.exact import exact as page

exact = partial(page, backend="numba")
