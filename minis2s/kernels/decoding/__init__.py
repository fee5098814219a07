"""Decoding, compiled: a mirror of minis2s/decoding/.  Start with beam.py, a whole search in one compiled call.

    chains.py                    what a beam search remembers: beginnings, and the best answers
    hypotheses.py                one step of all hypotheses, for sampling and exact search too: a recurrent decoder's
    transformer_hypotheses.py    the same of a Transformer
    architectures.py             which of the two a Config wants
    rough.py                     a readout of many words, read at less precision
    frames.py                    frames written freely, which are not searched for

A file here may import the readable decoding/, and of kernels/ all but training/.
"""
