"""The formulas of the five documents in plain Python, one function for each row: A3.1 is a3_1.

Cells (`rnn`, `cell`) are functions (x, state) -> state, scores are functions (s, hs) -> e.
"""
