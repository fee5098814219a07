"""First values of the weights.  See minis2s/core/initializers.py."""
from math import sqrt

from .vectors import dot


def glorot_bound(rows, columns):
    """(I1) bound = √(6 / (rows + columns)): the weights are uniform in (-bound, bound)."""
    return sqrt(6.0 / (rows + columns))                                                # (I1)


def orthogonal(A):
    """(I2) The orthogonal matrix Q of A = Q R, R upper triangular with positive diagonal: Gram–Schmidt.

    A is a square matrix of random numbers.  Column j of Q is column j of A, without its parts along the columns
    before, made a vector of length 1.
    """
    columns = []
    for j in range(len(A)):
        v = [row[j] for row in A]
        for _ in range(2):                         # once is exact on paper, twice in floating-point numbers
            for q in columns:
                part = dot(q, v)
                v = [v_k - part * q_k for v_k, q_k in zip(v, q)]
        length = sqrt(dot(v, v))
        columns.append([v_k / length for v_k in v])                                    # (I2)
    return [[q[d] for q in columns] for d in range(len(A))]
