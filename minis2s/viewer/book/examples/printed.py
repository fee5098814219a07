"""The documents' formulas as printed."""
import numpy as np

from ....documents.printed import a as page_a, b as page_b, c as page_c, d as page_d
from ....layers import linear
from ....layers.cells import rnn
from ....testing import oracle
from ..live.source import blocks
from .example import Example, normal

D, H, T = 3, 2, 3


def a4_2(v):
    """A4.2: the input is the word to be found, and the logits are the state's own sum."""
    s, p = oracle.a4_2_printed(v["W_d"], v["y"][0], v["s_prev"][0])
    return {"s": [s], "p": [p]}


def a4_2_forward(v):
    """The library's."""
    s, p, k = page_a.step(page_a.Params(v["W_d"]), v["y"], v["s_prev"])
    return {"s": s, "p": p}, k


def a4_2_backward(v, k, d):
    """Its derivative."""
    dy, ds, g = page_a.step_backward(page_a.Params(v["W_d"]), k, d["s"], d["p"])
    return {"W_d": g.W_d, "y": dy, "s_prev": ds}


def a4_4(v):
    """A4.4: s_0 = 0, whatever the source says."""
    hs, ss, ps, _ = oracle.a4_4(v["W_e"], v["W_d"], [x[0] for x in v["xs"]], [y[0] for y in v["ys"]], [0.0, 0.0],
                                [0.0, 0.0])
    return {"hs": [[h] for h in hs], "ss": [[s] for s in ss], "ps": [[p] for p in ps]}


def a4_4_forward(v):
    """The library's."""
    hs, ss, ps, k = page_a.example(page_a.Example(v["W_e"], page_a.Params(v["W_d"])), v["xs"], v["ys"])
    return {"hs": hs, "ss": ss, "ps": ps, "s_0": np.zeros_like(hs[0])}, k


def a4_4_backward(v, k, d):
    """Its derivative."""
    p = page_a.Example(v["W_e"], page_a.Params(v["W_d"]))
    dxs, dys, g = page_a.example_backward(p, k, d["hs"], d["ss"], d["ps"])
    return {"W_e": g.W_e, "W_d": g.decoder.W_d, "xs": dxs, "ys": dys}


def b4_2e(v):
    """B4.2e: the encoder's candidate does not see x."""
    W, U, b = blocks(v["W"], "ifo"), blocks(v["U"], "ifgo"), blocks(v["b"], "ifgo")
    h, c = oracle.b4_2e_printed(W, U, b, v["x"][0], v["h_prev"][0], v["c_prev"][0])
    return {"h": [h], "c": [c]}


def b4_2d(v):
    """B4.2d: the decoder's candidate does not see s of the step before."""
    W, U, b = blocks(v["W"], "ifgo"), blocks(v["U"], "ifo"), blocks(v["b"], "ifgo")
    h, c = oracle.b4_2d_printed(W, U, b, v["x"][0], v["h_prev"][0], v["c_prev"][0])
    return {"h": [h], "c": [c]}


def c3_1g(v):
    """C3.1G: z and r gate the wrong things."""
    W, b = blocks(v["W_zr"], "zr"), blocks(v["b_zr"], "zr")
    W["n"], b["n"] = v["W"], v["b"]
    return {"h": [oracle.c3_1g_printed(W, b, v["x"][0], v["h_prev"][0])]}


def step(name, live, State, Params, page_step, page_back, shapes):
    """One step of a printed cell."""
    def draw(rng, N):
        return {"x": normal(rng, N, shapes["x"]), **{f"{s}_prev": normal(rng, N, H) for s in State._fields},
                **{key: normal(rng, *shapes[key]) for key in Params._fields}}

    def parts(v):
        return (Params(*(v[key] for key in Params._fields)), v["x"],
                State(*(v[f"{s}_prev"] for s in State._fields)))

    def forward(v):
        s, k = page_step(*parts(v))
        return s._asdict(), k

    def backward(v, k, d):
        dx, ds, g = page_back(parts(v)[0], k, State(**d))
        return {"x": dx, **{f"{s}_prev": a for s, a in ds._asdict().items()}, **g._asdict()}
    return Example(name, draw, live, forward, backward)


def b4_2a(v):
    """B4.2a at t = 2: one v for all positions."""
    hs = [h[0] for h in v["hs"]]
    return {"alpha": [[a] for a in oracle.b4_2a_printed(v["s"][0], hs, v["W_a"], 1)]}


def b4_2a_forward(v):
    """The library's."""
    alpha, k = page_b.attend(page_b.AttentionParams(v["W_a"]), v["s"], v["hs"], 1)
    return {"alpha": alpha}, k


def b4_2a_backward(v, k, d):
    """Its derivative."""
    ds, dhs, g = page_b.attend_backward(page_b.AttentionParams(v["W_a"]), v["hs"], k, d["alpha"])
    return {"s": ds, "hs": dhs, "W_a": g.W_a}


def c2_2(v):
    """C2.2: a network without a state."""
    return {"p": [oracle.c2_2_printed(v["W"], v["b"], v["W_y"], v["b_y"], v["y_prev"][0], v["h"][0])]}


def c2_2_params(v):
    """DecoderParams."""
    return page_c.DecoderParams(linear.Params(v["W"], v["b"]), linear.Params(v["W_y"], v["b_y"]))


def c2_2_forward(v):
    """The library's."""
    p, k = page_c.decoder_step(c2_2_params(v), v["y_prev"], v["h"])
    return {"p": p}, k


def c2_2_backward(v, k, d):
    """Its derivative."""
    dy, dh, g = page_c.decoder_step_backward(c2_2_params(v), k, d["p"], H)
    return {"y_prev": dy, "h": dh, "W": g.hidden.W, "b": g.hidden.b, "W_y": g.readout.W, "b_y": g.readout.b}


def d3_2(v):
    """D3.2: the decoder's input is the encoder's state."""
    s, ss = v["s_0"][0], []
    for h in v["hs"]:
        s = oracle.d3_2_printed(lambda x, h: oracle.rnn_step(v["W"], v["U"], v["b"], x, h), h[0], s)
        ss.append([s])
    return {"ss": ss}


def d3_2_forward(v):
    """The library's."""
    ss, k = page_d.decode(rnn.Params(v["W"], v["U"], v["b"]), v["hs"], rnn.State(v["s_0"]), len(v["hs"]))
    return {"ss": ss}, k


def d3_2_backward(v, k, d):
    """Its derivative."""
    dhs, ds, g = page_d.decode_backward(rnn.Params(v["W"], v["U"], v["b"]), v["hs"], k, d["ss"])
    return {"hs": dhs, "s_0": ds.h, **g._asdict()}


def d3_3_each(v):
    """D3.3, each t by itself: every weight is 1."""
    return {"a": [[oracle.d3_3_printed(s[0], h[0], v["W_s"], v["W_h"], v["v"])]
                  for s, h in zip(v["ss"], v["hs"])]}


def d3_3_over(v):
    """D3.3, softmax over t."""
    a = oracle.d3_3_printed_over_t([s[0] for s in v["ss"]], [h[0] for h in v["hs"]], v["W_s"], v["W_h"], v["v"])
    return {"a": [[x] for x in a]}


def weights(name, live, over_t):
    """The library's reading of D3.3."""
    def draw(rng, N):
        return {"ss": normal(rng, T, N, H), "hs": normal(rng, T, N, H), "W_s": normal(rng, H, 2),
                "W_h": normal(rng, H, 2), "v": normal(rng, 2)}

    def forward(v):
        a, k = page_d.weights(page_d.Params(v["W_s"], v["W_h"], v["v"]), v["ss"], v["hs"], over_t)
        return {"a": a}, k

    def backward(v, k, d):
        dss, dhs, g = page_d.weights_backward(page_d.Params(v["W_s"], v["W_h"], v["v"]), k, d["a"], over_t)
        return {"ss": dss, "hs": dhs, "W_s": g.W_s, "W_h": g.W_h, "v": g.v}
    return Example(name, draw, live, forward, backward)


EXAMPLES = (
    Example("A4.2", lambda rng, N: {"y": normal(rng, N, D), "s_prev": normal(rng, N, H),
                                    "W_d": normal(rng, D + H, H)}, a4_2, a4_2_forward, a4_2_backward),
    Example("A4.4", lambda rng, N: {"xs": normal(rng, 2, N, D), "ys": normal(rng, 2, N, D),
                                    "W_e": normal(rng, D + H, H), "W_d": normal(rng, D + H, H)},
            a4_4, a4_4_forward, a4_4_backward, silent=("s_0",),
            also={"(PA4)": {"s_0": "s_0"}, "(PA4*)": {"dW_e": "dW_e"}}),
    step("B4.2e", b4_2e, page_b.State, page_b.EncoderParams, page_b.encoder_step, page_b.encoder_step_backward,
         {"x": D, "W": (D, 3 * H), "U": (H, 4 * H), "b": (4 * H,)}),
    step("B4.2d", b4_2d, page_b.State, page_b.DecoderParams, page_b.decoder_step, page_b.decoder_step_backward,
         {"x": H, "W": (H, 4 * H), "U": (H, 3 * H), "b": (4 * H,)}),
    Example("B4.2a", lambda rng, N: {"s": normal(rng, N, D), "hs": normal(rng, T, N, H),
                                     "W_a": normal(rng, D + H, H)}, b4_2a, b4_2a_forward, b4_2a_backward),
    Example("C2.2", lambda rng, N: {"y_prev": normal(rng, N, D), "h": normal(rng, N, H), "W": normal(rng, D + H, 2),
                                    "b": normal(rng, 2), "W_y": normal(rng, 2, 3), "b_y": normal(rng, 3)},
            c2_2, c2_2_forward, c2_2_backward),
    step("C3.1G", c3_1g, page_c.State, page_c.GruParams, page_c.gru_step, page_c.gru_step_backward,
         {"x": H, "W_zr": (2 * H, 2 * H), "b_zr": (2 * H,), "W": (H, H), "b": (H,)}),
    Example("D3.2", lambda rng, N: {"hs": normal(rng, 2, N, D), "s_0": normal(rng, N, H), "W": normal(rng, D, H),
                                    "U": normal(rng, H, H), "b": normal(rng, H)}, d3_2, d3_2_forward, d3_2_backward),
    weights("D3.3 each t", d3_3_each, False), weights("D3.3 over t", d3_3_over, True),
)
