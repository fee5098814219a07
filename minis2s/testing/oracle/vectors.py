"""Arithmetic on vectors: lists of numbers."""


def pairs(u, *others):
    """zip() of lists that must have one length: lists of different lengths are an error, never cut."""
    for v in others:
        if len(v) != len(u):
            raise ValueError("lists of %d and %d entries do not fit" % (len(u), len(v)))
    return zip(u, *others)


def dot(u, v):
    """u·v = Σ_k u_k v_k."""
    return sum(u_k * v_k for u_k, v_k in pairs(u, v))


def times(x, W):
    """(x W)_j = Σ_d x_d W_dj: x has D entries, W has D rows of J; the result has J entries."""
    return [dot(x, [row[j] for row in W]) for j in range(len(W[0]))]


def add(u, *others):
    """u + v + ..., entry by entry."""
    return [sum(entries) for entries in pairs(u, *others)]


def mul(u, v):
    """u ⊙ v, entry by entry."""
    return [u_k * v_k for u_k, v_k in pairs(u, v)]


def concat(u, v):
    """[u; v]: the entries of u, then those of v."""
    return list(u) + list(v)


def each(f, v):
    """f applied to each entry of v."""
    return [f(v_k) for v_k in v]


def argmax(v):
    """The index of the greatest entry; the first one if several are equal."""
    return max(range(len(v)), key=lambda k: v[k])


def h_of(state):
    """The h of a state: the state itself, or the first part of an LSTM's (h, c)."""
    return state[0] if isinstance(state, tuple) else state
