"""One time step of each cell, compiled: a mirror of minis2s/layers/cells/.  Start with lstm.py.

Each file has ForwardBuffers and BackwardBuffers, what the steps of a sequence read and fill, functions that make them,
and `step` and `step_backward` with the equations.  A file here may import core/, layers/cells/, linalg/ and runtime/.
"""
