"""Decoding: from a trained model to outputs.  Read greedy.py first, then beam.py, sampling.py, exact.py.

hypotheses.py has what all searches share; rough.py says how compiled ones read a readout of many words at less
precision.  May import core/, data/, layers/ and model/.
"""
from .beam import beam  # noqa: F401
from .exact import exact  # noqa: F401
from .greedy import greedy  # noqa: F401
from .hypotheses import Answer  # noqa: F401
from .sampling import sample  # noqa: F401
