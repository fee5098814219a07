"""The model: encoder, bridge, decoder, put together of layers/.  Start with seq2seq.py.

    config.py        every choice of a model, with the reasons why some do not go together
    encoder.py  bridge.py  decoder.py  decoder_step.py  context_step.py    the parts, forward and backward
    seq2seq.py       the whole: loss of a batch, and its gradient
    parameters.py  dropout_masks.py  checks.py    what is handed to a model: first values, ties, masks, validation
    saliency.py      which source tokens an answer depends on
    transformer*.py  a model of the same tasks without recurrence

May import core/, data/ and layers/.
"""
