"""Layers, compiled: a mirror of minis2s/layers/.  Start with cells/lstm.py, then unroll.py.

    cells/        one time step of each cell, for rows n0 .. n1-1 of the batch
    unroll.py     the time loop with a cell's step in it; recurrent.py: a stack of layers
    attention/    the scores, and one query; scaled_dot_product.py and multi_head.py: all queries of a sequence
    fusion.py embedding.py loss.py
    linear.py layer_norm.py residual.py feed_forward.py positions.py    what a Transformer has besides
    readout.py    the readout and the loss together, a few rows at a time, so that no batch's logits are kept;
                  readout_copying.py upon copying.py for one that copies, frame_output.py for frames

A file here may import the readable core/ and layers/, and of kernels/ core/, linalg/ and runtime/.
"""
