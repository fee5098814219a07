"""One step of an LSTM with one unit, as a graph: every edge has its value and, backwards, its gradient."""
import numpy as np

from ...layers.cells import lstm
from .. import plots
from ..trace import trace
from .sheet import FORWARD, GRADIENT, arrow, box, circle, number, write

GATES = {"f": 3.65, "i": 2.8, "g": 1.95, "o": 0.85}            # gate -> height of its row in the picture
ORDER = "ifgo"                                                  # as they are packed


def example():
    """Round numbers for D = H = N = 1: Params, x, State (t-1), gradients of State from loss and step t+1."""
    p = lstm.Params(W=np.array([[0.4, -0.6, 1.2, 0.9]]), U=np.array([[-0.5, 0.4, -0.7, 0.2]]),
                    b=np.array([0.0, 1.0, 0.0, 0.0]))
    one = np.ones((1, 1))
    return p, 1.0 * one, lstm.State(h=0.5 * one, c=0.6 * one), lstm.State(h=1.0 * one, c=0.5 * one)


def numbers():
    """Every quantity of the example's two steps, as the cell itself computes it: {name: float}.

    The packed ones are taken apart: "a_i", "da_i", "W_i", "dW_i" and so on.  "dc" is the sum at the fork,
    "dc_next" what comes from step t+1.
    """
    p, x, s, d = example()
    with trace() as tr:
        _, k = lstm.step(p, x, s)
        lstm.step_backward(p, k, d)
    found = {e.name: e.value for e in tr.entries}               # of several with a name, the last
    for name in ("a", "da", "W", "dW", "U", "dU", "b", "db"):
        values = found.pop("da" if name == "da" else name)
        found.update({f"{name}_{gate}": value for gate, value in zip(ORDER, np.ravel(values))})
    found["dc_next"] = d.c
    return {name: float(np.ravel(value)[0]) for name, value in found.items() if np.size(value) == 1}


TOP = 4.7                                                       # height of the state's row


def draw(path):
    """Draw the graph: values over the edges, gradients under them."""
    n = numbers()
    with plots.canvas(10.9, 5.5, path) as axes:
        draw_products(axes, n)
        draw_gates(axes, n)
        draw_state(axes, n)
        draw_output(axes, n)
        write(axes, 0.1, 5.38, "forward: value", FORWARD, 9.5, ha="left")
        write(axes, 1.35, 5.38, "backward: dz = dL/dz", GRADIENT, 9.5, ha="left")
        write(axes, 9.3, TOP + 0.42, "fork:  dc = dc(t+1) + dc(h)", "0.4", 8.5, style="italic")


def level(axes, n, x, y, name, d_name=None, label=None, d_label=None):
    """Value above and gradient below a level edge."""
    d_name = d_name or f"d{name}"
    write(axes, x, y + 0.12, f"{label or name} = {number(n[name])}", FORWARD, 8.5)
    write(axes, x, y - 0.13, f"{d_label or d_name} = {number(n[d_name])}", GRADIENT, 8.5)


def mark(axes, x, y, text):
    """The mark of an equation."""
    write(axes, x, y, text, "0.4", 8.5, style="italic")


def draw_products(axes, n):
    """What comes in, and (L1) with the parameters in it."""
    for name, y, label in (("c_prev", TOP, "c′"), ("h_prev", 2.85, "h′"), ("x", 1.6, "x")):
        box(axes, 0.35, y, 0.5, 0.42, label, fill="0.95", size=12)
        arrow(axes, (0.6, y), (5.98 if name == "c_prev" else 1.72, y))
        level(axes, n, 1.15, y, name, label=label, d_label=f"d{label}")

    box(axes, 2.7, 2.2, 1.95, 3.75, fill="0.97")
    write(axes, 2.7, 4.22, "(L1)  a = x W + h′ U + b", "0.4", 8.5, style="italic")
    for gate, y in GATES.items():
        for x, name in ((2.08, "W"), (2.7, "U"), (3.32, "b")):
            write(axes, x, y + 0.24, f"{name}_{gate}", size=7.5, colour="0.4")
            write(axes, x, y + 0.07, number(n[f"{name}_{gate}"]), FORWARD, 8.5)
            write(axes, x, y - 0.12, number(n[f"d{name}_{gate}"]), GRADIENT, 8.5)


def draw_gates(axes, n):
    """(L2) and (L3)."""
    for gate, y in GATES.items():
        arrow(axes, (3.68, y), (4.75, y))
        level(axes, n, 4.19, y, f"a_{gate}")
        box(axes, 5.0, y, 0.48, 0.38, "tanh" if gate == "g" else "σ", size=9 if gate == "g" else 12)
        mark(axes, 5.0, y - 0.31, "(L3)" if gate == "g" else "(L2)")
        level(axes, n, 5.68, y, gate)


def draw_state(axes, n):
    """(L4), and the fork behind it: c goes to h and to step t+1."""
    middle = (GATES["i"] + GATES["g"]) / 2
    arrow(axes, (5.24, GATES["f"]), (6.15, GATES["f"]), (6.15, TOP - 0.18))
    arrow(axes, (5.24, GATES["i"]), (6.15, GATES["i"]), (6.15, middle + 0.18))
    arrow(axes, (5.24, GATES["g"]), (6.15, GATES["g"]), (6.15, middle - 0.18))
    circle(axes, 6.15, TOP, "×")
    circle(axes, 6.15, middle, "×")
    circle(axes, 7.3, TOP, "+")
    arrow(axes, (6.33, TOP), (7.12, TOP))
    arrow(axes, (6.33, middle), (7.3, middle), (7.3, TOP - 0.18))
    for x, y, value in ((6.72, TOP, n["f"] * n["c_prev"]), (6.82, middle, n["i"] * n["g"])):
        write(axes, x, y + 0.12, number(value), FORWARD, 8.5)
        write(axes, x, y - 0.13, number(n["dc"]), GRADIENT, 8.5)
    mark(axes, 6.75, TOP + 0.42, "(L4)  c = f c′ + i g")

    # the fork: c goes to h and to step t+1
    arrow(axes, (7.48, TOP), (8.9, TOP), head=False)
    level(axes, n, 8.15, TOP, "c")
    axes.plot([8.9], [TOP], "o", color=plots.BLACK, markersize=5, zorder=4)
    arrow(axes, (8.9, TOP), (10.33, TOP))
    level(axes, n, 9.6, TOP, "c", "dc_next", d_label="dc(t+1)")
    box(axes, 10.58, TOP, 0.5, 0.42, "c", fill="0.95", size=12)


def draw_output(axes, n):
    """(L5)."""
    bottom = GATES["o"]
    arrow(axes, (8.9, TOP), (8.9, 3.24))
    box(axes, 8.9, 3.03, 0.6, 0.38, "tanh", size=9)
    arrow(axes, (8.9, 2.82), (8.9, bottom + 0.18))
    write(axes, 8.8, 3.95, f"c = {number(n['c'])}", FORWARD, 8.5, ha="right")
    write(axes, 9.0, 3.95, f"dc(h) = {number(n['dc'] - n['dc_next'])}", GRADIENT, 8.5, ha="left")
    write(axes, 8.8, 1.9, f"tanh c = {number(n['tanh_c'])}", FORWARD, 8.5, ha="right")
    write(axes, 9.0, 1.9, f"dh o = {number(n['dh'] * n['o'])}", GRADIENT, 8.5, ha="left")
    arrow(axes, (5.24, bottom), (8.72, bottom))
    circle(axes, 8.9, bottom, "×")
    mark(axes, 8.9, bottom - 0.34, "(L5)  h = o tanh c")
    arrow(axes, (9.08, bottom), (10.33, bottom))
    level(axes, n, 9.68, bottom, "h")
    box(axes, 10.58, bottom, 0.5, 0.42, "h", fill="0.95", size=12)
