"""Bugs to plant into minis2s, one edit each: mistakes people make when they write this code by hand.

tests/test_mutants.py plants them one by one into a copy of the package, and the named tests must fail.  A file here has
the bugs of one folder; start reading in `mutant.py`.
"""
from importlib import import_module

FOLDERS = ("core", "data", "layers", "model", "decoding", "tasks", "training", "testing", "kernels_linalg",
           "kernels_layers", "kernels_copying", "kernels_frames", "kernels_model", "kernels_transformer",
           "kernels_decoding", "kernels_rest", "pytorch", "pytorch_models", "api", "bench", "documents", "viewer",
           "classroom", "cli")

MUTANTS = [m for folder in FOLDERS for m in import_module(f".{folder}", __name__).MUTANTS]
