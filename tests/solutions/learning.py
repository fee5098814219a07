import math

import numpy as np

from .style import solves


def refuse(w):
    if w.dtype != np.float64:
        raise TypeError("float64 is needed")


@solves("gradient-check", "a flat copy, put back")
def check_flat(f, w, h):
    refuse(w)
    moved, grad = w.copy(), np.zeros(w.size)
    flat = moved.reshape(-1)
    for k in range(flat.size):
        old = flat[k]
        flat[k] = old + h
        up = f(moved)
        flat[k] = old - h
        grad[k] = (up - f(moved)) / (2 * h)
        flat[k] = old
    return grad.reshape(w.shape)


@solves("gradient-check", "unit directions")
def check_directions(f, w, h):
    if w.dtype.itemsize < 8:
        raise ValueError("too few digits")
    eye = np.eye(w.size).reshape(w.size, *w.shape)
    return np.array([(f(w + h * e) - f(w - h * e)) / (2 * h) for e in eye]).reshape(w.shape)


@solves("gradient-check", "two lists")
def check_lists(f, w, h):
    refuse(w)
    grad = np.full(w.shape, np.nan)
    for at, value in np.ndenumerate(w):
        points = []
        for sign in (1, -1):
            v = np.array(w)
            v[at] = value + sign * h
            points.append(f(v))
        grad[at] = (points[0] - points[1]) / h / 2
    return grad


@solves("clipping", "one long vector")
def clip_vector(dW, dU, db, limit):
    size = np.linalg.norm(np.concatenate([dW.ravel(), dU.ravel(), db.ravel()]))
    factor = min(1, limit / size)
    return dW * factor, dU * factor, db * factor


@solves("clipping", "loops, the same arrays where nothing is to be done")
def clip_loops(dW, dU, db, limit):
    total = 0.0
    for a in (dW, dU, db):
        for v in a.flat:
            total += v * v
    if math.sqrt(total) <= limit:
        return dW, dU, db
    return [np.array(a) * limit / math.sqrt(total) for a in (dW, dU, db)]


@solves("clipping", "copies in place, einsum")
def clip_in_place(dW, dU, db, limit):
    copies = [a.copy() for a in (dW, dU, db)]
    size = math.hypot(*(math.sqrt(np.einsum("k,k->", a.ravel(), a.ravel())) for a in copies))
    if size > limit:
        for a in copies:
            a *= limit / size
    return tuple(copies)


@solves("rmsprop", "in place on copies")
def rms_in_place(w, g, v, lr, rho, eps):
    w, v = w.copy(), v.copy()
    v *= rho
    v += (1 - rho) * g * g
    w -= lr * g / (np.sqrt(v) + eps)
    return w, v


@solves("rmsprop", "loops")
def rms_loops(w, g, v, lr, rho, eps):
    new_w, new_v = np.zeros(w.shape), np.zeros(w.shape)
    for at in np.ndindex(w.shape):
        new_v[at] = rho * v[at] + (1 - rho) * g[at] ** 2
        new_w[at] = w[at] - lr * g[at] / (math.sqrt(new_v[at]) + eps)
    return new_w, new_v


@solves("rmsprop", "as a moving difference")
def rms_difference(w, g, v, lr, rho, eps):
    new = v + (1 - rho) * (np.power(g, 2) - v)
    return [w + np.negative(lr) * np.divide(g, new ** 0.5 + eps), new]


@solves("adam", "in place on copies")
def adam_in_place(w, g, m, v, t, lr, beta1, beta2, eps):
    m, v, w = m * beta1, v * beta2, w.copy()
    m += (1 - beta1) * g
    v += (1 - beta2) * g * g
    w -= lr * (m / (1 - beta1 ** t)) / (np.sqrt(v / (1 - beta2 ** t)) + eps)
    return w, m, v


@solves("adam", "loops")
def adam_loops(w, g, m, v, t, lr, beta1, beta2, eps):
    out = np.zeros((3, *w.shape))
    for at in np.ndindex(w.shape):
        a = beta1 * m[at] + (1 - beta1) * g[at]
        b = beta2 * v[at] + (1 - beta2) * g[at] ** 2
        out[(0, *at)] = w[at] - lr * (a / (1 - beta1 ** t)) / (math.sqrt(b / (1 - beta2 ** t)) + eps)
        out[(1, *at)], out[(2, *at)] = a, b
    return out[0].copy(), out[1].copy(), out[2].copy()


@solves("adam", "one rate for both corrections, eps scaled with it")
def adam_short(w, g, m, v, t, lr, beta1, beta2, eps):
    m, v, c = m + (1 - beta1) * (g - m), v + (1 - beta2) * (g ** 2 - v), math.sqrt(1 - beta2 ** t)
    return w - lr * c / (1 - beta1 ** t) * m / (np.sqrt(v) + eps * c), m, v
