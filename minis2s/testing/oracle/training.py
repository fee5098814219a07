"""Optimizers and clipping.  See minis2s/training/optimizers.py.

w is a list of floats, gs holds the gradient of every step; an optimizer returns w after each step.
"""
from math import sqrt


def sgd(w, gs, lr):
    """(O1) w ← w - lr g."""
    ws = []
    for g in gs:
        w = [w[k] - lr * g[k] for k in range(len(w))]                                  # (O1)
        ws.append(w)
    return ws


def momentum(w, gs, lr, mu):
    """(O2) u ← μ u + g; w ← w - lr u.  u starts at 0."""
    ws, u = [], [0.0] * len(w)
    for g in gs:
        u = [mu * u[k] + g[k] for k in range(len(w))]                                  # (O2)
        w = [w[k] - lr * u[k] for k in range(len(w))]                                  # (O2)
        ws.append(w)
    return ws


def rmsprop(w, gs, lr, rho, eps):
    """RMSprop; v starts at 0.

    (O3) v ← ρ v + (1 - ρ) g²
    (O4) w ← w - lr g / (√v + ε)
    """
    ws, v = [], [0.0] * len(w)
    for g in gs:
        v = [rho * v[k] + (1 - rho) * g[k] ** 2 for k in range(len(w))]                # (O3)
        w = [w[k] - lr * g[k] / (sqrt(v[k]) + eps) for k in range(len(w))]             # (O4)
        ws.append(w)
    return ws


def adam(w, gs, lr, b1, b2, eps):
    """Adam; m and v start at 0, and t counts the steps from 1.

    (O5) m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²
    (O6) m̂ = m / (1 - β₁ᵗ),  v̂ = v / (1 - β₂ᵗ),  w ← w - lr m̂ / (√v̂ + ε)
    """
    ws, m, v = [], [0.0] * len(w), [0.0] * len(w)
    for t, g in enumerate(gs, start=1):
        m = [b1 * m[k] + (1 - b1) * g[k] for k in range(len(w))]                       # (O5)
        v = [b2 * v[k] + (1 - b2) * g[k] ** 2 for k in range(len(w))]                  # (O5)
        m_hat = [m[k] / (1 - b1 ** t) for k in range(len(w))]                          # (O6)
        v_hat = [v[k] / (1 - b2 ** t) for k in range(len(w))]                          # (O6)
        w = [w[k] - lr * m_hat[k] / (sqrt(v_hat[k]) + eps) for k in range(len(w))]     # (O6)
        ws.append(w)
    return ws


def warmed_up(t, w):
    """(LR1) min(1, t/w): the part of the learning rate at update t that "constant" takes, w updates of warm-up."""
    return min(1.0, t / w)                                                             # (LR1)


def inverse_sqrt(t, w):
    """(LR2) min(t/w, √(w/t)): that part with "inverse-sqrt"."""
    return min(t / w, sqrt(w / t))                                                     # (LR2)


def global_norm(gs):
    """‖g‖ = √(Σ over every entry of every list, squared)."""
    return sqrt(sum(g_k ** 2 for g in gs for g_k in g))


def clip_by_global_norm(gs, c):
    """(C1) g ← g · min(1, c / ‖g‖); gs is a list of flat lists, ‖g‖ the norm over all of them together."""
    norm = global_norm(gs)
    scale = c / norm if norm > c else 1.0                                              # (C1)
    return [[scale * g_k for g_k in g] for g in gs]                                    # (C1)


def clip_by_value(gs, c):
    """(C2) g_k ← max(-c, min(c, g_k)), each entry by itself."""
    return [[max(-c, min(c, g_k)) for g_k in g] for g in gs]                           # (C2)
