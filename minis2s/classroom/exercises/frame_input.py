"""Exercises on frames that are read: neighbours stacked into steps, and the matrix in place of an embedding."""
import numpy as np

from ...data.frames import stacked
from ...layers import frame_input as layer
from .exercise import Case, Exercise, lengths, ragged

SIZES = ((5, 4, 3, 6), (4, 3, 7, 2))                    # T, N, F, E of two cases


# neighbours, one step ------------------------------------------------------------------------------------

def _rows(rng):
    return [Case(label, {"fs": rng.normal(size=(T, F)), "k": k}) for label, T, F, k in (
        ("a last step that is not full", 7, 3, 2), ("steps of three frames", 8, 2, 3), ("all steps full", 6, 2, 3),
        ("one frame a step", 4, 3, 1), ("fewer frames than a step has", 2, 3, 5))]


STACK_FRAMES = Exercise(
    "stack-frames", "neighbouring frames side by side, as one step",
    """y_s = [f_{(s-1)k+1}; f_{(s-1)k+2}; ...; f_{sk}]        for s = 1 ... S;  S = T/k rounded up
behind the last frame stand zeros""",
    """fs  (T, F)  frames, one after the other
k   number  how many of them are one step""",
    "ys  (S, D)  steps; D = k F: the first frame's numbers, then the second one's, ...",
    """>>> print(stack_frames(np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), 2))
[[1. 2. 3. 4.]
 [5. 6. 0. 0.]]""",
    ("How many steps are there with T = 7 and k = 2?  No frame is lost, so the division is rounded up.",
     "First make all steps full: S k frames, zeros behind the T that there are.",
     "Frames in order, each with its numbers in order, are already the steps in order: a reshape to (S, k F) is left."),
    _rows, lambda fs, k: stacked(fs, k))


# the matrix in place of an embedding ------------------------------------------------------------------------

def _frames(rng):
    cases = []
    for label, (T, N, F, E) in zip(("ragged sources, zeros at padding", "another batch"), SIZES):
        real = ragged(lengths(rng, T, N), T)
        cases.append(Case(label, {"fs": np.where(real[:, :, None], rng.normal(size=(T, N, F)), 0),
                                  "W": rng.normal(size=(F, E)) * 0.6, "b": rng.normal(size=E)}))
    return cases


FRAME_INPUT = Exercise(
    "frame-input", "a layer's input, made of frames",
    "(E2)  x_t = f_t W + b        for every step of every example; padding has frames of zeros",
    """fs  (T, N, F)  frames
W   (F, E)     weights
b   (E,)       bias""",
    "xs  (T, N, E)  what an embedding gives for tokens (E2)",
    """>>> fs, W = np.array([[[1.0, 2.0]], [[0.0, 0.0]]]), np.array([[1.0], [10.0]])
>>> print(frame_input(fs, W, np.array([0.5])).ravel())
[21.5  0.5]""",
    ("One matrix for all: the same W and b at every step of every example.",
     "The product sums over the F numbers of a frame; b is added once to each of the E numbers that come out.",
     "NumPy's product with an array of three axes works on the last one: no loop is needed, and no mask."),
    _frames, lambda fs, W, b: layer.forward(layer.Params(W, b), fs))


def _frames_back(rng):
    cases = []
    for case in _frames(rng):
        fs, W, _ = case.inputs.values()
        real = (fs != 0).any(axis=2)
        dxs = np.where(real[:, :, None], rng.normal(size=(*fs.shape[:2], W.shape[1])), 0)
        cases.append(Case(case.label, {"fs": fs, "W": W, "dxs": dxs}))
    return cases


def frame_input_backward(fs, W, dxs):
    """The library's backward on plain arrays."""
    dfs, grads = layer.backward(layer.Params(W, np.zeros(W.shape[1])), fs, dxs)
    return dfs, *grads


FRAME_INPUT_BACKWARD = Exercise(
    "frame-input-backward", "backward of a layer's input made of frames",
    """(E2)  x_t = f_t W + b        (E2*)  df_t = dx_t W^T
                                     dW = sum over all t and n of f_t^T dx_t
                                     db = sum over all t and n of dx_t""",
    """fs   (T, N, F)  frames
W    (F, E)     weights
dxs  (T, N, E)  dL/dx_t; 0 at padding already""",
    """dfs  (T, N, F)  dL/df_t: which numbers of which frames mattered (E2*)
dW   (F, E)     dL/dW (E2*)
db   (E,)       dL/db (E2*)""",
    """>>> fs, dxs = np.array([[[1.0, 2.0]], [[3.0, 4.0]]]), np.array([[[1.0]], [[10.0]]])
>>> dfs, dW, db = frame_input_backward(fs, np.array([[5.0], [7.0]]), dxs)
>>> print(dfs.ravel(), dW.ravel(), db)              # dW: 1 * 1 + 3 * 10, 2 * 1 + 4 * 10
[ 5.  7. 50. 70.] [31. 42.] [11.]""",
    ("W and b are used T N times, so their gradients are sums of T N terms; df_t has one term.",
     "Nothing is divided: whoever took a mean, divided there.",
     "With all steps and examples as the rows of one matrix, dW is a single product of (F, T N) with (T N, E)."),
    _frames_back, frame_input_backward, shared="dx_t", computed=("dfs", "dW", "db"), own_memory=True)


EXERCISES = (STACK_FRAMES, FRAME_INPUT, FRAME_INPUT_BACKWARD)
