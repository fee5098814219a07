"""Wrong layer normalisation, and wrong residual connections around a sub-layer."""
import numpy as np

from .mistake import recorder

BANK, wrong = recorder()
EPS = 1e-5


def norm(x, g, b):
    """A right layer normalisation."""
    c = x - x.mean(axis=1, keepdims=True)
    return g * c / np.sqrt((c * c).mean(axis=1, keepdims=True) + EPS) + b


def pieces(x):
    """x less its rows' means, and the rows' variances."""
    c = x - x.mean(axis=1, keepdims=True)
    return c, (c * c).mean(axis=1, keepdims=True)


# layer-norm ----------------------------------------------------------------------------------------------

def over_batch(x, g, b):
    """Batch normalisation."""
    c = x - x.mean(axis=0)
    return g * c / np.sqrt((c * c).mean(axis=0) + EPS) + b


for name, mark, says, look, f in (
    ("over the batch", "(LN1)", "mean and variance run over the batch: that is batch normalisation",
     "the axis of the means: each row by itself", over_batch),
    ("mean not taken off", "(LN1)", "the mean is not taken off before the division", "(LN1)",
     lambda x, g, b: g * x / np.sqrt(pieces(x)[1] + EPS) + b),
    ("root mean square", "(LN1)", "the mean is never used: that is root mean square normalisation", "(LN1)",
     lambda x, g, b: g * x / np.sqrt((x * x).mean(axis=1, keepdims=True) + EPS) + b),
    ("mean of squares of x", "(LN2)", "the root holds the mean of x^2: wanted is that of c^2, the variance",
     "what is squared", lambda x, g, b: g * pieces(x)[0] / np.sqrt((x * x).mean(axis=1, keepdims=True) + EPS) + b),
    ("divided by D - 1", "(LN2)", "the variance is divided by D - 1: wanted is the mean of c^2, by D", "(LN2)",
     lambda x, g, b: g * pieces(x)[0] / np.sqrt(x.var(axis=1, ddof=1, keepdims=True) + EPS) + b),
    ("eps outside", "(LN2)", "1e-5 is added outside of the root: nearly equal rows come out too small",
     "where eps stands", lambda x, g, b: g * pieces(x)[0] / (np.sqrt(pieces(x)[1]) + EPS) + b),
    ("no eps", "(LN2)", "1e-5 is missing in the root: rows of nearly equal numbers come out too large", "(LN2)",
     lambda x, g, b: g * pieces(x)[0] / np.sqrt(pieces(x)[1]) + b),
    ("no root", "(LN3)", "c is divided by the variance, not by its root", "(LN2)",
     lambda x, g, b: g * pieces(x)[0] / (pieces(x)[1] + EPS) + b),
    ("no gain", "(LN4)", "g is not used", "(LN4)", lambda x, g, b: pieces(x)[0] / np.sqrt(pieces(x)[1] + EPS) + b),
    ("no shift", "(LN4)", "b is not used", "(LN4)", lambda x, g, b: g * pieces(x)[0] / np.sqrt(pieces(x)[1] + EPS)),
    ("shift before gain", "(LN4)", "b is added before the gain: g multiplies it, too", "(LN4)",
     lambda x, g, b: g * (pieces(x)[0] / np.sqrt(pieces(x)[1] + EPS) + b)),
):
    wrong("layer-norm", name, mark, says, look)(
        lambda x, g, b, f=f: _rows(f, x, g, b))


def _rows(f, x, g, b):
    with np.errstate(all="ignore"):                     # D = 1, or equal numbers
        return f(x, g, b)


# layer-norm-backward -------------------------------------------------------------------------------------

def _back(dn, n, r, mean=True, root=True):
    """dx of a dn, with or without each of its two means."""
    dx = dn / r[:, None]
    if root:
        dx = dx - n * (dn * n).mean(axis=1, keepdims=True) / r[:, None]
    return dx - dx.mean(axis=1, keepdims=True) if mean else dx


DX = (
    ("neither mean", "(LN1*)", "dx is only dn / r: what flows through the mean and through r is missing",
     "(LN2*), then (LN1*): every dx_j depends on every dy", lambda n, r, dn: _back(dn, n, r, False, False)),
    ("without r", "(LN2*)", "dx lacks what flows through r, the term with n times the mean of dn n", "(LN2*)",
     lambda n, r, dn: _back(dn, n, r, True, False)),
    ("without the mean", "(LN1*)", "dx lacks what flows through the mean: the mean of dc is not taken off", "(LN1*)",
     lambda n, r, dn: _back(dn, n, r, False, True)),
    ("sum for mean", "(LN2*)", "in dx, the sum of dn n stands where its mean belongs: D times too large", "D in (LN2*)",
     lambda n, r, dn: (lambda d: d - d.mean(axis=1, keepdims=True))(
         (dn - n * (dn * n).sum(axis=1, keepdims=True)) / r[:, None])),
    ("sign of r", "(LN3*)", "what flows through r is added to dx, with the wrong sign", "the sign of dr in (LN3*)",
     lambda n, r, dn: (lambda d: d - d.mean(axis=1, keepdims=True))(
         (dn + n * (dn * n).mean(axis=1, keepdims=True)) / r[:, None])),
    ("r not used", "(LN3*)", "dx is not divided by r", "(LN3*)", lambda n, r, dn: _back(dn, n, np.ones_like(r))),
    ("r squared", "(LN3*)", "dx is divided by r twice", "(LN3*)", lambda n, r, dn: _back(dn, n, r * r)),
    ("means over the batch", "(LN1*)", "in dx, the means run over the batch, not over each row",
     "the axis of the means",
     lambda n, r, dn: (lambda d: d - d.mean(axis=0))((dn - n * (dn * n).mean(axis=0)) / r[:, None])),
)
for name, mark, says, look, dx in DX:
    wrong("layer-norm-backward", name, mark, says, look)(
        lambda n, r, g, dy, dx=dx: (dx(n, r, dy * g), (dy * n).sum(axis=0), dy.sum(axis=0)))
wrong("layer-norm-backward", "no gain", "(LN4*)", "dx is made of dy, not of dn = dy g", "(LN4*)")(
    lambda n, r, g, dy: (_back(dy, n, r), (dy * n).sum(axis=0), dy.sum(axis=0)))
for name, says, dg in (
    ("dg mean", "dg is a mean over the batch: wanted is the sum", lambda n, g, dy: (dy * n).mean(axis=0)),
    ("dg without n", "dg is the sum of dy: n is missing", lambda n, g, dy: dy.sum(axis=0)),
    ("dg with g", "dg is made of dn: g is multiplied in", lambda n, g, dy: (dy * g * n).sum(axis=0)),
):
    wrong("layer-norm-backward", name, "(LN4*)", says, "dg in (LN4*)")(
        lambda n, r, g, dy, dg=dg: (_back(dy * g, n, r), dg(n, g, dy), dy.sum(axis=0)))
wrong("layer-norm-backward", "db mean", "(LN4*)", "db is a mean over the batch: wanted is the sum", "db in (LN4*)")(
    lambda n, r, g, dy: (_back(dy * g, n, r), (dy * n).sum(axis=0), dy.mean(axis=0)))
wrong("layer-norm-backward", "db of dn", "(LN4*)", "db is the sum of dn, not of dy", "db in (LN4*)")(
    lambda n, r, g, dy: (_back(dy * g, n, r), (dy * n).sum(axis=0), (dy * g).sum(axis=0)))

# sublayer ------------------------------------------------------------------------------------------------


def relu(a):
    """The positive part."""
    return np.maximum(a, 0)


for name, mark, says, look, f, variant in (
    ("post-norm", "(RS3)", "the norm stands after the sum: norm(x + z), as the paper prints it (post-norm)",
     "(RS2) (RS4): the norm comes first", lambda x, g, b, W: norm(x + relu(x @ W), g, b), True),
    ("no residual", "(RS4)", "x is not added: y is the sub-layer's output alone", "(RS4)",
     lambda x, g, b, W: relu(norm(x, g, b) @ W), False),
    ("residual of the normalised", "(RS4)", "the normalised rows u are added, not x itself", "(RS4)",
     lambda x, g, b, W: norm(x, g, b) + relu(norm(x, g, b) @ W), False),
    ("no norm", "(RS2)", "the sub-layer reads x, not norm(x)", "(RS2)", lambda x, g, b, W: x + relu(x @ W), False),
    ("norm of the output", "(RS2)", "the norm stands behind the sub-layer: x + norm(z)", "(RS2)",
     lambda x, g, b, W: x + norm(relu(x @ W), g, b), False),
    ("no ReLU", "(FR1)", "the ReLU is missing", "(FR1)", lambda x, g, b, W: x + norm(x, g, b) @ W, False),
    ("ReLU of the sum", "(FR1)", "the ReLU is taken of x + z, not of u W alone", "(FR1) (RS4)",
     lambda x, g, b, W: relu(x + norm(x, g, b) @ W), False),
    ("W transposed", "(FR1)", "W is transposed", "u W", lambda x, g, b, W: x + relu(norm(x, g, b) @ W.T), False),
):
    wrong("sublayer", name, mark, says, look, variant)(f)


# sublayer-backward ---------------------------------------------------------------------------------------

def _grads(n, d):
    return (d * n).sum(axis=0), d.sum(axis=0)


for name, mark, says, look, f in (
    ("residual missing", "(RS4*)", "dx lacks dy: the path around the sub-layer is missing", "(RS4*)",
     lambda n, r, g, dy, du: (_back(du * g, n, r), *_grads(n, du))),
    ("sub-layer missing", "(RS2*)", "dx is dy alone: the path through the sub-layer is missing", "(RS2*)",
     lambda n, r, g, dy, du: (dy.copy(), *_grads(n, du))),
    ("du past the norm", "(RS2*)", "du is added to dx as it is: it must go through the norm's backward", "(RS2*)",
     lambda n, r, g, dy, du: (dy + du, *_grads(n, du))),
    ("post-norm", "(RS3*)", "dy + du goes through the norm's backward: that is post-norm",
     "what stands on the path around",
     lambda n, r, g, dy, du: (_back((dy + du) * g, n, r), *_grads(n, dy + du))),
    ("dx twice dy", "(RS4*)", "dy is added twice", "(RS4*)",
     lambda n, r, g, dy, du: (2 * dy + _back(du * g, n, r), *_grads(n, du))),
    ("gains of dy", "(RS2*)", "dy stands where du belongs: the norm gave u", "the norm reads x and gives u",
     lambda n, r, g, dy, du: (dy + _back(du * g, n, r), *_grads(n, dy))),
    ("neither mean", "(LN1*)", "in dx, the norm's backward is only du g / r: both means are missing",
     "layer-norm-backward",
     lambda n, r, g, dy, du: (dy + _back(du * g, n, r, False, False), *_grads(n, du))),
):
    wrong("sublayer-backward", name, mark, says, look)(f)
