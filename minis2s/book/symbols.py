"""Which symbol a name stands for, so that equation, code, oracle and derivative light up together.

`s.h`, `h_prev` and `h'` are written differently, for different readers; here each gets the key of its symbol: "h" for
`h`, `hs` (all steps of it) and `h_i` (one of them), "h_prev" for h', `dh` for the gradient `d.h`.
"""
import re

PLURALS = {f"{d}{name}s": f"{d}{name}" for d in ("", "d") for name in (
    "h", "x", "e", "y", "q", "k", "v", "u", "p", "z", "r", "alpha", "ctx", "final", "key", "logit")}
PLURALS |= {"ss": "s", "dss": "ds", "kvs": "kv", "dkvs": "dkv", "logits": "logits", "dlogits": "dlogits"}
INDEX = re.compile(r"_(?:i|t|ti|tv|v|k|j|n|tn|i,2k|i,2k\+1)$")
GREEK = {"α": "alpha", "φ": "phi", "ε": "eps", "σ": "sigmoid", "μ": "mu", "ρ": "rho", "β": "beta"}
SAME = {"W_d": "W_d", "probs": "p", "size": "g_norm", "dprobs": "dp", "embedding": "E", "demb": "dE", "ids": "id",
        "token": "id", "targets": "y", "new": "s", "dnew": "ds", "mask": "real", "limit": "c", "dlogp": "dlog_p"}
HOLDERS = {"d": "d", "s": "", "p": "", "k": "", "memory": "", "v": "", "self": "", "final": ""}
METHODS = {"T", "sum", "mean", "reshape", "shape", "swapaxes", "astype", "real", "dtype", "tanh", "exp", "sqrt", "ndim"}


def key(name):
    """The key of a symbol: "hs" -> "h", "h_{t-1}" -> "h_prev", "dh_i" -> "dh"."""
    name = name.replace("{", "").replace("}", "").replace("_t-1", "_prev").replace("'", "_prev").replace("′", "_prev")
    for letter, word in GREEK.items():
        name = name.replace(letter, word)
    name = INDEX.sub("", name)
    return SAME.get(name, PLURALS.get(name, name))


def dotted(parts):
    """The key of `d.h` ("dh"), `p.W` ("W"), `memory.hs` ("h"); methods of an array are left out."""
    parts = [part for part in parts if part not in METHODS] or parts[:1]
    holder = HOLDERS.get(parts[0], "") if len(parts) > 1 else ""
    return key(holder + parts[-1])
