"""Training, compiled: a mirror of minis2s/training/.  Start with update.py, one step of training in two compiled calls.

optimizers.py updates all parameters as one flat array.  A file here may import the readable training/, and of kernels/
all but decoding/.
"""
