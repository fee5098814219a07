"""The claims K1 to K12 of the documents, and parts P13 and P16, as experiments that anybody can run: `minis2s claim K3`.

claim.py says what a claim is.  Each other file holds one: the document's sentence, what the literature knows, the
design, the rule of the verdict, the experiment, and what is drawn.  Start with k3_clipping.py: it is exact and short.
It may import everything above documents/ (models, training, tasks, the public API), and not the viewer.
"""
from importlib import import_module

from .claim import FAILS, HOLDS, IN_PART, Claim, Plan, Verdict, run    # noqa: F401

MODULES = {"K1": "k1_distance", "K2": "k2_gates", "K3": "k3_clipping", "K4": "k4_depth", "K5": "k5_cost", "K6": "k6_sharing",
           "K7": "k7_lengths", "K8": "k8_sizes", "K9": "k9_gru", "K10": "k10_compression", "K11": "k11_alignment", "K12": "k12_search",
           "P13": "p13_augmentation", "P16": "p16_transfer"}


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
