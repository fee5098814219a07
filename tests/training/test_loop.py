"""Training: it learns, it stops where it should, and nothing but seed, data and options decides its bits."""
import gc
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from draw import read_only, same
from minis2s import decoding
from minis2s.api.backends import choose
from minis2s.core import tree
from minis2s.data.batches import pad
from minis2s.layers import loss
from minis2s.model import seq2seq
from minis2s.model.config import Config
from minis2s.training import loop as train, optimizers, step
from minis2s.training.loop import Diverged, Training, Validation

V = 8
SMALL = Config(source_vocab=V, target_vocab=V, embedding=6, hidden=5)
# all that draws random numbers or is carried from step to step
RESTLESS = Training(epochs=3, batch=3, lr=0.05, optimizer="rmsprop", teacher_forcing=0.9, teacher_final=0.3,
                    lr_final=0.01, lr_patience=1, lr_decay=0.7)
DROPPING = replace(SMALL, dropout=0.3, layers=2)


def examples(n, seed=0, longest=4):
    """Different id lists to copy."""
    rng, seen = np.random.default_rng(seed), {}
    while len(seen) < n:
        seen[tuple(rng.integers(4, V, size=rng.integers(1, longest, endpoint=True)).tolist())] = None
    return [(list(x), list(x)) for x in seen]


TRAIN, VALID = examples(14)[:10], examples(14)[10:]                     # 4 batches of 3, 3, 3, 1


def trained(config=DROPPING, training=RESTLESS, **options):
    return train.run(config, training, TRAIN, VALID, **options)


def without_speed(rows):
    """Metrics, but for the only number that depends on the machine's mood."""
    return [{k: v for k, v in row.items() if k != "tokens_per_second"} for row in rows]


def equal(a, b):
    """Assert that two Progress are the same, bit by bit."""
    same((a.params, a.optimizer.m, a.optimizer.v, a.best), (b.params, b.optimizer.m, b.optimizer.v, b.best))
    assert (a.optimizer.t, *a[3:]) == (b.optimizer.t, *b[3:])


# The same bits -------------------------------------------------------------------------------------------

KINDS = {"rmsprop": {}, "adam": dict(optimizer="adam"), "momentum": dict(optimizer="sgd", momentum=0.9)}


@pytest.mark.parametrize("kind", KINDS)
def test_stopped_after_any_step_and_continued_it_ends_with_the_same_bits(kind):
    training = replace(RESTLESS, **KINDS[kind])
    log = []
    whole = trained(training=training, on_record=log.append)
    assert whole.step == 12 and len(log) == 3
    for k in (1, 3, 4, 5, 8, 11, 12):                                   # 4, 8, 12: the last of an epoch
        again, left, saved = [], [k], []

        def stop():
            left[0] -= 1
            return left[0] == 0

        part = trained(training=training, should_stop=stop, on_record=again.append, save=saved.append)
        assert (part.step, part.batch) == (k, (k - 1) % 4 + 1) and saved[-1] is part
        equal(trained(training=training, progress=read_only(part), on_record=again.append), whole)
        assert without_speed(again) == without_speed(log)
    assert not np.array_equal(whole.params.encoder.embedding,
                              train.begin(DROPPING, training).params.encoder.embedding)


@pytest.mark.parametrize("k", [1, 2, 5])
def test_any_saved_progress_leads_to_the_same_bits(k):
    """A killed run goes on from whatever was saved last, an end of an epoch or not."""
    saved = []
    whole = trained(save=saved.append, save_seconds=0)
    assert [s.step for s in saved] == [0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10, 11, 12, 12]
    for progress in saved[k::5]:
        same(trained(progress=progress).params, whole.params)


@pytest.mark.parametrize("change", [dict(evaluate_every=1), dict(evaluate_every=3)])
def test_how_often_one_evaluates_changes_nothing(change):
    log, often = [], []
    whole = trained(on_record=log.append)
    equal(trained(training=replace(RESTLESS, **change), on_record=often.append), whole)
    assert without_speed(r for r in often if r["end_of_epoch"]) == without_speed(log)
    extra = [r["step"] for r in often if not r["end_of_epoch"]]
    assert extra == [s for s in range(1, 13) if s % change["evaluate_every"] == 0 and s % 4]


def test_the_seed_and_nothing_else_decides():
    equal(trained(), trained())
    other = trained(training=replace(RESTLESS, seed=1))
    assert not np.array_equal(other.params.decoder.readout.W, trained().params.decoder.readout.W)


def test_batches_are_other_ones_in_every_epoch_and_hold_all_examples():
    orders = [np.concatenate(train.epoch_batches(RESTLESS, TRAIN, e)).tolist() for e in range(3)]
    assert all(sorted(order) == list(range(10)) for order in orders)
    assert orders[0] != orders[1] != orders[2]


def test_every_step_draws_other_numbers(monkeypatch):
    """For coins, for dropout, and in every epoch."""
    seen, real = [], step.rng_for

    def spy(*args):
        seen.append((args[1:], real(*args).random()))
        return real(*args)

    monkeypatch.setattr(step, "rng_for", spy)
    trained(training=replace(RESTLESS, teacher_forcing=0.5, teacher_final=None))
    assert len(seen) == len(set(seen)) == len({x for _, x in seen}) == 3 + 12 + 12
    assert {what for (what, _), _ in seen} == {train.ORDER, train.COINS, train.DROPS}


# What one step does --------------------------------------------------------------------------------------

def step_by_hand(config, training, p, batch, lr, teacher=None, clip=None, value=None):
    L, _, k = seq2seq.forward(p, config, batch, teacher)
    g = seq2seq.backward(p, config, k)
    if clip:
        g = optimizers.clip_by_norm(g, clip)[0]
    if value:
        g = optimizers.clip_by_value(g, value)
    return tree.map(lambda w, g: w - lr * g, p, g), L


@pytest.mark.parametrize("clip, value", [(None, None), (0.05, None), (None, 0.01), (0.05, 0.01)])
def test_a_step_of_sgd_by_hand(clip, value):
    training = Training(optimizer="sgd", lr=0.5, clip=clip, clip_value=value)
    progress, batch = train.begin(SMALL, training), train.batch_of(SMALL, TRAIN, range(3))
    got = train.one_step(SMALL, training, read_only(progress), batch, 0.5)
    want, L = step_by_hand(SMALL, training, progress.params, batch, 0.5, None, clip, value)
    same(got.params, want)
    tokens = int(batch.target_mask.sum())
    assert (got.step, got.batch, got.epoch, got.tokens, got.loss_sum) == (1, 1, 0, tokens, float(L) * tokens)


def test_a_step_to_weights_that_are_not_finite_is_an_error():
    training = Training(optimizer="sgd")
    progress, batch = train.begin(SMALL, training), train.batch_of(SMALL, TRAIN, range(3))
    with pytest.raises(train.Diverged, match=r"step 1 \(epoch 1\): updated\..* is"):
        train.one_step(SMALL, training, progress, batch, np.inf)


def test_teacher_ratio():
    constant, falling = Training(teacher_forcing=0.7), Training(epochs=5, teacher_forcing=1.0,
                                                                teacher_final=0.2)
    assert [train.teacher_ratio(constant, e) for e in (0, 9)] == [0.7, 0.7]
    np.testing.assert_allclose([train.teacher_ratio(falling, e) for e in range(7)],
                               [1, .8, .6, .4, .2, .2, .2])
    assert train.teacher_ratio(replace(falling, epochs=1), 0) == 1.0


@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_a_step_leaves_nothing_behind_that_only_a_search_for_cycles_would_free(backend):
    """Such as a function within a function that calls itself: memory would grow by all weights in each step."""
    progress, b = train.begin(SMALL, Training(clip=1.0)), train.batch_of(SMALL, TRAIN, [0, 1, 2])
    progress = train.one_step(SMALL, Training(clip=1.0), progress, b, 0.1, choose(backend))
    gc.collect()
    gc.disable()
    try:
        train.one_step(SMALL, Training(clip=1.0), progress, b, 0.1, choose(backend))
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_step_size_falls_evenly_to_its_end():
    training = Training(epochs=2, lr=0.4, lr_final=0.1)
    start = train.begin(SMALL, training)
    sizes = [train.step_size(training, start._replace(epoch=e, batch=b), 3) for e in (0, 1) for b in (0, 1,
                                                                                                      2)]
    np.testing.assert_allclose(sizes, [0.4, 0.35, 0.3, 0.25, 0.2, 0.15])
    assert train.step_size(replace(training, lr_final=None), start, 3) == 0.4
    halved = start._replace(lr=0.2, epoch=2)
    assert train.step_size(training, halved, 3) == pytest.approx(0.05)       # what decay did stays in it


def coins_seen(monkeypatch, ratio):
    """Shares of target tokens fed as they are, one for each step of an epoch."""
    shares, real = [], seq2seq.forward

    def spy(p, config, batch, teacher=None, *args, **options):
        shares.append(None if teacher is None else float(teacher.mean()))
        return real(p, config, batch, teacher, *args, **options)

    training = Training(batch=1, teacher_forcing=ratio)
    progress = train.begin(SMALL, training)
    monkeypatch.setattr(seq2seq, "forward", spy)
    for x in examples(40):
        progress = train.one_step(SMALL, training, progress, train.batch_of(SMALL, [x], [0]), 0.001)
    return shares


def test_teacher_forcing_ratio(monkeypatch):
    assert coins_seen(monkeypatch, 1.0) == [None] * 40
    assert coins_seen(monkeypatch, 0.0) == [0.0] * 40
    shares = coins_seen(monkeypatch, 0.7)
    assert 0.6 < np.mean(shares) < 0.8 and len(set(shares)) > 3


def test_ratio_0_is_free_running():
    training = Training(optimizer="sgd", lr=0.5, clip=None, teacher_forcing=0.0)
    progress, batch = train.begin(SMALL, training), train.batch_of(SMALL, TRAIN, range(3))
    free = np.zeros(batch.inputs.shape, bool)
    got = train.one_step(SMALL, training, progress, batch, 0.5).params
    same(got, step_by_hand(SMALL, training, progress.params, batch, 0.5, free)[0])
    forced = step_by_hand(SMALL, training, progress.params, batch, 0.5)[0]
    assert not np.array_equal(got.decoder.layers[0].W, forced.decoder.layers[0].W)


# Validation ----------------------------------------------------------------------------------------------

def by_hand(p, config, examples):
    """Validation, example by example, without batches or padding; no two examples have the same source."""
    assert len({tuple(x) for x, _ in examples}) == len(examples)
    forced = free = right = exact = tokens = 0
    for x, y in examples:
        b = train.batch_of(config, [(x, y)], [0])
        n = len(y) + 1
        _, logits, _ = seq2seq.forward(p, config, b)
        forced += n * loss.forward(logits, b.targets, b.target_mask)[0]
        right += (logits.argmax(axis=2) == b.targets).sum()
        _, logits, _ = seq2seq.forward(p, config, b, np.zeros(b.inputs.shape, bool))
        free += n * loss.forward(logits, b.targets, b.target_mask)[0]
        exact += (logits.argmax(axis=2) == b.targets).all()
        tokens += n
    return Validation(forced / tokens, free / tokens, right / tokens, exact / len(examples))


def half_trained(config):
    """Good at some of what it was trained on."""
    return train.run(config, Training(epochs=12, batch=4, lr=0.01), examples(30), VALID).params


def distinct(count):
    """Examples with different sources."""
    return list({tuple(x): (x, y) for x, y in examples(count)}.values())


@pytest.mark.parametrize("change", [dict(), dict(label_smoothing=0.1, dropout=0.5, cell="gru")])
def test_validation_is_each_example_alone_without_smoothing_and_dropout(change):
    config = replace(SMALL, hidden=12, dtype="float64", **change)
    p = half_trained(config)
    for batch in (1, 7, 256):
        got = train.validate(p, config, distinct(30), batch)
        np.testing.assert_allclose(got, by_hand(p, config, distinct(30)), rtol=1e-9)
    assert got.loss_teacher_forced != got.loss_free_running


def test_exact_match_is_that_of_greedy_decoding():
    config = replace(SMALL, hidden=12, dtype="float64")
    p = half_trained(config)
    source, mask = pad([x for x, _ in distinct(30)])
    found = decoding.greedy(p, config, source, mask, 20)
    share = np.mean([a.ids == y and a.finished for (a,), (_, y) in zip(found, distinct(30))])
    assert 0.1 < share < 0.9
    assert train.validate(p, config, distinct(30)).exact_match == share


def test_exact_match_is_that_of_decoding_where_the_model_would_say_unk():
    """Decoding never writes <unk>: the next best token may be right."""
    config = replace(SMALL, hidden=12, dtype="float64")
    p = half_trained(config)
    b = p.decoder.readout.b
    for nudge in (4.0, 8.0):                                            # <unk> becomes the most probable token, often
        changed = b.copy()
        changed[3] += nudge
        q = p._replace(decoder=p.decoder._replace(readout=p.decoder.readout._replace(b=changed)))
        source, mask = pad([x for x, _ in distinct(30)])
        found = decoding.greedy(q, config, source, mask, 20)
        share = np.mean([a.ids == y and a.finished for (a,), (_, y) in zip(found, distinct(30))])
        assert share > 0.1
        for batch in (1, 7, 256):
            assert train.validate(q, config, distinct(30), batch).exact_match == share


def test_unk_is_never_right(monkeypatch):
    """A model that says <unk> <eos> where the target's word is unknown: one of two tokens is right, with certainty."""
    logits = np.zeros((2, 1, V))
    logits[0, 0, 3] = logits[1, 0, 2] = 99
    monkeypatch.setattr(seq2seq, "forward", lambda *_, **__: (0.1, logits, None))
    v = train.validate(None, SMALL, [([4], [3])])
    assert v.exact_match == 0 and v.token_accuracy == 1 / 2
    assert v.loss_teacher_forced == v.loss_free_running == pytest.approx(0, abs=1e-9)     # of the end alone
    logits[0, 0, 3] = -99
    assert train.validate(None, SMALL, [([4], [3])]).loss_teacher_forced == pytest.approx(0, abs=1e-9)


def test_one_of_several_targets_is_enough(monkeypatch):
    """The same source with three targets, one of them the answer, and another source that is answered wrongly."""
    said = np.zeros((2, 1, V))
    said[0, 0, 5] = said[1, 0, 2] = 9
    monkeypatch.setattr(seq2seq, "forward",
                        lambda p, config, b, *_, **__: (0.1, np.repeat(said, b.inputs.shape[1], 1), None))
    several = [([4], [6]), ([4], [5]), ([4], [7]), ([6], [7])]
    for order in permutations(several):                                 # wherever the right one stands
        assert train.validate(None, SMALL, list(order)).exact_match == 1 / 2
    assert train.validate(None, SMALL, [(*one, name) for one, name in zip(several, "abac")]).exact_match == 1 / 3


# When to stop --------------------------------------------------------------------------------------------

def told(monkeypatch, losses, exact=None):
    """Let validation answer these numbers, one epoch after the other."""
    answers = iter(zip(losses, exact or [0.0] * len(losses)))
    monkeypatch.setattr(train, "validate", lambda *_,
                        **__: (lambda v: Validation(v[0], v[0], 0.5, v[1]))(next(answers)))


def epochs_of(saved):
    """The parameters after each epoch."""
    return {s.epoch: s.params for s in saved if s.batch == 0 and s.epoch}


def test_early_stopping_keeps_the_best_weights(monkeypatch):
    told(monkeypatch, [3.0, 2.0, 2.5, 2.1, 9.9])
    saved = []
    end = trained(training=replace(RESTLESS, epochs=9, patience=2), save=saved.append)
    assert end.epoch == 4 and end.finished
    same(end.best, epochs_of(saved)[2])
    assert end.best_score == (0.0, -2.0)
    equal(trained(training=replace(RESTLESS, epochs=9, patience=2), progress=end),
          end)     # nothing is left to do


def test_without_patience_it_goes_on_to_the_end_and_keeps_the_best(monkeypatch):
    told(monkeypatch, [2.0, 3.0, 4.0])
    saved = []
    end = trained(save=saved.append)
    assert end.epoch == 3 and not end.finished
    same(end.best, epochs_of(saved)[1])


def test_an_equal_loss_is_no_improvement(monkeypatch):
    told(monkeypatch, [2.0, 2.0, 2.0])
    assert trained(training=replace(RESTLESS, epochs=9, patience=1)).epoch == 2


def test_the_step_size_decays_when_validation_stops_improving(monkeypatch):
    told(monkeypatch, [5.0, 6.0, 6.0, 6.0, 4.0, 4.5, 4.5, 4.5])
    saved = []
    training = replace(RESTLESS, epochs=8, lr=0.8, lr_final=None, lr_patience=2, lr_decay=0.5)
    trained(training=training, save=saved.append)
    lrs = {s.epoch: s.lr for s in saved if s.batch == 0}
    assert [lrs[e] for e in range(1, 9)] == [0.8, 0.8, 0.4, 0.4, 0.4, 0.4, 0.2, 0.2]


def test_monitoring_exact_match_and_its_ties(monkeypatch):
    told(monkeypatch, [1.0, 3.0, 2.0, 0.5], [0.1, 0.6, 0.6, 0.5])
    saved = []
    end = trained(training=replace(RESTLESS, epochs=4, monitor="exact-match"), save=saved.append)
    same(end.best, epochs_of(saved)[3])
    told(monkeypatch, [1.0, 3.0, 2.0, 0.5], [0.1, 0.6, 0.6, 0.5])
    end = trained(training=replace(RESTLESS, epochs=4), save=saved.append)
    assert end.best_score == (0.0, -0.5)


def test_minutes_end_a_run_and_resuming_gives_the_same_bits():
    whole, saved, rows = trained(), [], []
    short = replace(RESTLESS, minutes=1e-9)
    end = trained(training=short, save=saved.append, on_record=rows.append)
    assert end.step == 1 and [r["step"] for r in rows] == [1]
    same(end.best, end.params)                                          # the first judged are the best so far
    assert saved[-1].step == 1 and saved[-1].best_score is None         # but a resumed run does not see that
    equal(trained(progress=saved[-1]), whole)


def test_minutes_are_of_sixty_seconds(monkeypatch):
    """By a clock that moves ten seconds with each step, half a minute is three steps, and one that sees the end."""
    steps = []
    monkeypatch.setattr(train.time, "monotonic", lambda: 10.0 * len(steps))
    end = trained(training=replace(RESTLESS, minutes=0.5), on_step=lambda *_: steps.append(1))
    assert end.step == 4


def test_minutes_keep_the_best_weights_when_the_last_are_worse(monkeypatch):
    told(monkeypatch, [2.0, 3.0])
    first = trained(training=replace(RESTLESS, epochs=1))
    end = trained(training=replace(RESTLESS, minutes=1e-9), progress=first._replace(finished=False))
    assert end.step == 5 and end.best_score == (0.0, -2.0)
    same(end.best, first.best)


def test_a_batch_is_of_the_examples_asked_for_and_turned_as_the_configuration_says():
    pairs = [([4, 5, 6], [7, 4]), ([5], [6]), ([6, 7], [], "its name")]
    for turned in (False, True):
        b = step.batch_of(replace(SMALL, reverse_source=turned), pairs, [2, 0])
        assert b.source.T.tolist() == ([[7, 6, 0], [6, 5, 4]] if turned else [[6, 7, 0], [4, 5, 6]])
        assert b.inputs.T.tolist() == [[1, 0, 0], [1, 7, 4]] and b.targets.T.tolist() == [[2, 0, 0], [7, 4, 2]]


def test_a_record_within_an_epoch_says_where_it_was_made():
    rows = []
    trained(training=replace(RESTLESS, epochs=2, evaluate_every=1), on_record=rows.append)
    assert [(r["epoch"], r["step"], r["end_of_epoch"]) for r in rows] == [
        (0.25, 1, False), (0.5, 2, False), (0.75, 3, False), (1, 4, True),
        (1.25, 5, False), (1.5, 6, False), (1.75, 7, False), (2, 8, True)]
    assert [r["tokens_per_second"] is None for r in rows] == [not r["end_of_epoch"] for r in rows]


def test_metrics():
    rows, sums, tokens = [], [], []

    def on_step(progress, L):
        sums.append((progress.loss_sum / progress.tokens, L))
        tokens.append(progress.tokens)

    trained(on_record=rows.append, on_step=on_step)
    assert tokens[3] == tokens[7] == tokens[11] == sum(len(y) + 1 for _, y in TRAIN)    # of one epoch
    assert all(a == b for a, b in sums) and len(sums) == 12
    assert [r["epoch"] for r in rows] == [1, 2, 3] and [r["step"] for r in rows] == [4, 8, 12]
    assert [r["train_loss"] for r in rows] == [sums[i][0] for i in (3, 7, 11)]
    assert all(r["tokens_per_second"] > 0 for r in rows)
    assert set(rows[0]) == {"epoch", "step", "end_of_epoch", "lr", "train_loss", "valid_loss_teacher_forced",
                            "valid_loss_free_running", "valid_token_accuracy", "valid_exact_match",
                            "tokens_per_second"}


# It learns -----------------------------------------------------------------------------------------------

LEARNERS = {
    "lstm-init": dict(cell="lstm", attention="none"),
    "lstm-every-step": dict(cell="lstm", attention="none", context="every-step"),
    "lstm-attention": dict(cell="lstm", attention="additive"),
    "gru-attention-before": dict(cell="gru", attention="general", attention_order="before"),
    "gru-after-init": dict(cell="gru-after", attention="none"),
    "rnn-attention": dict(cell="rnn", attention="dot"),
    "rnn-sigmoid-every-step": dict(cell="rnn-sigmoid", attention="none", context="every-step"),
    "two-ways-feeding": dict(cell="gru", attention="concat-dot", bidirectional=True, input_feeding=True,
                             fusion="tanh"),
}


@pytest.mark.parametrize("choice", LEARNERS.values(), ids=LEARNERS)
def test_a_few_pairs_are_learned_by_heart(choice):
    pairs = examples(8, longest=3)
    config = Config(source_vocab=V, target_vocab=V, embedding=16, hidden=32, **choice)
    end = train.run(config, Training(epochs=150, batch=8, lr=0.02, lr_decay=1.0), pairs, pairs)
    v = train.validate(end.best, config, pairs)
    assert v.exact_match == v.token_accuracy == 1.0 and v.loss_teacher_forced < 0.1


@pytest.mark.parametrize("training", [Training(optimizer="sgd", momentum=0.9, lr=0.3),
                                      Training(optimizer="rmsprop", lr=0.01),
                                      Training(lr=0.02, teacher_forcing=0.8)],
                         ids=["momentum", "rmsprop", "coins"])
def test_every_optimizer_learns(training):
    pairs, config = examples(8, longest=3), Config(source_vocab=V, target_vocab=V, embedding=16, hidden=32)
    end = train.run(config, replace(training, epochs=150, lr_decay=1.0), pairs, pairs)
    assert train.validate(end.best, config, pairs).exact_match == 1.0


# NaN and infinity ----------------------------------------------------------------------------------------

def planted(part, value, at=(0, 0)):
    """The Progress of a model with one number replaced, in a part named as by tree.named."""
    progress = train.begin(SMALL, RESTLESS)
    arrays = dict(tree.named(progress.params))
    arrays[part] = arrays[part].copy()
    arrays[part][at] = value
    return progress._replace(params=tree.replace(progress.params, arrays), step=6, epoch=1, batch=2)


@pytest.mark.parametrize("part, value", [("encoder.embedding", np.nan), ("decoder.readout.W", np.inf),
                                         ("encoder.layers.0.U", -np.inf)])
def test_a_planted_number_is_named_with_its_place(part, value):
    at = (4, 3)
    with pytest.raises(Diverged,
                       match=rf"step 7 \(epoch 2\): params.{part}\[4, 3\] is {value}; try a smaller"):
        trained(SMALL, progress=planted(part, value, at), training=replace(RESTLESS, lr_patience=9))


def test_the_first_tensor_that_overflows_is_named():
    """At t=0 all gates are open; at t=1 they read W x + U h = inf - inf."""
    progress = train.begin(SMALL, RESTLESS)
    layer = progress.params.encoder.layers[0]
    layer = layer._replace(W=np.full_like(layer.W, 3e38), U=np.full_like(layer.U, -3e38))
    encoder = progress.params.encoder._replace(embedding=np.full((V, 6), 3e38, np.float32), layers=(layer,))
    with pytest.raises(Diverged, match=r"step \d \(epoch 1\): encoder.stack.layers.0.1.i\[0, 0\] is nan"):
        trained(SMALL, progress=progress._replace(params=progress.params._replace(encoder=encoder)))


@pytest.mark.parametrize("value, clip", [(np.nan, 5.0), (np.inf, 5.0), (np.inf, None)])
def test_a_gradient_that_is_not_finite(monkeypatch, value, clip):
    """The decoder's is computed before the encoder's."""
    def bad(p, config, k):
        g = tree.map(np.zeros_like, p)
        g.encoder.embedding[1, 1] = value
        g.decoder.readout.W[2, 3] = value
        return g
    monkeypatch.setattr(seq2seq, "backward", bad)
    training = Training(clip=clip, clip_value=1.0)
    with pytest.raises(Diverged, match=rf"step 1 \(epoch 1\): gradient.decoder.readout.W\[2, 3\] is {value}"):
        train.run(SMALL, training, TRAIN, VALID)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam"])
@pytest.mark.parametrize("batch, lr", [(3, 1e38), (64, 1e38), (3, 1e39)])           # 1e39 is no float32
def test_a_step_size_beyond_all_measure(optimizer, batch, lr):
    """Nothing that was saved holds NaN: neither after a step, nor after a validation."""
    saved, training = [], Training(optimizer=optimizer, lr=lr, batch=batch, clip=None)
    with pytest.raises(Diverged, match="step [1-9]"):
        train.run(SMALL, training, TRAIN, VALID, save=saved.append, save_seconds=0)
    for s in saved:
        assert all(np.isfinite(a).all() for _, a in tree.named((s.params, s.best)))
        assert s.best_score is None or np.isfinite(s.best_score).all()


def test_a_validation_that_is_nan_is_not_kept(monkeypatch):
    told(monkeypatch, [2.0, np.nan])
    saved = []
    with pytest.raises(Diverged, match=r"step 8 \(epoch 2\): the validation loss is nan"):
        trained(save=saved.append)
    assert saved[-1].epoch == 1 and saved[-1].best_score == (0.0, -2.0)


# Options -------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name, value, error, wanted", [
    ("epochs", -1, ValueError, "0 or more"), ("epochs", 1.5, TypeError, "whole number"),
    ("epochs", True, TypeError, "whole number"), ("seed", -1, ValueError, "0 or more"),
    ("batch", 0, ValueError, "1 or more"), ("patience", 0, ValueError, "1 or more"),
    ("lr_patience", 0, ValueError, "1 or more"), ("evaluate_every", 0, ValueError, "1 or more"),
    ("lr", 0, ValueError, "more than 0"), ("lr", float("nan"), ValueError, "finite"),
    ("lr", "1", TypeError, "number"),
    ("lr_final", 0, ValueError, "more than 0"), ("minutes", 0, ValueError, "more than 0"),
    ("minutes", float("inf"), ValueError, "finite"), ("clip", 0, ValueError, "more than 0"),
    ("clip_value", -1, ValueError, "more than 0"), ("momentum", 1, ValueError, "less than 1"),
    ("momentum", 0.5, ValueError, "SGD's"), ("lr_decay", 0, ValueError, "more than 0"),
    ("lr_decay", 1.1, ValueError, "at most 1"), ("teacher_forcing", 1.1, ValueError, "from 0 to 1"),
    ("teacher_final", -0.1, ValueError, "from 0 to 1"),
    ("optimizer", "adm", ValueError, "sgd, rmsprop, adam"),
    ("optimizer", None, TypeError, "string"), ("monitor", "bleu", ValueError, "loss or exact-match"),
])
def test_impossible_options(name, value, error, wanted):
    with pytest.raises(error, match=f"^{name}=.*{wanted}"):
        Training(**{name: value})


def test_numbers_of_numpy_become_plain_ones():
    t = Training(epochs=np.int64(3), lr=np.float32(0.5), clip=2, patience=np.int32(4))
    assert t == Training(epochs=3, lr=0.5, clip=2.0, patience=4)
    assert [type(x) for x in (t.epochs, t.lr, t.clip, t.patience)] == [int, float, float, int]
    assert Training(epochs=10**400).epochs == 10**400


def test_options_as_json():
    assert Training(**RESTLESS.to_json()) == RESTLESS
