"""The formulas of document D: machine translation with seq2seq and additive attention."""

from . import cases, slips, steps
from .a import ENCODE, MODEL, MODEL_BACK
from .entry import Form, Formula

ADDITIVE = ("minis2s.layers.attention.additive:score", "minis2s.layers.attention.additive:keys",
            "minis2s.layers.attention.attend:attend")
ADDITIVE_BACK = ("minis2s.layers.attention.additive:score_backward",
                 "minis2s.layers.attention.additive:keys_backward",
                 "minis2s.layers.attention.attend:attend_backward")
WEIGHTS = ("minis2s.documents.printed.d:weights",), ("minis2s.documents.printed.d:weights_backward",)

FORMULAS = (
    Formula(
        id="D3.1",
        where="D §3.3 (1)",
        name="encoder",
        brief="h_t = RNN(h_{t-1}, x_t)",
        printed="h_t = RNN(h_{t-1}, x_t)",
        latex=r"h_t = RNN(h_{t-1}, x_t)",
        symbols={"x_t": "source embedding (N, D)", "h_t": "encoder state (N, H)",
                 "W, U, b": "weights (D, H), (H, H), (H,)"},
        forms=(Form("as printed", *ENCODE, ("M1", "R1", "R2"), cases.d3_1),),
        steps=steps.rnn_sequence,
    ),
    Formula(
        id="D3.2",
        where="D §3.3 (2)",
        name="decoder",
        brief="s_t = RNN(s_{t-1}, [y_{t-1}; ctx_t])",
        printed="s_t = RNN(s_{t-1}, h_t)",
        latex=r"s_t = RNN(s_{t-1}, h_t)",
        symbols={"h_t": "encoder state with the output's t (N, H)", "s_t": "decoder state (N, H)",
                 "y_{t-1}, ctx_t": "embedding (N, E), context (N, H): only in the intended form"},
        forms=(
            Form(
                "as intended",
                ("minis2s.model.context_step:step", "minis2s.layers.attention.attend:attend",
                 "minis2s.layers.cells.rnn:step"),
                ("minis2s.model.context_step:step_backward", "minis2s.layers.attention.attend:attend_backward",
                 "minis2s.layers.cells.rnn:step_backward"),
                ("D1", "D2", "D3", "A1", "A2", "R1", "R2"),
                cases.d3_2,
            ),
            Form("as printed", ("minis2s.documents.printed.d:decode",),
                 ("minis2s.documents.printed.d:decode_backward",), ("PD1",), cases.d3_2_printed),
        ),
        steps=steps.rnn_tanh,
        intended="ctx_t = Σ_i a_ti h_i by D3.3 and D3.4, from s_{t-1}\ns_t = RNN(s_{t-1}, [y_{t-1}; ctx_t])",
        latex_intended=r"s_t = RNN(s_{t-1}, [y_{t-1}; ctx_t])",
        slip=(
            "The decoder is fed with encoder states only, with the output's own t; y_{t-1} and ctx_t are"
            " meant."
        ),
        cost=(
            "The words output so far are no input.  The printed line is in truth the second layer of a "
            "stack, one output for "
            "each source word: a tagger (P4)."
        ),
        undefined="For S > T step T+1 needs h_{T+1}, which does not exist.",
        limit="as printed: only S ≤ T",
        demo=slips.d3_2,
    ),
    Formula(
        id="D3.3",
        where="D §3.3 (3)",
        name="additive attention",
        brief="a_ti = softmax_i(vᵀ tanh(W_s s_t + W_h h_i))",
        printed="a_t = softmax(vᵀ tanh(W_s s_t + W_h h_t))",
        latex=r"a_t = softmax(v^T tanh(W_s s_t + W_h h_t))",
        symbols={"s_t": "decoder state (N, Q)", "h_i": "encoder states, i = 1..T (T, N, H)",
                 "W_s, W_h, v": "weights (Q, A), (H, A), (A,)", "a_t": "weights (T, N), sum 1 over i"},
        forms=(Form("as intended", ADDITIVE, ADDITIVE_BACK, ("AB1", "AB2", "AB3", "A1", "A2"), cases.d3_3),
               Form("as printed", *WEIGHTS, ("PD2", "PD3"), cases.d3_3_printed(False)),
               Form("softmax over t", *WEIGHTS, ("PD2", "PD4"), cases.d3_3_printed(True))),
        steps=steps.additive_score,
        intended="e_ti = vᵀ tanh(W_s s_t + W_h h_i)\na_ti = softmax over i of e_ti",
        latex_intended=r"e_{ti} = v^T \tanh(W_s s_t + W_h h_i), \quad a_{ti} = \mathrm{softmax}_i(e_{ti})",
        slip="h_t stands for h_i: the index must run over the source, and softmax over i.",
        cost=(
            "Word for word there is one score, and the softmax of one number is 1: ctx_t is the plain sum of "
            "all states (D3.4), "
            "and W_s, W_h, v never get a gradient."
        ),
        undefined=(
            "softmax of what?  Read with one score the weight is always 1.  Read with softmax over t it needs"
            " S = T and every s_t at once, so no decoder could use it step by step.  D3.4 then needs a_i,"
            " which neither reading gives for each t."
        ),
        limit="as printed: one score, or S = T",
        demo=slips.d3_3,
    ),
    Formula(
        id="D3.4",
        where="D §3.3 (4)",
        name="context",
        brief="ctx_t = Σ_{i=1..T} a_i h_i",
        printed="c_t = Σ_{i=1..T} a_i h_i",
        latex=r"c_t = \sum_{i=1}^{T} a_i h_i",
        symbols={"a_i": "weights (T, N)", "h_i": "encoder states (T, N, H)",
                 "ctx_t": "context (N, H); c_t in the document, where it is not an LSTM's cell"},
        forms=(
            Form("as printed", ("minis2s.layers.attention.attend:attend", "minis2s.core.functions:softmax"),
                 ("minis2s.layers.attention.attend:attend_backward", "minis2s.core.functions:softmax_backward"),
                 ("A1", "A2", "F3"), cases.d3_4),
        ),
        steps=steps.context,
    ),
    Formula(
        id="D3.5",
        where="D §3.3 (5)",
        name="readout from state and context",
        brief="y_t = softmax(W_o [s_t; ctx_t])",
        printed="y_t = softmax(W_o [s_t; c_t])",
        latex=r"y_t = softmax(W_o [s_t; c_t])",
        symbols={"s_t": "decoder state (N, H)", "ctx_t": "context (N, H)", "W_o": "weights (2H, V), no bias",
                 "y_t": "distribution over V words (N, V)"},
        forms=(
            Form(
                "as printed",
                ("minis2s.layers.linear:forward", "minis2s.layers.fusion:forward", "minis2s.core.functions:softmax"),
                ("minis2s.layers.linear:product_backward", "minis2s.layers.fusion:backward",
                 "minis2s.core.functions:softmax_backward"),
                ("U1", "Y1", "F3"),
                cases.d3_5,
            ),
        ),
        steps=steps.d3_5,
    ),
    Formula(
        id="D3.s",
        where="D §2.1, §3.1",
        name="one set of parameters for encoder and decoder",
        brief="h_t = RNN_θ(x_t, h_{t-1}); s_t = RNN_θ(y_{t-1}, s_{t-1})",
        printed="(in words) encoder and decoder share one set of parameters",
        latex=r"\theta_{\mathrm{enc}} = \theta_{\mathrm{dec}}",
        symbols={"θ": "the cell's W, U, b; the embeddings stay apart", "h_t, s_t": "states (N, H)"},
        forms=(
            Form("as printed", (*MODEL, "minis2s.model.seq2seq:untie"),
                 (*MODEL_BACK, "minis2s.model.seq2seq:tie_gradients"),
                 ("S1", "S2", "S4", "D2", "D3", "R1", "R2"), cases.d3_s),
        ),
        steps=steps.tied,
        intended=(
            "h_t = RNN_θ(h_{t-1}, x_t);  s_0 = h_T;  s_t = RNN_θ(s_{t-1}, y_{t-1})\ndθ = (dθ from encoding) +"
            " (dθ from decoding)"
        ),
        latex_intended=r"d\theta = d\theta_{\mathrm{enc}} + d\theta_{\mathrm{dec}}",
        slip=(
            "Unusual, not wrong: encoder and decoder have different work, and most models give each its own "
            "weights.  The sizes of "
            "their inputs must be equal, so no context can be fed to the decoder's cell."
        ),
        cost=(
            "Fewer weights; whether it helps is a question for an experiment.  The gradient of a shared "
            "weight is the sum of "
            "those of both uses."
        ),
    ),
)
