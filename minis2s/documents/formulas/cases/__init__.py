"""A small case of every formula: case.py says what a case is, the other files draw them."""
from .attention import GivenScores, a3_3, a4_3, a4_3_general, b4_2a, d3_3, d3_4       # noqa: F401
from .case import Case, Sizes                                                       # noqa: F401
from .cells import a3_1, a4_1, b4_2e, c2_1, c3_1g, c3_1g_after, c3_1l, d3_1           # noqa: F401
from .decoder_step import a4_2, b4_1, b4_2d, c4_1d, d3_2                            # noqa: F401
from .heads import b4_1l, b4_2o, clipping, d3_5, e3_3                               # noqa: F401
from .models import a3_2, a4_4, c2_2, d3_s                                          # noqa: F401
from .printed import (    # noqa: F401
    a4_2_printed, a4_4_printed, b4_2a_printed, b4_2d_printed, b4_2e_printed, c2_2_printed, c3_1g_printed, d3_2_printed,
    d3_3_printed)
