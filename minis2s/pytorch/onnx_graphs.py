"""The model as two ONNX graphs: the encoder, and one step of the decoder; both in float32, with explicit masks.

    encoder.onnx    source, mask           -> memory_0, memory_1, ..., state_0, ...     what decoding begins with
    decoder.onnx    ids, mask, all of them -> logits, next_state_0, ...                 one more token for each row

A search is a loop around the second graph, so it stays outside, in a language of one's own: see standalone/run.py.
The graphs are recorded from the nn.Module, which runs once.  A recording has no loops, so the encoder's time loop is
written as ONNX's own operators RNN, LSTM and GRU, which take the lengths in place of the mask.
Their conventions (ONNX operators, version 14): gates i, o, f, g and z, r, n with h = (1-z) n + z h', so z is 1-z here;
two biases; and a GRU with either place of the reset gate.
"""
import warnings

import torch
from torch import nn

from .model import five_names

TOLERANCE = 1e-5                    # float32
OPSET = 17                          # the first with LayerNormalization
ORDER = {"LSTM": (0, 3, 1, 2), "GRU": (0, 1, 2), "RNN": (0,)}          # ONNX's gates in our order
OPERATOR = {"lstm": "LSTM", "gru": "GRU", "gru-after": "GRU", "rnn": "RNN", "rnn-sigmoid": "RNN"}


def weights(p, cell):
    """Our parameters of a cell in ONNX's order, with its axis for directions: W, R, B."""
    kind = OPERATOR[cell]

    def ordered(a):
        blocks = list(a.chunk(len(ORDER[kind]), dim=-1))
        if kind == "GRU":
            blocks[0] = -blocks[0]                              # sigmoid(-a) = 1 - sigmoid(a)
        return torch.cat([blocks[i] for i in ORDER[kind]], dim=-1)
    b_R = torch.zeros_like(p.b)
    if cell == "gru-after":
        b_R = torch.cat([b_R[:-len(p.b_U)], p.b_U])             # (GA2): that of the recurrent product of n
    return ordered(p.W).T[None], ordered(p.U).T[None], torch.cat([ordered(p.b), b_R])[None]


class Recurrent(torch.autograd.Function):
    """The time loop of a layer in one direction: while it is recorded, one operator of ONNX."""

    @staticmethod
    def forward(ctx, xs, lengths, W, R, B, cell, backward):
        """Only the shapes are right: a recording looks at nothing else."""
        hs = xs.new_zeros(*xs.shape[:2], R.shape[2])
        return (hs, *(xs.new_zeros(hs.shape[1:]) for _ in range(2 if cell == "lstm" else 1)))

    @staticmethod
    def symbolic(g, xs, lengths, W, R, B, cell, backward):
        """The operator, without its axis for directions."""
        more = {"activations_s": ["Sigmoid" if cell == "rnn-sigmoid" else "Tanh"]} if OPERATOR[cell] == "RNN" else {}
        if OPERATOR[cell] == "GRU":
            more = {"linear_before_reset_i": int(cell == "gru-after")}
        found = g.op(OPERATOR[cell], xs, W, R, B, lengths, hidden_size_i=R.type().sizes()[2],
                     direction_s="reverse" if backward else "forward", outputs=3 if cell == "lstm" else 2, **more)
        axes = [g.op("Constant", value_t=torch.tensor([axis])) for axis in (1, 0, 0)]
        return tuple(g.op("Squeeze", part, axis) for part, axis in zip(found, axes))


def recorded(module):
    """The nn.Module with operators in place of its time loop; a Transformer has none."""
    if not hasattr(module, "run"):
        return module
    cell = five_names(module.config)

    def run(p, xs, mask, backward=False):
        hs, *s = Recurrent.apply(xs, mask.sum(dim=0).to(torch.int32), *weights(p, cell), cell, backward)
        return hs, tuple(s)
    module.run = run
    return module


def leaves(part):
    """The tensors of nested lists and tuples but for masks, in order."""
    if isinstance(part, torch.Tensor):
        return [] if part.dtype == torch.bool else [part]
    return [] if part is None else [a for each in part for a in leaves(each)]


def rebuilt(part, tensors, mask):
    """The inverse of `leaves`: `part` with other tensors, from an iterator, and with `mask` (T, N) in their midst."""
    if isinstance(part, torch.Tensor):
        if part.dtype == torch.bool:
            return mask if part.ndim == 2 else mask.T[:, None, None]
        return next(tensors)
    return part if part is None else type(part)([rebuilt(each, tensors, mask) for each in part])


class Encoder(nn.Module):
    """encoder.onnx"""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, source, mask):
        """-> the tensors of memory and state."""
        state, memory = self.model.start(source, mask)
        return (*leaves(memory), *leaves(state))


class Step(nn.Module):
    """decoder.onnx, for a state and memory of this form."""

    def __init__(self, model, state, memory):
        super().__init__()
        self.model, self.state, self.memory = model, state, memory

    def forward(self, ids, mask, *tensors):
        """-> logits (N, V), the tensors of the next state."""
        tensors = iter(tensors)
        memory = rebuilt(self.memory, tensors, mask)
        logits, state = self.model.advance(ids, rebuilt(self.state, tensors, mask), memory)
        return (logits, *leaves(state))


def example(config, T, N):
    """A source and mask of some size."""
    if config.get("source") == "frames":
        size = config["frame_size"] * (config.get("stack") or 1)
        return torch.zeros(T, N, size), torch.ones(T, N, dtype=torch.bool)
    return torch.zeros(T, N, dtype=torch.int64), torch.ones(T, N, dtype=torch.bool)


@torch.no_grad()
def write(module, folder):
    """Record both graphs of a float32 nn.Module, and write encoder.onnx and decoder.onnx into the folder."""
    module = recorded(module.eval())
    source, mask = example(module.config, 3, 2)
    (state, memory), ids = module.start(source, mask), torch.ones(2, dtype=torch.int64)
    other = example(module.config, 4, 3)
    state_4, memory_4 = module.start(*other)
    step, step_4 = module.advance(ids, state, memory)[1], module.advance(torch.ones(3, dtype=torch.int64), state_4,
                                                                         memory_4)[1]
    first = {**named("memory", memory, memory_4), **named("state", state, step_4)}
    record(Encoder(module), {"source": (source, other[0]), "mask": (mask, other[1])}, first, folder / "encoder.onnx")
    given = {"ids": (ids, torch.ones(3)), "mask": (mask, other[1]), **first}
    made = {"logits": (torch.zeros(2, 1), torch.zeros(3, 1)), **named("next_state", step, step_4)}
    record(Step(module, state, memory), given, made, folder / "decoder.onnx")


def named(name, part, other):
    """Tensors by numbered names, each beside one of other sizes."""
    return {f"{name}_{i}": both for i, both in enumerate(zip(leaves(part), leaves(other), strict=True))}


def record(module, inputs, outputs, path):
    """Write one graph; axes are free where the two examples of an input or output differ in size."""
    free = {name: {axis: f"{name}_{axis}" for axis, (m, n) in enumerate(zip(a.shape, b.shape)) if m != n}
            for name, (a, b) in {**inputs, **outputs}.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")        # that this exporter, which needs no other library, is the older one
        torch.onnx.export(module, tuple(a for a, _ in inputs.values()), str(path), input_names=list(inputs),
                          output_names=list(outputs), dynamic_axes=free, opset_version=OPSET, dynamo=False)


def check(folder, batch, logits):
    """Run both graphs along the inputs of a Batch; ValueError unless onnxruntime has these logits, to TOLERANCE of the
    largest."""
    import onnxruntime

    def run(session, values):
        names = [each.name for each in session.get_outputs()]
        return dict(zip(names, session.run(names, {each.name: values[each.name] for each in session.get_inputs()})))
    encoder, decoder = (onnxruntime.InferenceSession(str(folder / name)) for name in ("encoder.onnx", "decoder.onnx"))
    values, worst = {"source": batch.source, "mask": batch.source_mask}, 0.0
    values.update(run(encoder, values))
    for ids, want, real in zip(batch.inputs, logits, batch.target_mask):
        new = run(decoder, {**values, "ids": ids})
        values.update({name.removeprefix("next_"): a for name, a in new.items()})
        worst = max(worst, float(abs(new["logits"] - want)[real].max()))
    if not worst <= TOLERANCE * abs(logits).max():
        raise ValueError(f"onnxruntime's logits differ by {worst:.1e}, wanted at most {TOLERANCE:.0e} of the largest; "
                         f"the model was not exported")
