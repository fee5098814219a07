"""The time loop, and reading from both ends.  See minis2s/layers/unroll.py and recurrent.py."""


def unroll(step, xs, s0, mask=None):
    """(M1) state_t = step(x_t, state_{t-1}) if mask_t else state_{t-1}.

    xs holds T inputs; returns the T states and the last one (s0 if T = 0).
    """
    states, s = [], s0
    for t in range(len(xs)):
        s = step(xs[t], s) if mask is None or mask[t] else s                           # (M1)
        states.append(s)
    return states, s


def reverse_real(xs, mask=None):
    """x_L, ..., x_1, then the padding as it was; L is the number of real steps, which all come first."""
    L = len(xs) if mask is None else sum(1 for real in mask if real)
    return [xs[L - 1 - t] for t in range(L)] + [xs[t] for t in range(L, len(xs))]


def bidirectional(step_f, step_b, xs, s0_f, s0_b, mask=None):
    """Read xs from both ends: returns (states, last) of the forward and of the backward direction.

    The backward direction starts at the last *real* step.  Its states are put back in the order of time, so the
    states of both directions at t have read x_t last; its last state is the one at t = 1.
    """
    fw, fw_last = unroll(step_f, xs, s0_f, mask)
    bw, bw_last = unroll(step_b, reverse_real(xs, mask), s0_b, mask)
    return (fw, fw_last), (reverse_real(bw, mask), bw_last)
