"""A function for each picture that shows a trained model or a cell; each takes the path to draw to."""
from ...api.seq2seq import attention_of
from ...data.batches import pad
from .. import flow, plots
from . import growth, hypothesis_tree, lstm_graph, models, stories, unrolled

KINDS = {"init": ("initial state only", plots.BLUE, "-."),
         "every-step": ("context at every step", plots.ORANGE, "--"),
         "attention": ("attention", plots.GREEN, "-")}


def lstm_step(path):
    """One LSTM step as a graph: values forwards, gradients backwards."""
    lstm_graph.draw(path)


def encoder_decoder(path):
    """The unrolled encoder-decoder of a trained dates model; attention weights as line widths."""
    answer, = stories.right_answers(models.dates(), stories.DATES[3:], 1, "encoder_decoder")
    unrolled.draw(answer.alpha, answer.source, answer.target, path)


def gradient_flow(path):
    """How far back the gradient of the last state reaches in new cells of three kinds."""
    flows = flow.side_by_side(T=50)
    stories.must(stories.lstm_reaches(flows), "gradient_flow: the LSTM's gradient reaches further back than the RNN's")
    plots.gradient_norms(flows, path)


def dates_attention(path):
    """Where a trained dates model looks while it writes: the same parts in other places."""
    answers = stories.right_answers(models.dates(), stories.DATES, 3, "dates_attention")
    plots.attention_grid(list(map(attention_of, answers)), path)


def phrases_attention(path):
    """The same for English to Chinese: time and place stand before the verb, measure words have no source."""
    answers = stories.right_answers(models.phrases(), stories.PHRASES, 3, "phrases_attention")
    plots.attention_grid(list(map(attention_of, answers)), path)


def context_kinds(path):
    """Learning curves on addition: what the decoder knows of the source, and when."""
    found = {kind: models.addition(kind) for kind in KINDS}
    stories.must(stories.contexts(found), "context_kinds: a decoder that sees the source at every step ends better")
    names = ["held-out loss, teacher forced", "held-out exact match"]
    with plots.panel_row(names, path, "epoch", "nats per token", (3.6, 3.1), sharey=False) as (_, (loss, exact)):
        for kind, (label, colour, dashes) in KINDS.items():
            rows = found[kind].records
            epochs = [row["epoch"] for row in rows]
            look = dict(color=colour, label=label, marker="o")
            loss.plot(epochs, [row["valid_loss_teacher_forced"] for row in rows], dashes, **look)
            exact.plot(epochs, [100 * row["valid_exact_match"] for row in rows], dashes, **look)
        loss.set_ylim(bottom=0)
        loss.legend()
        exact.set(ylabel="per cent", ylim=(-3, 103))


def forced_and_free(path):
    """Teacher-forced and free-running loss on addition: what feeding its own answers costs a model."""
    names = [label for label, _, _ in KINDS.values()]
    with plots.panel_row(names, path, "epoch", "nats per token") as (_, panels):
        for axes, kind in zip(panels, KINDS):
            model = models.addition(kind)
            stories.must(stories.free_costs(model), f"forced_and_free: free running costs something ({kind})")
            epochs = [row["epoch"] for row in model.records]
            forced = [row["valid_loss_teacher_forced"] for row in model.records]
            free = [row["valid_loss_free_running"] for row in model.records]
            axes.fill_between(epochs, forced, free, color="0.9")
            axes.plot(epochs, free, "-", color=plots.GREEN, marker="o", label="free running")
            axes.plot(epochs, forced, "--", color=plots.ORANGE, marker="o", label="teacher forced")
        panels[0].set_ylim(bottom=0)
        panels[0].legend()


def beam_tree(path, text="478+365", width=4):
    """Every hypothesis that a beam of four keeps while a half-trained model adds."""
    model = models.addition("init")
    ids = model.source_vocab.encode(list(text))
    source, mask = pad([ids[::-1] if model.config.reverse_source else ids])
    longest, right = model.lengths["target"] + 1, str(sum(map(int, text.split("+"))))
    levels = hypothesis_tree.grow(model.params, model.config, source, mask, longest, width)
    answer = "".join(model.target_vocab.decode(hypothesis_tree.best_tokens(levels)))
    verdict = f"answers {answer}, which is {'right' if answer == right else 'wrong'}" if answer else "comes to no end"
    hypothesis_tree.draw(levels, lambda i: model.target_vocab.decode([i])[0],
                         f"{text} = {right}: a half-trained model {verdict}, by a beam of {width}", path)


def speed(path):
    """Time against T, B, H and V, from the measurements in speed.jsonl."""
    growth.draw(path)


def share_of_peak(path):
    """Share of the processor's multiply-adds against H, from the same."""
    growth.share_of_peak(path)
