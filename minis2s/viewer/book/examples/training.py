"""Optimizers, clipping, and the schedule of the learning rate: no gradient, but what becomes of one."""
import numpy as np

from ....testing import oracle
from ....training import optimizers, schedule
from .example import Example, normal


def live(v):
    """Two steps of each optimizer with step size 0.1, then both kinds of clipping."""
    w, gs = v["w"], v["g"]
    return {"w_sgd": oracle.sgd(w, gs, 0.1), "w_momentum": oracle.momentum(w, gs, 0.1, 0.9),
            "w_rmsprop": oracle.rmsprop(w, gs, 0.1, 0.9, 1e-8), "w_adam": oracle.adam(w, gs, 0.1, 0.9, 0.999, 1e-8),
            "g_norm": oracle.clip_by_global_norm([gs[0]], 0.5)[0], "g_value": oracle.clip_by_value([gs[0]], 0.5)[0]}


def forward(v):
    """The same by the library."""
    out = {"w_sgd": taken(v, "sgd"), "w_momentum": taken(v, "sgd", momentum=0.9), "w_rmsprop": taken(v, "rmsprop"),
           "w_adam": taken(v, "adam")}
    g = (v["g"][0],)
    return out | {"g_norm": optimizers.clip_by_norm(g, 0.5)[0][0], "g_value": optimizers.clip_by_value(g, 0.5)[0]}, None


def taken(v, name, **options):
    """The parameters after each step."""
    p, s, ws = (v["w"],), optimizers.start((v["w"],)), []
    for g in v["g"]:
        p, s = optimizers.OPTIMIZERS[name](p, (g,), s, 0.1, **options)
        ws.append(p[0])
    return np.stack(ws)


def live_rates(v):
    """What the learning rate is multiplied by at step t, with w steps of warm-up."""
    return {"constant": [oracle.warmed_up(t, v["w"]) for t in v["t"]],
            "inverse_sqrt": [oracle.inverse_sqrt(t, v["w"]) for t in v["t"]]}


def rates(v):
    """The same by the library."""
    return {"constant": np.array([schedule.factor("constant", v["w"], t) for t in v["t"]]),
            "inverse_sqrt": np.array([schedule.factor("inverse-sqrt", v["w"], t) for t in v["t"]])}, None


EXAMPLES = (
    Example("optimizers", lambda rng, N: {"w": normal(rng, 2), "g": normal(rng, 2, 2) + 1}, live, forward, None,
            also={"(O1)": {"w": "w_sgd"}, "(O2)": {"w": "w_momentum"}, "(O4)": {"w": "w_rmsprop"},
                  "(O6)": {"w": "w_adam"}, "(C1)": {"g": "g_norm"}, "(C2)": {"g": "g_value"}}),
    Example("schedule", lambda rng, N: {"t": 2 + 8 * rng.random(3), "w": np.array(5 + rng.random())}, live_rates,
            rates, None, also={"(LR1)": {"lr_t / lr": "constant"}, "(LR2)": {"lr_t / lr": "inverse_sqrt"}}),
)
