"""Twin of seq2seq.py's loss_and_gradient: the same steps, but the readout and its loss together (readout.py).

(S1)..(S5) forward; (S1*)..(S5*) backward.
"""
from .. import seq2seq as page
from .. import tree
from . import decoder, readout


def loss_and_gradient(p, config, batch, teacher=None, drops=None):
    """See seq2seq.loss_and_gradient."""
    if batch.targets.ndim == 3:                                         # one-hot
        L, _, k = page.forward(p, config, batch, teacher, drops, "numba")
        return L, page.backward(p, config, k)
    page.check_batch(config, batch, teacher, drops)
    p = page.untie(p, config)
    source, s0, k_encode = page.encode(p, config, batch.source, batch.source_mask, drops,
                                      "numba")                          # (S1) (S2) (S3)
    k = decoder.states(p.decoder, config, source, s0, batch.inputs, teacher, drops and drops.decoder,
                       drops and drops.output)                          # (S4)
    L, drs, g_readout = readout.loss_and_gradient(p.decoder.readout, k.rs, batch.targets, batch.target_mask,
                                                  config.label_smoothing)    # (S4) (S5) (S5*) (S4*)
    g_decoder, ds0, dsource = decoder.states_backward(p.decoder, config, source, k, drs, g_readout)    # (S4*)
    g_encoder, g_bridge, g_score = page.encode_backward(p, config, source, k_encode, dsource, ds0,
                                                        "numba")        # (S3*) (S2*) (S1*)
    g_decoder = g_decoder._replace(score=tree.add(g_decoder.score, g_score))    # fork: keys and queries
    return L, page.tie_gradients(page.Params(g_encoder, g_bridge, g_decoder), config)
