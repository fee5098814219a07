"""How many random examples hypothesis tries, HYPOTHESIS_PROFILE=ci (few, always the same) or wide (many); marks of
equations after -k (see test_equations.py); and a fixture for the kernels' threads."""
import os
import re
from pathlib import Path

import pytest
from hypothesis import settings

from minis2s.documents import equations

equations.TESTS = Path(__file__).parent       # the package may be installed elsewhere

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=25)
settings.register_profile("wide", deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

MARK = re.compile(r"\(([A-Z]{1,3}\d{1,2})(\*?)\)|(?<![\w.\[-])([A-Z]{1,3}\d{1,2})(?:(\*)|(?![\w.\]-]))")


def with_ids(expression):
    """An expression of -k, its marks of equations turned into ids of tests: L4 -> [eq.L4], L4* -> [eq.L4-star]."""
    def id_of(found):
        mark, star = (found[1], found[2]) if found[1] else (found[3], found[4])
        known = f"({mark}{star or ''})" in equations.all_equations()
        return f"[eq.{mark}{'-star' if star else ''}]" if known else found[0]
    return MARK.sub(id_of, expression)


def pytest_configure(config):
    config.option.keyword = with_ids(config.option.keyword)


@pytest.fixture
def use():
    """`use(count)`: so many threads for whatever work there is, until the end of the test."""
    from minis2s.kernels.runtime.threads import ENOUGH, QUEUE, THREADS, use
    before = QUEUE[[THREADS, ENOUGH]]
    QUEUE[ENOUGH] = 1
    yield use
    QUEUE[[THREADS, ENOUGH]] = before
