"""The compiled implementation: fast code that mirrors the readable one file by file.  Start in backend.py, then compare
layers/cells/lstm.py here with minis2s/layers/cells/lstm.py.

    backend.py    NUMBA, the functions that the rest of the package calls
    layers/       one step and its derivative in the arithmetic of simd/; the time loop; attention; loss
    model/        encoder, decoder and a whole batch, each one compiled call
    decoding/     one step of all hypotheses, and beam search
    training/     optimizers, and one step of training
    core/         trees in compiled code, and the checks of what Python hands to kernels
    linalg/       matrix products from packing to the micro-kernel, and vectors of 16 numbers (simd/)
    runtime/      when a kernel is compiled and where it is kept, threads, memory

Each file carries the marks of the equations that it computes.  Nothing outside of this folder imports it but
api/backends.py, which chooses the backend, and bench/.  A file here may import core/ data/ layers/ model/ decoding/
training/, and within kernels/ the folders below its own in this list: layers/ model/ and decoding/ stand upon linalg/
and runtime/.
"""
