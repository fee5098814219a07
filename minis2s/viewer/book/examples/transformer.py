"""The parts of the Transformer, and the whole of a tiny one."""
import numpy as np

from ....core import tree
from ....data.batches import make_batch
from ....layers import feed_forward, layer_norm, linear, positions, residual
from ....layers.attention import multi_head, scaled_dot_product
from ....model import transformer
from ....model.config import Config
from ....testing import oracle
from .example import Example, normal

D, F, T, HEADS = 4, 3, 3, 2


def norm(v):
    """One row, normalised."""
    return {"y": [oracle.layer_norm(v["g"], v["b"], v["x"][0])]}


def draw_norm(rng, N):
    """Rows, gain and shift."""
    return {"x": normal(rng, N, D), "g": 1 + normal(rng, D), "b": normal(rng, D)}


def normed(v):
    """The library's."""
    y, k = layer_norm.forward(layer_norm.Params(v["g"], v["b"]), v["x"])
    return {"y": y}, k


def normed_back(v, k, d):
    """Its derivative."""
    dx, g = layer_norm.backward(layer_norm.Params(v["g"], v["b"]), k, d["y"])
    return {"x": dx, "g": g.g, "b": g.b}


def feed_relu(v):
    """The feed-forward layer with ReLU."""
    return {"y": [oracle.feed_forward(v["W_1"], v["b_1"], v["W_2"], v["b_2"], v["x"][0], "relu")]}


def feed_gelu(v):
    """The feed-forward layer with GELU."""
    return {"y": [oracle.feed_forward(v["W_1"], v["b_1"], v["W_2"], v["b_2"], v["x"][0], "gelu")]}


def fed(phi, live):
    """The library's feed-forward layer."""
    def params(v):
        return feed_forward.Params(linear.Params(v["W_1"], v["b_1"]), linear.Params(v["W_2"], v["b_2"]))

    def forward(v):
        y, k = feed_forward.forward(params(v), phi, v["x"])
        return {"y": y}, k

    def backward(v, k, d):
        dx, g = feed_forward.backward(params(v), phi, k, d["y"])
        return {"x": dx, "W_1": g.hidden.W, "b_1": g.hidden.b, "W_2": g.out.W, "b_2": g.out.b}

    def draw(rng, N):
        return {"x": normal(rng, N, D), "W_1": normal(rng, D, F), "b_1": normal(rng, F), "W_2": normal(rng, F, D),
                "b_2": normal(rng, D)}
    marks = ("(FR1*)",) if phi == "relu" else ("(FG1*)", "(FG2*)")
    return Example(f"feed_forward {phi}", draw, live, forward, backward,
                   also={mark: {"da": "(FF2*) da"} for mark in marks})


def placed(v):
    """Learned positions, and at the first place the sinusoids."""
    return {"y": [[oracle.placed(v["x"][i][0], v["P"][i])] for i in range(2)],
            "y_sinusoidal": [[oracle.placed(v["x_s"][i][0], oracle.sinusoid(i, 4))] for i in range(2)]}


def at_places(v):
    """The library's."""
    return {"y": positions.forward(v["P"], v["x"]), "y_sinusoidal": positions.forward(None, v["x_s"])}, None


def at_places_back(v, k, d):
    """Its derivative."""
    dx, dP = positions.backward(v["P"], d["y"])
    return {"x": dx, "P": dP, "x_s": positions.backward(None, d["y_sinusoidal"])[0]}


def draw_places(rng, N):
    """Embeddings and a table of positions."""
    return {"x": normal(rng, 2, N, D), "P": normal(rng, 2, D), "x_s": normal(rng, 2, N, D)}


def seen_heads(v):
    """Two heads; a query at t sees the keys up to t."""
    xs, ys = [x[0] for x in v["x"]], [y[0] for y in v["y"]]
    z, alpha = oracle.multi_head(v["W_q"], v["b_q"], v["W_k"], v["W_v"], v["b_v"], v["W_o"], v["b_o"], 2, xs, ys,
                                 oracle.see_past)
    return {"z": [[row] for row in z], "alpha": [alpha]}


def real_heads(v):
    """Two heads; any query sees the real keys, here the first two."""
    xs, ys = [x[0] for x in v["x"]], [y[0] for y in v["y"]]
    z, alpha = oracle.multi_head(v["W_q"], v["b_q"], v["W_k"], v["W_v"], v["b_v"], v["W_o"], v["b_o"], 2, xs, ys,
                                 oracle.see_real([True, True, False]))
    return {"z": [[row] for row in z], "alpha": [alpha]}


def heads(name, live, causal):
    """The library's multi-head attention."""
    def params(v):
        return multi_head.Params(linear.Params(v["W_q"], v["b_q"]), v["W_k"], linear.Params(v["W_v"], v["b_v"]),
                                 linear.Params(v["W_o"], v["b_o"]))

    def draw(rng, N):
        return {"x": normal(rng, T, N, D), "y": normal(rng, T, N, D),
                **{f"W_{q}": normal(rng, D, D) for q in "qkvo"}, **{f"b_{q}": normal(rng, D) for q in "qvo"}}

    def forward(v):
        N = v["x"].shape[1]
        mask = np.arange(T)[:, None] < np.array([2, 3, 1])[:N]
        visible = scaled_dot_product.see_past(T, T) if causal else scaled_dot_product.see_real(mask)
        kv = multi_head.keys_values(params(v), HEADS, v["y"])
        z, k = multi_head.attend(params(v), HEADS, v["x"], kv, visible)
        return {"z": z, "alpha": k.heads.alpha}, k

    def backward(v, k, d):
        dx, dkv, g = multi_head.attend_backward(params(v), HEADS, k, d["z"])
        dy, g_kv = multi_head.keys_values_backward(params(v), v["y"], dkv)
        return {"x": dx, "y": dy, "W_q": g.q.W, "b_q": g.q.b, "W_k": g_kv.k, "W_v": g_kv.v.W, "b_v": g_kv.v.b,
                "W_o": g.o.W, "b_o": g.o.b}
    return Example(name, draw, live, forward, backward, silent=("alpha",),
                   also={"(SA5)" if causal else "(SA4)": {"alpha": "alpha"}})


def around_post(v):
    """A residual connection around a linear layer, norm behind it."""
    def sublayer(us):
        return [oracle.linear(v["W"], v["b_W"], u) for u in us]
    ys = oracle.residual("post", v["g"], v["b"], [x[0] for x in v["x"]], sublayer, [[2.0, 0.0, 2.0, 2.0]] * 2)
    return {"y": [[y] for y in ys]}


def around_pre(v):
    """A residual connection around a linear layer, norm before it."""
    def sublayer(us):
        return [oracle.linear(v["W"], v["b_W"], u) for u in us]
    ys = oracle.residual("pre", v["g"], v["b"], [x[0] for x in v["x"]], sublayer, [[2.0, 0.0, 2.0, 2.0]] * 2)
    return {"y": [[y] for y in ys]}


M = np.array([2.0, 0.0, 2.0, 2.0])


def around(norm, live):
    """The library's residual connection."""
    def params(v):
        return layer_norm.Params(v["g"], v["b"]), linear.Params(v["W"], v["b_W"])

    def draw(rng, N):
        return {"x": normal(rng, 2, N, D), "g": 1 + normal(rng, D), "b": normal(rng, D), "W": normal(rng, D, D),
                "b_W": normal(rng, D)}

    def forward(v):
        p, q = params(v)
        u, k_in = residual.branch(p, norm, v["x"])
        z = linear.forward(q, u)
        y, k_out = residual.join(p, norm, v["x"], z, np.broadcast_to(M, z.shape))
        return {"y": y}, (u, k_in, k_out)

    def backward(v, cache, d):
        (p, q), (u, k_in, k_out) = params(v), cache
        dx, dz, g = residual.join_backward(p, norm, k_out, d["y"], np.broadcast_to(M, d["y"].shape))
        du, dq = linear.backward(q, u, dz)
        dx, dp = residual.branch_backward(p, norm, k_in, dx, du, g)
        return {"x": dx, "g": dp.g, "b": dp.b, "W": dq.W, "b_W": dq.b}
    return Example(f"residual {norm}", draw, live, forward, backward)


def whole(v):
    """One layer on each side; the source 4 5, the answer 5."""
    def attention(name):
        return {"norm": (v[name + ".norm.g"], v[name + ".norm.b"]), "drop": None,
                "f": [v[name + ".f." + q] for q in ("q.W", "q.b", "k", "v.W", "v.b", "o.W", "o.b")]}

    def feed(name):
        return {"norm": (v[name + ".norm.g"], v[name + ".norm.b"]), "drop": None,
                "f": [v[name + ".f." + q] for q in ("hidden.W", "hidden.b", "out.W", "out.b")]}

    def side(name, sublayers):
        layer = {key: make(name + ".layers.0." + key) for key, make in sublayers}
        return {"embedding": v[name + ".embedding"], "positions": None, "drop": None, "layers": [layer],
                "norm": (v[name + ".norm.g"], v[name + ".norm.b"])}
    m = {"norm": "pre", "heads": 2, "phi": "relu", "readout": (v["decoder.readout.W"], v["decoder.readout.b"]),
         "encoder": side("encoder", (("attention", attention), ("feed_forward", feed))),
         "decoder": side("decoder", (("attention", attention), ("cross", attention), ("feed_forward", feed)))}
    logits = oracle.transformer(m, [4, 5], [True, True], [1, 5])
    L = oracle.transformer_loss([[row] for row in logits], [[5], [2]], [[True], [True]])
    return {"L": L, "logits": [[row] for row in logits]}


CONFIG = Config(source_vocab=6, target_vocab=6, hidden=4, feed_forward=4, heads=2, layers=1, norm="pre",
                dtype="float64", architecture="transformer")
SOURCES, TARGETS = ([4, 5], [5], [4, 4]), ([5], [5, 4], [4])


def template():
    """Parameters of the form of the model's."""
    return transformer.init_float64(np.random.default_rng(0), CONFIG)


def draw_whole(rng, N):
    """Every parameter by its name."""
    return {name: normal(rng, *a.shape) for name, a in tree.named(template())}


def params_of(v, form):
    """{name: array} -> the tree of the form `form`."""
    arrays = iter([v[name] for name, _ in tree.named(form)])
    return tree.map(lambda _: next(arrays), form)


def modelled(N):
    """The library's model on a batch of N."""
    def forward(v):
        batch = make_batch(list(SOURCES[:N]), list(TARGETS[:N]))
        L, logits, k = transformer.forward(params_of(v, template()), CONFIG, batch)
        return {"L": L, "logits": logits}, k

    def backward(v, k, d):
        g = transformer.backward(params_of(v, template()), CONFIG, k)
        return {name: d["L"] * a for name, a in tree.named(g)}
    return forward, backward


EXAMPLES = (
    Example("layer_norm", draw_norm, norm, normed, normed_back),
    fed("relu", feed_relu), fed("gelu", feed_gelu),
    Example("positions", draw_places, placed, at_places, at_places_back),
    heads("multi_head causal", seen_heads, True), heads("multi_head", real_heads, False),
    around("post", around_post), around("pre", around_pre),
    Example("transformer", draw_whole, whole, *modelled(1), silent=("logits",)),
)
