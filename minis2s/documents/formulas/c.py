"""The formulas of document C: sequence-to-sequence learning, principles and code."""

from . import cases, slips, steps
from .a import ENCODE
from .entry import Form, Formula

CELL_SYMBOLS = {"x_t": "input (N, D)", "h_t": "state (N, H)"}


def decoder_form(name, module, marks):
    return Form(
        f"{name} cell",
        (f"{module}:step", "minis2s.model.decoder_step:step", "minis2s.layers.linear:forward"),
        (f"{module}:step_backward", "minis2s.model.decoder_step:step_backward",
         "minis2s.layers.linear:backward", "minis2s.layers.linear:product_backward"),
        ("D2", "D3", *marks, "Y1"),
        cases.c4_1d(name.lower()),
    )


FORMULAS = (
    Formula(id="C2.1", where="C §2.1", name="encoder", brief="h_t = RNN(h_{t-1}, x_t)",
            printed="h_t = RNN(h_{t-1}, x_t)", latex=r"h_t = \mathrm{RNN}(h_{t-1}, x_t)",
            symbols={**CELL_SYMBOLS, "W, U, b": "weights (D, H), (H, H), (H,)"},
            forms=(Form("as printed", *ENCODE, ("M1", "R1", "R2"), cases.c2_1),), steps=steps.rnn_sequence),
    Formula(
        id="C2.2",
        where="C §2.2, §4.2",
        name="decoder fed with h at every step",
        brief="s_t = Decoder([y_{t-1}; h], s_{t-1})",
        printed="h = RNN^T(x_1, x_2, ..., x_T)\ny_t = Decoder(h, y_{t-1})",
        latex=r"h = \mathrm{RNN}^T(x_1, x_2, \ldots, x_T), \quad y_t = \mathrm{Decoder}(h, y_{t-1})",
        symbols={"h": "the encoder's last state (N, H); RNN^T is the RNN applied T times",
                 "y_t": "target embedding (N, E)", "s_t": "decoder state (N, H), only in the intended form"},
        forms=(
            Form(
                "as intended",
                ("minis2s.model.seq2seq:encode", "minis2s.model.context_step:step", "minis2s.layers.cells.rnn:step"),
                ("minis2s.model.seq2seq:encode_backward", "minis2s.model.context_step:step_backward",
                 "minis2s.layers.cells.rnn:step_backward"),
                ("S1", "S2", "S3", "D2", "D3", "R1", "R2"),
                cases.c2_2,
            ),
            Form("as printed", ("minis2s.documents.printed.c:decoder_step",),
                 ("minis2s.documents.printed.c:decoder_step_backward",), ("PC1", "PC2"), cases.c2_2_printed),
        ),
        steps=steps.c2_2,
        intended="s_0 = h\ns_t = Decoder([y_{t-1}; h], s_{t-1})\np_t = softmax(W_y s_t + b_y)",
        latex_intended=(
            r"s_0 = h, \quad s_t = \mathrm{Decoder}([y_{t-1}; h], s_{t-1}), \quad p_t = \mathrm{softmax}(W_y "
            r"s_t + b_y)"
        ),
        slip=(
            "There is no decoder state: the only thing that differs from step to step is the last word "
            "y_{t-1}.  Feeding h at "
            "every step (Cho et al. 2014) is no slip."
        ),
        cost=(
            "After the same word its output is always the same.  It cannot count or output a word twice and then"
            " stop."
        ),
        demo=slips.c2_2,
    ),
    Formula(
        id="C3.1L",
        where="C §3.1 (2nd)",
        name="LSTM",
        brief="c_t = f⊙c_{t-1} + i⊙g; h_t = o⊙tanh(c_t)",
        printed=(
            "i_t = σ(W_i · [h_{t-1}, x_t] + b_i)\nf_t = σ(W_f · [h_{t-1}, x_t] + b_f)\ng_t = tanh(W_g · "
            "[h_{t-1}, x_t] + b_g)\n"
            "o_t = σ(W_o · [h_{t-1}, x_t] + b_o)\nh_t = o_t · tanh(c_t)\nc_t = f_t · c_{t-1} + i_t · g_t"
        ),
        latex=r"g_t = \tanh(W_g \cdot [h_{t-1}, x_t] + b_g), \quad h_t = o_t \cdot \tanh(c_t), \quad "
        r"c_t = f_t \cdot c_{t-1} + i_t \cdot g_t",
        symbols={**CELL_SYMBOLS, "i, f, o": "input, forget, output gate (N, H)", "g": "candidate (N, H)",
                 "c_t": "cell state (N, H)",
                 "W_·": "(H+D, H), the rows of h first; in the code W (D, 4H) and U (H, 4H)"},
        forms=(
            Form("as intended", ("minis2s.layers.cells.lstm:step",),
                 ("minis2s.layers.cells.lstm:step_backward",), ("L1", "L2", "L3", "L4", "L5"), cases.c3_1l),
        ),
        steps=steps.lstm,
        intended="the same equations, c_t before h_t",
        latex_intended=r"c_t = f_t \odot c_{t-1} + i_t \odot g_t, \quad h_t = o_t \odot \tanh(c_t)",
        slip=(
            "Order only: h_t is printed before the c_t that it needs.  The text calls g an input gate; it is "
            "the candidate: what "
            "is written, while i says how much of it.  The dot is the product entry by entry."
        ),
        cost=(
            "Nothing, if read as equations.  Run line by line, h_t would read the c of the step before, or "
            "none at t = 1."
        ),
    ),
    Formula(
        id="C3.1G",
        where="C §3.1 (2nd)",
        name="GRU",
        brief="h̃_t = tanh(W_x x_t + W_h (r⊙h_{t-1}) + b); h_t = (1−z)⊙h_{t-1} + z⊙h̃_t",
        printed=(
            "z_t = σ(W_z · [h_{t-1}, x_t] + b_z)\nr_t = σ(W_r · [h_{t-1}, x_t] + b_r)\n"
            "h̃_t = tanh(W · ([z_t ⊙ h_{t-1}] + [r_t ⊙ x_t]) + b)\nh_t = (1 − z_t) · h_{t-1} + z_t · h̃_t"
        ),
        latex=r"\tilde h_t = \tanh(W \cdot ([z_t \odot h_{t-1}] + [r_t \odot x_t]) + b), \quad "
        r"h_t = (1 - z_t) \cdot h_{t-1} + z_t \cdot \tilde h_t",
        symbols={**CELL_SYMBOLS, "z, r": "update and reset gate (N, H)",
                 "h̃_t": "candidate (N, H), n in the code",
                 "W, U, b": "(D, 3H), (H, 3H), (3H,) in the order z, r, n"},
        forms=(
            Form("reset before", ("minis2s.layers.cells.gru:step",),
                 ("minis2s.layers.cells.gru:step_backward",), ("G1", "G2", "G3", "G4"), cases.c3_1g),
            Form("reset after", ("minis2s.layers.cells.gru_after:step",),
                 ("minis2s.layers.cells.gru_after:step_backward",), ("GA1", "GA2", "GA3", "GA4"),
                 cases.c3_1g_after),
            Form("as printed", ("minis2s.documents.printed.c:gru_step",),
                 ("minis2s.documents.printed.c:gru_step_backward",), ("PC3", "PC4", "PC5", "PC6"),
                 cases.c3_1g_printed),
        ),
        steps=steps.c3_1g,
        intended=(
            "reset before (Cho 2014):        h̃_t = tanh(W_x x_t + W_h (r_t ⊙ h_{t-1}) + b)\n"
            "reset after (PyTorch, cuDNN):   h̃_t = tanh(W_x x_t + b + r_t ⊙ (W_h h_{t-1} + b_U))"
        ),
        latex_intended=r"\tilde h_t = \tanh(W_x x_t + W_h (r_t \odot h_{t-1}) + b)",
        slip=(
            "The candidate adds h_{t-1} and x_t, so both must have one size; one W serves both; and z scales "
            "the memory in the "
            "candidate where the reset gate r belongs, while r scales the input."
        ),
        cost=(
            "To rewrite the state (z = 1) is to let the whole memory into the candidate: the unit cannot"
            " forget and write at once.  Swap h_{t-1} and x_t under equal gates, and the candidate is the"
            " same: it cannot tell old from new."
        ),
        demo=slips.c3_1g,
    ),
    Formula(
        id="C4.1d",
        where="C §4.1.2",
        name="decoder: cell on y_{t-1}, softmax, greedy choice",
        brief="p_t = softmax(W_y h_t + b_y); y_t = argmax p_t",
        printed=(
            "h_t = RNN(h_{t-1}, y_{t-1}), or the LSTM or GRU of §3.1 on [h_{t-1}, y_{t-1}]\n"
            "p_t = softmax(W_y · h_t + b_y)\ny_t = argmax(p_t)"
        ),
        latex=(
            r"h_t = \mathrm{RNN}(h_{t-1}, y_{t-1}), \quad p_t = \mathrm{softmax}(W_y \cdot h_t + b_y), \quad "
            r"y_t = \arg\max(p_t)"
        ),
        symbols={"y_{t-1}": "embedding of the last word (N, D)", "h_t": "decoder state (N, H)",
                 "p_t": "distribution over V words (N, V)", "y_t": "the best word's id (N,)"},
        forms=(decoder_form("RNN", "minis2s.layers.cells.rnn", ("R1", "R2")),
               decoder_form("LSTM", "minis2s.layers.cells.lstm", ("L1", "L2", "L3", "L4", "L5")),
               decoder_form("GRU", "minis2s.layers.cells.gru", ("G1", "G2", "G3", "G4"))),
        steps=steps.c4_1d,
    ),
    Formula(
        id="C3.3c",
        where="C §3.3.3, §9.5",
        name="gradient clipping",
        brief="g ← g · min(1, c / ‖g‖), or each entry cut to [−c, c]",
        printed="(in words) limit the size of the gradient",
        latex=r"\text{limit the size of the gradient}",
        symbols={"g": "all gradients of the model together", "c": "the limit",
                 "‖g‖": "√ of the sum of all squares, over all arrays"},
        forms=(
            Form("by norm", ("minis2s.training.optimizers:clip_by_norm",), (), ("C1",), cases.clipping("norm")),
            Form("by value", ("minis2s.training.optimizers:clip_by_value",), (), ("C2",), cases.clipping("value")),
        ),
        steps=steps.clipping,
        intended="by global norm:  g ← g · min(1, c / ‖g‖)\nby value:        g_k ← max(−c, min(c, g_k))",
        latex_intended=(
            r"g \leftarrow g \cdot \min(1, c / \lVert g \rVert) \quad \text{or} \quad g_k \leftarrow"
            r" \max(-c, "
            r"\min(c, g_k))"
        ),
        slip=(
            "The document gives no formula, only words.  By norm the direction stays; by value it may turn.  "
            "It acts on a "
            "gradient after backpropagation: nothing is differentiated through it, so there is no backward."
        ),
        cost=(
            "It bounds an exploding gradient.  It cannot revive a vanished one, as the document hopes: min(1,"
            " ...) never enlarges."
        ),
    ),
)
