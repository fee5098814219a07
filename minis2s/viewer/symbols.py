"""Which symbol a name stands for, so that equation, code, oracle and derivative light up together.

`s.h`, `h_prev` and `h'` are written differently, for different readers; here each gets the key of its symbol: "h" for
`h`, `hs` (all steps of it) and `h_i` (one of them), "h_prev" for h', `dh` for the gradient `d.h`.
"""
import re

PLURALS = {f"{d}{name}s": f"{d}{name}" for d in ("", "d") for name in (
    "h", "x", "e", "f", "y", "q", "k", "v", "u", "p", "z", "r", "alpha", "ctx", "final", "key", "logit")}
PLURALS |= {"ss": "s", "dss": "ds", "kvs": "kv", "dkvs": "dkv", "logits": "logits", "dlogits": "dlogits",
            "keys": "k", "dkeys": "dk"}
INDEX = re.compile(r"_(?:i|t|ti|tv|v|k|j|n|tn|i,2k|i,2k\+1|l|l-1|tj)$")
GREEK = {"α": "alpha", "φ": "phi", "ε": "eps", "σ": "sigmoid", "μ": "mu", "ρ": "rho", "β": "beta"}
SAME = {"W_d": "W_d", "probs": "p", "size": "g_norm", "dprobs": "dp", "embedding": "E", "demb": "dE", "ids": "id",
        "token": "id", "targets": "y", "new": "s", "dnew": "ds", "mask": "real", "limit": "c", "dlogp": "dlog_p",
        "phi_prev": "phi", "s0": "s_0",
        "ds0": "ds_0", "b1": "beta1", "b2": "beta2", "dtable": "dP"}
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


# Symbols of an equation that its lines of code call by another name: mark -> "symbol:name".
OTHER = {mark: dict(pair.split(":") for pair in pairs.split()) for mark, pairs in {
    "(F3)": "a:e", "(F4*)": "dl:dlog_p", "(M1)": "s_prev:s", "(M1*)": "ds_prev:d_prev", "(B1*)": "df:final ds_0:ds",
    "(D1)": "s_prev:h", "(D1*)": "ds_prev:ds", "(D3)": "s_prev:s", "(D3*)": "ds_prev:dlayers", "(D4)": "s:h",
    "(D5)": "s:h", "(D5*)": "ds:dh dctx:dctx_fuse", "(D6)": "E:parts y_prev:parts",
    "(D6*)": "dE:demb_read", "(X2)": "y:id", "(X3)": "M:count p:log_p q:dlogits",
    "(X3*)": "M:count p:dlogits q:dlogits", "(X1)": "p:log_p", "(X1*)": "p:dlogits",
    "(CP1*)": "dw:dW", "(CP2*)": "dc_x:dc", "(S4*)": "dctx:dsource dmemory:dsource",
    "(KD1)": "z_prev:teacher_logits", "(KD2)": "M:count p:logits", "(KD2*)": "M:count p:logits", "(PR2)": "m:kept",
    "(PR3)": "m:kept", "(PR3*)": "m:kept dW_prev:g", "(QZ1)": "W:ws", "(QZ2)": "b:bits",
    "(MH2*)": "dW_q:g_q db_q:g_q", "(TS1)": "k:kv values:kv", "(TS1*)": "k:dkv values:dkv", "(TS2)": "k:kv values:kv",
    "(TD1)": "y_prev:id", "(TD3)": "source:kv", "(TM3)": "inputs:fed", "(PB2*)": "dU_g:grads",
    "(PB3*)": "dW_g:grads dx:grads", "(PC1*)": "dy_prev:dy_h", "(PD1*)": "ds:d ds_prev:d", "(PE1)": "k:j"}.items()}

# Symbols of an equation that its lines do not name, since they work on all of it at once; the table of shapes has them.
UNNAMED = {mark: set(names.split()) for mark, names in {
    "(F1*)": "dy", "(F2*)": "dy", "(N1)": "L dL", "(N2)": "L dL eps", "(L2*)": "dk k", "(RC1)": "l", "(AD2)": "H",
    "(AD2*)": "H", "(B1*)": "dW db", "(D7)": "t", "(X1*)": "q", "(PE1)": "a", "(RS2)": "z", "(RS2*)": "dx dz",
    "(RS3)": "m x z", "(RS3*)": "dx dz m", "(RS4*)": "dx", "(SA1*)": "d", "(SA2)": "i", "(TS3)": "x y",
    "(TS3*)": "dx dy",
    "(TE1)": "m", "(TE1*)": "dE", "(QZ4)": "b", "(SA1)": "d", "(TD1)": "m", "(PB6*)": "da",
    "(PC1*)": "da", "(PC5*)": "da", "(PD1)": "U W b", "(PD1*)": "da U W",
    "(PD2*)": "da", "(PD4)": "t", "(KD2)": "a", "(SL1)": "dx dz z", "(SL2)": "f i p x y",
    "(CP1)": "g", "(CP3)": "logits v",
    "(TS1*)": "values", "(G1*)": "k dk", "(E1*)": "v", "(GA1*)": "k dk", "(PA1*)": "ds_prev", "(PA4*)": "dh_T source",
    "(PB1*)": "k dk", "(PC2*)": "dlogits", "(PC3*)": "k dk", "(X3*)": "p q"}.items()}


def of_equation(mark, name):
    """The key of a symbol of one equation: the code's name where it has another."""
    return OTHER.get(mark, {}).get(name, name)
