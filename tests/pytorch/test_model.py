"""The nn.Module against the hand-written model: logits, loss, all gradients by autograd, for each kind of Config."""
import numpy as np
import pytest

from configs import CONFIGS
from draw import batch as draw_batch, close, like
from random_configs import random_config

torch = pytest.importorskip("torch")
torch.set_num_threads(1)       # tiny products: more threads only wait for each other

from minis2s.core import tree  # noqa: E402
from minis2s.data.vocabulary import EOS  # noqa: E402
from minis2s.decoding import greedy  # noqa: E402
from minis2s.layers.cells import BUILT_IN  # noqa: E402
from minis2s.model import architectures, parameters, seq2seq  # noqa: E402
from minis2s.pytorch import convert  # noqa: E402
from minis2s.pytorch.model import five_names  # noqa: E402

KINDS = {"architecture": ("recurrent", "transformer"), "source": ("tokens", "frames"), "cell": BUILT_IN,
         "attention": ("none", "dot", "scaled", "general", "additive", "concat-dot"),
         "bridge": ("copy", "dense", "zeros"), "context": ("init", "every-step", "attention"),
         "attention_order": ("before", "after"), "fusion": ("none", "concat", "sum", "sigmoid", "tanh"),
         "readout": ("state", "state-context"), "norm": ("pre", "post"), "positions": ("sinusoidal", "learned"),
         **dict.fromkeys(("bidirectional", "input_feeding", "tied_cells", "tied_embedding", "residual"), (True, False))}


class Case:
    """A Config with random parameters, batch, dropout masks and coins."""

    def __init__(self, config, seed=0, lengths=((5, 2, 4), (1, 3, 2))):
        rng, self.config = np.random.default_rng(seed), config
        self.p = like(rng, parameters.init(config), 0.6)
        self.batch = draw_batch(rng, config, *lengths)
        self.drops = architectures.of(config).draw_masks(rng, config, self.batch)
        self.coins = rng.random(self.batch.inputs.shape) < 0.5

    def ours(self, teacher=None):
        L, logits, k = architectures.forward(self.p, self.config, self.batch, teacher, self.drops)
        return np.array([L]), logits, architectures.backward(self.p, self.config, k)

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


def relative(a, b):
    """The largest difference of two trees as a share of the largest number in them."""
    pairs = [*zip((a for _, a in tree.named(a)), (b for _, b in tree.named(b)), strict=True)]
    return max(np.abs(a - b).max(initial=0.0) for a, b in pairs) / max(np.abs(b).max(initial=0.0) for _, b in pairs)


def test_random_configs_of_all_kinds():
    """At least 200 that have a module, and those that copy are refused; `pytest -s` shows the largest difference."""
    rng, worst, seen, count, refused = np.random.default_rng(0), 0.0, set(), 0, 0
    while count < 220:
        config = random_config(rng)
        if config.readout == "copy":
            with pytest.raises(ValueError, match="^readout=copy: wanted a model with a PyTorch module"):
                convert.new_module(config)
            refused += 1
            continue
        case = Case(config, count)
        teacher = case.coins if count % 3 == 0 else None
        got, want = case.theirs(teacher), case.ours(teacher)
        for part, (a, b) in zip(("loss", "logits", "gradient"), zip(got, want)):
            error = relative(a, b)
            assert error < 1e-12, (config, part, error)
            worst = max(worst, error)
        seen |= {(name, getattr(config, name)) for name in KINDS}
        count += 1
    print(f"\n{count} random Configs, {refused} that copy refused: the largest difference is {worst:.1e} of the "
          f"largest number of loss, logits, or gradient")
    assert 0 < worst < 1e-12 and refused                       # something was compared
    wanted = {(name, value) for name in KINDS for value in KINDS[name]}
    assert wanted <= seen, wanted - seen                       # of all kinds


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
    for seed, name in enumerate(("everything", "feeding-lstm-none", "feeding-tanh-after", "every-step",
                                 "plain-gru-after", "two-ways-additive")):
        config, rng = CONFIGS[name], np.random.default_rng(seed)
        p = like(rng, seq2seq.init(config), 2.0)
        p.decoder.readout.b[EOS] -= 4                          # no end at once
        batch = draw_batch(rng, config, (5, 2, 4, 1), (1, 1, 1, 1))
        source, mask = convert.tensors(batch)[:2]
        found = convert.to_module(p, config).greedy(source, mask, 7)
        assert found == [best.ids for best, in greedy(p, config, batch.source, batch.source_mask, 7)], name
        different |= {tuple(ids) for ids in found}
    assert len(different) > 8 and max(map(len, different)) == 7       # answers of all kinds were compared


def test_names_of_cells_in_older_runs():
    for known, name in (({"cell": "rnn", "activation": "sigmoid"}, "rnn-sigmoid"), ({"cell": "rnn"}, "rnn"),
                        ({"cell": "gru", "reset": "after"}, "gru-after"), ({"cell": "gru", "reset": "before"}, "gru")):
        assert five_names(known) == name


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
