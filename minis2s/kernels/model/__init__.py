"""The model, compiled: a mirror of minis2s/model/.  Start with seq2seq.py: loss and gradient of a batch in one call.

    encoder.py decoder.py seq2seq.py    put together for a Config when they are compiled
    decoder_inputs.py _outputs.py       what a decoder is fed and what it says: tokens, words it may copy, or frames
    transformer.py                      the Transformer: one call as well; _encoder, _decoder, _sublayers, _step for
                                        one position after the other, and _buffers, the memory of its Cache
    architectures.py                    which of the two computes a Config
    validated.py                        parameters and inputs, checked before compiled code reads them

A file here may import the readable model/, and of kernels/ all but decoding/ and training/.
"""
