"""How many random examples hypothesis tries, HYPOTHESIS_PROFILE=ci (few, always the same) or wide (many), and a
fixture for the kernels' threads."""
import os

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=25)
settings.register_profile("wide", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture
def use():
    """`use(count)`: so many threads for whatever work there is, until the end of the test."""
    from minis2s.kernels.runtime.threads import BOARD, ENOUGH, THREADS, use
    before = BOARD[[THREADS, ENOUGH]]
    BOARD[ENOUGH] = 1
    yield use
    BOARD[[THREADS, ENOUGH]] = before
