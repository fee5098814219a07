"""The compiled compiled implementations of the hot loops.  Nothing outside of this package imports it but backends.py, and bench.

    jit.py       when a kernel is compiled, and where its machine code is kept
    ahead.py     another process that compiles what a training needs later
    simd/        arithmetic on 16 numbers at once, written as if on one
    threads.py   work shared among threads, with the same bits for any number of them
    packing.py   operands of a product, in the order in which they are read
    tile.py      the micro-kernel: a tile of a product, whose sums stay in registers
    gemm.py      matrix products, tile after tile
    gradients.py gradients of weights: sums over all steps and examples
    memory.py    freed memory, kept for the next step of training
    arena.py      memory for the arrays of one call
    ready.py     parameters, looked at before compiled code gets them
    rows.py      copies, sums and products of a batch's rows
    layers.py    the same for each layer of a stack, as a tuple
    peak.py      how fast the machine could be, for bench

On these stand the compiled implementations.  Each but readout.py has the name of the page it repeats, all have the marks, and those
functions that take time:

    rnn.py lstm.py gru.py gru_after.py      one step of a cell
    unroll.py                               the time loop with a cell's step in it
    attention.py fusion.py decoder.py       the decoder's loop, put together of pieces
    encoder.py                              layer upon layer, and what the decoder is told
    loss.py optim.py embedding.py           what a training step needs beside
    readout.py                              the readout and the loss together, a few rows at a time
    seq2seq.py                              loss and gradient of a batch in one call
    train.py tree.py                        a training step, whose gradient is one flat array
    search/hypotheses.py                    one step of all hypotheses, for sampling and exact search too
    search/beam.py                          beam search, and greedy search as a beam of one
"""
