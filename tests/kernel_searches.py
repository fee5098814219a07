"""Small models with random arrays to search in, and the comparison of two lists of answers."""
import dataclasses

import numpy as np

from configs import CONFIGS, COPYING, TRANSFORMERS
from draw import batch, like
from minis2s.core import tree
from minis2s.data.vocabulary import EOS
from minis2s.kernels.decoding.beam import beam
from minis2s.kernels.runtime import jit
from minis2s.model import parameters

ALL = {**CONFIGS, **{f"copying-{name}": config for name, config in COPYING.items()},
       **{f"transformer-{name}": config for name, config in TRANSFORMERS.items()}}
LENGTHS = (5, 2, 4, 1, 3)


def case(name, seed, dtype="float64", lengths=LENGTHS, spread=1.0, **choices):
    """-> what all searches take first.  Parameters are random; the bias towards an end grows with the seed."""
    config, rng = dataclasses.replace(ALL[name], dropout=0.0, dtype=dtype, **choices), np.random.default_rng(seed)
    p, b = like(rng, parameters.init(config), spread), batch(rng, config, lengths, (1,) * len(lengths))
    p.decoder.readout.b[EOS] += seed
    return tree.map(lambda a: a.astype(dtype), p), config, b.source, b.source_mask


def check(got, want, tol=1e-12):
    """The same answers, and the same numbers but for rounding."""
    for a, w in zip(got, want, strict=True):
        assert [(x.ids, x.finished, x.proven) for x in a] == [(x.ids, x.finished, x.proven) for x in w]
        for x, y in zip(a, w):
            assert type(x.log_prob) is type(x.score) is float and (x.alpha is None) == (y.alpha is None)
            np.testing.assert_allclose((x.log_prob, x.score), (y.log_prob, y.score), rtol=tol)
            if x.alpha is not None:
                assert x.alpha.shape == y.alpha.shape and x.alpha.dtype == y.alpha.dtype
                np.testing.assert_allclose(x.alpha, y.alpha, atol=tol)


def check_threads_and_order(name, use):
    """Any number of threads, and any order of the sources, give the same bits."""
    p, config, source, mask = case(name, 1, lengths=LENGTHS * 5)
    results, order = [], np.random.default_rng(0).permutation(len(mask[0]))
    for count in (1, 2, 3):
        use(count)
        results.append(beam(p, config, source, mask, 6, 3, 0.5, 2))
    back = np.argsort(order)
    turned = beam(p, config, source[:, order], mask[:, order], 6, 3, 0.5, 2)
    for other in (*results[1:], [turned[n] for n in back]):
        check(other, results[0], 0 if jit.JIT else 1e-12)       # BLAS does as it likes
