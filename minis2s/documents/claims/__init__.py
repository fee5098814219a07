"""The claims of the documents as experiments that anybody can run, K1 to K12, P13 and P16: `minis2s claim K3`.

claim.py says what a claim is.  Each other file holds one: the document's sentence, what the literature knows, the
design, the rule of the verdict, the experiment, and what is drawn.  Start with k3_clipping.py: it is exact and short.
It may import everything above documents/ (models, training, tasks, the public API), and not the viewer.
"""
from importlib import import_module

from .claim import FAILS, HOLDS, IN_PART, Claim, Plan, Verdict, run    # noqa: F401

MODULES = {"K1": "k1_distance", "K2": "k2_gates", "K3": "k3_clipping", "K4": "k4_depth", "K5": "k5_cost",
           "K6": "k6_sharing", "K7": "k7_lengths", "K8": "k8_sizes", "K9": "k9_gru", "K10": "k10_compression",
           "K11": "k11_alignment", "K12": "k12_search", "P13": "p13_augmentation", "P16": "p16_transfer"}

# The formulas and parts of the documents that a claim speaks of: their pages name it.
ABOUT = {"K1": ("B4.1", "D3.3", "P14"), "K2": ("B4.2e", "C3.1L", "C3.1G", "C3.3c"), "K3": ("C3.3c",),
         "K4": ("P12", "P4"), "K5": ("B4.1", "P10", "P14"), "K6": ("D3.s",), "K7": ("C2.2", "P6"), "K8": ("P1", "P11"),
         "K9": ("C3.1G", "C3.1L"), "K10": ("P13",), "K11": ("A4.3", "D3.3", "D3.4"), "K12": ("C4.1d", "P10"),
         "P13": ("P13",), "P16": ("P16",)}


def about(name):
    """The Claims that speak of a formula, "C3.3c", or of a part, "P13"."""
    return [find(key) for key, names in ABOUT.items() if name in names]


def lines_about(name):
    """A line for each claim of `about`: how to measure it, and what it says."""
    return [f"  minis2s claim {claim.id:<4} {claim.title}" for claim in about(name)]


def find(key):
    """The Claim of this id.

    Raises
    ------
    ValueError
        Naming the claims that there are.
    """
    if str(key).upper() not in MODULES:
        raise ValueError(f"claim {key!r}: choose one of {', '.join(MODULES)}")
    return import_module(f".{MODULES[str(key).upper()]}", __name__).CLAIM
