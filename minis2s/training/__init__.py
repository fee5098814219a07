"""Training: from examples to parameters.  Start with update.py, one step's computation, then loop.py.

    options.py  schedule.py         how to train, and the step size over time
    update.py  optimizers.py        loss, gradient, clipping, new parameters
    step.py  loop.py                one step with its random numbers and bookkeeping; epochs, and when to stop
    evaluation.py  metrics.py       how good a model is on held-out examples; scores of texts
    checkpoint.py  memory.py        files of weights and of training's progress; freed memory is kept
    quantization.py  pruning.py  compression.py     rounded weights, zeros that stay, both packed into smaller files
    reference.py                    NUMPY, the readable implementation as a Backend

May import core/, data/, layers/, model/, decoding/ and tasks/.
"""
