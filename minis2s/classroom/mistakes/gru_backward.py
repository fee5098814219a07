"""Wrong backward steps of a GRU: one right function, and each mistake as an edit of its text."""
from itertools import permutations

import numpy as np

from .edited import edits_of
from .mistake import recorder
from .recurrent import sigmoid  # noqa: F401  (edits use it)

BANK, wrong = recorder()


def gru_back(x, h_prev, z, r, n, W, U, dh):
    """A right backward step."""
    H, q = h_prev.shape[1], r * h_prev
    U_zr, U_n = U[:, :2 * H], U[:, 2 * H:]
    dz = dh * (n - h_prev)
    dn = dh * z
    da_n = dn * (1 - n**2)
    dq = da_n @ U_n.T
    dr = dq * h_prev
    da_z, da_r = dz * z * (1 - z), dr * r * (1 - r)
    zr = np.concatenate([da_z, da_r], axis=1)
    dh_prev = dh * (1 - z) + dq * r + zr @ U_zr.T
    dU_z, dU_r, dU_n = h_prev.T @ da_z, h_prev.T @ da_r, q.T @ da_n
    da = np.concatenate([da_z, da_r, da_n], axis=1)
    dU = np.concatenate([dU_z, dU_r, dU_n], axis=1)
    return da @ W.T, dh_prev, x.T @ da, dU, da.sum(axis=0)


MISTAKES = (
    ("direct path missing", "(G4*)",
     "only dh_prev is wrong: the direct path dh (1 - z) is missing",
     "h' is used three times",
     [("dh * (1 - z) + dq", "dq")]),
    ("path through q missing", "(G2*)",
     "only dh_prev is wrong: the path through q, dq r, is missing",
     "h' is used three times",
     [(" + dq * r", "")]),
    ("path through the gates missing", "(G1*)",
     "only dh_prev is wrong: the path through z and r, da_zr U_zr^T, is missing",
     "h' is used three times",
     [(" + zr @ U_zr.T", "")]),
    ("path through r missing", "(G1*)",
     "only dh_prev is wrong: the path through the reset gate is missing",
     "U_zr has two blocks",
     [("zr @ U_zr.T", "da_z @ U_zr[:, :H].T")]),
    ("path through z missing", "(G1*)",
     "only dh_prev is wrong: the path through the update gate is missing",
     "U_zr has two blocks",
     [("zr @ U_zr.T", "da_r @ U_zr[:, H:].T")]),
    ("r missing in dq r", "(G2*)",
     "only dh_prev is wrong: dq enters without the factor r",
     "(G2*)",
     [("dq * r +", "dq +")]),
    ("z in the direct path", "(G4*)",
     "only dh_prev is wrong: the direct path has z in place of 1 - z",
     "what h' is multiplied with in (G4)",
     [("dh * (1 - z) +", "dh * z +")]),
    ("all blocks through U^T", "(G2*)",
     "only dh_prev is wrong: all three blocks of da go through U^T, and the block n also goes "
     "through q",
     "which blocks of U read h', and which one reads q",
     [("+ dq * r + zr @ U_zr.T", "+ dq * r + np.concatenate([zr, da_n], axis=1) @ U.T")]),
    ("h' for q in dU_n", "(G3*)",
     "only dU is wrong, in block n: U_n multiplied q = r h', not h'",
     "the left side of dU_n",
     [("q.T @ da_n", "h_prev.T @ da_n")]),
    ("r for q in dU_n", "(G3*)",
     "only dU is wrong, in block n: U_n multiplied q = r h', not r",
     "the left side of dU_n",
     [("q.T @ da_n", "r.T @ da_n")]),
    ("q in all of dU", "(G3*)",
     "only dU is wrong, in blocks z and r: they read h', and q = r h' is used for them",
     "the left side of dU_z and dU_r",
     [("h_prev.T @ da_z, h_prev.T @ da_r", "q.T @ da_z, q.T @ da_r")]),
    ("sign of dz", "(G4*)",
     "block z has the wrong sign: h' - n in place of n - h'",
     "the derivative of (1-z) h' + z n by z",
     [("n - h_prev", "h_prev - n")]),
    ("h' missing in dz", "(G4*)",
     "block z is wrong: dz = dh n, and z also takes away from h'",
     "z stands twice in (G4)",
     [("(n - h_prev)", "n")]),
    ("1 - z in dn", "(G4*)",
     "dn uses 1 - z in place of z: that belongs to the other form of the GRU",
     "what n is multiplied with in (G4)",
     [("dn = dh * z", "dn = dh * (1 - z)")]),
    ("n missing in dz", "(G4*)",
     "block z is wrong: dz = -dh h', and z also brings n in",
     "z stands twice in (G4)",
     [("(n - h_prev)", "-h_prev")]),
    ("tanh derivative of the input", "(G3*)",
     "block n is wrong: tanh's derivative is taken as if n were its INPUT",
     "1 - n^2",
     [("(1 - n**2)", "(1 - np.tanh(n)**2)")]),
    ("sigmoid's derivative for n", "(G3*)",
     "block n is wrong: n (1 - n) is the sigmoid's derivative, n is a tanh",
     "1 - n^2",
     [("(1 - n**2)", "n * (1 - n)")]),
    ("no derivative for n", "(G3*)",
     "block n is wrong: tanh's derivative is missing",
     "1 - n^2",
     [("dn * (1 - n**2)", "dn")]),
    ("U_n for U_n^T", "(G3*)",
     "dq goes back through U_n in place of U_n^T (the shapes agree): block r and dh_prev are wrong",
     "the product that makes dq",
     [("da_n @ U_n.T", "da_n @ U_n")]),
    ("n for h' in dr", "(G2*)",
     "block r is wrong: dr uses n in place of h'",
     "what r was multiplied with in (G2)",
     [("dr = dq * h_prev", "dr = dq * n")]),
    ("q for h' in dr", "(G2*)",
     "block r is wrong: dr uses q in place of h': r must not stand in its own derivative",
     "what r was multiplied with in (G2)",
     [("dr = dq * h_prev", "dr = dq * q")]),
    ("dr before U_n^T", "(G2*)",
     "block r is wrong: dr is made of da_n; between them lies the product with U_n^T",
     "dr = dq h'",
     [("dr = dq * h_prev", "dr = da_n * h_prev")]),
    ("sigmoid derivative of the input", "(G1*)",
     "blocks z and r are wrong: their derivative is taken as if they were INPUTS of the sigmoid",
     "k (1 - k)",
     [("da_z, da_r = dz * z * (1 - z), dr * r * (1 - r)",
       "da_z, da_r = (d * sigmoid(k) * (1 - sigmoid(k)) for d, k in ((dz, z), (dr, r)))")]),
    ("tanh's derivative for gates", "(G1*)",
     "z and r get tanh's derivative 1 - k^2; they are sigmoids",
     "k (1 - k)",
     [("da_z, da_r = dz * z * (1 - z), dr * r * (1 - r)", "da_z, da_r = dz * (1 - z**2), dr * (1 - r**2)")]),
    ("no gate derivatives", "(G1*)",
     "the sigmoids' derivative is missing in blocks z and r",
     "k (1 - k)",
     [("da_z, da_r = dz * z * (1 - z), dr * r * (1 - r)", "da_z, da_r = dz, dr")]),
    ("no sigma' in z", "(G1*)",
     "only block z is wrong: the sigmoid's derivative is missing there, not in r",
     "da_z = dz z (1 - z)",
     [("dz * z * (1 - z)", "dz")]),
    ("no sigma' in r", "(G1*)",
     "only block r is wrong: the sigmoid's derivative is missing there, not in z",
     "da_r = dr r (1 - r)",
     [("dr * r * (1 - r)", "dr")]),
    ("db mean", "(G1*)",
     "only db is wrong: the examples are averaged, wanted is their sum",
     "sum or mean over n",
     [("da.sum(axis=0)", "da.mean(axis=0)")]),
    ("db of one example", "(G1*)",
     "only db is wrong: it takes the first example, not the sum over all",
     "the sum over n",
     [("da.sum(axis=0)", "da[0]")]),
    ("sign", "(G1*)",
     "every gradient has the wrong sign",
     "the first minus on the way",
     [("return da @ W.T, dh_prev, x.T @ da, dU, da.sum(axis=0)",
       "return -da @ W.T, -dh_prev, -x.T @ da, -dU, -da.sum(axis=0)")]),
    ("divided by N", "(G1*)",
     "dW, dU and db are wrong: divided by N, and the loss has taken its mean already",
     "whether any division belongs here",
     [("x.T @ da, dU, da.sum(axis=0)", "x.T @ da / len(x), dU / len(x), da.mean(axis=0)")]),
)

ORDERS = tuple((f"gate order {''.join(order)}", "(G1*)",
                f"the gate blocks of the gradients stand in the order {', '.join(order)}; "
                "W's blocks are z, r, n",
                "where the parts are put side by side",
                [("[da_z, da_r, da_n]", f"[{', '.join('da_' + gate for gate in order)}]"),
                 ("[dU_z, dU_r, dU_n]", f"[{', '.join('dU_' + gate for gate in order)}]")])
               for order in permutations("zrn") if "".join(order) != "zrn")
edits_of(wrong, "gru-step-backward", gru_back, (*MISTAKES, *ORDERS))


@wrong("gru-step-backward", "z swapped", "(G4*)",
       "this is the backward of the GRU with z and 1 - z swapped (PyTorch's z)",
       "(G4): z is the share of the candidate", variant=True)
def _swapped_back(x, h_prev, z, r, n, W, U, dh):
    H = h_prev.shape[1]
    dz, da_n = dh * (h_prev - n), dh * (1 - z) * (1 - n**2)
    dq = da_n @ U[:, 2 * H:].T
    zr = np.concatenate([dz * z * (1 - z), dq * h_prev * r * (1 - r)], axis=1)
    da = np.concatenate([zr, da_n], axis=1)
    dU = np.concatenate([h_prev.T @ zr, (r * h_prev).T @ da_n], axis=1)
    return da @ W.T, dh * z + dq * r + zr @ U[:, :2 * H].T, x.T @ da, dU, da.sum(axis=0)


@wrong("gru-step-backward", "reset after", "(GA3*)",
       "this is the backward of the GRU that resets AFTER the product (PyTorch's form)",
       "(G2) and (G3): q = r h' goes through U_n", variant=True)
def _after_back(x, h_prev, z, r, n, W, U, dh):
    H = h_prev.shape[1]
    m = h_prev @ U[:, 2 * H:]
    da_n = dh * z * (1 - n**2)
    da_z, da_r = dh * (n - h_prev) * z * (1 - z), da_n * m * r * (1 - r)
    du = np.concatenate([da_z, da_r, da_n * r], axis=1)
    da = np.concatenate([da_z, da_r, da_n], axis=1)
    return da @ W.T, dh * (1 - z) + du @ U.T, x.T @ da, h_prev.T @ du, da.sum(axis=0)
