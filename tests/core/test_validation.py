"""Public doors refuse what they cannot compute with: each check alone, and where it stands."""
import numpy as np
import pytest

from configs import CONFIGS
from draw import batch, like, read_only
from minis2s import decoding
from minis2s.core import validation
from minis2s.model import dropout_masks, seq2seq

FLOATS, BOOLS, IDS = np.ones((2, 3)), np.ones((2, 3), bool), np.full((2, 3), 4)


def test_what_is_right_passes():
    validation.array("a", FLOATS, (2, "N"))
    validation.array("a", FLOATS + 0j, ("T", 3))
    validation.array("a", IDS, (2, 3), "iu")
    validation.ids("a", IDS, 5)
    validation.mask("a", np.array([[True, True], [True, False], [False, False]]), (3, 2))
    validation.whole("a", np.int64(3), 3, 3)
    validation.whole("a", 0, 0)


@pytest.mark.parametrize("a, shape, kinds, error, message", [
    ([1.0], ("N",), "f", TypeError, "a: got list, wanted an array"),
    (IDS, (2, 3), "fc", TypeError, "a: got dtype int64, wanted floating or complex numbers"),
    (FLOATS, (2, 4), "f", ValueError, r"a: got shape \(2, 3\), wanted \(2, 4\)"),
    (FLOATS, ("T", "N", 3), "f", ValueError, r"a: got shape \(2, 3\), wanted \(T, N, 3\)"),
    (FLOATS[:0], ("T", "N"), "f", ValueError, r"a: got shape \(0, 3\), wanted \(T, N\)"),
    (np.array([[1.0, 2], [3, np.nan]]), (2, 2), "f", ValueError, r"a: entry \(1, 1\) is nan, wanted finite"),
    (np.array([1, np.inf]), (2,), "f", ValueError, r"a: entry \(1,\) is inf"),
])
def test_arrays(a, shape, kinds, error, message):
    with pytest.raises(error, match=message):
        validation.array("a", a, shape, kinds)


@pytest.mark.parametrize("token", [-1, 5])
def test_ids_outside_the_vocabulary(token):
    with pytest.raises(ValueError, match="a: got ids from .*, wanted 0 .. 4"):
        validation.ids("a", np.array([[0, token]]), 5)


def test_small_negative_numbers_are_no_ids_of_a_large_vocabulary():
    """Seen as bits without a sign, -100 would be 156."""
    with pytest.raises(ValueError, match="a: got ids from -100 to 7, wanted 0 .. 199"):
        validation.ids("a", np.array([[7, -100]], "int8"), 200)


@pytest.mark.parametrize("m", [[[True, False]], [[True], [False], [True]]])
def test_masks_with_padding_before_the_end(m):
    with pytest.raises(ValueError, match="a: wanted in every column a real step"):
        validation.mask("a", np.array(m), np.shape(m))


@pytest.mark.parametrize("value, error",
                         [(0, ValueError), (9, ValueError), (2.0, TypeError), (True, TypeError),
                          ("2", TypeError), (None, TypeError)])
def test_whole_numbers(value, error):
    with pytest.raises(error, match=r"a: got .*, wanted a whole number, 1 \.\. 8"):
        validation.whole("a", value, 1, 8)
    with pytest.raises((ValueError, TypeError), match="wanted a whole number, 1 or more"):
        validation.whole("a", -3, 1)


@pytest.mark.parametrize("value, error", [(-0.1, ValueError), (float("nan"), ValueError), (float("inf"), ValueError),
                                          (True, TypeError), ("2", TypeError), (None, TypeError), (1j, TypeError)])
def test_real_numbers(value, error):
    with pytest.raises(error, match="a: got .*, wanted a share"):
        validation.real("a", value, lambda x: x >= 0, "a share")
    for good in (0, 0.5, np.float32(2), np.int8(1)):
        validation.real("a", good, lambda x: x >= 0, "a share")


# Where they stand ----------------------------------------------------------------------------------------

C = CONFIGS["dropout"]
RNG = np.random.default_rng(0)
P, B = read_only(like(RNG, seq2seq.init(C))), read_only(batch(RNG, C))
DROPS = dropout_masks.draw(RNG, C, 3)


def other(a, at, value):
    a = a.copy()
    a[at] = value
    return a


BAD = {
    "source of floats": (dict(source=B.source.astype(float)), TypeError, "source: got dtype float64"),
    "source of lists": (dict(source=B.source.tolist()), TypeError, "source: got list"),
    "source with NaN": (dict(source=np.full(B.source.shape, np.nan)), TypeError, "source: got dtype float64"),
    "source in three axes": (dict(source=B.source[None]), ValueError, "source: got shape"),
    "source outside": (dict(source=other(B.source, (0, 0), C.source_vocab)), ValueError, "source: got ids"),
    "source negative": (dict(source=other(B.source, (0, 0), -1)), ValueError, "source: got ids from -1"),
    "mask of whole numbers": (dict(source_mask=B.source_mask.astype(int)), TypeError,
                              "source_mask: got dtype"),
    "mask of another shape": (dict(source_mask=B.source_mask[1:]), ValueError, "source_mask: got shape"),
    "empty source": (dict(source_mask=other(B.source_mask, (0, 1), False)), ValueError,
                     "source_mask: wanted"),
    "padding in front": (dict(source_mask=B.source_mask[::-1]), ValueError, "source_mask: wanted"),
    "another N": (dict(inputs=B.inputs[:, 1:]), ValueError, r"inputs: got shape .*wanted \(S, 3\)"),
    "inputs outside": (dict(inputs=other(B.inputs, (0, 0), C.target_vocab)), ValueError, "inputs: got ids"),
    "targets of another shape": (dict(targets=B.targets[1:]), ValueError, "targets: got shape"),
    "targets negative": (dict(targets=other(B.targets, (1, 1), -3)), ValueError, "targets: got ids from -3"),
    "one-hot NaN": (dict(targets=np.full((*B.targets.shape, C.target_vocab), np.nan)), ValueError,
                    "targets: entry"),
    "one-hot V": (dict(targets=np.eye(3)[B.targets % 3]), ValueError, "targets: got shape"),
    "target mask": (dict(target_mask=B.target_mask * 1.0), TypeError, "target_mask: got dtype float64"),
    "no target": (dict(target_mask=B.target_mask & False), ValueError, "target_mask: wanted"),
}


@pytest.mark.parametrize("change, error, message", BAD.values(), ids=BAD)
def test_a_bad_batch(change, error, message):
    with pytest.raises(error, match=message):
        seq2seq.forward(P, C, B._replace(**change), masks=DROPS)


def test_bad_coins_and_drops():
    for teacher, error in ((np.ones(B.inputs.shape), TypeError), (np.ones((1, 3), bool), ValueError)):
        with pytest.raises(error, match="teacher_mask: got"):
            seq2seq.forward(P, C, B, teacher, DROPS)
    for m, message in ((DROPS.output * np.nan, "entry"), (DROPS.output[1:], "got shape")):
        with pytest.raises(ValueError, match=f"masks.output: {message}"):
            seq2seq.forward(P, C, B, masks=DROPS._replace(output=m))


def test_bad_sources_of_encode_and_seeds():
    with pytest.raises(ValueError, match="source: got ids"):
        seq2seq.encode(P, C, B.source + 9, B.source_mask)
    with pytest.raises(ValueError, match="source_mask: got shape"):
        seq2seq.encode(P, C, B.source, B.source_mask[1:])
    for seed in (-1, 1.5):
        with pytest.raises((ValueError, TypeError), match="seed: got"):
            seq2seq.init(C, seed)


SEARCHES = {"greedy": (), "beam": (2,), "sample": (np.random.default_rng(0),), "exact": ()}


@pytest.mark.parametrize("name", SEARCHES)
def test_searches_refuse_bad_sources(name):
    def find(source=B.source, mask=B.source_mask):
        return getattr(decoding, name)(P, C, source, mask, 3, *SEARCHES[name])
    assert len(find()) == 3
    for bad in (dict(source=B.source * 1.0), dict(source=B.source + 9), dict(source=B.source[0]),
                dict(mask=B.source_mask * 1), dict(mask=B.source_mask[1:]), dict(mask=B.source_mask[::-1])):
        with pytest.raises((ValueError, TypeError), match="^(source|mask): "):
            find(**bad)
