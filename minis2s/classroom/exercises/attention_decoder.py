"""The exercise on the backward pass of a whole decoder with attention."""
import numpy as np

from ...layers import linear
from ...layers.attention import Memory, dot
from ...layers.attention.attend import Cache
from ...layers.cells import rnn
from ...model import decoder
from ...model.config import Config
from .attention import dot_attention
from .exercise import Case, Exercise, lengths, ragged
from .recurrent import weights


def _decoders(rng):
    cases = []
    for S, T, N, D, H, V in ((6, 5, 4, 3, 7, 9), (3, 4, 2, 5, 6, 8)):
        w, s0, mask = weights(rng, D, H), rng.normal(size=(N, H)) * 0.6, ragged(lengths(rng, T, N) if N > 2
                                                                                else [2, T], T)
        xs, hs = rng.normal(size=(S, N, D)), rng.normal(size=(T, N, H))
        ss, alphas, s = [], [], s0
        for x in xs:
            s = rnn.step(rnn.Params(w["W"], w["U"], w["b"]), x, rnn.State(s))[0].h
            alphas.append(dot_attention(s, hs, mask)[1])
            ss.append(s)
        cases.append(Case("ragged lengths", {
            "xs": xs, "s0": s0, "hs": hs, "ss": np.stack(ss), "alphas": np.stack(alphas), "W": w["W"],
            "U": w["U"],
            "W_y": rng.normal(size=(2 * H, V)) * 0.5, "dlogits": rng.normal(size=(S, N, V))}))
    return cases


def attention_decoder_backward(xs, s0, hs, ss, alphas, W, U, W_y, dlogits):
    """The library's decoder.backward; each (t, n) has an embedding row of its own, so dE holds dxs."""
    (S, N, D), H = xs.shape, U.shape[0]
    config = Config(cell="rnn", embedding=D, hidden=H, attention="dot", attention_order="after", fusion="concat",
                    dtype="float64")
    p = decoder.Params(xs.reshape(S * N, D), (rnn.Params(W, U, np.zeros(H)),), dot.Params(), None,
                       linear.Params(W_y, np.zeros(W_y.shape[1])))
    s_prevs = np.concatenate([s0[None], ss[:-1]])
    steps = [decoder.StepCache((rnn.Cache(x, s_prev, s),), Cache(alpha, dot.Cache(s)), None)
             for x, s_prev, s, alpha in zip(xs, s_prevs, ss, alphas)]
    rs = np.concatenate([ss, np.einsum("stn,tnh->snh", alphas, hs)], axis=2)
    ids = np.arange(S * N).reshape(S, N)
    source = decoder.EncoderOutput(Memory(hs, None, None), None)
    g, layers, dsource = decoder.backward(p, config, source, decoder.Cache(ids, steps, rs, None, None),
                                          dlogits)
    return g.embedding.reshape(S, N, D), layers[0].h, dsource.memory.hs, *g.layers[0], *g.readout


ATTENTION_DECODER_BACKWARD = Exercise(
    "attention-decoder-backward", "backward of a whole attention decoder",
    """(D3)  s_t = tanh(x_t W + s_{t-1} U + b)      (D3*) da, dx_t, ds_{t-1}, dW, dU, db: exercise bptt
(D4)  ctx_t = dot attention of s_t over hs   (D4*) ds_t +=, dhs +=: exercise dot-attention-backward
(D5)  z_t = [s_t; ctx_t]                     (D5*) ds_t, dctx_t = the two parts of dz_t
(D7)  logits_t = z_t W_y + b_y               (D7*) dz_t = dlogits_t W_y^T
                                                   dW_y = sum_t z_t^T dlogits_t    db_y = sum_t,n dlogits_t
for t = S, ..., 1: ds_t also holds what is carried back from t+1""",
    """xs       (S, N, D)   embedded inputs of the decoder
s0       (N, H)      states before the first step
hs       (T, N, H)   encoder states
ss       (S, N, H)   decoder states of the forward pass
alphas   (S, T, N)   attention weights of the forward pass, 0 at padding
W        (D, H)      input weights
U        (H, H)      recurrent weights
W_y      (2H, V)     readout: the first H rows read s_t, the others ctx_t
dlogits  (S, N, V)   dL/dlogits""",
    """dxs   (S, N, D)  dL/dx_t (D3*)
ds0   (N, H)     dL/ds_0 (D3*)
dhs   (T, N, H)  dL/dh_i, summed over all decoder steps (D4*)
dW    (D, H)     (D3*)
dU    (H, H)     (D3*)
db    (H,)       (D3*)
dW_y  (2H, V)    (D7*)
db_y  (V,)       (D7*)""",
    """>>> one, z = np.ones((1, 1)), np.zeros((1, 1, 1))
>>> r = attention_decoder_backward(z, 0 * one, z + 2, z, z + 1, one, one, np.array([[3.0], [5.0]]), z + 1)
>>> print(r[0].ravel(), r[2].ravel())   # one source position: alpha = 1, de = 0, ds = 3, dh = 5
[3.] [5.]
>>> print(r[6].ravel(), r[7])           # z = [0; 2]
[0. 2.] [1.]""",
    ("Put together what you have: linear layer, dot-attention-backward, rnn-step-backward, the loop of bptt.",
     "ds_t is a sum of three: from the readout, from the attention (s_t asks), and from step t+1.",
     "dhs collects from EVERY decoder step, and each time by two paths: context and score."),
    _decoders, attention_decoder_backward, shared="dz_t of (D7*), and ds_t",
    computed=("db_y", "dW_y", "dxs", "ds0", "db", "dW", "dU", "dhs"),
    backward=True,
    own_memory=True)

EXERCISES = (ATTENTION_DECODER_BACKWARD,)
