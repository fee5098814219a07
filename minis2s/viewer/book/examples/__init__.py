"""The live examples of the book: for each part a small input, the oracle's computation, and the library's.

example.py says what an example is; the other files have one for each part.  The function `live` of an example is plain
Python: its source goes into the page and runs there.  `EXAMPLES` has them by name, in the order of the book.
"""
from . import attention, cells, compression, copying, decoding, functions, model, printed, training, transformer
from .example import Example    # noqa: F401

PARTS = (functions, cells, attention, model, copying, transformer, training, decoding, compression, printed)
EXAMPLES = {example.name: example for part in PARTS for example in part.EXAMPLES}
