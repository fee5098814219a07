"""The formulas of document B: the encoder–decoder architecture, LSTM equations, attention."""

from . import cases, slips, steps
from .entry import Form, Formula

STEP = ("minis2s.model.context_step:step", "minis2s.layers.attention.attend:attend",
        "minis2s.layers.attention.general:score", "minis2s.layers.cells.lstm:step")
STEP_BACK = ("minis2s.model.context_step:step_backward", "minis2s.layers.attention.attend:attend_backward",
             "minis2s.layers.attention.general:score_backward", "minis2s.layers.cells.lstm:step_backward")
LSTM = ("L1", "L2", "L3", "L4", "L5")
LSTM_SYMBOLS = {
    "i, f, o": "input, forget, output gate (N, H), each entry in (0, 1)",
    "c_t": "cell state (N, H)",
}

FORMULAS = (
    Formula(
        id="B4.1",
        where="B §4.1",
        name="the whole model",
        brief="s_t = Decoder(s_{t-1}, h_t, a_t); a_t = Attention(s_t, h_t)",
        printed=(
            "h_t = Encoder(x_t)\ns_t = Decoder(s_{t-1}, h_t, a_t)\na_t = Attention(s_t, h_t)\n"
            "p(y_t | y_1..y_{t-1}) = softmax(Decoder(s_t, h_t, a_t))"
        ),
        latex=r"s_t = \mathrm{Decoder}(s_{t-1}, h_t, a_t), \quad a_t = \mathrm{Attention}(s_t, h_t), \quad "
        r"p(y_t|y_1, \ldots, y_{t-1}) = \mathrm{softmax}(\mathrm{Decoder}(s_t, h_t, a_t))",
        symbols={"h_t": "encoder state (N, H)", "s_t": "decoder state (N, H)",
                 "a_t": "attention weights (T, N)", "ctx_t": "Σ_i a_ti h_i (N, H)"},
        forms=(
            Form("attend before", STEP, STEP_BACK, ("D1", "D2", "D3", "D5", "AG1", "AG2", "A1", "A2", *LSTM),
                 cases.b4_1("before")),
            Form("attend after", STEP, STEP_BACK, ("D2", "D3", "D4", "D5", "AG1", "AG2", "A1", "A2", *LSTM),
                 cases.b4_1("after")),
        ),
        steps=steps.b4_1,
        intended=(
            "before (Bahdanau):  a_t = Attention(s_{t-1}, h_1..T)\n"
            "                    s_t = Decoder(s_{t-1}, [y_{t-1}; ctx_t])\n"
            "after (Luong):      s_t = Decoder(s_{t-1}, y_{t-1})\n"
            "                    a_t = Attention(s_t, h_1..T)\n"
            "both:               p_t = softmax(W_y [s_t; ctx_t] + b_y)"
        ),
        latex_intended=(
            r"a_t = \mathrm{Attention}(s_{t-1}, h), \; s_t = \mathrm{Decoder}(s_{t-1}, [y_{t-1}; ctx_t]) "
            r"\quad \text{or} \quad "
            r"s_t = \mathrm{Decoder}(s_{t-1}, y_{t-1}), \; a_t = \mathrm{Attention}(s_t, h)"
        ),
        slip=(
            "s_t is computed from a_t and a_t from s_t: a circle.  Also h_t has the output's t (see B4.2d), "
            "y_{t-1} is no input, "
            "and 'Decoder' means the cell in one line, the readout in another."
        ),
        cost=(
            "Two readers build two different models from it, and both are right: attention before the cell "
            "(from s_{t-1}) or "
            "after it (from s_t).  The library has both: attention_order=before, attention_order=after."
        ),
        undefined=(
            "As printed s_t is any solution of s = Decoder(s_{t-1}, h, Attention(s, h)).  Such an equation "
            "may have several.  "
            "The example has one unit and two source words, h_1 = 1 and h_2 = -1, and three solutions."
        ),
        limit="as printed: not defined (circular)",
        demo=slips.b4_1,
    ),
    Formula(
        id="B4.1L",
        where="B §4.1",
        name="categorical cross-entropy",
        brief="L = −Σ_t y_t log p(y_t | y_{<t})",
        printed="L = −Σ_{t=1..S} y_t log p(y_t | y_1..y_{t-1})",
        latex=r"L = -\sum_{t=1}^{S} y_t \log(p(y_t|y_1, \ldots, y_{t-1}))",
        symbols={"y_t": "one-hot target (S, N, V)", "p": "softmax of the logits (S, N, V)",
                 "M": "number of real tokens",
                 "q": "in the code, the target as a distribution: 1 for the right word"},
        forms=(
            Form("as printed", ("minis2s.layers.loss:forward", "minis2s.core.functions:log_softmax"),
                 ("minis2s.layers.loss:backward",), ("X1", "X3", "F4"), cases.b4_1l),
        ),
        steps=steps.one_hot_loss,
        slip=(
            "Nothing is wrong.  The library divides the sum by M, so that the loss does not grow with the"
            " batch; and it takes log softmax in one step: log p of a p that underflowed to 0 would be −∞."
        ),
    ),
    Formula(
        id="B4.2e",
        where="B §4.2",
        name="encoder LSTM",
        brief="c_t = f⊙c_{t-1} + i⊙tanh(W_cx x_t + W_ch h_{t-1} + b_c)",
        printed=(
            "i_t = σ(W_ix x_t + W_ih h_{t-1} + b_i)\nf_t = σ(W_fx x_t + W_fh h_{t-1} + b_f)\no_t = σ(W_ox x_t"
            " + W_oh h_{t-1} + b_o)\nc_t = f_t ⊙ c_{t-1} + i_t ⊙ tanh(W_ic h_{t-1} + b_c)\nh_t = o_t ⊙"
            " tanh(c_t)"
        ),
        latex=(
            r"c_t = f_t \odot c_{t-1} + i_t \odot \tanh(W_{ic}h_{t-1} + b_c), \quad h_t = o_t \odot"
            r" \tanh(c_t)"
        ),
        symbols={
            "x_t": "source embedding (N, D)",
            "h_t": "encoder state (N, H)",
            **LSTM_SYMBOLS,
            "W_·x, W_·h, b_·": (
                "packed as W (D, 4H), U (H, 4H), b (4H,), order i, f, g, o; g is the candidate"
            ),
        },
        forms=(
            Form("as intended", ("minis2s.layers.cells.lstm:step",),
                 ("minis2s.layers.cells.lstm:step_backward",), LSTM, cases.b4_2e),
            Form(
                "as printed",
                ("minis2s.documents.printed.b:encoder_step", "minis2s.documents.printed.b:lstm"),
                ("minis2s.documents.printed.b:encoder_step_backward", "minis2s.documents.printed.b:lstm_backward"),
                ("PB1", "PB2", "PB4", "PB5"),
                cases.b4_2e_printed,
            ),
        ),
        steps=steps.b4_2e,
        intended="c_t = f_t ⊙ c_{t-1} + i_t ⊙ tanh(W_cx x_t + W_ch h_{t-1} + b_c), all else as printed",
        latex_intended=r"c_t = f_t \odot c_{t-1} + i_t \odot \tanh(W_{cx}x_t + W_{ch}h_{t-1} + b_c)",
        slip="The candidate tanh(W_ic h_{t-1} + b_c) lacks the input x_t.",
        cost=(
            "The word can open and close gates, but never be written into the cell.  From zero states with "
            "zero biases the "
            "candidate is tanh(0) = 0, so c and h stay 0 at every step, for any input."
        ),
        demo=slips.b4_2e,
    ),
    Formula(
        id="B4.2d",
        where="B §4.2",
        name="decoder LSTM",
        brief="s_t, c_t = LSTM([y_{t-1}; ctx_t], s_{t-1}, c_{t-1})",
        printed=(
            "i_t = σ(W_is s_{t-1} + W_ih h_t + b_i)\nf_t = σ(W_fs s_{t-1} + W_fh h_t + b_f)\no_t = σ(W_os "
            "s_{t-1} + W_oh h_t + b_o)\n"
            "c_t = f_t ⊙ c_{t-1} + i_t ⊙ tanh(W_ic h_t + b_c)\ns_t = o_t ⊙ tanh(c_t)"
        ),
        latex=(
            r"i_t = \sigma(W_{is}s_{t-1} + W_{ih}h_t + b_i), \ldots \quad c_t = f_t \odot c_{t-1} + i_t"
            r" \odot "
            r"\tanh(W_{ic}h_t + b_c), "
            r"\quad s_t = o_t \odot \tanh(c_t)"
        ),
        symbols={
            "h_t": "encoder state with the output's t (N, H)",
            "s_t": "decoder state (N, H)",
            **LSTM_SYMBOLS,
            "y_{t-1}, ctx_t": "embedding of the last word (N, E), context (N, H): only in the intended form",
        },
        forms=(
            Form("as intended", ("minis2s.model.context_step:step", "minis2s.layers.cells.lstm:step"),
                 ("minis2s.model.context_step:step_backward", "minis2s.layers.cells.lstm:step_backward"),
                 ("D2", "D3", *LSTM), cases.b4_2d),
            Form(
                "as printed",
                ("minis2s.documents.printed.b:decoder_step", "minis2s.documents.printed.b:lstm"),
                ("minis2s.documents.printed.b:decoder_step_backward", "minis2s.documents.printed.b:lstm_backward"),
                ("PB1", "PB3", "PB4", "PB5"),
                cases.b4_2d_printed,
            ),
        ),
        steps=steps.b4_2d,
        intended="(s_t, c_t) = LSTM([y_{t-1}; ctx_t], (s_{t-1}, c_{t-1})), the cell of B4.2e as intended",
        latex_intended=r"(s_t, c_t) = \mathrm{LSTM}([y_{t-1}; ctx_t], (s_{t-1}, c_{t-1}))",
        slip=(
            "The candidate lacks s_{t-1}; y_{t-1} is not an input at all; and the encoder state is h_t, with "
            "the output's own t."
        ),
        cost=(
            "The decoder does not know which word it output last, so it cannot continue from it.  Output t is "
            "tied to source word "
            "t: no reordering, and no output longer than the source."
        ),
        undefined=(
            "For S > T step T+1 needs h_{T+1}, which does not exist.  Smallest example: one source word, "
            "two output words."
        ),
        limit="as printed: only S ≤ T",
        demo=slips.b4_2d,
    ),
    Formula(
        id="B4.2a",
        where="B §4.2",
        name="concat–dot attention",
        brief="v_ti = tanh(W_a [s_t; h_i]); a_t = softmax_i(v_tiᵀ h_i)",
        printed="v_t = tanh(W_a [s_t; h_t])\na_t = softmax(v_tᵀ h)",
        latex=r"v_t = \tanh(W_a [s_t; h_t]), \quad a_t = \mathrm{softmax}(v_t^T h)",
        symbols={"s_t": "decoder state (N, Q)", "h_i": "encoder states, i = 1..T (T, N, H)",
                 "W_a": "weights (Q+H, H): W_s upon W_h", "v_ti": "mixed state (T, N, H)",
                 "e_ti": "scores (T, N)", "a_t": "weights (T, N), sum 1 over i"},
        forms=(
            Form(
                "as intended",
                ("minis2s.layers.attention.concat_dot:score", "minis2s.layers.attention.concat_dot:keys",
                 "minis2s.layers.attention.attend:attend"),
                ("minis2s.layers.attention.concat_dot:score_backward",
                 "minis2s.layers.attention.concat_dot:keys_backward",
                 "minis2s.layers.attention.attend:attend_backward"),
                ("AC1", "AC2", "AC3", "A1", "A2"),
                cases.b4_2a,
            ),
            Form("as printed", ("minis2s.documents.printed.b:attend",),
                 ("minis2s.documents.printed.b:attend_backward",), ("PB6", "PB7"), cases.b4_2a_printed),
        ),
        steps=steps.b4_2a,
        intended="v_ti = tanh(W_a [s_t; h_i])\ne_ti = v_tiᵀ h_i\na_t = softmax over i of e_ti",
        latex_intended=r"v_{ti} = \tanh(W_a [s_t; h_i]), \quad e_{ti} = v_{ti}^T h_i, \quad a_t = "
        r"\mathrm{softmax}_i(e_{ti})",
        slip=(
            "h_t inside v_t has the output's t; the index must run over the source: h_i.  (B §4.3 then prints"
            " softmax(v_tᵀ h_t), the softmax of a single number, which is always 1.)"
        ),
        cost=(
            "All positions are scored by one v_t, made from whichever word happens to stand at place t.  Put "
            "the source words in "
            "another order, and the context changes, though the set of states is the same."
        ),
        undefined="For an output step t > T there is no h_t (as in B4.2d).",
        limit="as printed: only t ≤ T",
        demo=slips.b4_2a,
    ),
    Formula(
        id="B4.2o",
        where="B §4.2",
        name="readout",
        brief="p(y_t | y_{<t}) = softmax(W_y s_t + b_y)",
        printed="p(y_t | y_1..y_{t-1}) = softmax(W_y s_t + b_y)",
        latex=r"p(y_t|y_1, \ldots, y_{t-1}) = \mathrm{softmax}(W_y s_t + b_y)",
        symbols={"s_t": "decoder state (N, H)", "W_y, b_y": "weights (H, V), (V,)",
                 "p": "distribution over V words (N, V)"},
        forms=(
            Form(
                "as printed",
                ("minis2s.layers.linear:forward", "minis2s.core.functions:softmax"),
                ("minis2s.layers.linear:backward", "minis2s.layers.linear:product_backward",
                 "minis2s.core.functions:softmax_backward"),
                ("Y1", "F3"),
                cases.b4_2o,
            ),
        ),
        steps=steps.readout,
    ),
)
