"""Training on PyTorch: the same steps as the hand-written model's, the same runs."""
from dataclasses import replace

import numpy as np
import pytest

from configs import CONFIGS
from draw import batch as draw_batch, close, like

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from minis2s import Config, Seq2Seq, Training  # noqa: E402
from minis2s.api.backends import choose  # noqa: E402
from minis2s.core import tree  # noqa: E402
from minis2s.layers.cells import gru  # noqa: E402
from minis2s.model import dropout_masks, seq2seq  # noqa: E402
from minis2s.pytorch import update as torch_update  # noqa: E402
from minis2s.pytorch.backend import arrays, derivatives  # noqa: E402
from minis2s.training import optimizers, update  # noqa: E402

TORCH = choose("torch")
PAIRS = [(x, x[::-1]) for x in ("ab", "bca", "cab", "c", "abca", "ba", "bb", "cc")]


def case(name, seed=0):
    """Random parameters, ragged batch, dropout masks and coins of a Config."""
    rng, config = np.random.default_rng(seed), CONFIGS[name]
    p = like(rng, seq2seq.init(config), 0.6)
    batch = draw_batch(rng, config, (5, 2, 4), (1, 3, 2))
    return p, config, batch, rng.random(batch.inputs.shape) < 0.5, dropout_masks.draw(rng, config, 3)


@pytest.mark.parametrize("name", ("everything", "tied-both", "dot-before"))
def test_forward_backward_and_logits(name):
    p, config, batch, coins, masks = case(name)
    L, logits, k = TORCH.forward(p, config, batch, coins, masks)
    L_, logits_, k_ = seq2seq.forward(p, config, batch, coins, masks)
    g = seq2seq.backward(p, config, k_)
    close((np.array([L]), logits, TORCH.backward(p, config, k), TORCH.backward(p, config, k)),
          (np.array([L_]), logits_, g, g))
    close(TORCH.logits(p, config, batch, coins), seq2seq.logits(p, config, batch, coins))
    close(TORCH.loss_and_gradient(p, config, batch)[1], seq2seq.loss_and_gradient(p, config, batch)[1])


@pytest.mark.parametrize("optimizer, options", [("sgd", {}), ("sgd", {"momentum": 0.9}), ("rmsprop", {}), ("adam", {})])
@pytest.mark.parametrize("limit, value", [(None, None), (0.1, None), (1e9, 0.02)])
def test_updates_are_those_of_the_hand_written_optimizers(optimizer, options, limit, value):
    """Three steps, so that moments are used, and tensors go in where arrays went in first."""
    p, config, batch, coins, masks = case("everything")
    q, s, t = p, optimizers.start(p), optimizers.start(p)
    for step in range(3):
        rest = optimizer, 0.1 / (step + 1), limit, value
        L, p, s, size, finite = update.loss_and_update(p, config, batch, coins, masks, s, *rest, **options)
        L_, q, t, size_, finite_ = TORCH.loss_and_update(q, config, batch, coins, masks, t, *rest, **options)
        close((np.array([L_, size_]), arrays(q), arrays(t)[1:]), (np.array([L, size]), p, s[1:]))
        assert finite and finite_ and t.t == step + 1


def test_what_is_not_finite_is_said():
    p, config, batch, *_ = case("everything")
    finite = TORCH.loss_and_update(p, config, batch, None, None, optimizers.start(p), "sgd", float("inf"))[-1]
    assert finite is False


def test_one_parameter_that_is_not_finite_is_enough():
    p = gru.Params(*(torch.ones(2, 3, dtype=torch.float64) for _ in gru.Params._fields))
    q = p._replace(U=torch.tensor([[1.0, torch.nan, 1.0], [1.0, 1.0, 1.0]], dtype=torch.float64))
    for params, finite in ((p, True), (q, False)):
        assert bool(torch_update.step(params, p, optimizers.start(p), "sgd", 0.1)[-1]) is finite


def test_a_parameter_that_the_loss_does_not_depend_on_has_a_gradient_of_zeros():
    used, unused = (torch.ones(2, requires_grad=True) for _ in range(2))
    found = derivatives((3 * used).sum(), {"used": used, "unused": unused})
    assert found["used"].tolist() == [3, 3] and found["unused"].tolist() == [0, 0]


@pytest.mark.parametrize("name", ("everything", "dot-before", "frames"))
def test_in_float32_losses_logits_and_gradients_agree_to_its_precision(name):
    p, config, batch, coins, masks = case(name)
    p, config = tree.map(lambda a: a.astype("float32"), p), replace(config, dtype="float32", dropout=0.0)
    if config.source == "frames":
        batch = batch._replace(source=batch.source.astype("float32"))
    L, logits, k = TORCH.forward(p, config, batch)
    L_, logits_, k_ = seq2seq.forward(p, config, batch)
    assert logits.dtype == np.float32
    close((np.array([L]), logits, TORCH.backward(p, config, k)),
          (np.array([L_]), logits_, seq2seq.backward(p, config, k_)), 1e-5)


def test_a_run_begun_on_one_backend_goes_on_on_another(tmp_path):
    """And its weights are those of NumPy's run, up to rounding; the searches answer alike."""
    config, training = Config(hidden=8, embedding=5, attention="dot", dropout=0.2,
                              dtype="float64"), Training(epochs=4, batch=3)
    models = {}
    for first, then in (("torch", "torch"), ("torch", "numpy"), ("numpy", "torch"), ("numpy", "numpy")):
        out = tmp_path / f"{first}-{then}"
        for backend, epochs in ((first, 2), (then, 4)):
            model = Seq2Seq(config, backend=backend)
            model.fit(PAIRS, PAIRS[:3], training=replace(training, epochs=epochs), out=out,
                      resume=backend is then and epochs == 4, progress=False)
        assert all(isinstance(a, np.ndarray) for _, a in tree.named(model.params))
        models[first, then] = Seq2Seq.load(out)
    want = models.pop(("numpy", "numpy"))
    for model in models.values():
        close(model.params, want.params)
        assert model.translate(["ab", "cb"]) == want.translate(["ab", "cb"])


def test_amp_trains_and_keeps_parameters_in_the_precision_of_the_config():
    model = Seq2Seq(Config(hidden=16, attention="dot"), backend="torch:cpu+amp")
    model.fit(PAIRS, PAIRS, training=Training(epochs=60, batch=4, lr=0.01), progress=False)
    assert {a.dtype for _, a in tree.named(model.params)} == {np.dtype("float32")}
    assert model.records[-1]["valid_loss_teacher_forced"] < 0.5 * model.records[0]["valid_loss_teacher_forced"]
    assert "bfloat16" in choose("torch:cpu+amp").description()


@pytest.mark.parametrize("name", ["torch:nowhere", "torch:cuda:77"])
def test_a_device_that_is_not_there(name):
    with pytest.raises(ValueError, match="PyTorch has no such device"):
        choose(name)
