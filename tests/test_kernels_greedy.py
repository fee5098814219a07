"""The twin of greedy search gives the page's answers."""
import dataclasses

import numpy as np
import pytest
from configs import CONFIGS
from draw import batch, like

from minis2s import search, seq2seq, tree
from minis2s.kernels import jit
from minis2s.kernels.search.greedy import greedy

NAMES = ("two-ways-additive", "everything") if jit.JIT else tuple(CONFIGS)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("max_length", [1, 2, 9])
def test_the_answers_are_the_pages(name, max_length):
    config = dataclasses.replace(CONFIGS[name], dropout=0.0)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        p, b = like(rng, seq2seq.init(config)), batch(rng, config, (5, 2, 4, 1, 3), (1, 1, 1, 1, 1))
        p.decoder.readout.b[2] += seed                          # some end early
        got, want = (f(p, config, b.source, b.source_mask, max_length) for f in (greedy, search.greedy))
        for (a,), (w,) in zip(got, want, strict=True):
            assert (a.ids, a.finished) == (w.ids, w.finished)
            np.testing.assert_allclose((a.log_prob, a.score), (w.log_prob, w.score), rtol=1e-11)
            assert (a.alpha is None) == (w.alpha is None)
            if a.alpha is not None:
                np.testing.assert_allclose(a.alpha, w.alpha, atol=1e-12)


def test_nan_and_bad_arguments_are_refused_as_by_the_page():
    config = CONFIGS["two-ways-additive"]
    p, b = seq2seq.init(config), batch(np.random.default_rng(0), config)
    bad = tree.map(lambda a: a * np.nan, p)
    with pytest.raises(ValueError, match="hold NaN"):
        greedy(bad, config, b.source, b.source_mask, 4)
    with pytest.raises(ValueError, match="max_length: 0"):
        greedy(p, config, b.source, b.source_mask, 0)
