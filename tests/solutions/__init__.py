"""Right solutions of every exercise in other styles: einsum, loops, batch first inside, in place."""
from . import attention, decoding, gated, learning, outputs, recurrent, transformer     # noqa: F401  (for importers)
from .style import SOLUTIONS    # noqa: F401
