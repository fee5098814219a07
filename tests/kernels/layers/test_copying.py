"""The compiled readout that copies, and the same together with its loss, against copying.py, linear.py and loss.py."""
import numpy as np
import pytest
from hypothesis import given, strategies as st

from draw import normal, same, words
from kernel_layers import BOUND, close, guarded, unchanged
from minis2s.core import tree
from minis2s.kernels.layers import copying as kernels, readout, readout_copying
from minis2s.kernels.linalg import gemm
from minis2s.kernels.runtime import jit
from minis2s.layers import copying, linear, loss


class Case:
    """Sources of T words, half of them in no vocabulary, which some attention weights pass over; targets of S words."""

    def __init__(self, S, N, T, R, V, dtype="float64", seed=0):
        rng = np.random.default_rng(seed)
        lengths = rng.integers(1, T + 1, N)
        lengths[0] = T
        self.ids, self.targets = np.zeros((T, N), int), np.zeros((S, N), int)
        for n in range(N):
            source, target = words(rng, V, lengths[n], S)
            self.ids[:lengths[n], n], self.targets[:, n] = source, target
        self.mask = np.arange(S)[:, None] < rng.integers(0, S + 1, N)
        self.mask[:, 0] = True
        alpha = rng.random((S, T, N)) * (np.arange(T)[:, None] < lengths) + 1e-300
        p, gate = (linear.Params(normal(rng, R, size), normal(rng, size)) for size in (V, 1))
        arrays = (p, gate, normal(rng, S, N, R, scale=2), normal(rng, S, N, V, scale=3),
                  alpha / alpha.sum(axis=1, keepdims=True))
        self.p, self.gate, self.r, self.logits, self.alpha = guarded(tree.map(lambda a: a.astype(dtype), arrays))
        self.dtype = dtype

    def check_layer(self):
        """Every field of the cache, and every gradient."""
        given = self.gate, self.r, self.logits, self.alpha, self.ids
        with unchanged(given):
            (log_p, k), (want, k_want) = (f(*given) for f in (kernels.forward, copying.forward))
        np.testing.assert_array_equal(np.isneginf(log_p), np.isneginf(want))
        said = np.isfinite(want)
        close((np.where(said, log_p, 0), k._replace(log_p=np.where(said, k.log_p, 0), ids=None)),
              (np.where(said, want, 0), k_want._replace(log_p=np.where(said, want, 0), ids=None)), self.dtype)
        d = normal(np.random.default_rng(1), *want.shape).astype(self.dtype)
        with unchanged(k, d):
            close(kernels.backward(self.gate, k, d), copying.backward(self.gate, k_want, d), self.dtype)

    def given(self):
        return self.p, self.gate, self.r, self.alpha, self.ids, self.targets, self.mask

    def check_loss(self):
        with unchanged(self.given()):
            (L, *got), (L_want, *want) = (f(*self.given()) for f in (readout_copying.loss_and_gradient, reference))
        got[1], want[1] = self.of_scores(got[1]), self.of_scores(want[1])
        assert isinstance(L, float)
        close((np.asarray([L], self.dtype), *got), (np.asarray([L_want], self.dtype), *want), self.dtype)

    def of_scores(self, dalpha):
        """dalpha (S, T, N) as (A1*) hands it on: what is added to all entries of a column makes no difference."""
        return self.alpha * (dalpha - (self.alpha * dalpha).sum(axis=1, keepdims=True))


def reference(p, gate, r, alpha, ids, targets, mask):
    """What it must give: (Y1), (CP1)..(CP3), (X1)..(X3), and the way back."""
    logits = linear.forward(p, r)
    log_p, k_copy = copying.forward(gate, r, logits, alpha, ids)
    L, k = loss.forward(log_p, targets, mask)
    dr, dlogits, dalpha, g_gate = copying.backward(gate, k_copy, loss.backward(k))
    dr_readout, g = linear.backward(p, r, dlogits)
    return L, dr + dr_readout, dalpha, g, g_gate


SIZES = ((1, 1, 1, 1, 5), (2, 3, 4, 5, 16), (3, 2, 17, 20, 33), (1, 5, 9, 3, 6))


@pytest.mark.parametrize("dtype", BOUND)
@pytest.mark.parametrize("size", SIZES)
def test_the_layer_is_that_of_the_page(size, dtype):
    Case(*size, dtype).check_layer()


@pytest.mark.parametrize("dtype", BOUND)
def test_readout_and_loss_are_those_of_the_pages(dtype):
    """Rows up to, and beyond, those made at a time and those summed at a time."""
    made, summed = readout.ROWS, gemm.DEPTH
    for S, N, T, R, V in (*SIZES, (1, made + 1, 3, 4, 9), (2, summed // 2, 2, 3, 7), (3, summed // 3 + 5, 3, 4, 18)):
        Case(S, N, T, R, V, dtype).check_loss()


@given(S=st.integers(1, 5), N=st.integers(1, 9), T=st.integers(1, 20), R=st.integers(1, 20), V=st.integers(5, 60),
       dtype=st.sampled_from(list(BOUND)), seed=st.integers(0, 99))
def test_any_size(S, N, T, R, V, dtype, seed):
    case = Case(S, N, T, R, V, dtype, seed)
    case.check_layer()
    case.check_loss()


@pytest.mark.parametrize("size", [30.0, 800.0, -30.0, -800.0])
def test_a_gate_that_is_shut_or_wide_open(size):
    """Logarithms are added: what is as improbable as e^-800 still has one, and its gradient; the readable path's loss
    is that of log p, too."""
    case = Case(3, 4, 5, 6, 20)
    case.gate = case.gate._replace(W=0 * case.gate.W, b=np.full(1, size))
    case.check_layer()
    if size > -100:
        case.check_loss()
    L, *gradients = readout_copying.loss_and_gradient(*case.given())
    assert np.isfinite(L) and all(np.isfinite(a).all() for a in tree.leaves(tuple(gradients)))


def test_a_word_that_the_weights_give_nothing_cannot_be_said():
    """p_y = 0: an infinite loss, and no NaN in a gradient."""
    case = Case(1, 1, 2, 3, 5)
    case.ids, case.targets, case.mask = np.array([[4], [5]]), np.array([[5]]), np.array([[True]])
    case.alpha = np.array([[[1.0], [0.0]]])
    with np.errstate(divide="ignore"):
        (L, *got), (L_want, *want) = (f(*case.given()) for f in (readout_copying.loss_and_gradient, reference))
    assert L == L_want == np.inf
    got[1], want[1] = case.of_scores(got[1]), case.of_scores(want[1])
    close(tuple(got), tuple(want), "float64")


def test_large_logits_of_one_sign():
    """Only the greatest logit is a safe shift, the last one as well as the first."""
    for V in (5, 16, 37):
        for v, size in ((0, 1e3), (V - 1, 1e3), (0, -1e3), (V - 1, -1e3)):
            case = Case(2, 3, 4, 4, V)
            b = np.full(V, size)
            b[v] += 100
            case.p, case.logits = case.p._replace(b=b), case.logits + b
            case.check_layer()
            case.check_loss()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("where", ["p", "gate", "r"])
def test_what_is_not_finite_makes_the_loss_not_finite(bad, where):
    case = Case(3, 4, 5, 6, 20)
    wrong = tree.map(np.array, getattr(case, where))
    tree.leaves(wrong)[-1].reshape(-1)[0] = bad
    setattr(case, where, wrong)
    with np.errstate(all="ignore"):
        L, *_ = readout_copying.loss_and_gradient(*case.given())
        want, *_ = reference(*case.given())
    assert np.isfinite(L) == np.isfinite(want)


def test_padding_says_nothing():
    """Whatever the padded rows read and want: the same loss and gradients of weights; their own are 0."""
    case = Case(6, 9, 5, 7, 20)
    L, dr, dalpha, *g = readout_copying.loss_and_gradient(*case.given())
    case.r, case.targets = np.where(case.mask[:, :, None], case.r, 7.0), np.where(case.mask, case.targets, 3)
    L2, dr2, dalpha2, *g2 = readout_copying.loss_and_gradient(*case.given())
    assert not case.mask.all() and L == L2
    assert not any(a[~case.mask].any() for a in (dr, dalpha.transpose(0, 2, 1), dr2, dalpha2.transpose(0, 2, 1)))
    close(tuple(g2), tuple(g), "float64")


def test_any_number_of_threads_gives_the_same_bits(use):
    case, results = Case(27, 20, 9, 21, 150, "float32"), []
    for count in (1, 1, 2, 3):
        use(count)
        L, *rest = readout_copying.loss_and_gradient(*case.given())
        log_p, k = kernels.forward(case.gate, case.r, case.logits, case.alpha, case.ids)
        back = kernels.backward(case.gate, k, np.exp(log_p))
        results.append((np.asarray([L], "float32"), *rest, log_p, k, back))
    for other in results[1:]:
        if jit.JIT:
            same(other, results[0])


@pytest.mark.parametrize("wrong, message", [
    (dict(ids=np.full((5, 4), 25)), "ids: got ids from 25 to 25, wanted 0 .. 24"),
    (dict(ids=np.zeros((4, 4), int)), r"ids: got shape \(4, 4\), wanted \(5, 4\)"),
    (dict(targets=np.full((3, 4), 25)), "targets: got ids from 25 to 25, wanted 0 .. 24"),
    (dict(alpha=np.zeros((3, 5, 3))), r"alpha: got shape \(3, 5, 3\), wanted \(3, 5, 4\)"),
    (dict(gate=linear.Params(np.zeros((6, 2)), np.zeros(1))), r"p.W: got shape \(6, 2\), wanted \(6, 1\)"),
])
def test_what_does_not_fit_is_refused(wrong, message):
    case = Case(3, 4, 5, 6, 20)
    for name, value in wrong.items():
        setattr(case, name, value)
    with pytest.raises(ValueError, match=f"^{message}$"):
        readout_copying.loss_and_gradient(*case.given())
    if "targets" not in wrong:
        with pytest.raises(ValueError, match=f"^{message}$"):
            kernels.forward(case.gate, case.r, case.logits, case.alpha, case.ids)
