"""The Transformer's nn.Module against the hand-written one: logits, loss and every gradient, and training with it."""
import numpy as np
import pytest

from configs import TRANSFORMERS
from draw import batch as draw_batch, close, like

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from minis2s.api.backends import choose  # noqa: E402
from minis2s.model import transformer, transformer_masks  # noqa: E402
from minis2s.pytorch.backend import arrays  # noqa: E402
from minis2s.training import optimizers, update  # noqa: E402

TORCH = choose("torch")


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_logits_loss_gradients_and_a_step_are_those_of_the_hand_written_model(name):
    rng, config = np.random.default_rng(0), TRANSFORMERS[name]
    p, batch = like(rng, transformer.init_float64(rng, config)), draw_batch(rng, config)
    masks = transformer_masks.draw(rng, config, len(batch.source), *batch.inputs.shape)
    for teacher in (None, rng.random(batch.inputs.shape) < 0.5):
        L, logits, k = transformer.forward(p, config, batch, teacher, masks)
        L_, logits_, k_ = TORCH.forward(p, config, batch, teacher, masks)
        close((np.array([L_]), logits_, TORCH.backward(p, config, k_)),
              (np.array([L]), logits, transformer.backward(p, config, k)))
        rest = (batch, teacher, masks, optimizers.start(p), "sgd", 0.1, 1.0)
        close(arrays(TORCH.loss_and_update(p, config, *rest)[1]), update.loss_and_update(p, config, *rest)[1])
