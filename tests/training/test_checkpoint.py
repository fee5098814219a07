"""Weights and checkpoints: every bit comes back, and no byte can be changed unseen."""
import errno
import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save_file

from draw import same
from minis2s.core import files, tree
from minis2s.model import seq2seq
from minis2s.model.config import Config
from minis2s.training import checkpoint, loop as train

SIZES = dict(source_vocab=6, target_vocab=5, embedding=3, hidden=2)
C = Config(**SIZES)
P = seq2seq.init(C, seed=1)
PAIRS = [([4, 5], [4]), ([5], [4, 4])]


def progress():
    """Stopped in the middle of the second epoch."""
    asked = []

    def third_step():
        asked.append(0)
        return len(asked) == 3

    return train.run(C, train.Training(epochs=2, batch=1, lr=0.1 / 3), PAIRS, PAIRS, should_stop=third_step)


@pytest.mark.parametrize("config", [
    C, replace(C, dtype="float64"), Config(**SIZES, cell="gru", bidirectional=True, layers=2),
    Config(**{**SIZES, "embedding": 2}, tied_embedding=True, attention="none", bridge="dense")])
def test_weights_come_back_to_the_bit(tmp_path, config):
    p = seq2seq.init(config, seed=1)
    checkpoint.save_weights(tmp_path / "w", p, config)
    same(checkpoint.load_weights(tmp_path / "w", config), p)
    one = (tmp_path / "w").read_bytes()
    for _ in range(4):
        checkpoint.save_weights(tmp_path / "w", p, config)
        assert (tmp_path / "w").read_bytes() == one                     # same weights, same bytes


def test_progress_comes_back_to_the_bit(tmp_path):
    for saved in (train.begin(C, train.Training()), progress()):
        checkpoint.save_progress(tmp_path / "c", saved, C)
        back = checkpoint.load_progress(tmp_path / "c", C)
        assert [type(x) for x in back] == [type(x) for x in saved]
        same((back.params, *back.optimizer[1:], back.best), (saved.params, *saved.optimizer[1:], saved.best))
        assert (back.optimizer.t, *back[3:]) == (saved.optimizer.t, *saved[3:])
    assert saved.step == 3 and saved.batch == 1 and saved.best_score is not None and saved.loss_sum > 0
    assert not np.array_equal(saved.best.decoder.readout.b, saved.params.decoder.readout.b)


def test_the_file_is_plain_safetensors(tmp_path):
    from safetensors import safe_open
    checkpoint.save_weights(tmp_path / "w", P, C)
    with safe_open(tmp_path / "w", framework="numpy") as f:
        assert set(f.keys()) == {name for name, _ in tree.named(P)}
        assert json.loads(f.metadata()["minis2s"])["story"]["config"] == C.to_json()


# Files that are not what they should be ------------------------------------------------------------------

def test_every_flipped_bit_is_noticed(tmp_path):
    """One byte at a time, over the whole file; only spaces that fill the header up have no meaning."""
    path = tmp_path / "w"
    checkpoint.save_weights(path, P, C)
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    head = 8 + int.from_bytes(data[:8], "little")
    places = sorted({*range(0, 60), *range(head - 40, head + 20), *rng.integers(len(data), size=60).tolist()})
    for at in places:
        path.write_bytes(data[:at] + bytes([data[at] ^ (1, 32, 128)[at % 3]]) + data[at + 1:])
        try:
            p = checkpoint.load_weights(path, C)
        except ValueError as e:
            assert str(e).startswith(f"{path}: ") and "\n" not in str(e)
        else:
            assert at < head and data[at:at + 1] == b" "
            same(p, P)


@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file(tmp_path, part):
    path = tmp_path / "w"
    checkpoint.save_weights(path, P, C)
    data = path.read_bytes()
    path.write_bytes(data[:int(part * len(data))])
    with pytest.raises(ValueError, match="w: not a whole safetensors file"):
        checkpoint.load_weights(path, C)


def test_foreign_files(tmp_path):
    path = tmp_path / "w"
    for data in (b"PK\x03\x04 not weights", b"\x80\x04\x95 a pickle", b"{}", bytes(100)):
        path.write_bytes(data)
        with pytest.raises(ValueError, match="w: not a whole safetensors file"):
            checkpoint.load_weights(path, C)
    save_file({"a": np.ones(3)}, path)
    with pytest.raises(ValueError, match="not one that minis2s wrote"):
        checkpoint.load_weights(path, C)
    with pytest.raises(FileNotFoundError, match="none: no such file"):
        checkpoint.load_weights(tmp_path / "none", C)
    with pytest.raises(IsADirectoryError):
        checkpoint.load_weights(tmp_path, C)


def test_edited_numbers_under_the_old_digest(tmp_path):
    from safetensors import safe_open
    path = tmp_path / "w"
    checkpoint.save_weights(path, P, C)
    with safe_open(path, framework="numpy") as f:
        meta, arrays = f.metadata(), {name: f.get_tensor(name).copy() for name in f.keys()}
    arrays["decoder.readout.b"][0] += 1e-7
    save_file(arrays, path, meta)
    with pytest.raises(ValueError, match="changed after it was saved"):
        checkpoint.load_weights(path, C)


@pytest.mark.parametrize("change, told", [(dict(hidden=4), "hidden is 2 there, 4 here"),
                                          (dict(dtype="float64"), "dtype is 'float32' there"),
                                          (dict(dropout=0.5), "dropout is 0.0 there"),
                                          (dict(attention="dot"), "attention is 'additive' there")])
def test_weights_of_another_configuration(tmp_path, change, told):
    checkpoint.save_weights(tmp_path / "w", P, C)
    with pytest.raises(ValueError, match=f"w: weights of another configuration: {told}"):
        checkpoint.load_weights(tmp_path / "w", replace(C, **change))


def test_weights_from_before_a_choice_existed(tmp_path):
    """They have what is its default now."""
    old = {name: value for name, value in C.to_json().items() if name != "label_smoothing"}
    checkpoint.save_arrays(tmp_path / "w", dict(tree.named(P)), {"config": old})
    same(checkpoint.load_weights(tmp_path / "w", C), P)
    with pytest.raises(ValueError, match="label_smoothing is 0.0 there, 0.1 here"):
        checkpoint.load_weights(tmp_path / "w", replace(C, label_smoothing=0.1))


def test_weights_are_no_checkpoint_and_the_other_way_round(tmp_path):
    checkpoint.save_weights(tmp_path / "w", P, C)
    checkpoint.save_progress(tmp_path / "c", progress(), C)
    with pytest.raises(ValueError, match="weights alone; training cannot go on"):
        checkpoint.load_progress(tmp_path / "w", C)
    with pytest.raises(ValueError, match="is not part of this configuration|is missing"):
        checkpoint.load_weights(tmp_path / "c", C)


def test_arrays_that_do_not_fit(tmp_path):
    arrays = dict(tree.named(P))
    name = "encoder.embedding"
    for change, told in ((dict(), "is missing"),
                         ({name: arrays[name].T}, r"float32 \(3, 6\), the configuration wants"),
                         ({name: arrays[name].astype(float)}, "is float64"),
                         ({name: arrays[name], "more": arrays[name]}, "more is not part")):
        others = {**{k: a for k, a in arrays.items() if k != name}, **change}
        with pytest.raises(ValueError, match=f"here: .*{told}"):
            checkpoint.fit_into(P, others, "here")


def test_a_future_format(tmp_path):
    checkpoint.save_arrays(tmp_path / "w", dict(tree.named(P)), {"config": C.to_json()}, checkpoint.COMPRESSED + 1)
    with pytest.raises(ValueError, match="format 3, this version reads 1 and 2"):
        checkpoint.load_weights(tmp_path / "w", C)


def test_a_full_disk_leaves_the_old_file(tmp_path, monkeypatch):
    checkpoint.save_weights(tmp_path / "w", P, C)

    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        checkpoint.save_weights(tmp_path / "w", seq2seq.init(C, seed=2), C)
    assert [f.name for f in tmp_path.iterdir()] == ["w"]
    same(checkpoint.load_weights(tmp_path / "w", C), P)


# Bugs that only a file can show --------------------------------------------------------------------------

def resaved(path, change_arrays=lambda a: a, change_head=lambda h: h, sign=False):
    """Write a file anew with other arrays or another head; its digest is the old one unless `sign`."""
    from safetensors import safe_open
    with safe_open(path, framework="numpy") as f:
        head = json.loads(f.metadata()["minis2s"])
        arrays = {name: f.get_tensor(name).copy() for name in f.keys()}
    arrays, head = change_arrays(arrays), change_head(head)
    if sign:
        head.pop("sha256")
        head["sha256"] = checkpoint.digest(arrays, head)
    save_file(arrays, path, {"minis2s": json.dumps(head, sort_keys=True)})


def first(arrays):
    return min(name for name in arrays if arrays[name].ndim == 2)


@pytest.mark.parametrize("change", [
    lambda a: {**a, first(a): a[first(a)].reshape(a[first(a)].shape[::-1])},        # the same bytes in another shape
    lambda a: {**a, first(a): a[first(a)].reshape(-1)},
    lambda a: {**a, first(a): a[first(a)].view(np.int32)},                          # and of another type
    lambda a: {name + "x" * (name == first(a)): x for name, x in a.items()},        # and under another name
    lambda a: {name: x for name, x in a.items() if name != first(a)},
    lambda a: {**a, "more": a[first(a)]}], ids=["shape", "flat", "type", "name", "missing", "left over"])
def test_the_digest_covers_names_shapes_types_and_which_arrays_there_are(tmp_path, change):
    for save, load in ((checkpoint.save_weights, checkpoint.load_weights),
                       (checkpoint.save_progress, checkpoint.load_progress)):
        save(tmp_path / "w", P if save is checkpoint.save_weights else train.begin(C, train.Training()), C)
        resaved(tmp_path / "w", change)
        with pytest.raises(ValueError, match=r"w: changed after it was saved \(its digest does not fit\)"):
            load(tmp_path / "w", C)


def test_the_digest_covers_every_entry_of_a_large_array():
    a = np.zeros((300, 200), np.float32)
    digests = {checkpoint.digest({"a": a}, {})}
    for at in ((0, 0), (150, 7), (299, 199)):
        changed = a.copy()
        changed[at] = -0.0                      # one bit, in the number's last byte
        digests.add(checkpoint.digest({"a": changed}, {}))
    assert len(digests) == 4


def test_the_digest_covers_the_numbers_of_progress(tmp_path):
    for name in ("lr", "epoch", "batch", "step", "t", "waits", "finished", "best_score"):
        checkpoint.save_progress(tmp_path / "c", progress(), C)
        resaved(tmp_path / "c", change_head=lambda h: {**h, "story": {
            **h["story"], "progress": {**h["story"]["progress"], name: 0.25}}})
        with pytest.raises(ValueError, match="changed after it was saved"):
            checkpoint.load_progress(tmp_path / "c", C)


@pytest.mark.parametrize("change, told", [
    (lambda a: {name: x for name, x in a.items() if name != "encoder.embedding"}, "encoder.embedding is missing"),
    (lambda a: {**a, "encoder.more": a["encoder.embedding"]}, "encoder.more is not part of this configuration"),
    (lambda a: {**a, "encoder.embedding": a["encoder.embedding"].T.copy()}, r"encoder.embedding is float32 \(3, 6\)"),
    (lambda a: {**a, "encoder.embedding": a["encoder.embedding"].astype(float)}, "encoder.embedding is float64")])
def test_parameters_that_are_missing_or_left_over_are_named(tmp_path, change, told):
    """Of a file that is whole, such as one written by a version whose parameters are others."""
    checkpoint.save_weights(tmp_path / "w", P, C)
    resaved(tmp_path / "w", change, sign=True)
    with pytest.raises(ValueError, match=f"w: {told}"):
        checkpoint.load_weights(tmp_path / "w", C)


@pytest.mark.parametrize("depth", [101, 100_000])
def test_a_header_nested_deeply_is_refused_in_one_line(tmp_path, depth):
    checkpoint.save_weights(tmp_path / "w", P, C)
    save_file({"a": np.ones(3)}, tmp_path / "w", {"minis2s": '{"sha256":' + "[" * depth + "]" * depth + "}"})
    with pytest.raises(ValueError, match="w: changed after it was saved"):
        checkpoint.load_weights(tmp_path / "w", C)


@pytest.mark.parametrize("head", ["[]", "5", "null", "{}", '{"sha256": NaN}', "{", ""])
def test_a_header_that_is_something_else(tmp_path, head):
    save_file({"a": np.ones(3)}, tmp_path / "w", {"minis2s": head})
    with pytest.raises(ValueError, match="w: changed after it was saved"):
        checkpoint.load_weights(tmp_path / "w", C)


def test_a_full_disk_is_said_of_the_persons_file(tmp_path, monkeypatch):
    def fail(_):
        raise OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr(files.os, "fsync", fail)
    with pytest.raises(OSError) as caught:
        checkpoint.save_weights(tmp_path / "w", P, C)
    assert caught.value.filename == str(tmp_path / "w")


@pytest.mark.parametrize("name", C.to_json())
def test_every_choice_of_the_configuration_is_compared(name):
    """Also those that change no shape: weights of a model that reads its sources backwards fit no other model."""
    with pytest.raises(ValueError, match=f"w: weights of another configuration: {name} is 'other' there"):
        checkpoint.check_config("w", {**C.to_json(), name: "other"}, C)
