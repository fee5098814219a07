"""Witnesses for tests: `oracle`, every equation once more in plain Python numbers.

May import what stands above it in the order of folders (minis2s/__init__.py); the oracle itself imports only `math`.
Start with oracle/__init__.py.
"""
from .oracle import transformer as oracle_transformer    # noqa: F401
