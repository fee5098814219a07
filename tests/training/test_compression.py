"""Quantisation, pruning and packing: exact reverses, exact shares, and what may not be asked for."""
import numpy as np
import pytest

from equations import UNITS
from equations.compression import Params, distilled, pruned, rounded
from equations.unit import Unit, against_oracle, by_complex_step
from minis2s.core import tree
from minis2s.layers import distillation, loss
from minis2s.model import seq2seq
from minis2s.model.config import Config
from minis2s.training import checkpoint, compression, pruning, quantization

CONFIG = Config(cell="gru", hidden=6, embedding=5, source_vocab=9, target_vocab=8)


@pytest.mark.parametrize("per", quantization.PER)
@pytest.mark.parametrize("bits", range(1, 9))
def test_every_number_of_bits_is_the_oracles_and_packs_without_loss(bits, per):
    against_oracle(Unit({"(QZ3)": ""}, lambda: rounded(bits, per)), "(QZ3)")
    k = quantization.quantize(np.random.default_rng(bits).normal(size=(7, 5)), bits, per)
    data = compression.pack(k.q, bits)
    assert data.nbytes == -(-35 * bits // 8)
    assert compression.unpack(data, bits, 35).tolist() == k.q.ravel().tolist()


def test_the_error_is_half_a_scale_at_most_and_one_bit_has_the_best_scale():
    W = np.random.default_rng(0).normal(size=(20, 6))
    for bits in range(2, 9):
        for per in quantization.PER:
            k = quantization.quantize(W, bits, per)
            assert (np.abs(W - quantization.dequantize(k)) <= k.s / 2 + 1e-12).all()
        coarse, fine = (quantization.quantize(W, bits, per).s for per in quantization.PER)
        assert (fine <= coarse).all()
    k = quantization.quantize(W, 1, "channel")
    for other in (0.9, 1.1):
        assert (((W - other * k.s * k.q) ** 2).sum(axis=0) > ((W - k.s * k.q) ** 2).sum(axis=0)).all()
    zeros = quantization.quantize(np.zeros((3, 2)), 4)
    assert not quantization.dequantize(zeros).any()


@pytest.mark.parametrize("scheme", pruning.SCHEMES)
def test_pruning_by_every_scheme(scheme):
    unit = Unit({"(PR3)": "", "(PR3*)": ""}, lambda: pruned(scheme))
    against_oracle(unit, "(PR3)")
    by_complex_step(unit, "(PR3*)")
    p = seq2seq.init(CONFIG, 1)
    for share in (0.0, 0.25, 0.8):
        found = pruning.apply(p, pruning.masks(p, share, scheme))
        assert pruning.share_of_zeros(found) == pytest.approx(share, abs=0.02)
        assert all(np.array_equal(a, b) for (_, a), (_, b) in zip(tree.named(p), tree.named(found)) if a.ndim == 1)


def test_schemes_differ_where_scales_do():
    """A matrix of large weights loses none to the blind scheme, its share to the others."""
    rng = np.random.default_rng(3)
    p = Params(rng.normal(size=(10, 10)), 100 * rng.normal(size=(10, 10)), np.zeros(3))
    lost = {scheme: (~pruning.masks(p, 0.5, scheme).U).mean() for scheme in pruning.SCHEMES}
    assert lost["blind"] < 0.05 and lost["uniform"] == 0.5 and abs(lost["distribution"] - 0.5) < 0.1


@pytest.mark.parametrize("bits, prune", [(8, 0.0), (None, 0.5), (4, 0.8), (1, 0.5), (3, 0.0)])
def test_what_is_packed_is_what_is_unpacked(bits, prune, tmp_path):
    p = seq2seq.init(CONFIG, 2)
    small, arrays, description = compression.shrink(p, bits, "channel", prune)
    checkpoint.save_compressed(tmp_path / "w.safetensors", arrays, description, CONFIG)
    read = checkpoint.load_weights(tmp_path / "w.safetensors", CONFIG)
    for (name, a), (_, b) in zip(tree.named(small), tree.named(read)):
        assert a.dtype == b.dtype == "float32" and np.array_equal(a, b), name
    assert pruning.share_of_zeros(read) >= prune - 0.01
    assert compression.size(arrays) < compression.size(dict(tree.named(p)))
    if bits == 8:
        assert max(np.abs(a - b).max() for a, b in zip(tree.leaves(p), tree.leaves(read))) < 0.01


def test_a_packed_file_that_lacks_a_part_is_refused(tmp_path):
    _, arrays, description = compression.shrink(seq2seq.init(CONFIG), 4, "channel", 0.5)
    name = "encoder.embedding"
    for change, words in (({f"{name}:scale": None}, "its scales are missing"),
                          ({f"{name}:mask": arrays[f"{name}:mask"][1:]}, "its mask has"),
                          ({name: arrays[name][1:]}, "entries, wanted"),
                          ({name: None}, "encoder.embedding is missing")):
        broken = {key: a for key, a in {**arrays, **change}.items() if a is not None}
        checkpoint.save_compressed(tmp_path / "w.safetensors", broken, description, CONFIG)
        with pytest.raises(ValueError, match=words):
            checkpoint.load_weights(tmp_path / "w.safetensors", CONFIG)


@pytest.mark.parametrize("options, error, words", [
    (dict(bits=9), ValueError, "bits"), (dict(bits=0), ValueError, "bits"), (dict(bits=2.5), TypeError, "bits"),
    (dict(bits=8, per="row"), ValueError, "per='row'"), (dict(prune=1.0), ValueError, "prune=1.0"),
    (dict(prune="half"), TypeError, "prune='half'"), (dict(prune=0.5, scheme="best"), ValueError, "scheme='best'")])
def test_what_cannot_be_is_refused(options, error, words):
    with pytest.raises(error, match=words):
        compression.shrink(seq2seq.init(CONFIG), **options)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_distillation_loss(share):
    unit = Unit({"(KD2)": "", "(KD2*)": "logits"}, lambda: distilled(share))
    against_oracle(unit, "(KD2)")
    by_complex_step(unit, "(KD2*)")


def test_distillation_without_a_teachers_part_is_cross_entropy_and_a_student_like_the_teacher_has_no_gradient():
    case = distilled(0.0)
    from equations.compression import IDS, MASK, TEACHER
    z = case.inputs.logits
    want = loss.forward(z, IDS, MASK)[0]
    assert distillation.forward(z, IDS, MASK, TEACHER, 0.0)[0] == pytest.approx(want, abs=1e-14)
    _, k = distillation.forward(TEACHER, IDS, MASK, TEACHER, 1.0)
    assert np.abs(distillation.backward(k)).max() < 1e-15
    assert UNITS["(KD2)"] is UNITS["(KD2*)"]
