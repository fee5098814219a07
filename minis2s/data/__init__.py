"""From texts to arrays: pairs are read, cut into tokens, numbered, and padded into batches.

Start with corpus.py, which does all of it in order:

    text.py        what is text: lines, control characters, blank, when two texts are the same
    formats.py     Tatoeba's and Anki's exports, header lines
    pairs.py       a pairs file; some sources held out; which pairs are unseen
    units.py       a text and its tokens: characters, words (words.py), what stands between spaces
    subwords.py    byte-pair encoding by sentencepiece
    tokenizer.py   all that makes tokens of one side's texts, under one name
    vocabulary.py  numbers for tokens
    corpus.py      tokenizers, vocabularies and examples of a training, and what there is to say about them
    frames.py      a source of numbers in place of tokens: what makes frames of files
    sound.py       WAV files and their log-mel spectrograms
    vocoder.py     log-mel spectrograms back to sound
    pictures.py    PNG files and their columns
    stream.py      pairs that stay in their file, for more than memory holds
    batches.py     padded arrays, time first, and which examples share a batch
    augment.py     more data from the same data: tokens unread, noise, pairs that a model makes
    words_1.py     the rule for words of runs that were saved with it

It imports nothing of the package but core.
"""
