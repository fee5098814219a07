"""For people who have texts: `Seq2Seq` (start with seq2seq.py), and `Run`, the directory that training leaves.

    seq2seq.py      the class: a Config, two vocabularies, parameters
    fitting.py      what `fit` does: examples from texts, the run's directory, the training loop, pictures
    answering.py    what `decode` does: options, batches of texts, notes about answers
    evaluation.py   answers against references
    speaking.py     answers that are frames: files, measures, and a recogniser that reads them back
    transfer.py     a start from another model's weights; a teacher's answers and probabilities
    shrinking.py    a smaller run from a run: fewer bits, zeros
    texts.py        pairs and texts as they are given: checked, held out, recognized again, echoed in messages
    run.py lock.py  a run's files; one process at a time in them
    signals.py      Ctrl-C and SIGTERM, noted and never lost
    display.py      progress bar and a line for each evaluation

Everything is computed by the pure functions of model/, training/ and decoding/; it may import all folders above it but
the documents, the viewer (for a run's pictures only) and the classroom.
"""
