"""The formulas of document A: building a simple seq2seq architecture."""

from . import cases, slips, steps
from .entry import Form, Formula

ENCODE = ("minis2s.layers.cells.rnn:step", "minis2s.layers.unroll:forward"), (
    "minis2s.layers.cells.rnn:step_backward",
    "minis2s.layers.unroll:backward",
)
ATTEND = ("minis2s.layers.attention.attend:attend", "minis2s.layers.attention.dot:score",
          "minis2s.layers.fusion:forward")
ATTEND_BACK = ("minis2s.layers.attention.attend:attend_backward", "minis2s.layers.attention.dot:score_backward",
               "minis2s.layers.fusion:backward")
MODEL = ("minis2s.model.seq2seq:forward", "minis2s.model.decoder:forward", "minis2s.model.decoder_step:step",
         "minis2s.layers.cells.rnn:step")
MODEL_BACK = ("minis2s.model.seq2seq:backward", "minis2s.model.decoder:backward",
              "minis2s.model.decoder_step:step_backward", "minis2s.layers.cells.rnn:step_backward")
ATTENTION_SYMBOLS = {"s_t": "decoder state (N, H)", "h_i": "encoder states, i = 1..T (T, N, H)",
                     "α_t": "weights (T, N), sum 1 over i", "ctx_t": "context (N, H)"}

FORMULAS = (
    Formula(
        id="A3.1",
        where="A §3.1",
        name="encoder",
        brief="h_t = RNN(x_t, h_{t-1}); context = h_T",
        printed="h_t = RNN(x_t, h_{t-1})\ncontext = h_T",
        latex=r"h_t = \mathrm{RNN}(x_t, h_{t-1}), \quad \mathrm{context} = h_T",
        symbols={"x_t": "source embedding (N, D)", "h_t": "encoder state (N, H)",
                 "context": "the last real state (N, H)", "W, U, b": "weights (D, H), (H, H), (H,)"},
        forms=(Form("as printed", *ENCODE, ("M1", "R1", "R2"), cases.a3_1),),
        steps=steps.rnn_sequence,
    ),
    Formula(
        id="A3.2",
        where="A §3.2",
        name="free-running decoder",
        brief="ŷ_t = Decoder(context, y_{<t}); context ← RNN(ŷ_t, context)",
        printed="ŷ_t = Decoder(context, y_{<t})\ncontext ← RNN(ŷ_t, context)",
        latex=r"\hat y_t = \mathrm{Decoder}(\mathrm{context}, y_{<t}), \quad "
        r"\mathrm{context} \leftarrow \mathrm{RNN}(\hat y_t, \mathrm{context})",
        symbols={"context": "the decoder's state itself (N, H), at first h_T",
                 "ŷ_t": "most probable token, fed back",
                 "y_{<t}": "tokens before step t; only the context remembers them"},
        forms=(Form("as printed", MODEL, MODEL_BACK, ("D2", "D3", "R1", "R2"), cases.a3_2),),
        steps=steps.free_running,
        slip=(
            "Nothing is wrong.  The document outputs a word before it reads one; the library first reads BOS,"
            " then does the same loop.  argmax is a step function: the gradient holds the chosen words fixed."
        ),
    ),
    Formula(
        id="A3.3",
        where="A §3.3",
        name="attention, added to the state",
        brief="ctx_t = Σ_i α_ti h_i; s_t ← s_t + ctx_t",
        printed="α_t = Attention(s_t, h_1..T)\nctx_t = Σ_i α_ti h_i\ns_t ← s_t + ctx_t",
        latex=(
            r"\alpha_t = \mathrm{Attention}(s_t, h_{1..T}), \quad ctx_t = \sum_i \alpha_{ti} h_i, \quad s_t "
            r"\leftarrow s_t + ctx_t"
        ),
        symbols=ATTENTION_SYMBOLS,
        forms=(Form("as printed", ATTEND, ATTEND_BACK, ("AD1", "A1", "A2", "U2"), cases.a3_3),),
        steps=steps.attention_sum,
        slip=(
            "Nothing is wrong.  Attention is open: here softmax of the dot product, which A §2.3 names first."
        ),
    ),
    Formula(
        id="A4.1",
        where="A §4.1",
        name="sigmoid RNN without bias",
        brief="h_t = σ(W_e [x_t; h_{t-1}])",
        printed="h_t = σ(W_e · [x_t, h_{t-1}])",
        latex=r"h_t^{(E)} = \sigma(W_e * [x_t, h_{t-1}^{(E)}])",
        symbols={"x_t": "source embedding (N, D)", "h_t": "encoder state (N, H)",
                 "W_e": "weights (D+H, H): W upon U in the code"},
        forms=(
            Form("as printed", ("minis2s.layers.cells.rnn:step",), ("minis2s.layers.cells.rnn:step_backward",),
                 ("R1", "R2"), cases.a4_1),
        ),
        steps=steps.rnn_sigmoid_step,
    ),
    Formula(
        id="A4.2",
        where="A §4.2",
        name="decoder",
        brief="s_t = σ(W_d [y_{t-1}; s_{t-1}]); p_t = softmax(W_y s_t)",
        printed="s_t = σ(W_d · [y_t, s_{t-1}])\ny_t = softmax(ŷ_t)",
        latex=r"h_t^{(D)} = \sigma(W_d * [y_t, h_{t-1}^{(D)}]), \quad y_t = \mathrm{softmax}(\hat y_t)",
        symbols={"y_t": "target embedding (N, D)", "s_t": "decoder state (N, H); the document's h_t^(D)",
                 "W_d": "weights (D+H, H)", "W_y": "readout (H, V), only in the intended form",
                 "p_t": "distribution over the V words (N, V)"},
        forms=(
            Form(
                "as intended",
                ("minis2s.model.decoder_step:step", "minis2s.layers.cells.rnn:step", "minis2s.layers.linear:forward"),
                ("minis2s.model.decoder_step:step_backward", "minis2s.layers.cells.rnn:step_backward",
                 "minis2s.layers.linear:product_backward"),
                ("D2", "D3", "R1", "R2", "Y1"),
                cases.a4_2,
            ),
            Form("as printed", ("minis2s.documents.printed.a:step",),
                 ("minis2s.documents.printed.a:step_backward",), ("PA1", "PA2", "PA3"), cases.a4_2_printed),
        ),
        steps=steps.a4_2,
        intended="s_t = σ(W_d · [y_{t-1}; s_{t-1}])\np_t = softmax(W_y s_t)",
        latex_intended=r"s_t = \sigma(W_d [y_{t-1}; s_{t-1}]), \quad p_t = \mathrm{softmax}(W_y s_t)",
        slip=(
            "The input is y_t, the word that the step shall find; y_{t-1} is meant.  ŷ_t is never defined:"
            " the example (A §4.4) takes W_d [y_t; s_{t-1}] itself, so the state must have as many entries as"
            " there are words.  One letter, ŷ, stands for logits and distribution."
        ),
        cost=(
            "In training the answer is in the input: a model may copy and get a loss near 0, and knows "
            "nothing when it must "
            "decode without the answer.  This is the leak of the listing in A §5.4."
        ),
        demo=slips.a4_2,
    ),
    Formula(
        id="A4.3",
        where="A §4.3",
        name="attention, mixed in by a sigmoid",
        brief="s_t ← σ(W_a [s_t; Σ_i a_i h_i])",
        printed="a_t = softmax(Attention(s_t, h))\nh̃_t = Σ_i a_i h_i\ns_t ← σ(W_a · [s_t, h̃_t])",
        latex=(
            r"a_t = \mathrm{softmax}(\mathrm{Attention}(h_t^{(D)}, h^{(E)})), \quad \tilde h_t = \sum_i a_i "
            r"h_i^{(E)}, \quad "
            r"h_t^{(D)} = \sigma(W_a * [h_t^{(D)}, \tilde h_t])"
        ),
        symbols={"s_t": "decoder state (N, H)", "h_i": "encoder states, i = 1..T (T, N, H)",
                 "a_t": "weights (T, N); a_i for one i", "h̃_t": "context (N, H)", "W_a": "weights (2H, H)"},
        forms=(
            Form("as intended", ATTEND, ATTEND_BACK, ("AD1", "A1", "A2", "U3"), cases.a4_3),
            Form(
                "general score",
                ("minis2s.layers.attention.general:score", "minis2s.layers.attention.attend:attend",
                 "minis2s.layers.fusion:forward"),
                ("minis2s.layers.attention.general:score_backward",
                 "minis2s.layers.attention.attend:attend_backward", "minis2s.layers.fusion:backward"),
                ("AG1", "AG2", "A1", "A2", "U3"),
                cases.a4_3_general,
            ),
        ),
        steps=steps.attention_sigmoid,
        intended=(
            "a_t = softmax over i of Attention(s_t, h_i)\nh̃_t = Σ_{i=1..T} a_ti h_i\ns_t ← σ(W_a · [s_t;"
            " h̃_t])"
        ),
        latex_intended=(
            r"a_{ti} = \mathrm{softmax}_i(\mathrm{Attention}(s_t, h_i)), \quad \tilde h_t = \sum_{i=1}^{T} "
            r"a_{ti} h_i, \quad "
            r"s_t \leftarrow \sigma(W_a [s_t; \tilde h_t])"
        ),
        slip=(
            "The index: a_t is a whole vector over the source, a_i one entry of it; the text calls h_i 'the "
            "i-th element of the "
            "hidden state', but i counts source words, not entries.  Attention here is the score without "
            "softmax (in A3.3 with)."
        ),
        cost=(
            "Nothing is lost once i is read as the source position.  Read literally, mixing the H entries of "
            "one state by "
            "weights would need T = H."
        ),
    ),
    Formula(
        id="A4.4",
        where="A §4.4",
        name="worked example: I love you → Hello World",
        brief="h_t by A4.1, s_t and ŷ_t by A4.2, s_0 = 0",
        printed=(
            "h_t = σ(W_e · [x_t, h_{t-1}]), t = 1..3, h_0 = 0\ns_t = σ(W_d · [y_t, s_{t-1}]), t = 1..2, s_0 ="
            " 0\nŷ_t = softmax(W_d · [y_t, s_{t-1}]);  y_t = argmax ŷ_t"
        ),
        latex=r"h_t^{(E)} = \sigma(W_e [x_t, h_{t-1}^{(E)}]), \quad h_1^{(D)} = \sigma(W_d [\mathrm{Hello}, "
        r"0]), \quad "
        r"\hat y_1 = \mathrm{softmax}([W_d^{\mathrm{Hello}}, W_d^0]) = [0.2, 0.8]",
        symbols={"x_t": "I, love, you: embeddings (N, D)", "y_t": "Hello, World: embeddings (N, D)",
                 "ŷ_t": "distributions over 2 words (N, V)"},
        forms=(
            Form("as intended", MODEL, MODEL_BACK, ("S1", "S2", "S4", "D2", "D3", "R1", "R2"), cases.a4_4),
            Form("as printed", ("minis2s.documents.printed.a:example", "minis2s.documents.printed.a:step"),
                 ("minis2s.documents.printed.a:example_backward", "minis2s.documents.printed.a:step_backward"),
                 ("PA1", "PA2", "PA3", "PA4"), cases.a4_4_printed(True)),
            Form("s_0 = h_T", ("minis2s.documents.printed.a:example", "minis2s.documents.printed.a:step"),
                 ("minis2s.documents.printed.a:example_backward", "minis2s.documents.printed.a:step_backward"),
                 ("PA1", "PA2", "PA3"), cases.a4_4_printed(False)),
        ),
        steps=steps.a4_4,
        intended=(
            "s_0 = h_T\ns_t = σ(W_d · [y_{t-1}; s_{t-1}]), y_0 = BOS\np_t = softmax(W_y s_t);  y_t ="
            " argmax p_t"
        ),
        latex_intended=(
            r"s_0 = h_T, \quad s_t = \sigma(W_d [y_{t-1}; s_{t-1}]), \quad p_t = \mathrm{softmax}(W_y s_t)"
        ),
        slip=(
            "s_0 is printed as 0 although A §2.4 hands h_T to the decoder, and no attention is used.  The "
            "slips of A4.2 are all "
            "here.  argmax [0.2, 0.8] is called Hello and argmax [0.8, 0.2] World.  This fits the order "
            "World, Hello; in the "
            "order in which the document lists the words both lines name the wrong one."
        ),
        cost=(
            "With s_0 = 0 the source reaches nothing: every sentence has the same 'translation', and W_e gets"
            " no gradient."
        ),
        demo=slips.a4_4,
    ),
)
