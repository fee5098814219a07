"""Loss and clipping."""
from math import exp

import numpy as np

from ....layers import loss
from ....training import optimizers
from .line import Line, given, n, num


def loss_lines(target, given_target, summed):
    """Three words, one token; `summed` is the line of the loss, in symbols and, from log p, in numbers."""
    a, q = (1.0, 0.0, -1.0), (0, 1, 0)
    L, k = loss.forward(np.reshape(a, (1, 1, 3)), target, np.ones((1, 1), dtype=bool))
    d, log_p = loss.backward(k).ravel(), k.log_p.ravel()
    total = sum(map(exp, a))
    lines = [
        *given(logit_0=a[0], logit_1=a[1], logit_2=a[2], **given_target),
        Line("X1", "Z = Σ_v exp logit_v", "exp(1) + exp(0) + exp(−1)", total),
    ]
    for v in range(3):
        lines.append(Line("X1", f"log p_{v} = logit_{v} − log Z", f"{n(a[v])} − log({n(total)})", log_p[v]))
    lines.append(Line("X3", summed[0], summed[1](log_p), float(L)))
    for v in range(3):
        lines.append(Line("X3*", f"dlogit_{v} = p_{v} − q_{v}", f"exp({n(log_p[v])}) − {q[v]}", d[v]))
    return [*lines, Line("X3*", "their sum is 0", " + ".join(n(x) for x in d), float(d.sum()))]


def sparse_loss():
    words = "L = −log p_1, one token: M = 1", lambda log_p: f"−{n(log_p[1])}"
    return loss_lines(np.array([[1]]), dict(y=1, q_0=0, q_1=1, q_2=0), words)


def one_hot_loss():
    words = "L = −Σ_v y_v log p_v, M = 1", lambda log_p: "−(" + " + ".join(
        f"{y}·{n(log_p[v])}" for v, y in enumerate((0, 1, 0))) + ")"
    return loss_lines(np.array([[[0.0, 1.0, 0.0]]]), dict(y_0=0, y_1=1, y_2=0, q_0=0, q_1=1, q_2=0), words)


def clipping():
    g = (np.array([3.0]), np.array([-4.0]))
    by_norm, size = optimizers.clip_by_norm(g, 2.0)
    by_value = optimizers.clip_by_value(g, 3.5)
    return [
        *given(g_1=3.0, g_2=-4.0, c=2.0),
        Line("C1", "‖g‖ = √(g_1² + g_2²)", "√(3² + (−4)²)", size),
        Line("C1", "g_1 ← g_1 c / ‖g‖, as ‖g‖ > c", f"3·2 / {n(size)}", num(by_norm[0])),
        Line("C1", "g_2 ← g_2 c / ‖g‖", f"(−4)·2 / {n(size)}", num(by_norm[1])),
        Line(
            "C2", "by value, c = 3.5:  g_1 ← max(−c, min(c, g_1))", "max(−3.5, min(3.5, 3))", num(by_value[0])
        ),
        Line("C2", "by value, c = 3.5:  g_2 ← max(−c, min(c, g_2))", "max(−3.5, min(3.5, (−4)))",
             num(by_value[1])),
    ]
