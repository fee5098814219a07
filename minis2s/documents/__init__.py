"""The five documents that the library implements, A to E: their formulas, worked examples and claims.

formulas/    each formula: as printed, as intended, the code that computes it, a tiny example, checked on the spot
printed/     code for the formulas as printed, where the documents have slips
examples/    the worked examples W1 to W8
claims/      the documents' claims as experiments
equations.py every equation of the library by its mark, (L4): where it stands, and its derivative
marks.py     how marks are written and read

May import everything above it in the order of folders (minis2s/__init__.py); draws nothing.  Start with
formulas/b.py beside formulas/entry.py.

Rows name a document and its section: B4.2e is one formula of document B, section 4.2.  Document C is two articles in
one file, and the second begins again with section 1: "C §3.1 (2nd)" is section 3.1 of the second article.  "Part P4"
is a part that the documents name without a formula, see PARTS.
"""
from typing import NamedTuple


class Document(NamedTuple):
    file: str                  # its name among the files of the documents
    title: str                 # printed at its head, or "" where there is none
    subject: str


DOCUMENTS = {
    "A": Document("000_0bf479079dd6bcf3.txt", "构建简单Seq2Seq架构",
                  "building a simple seq2seq architecture (Chinese and English)"),
    "B": Document("001_2d72202690f5988e.txt", "", "the encoder-decoder architecture, LSTM equations, attention"),
    "C": Document("002_2a62a9b58c3d39f8.txt", "",
                  "sequence-to-sequence learning: principles and code; two articles in one file"),
    "D": Document("003_0b81047c89987b28.txt", "", "machine translation with seq2seq and additive attention"),
    "E": Document("004_2de2d1178393b195.txt", "", "seq2seq as a large model: loss, training, decoding"),
}
SECOND = 'Document C has two articles, each with sections from 1: "(2nd)" means the second.'


class Part(NamedTuple):
    where: str                 # documents and sections
    name: str


PARTS = {
    "P1": Part("A-E", "embedding layer: lookup forward, scatter-add backward"),
    "P2": Part("A §5, C §5", "the final LSTM states are the decoder's initial states; teacher forcing, softmax"),
    "P3": Part("B §5.2", "RepeatVector decoder: the context at every step, two stacked LSTMs, one dense layer"),
    "P4": Part("E §4", "stacked recurrent layers with one output for each input step: a tagger"),
    "P5": Part("C §5.4", "step-wise inference with explicit states in and out"),
    "P6": Part("B §5.2, C §5.2", "padding to a common length, and the masks that make it harmless"),
    "P7": Part("C §5.2", "one-hot targets and token ids as targets: the same loss"),
    "P8": Part("D §3.2, C §4.3", "gradient descent, RMSprop, Adam"),
    "P9": Part("C §5.2", "validation split, batch size, epochs, accuracy"),
    "P10": Part("E §2.3, §3.4", "decoding: greedy, beam and exact search, random sampling"),
    "P11": Part("A §5.2", "summary of a model: layers, shapes, numbers of parameters"),
    "P12": Part("C §9.5, §7.3", "recurrent networks of several layers; dropout in them"),
    "P13": Part("C §3.3.3", "data augmentation; compression: quantisation, pruning, distillation"),
    "P14": Part("C §1 (2nd)", "attention for inputs and outputs of very different length"),
    "P15": Part("A §7.3, C §8.2", "the Transformer, as the comparison that every document points to"),
    "P16": Part("A §8, B §7, C §8", "outlook: interpretability, transfer and few-shot learning, several modalities"),
}
