"""The copying readout by itself: against the oracle, and by complex step with a random number for every log p."""
import numpy as np

from draw import close, like, normal, read_only, same
from minis2s.core.gradient_check import assert_gradients
from minis2s.layers import copying, linear
from minis2s.testing import oracle

V, S, N, R = 6, 2, 3, 4
IDS = np.array([[4, 7, 0], [6, 5, 7], [6, 4, 6], [7, 0, 0]])       # words stand twice; 6 and 7 are outside V


def case():
    rng = np.random.default_rng(0)
    alpha = rng.random((S, len(IDS), N)) + 0.1
    p = like(rng, linear.Params(np.zeros((R, 1)), np.zeros(1)))
    return read_only((p, normal(rng, S, N, R), normal(rng, S, N, V), alpha / alpha.sum(axis=1, keepdims=True)))


def test_forward_is_the_oracles():
    """(CP1) (CP2) (CP3)"""
    p, r, logits, alpha = case()
    log_p, _ = copying.forward(p, r, logits, alpha, IDS)
    for t, n in np.ndindex(S, N):
        c = oracle.copies(alpha[t, :, n].tolist(), IDS[:, n].tolist(), V + 2)
        gate = oracle.copy_gate(p.W.tolist(), p.b.tolist(), r[t, n].tolist())
        close(np.exp(log_p[t, n]), np.exp(oracle.mixed(logits[t, n].tolist(), c, gate)))


def test_gradients():
    """(CP1*) (CP2*) (CP3*)"""
    v = case()
    log_p, k = copying.forward(*v, IDS)
    said = np.isfinite(log_p)                                   # not the words of other sources
    dlog_p = np.where(said, np.random.default_rng(1).normal(size=log_p.shape), 0)
    dr, dlogits, dalpha, dp = copying.backward(v[0], read_only(k), read_only(dlog_p))
    assert said.sum() == S * (N * V + 5)
    assert_gradients(lambda v: (dlog_p[said] * copying.forward(*v, IDS)[0][said]).sum(), v, (dp, dr, dlogits, dalpha),
                     1e-12)
    same(copying.backward(v[0], k, dlog_p), (dr, dlogits, dalpha, dp))
