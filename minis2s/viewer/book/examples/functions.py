"""Maps without parameters, numerical derivatives, first weights."""
import numpy as np

from ....core import functions as maps, gradient_check, initializers
from ....testing import oracle
from .example import Example, normal


def draw(rng, N):
    """A row of numbers for each map."""
    return {name: normal(rng, N, 3) for name in ("a_sigmoid", "a_tanh", "a_softmax", "a_log")}


def live(v):
    """Each map by the oracle."""
    return {"y_sigmoid": [[oracle.sigmoid(a) for a in v["a_sigmoid"][0]]],
            "y_tanh": [[oracle.tanh_(a) for a in v["a_tanh"][0]]],
            "p": [oracle.softmax(v["a_softmax"][0])], "l": [oracle.log_softmax(v["a_log"][0])]}


def forward(v):
    """Each map by the library."""
    y = {"y_sigmoid": maps.SIGMOID.f(v["a_sigmoid"]), "y_tanh": maps.TANH.f(v["a_tanh"]),
         "p": maps.softmax(v["a_softmax"]), "l": maps.log_softmax(v["a_log"])}
    return y, y


def backward(v, y, d):
    """Their derivatives."""
    return {"a_sigmoid": d["y_sigmoid"] * maps.SIGMOID.df(y["y_sigmoid"]),
            "a_tanh": d["y_tanh"] * maps.TANH.df(y["y_tanh"]),
            "a_softmax": maps.softmax_backward(y["p"], d["p"]), "a_log": maps.log_softmax_backward(y["l"], d["l"])}


def smooth(w):
    """w³ / (1 + w²): a function whose derivative nobody needs to know."""
    return w * w * w / (1 + w * w)


def live_slopes(v):
    """Numerical derivatives of w³ / (1 + w²)."""
    def smooth(w):
        return w * w * w / (1 + w * w)
    return {"exact": [oracle.complex_step(smooth, w) for w in v["w"]],
            "near": [oracle.central_difference(smooth, w, 0.1) for w in v["w"]]}


def slopes(v):
    """The same by the library."""
    return {"exact": gradient_check.complex_step(lambda w: smooth(w).sum(), v["w"]),
            "near": gradient_check.central_difference(lambda w: smooth(w).sum(), v["w"], h=0.1)}, None


def live_first(v):
    """The bound of first weights, and an orthogonal matrix made of random numbers."""
    return {"bound": [oracle.glorot_bound(3, 2)], "Q": oracle.orthogonal(v["A"])}


class Given:
    """In place of a random generator: `uniform` gives its upper limit, `normal` gives A."""

    def __init__(self, A):
        self.A = A

    def uniform(self, low, high, size):
        """The limit itself."""
        return np.full(size, high)

    def normal(self, size):
        """The numbers given."""
        return self.A[:size[0], :size[1]]


def first(v):
    """The same by the library."""
    given = Given(v["A"])
    return {"bound": initializers.glorot(given, 3, 2)[0, :1], "Q": initializers.orthogonal(given, len(v["A"]))}, None


EXAMPLES = (
    Example("functions", draw, live, forward, backward,
            also={"(F1)": {"y": "y_sigmoid"}, "(F1*)": {"da": "da_sigmoid"}, "(F2)": {"y": "y_tanh"},
                  "(F2*)": {"da": "da_tanh"}, "(F3)": {"p": "p"}, "(F3*)": {"da": "da_softmax"}, "(F4)": {"l": "l"},
                  "(F4*)": {"da": "da_log"}}),
    Example("gradient_check", lambda rng, N: {"w": normal(rng, 3)}, live_slopes, slopes, None,
            also={"(N1)": {"dw": "exact"}, "(N2)": {"dw": "near"}}, plain=True),
    Example("initializers", lambda rng, N: {"A": normal(rng, 2, 2)}, live_first, first, None,
            also={"(I1)": {"bound": "bound"}, "(I2)": {"Q": "Q"}}),
)
