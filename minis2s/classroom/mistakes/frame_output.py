"""Wrong decisions to stop, losses of frames, and gradients of both."""
import numpy as np

from .edited import edits_of
from .mistake import recorder

BANK, wrong = recorder()


# stop-decision -------------------------------------------------------------------------------------------

def stops(mask):
    """The right steps."""
    real = mask[:, :, 0]
    behind = np.concatenate([real[1:], np.zeros_like(real[:1])])
    return real & ~behind


edits_of(wrong, "stop-decision", stops, (
    ("last row", "", "every example stops in the last of the S steps: each ends in a step of its own",
     "the step of a short example",
     [("return real & ~behind", "return np.arange(len(mask))[:, None] + 0 * real == len(mask) - 1")]),
    ("every real step", "", "s is 1 in every real step: only the last one of them is the end", "what ends a target",
     [("return real & ~behind", "return real.copy()")]),
    ("every step but the last", "", "s is turned within the real steps: it is 1 in all of them but the last",
     "which of the two a stop is", [("return real & ~behind", "return real & behind")]),
    ("one step late", "", "s is 1 in the first padded step: one step late, and the longest example never stops",
     "whether the step that is marked is still real",
     [("return real & ~behind", "return ~real & np.concatenate([0 * real[:1] > 0, real[:-1]])")]),
    ("one step early", "", "s is 1 in the last real step but one",
     "how many steps there are, and where Python begins to count",
     [("return real & ~behind", "return np.concatenate([(real & ~behind)[1:], 0 * real[:1] > 0])")]),
    ("padding", "", "s is 1 at padding: a stop is a real step", "True = real",
     [("return real & ~behind", "return ~real")]),
    ("full steps only", "", "a last step that is not full is left out: it is real, and the end is there",
     "which of a step's frames says that it is real", [("mask[:, :, 0]", "mask.all(axis=2)")]),
    ("steps not full", "", "s is 1 where a step is not full: an example whose last step is full never stops",
     "examples whose number of frames is a multiple of r",
     [("return real & ~behind", "return real & ~mask.all(axis=2)")]),
    ("longest never stops", "", "an example without padding never stops: its last step is followed by a real one",
     "what stands behind the last of the S steps: roll joins both ends",
     [("np.concatenate([real[1:], np.zeros_like(real[:1])])", "np.roll(real, -1, axis=0)")]),
))


# frame-loss ----------------------------------------------------------------------------------------------

def loss(y, f, a, mask):
    """A right loss of frames."""
    e, F = y - f, y.shape[3]
    of_frame = (e * e).sum(axis=3) / F
    E = np.where(mask, of_frame, 0).sum()
    real = mask[:, :, 0]
    stop = real & ~np.concatenate([real[1:], np.zeros_like(real[:1])])
    cost = np.logaddexp(0, a) - stop * a
    B = np.where(real, cost, 0).sum()
    M = mask.sum()
    L = (E + B) / M
    return E, B, L


STOP = "real & ~np.concatenate([real[1:], np.zeros_like(real[:1])])"
WHEN = (                                                        # s, in the loss and in its gradient
    ("stop never said", "s is 1 in no real step: it is missing, or one step late, at padding, which does not count",
     "where s enters; and exercise stop-decision",
     [(STOP, "~real & np.concatenate([0 * real[:1] > 0, real[:-1]])")]),
    ("stop one step early", "s is 1 in the last real step but one", "exercise stop-decision",
     [(STOP, "np.concatenate([(real & ~np.concatenate([real[1:], 0 * real[:1] > 0]))[1:], 0 * real[:1] > 0])")]),
    ("stop in the last row", "s is 1 in the last of the S steps: each example ends in a step of its own",
     "exercise stop-decision", [(STOP, "np.arange(len(mask))[:, None] + 0 * real == len(mask) - 1")]),
    ("stop at every real step", "s is 1 in every real step: only the last one of them is the end",
     "exercise stop-decision", [(STOP, "real")]),
    ("stop turned", "s is turned: 1 where it should be 0", "which of the two a stop is",
     [(STOP, "~(" + STOP + ")")]),
    ("full steps only", "a last step that is not full is not counted: it is real, and the end is there",
     "which of a step's frames says that it is real", [("mask[:, :, 0]", "mask.all(axis=2)")]),
)

edits_of(wrong, "frame-loss", loss, (
    *((name, "(FO2)", f"E is right; {says}", look, edits) for name, says, look, edits in WHEN),
    ("mean over padding too", "(FO3)", "padding counts: padded frames and steps are in the sums, and in M",
     "where the mask enters", [("np.where(mask, of_frame, 0)", "of_frame"), ("np.where(real, cost, 0)", "cost"),
                               ("mask.sum()", "mask.size")]),
    ("padded frames in E", "(FO1)", "B is right; the errors of padded frames are in E", "the mask in E",
     [("np.where(mask, of_frame, 0)", "of_frame")]),
    ("padded frames of real steps", "(FO1)", "B is right; in a last step that is not full, its padded frames are in E",
     "the mask of E: one of frames, not of steps", [("np.where(mask, of_frame", "np.where(mask[:, :, :1], of_frame")]),
    ("padded steps in B", "(FO2)", "E is right; the decisions of padded steps are in B", "the mask in B",
     [("np.where(real, cost, 0)", "cost")]),
    ("no 1/F", "(FO1)", "B is right; the 1/F is missing in E: it is F times too big", "the 1/F of the equation",
     [("(e * e).sum(axis=3) / F", "(e * e).sum(axis=3)")]),
    ("mean over the frames of a step", "(FO1)", "B is right; E is divided by r F in place of F",
     "what E is divided by: the numbers of one frame", [("/ F", "/ (F * mask.shape[2])")]),
    ("absolute error", "(FO1)", "B is right; E sums |y - f|: that is the library's other error, not the squared one",
     "(FO1)", [("(e * e)", "np.abs(e)")]),
    ("half the square", "(FO1)", "B is right; E holds half the squares", "a factor 1/2 that (FO1) does not have",
     [("(e * e)", "(0.5 * e * e)")]),
    ("root of the square", "(FO1)", "B is right; a root is taken of each frame's error", "(FO1)",
     [("(e * e).sum(axis=3) / F", "np.sqrt((e * e).sum(axis=3) / F)")]),
    ("sign of s a", "(FO2)", "E is right; s a is added: it is taken away", "the sign in (FO2)",
     [("- stop * a", "+ stop * a")]),
    ("no shift", "(FO2)", "E is right; exp overflows at great scores", "log(1 + exp a) at a = 1000",
     [("np.logaddexp(0, a)", "np.log(1 + np.exp(a))")]),
    ("decision for each frame", "(FO2)", "E is right; a step's decision is counted once for each of its frames",
     "which mask B has: one of steps", [("np.where(real, cost, 0)", "np.where(mask, cost[:, :, None], 0)")]),
    ("divided by S N r", "(FO3)", "E and B are right; L is divided by S N r in place of the number of real frames",
     "M: the sum of the mask", [("mask.sum()", "mask.size")]),
    ("divided by S N", "(FO3)", "E and B are right; L is divided by S N in place of the number of real frames",
     "M: the sum of the mask", [("mask.sum()", "real.size")]),
    ("M counts steps", "(FO3)", "E and B are right; M counts the real steps: wanted are the real frames",
     "M: the sum of which mask", [("mask.sum()", "real.sum()")]),
    ("each part by its own count", "(FO3)", "E and B are right; B is divided by the steps, E by the frames",
     "the same M for both", [("(E + B) / M", "E / M + B / real.sum()")]),
    ("divided by N", "(FO3)", "E and B are right; L is divided by the number of examples", "M",
     [("mask.sum()", "mask.shape[1]")]),
    ("sum", "(FO3)", "E and B are right; L is their sum: the division by M is missing", "the 1/M", [(" / M", "")]),
))


# frame-loss-backward -------------------------------------------------------------------------------------

def back(y, f, a, mask):
    """A right gradient of the loss of frames."""
    e, F = y - f, y.shape[3]
    real = mask[:, :, 0]
    stop = real & ~np.concatenate([real[1:], np.zeros_like(real[:1])])
    M = mask.sum()
    dE, dB = 1 / M, 1 / M
    p = 0.5 + 0.5 * np.tanh(0.5 * a)
    da = np.where(real, (p - stop) * dB, 0)
    dy = 2 * e * dE / F
    dy = np.where(mask[:, :, :, None], dy, 0)
    return dy, da


edits_of(wrong, "frame-loss-backward", back, (
    *((name, "(FO2*)", f"dy is right; {says}", look, edits) for name, says, look, edits in WHEN),
    ("sign of da", "(FO2*)", "only da is wrong: its sign is turned, s - p(stop) in place of p(stop) - s",
     "which way a should go in the last step", [("(p - stop)", "(stop - p)")]),
    ("sign of dy", "(FO1*)", "only dy is wrong: its sign is turned, f - y in place of y - f", "which is subtracted",
     [("e, F = y - f", "e, F = f - y")]),
    ("da at padding", "(FO2*)", "only da is wrong: it is not 0 at padded steps", "the mask in da",
     [("np.where(real, (p - stop) * dB, 0)", "(p - stop) * dB")]),
    ("dy at padding", "(FO1*)", "only dy is wrong: it is not 0 at padded frames", "the mask in dy",
     [("dy = np.where(mask[:, :, :, None], dy, 0)", "pass")]),
    ("dy at padding of real steps", "(FO1*)", "only dy is wrong: in a last step that is not full, it is not 0 at the "
     "padded frames", "the mask in dy: one of frames, not of steps",
     [("mask[:, :, :, None]", "real[:, :, None, None]")]),
    ("no mask", "(FO1*)", "neither dy nor da is 0 at padding: the mask is not used", "the mask in both",
     [("np.where(real, (p - stop) * dB, 0)", "(p - stop) * dB"),
      ("dy = np.where(mask[:, :, :, None], dy, 0)", "pass")]),
    ("no 1/F", "(FO1*)", "only dy is wrong: the 1/F is missing", "the 1/F of (FO1)", [("dE / F", "dE")]),
    ("divided by r F", "(FO1*)", "only dy is wrong: it is divided by r F in place of F", "the numbers of one frame",
     [("dE / F", "dE / F / y.shape[2]")]),
    ("no 2", "(FO1*)", "only dy is wrong: the 2 of the square's derivative is missing", "the derivative of e^2",
     [("2 * e", "e")]),
    ("sign of e", "(FO1*)", "only dy is wrong: it is made of the sign of y - f, the gradient of the absolute error",
     "(FO1*)", [("2 * e", "np.sign(e)")]),
    ("sigmoid's derivative", "(FO2*)", "only da is wrong: the sigmoid's derivative p (1-p) is multiplied in",
     "what log(1 + exp a) - s a has as its derivative", [("(p - stop) * dB", "(p - stop) * p * (1 - p) * dB")]),
    ("score for p", "(FO2*)", "only da is wrong: the score a stands where sigmoid(a) belongs", "(FO2*)",
     [("(p - stop)", "(a - stop)")]),
    ("no 1/M", "(FO3*)", "both gradients are M times too big: 1/M is missing", "(FO3*)",
     [("1 / M, 1 / M", "1, 1")]),
    ("no 1/M in da", "(FO3*)", "only da is wrong: 1/M is missing there", "(FO3*)", [("1 / M, 1 / M", "1 / M, 1")]),
    ("no 1/M in dy", "(FO3*)", "only dy is wrong: 1/M is missing there", "(FO3*)", [("1 / M, 1 / M", "1, 1 / M")]),
    ("da over the steps", "(FO3*)", "only da is wrong: it is divided by the number of real steps, wanted is that of "
     "the real frames", "the same M for both", [("1 / M, 1 / M", "1 / M, 1 / real.sum()")]),
    ("M counts steps", "(FO3*)", "both gradients are too big: M counts the real steps, wanted are the real frames",
     "M: the sum of which mask", [("mask.sum()", "real.sum()")]),
    ("divided by S N", "(FO3*)", "both gradients are divided by S N in place of the number of real frames", "M",
     [("mask.sum()", "real.size")]),
    ("divided by S N r", "(FO3*)", "both gradients are too small: divided by S N r in place of the number of real "
     "frames", "M", [("mask.sum()", "mask.size")]),
))
