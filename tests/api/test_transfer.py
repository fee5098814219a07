"""A start from another model's weights, and a teacher: what is handed over, and what is refused."""
import dataclasses

import numpy as np
import pytest

from minis2s import Config, Seq2Seq, Training
from minis2s.api import fitting, shrinking, transfer
from minis2s.core import tree
from minis2s.data.batches import make_batch
from minis2s.training import pruning

PAIRS = [("ab", "ba"), ("bc", "cb"), ("ca", "ac"), ("abc", "cba"), ("d", "d"), ("add", "dda")]
SMALL = Config(hidden=12, embedding=8, cell="gru")


@pytest.fixture(scope="module", autouse=True)
def quiet():
    with pytest.MonkeyPatch.context() as m:
        m.setattr(fitting, "pictures", lambda *_: None)
        m.setenv("MINIS2S_BACKEND", "numpy")
        yield


def fitted(pairs=PAIRS, config=SMALL, epochs=60, **options):
    return Seq2Seq(config).fit(pairs, valid=pairs, progress=False, training=Training(epochs=epochs, batch=2, lr=0.02),
                               **options)


@pytest.fixture(scope="module")
def teacher():
    return fitted()


def test_a_start_is_the_other_models_weights_token_by_token(teacher):
    pairs = [("xb", "bx"), ("bx", "xb"), ("ab", "ba")]                  # x is new, c and d are gone
    model = fitted(pairs, epochs=0, start=teacher)
    mine, theirs = dict(tree.named(model.params)), dict(tree.named(teacher.params))
    for name in mine:
        if name not in transfer.SIDES:
            assert np.array_equal(mine[name], theirs[name]) and mine[name] is not theirs[name], name
    fresh = dict(tree.named(fitted(pairs, epochs=0).params))
    for name, (side, axis) in transfer.SIDES.items():
        a, b, c = (np.moveaxis(part[name], axis, 0) for part in (mine, theirs, fresh))
        here, there = getattr(model, side).symbols, getattr(teacher, side).symbols
        for i, token in enumerate(here):
            same = b[there.index(token)] if token in there else c[i]
            assert np.array_equal(a[i], same), (name, token)


def test_a_start_of_another_form_is_refused(teacher):
    with pytest.raises(ValueError, match="start: its hidden is 12, this model's 10"):
        fitted(config=Config(hidden=10, embedding=8, cell="gru"), start=teacher)
    assert fitted(config=dataclasses.replace(SMALL, dropout=0.2), epochs=0, start=teacher).params is not None
    for name in ("start", "teacher"):
        with pytest.raises(TypeError, match=f"{name}: wanted a trained Seq2Seq"):
            fitted(**{name: Seq2Seq()})


def test_a_teachers_distributions_stand_beside_the_targets(teacher):
    batch = make_batch([[4, 5], [6]], [[4], [5, 6]])
    soft = transfer.with_teacher(teacher, 0.25)(batch).targets
    assert soft.shape == (*batch.targets.shape, len(teacher.target_vocab))
    np.testing.assert_allclose(soft.sum(axis=2), 1, atol=1e-6)
    at = np.take_along_axis(soft, batch.targets[:, :, None], axis=2)
    assert (at > 0.75).all() and (soft >= 0).all()


@pytest.mark.parametrize("distill", transfer.LEVELS)
def test_a_student_learns_from_a_teacher(distill, teacher):
    student = fitted(config=Config(hidden=9, embedding=6, cell="gru"), epochs=80, teacher=teacher, distill=distill)
    plain = fitted(config=Config(hidden=9, embedding=6, cell="gru"), epochs=80)
    said = student.translate([x for x, _ in PAIRS])
    assert sum(a == b for a, b in zip(said, teacher.translate([x for x, _ in PAIRS]))) >= 4
    # the pairs that it was given, not those it made of them
    assert student.data["sha256"] == plain.data["sha256"]
    if distill == "word":
        assert not all(np.array_equal(a, b) for a, b in zip(tree.leaves(student.params), tree.leaves(plain.params)))


def test_a_wrong_teacher_is_what_the_student_learns():
    """Sequence level: the targets are the teacher's answers, also where they are wrong."""
    wrong = fitted([(x, y[::-1]) for x, y in PAIRS], epochs=80)
    assert transfer.taught(wrong, PAIRS) == [(x, wrong.decode([x], beam=5)[0][0].text) for x, _ in PAIRS]
    student = fitted(epochs=80, teacher=wrong, distill="sequence")
    assert student.translate("ab") == wrong.translate("ab") == "ab"


def test_a_teacher_of_other_tokens_is_refused(teacher):
    with pytest.raises(ValueError, match="teacher: its source_vocab has"):
        fitted([("xy", "yx"), ("yx", "xy")], teacher=teacher)
    with pytest.raises(ValueError, match="reads the source from its end"):
        fitted(config=dataclasses.replace(SMALL, reverse_source=True), teacher=teacher)
    with pytest.raises(ValueError, match="distill='letter'"):
        fitted(teacher=teacher, distill="letter")


def test_token_dropout_trains_and_changes_the_result():
    options = dict(epochs=3, batch=2)
    runs = [Seq2Seq(SMALL).fit(PAIRS, valid=PAIRS, progress=False,
                               training=Training(token_dropout=rate, **options)).params
            for rate in (0.0, 0.5, 0.5)]
    plain, dropped, again = (np.concatenate([a.ravel() for a in tree.leaves(p)]) for p in runs)
    assert not np.array_equal(plain, dropped) and np.array_equal(dropped, again)
    with pytest.raises(ValueError, match="token_dropout=1.0"):
        Training(token_dropout=1.0)


# Smaller runs ----------------------------------------------------------------------------------------------

def test_a_smaller_run_answers_as_its_file_says(teacher, tmp_path):
    run, out = tmp_path / "run", tmp_path / "small"
    teacher.save(run)
    done = shrinking.shrink(run, out, shrinking.Recipe(bits=8))
    assert done.after < 0.75 * done.before and (out / "weights.safetensors").stat().st_size == done.after
    small = Seq2Seq.load(out)
    assert small.translate([x for x, _ in PAIRS]) == teacher.translate([x for x, _ in PAIRS])
    assert any(not np.array_equal(a, b) for a, b in zip(tree.leaves(small.params), tree.leaves(teacher.params)))
    small.save(tmp_path / "again")                                        # a shrunk model is a model like any other
    assert Seq2Seq.load(tmp_path / "again").translate("ab") == small.translate("ab")


def test_what_is_pruned_stays_0_in_retraining(teacher, tmp_path):
    teacher.save(tmp_path / "run")
    out = {}
    for retrain in (0, 25):
        recipe = shrinking.Recipe(prune=0.6, retrain=retrain)
        done = shrinking.shrink(tmp_path / "run", tmp_path / f"r{retrain}", recipe, pairs=(PAIRS, PAIRS))
        out[retrain] = Seq2Seq.load(tmp_path / f"r{retrain}")
        assert done.zeros == pytest.approx(0.6, abs=0.01)
    masks = pruning.masks(teacher.params, 0.6)
    for name, kept in tree.named(masks):
        assert not dict(tree.named(out[25].params))[name][~kept].any()
    loss = {retrain: model.evaluate(PAIRS)["nll_teacher_forced"] for retrain, model in out.items()}
    assert loss[25] < loss[0]


def test_recipes_that_cannot_be_are_refused(teacher, tmp_path):
    teacher.save(tmp_path / "run")
    for recipe, words in ((shrinking.Recipe(), "nothing would become smaller"),
                          (shrinking.Recipe(bits=8, retrain=1), "give prune"),
                          (shrinking.Recipe(prune=0.5, retrain=1), "needs the pairs"),
                          (shrinking.Recipe(prune=2), "prune=2"), (shrinking.Recipe(bits=8, retrain=-1), "retrain=-1")):
        with pytest.raises(ValueError, match=words):
            shrinking.shrink(tmp_path / "run", tmp_path / "out", recipe)
        assert not (tmp_path / "out").exists()
    with pytest.raises(ValueError, match="is the run itself"):
        shrinking.shrink(tmp_path / "run", tmp_path / "run", shrinking.Recipe(bits=8), overwrite=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    with pytest.raises(FileExistsError):
        shrinking.shrink(tmp_path / "run", tmp_path / "out", shrinking.Recipe(bits=8))
