"""Wrong ways to stack frames, to make a layer's input of them, and to pull its gradient back."""
import numpy as np

from .edited import edits_of
from .mistake import recorder

BANK, wrong = recorder()


# stack-frames --------------------------------------------------------------------------------------------

def stack(fs, k):
    """A right stack of neighbours."""
    T, F = fs.shape
    S = (T + k - 1) // k
    full = np.zeros((S * k, F))
    full[:T] = fs
    return full.reshape(S, k * F)


edits_of(wrong, "stack-frames", stack, (
    ("zeros in front", "", "the zeros stand before the first frame: they belong behind the last one",
     "where the frames are put in the longer array", [("full[:T]", "full[len(full) - T:]")]),
    ("last frame again", "", "behind the end the last frame stands again, in place of zeros",
     "what fills the last step", [("full[:T] = fs", "full[:T], full[T:] = fs, fs[-1]")]),
    ("from the beginning again", "", "behind the end the first frames come again, in place of zeros",
     "what fills the last step: resize repeats", [("full[:T] = fs", "full[:] = np.resize(fs, full.shape)")]),
    ("every k-th frame", "", "a step holds frames that lie S apart: neighbours belong together",
     "the order of the two axes that the frames' axis is cut into",
     [("full.reshape(S, k * F)", "full.reshape(k, S, F).transpose(1, 0, 2).reshape(S, k * F)")]),
    ("number by number", "", "within a step the numbers stand band by band, k times each: frame by frame is wanted",
     "the order of the axes behind the step's",
     [("full.reshape(S, k * F)", "full.reshape(S, k, F).transpose(0, 2, 1).reshape(S, k * F)")]),
    ("later frames first", "", "within a step the frames stand in reverse: the earliest is first",
     "the order of the frames of one step",
     [("full.reshape(S, k * F)", "full.reshape(S, k, F)[:, ::-1].reshape(S, k * F)")]),
    ("one frame k times", "", "a step holds its first frame k times: its neighbours are lost",
     "which frames are put side by side",
     [("full.reshape(S, k * F)", "np.tile(full.reshape(S, k, F)[:, 0], (1, k))")]),
    ("mean of the frames", "", "a step holds the mean of its frames k times: nothing is averaged",
     "whether any sum or mean belongs here",
     [("full.reshape(S, k * F)", "np.tile(full.reshape(S, k, F).mean(axis=1), (1, k))")]),
    ("sliding window", "", "step s begins at frame s: a step begins where the one before has ended, k frames on",
     "the first frame of each step",
     [("full.reshape(S, k * F)",
       "np.concatenate([full, 0 * full])[np.arange(S)[:, None] + np.arange(k)].reshape(S, k * F)")]),
    ("step not full is dropped", "", "the frames of a last step that is not full are lost: zeros stand in their place",
     "how many frames are copied", [("full[:T] = fs", "full[:T // k * k] = fs[:T // k * k]")]),
    ("column by column", "", "the frames are cut column by column (the order of Fortran)",
     "the order in which a reshape reads", [("full.reshape(S, k * F)", 'full.reshape(S, k * F, order="F")')]),
))


# frame-input ---------------------------------------------------------------------------------------------

def read(fs, W, b):
    """A right input of frames."""
    a = fs @ W
    return a + b


edits_of(wrong, "frame-input", read, (
    ("no bias", "(E2)", "b is not added", "the end of (E2)", [("a + b", "a")]),
    ("sign of the bias", "(E2)", "b is taken away: it is added", "the sign of b", [("a + b", "a - b")]),
    ("bias for each number", "(E2)", "b is added F times, once for each number of the frame",
     "whether b stands inside the sum over the frame's numbers", [("a + b", "a + fs.shape[2] * b")]),
    ("tanh", "(E2)", "a tanh is taken: the input of a layer is linear in the frame", "what stands around f_t W + b",
     [("return a + b", "return np.tanh(a + b)")]),
    ("mean over the numbers", "(E2)", "the product is a mean over the frame's F numbers: it is their sum",
     "sum or mean", [("fs @ W", "fs @ W / fs.shape[2]")]),
    ("root of F", "(E2)", "the product is divided by the root of F, as scores of attention are",
     "whether anything is divided", [("fs @ W", "fs @ W / np.sqrt(fs.shape[2])")]),
    ("padding is zero", "(E2)", "padding is set to 0: x_t = b there, and the mask of the layers above keeps it out",
     "what is done where a frame is zero", [("return a + b", "return (a + b) * fs.any(axis=2)[:, :, None]")]),
    ("one column of the bias", "(E2)", "one number of b is added everywhere: column e has a number of its own",
     "the index of b", [("a + b", "a + b[0]")]),
))


# frame-input-backward ------------------------------------------------------------------------------------

def read_back(fs, W, dxs):
    """A right backward of an input of frames."""
    T, N, F = fs.shape
    dfs = dxs @ W.T
    dW = np.einsum("tnf,tne->fe", fs, dxs)
    db = dxs.sum(axis=(0, 1))
    return dfs, dW, db


edits_of(wrong, "frame-input-backward", read_back, (
    ("dW of t = 1", "(E2*)", "only dW is wrong: it is the part of the last step that was written, t = 1: "
     "the sum over the steps is missing", "= or += for dW, in a loop that runs backward",
     [('np.einsum("tnf,tne->fe", fs, dxs)', "fs[0].T @ dxs[0]")]),
    ("dW of t = T", "(E2*)", "only dW is wrong: it is the part of the last step alone", "= or += for dW",
     [('np.einsum("tnf,tne->fe", fs, dxs)', "fs[-1].T @ dxs[-1]")]),
    ("mixed examples", "(E2*)", "only dW is wrong: the rows of frames and of gradients are in different orders, "
     "one time first, one batch first", "the axes before both are made rows",
     [('np.einsum("tnf,tne->fe", fs, dxs)', "fs.swapaxes(0, 1).reshape(-1, F).T @ dxs.reshape(T * N, -1)")]),
    ("sums before the product", "(E2*)", "only dW is wrong: frames and gradients are summed first, and then multiplied",
     "product first, sum behind it",
     [('np.einsum("tnf,tne->fe", fs, dxs)', "np.outer(fs.sum((0, 1)), dxs.sum((0, 1)))")]),
    ("dW over the batch", "(E2*)", "only dW is wrong: it is divided by N; who took a mean, divided there",
     "whether anything is divided", [('fs, dxs)', "fs, dxs) / N")]),
    ("dW over the steps", "(E2*)", "only dW is wrong: it is divided by T; W is used at every step, and all uses count",
     "whether anything is divided by T", [('fs, dxs)', "fs, dxs) / T")]),
    ("db mean", "(E2*)", "only db is wrong: it is the mean over steps and examples, wanted is the sum",
     "sum or mean for db", [("dxs.sum(axis=(0, 1))", "dxs.mean(axis=(0, 1))")]),
    ("db of t = 1", "(E2*)", "only db is wrong: it is the part of the first step alone: the sum over the steps is "
     "missing", "= or += for db", [("dxs.sum(axis=(0, 1))", "dxs[0].sum(axis=0)")]),
    ("db of one example", "(E2*)", "only db is wrong: it sums over the steps of the first example alone",
     "the sum over n", [("dxs.sum(axis=(0, 1))", "dxs[:, 0].sum(axis=0)")]),
    ("db over the batch", "(E2*)", "only db is wrong: it is divided by N", "sum or mean over n",
     [("dxs.sum(axis=(0, 1))", "dxs.sum(axis=(0, 1)) / N")]),
    ("dfs summed over time", "(E2*)", "only dfs is wrong: it is summed over the steps; a frame is used once",
     "which gradients are sums", [("dxs @ W.T", "np.broadcast_to((dxs @ W.T).sum(axis=0), fs.shape).copy()")]),
    ("dfs at zero frames", "(E2*)", "only dfs is wrong: it is multiplied by the frames",
     "which factor of f_t W is left when f_t is taken away", [("dxs @ W.T", "(dxs @ W.T) * fs")]),
    ("sign", "(E2*)", "every gradient has the wrong sign", "where a minus stands",
     [("return dfs, dW, db", "return -dfs, -dW, -db")]),
))
