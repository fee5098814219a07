"""The nn.Module against the hand-written model: logits, loss, all gradients by autograd, for each kind of Config."""
import numpy as np
import pytest

from configs import CONFIGS
from draw import batch as draw_batch, close, like

torch = pytest.importorskip("torch")
torch.set_num_threads(1)       # tiny products: more threads only wait for each other

from minis2s.core import tree  # noqa: E402
from minis2s.decoding import greedy  # noqa: E402
from minis2s.model import dropout_masks, seq2seq  # noqa: E402
from minis2s.pytorch import convert  # noqa: E402


class Case:
    """A Config with random parameters, batch, dropout masks and coins."""

    def __init__(self, config, seed=0, lengths=((5, 2, 4), (1, 3, 2))):
        rng, self.config = np.random.default_rng(seed), config
        self.p = like(rng, seq2seq.init(config), 0.6)
        self.batch = draw_batch(rng, config, *lengths)
        self.drops = dropout_masks.draw(rng, config, len(lengths[0]))
        self.coins = rng.random(self.batch.inputs.shape) < 0.5

    def ours(self, teacher=None):
        L, logits, k = seq2seq.forward(self.p, self.config, self.batch, teacher, self.drops)
        return np.array([L]), logits, seq2seq.backward(self.p, self.config, k)

    def theirs(self, teacher=None):
        module = convert.to_module(self.p, self.config)
        source, mask, inputs, targets, target_mask = convert.tensors(self.batch)
        logits = module(source, mask, inputs, convert.masks(self.drops),
                        None if teacher is None else torch.from_numpy(teacher))
        loss = module.loss(logits, targets, target_mask)
        loss.backward()
        return loss.detach().numpy()[None], logits.detach().numpy(), convert.gradients(module, self.config)


@pytest.mark.parametrize("name", CONFIGS)
def test_logits_loss_and_gradients_are_those_of_the_hand_written_model(name):
    case = Case(CONFIGS[name])
    for teacher in (None, case.coins):
        close(case.theirs(teacher), case.ours(teacher))


def random_config(rng):
    """A Config of random choices, drawn until they fit together."""
    from minis2s.model.config import CHOICES, Config
    names = ("cell", "bridge", "attention", "context", "attention_order", "fusion", "readout")
    while True:
        choices = {name: rng.choice(list(CHOICES[name])) for name in names}
        choices = {name: str(value) for name, value in choices.items() if rng.random() < 0.35}
        numbers = {name: int(rng.integers(low, high)) for name, low, high in (
            ("source_vocab", 5, 9), ("target_vocab", 5, 9), ("embedding", 1, 7), ("hidden", 1, 7), ("layers", 1, 3))}
        flags = {name: bool(rng.random() < 0.2)
                 for name in ("bidirectional", "input_feeding", "tied_cells", "tied_embedding",
                              "reverse_source")}
        shares = {name: float(rng.choice([0.0, 0.3])) for name in ("dropout", "label_smoothing")}
        try:
            return Config(**choices, **numbers, **flags, **shares, dtype="float64")
        except (ValueError, TypeError):
            continue


def test_two_hundred_random_configs():
    rng, worst, seen = np.random.default_rng(0), 0.0, set()
    for seed in range(200):
        case = Case(random_config(rng), seed)
        got, want = case.theirs(), case.ours()
        for (name, a), (_, b) in zip(tree.named(got), tree.named(want), strict=True):
            error = np.abs(a - b).max(initial=0.0) / np.abs(b).max(initial=1.0)
            assert error < 1e-12, (case.config, name, error)
            worst = max(worst, error)
        seen |= {case.config.cell, case.config.attention, case.config.bridge, case.config.fusion, case.config.context}
    assert 0 < worst < 1e-12                                   # something was compared
    assert len(seen) >= 17                                     # of all kinds


def test_parameters_go_there_and_back_without_loss():
    for name in ("everything", "two-ways-zeros", "tied-both", "dot-before"):
        config = CONFIGS[name]
        p = like(np.random.default_rng(1), seq2seq.init(config))
        module = convert.to_module(p, config)
        assert list(module.state_dict()) == [key for key, _ in tree.named(p)]        # the same names in the same order
        for (_, a), (_, b) in zip(tree.named(convert.to_params(module, config)), tree.named(p), strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_module_of_another_config_is_refused():
    module = convert.to_module(seq2seq.init(CONFIGS["zeros"]), CONFIGS["zeros"])
    with pytest.raises(ValueError, match="module: .* is missing"):
        convert.to_params(module, CONFIGS["three-layers"])


def test_greedy_answers_are_the_same():
    different = set()
    for seed, name in enumerate(("everything", "feeding-lstm-none", "every-step", "plain-gru-after",
                                 "two-ways-additive")):
        config, rng = CONFIGS[name], np.random.default_rng(seed)
        p = like(rng, seq2seq.init(config), 2.0)
        batch = draw_batch(rng, config, (5, 2, 4, 1), (1, 1, 1, 1))
        source, mask = convert.tensors(batch)[:2]
        found = convert.to_module(p, config).greedy(source, mask, 7)
        assert found == [best.ids for best, in greedy(p, config, batch.source, batch.source_mask, 7)], name
        different |= {tuple(ids) for ids in found}
    assert len(different) > 4                                  # answers of all kinds were compared


def test_two_parts_of_a_batch_divided_by_all_tokens_give_its_gradient():
    """What several processes add up: each its own examples, the sum divided by the tokens of all."""
    case = Case(CONFIGS["two-ways-additive"], lengths=((5, 2, 4, 3), (1, 3, 2, 4)))
    _, _, want = case.ours()
    module = convert.to_module(case.p, case.config)
    source, mask, inputs, targets, target_mask = convert.tensors(case.batch)
    for part in (slice(0, 1), slice(1, 4)):
        logits = module(source[:, part], mask[:, part], inputs[:, part])
        module.loss(logits, targets[:, part], target_mask[:, part], tokens=target_mask.sum()).backward()
    close(convert.gradients(module, case.config), want)
