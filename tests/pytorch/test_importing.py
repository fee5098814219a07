"""Models of torch.nn layers become runs: the same answers, and clear words about folders that do not fit."""
import json

import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from safetensors.torch import save_file  # noqa: E402
from torch import nn  # noqa: E402

from minis2s import Seq2Seq  # noqa: E402
from minis2s.cli.main import main  # noqa: E402
from minis2s.pytorch import importing  # noqa: E402

SOURCE = ["a", "b", "c", "<pad>", "d"]                              # the special ones stand anywhere, some are missing
TARGET = ["x", "<eos>", "y", "<bos>", "z", "w"]
KINDS = {"lstm": nn.LSTM, "gru-after": nn.GRU, "rnn": nn.RNN}


class Theirs(nn.Module):
    """An encoder-decoder as tutorials write it."""

    def __init__(self, kind, layers, two):
        super().__init__()
        self.two, self.layers, made = two, layers, KINDS[kind]
        self.src, self.tgt = nn.Embedding(len(SOURCE), 5), nn.Embedding(len(TARGET), 5)
        self.enc = made(5, 6, num_layers=layers, bidirectional=two)
        self.dec, self.out = made(5, 6, num_layers=layers), nn.Linear(6, len(TARGET))
        self.join = nn.ModuleList(nn.Linear(12, 6) for _ in range(2 * layers if two else 0))
        for w in self.parameters():
            nn.init.normal_(w, std=1.5 if w.ndim > 1 else 0.2)

    def state(self, ids):
        """What the decoder begins with: the encoder's last states, of two directions through a layer."""
        _, s = self.enc(self.src(ids))
        s = s if isinstance(s, tuple) else (s,)
        if self.two:
            s = tuple(torch.stack([torch.tanh(self.join[2 * i + j](torch.cat([part[2 * i], part[2 * i + 1]], dim=1)))
                                   for i in range(self.layers)]) for j, part in enumerate(s))
        return s if len(s) == 2 else s[0]

    @torch.no_grad()
    def answer(self, text, most):
        """Greedy."""
        s, said = self.state(torch.tensor([[SOURCE.index(a)] for a in text])), ["<bos>"]
        while len(said) <= most and said[-1] != "<eos>":
            hs, s = self.dec(self.tgt(torch.tensor([[TARGET.index(said[-1])]])), s)
            logits = self.out(hs[-1, 0])
            logits[TARGET.index("<bos>")] = -torch.inf
            said.append(TARGET[int(logits.argmax())])
        return "".join(said).replace("<bos>", "").replace("<eos>", "")


def folder_of(model, kind, path, **changes):
    """Write the three files."""
    path.mkdir()
    save_file(model.state_dict(), path / "model.safetensors")
    names = "hc" if kind == "lstm" else "h"
    mapping = {
        "config": {"cell": kind, "embedding": 5, "hidden": 6, "attention": "none", "context": "init", "fusion": "none",
                   "layers": model.layers, "bidirectional": model.two, "bridge": "dense" if model.two else "copy",
                   "dtype": "float64"},
        "units": {"source_units": "char", "target_units": "char"}, "lengths": {"source": 6, "target": 9},
        "embedding": {"encoder": "src", "decoder": "tgt"}, "cells": {"encoder": "enc", "decoder": "dec"},
        "linear": {"decoder.readout": "out",
                   **{f"bridge.{i}.{name}": f"join.{2 * i + j}" for i in range(model.layers if model.two else 0)
                      for j, name in enumerate(names)}}}
    (path / "mapping.json").write_text(json.dumps({**mapping, **changes}))
    (path / "vocabulary.json").write_text(json.dumps({"source": SOURCE, "target": TARGET}))
    return path, mapping


@pytest.mark.parametrize("kind, layers, two",
                         [("lstm", 1, False), ("lstm", 2, True), ("gru-after", 2, False), ("gru-after", 1, True),
                          ("rnn", 1, False)])
def test_answers_are_the_same(kind, layers, two, tmp_path, capsys):
    torch.manual_seed(5)
    theirs = Theirs(kind, layers, two).double()
    path, _ = folder_of(theirs, kind, tmp_path / "theirs")
    assert main(["import", str(path), "--out", str(tmp_path / "run")]) == 0 and "imported" in capsys.readouterr().out
    ours = Seq2Seq.load(tmp_path / "run")
    texts = ["a", "ab", "dcba", "abcdd", "ccc", "dab", "bbad", "ca"]
    answers = [best[0].text for best in ours.decode(texts, max_length=12)]
    assert answers == [theirs.answer(text, 12) for text in texts]
    assert len(set(answers)) > 3


def test_folders_that_do_not_fit_are_refused_in_one_line(tmp_path, capsys):
    torch.manual_seed(0)
    theirs = Theirs("lstm", 1, False)
    path, mapping = folder_of(theirs, "lstm", tmp_path / "theirs")

    def refused(**changes):
        (path / "mapping.json").write_text(json.dumps({**mapping, **changes}))
        assert main(["import", str(path), "--out", str(tmp_path / "run")]) == 2
        error = capsys.readouterr().err
        assert len(error.splitlines()) == 1 and not (tmp_path / "run").exists()
        return error
    assert "src2.weight is not in model.safetensors, which has " in refused(embedding={"encoder": "src2"})
    assert "decoder.readout.W is missing" in refused(linear={})
    assert "not part of a model of this config" in refused(arrays={"decoder.score.W": "out.weight"})
    assert "PyTorch's layout is known for rnn, lstm, gru-after" in refused(config={**mapping["config"], "cell": "gru"})
    assert "has shape" in refused(config={**mapping["config"], "hidden": 7})
    assert "'gates', wanted some of config, units" in refused(gates={})
    (path / "vocabulary.json").write_text(json.dumps({"source": SOURCE, "target": ["x", "y", "<bos>"]}))
    assert "target has no <eos>" in refused()
    (path / "vocabulary.json").write_text(json.dumps({"source": SOURCE[1:], "target": TARGET}))
    assert "encoder.embedding: shape (5, 5) with 4 symbols" in refused()
    (path / "model.safetensors").rename(path / "pytorch_model.bin")
    assert "pickled weights (.pt, .bin) are not read" in refused()
    (path / "model.safetensors").write_bytes(b"\x80\x02}q\x00.")
    assert "not a whole safetensors file" in refused()


def test_a_token_that_is_missing_there_is_never_answered(tmp_path):
    torch.manual_seed(0)
    found = importing.read(folder_of(Theirs("lstm", 1, False), "lstm", tmp_path / "theirs")[0])
    assert found.vocabs[1].symbols == ("<pad>", "<bos>", "<eos>", "<unk>", "x", "y", "z", "w")
    p = found.params.decoder
    assert p.readout.b[0] == p.readout.b[3] == importing.NEVER and not p.embedding[0].any() and p.embedding[1].any()
