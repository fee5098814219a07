"""Wrong attention of all queries at once, wrong masks of the future, wrong heads, wrong positions."""
import numpy as np

from .mistake import recorder
from .outputs import stable

BANK, wrong = recorder()


def turned(a):
    """The last two axes change places."""
    return np.swapaxes(a, -1, -2)


def weights(e, visible):
    """A right softmax over what is visible."""
    return stable(np.where(visible, e, -np.inf), axis=-1)


# scaled-attention ----------------------------------------------------------------------------------------

def on_queries(e, mask):
    """The mask of the keys, laid on the queries where that is possible."""
    S, T = e.shape[1:]
    m = np.ones((len(e), S), dtype=bool)
    m[:, :min(S, T)] = mask.T[:, :min(S, T)]
    return stable(np.where(m[:, :, None], e, -1e9), axis=-1)


for name, mark, says, look, alpha in (
    ("no scale", "(SA1)", "alpha is wrong: the scores are not divided by the root of D", "(SA1)",
     lambda e, m, D: weights(e, m.T[:, None])),
    ("scaled by D", "(SA1)", "alpha is wrong: the scores are divided by D, not by its root", "(SA1)",
     lambda e, m, D: weights(e / D, m.T[:, None])),
    ("multiplied", "(SA1)", "alpha is wrong: the scores are multiplied by the root of D", "(SA1)",
     lambda e, m, D: weights(e * np.sqrt(D), m.T[:, None])),
    ("scaled after", "(SA2)", "alpha is wrong: the weights are divided by the root of D, after the softmax",
     "what each row sums to", lambda e, m, D: weights(e, m.T[:, None]) / np.sqrt(D)),
    ("no mask", "(SA4)", "alpha is wrong: the mask is not used, padding has weight", "(SA4)",
     lambda e, m, D: stable(e / np.sqrt(D), axis=-1)),
    ("mask turned", "(SA4)", "alpha is wrong: the mask is inverted, padding has all the weight", "True = real",
     lambda e, m, D: _inverted(e / np.sqrt(D), m)),
    ("mask on the queries", "(SA4)", "alpha is wrong: the mask stands on the axis of the queries; it says "
     "which KEYS count",
     "the shape of the mask beside the scores: (N, 1, T)", lambda e, m, D: on_queries(e / np.sqrt(D), m)),
    ("mask after the softmax", "(SA4)", "alpha is wrong: the mask comes after the softmax, rows sum to less than 1",
     "where the mask enters", lambda e, m, D: stable(e / np.sqrt(D), axis=-1) * m.T[:, None]),
    ("scores times mask", "(SA4)", "alpha is wrong: padded scores are multiplied by 0, and exp(0) = 1",
     "which score has no weight",
     lambda e, m, D: stable(e / np.sqrt(D) * m.T[:, None], axis=-1)),
    ("softmax over the queries", "(SA2)", "alpha is wrong: the softmax runs over the queries, each column sums to 1",
     "the axis: keys", lambda e, m, D: np.where(m.T[:, None], stable(e / np.sqrt(D), axis=1), 0)),
):
    wrong("scaled-attention", name, mark, says, look)(
        lambda q, k, v, mask, alpha=alpha: (lambda a: (a @ v, a))(alpha(q @ turned(k), mask, q.shape[-1])))


def _inverted(e, mask):
    m = ~mask.T[:, None]
    return stable(np.where(m.any(axis=-1, keepdims=True), np.where(m, e, -np.inf), e), axis=-1)


wrong("scaled-attention", "scaled by the keys' number", "(SA1)",
      "alpha is wrong: the scores are divided by the root of T, the "
      "number of keys", "(SA1): D is the size of a query")(
    lambda q, k, v, mask: (lambda a: (a @ v, a))(weights(q @ turned(k) / np.sqrt(k.shape[1]), mask.T[:, None])))
wrong("scaled-attention", "mean context", "(SA3)", "alpha is right; the context is divided by T", "sum or mean over i")(
    lambda q, k, v, mask: (lambda a: (a @ v / v.shape[1], a))(
        weights(q @ turned(k) / np.sqrt(q.shape[-1]), mask.T[:, None])))

# scaled-attention-backward -------------------------------------------------------------------------------


def _de(alpha, dalpha):
    return alpha * (dalpha - (alpha * dalpha).sum(axis=-1, keepdims=True))


def _products(q, k, de, dv):
    return de @ k, turned(de) @ q, dv


DE = (
    ("without the row sum", "(SA2*)", "de is alpha times dalpha: the sum over j is missing, so rows of de do "
     "not sum to 0",
     "(SA2*)", lambda a, da, D: a * da / np.sqrt(D)),
    ("sum without alpha", "(SA2*)", "in de, the sum over j is of dalpha alone: alpha_tj is missing in it", "(SA2*)",
     lambda a, da, D: a * (da - da.sum(axis=-1, keepdims=True)) / np.sqrt(D)),
    ("mean for sum", "(SA2*)", "in de, a mean over j stands where the sum belongs", "(SA2*)",
     lambda a, da, D: a * (da - (a * da).mean(axis=-1, keepdims=True)) / np.sqrt(D)),
    ("sum over the queries", "(SA2*)", "in de, the sum runs over the queries t, not over j", "the axis of the sum",
     lambda a, da, D: a * (da - (a * da).sum(axis=1, keepdims=True)) / np.sqrt(D)),
    ("sigmoid's", "(SA2*)", "de is alpha (1 - alpha) dalpha: a sigmoid's derivative; the softmax's weights depend "
     "on each other",
     "(SA2*)", lambda a, da, D: a * (1 - a) * da / np.sqrt(D)),
    ("no scale", "(SA1*)", "1/sqrt(D) is missing in dq and dk", "(SA1*)", lambda a, da, D: _de(a, da)),
    ("scaled by D", "(SA1*)", "dq and dk are divided by D, not by its root", "(SA1*)", lambda a, da, D: _de(a, da) / D),
    ("no softmax", "(SA2*)", "dalpha is used as de: the softmax's derivative is missing", "(SA2*)",
     lambda a, da, D: da / np.sqrt(D)),
    ("sign", "(SA2*)", "the sign of de is turned", "(SA2*)", lambda a, da, D: -_de(a, da) / np.sqrt(D)),
)
for name, mark, says, look, de in DE:
    wrong("scaled-attention-backward", name, mark, says, look)(
        lambda q, k, v, alpha, dctx, de=de: _products(
            q, k, de(alpha, dctx @ turned(v), q.shape[-1]), turned(alpha) @ dctx))
for name, mark, says, look, change in (
    ("dq without the scale", "(SA1*)", "dq is right but for 1/sqrt(D), which is missing", "dq in (SA1*)",
     lambda g, q, k, de, a, dctx: (g[0] * np.sqrt(q.shape[-1]), *g[1:])),
    ("dk without the scale", "(SA1*)", "dk is right but for 1/sqrt(D), which is missing", "dk in (SA1*)",
     lambda g, q, k, de, a, dctx: (g[0], g[1] * np.sqrt(q.shape[-1]), g[2])),
    ("dv without alpha", "(SA3*)", "dv is the sum of dctx over t: alpha is missing in it", "dv in (SA3*)",
     lambda g, q, k, de, a, dctx: (*g[:2], np.broadcast_to(dctx.sum(axis=1, keepdims=True), g[2].shape).copy())),
    ("dv mean", "(SA3*)", "dv is a mean over the queries: wanted is the sum", "dv in (SA3*)",
     lambda g, q, k, de, a, dctx: (*g[:2], g[2] / q.shape[1])),
    ("dk mean", "(SA1*)", "dk is a mean over the queries: wanted is the sum", "dk in (SA1*)",
     lambda g, q, k, de, a, dctx: (g[0], g[1] / q.shape[1], g[2])),
    ("dv of e", "(SA3*)", "dv is made with de, not with alpha", "dv in (SA3*)",
     lambda g, q, k, de, a, dctx: (*g[:2], turned(de) @ dctx)),
):
    wrong("scaled-attention-backward", name, mark, says, look)(
        lambda q, k, v, alpha, dctx, change=change: (lambda de: change(
            _products(q, k, de, turned(alpha) @ dctx), q, k, de, alpha, dctx))(
                _de(alpha, dctx @ turned(v)) / np.sqrt(q.shape[-1])))


# causal-mask ---------------------------------------------------------------------------------------------

def seen(S, T, offset=0):
    """(S, T), True where the last S of T positions may look, moved by `offset`."""
    return np.tri(S, T, T - S + offset, dtype=bool)


for name, says, look, alpha in (
    ("no mask", "the future is not hidden", "(SA5)", lambda e, S, T: stable(e, axis=-1)),
    ("one too many", "each query sees one position of the future", "i <= t", lambda e, S, T: weights(e, seen(S, T, 1))),
    ("the past is hidden", "the triangle is turned: each query sees itself and the future, not the past", "i <= t",
     lambda e, S, T: weights(e, ~seen(S, T, -1))),
    ("not the last positions", "the queries are taken for the FIRST S of T positions: they see too little where S < T",
     "the case S < T", lambda e, S, T: weights(e, np.tri(S, T, dtype=bool))),
    ("after the softmax", "the mask comes after the softmax: rows sum to less than 1", "where the mask enters",
     lambda e, S, T: stable(e, axis=-1) * seen(S, T)),
    ("scores times mask", "hidden scores are multiplied by 0 before the softmax: exp(0) = 1 is weight",
     "which score has no weight",
     lambda e, S, T: stable(e * seen(S, T), axis=-1)),
    ("minus 1e3", "1e3 is taken off hidden scores: that is not enough where scores are large",
     "a number no score can outweigh",
     lambda e, S, T: stable(e - 1e3 * ~seen(S, T), axis=-1)),
    ("set to minus 1e4", "hidden scores are set to a finite number: real ones may lie lower",
     "a number no score can undercut",
     lambda e, S, T: stable(np.where(seen(S, T), e, -1e4), axis=-1)),
    ("columns", "the softmax runs over the queries: each column sums to 1", "the axis: keys",
     lambda e, S, T: np.where(seen(S, T), stable(np.where(seen(S, T), e, -1e300), axis=1), 0)),
):
    wrong("causal-mask", name, "(SA5)", says, look)(lambda e, alpha=alpha: alpha(e, *e.shape[1:]))


def itself_hidden(e):
    """Strictly the past; the first position, which would see nothing, sees all."""
    m = seen(*e.shape[1:], -1)
    return weights(e, np.where(m.any(axis=1, keepdims=True), m, True))


wrong("causal-mask", "itself hidden", "(SA5)", "a position does not see itself: the triangle lacks its diagonal",
      "i <= t")(
    itself_hidden)


# heads ---------------------------------------------------------------------------------------------------

def cut(x, h):
    """The shapes of a split: T, N, h, d."""
    T, N, D = x.shape
    return T, N, h, D // h


for name, says, look, f in (
    ("reshape alone", "one reshape to (N, h, T, d) mixes examples, steps and heads: it never reorders numbers",
     "first cut the last axis, then reorder the axes", lambda x, T, N, h, d: x.reshape(N, h, T, d)),
    ("transposed, then cut", "the time axis is cut, not the rows: axes are reordered before the cut",
     "cut the last axis of x (T, N, D) first", lambda x, T, N, h, d: x.transpose(1, 0, 2).reshape(N, h, T, d)),
    ("interleaved", "head j has every h-th number: wanted are d neighbours", "(T, N, h, d), not (T, N, d, h)",
     lambda x, T, N, h, d: x.reshape(T, N, d, h).transpose(1, 3, 0, 2)),
    ("example first", "x is taken for example first: its first axis is time", "the shape of x: (T, N, D)",
     lambda x, T, N, h, d: x.reshape(N, T, h, d).transpose(0, 2, 1, 3)),
    ("first head for all", "every head has the numbers of head 0", "(MH5)",
     lambda x, T, N, h, d: np.tile(x[:, :, :d].transpose(1, 0, 2)[:, None], (1, h, 1, 1))),
    ("heads backwards", "the heads come in the opposite order", "which numbers head 0 has",
     lambda x, T, N, h, d: x.reshape(T, N, h, d).transpose(1, 2, 0, 3)[:, ::-1].copy()),
):
    wrong("split-heads", name, "(MH5)", says, look)(lambda x, heads, f=f: f(x, *cut(x, heads)))
for name, says, look, f in (
    ("reshape alone", "one reshape to (T, N, D) mixes examples, steps and heads: it never reorders numbers",
     "first reorder the axes, then join the last two", lambda y, N, h, T, d: y.reshape(T, N, h * d)),
    ("half reordered", "the axes are in the order (N, T, h, d) when they are joined, and then taken for time first",
     "the order (2, 0, 1, 3)", lambda y, N, h, T, d: y.transpose(0, 2, 1, 3).reshape(T, N, h * d)),
    ("interleaved", "the heads' numbers stand by turns: wanted is all of head 1, then all of head 2",
     "(T, N, h, d), not (T, N, d, h)", lambda y, N, h, T, d: y.transpose(2, 0, 3, 1).reshape(T, N, h * d)),
    ("first head for all", "head 0's numbers stand at the places of all heads", "(MH5*)",
     lambda y, N, h, T, d: np.tile(y[:, 0].transpose(1, 0, 2), h)),
    ("sum of heads", "the heads are added up and repeated, not put beside each other", "(MH5*)",
     lambda y, N, h, T, d: np.tile(y.sum(axis=1).transpose(1, 0, 2), h)),
    ("heads backwards", "the heads stand in the opposite order", "which numbers come first",
     lambda y, N, h, T, d: y[:, ::-1].transpose(2, 0, 1, 3).reshape(T, N, h * d)),
):
    wrong("join-heads", name, "(MH5*)", says, look)(lambda y, f=f: f(y, *y.shape))


# positions -----------------------------------------------------------------------------------------------

def waves(i, exponents, D):
    """Sines in even columns, cosines in odd ones, of angles i / 10000^exponent."""
    angles = np.asarray(i)[:, None] / 10000.0 ** np.asarray(exponents)
    return np.where(np.arange(D) % 2, np.cos(angles), np.sin(angles))


def pairs(D):
    """2k/D of each column."""
    return np.arange(D) // 2 * 2 / D


for name, says, look, f in (
    ("from 1", "positions count from 1: they count from 0, so the first row is 0, 1, 0, 1", "i in (PE1)",
     lambda T, D: waves(np.arange(1, T + 1), pairs(D), D)),
    ("each its own frequency", "each column has a frequency of its own: sine and cosine of a pair share one",
     "the exponent 2k/D of columns 2k and 2k+1", lambda T, D: waves(np.arange(T), np.arange(D) / D, D)),
    ("k for 2k", "the exponent is k/D: wanted is 2k/D", "(PE1)", lambda T, D: waves(np.arange(T), pairs(D) / 2, D)),
    ("halves", "all sines come first, then all cosines: they stand by turns", "even and odd columns",
     lambda T, D: (lambda P: np.concatenate([P[:, 0::2], P[:, 1::2]], axis=1))(waves(np.arange(T), pairs(D), D))),
    ("cosine first", "cosines stand in the even columns, sines in the odd ones", "(PE1)",
     lambda T, D: np.where(np.arange(D) % 2, np.sin(np.arange(T)[:, None] / 10000.0 ** pairs(D)),
                           np.cos(np.arange(T)[:, None] / 10000.0 ** pairs(D)))),
    ("multiplied", "i is multiplied by 10000^(2k/D): wanted is the quotient", "(PE1)",
     lambda T, D: waves(np.arange(T), -pairs(D), D)),
    ("sines alone", "all columns are sines", "cosines in the odd columns",
     lambda T, D: np.sin(np.arange(T)[:, None] / 10000.0 ** pairs(D))),
    ("1000", "1,000 stands where 10,000 belongs", "(PE1)", lambda T, D: waves(np.arange(T), pairs(D) * 0.75, D)),
):
    wrong("position-encoding", name, "(PE1)", says, look)(f)
