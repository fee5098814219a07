"""Layers: one step, one query, one map, each with its derivative beside it.  Start with cells/lstm.py.

    cells/         one time step of a recurrent cell          unroll.py      the time loop, for every cell
    attention/     one query over the encoder's states        recurrent.py   a stack of layers, in one or two directions
    embedding.py  frame_input.py  linear.py  fusion.py  dropout.py  loss.py   maps without time; others: a Transformer

May import core/ and data/.  Every file defines its equations under marks, (L4) and (L4*), which
stand on its code lines.
"""
