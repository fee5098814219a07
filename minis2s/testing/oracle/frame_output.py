"""Frames as output: their error, and the decision to stop.  See minis2s/layers/frame_output.py."""
from math import exp, log


def split_step(out, r):
    """out = [y_1; ...; y_r; a]: r frames of F numbers each, and the score a of the stop."""
    F = (len(out) - 1) // r
    return [out[q * F:(q + 1) * F] for q in range(r)], out[-1]


def frame_error(y, f, error="squared"):
    """(FO1) Σ_j (y_j - f_j)² / F, or Σ_j |y_j - f_j| / F."""
    rest = [y_j - f_j for y_j, f_j in zip(y, f)]
    return sum(d * d if error == "squared" else abs(d) for d in rest) / len(rest)      # (FO1)


def stop_error(a, s):
    """(FO2) log(1 + e^a) - s a: -log p(s), where p(stop) = σ(a); the exponent is never positive."""
    return max(a, 0.0) + log(1 + exp(-abs(a))) - s * a                                 # (FO2)


def frames_loss(out, targets, mask, error="squared"):
    """Loss for each real frame of a batch: out is S x N lists of r F + 1, targets are S x N x r F, mask is S x N x r.

    (FO1) E = the real frames' errors
    (FO2) B = the real steps' errors of the stop: s = 1 in the last real step
    (FO3) L = (E + B) / (number of real frames)
    """
    E, B, M = 0.0, 0.0, 0
    for t in range(len(out)):
        for n in range(len(out[t])):
            if not mask[t][n][0]:
                continue
            r = len(mask[t][n])
            ys, a = split_step(out[t][n], r)
            fs, _ = split_step(targets[t][n] + [0.0], r)
            for y, f, real in zip(ys, fs, mask[t][n]):
                if real:
                    E, M = E + frame_error(y, f, error), M + 1                         # (FO1)
            last = t + 1 == len(out) or not mask[t + 1][n][0]
            B += stop_error(a, 1.0 if last else 0.0)                                   # (FO2)
    return (E + B) / M                                                                 # (FO3)
