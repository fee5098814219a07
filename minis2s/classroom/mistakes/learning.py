"""Wrong gradient checks, clippings and optimizer steps."""
import numpy as np

from .mistake import recorder

BANK, wrong = recorder()


def each(w, entry):
    """An array of w's shape, entry(moved, index) at each entry; `moved` is a copy of w made anew."""
    if w.dtype != np.float64:
        raise TypeError("float64 wanted")
    grad = np.empty(w.shape)
    for at in np.ndindex(w.shape):
        grad[at] = entry(w.copy(), at)
    return grad


def moved(w, at, by):
    """A copy of w with one entry moved."""
    w = w.copy()
    w[at] += by
    return w


def central(f, w, at, h):
    """A right central difference at one entry."""
    return (f(moved(w, at, h)) - f(moved(w, at, -h))) / (2 * h)


GC = "gradient-check"
for name, says, look, entry in (
    ("one-sided", "one-sided differences: (f(w + h) - f(w)) / h has an error that grows with h, not with h^2",
     "the second point: below w, not w itself", lambda f, w, at, h: (f(moved(w, at, h)) - f(w)) / h),
    ("one-sided, below",
     "one-sided differences: (f(w) - f(w - h)) / h has an error that grows with h, not with h^2",
     "the second point: above w, not w itself", lambda f, w, at, h: (f(w) - f(moved(w, at, -h))) / h),
    ("divided by h", "twice too big: the two points are 2h apart, not h", "the denominator",
     lambda f, w, at, h: 2 * central(f, w, at, h)),
    ("not divided", "the difference is not divided by 2h", "the denominator",
     lambda f, w, at, h: 2 * h * central(f, w, at, h)),
    ("divided by two only", "the difference is divided by 2, not by 2h", "the denominator",
     lambda f, w, at, h: h * central(f, w, at, h)),
    ("sign", "the sign is turned: f(w - h) - f(w + h)", "the order of the two points",
     lambda f, w, at, h: -central(f, w, at, h)),
    ("back to w, not below", "the entry is moved up by h and then down by h: the second point is w itself",
     "the second point: h below w, so 2h below the first", lambda f, w, at, h: (f(moved(w, at, h)) - f(w)) / (2 * h)),
    ("h squared", "divided by h^2: that belongs to a second derivative", "the denominator",
     lambda f, w, at, h: 2 * central(f, w, at, h) / h),
    ("second derivative", "this is the second derivative: f(w + h) - 2 f(w) + f(w - h), divided by h^2",
     "(N2)",
     lambda f, w, at, h: (f(moved(w, at, h)) - 2 * f(w) + f(moved(w, at, -h))) / h**2),
    ("all entries moved", "all entries are moved at once: every entry of the result is the same",
     "one entry is moved, all others stay", lambda f, w, at, h: (f(w + h) - f(w - h)) / (2 * h)),
):
    wrong(GC, name, "(N2)", says, look)(lambda f, w, h,
                                        entry=entry: each(w, lambda m, at: entry(f, w, at, h)))
for own in (1e-3, 1e-4, 1e-5):
    wrong(GC, f"own step {own:.0e}", "(N2)", f"the argument h is not used: the step is {own:.0e}",
          "where h comes from")(
        lambda f, w, h, own=own: each(w, lambda m, at: central(f, w, at, own)))
wrong(GC, "half a step", "(N2)", "the points are h/2 away from w: half the step that was asked for",
      "the two points")(
    lambda f, w, h: each(w, lambda m, at: central(f, w, at, h / 2)))
wrong(GC, "relative step", "(N2)", "the step is h times |w|, wanted is h itself", "the size of the step")(
    lambda f, w, h: each(w, lambda m, at: central(f, w, at, h * abs(w[at]))))
wrong(GC, "complex step", "(N1)",
      "h is not used: this is as exact as the complex step (N1), or a step of 1e-6 and less",
      "(N2) with the h that is handed over; keep (N1) for your own tests, it is better", variant=True)(
    lambda f, w, h: each(w, lambda m, at: f(moved(w.astype(complex), at, 1e-30j)).imag / 1e-30))


@wrong(GC, "not put back", "(N2)",
       "the first entry is right, later ones are not: an entry that was moved is not put back",
       "the copy's entry after the two calls of f")
def _not_put_back(f, w, h):
    if w.dtype != np.float64:
        raise TypeError("float64 wanted")
    grad, m = np.empty(w.shape), w.copy()
    for at in np.ndindex(w.shape):
        m[at] += h
        up = f(m)
        m[at] -= 2 * h
        grad[at] = (up - f(m)) / (2 * h)
    return grad


# clipping ----------------------------------------------------------------------------------------------


def norm(*arrays):
    """Length of all entries together."""
    return np.sqrt(sum(np.sum(a**2) for a in arrays))


def scaled(arrays, factor):
    """All arrays times one number, at most 1."""
    return tuple(a * min(1.0, factor) for a in arrays)


for name, mark, says, look, f in (
    ("each by itself", "(C1)",
     "each tensor is clipped by its own norm: the ratio differs by tensor, so the direction changes",
     "the norm: one for all arrays together", lambda g, limit: tuple(a * min(1.0, limit / norm(a))
                                                                     for a in g)),
    ("always scaled", "(C1)", "short gradients are stretched to the limit: below it nothing may change",
     "min(1, ...)",
     lambda g, limit: tuple(a * limit / norm(*g) for a in g)),
    ("squared norm", "(C1)", "the root is missing: the sum of squares is taken for the norm",
     "the definition of ||g||",
     lambda g, limit: scaled(g, limit / norm(*g) ** 2)),
    ("sum of norms", "(C1)",
     "the arrays' norms are added; the norm of all entries together is the root of the sum of squares",
     "where the root is taken: before or after the sum",
     lambda g, limit: scaled(g, limit / sum(norm(a) for a in g))),
    ("greatest norm", "(C1)", "the greatest norm of a single array is used, not that of all together",
     "the sum over arrays",
     lambda g, limit: scaled(g, limit / max(norm(a) for a in g))),
    ("mean of squares", "(C1)", "the squares are averaged, not summed: a big model would never be clipped",
     "sum or mean",
     lambda g, limit: scaled(g, limit * np.sqrt(sum(a.size for a in g)) / norm(*g))),
    ("sum of sizes", "(C1)", "the absolute values are summed: the 1-norm; wanted is the Euclidean one",
     "the squares",
     lambda g, limit: scaled(g, limit / sum(np.abs(a).sum() for a in g))),
    ("greatest entry", "(C1)", "the greatest entry is taken for the norm", "the definition of ||g||",
     lambda g, limit: scaled(g, limit / max(np.abs(a).max() for a in g))),
    ("normalised", "(C1)", "the gradient is made to have length 1, whatever the limit",
     "the factor: limit over norm",
     lambda g, limit: tuple(a / norm(*g) for a in g)),
    ("length 1 when too long", "(C1)", "too long gradients get length 1, not the limit's length",
     "the factor: limit over norm",
     lambda g, limit: tuple(a / norm(*g) if norm(*g) > limit else a for a in g)),
    ("not clipped", "(C1)", "nothing is clipped: what came in comes out", "the comparison of norm and limit",
     lambda g, limit: tuple(a.copy() for a in g)),
    ("set to zero", "(C1)", "too long gradients become 0: their direction should stay",
     "what happens above the limit",
     lambda g, limit: tuple(a * (norm(*g) <= limit) for a in g)),
    ("bias not scaled", "(C1)", "db is counted in the norm, but comes back as it was: it is shortened, too",
     "the list of arrays that are multiplied", lambda g, limit: (*scaled(g[:2], limit / norm(*g)), g[2].copy())),
    ("bias left out", "(C1)", "db is neither counted nor shortened", "the list of arrays",
     lambda g, limit: (*scaled(g[:2], limit / norm(*g[:2])), g[2].copy())),
):
    wrong("clipping", name, mark, says, look)(lambda dW, dU, db, limit, f=f: f((dW, dU, db), limit))
wrong("clipping", "by value", "(C2)",
      "this clips every entry to [-limit, limit]: valid, but the direction may change; wanted is "
      "clipping by the norm", "(C1): one factor for all entries", variant=True)(
    lambda dW, dU, db, limit: tuple(np.clip(a, -limit, limit) for a in (dW, dU, db)))

# rmsprop -----------------------------------------------------------------------------------------------

for name, mark, says, look, f in (
    ("no root", "(O4)", "the root of v is missing: the step is divided by v itself",
     "the denominator of (O4)",
     lambda w, g, v, lr, rho, eps: (w - lr * g / (rho * v + (1 - rho) * g**2 + eps), rho * v
                                    + (1 - rho) * g**2)),
    ("rho swapped", "(O3)", "rho and 1 - rho are swapped: v follows the newest gradient alone",
     "which share the OLD v keeps",
     lambda w, g, v, lr, rho, eps: _rms(w, g, (1 - rho) * v + rho * g**2, lr, eps)),
    ("g not squared", "(O3)", "v averages g, not g^2", "the square in (O3)",
     lambda w, g, v, lr, rho, eps: _rms(w, g, rho * v + (1 - rho) * np.abs(g), lr, eps)),
    ("summed", "(O3)",
     "v grows without end: g^2 is added with weight 1 and nothing is forgotten (that is AdaGrad)",
     "the two factors of (O3)", lambda w, g, v, lr, rho, eps: _rms(w, g, v + g**2, lr, eps)),
    ("1 - rho missing", "(O3)", "the factor 1 - rho of g^2 is missing", "the second term of (O3)",
     lambda w, g, v, lr, rho, eps: _rms(w, g, rho * v + g**2, lr, eps)),
    ("v forgotten", "(O3)", "the old v is not used: the mean starts anew at every step",
     "the first term of (O3)",
     lambda w, g, v, lr, rho, eps: _rms(w, g, (1 - rho) * g**2, lr, eps)),
    ("v not updated", "(O3)", "v comes back unchanged, so the mean never moves",
     "which v is returned, and used",
     lambda w, g, v, lr, rho, eps: _rms(w, g, v.copy(), lr, eps)),
    ("old v in the step", "(O4)", "v is right, but the step divides by the OLD v",
     "the order of the two lines",
     lambda w, g, v, lr, rho, eps: (w - lr * g / (np.sqrt(v) + eps), rho * v + (1 - rho) * g**2)),
    ("sign", "(O4)", "w moves uphill: the sign of the step is turned", "the minus of (O4)",
     lambda w, g, v, lr, rho, eps: _rms(w, g, rho * v + (1 - rho) * g**2, -lr, eps)),
    ("no lr", "(O4)", "the step size lr is missing", "the factor before g",
     lambda w, g, v, lr, rho, eps: _rms(w, g, rho * v + (1 - rho) * g**2, 1.0, eps)),
    ("step returned", "(O4)", "w is the step alone, not the new weights", "what w is at the start of (O4)",
     lambda w, g, v, lr, rho, eps: _rms(np.zeros_like(w), g, rho * v + (1 - rho) * g**2, lr, eps)),
    ("no eps", "(O4)", "eps is missing: an entry whose gradient was always 0 is divided by 0",
     "the denominator of (O4)",
     lambda w, g, v, lr, rho, eps: _rms(w, g, rho * v + (1 - rho) * g**2, lr, 0.0)),
    ("norm of all", "(O3)", "one v for the whole array: every entry has its own",
     "where a sum or mean over entries slipped in",
     lambda w, g, v, lr, rho, eps: _rms(w, g, rho * v + (1 - rho) * np.mean(g**2), lr, eps)),
):
    wrong("rmsprop", name, mark, says, look)(f)
wrong("rmsprop", "eps inside the root", "(O4)",
      "eps stands inside the root, as some libraries have it: valid, but not our "
      "equation", "sqrt(v) + eps", variant=True)(
    lambda w, g, v, lr, rho, eps: (w - lr * g / np.sqrt(rho * v + (1 - rho) * g**2 + eps), rho * v
                                   + (1 - rho) * g**2))


def _rms(w, g, v, lr, eps):
    return w - lr * g / (np.sqrt(v) + eps), v


# adam --------------------------------------------------------------------------------------------------

def adam(w, g, m, v, t, lr, beta1, beta2, eps, correct_m=True, correct_v=True, returned=False, root=True,
         inside=False,
         mean=None, squares=None, old=False, power=1, sign=1, swap=False):
    """A right step of Adam with switches."""
    if swap:
        beta1, beta2 = beta2, beta1
    new_m = beta1 * m + (1 - beta1) * g if mean is None else mean(m, g, beta1)
    new_v = beta2 * v + (1 - beta2) * g**2 if squares is None else squares(v, g, beta2)
    use_m, use_v = (m, v) if old else (new_m, new_v)
    k = t if power == 1 else power(t)
    m_hat = use_m / (1 - beta1**k) if correct_m else use_m
    v_hat = use_v / (1 - (beta1 if correct_v == "beta1" else beta2)**k) if correct_v else use_v
    below = np.sqrt(v_hat + eps) if inside else (np.sqrt(v_hat) if root else v_hat) + eps
    return w - sign * lr * m_hat / below, *((m_hat, v_hat) if returned else (new_m, new_v))


for name, mark, says, look, switches in (
    ("no bias correction", "(O6)", "m and v are not corrected for their start at 0: the first step is 3.16 "
     "times as long as "
     "it should be", "1 - beta^t, for m and for v", dict(correct_m=False, correct_v=False)),
    ("m not corrected", "(O6)", "v is corrected for its start at 0, m is not: first steps are too short",
     "the numerator of (O6)",
     dict(correct_m=False)),
    ("v not corrected", "(O6)", "m is corrected for its start at 0, v is not: first steps are too long",
     "the denominator of (O6)", dict(correct_v=False)),
    ("corrected with beta1 both", "(O6)", "v is corrected with beta1 in place of beta2",
     "which beta belongs to v",
     dict(correct_v="beta1")),
    ("t one too big", "(O6)", "off by one: the correction uses t + 1; t is already the number of this step",
     "t in 1 - beta^t", dict(power=lambda t: t + 1)),
    ("t one too small", "(O6)", "off by one: the correction uses t - 1, and at the first step divides 0 by 0",
     "t in 1 - beta^t",
     dict(power=lambda t: t - 1)),
    ("t always 1", "(O6)", "the correction is 1 - beta at every step: the power t is missing", "beta^t",
     dict(power=lambda t: 1)),
    ("corrected returned", "(O5)",
     "the step is right, but the CORRECTED m and v are returned: the next step would correct them "
     "again", "which m and v are carried on", dict(returned=True)),
    ("no root", "(O6)", "the root of v is missing", "the denominator of (O6)", dict(root=False)),
    ("betas swapped", "(O5)", "beta1 and beta2 are swapped", "which beta belongs to m", dict(swap=True)),
    ("g not squared", "(O5)", "v averages |g|, not g^2", "the square in (O5)",
     dict(squares=lambda v, g, beta2: beta2 * v + (1 - beta2) * np.abs(g))),
    ("m forgotten", "(O5)", "m is g alone: no mean over steps", "the first line of (O5)",
     dict(mean=lambda m, g, beta1: g.copy())),
    ("m without 1 - beta1", "(O5)", "the factor 1 - beta1 of g is missing", "the second term of m",
     dict(mean=lambda m, g, beta1: beta1 * m + g)),
    ("v without 1 - beta2", "(O5)", "the factor 1 - beta2 of g^2 is missing", "the second term of v",
     dict(squares=lambda v, g, beta2: beta2 * v + g**2)),
    ("shares of m swapped", "(O5)", "beta1 and 1 - beta1 are swapped in m", "which share the OLD m keeps",
     dict(mean=lambda m, g, beta1: (1 - beta1) * m + beta1 * g)),
    ("shares of v swapped", "(O5)", "beta2 and 1 - beta2 are swapped in v", "which share the OLD v keeps",
     dict(squares=lambda v, g, beta2: (1 - beta2) * v + beta2 * g**2)),
    ("old m and v in the step", "(O6)", "m and v are right, but the step uses the OLD ones",
     "the order of the lines",
     dict(old=True)),
    ("sign", "(O6)", "w moves uphill: the sign of the step is turned", "the minus of (O6)", dict(sign=-1)),
):
    wrong("adam", name, mark, says, look)(
        lambda w, g, m, v, t, lr, beta1, beta2, eps, switches=switches: adam(w, g, m, v, t, lr, beta1, beta2,
                                                                             eps, **switches))
wrong("adam", "eps inside the root", "(O6)", "eps stands inside the root: valid, but not our equation",
      "sqrt(...) + eps",
      variant=True)(
    lambda w, g, m, v, t, lr, beta1, beta2, eps: adam(w, g, m, v, t, lr, beta1, beta2, eps, inside=True))
wrong("adam", "eps before the correction", "(O6)",
      "eps is added to the root of the UNcorrected v (the short form at the end of "
      "section 2 of Kingma & Ba): valid, but not our equation", "what eps is added to", variant=True)(
    lambda w, g, m, v, t, lr, beta1, beta2, eps: (
        lambda r: (w - lr * np.sqrt(1 - beta2**t) / (1 - beta1**t) * r[1] / (np.sqrt(r[2]) + eps), r[1],
                   r[2]))(
        adam(w, g, m, v, t, lr, beta1, beta2, eps)))
