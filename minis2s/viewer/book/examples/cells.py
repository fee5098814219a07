"""Recurrent cells, the time loop, and the small layers around them."""
import numpy as np

from ....layers import dropout, embedding, frame_input, linear, unroll
from ....layers.cells import CELLS, rnn as rnn_page
from ....testing import oracle
from ..live.source import blocks
from .example import Example, normal

D, H, T = 3, 2, 3


def rnn(v):
    """One step of the plain RNN."""
    return {"h": [oracle.rnn_step(v["W"], v["U"], v["b"], v["x"][0], v["h_prev"][0])]}


def lstm(v):
    """One step of the LSTM."""
    W, U, b = (blocks(v[name], "ifgo") for name in ("W", "U", "b"))
    h, c = oracle.lstm_step(W, U, b, v["x"][0], v["h_prev"][0], v["c_prev"][0])
    return {"h": [h], "c": [c]}


def gru(v):
    """One step of the GRU, reset before the product."""
    W, U, b = (blocks(v[name], "zrn") for name in ("W", "U", "b"))
    return {"h": [oracle.gru_step(W, U, b, v["x"][0], v["h_prev"][0])]}


def gru_after(v):
    """One step of the GRU, reset after the product."""
    W, U, b = (blocks(v[name], "zrn") for name in ("W", "U", "b"))
    return {"h": [oracle.gru_after_step(W, U, b, v["b_U"], v["x"][0], v["h_prev"][0])]}


def cell(name, live):
    """One step of a cell of the library."""
    page = CELLS[name]

    def draw(rng, N):
        p = page.init(rng, D, H)
        return {"x": normal(rng, N, D), **{f"{s}_prev": normal(rng, N, H) for s in page.State._fields},
                **{key: normal(rng, *a.shape) for key, a in p._asdict().items()}}

    def parts(v):
        p = page.Params(*(v[key] for key in page.Params._fields))
        return p, v["x"], page.State(*(v[f"{s}_prev"] for s in page.State._fields))

    def forward(v):
        s, k = page.step(*parts(v))
        return s._asdict(), k

    def backward(v, k, d):
        dx, ds, g = page.step_backward(parts(v)[0], k, page.State(**d))
        return {"x": dx, **{f"{s}_prev": a for s, a in ds._asdict().items()}, **g._asdict()}
    return Example(name, draw, live, forward, backward)


def over_time(v):
    """A plain RNN over three steps, of which the last is padding."""
    def step(x, h):
        return oracle.rnn_step(v["W"], v["U"], v["b"], x, h)
    states, last = oracle.unroll(step, [x[0] for x in v["xs"]], v["s_0"][0], [True, True, False])
    return {"hs": [[h] for h in states], "s": [last]}


def mask(N):
    """Two of three steps are real, for a second example all."""
    return np.arange(T)[:, None] < np.array([2, 3, 1])[:N]


def draw_loop(rng, N):
    """Parameters, inputs and first state."""
    return {"xs": normal(rng, T, N, D), "s_0": normal(rng, N, H), "W": normal(rng, D, H), "U": normal(rng, H, H),
            "b": normal(rng, H)}


def loop(v):
    """The library's time loop."""
    p, N = rnn_page.Params(v["W"], v["U"], v["b"]), v["xs"].shape[1]
    hs, s, k = unroll.forward(rnn_page, p, v["xs"], rnn_page.State(v["s_0"]), mask(N))
    return {"hs": hs, "s": s.h}, k


def loop_back(v, k, d):
    """Backpropagation through time."""
    p, N = rnn_page.Params(v["W"], v["U"], v["b"]), v["xs"].shape[1]
    dxs, ds, g = unroll.backward(rnn_page, p, k, d["hs"], rnn_page.State(d["s"]), mask(N))
    return {"xs": dxs, "s_0": ds.h, **g._asdict()}


IDS = np.array([[2], [0]])


def embed(v):
    """Two tokens, 2 and 0, looked up."""
    return {"x": [[oracle.embed(v["E"], 2)], [oracle.embed(v["E"], 0)]]}


def product(v):
    """A linear layer."""
    return {"y": [oracle.linear(v["W"], v["b"], v["x"][0])]}


def linear_back(v, k, d):
    """Its derivative."""
    dx, g = linear.backward(linear.Params(v["W"], v["b"]), v["x"], d["y"])
    return {"x": dx, "W": g.W, "b": g.b}


def frames(v):
    """Two frames of three numbers."""
    return {"xs": [[oracle.frame_input(v["W"], v["b"], f[0])] for f in v["fs"]]}


def frames_back(v, k, d):
    """Its derivative."""
    dfs, g = frame_input.backward(frame_input.Params(v["W"], v["b"]), v["fs"], d["xs"])
    return {"fs": dfs, "W": g.W, "b": g.b}


M = np.array([[2.0, 0.0, 2.0], [0.0, 2.0, 2.0], [2.0, 2.0, 0.0]])


def dropped(v):
    """The second of three units is dropped."""
    return {"y": [oracle.dropout(v["x"][0], [2.0, 0.0, 2.0])]}


EXAMPLES = (
    Example("embedding", lambda rng, N: {"E": normal(rng, 4, D)}, embed,
            lambda v: ({"x": embedding.forward(v["E"], IDS)}, None),
            lambda v, k, d: {"E": embedding.backward(v["E"], IDS, d["x"])}),
    Example("frame_input", lambda rng, N: {"fs": normal(rng, 2, N, D), "W": normal(rng, D, H), "b": normal(rng, H)},
            frames, lambda v: ({"xs": frame_input.forward(frame_input.Params(v["W"], v["b"]), v["fs"])}, None),
            frames_back),
    Example("linear", lambda rng, N: {"x": normal(rng, N, D), "W": normal(rng, D, H), "b": normal(rng, H)}, product,
            lambda v: ({"y": linear.forward(linear.Params(v["W"], v["b"]), v["x"])}, None), linear_back),
    Example("dropout", lambda rng, N: {"x": normal(rng, N, 3)}, dropped,
            lambda v: ({"y": dropout.forward(v["x"], M[:len(v["x"])])}, None),
            lambda v, k, d: {"x": dropout.backward(d["y"], M[:len(v["x"])])}),
    cell("rnn", rnn), cell("lstm", lstm), cell("gru", gru), cell("gru-after", gru_after),
    Example("unroll", draw_loop, over_time, loop, loop_back),
)
