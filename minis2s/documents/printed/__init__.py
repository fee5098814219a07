"""The documents' formulas *as printed*, where the printed form slips but can be computed.

One module for each document, pure functions in the style of the cells, forward and backward.  Nothing in the
library uses them: they are run beside the intended forms, to show what a slip costs.
`minis2s formulas B4.2a` shows both.
"""
