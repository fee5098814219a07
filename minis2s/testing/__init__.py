"""For tests, the library's and yours: `check_cell` and `check_score` for a cell or an attention score of your own, and
`oracle`, every equation once more in plain Python numbers.

May import what stands above it in the order of folders (minis2s/__init__.py); the oracle itself imports only `math`.
Start with checks.py.
"""
from .checks import check_cell, check_score    # noqa: F401
