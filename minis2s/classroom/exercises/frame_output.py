"""Exercises on frames that are written: the decision to stop, the loss of frames, its derivative."""
import numpy as np

from ...layers import frame_output as layer
from .exercise import Case, Exercise, lengths, ragged

SIZES = ((5, 4, 3, 6), (4, 3, 2, 5))                    # S, N, r, F of two cases


def _real(rng, S, N, r, full=False):
    """Masks of frames (S, N, r) whose lengths in frames differ; a last step may have less than r of them."""
    frames = (lengths(rng, S, N) - 1) * r + rng.integers(1, r + 1, N)
    if full:
        frames = np.full(N, S * r)
    return ragged(frames, S * r).reshape(S, r, N).transpose(0, 2, 1)


# the decision ----------------------------------------------------------------------------------------------

def _masks(rng):
    first = _real(rng, 5, 4, 3)
    first[:, 0], first[:, 1] = ragged([7], 15).reshape(5, 3), ragged([15], 15).reshape(5, 3)
    first[:, 2], first[:, 3] = ragged([1], 15).reshape(5, 3), ragged([12], 15).reshape(5, 3)
    return [Case("ragged targets", {"mask": first}), Case("another batch", {"mask": _real(rng, 4, 3, 2)}),
            Case("no padding", {"mask": _real(rng, 3, 2, 4, full=True)}),
            Case("one frame a step", {"mask": _real(rng, 6, 5, 1)})]


STOP_DECISION = Exercise(
    "stop-decision", "in which step a target of frames ends",
    "s_t = 1 in an example's last real step, else 0        a step is real if it has a real frame: its first one is",
    "mask  (S, N, r)  True = real frame; r frames are a step, and an example's frames stand without a gap",
    "s  (S, N)  True in each example's last real step: what the score of the stop should say",
    """>>> mask = np.array([[[True, True]], [[True, False]], [[False, False]]])     # three frames in steps of two
>>> print(stop_decision(mask).ravel())
[False  True False]""",
    ("Every example stops exactly once, in a step of its own; a step that is not full counts.",
     "Which steps are real is a mask (S, N); look at the first frame of each.",
     "The last real step is real, and the step behind it is not; behind the last of the S steps nothing is real."),
    _masks, lambda mask: layer.stops(mask))


# the loss --------------------------------------------------------------------------------------------------

def _written(rng):
    cases = []
    for label, (S, N, r, F) in zip(("ragged targets", "another batch"), SIZES):
        cases.append(Case(label, {"y": rng.normal(size=(S, N, r, F)), "f": rng.normal(size=(S, N, r, F)),
                                  "a": rng.normal(size=(S, N)) * 2, "mask": _real(rng, S, N, r)}))
    g = cases[0].inputs
    return [*cases, Case("one frame a step", {**{name: g[name][:, :, :1] for name in "yf"}, "a": g["a"],
                                              "mask": g["mask"][:, :, :1]}),
            Case("sure decisions (|a| near 1000)", {**g, "a": g["a"] * 1000})]


def _out(y, a):
    """What the readout says: a step's frames, and behind them the score of the stop."""
    return np.concatenate([y.reshape(*a.shape, -1), a[:, :, None]], axis=2)


def frame_loss(y, f, a, mask):
    """The library's loss, and its two sums."""
    L, cache = layer.forward(_out(y, a), f.reshape(*a.shape, -1), mask)
    of_frame, decision = layer.parts(cache)
    return of_frame * mask.sum(), decision * mask[:, :, 0].sum(), L


_TAKEN = """y     (S, N, r, F)  frames that are said, r in a step
f     (S, N, r, F)  frames of the target
a     (S, N)        scores of the stop, of any size: p(stop) = sigmoid(a)
mask  (S, N, r)     True = real frame; a step is real if its first frame is"""

FRAME_LOSS = Exercise(
    "frame-loss", "loss of frames and of the decision to stop",
    """(FO1)  E = sum over real frames of sum_j (y_j - f_j)^2 / F
(FO2)  B = sum over real steps of log(1 + exp a) - s a        s = 1 in an example's last real step, else 0
(FO3)  L = (E + B) / M                                        M: how many frames are real""", _TAKEN,
    """E  number  errors of all real frames (FO1)
B  number  nats of all real steps' decisions (FO2)
L  number  loss of a real frame (FO3)""",
    """>>> y, f, a = np.array([[[[1.0, 3.0]]]]), np.array([[[[0.0, 1.0]]]]), np.array([[0.0]])
>>> E, B, L = frame_loss(y, f, a, np.array([[[True]]]))
>>> print(E, round(B, 6), round(L, 6))              # (1 + 4) / 2, log 2
2.5 0.693147 3.193147""",
    ("Three counts: E sums over real frames, B over real steps, and both are divided by the number of real frames.",
     "The exercise stop-decision gives s: import it, from stop_decision import stop_decision.",
     "exp(1000) overflows: for positive a, log(1 + exp a) = a + log(1 + exp(-a)).  np.logaddexp(0, a) knows that."),
    _written, frame_loss)


def frame_loss_backward(y, f, a, mask):
    """The library's backward, in two parts."""
    d = layer.backward(layer.forward(_out(y, a), f.reshape(*a.shape, -1), mask)[1])
    return d[:, :, :-1].reshape(y.shape), d[:, :, -1]


FRAME_LOSS_BACKWARD = Exercise(
    "frame-loss-backward", "gradient of the loss of frames and of the decision to stop",
    """(FO3)  L = (E + B) / M                               (FO3*) dE = dB = 1 / M        M: how many frames are real
(FO2)  B = sum_real log(1 + exp a) - s a             (FO2*) da = (sigmoid(a) - s) dB        at real steps, else 0
(FO1)  E = sum_real sum_j (y_j - f_j)^2 / F          (FO1*) dy = 2 (y - f) dE / F           at real frames, else 0
s = 1 in an example's last real step, else 0""", _TAKEN,
    """dy  (S, N, r, F)  dL/dy (FO1*)
da  (S, N)        dL/da (FO2*)""",
    """>>> y, f, a = np.array([[[[1.0, 3.0]]]]), np.array([[[[0.0, 1.0]]]]), np.array([[0.0]])
>>> dy, da = frame_loss_backward(y, f, a, np.array([[[True]]]))
>>> print(dy.ravel(), da)
[1. 2.] [[-0.5]]""",
    ("Change a padded frame by hand: the loss does not move, so its gradient is 0 there.",
     "In the last real step a should grow, so da is negative there, and positive at every step before.",
     "sigmoid(a) - s is the derivative of log(1 + exp a) - s a as a whole: no derivative of the sigmoid stands there."),
    _written, frame_loss_backward, shared="the mask, s, and 1 / M", computed=("da", "dy"), own_memory=True)


EXERCISES = (STOP_DECISION, FRAME_LOSS, FRAME_LOSS_BACKWARD)
