"""What an attention score consists of, and the choices that several scores share.

The scores differ in one line only: the term that is summed over the A numbers of a query q and a key k_i.

    dot, scaled, general   e_i = sum of q h_i             (AD1) (AD2) (AG2)
    additive               e_i = sum of tanh(q + k_i) v   (AB2) (AB3)
    concat-dot             e_i = sum of tanh(q + k_i) h_i (AC2) (AC3)

Each function of a Score is put into the kernel of attend.py when that is compiled.
"""
from collections.abc import Callable
from typing import NamedTuple

from ...runtime.jit import inlined
from .powers import no_powers, powers_of


class Score(NamedTuple):
    term: Callable             # q, k_i, h_i, v of 16 units -> their terms
    term_backward: Callable    # de_i and the same -> dq, dk_i, dh_i, dv
    matrix: Callable           # of Params and a state: (H, A), what makes a query of a state, or (0, H)
    keys: Callable             # of a Memory: keys, or hs where the score has none
    v: Callable                # of Params and queries: (A,), without meaning where the score has none
    scores_hs: bool            # whether h_i has a share in its own score
    make_keys: Callable = None         # arena, Params, hs -> keys, where the score has them
    keys_backward: Callable = None     # arena, Params, their gradient, hs, dkeys, dhs: both gradients are added to
    is_scaled: bool = False            # whether the query is divided by the root of its size
    powers: Callable = no_powers       # arena, keys, mask, v, rows -> what a shorter way to the scores needs

    @property
    def has_keys(self):
        """Whether keys are made of hs."""
        return self.keys is keys_of

    @property
    def has_powers(self):
        """Whether there is a shorter way to the scores: powers.py."""
        return self.powers is powers_of

    @property
    def has_v(self):
        """Whether v weighs the terms."""
        return self.v is v_of

    @property
    def has_matrix(self):
        """Whether a query is more than the state itself."""
        return self.matrix is not no_matrix


@inlined
def no_matrix(p, s):
    return s[:0]


@inlined
def hs_of(memory):
    return memory.hs


@inlined
def keys_of(memory):
    return memory.keys


@inlined
def no_v(p, q):
    return q[0, 0]


@inlined
def v_of(p, q):
    return p.v
