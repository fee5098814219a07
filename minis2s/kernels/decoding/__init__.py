"""Decoding, compiled: a mirror of minis2s/decoding/.  Start with beam.py, a whole search in one compiled call.

hypotheses.py is one step of all hypotheses, for sampling and exact search too.  A file here may import the readable
decoding/, and of kernels/ all but training/.
"""
