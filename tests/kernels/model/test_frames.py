"""A source of frames in the compiled implementation, against the reference implementation."""
import numpy as np
import pytest

from draw import normal
from kernel_layers import close
from kernel_models import Case, in_one
from minis2s.decoding import beam
from minis2s.kernels.decoding import beam as compiled_beam
from minis2s.kernels.layers import frame_input as kernels
from minis2s.kernels.model import seq2seq as compiled
from minis2s.layers import frame_input
from minis2s.model import seq2seq


@pytest.mark.parametrize("T, N, F, E", [(5, 3, 7, 4), (1, 1, 1, 1), (4, 2, 33, 19)])
def test_the_layer(T, N, F, E):
    """More numbers than a vector has, and fewer; one step of one number."""
    rng = np.random.default_rng(T)
    p = frame_input.Params(normal(rng, F, E), normal(rng, E))
    fs, dxs = normal(rng, T, N, F), normal(rng, T, N, E)
    close((kernels.forward(p, fs),), (frame_input.forward(p, fs),), "float64")
    close(kernels.backward(p, fs, dxs), frame_input.backward(p, fs, dxs)[1], "float64")


def test_the_model_in_one_call_and_its_search():
    case = Case("frames", "float64")
    close(in_one(case, compiled), in_one(case, seq2seq), "float64")
    given = case.p, case.config, case.batch, case.coins
    close((compiled.logits(*given),), (seq2seq.logits(*given),), "float64")
    asked = case.p, case.config, case.batch.source, case.batch.source_mask, 4, 2, 1.0, 2
    for got, want in zip(compiled_beam.beam(*asked), beam(*asked)):
        assert [a.ids for a in got] == [a.ids for a in want]
        close(tuple(np.array(a.log_prob) for a in got), tuple(np.array(a.log_prob) for a in want), "float64")
        close(tuple(a.alpha for a in got), tuple(a.alpha for a in want), "float64")


def test_the_model_in_parts():
    """A compiled call for each part, as `forward` and `backward` are."""
    case = Case("frames", "float64")

    def in_parts(model):
        _, logits, k = model.forward(case.p, case.config, case.batch, None, case.drops)
        return logits, tuple(model.backward(case.p, case.config, k))
    close(in_parts(compiled), in_parts(seq2seq), "float64")


def test_what_does_not_fit_is_refused():
    rng = np.random.default_rng(0)
    p = frame_input.Params(normal(rng, 3, 2), normal(rng, 2))
    with pytest.raises(ValueError, match=r"^fs: got shape \(4, 1, 2\), wanted \(4, 1, 3\)$"):
        kernels.forward(p, normal(rng, 4, 1, 2))
    with pytest.raises(TypeError, match="^fs: got dtype float32, wanted float64$"):
        kernels.forward(p, np.zeros((4, 1, 3), "float32"))
    case = Case("frames", "float64")
    with pytest.raises(ValueError, match="^source: got steps of 5 numbers, wanted 6 .frame_size=3, stack=2.$"):
        compiled.loss_and_gradient(case.p, case.config, case.batch._replace(source=case.batch.source[:, :, :5]))
    with pytest.raises(ValueError, match="^source: entry .* is nan, wanted finite numbers$"):
        compiled.loss_and_gradient(case.p, case.config, case.batch._replace(source=case.batch.source * np.nan))
