"""Searches for outputs.  See minis2s/decoding/.

next_log_probs(prefix) takes the tokens so far (a tuple) and returns log p of each next token.  An output is a tuple of
tokens that ends with EOS, or that was cut at max_length tokens.  EOS counts as a token, so the probabilities of all
outputs sum to 1.  Every search returns (output, log p of the output).
"""
from .vectors import argmax


def greedy(next_log_probs, max_length, eos):
    """y_t = argmax_v log p(v given y_{<t}), until EOS or max_length."""
    y, log_p = (), 0.0
    while len(y) < max_length and y[-1:] != (eos,):
        step = next_log_probs(y)
        token = argmax(step)
        y, log_p = y + (token,), log_p + step[token]
    return y, log_p


def all_outputs(next_log_probs, max_length, eos, y=(), log_p=0.0):
    """Every output that continues y, as a list of (output, log p): about V^max_length of them."""
    if len(y) == max_length or y[-1:] == (eos,):
        return [(y, log_p)]
    step = next_log_probs(y)
    return [found for token in range(len(step))
            for found in all_outputs(next_log_probs, max_length, eos, y + (token,), log_p + step[token])]


def best_output(outputs, eos, a, must_finish):
    """The output with the greatest log p / len^a; if equal, the one whose tokens come first.

    len counts the EOS.  With `must_finish`, outputs cut at max_length count only if none has an EOS.
    """
    finished = [(y, log_p) for y, log_p in outputs if y[-1:] == (eos,)]
    candidates = finished if must_finish and finished else outputs
    return min(candidates, key=lambda found: (-found[1] / len(found[0]) ** a, found[0]))


def exhaustive(next_log_probs, max_length, eos, a=0.0, must_finish=False):
    """The best of all outputs, by looking at every single one; with a = 0 it is the most probable one."""
    return best_output(all_outputs(next_log_probs, max_length, eos), eos, a, must_finish)


def beam_search(next_log_probs, max_length, eos, K, a=0.0, must_finish=False):
    """Keep the K unfinished beginnings with the greatest log p; collect every output that they finish.

    All V continuations of a kept beginning are tried.  One that ends with EOS is finished and takes no place
    in the beam (so K = 1 may find a better output than greedy).  The last beam, cut at max_length, competes
    too.
    """
    beam, finished = [((), 0.0)], []
    for _ in range(max_length):
        grown = [(y + (token,), log_p + step_log_p)
                 for y, log_p in beam for token, step_log_p in enumerate(next_log_probs(y))]
        finished += [(y, log_p) for y, log_p in grown if y[-1] == eos]
        unfinished = [(y, log_p) for y, log_p in grown if y[-1] != eos]
        beam = sorted(unfinished, key=lambda found: (-found[1], found[0]))[:K]
    return best_output(finished + beam, eos, a, must_finish)
