"""The exercises on frames and on copying: slips in other people's styles, the form of a function, -inf and padding."""
import inspect
import json

import numpy as np
import pytest

from minis2s.classroom.doctor import check
from minis2s.classroom.doctor.doctor import bench
from minis2s.classroom.exercises import EXERCISES
from minis2s.classroom.exercises.exercise import draws
from solutions import copying as C, frames as F

NEW = ("stack-frames", "frame-input", "frame-input-backward", "stop-decision", "frame-loss", "frame-loss-backward",
       "copying", "copying-backward")


def mutated(function, *edits, inside=None):
    """The function with pieces of its text replaced; `inside` names a helper to be changed in its place."""
    world = dict(function.__globals__)
    for f in (inside, function):
        if f is None:
            continue
        text = inspect.getsource(f)
        text = text[text.index("def "):]
        for old, new in edits if f is (inside or function) else ():
            assert old in text, (f.__name__, old)
            text = text.replace(old, new)
        exec(compile(text, "<mutated>", "exec"), world)
    return world[function.__name__]


SLIPS = [                                                       # exercise, the mistake's name, solution, edits
    ("stack-frames", "every k-th frame", F.stack_strided,
     [("full[j::k]", "full[j * len(full) // k:][:len(full) // k]")]),
    ("stack-frames", "zeros in front", F.stack_padded, [("(0, -len(fs) % k)", "(-len(fs) % k, 0)")]),
    ("stack-frames", "later frames first", F.stack_loop, [("t % k * F:(t % k + 1) * F",
                                                           "(k - 1 - t % k) * F:(k - t % k) * F")]),
    ("frame-input", "bias for each number", F.read_loops, [("* W[j]", "* W[j] + b / 1"),
                                                           ("xs[t, n] = b", "xs[t, n] = 0")]),
    ("frame-input-backward", "dW of t = 1", F.read_back_loops,
     [("            dW +=", "            dW = (dW if n else 0 * dW) +")]),
    ("frame-input-backward", "db mean", F.read_back_flat, [("np.ones(len(grads)) @ grads", "grads.mean(axis=0)")]),
    ("stop-decision", "full steps only", F.stop_counted, [("-(-frames // mask.shape[2])", "frames // mask.shape[2]")]),
    ("stop-decision", "last row", F.stop_indices, [("s[steps - 1,", "s[-1,")]),
    ("frame-loss", "no 1/F", F.loss_rows, [(".mean(axis=1).sum()", ".sum()")]),
    ("frame-loss", "divided by S N", F.loss_einsum, [("m.sum()", "a.size")]),
    ("frame-loss", "stop in the last row", F.loss_loops, [("stop[t, n] else", "t == len(a) - 1 else")]),
    ("frame-loss", "each part by its own count", F.loss_rows,
     [("(E + B) / np.count_nonzero(mask)", "E / mask.sum() + B / len(s)")]),
    ("frame-loss-backward", "sign of da", F.loss_back_factors,
     [("1 / (1 + np.exp(-a)) - stop_indices(mask)", "stop_indices(mask) - 1 / (1 + np.exp(-a))")]),
    ("frame-loss-backward", "no 2", F.loss_back_rows, [("2 * (y[mask]", "(y[mask]")]),
    ("frame-loss-backward", "dy at padding", F.loss_back_factors, [("mask[..., None] / (", "1 / (")]),
    ("frame-loss-backward", "M counts steps", F.loss_back_rows, [("np.count_nonzero(mask)", "real.sum()")]),
    ("copying", "overwritten", C.copying_loops, [("c[t, n, x] +=", "c[t, n, x] =")]),
    ("copying", "overwritten", C.copying_added, [("np.add.at(c[t], (np.arange(N), ids), alpha[t])",
                                                  "c[t][np.arange(N), ids] = alpha[t]")]),
    ("copying", "gate and complement swapped", C.copying_loops, [("[log_rest + logits", "[log_g + logits"),
                                                                 ("[log_g + math", "[log_rest + math")]),
    ("copying", "unknown words lost", C.copying_einsum,
     [("np.eye(U)[ids])", "np.eye(U)[ids] * (ids < V)[:, :, None])")]),
    ("copying", "NaN where p is 0", C.copying_added, [("np.where(np.isinf(np.maximum(said, copied)), 0, "
                                                       "np.maximum(said, copied))", "np.maximum(said, copied)")]),
    ("copying-backward", "divided among places", C.copying_back_loops,
     [("[dc[x] for x in ids[:, n]]", "[dc[x] / sum(ids[:, n] == x) for x in ids[:, n]]")]),
    ("copying-backward", "gradient where nothing is copied", C.copying_back_probabilities,
     [("np.where(c > 0, g[:, :, None] * dp, 0)", "g[:, :, None] * dp")]),
    ("copying-backward", "share alone", C.copying_back_einsum, [(" - g * dlog_p.sum(axis=2)", "")]),
    ("copying-backward", "gate without unknown words", C.copying_back_probabilities,
     [("(dp * (c - q)).sum(axis=2)", "(dp * (c - q))[:, :, :V].sum(axis=2)")]),
    ("copying-backward", "all of it said", C.copying_back_loops, [("ds[v] = (1 - share) *", "ds[v] =")]),
]


@pytest.mark.parametrize("exercise, name, function, edits", SLIPS, ids=[f"{row[0]}: {row[1]}" for row in SLIPS])
def test_slips_in_other_styles_are_named(exercise, name, function, edits):
    for seed in (0, 77):
        report = check(exercise, mutated(function, *edits), seed)
        assert report.mistake and report.mistake.name == name, str(report)


@pytest.mark.parametrize("name", NEW)
def test_the_form_is_checked_before_the_numbers(name):
    exercise = EXERCISES[name]

    def right(*given):
        result = exercise.reference(**dict(zip(exercise.names, given)))
        return result if isinstance(result, tuple) else (result,)

    def with_first(change):
        def f(*given):
            first, *rest = right(*given)
            return (change(first), *rest) if rest else change(first)
        return f
    first = exercise.outputs[0].name
    shaped = check(name, with_first(lambda a: np.asarray(a)[None]))
    assert shaped.verdict == "contract" and shaped.says.startswith(f"{first} has shape (1")
    if exercise.outputs[0].letters and name != "stop-decision":
        assert "nan" in check(name, with_first(lambda a: a * np.nan)).says

    def changing(*given):
        given[0][...] = 0
        return right(*given)
    report = check(name, changing)
    assert report.verdict == "contract" and "in place" in report.says and "given[0][...] = 0" in report.says
    for wrong in (lambda *g: None, lambda: None, lambda *g: g[0][0] @ 3):
        text = str(check(name, wrong))
        assert "Traceback" not in text and "  next:    " in text


def test_padded_frames_are_called_so_and_counted():
    report = check("frame-loss-backward", mutated(F.loss_back_factors, ("mask[..., None] / (", "1 / (")))
    assert "(padded position)" in report.location.place() and report.location.axes == ("t", "n", "frame", "number")
    scaled = check("frame-loss-backward", lambda *g: (lambda dy, da: (dy, da / np.sqrt(g[3].sum())))(
        *F.loss_back_rows(*g)))
    assert "is the number of real frames" in str(scaled), scaled


def test_steps_and_frames_are_made_zero_at_padding():
    from minis2s.classroom.doctor.changed import _at_real
    mask = np.array([[[True, True], [True, False]], [[True, False], [False, False]]])
    assert _at_real(np.ones((2, 2)), {"mask": mask}).tolist() == [[1, 1], [1, 0]]
    assert _at_real(np.ones((2, 2, 2, 3)), {"mask": mask}).sum() == 3 * mask.sum()


def test_last_steps_are_full_and_not():
    masks = [case.inputs["mask"] for seed in range(3) for case in EXERCISES["frame-loss"].cases(draws(seed))[:2]]
    assert any((mask[:, :, 0] & ~mask[:, :, -1]).any() for mask in masks)
    assert all((np.diff(mask.swapaxes(1, 2).reshape(-1, mask.shape[1]).astype(int), axis=0) <= 0).all()
               for mask in masks)


def test_what_has_no_probability_is_reported_in_plain_values():
    report = check("copying", mutated(C.copying_added, ("np.where(np.isinf(np.maximum(said, copied)), 0, "
                                                        "np.maximum(said, copied))", "np.maximum(said, copied)")))
    assert report.location.wanted[0] == -np.inf and np.isnan(report.location.got[0])
    plain = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert plain["location"]["wanted"][0] == "-inf" and "log p is NaN in place of -inf" in plain["text"]


@pytest.mark.parametrize("name", ("copying", "copying-backward"))
def test_inputs_have_what_copying_is_about(name):
    for seed in range(3):
        for case in EXERCISES[name].cases(draws(seed)):
            g = case.inputs
            V, ids = g["logits" if "logits" in g else "log_q"].shape[2], g["ids"]
            repeated = [x for x in np.unique(ids) for n in range(ids.shape[1]) if x and (ids[:, n] == x).sum() > 1]
            assert min(repeated) < V <= max(repeated) and (ids == 0).any()      # known and unknown words, and padding
            if "log_p" in g:                                    # what nothing can say has no gradient
                assert not g["dlog_p"][np.isneginf(g["log_p"])].any() and g["dlog_p"].any()
    unlike = [case for case in EXERCISES[name].cases(draws(0)) if "with and without" in case.label]
    assert [(case.inputs["ids"] >= 9 - 1).any(axis=0).tolist() for case in unlike] == [[False, True]]


def test_experiments_can_be_made_with_smaller_inputs():
    """With fewer steps, examples or places the library answers, so a wrong function can be tried on them."""
    for name in NEW:
        b = bench(name, 0)
        labels = {case.label for number, case in enumerate(b.extras) if b.right_extra(number) is not None}
        letters = {letter for letters in EXERCISES[name].shapes.values() for letter in letters} & set("NST")
        assert {f"{letter}=1" for letter in letters} <= labels, (name, labels)
    one = next(case.inputs["mask"] for case in bench("frame-loss", 0).extras if case.label == "N=1")
    assert one.shape[1] == 1 and one[:, :, 0].all()             # the longest example
    report = check("copying-backward", lambda *g: (lambda dr, dl, da, dw, db: (dr, dl, da, dw + dw[::-1], db))(
        *C.copying_back_loops(*g)))
    assert report.location.output == "dw" and "with all sizes 1" in str(report), report
