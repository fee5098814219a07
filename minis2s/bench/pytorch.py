"""The same work by torch.nn, written as one writes it there: each function returns one call of it.

Only searches are more than that: they keep no graph (inference_mode), and a beam's hypotheses stand in one
batch, so a step is one call for all.  torch.compile is not used.
"""
import torch
from torch import nn

from .cases import lengths


def layer(cell, T, N, D, H, ragged=False):
    """A recurrent layer there and back; ragged ones are packed, and told their lengths."""
    made = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[cell](D, H)
    xs, dhs = torch.randn(T, N, D, requires_grad=True), torch.randn(T, N, H)
    real = torch.from_numpy(lengths(T, N))

    def run():
        made.zero_grad(set_to_none=True)
        xs.grad = None
        if ragged:
            packed = nn.utils.rnn.pack_padded_sequence(xs, real, enforce_sorted=False)
            hs, _ = nn.utils.rnn.pad_packed_sequence(made(packed)[0])
        else:
            hs, _ = made(xs)
        hs.backward(dhs)
    return run


class Model(nn.Module):
    """The model of ours.config: LSTM encoder, additive attention before an LSTMCell."""

    def __init__(self, V, H):
        super().__init__()
        self.source, self.target = nn.Embedding(V, H), nn.Embedding(V, H)
        self.encoder, self.cell = nn.LSTM(H, H), nn.LSTMCell(2 * H, H)
        self.W_s, self.W_h, self.v = (nn.Linear(H, size, bias=False) for size in (H, H, 1))
        self.readout = nn.Linear(H, V)

    def encode(self, source):
        hs, (h, c) = self.encoder(self.source(source))
        return hs, self.W_h(hs), (h[0], c[0])

    def step(self, y, state, hs, keys):
        alpha = torch.softmax(self.v(torch.tanh(self.W_s(state[0]) + keys)), 0)
        return self.cell(torch.cat([y, (alpha * hs).sum(0)], 1), state)

    def forward(self, source, inputs):
        hs, keys, state = self.encode(source)
        states = []
        for y in self.target(inputs):
            state = self.step(y, state, hs, keys)
            states.append(state[0])
        return self.readout(torch.stack(states))


class Transformer(nn.Module):
    """The model of ours.transformer_config: nn.Transformer, and sinusoids as a table."""

    def __init__(self, V, H, T):
        super().__init__()
        self.source, self.target = nn.Embedding(V, H), nn.Embedding(V, H)
        self.layers = nn.Transformer(H, 4, 2, 2, 4 * H, dropout=0.0, norm_first=True)
        self.readout, self.scale = nn.Linear(H, V), H ** 0.5
        angles = torch.arange(T)[:, None] / 10000.0 ** (torch.arange(0, H, 2) / H)
        self.positions = torch.stack([angles.sin(), angles.cos()], 2).reshape(T, 1, H)
        self.future = nn.Transformer.generate_square_subsequent_mask(T)

    def forward(self, source, inputs):
        xs, ys = (self.scale * table(ids) + self.positions
                  for table, ids in ((self.source, source), (self.target, inputs)))
        return self.readout(self.layers(xs, ys, tgt_mask=self.future, tgt_is_causal=True))


def transformer(V, N, T, H):
    """A training step of a Transformer."""
    return step(V, N, T, H, Transformer(V, H, T))


def step(V, N, T, H, model=None):
    """A training step."""
    model = model or Model(V, H)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    source, inputs, targets = torch.randint(4, V, (3, T, N))

    def run():
        adam.zero_grad(set_to_none=True)
        logits = model(source, inputs).reshape(-1, V)
        nn.functional.cross_entropy(logits, targets.reshape(-1)).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
    return run


def decode(V, N, T, H):
    """Greedy search."""
    model, source = Model(V, H).eval(), torch.randint(4, V, (T, N))

    @torch.inference_mode()
    def run():
        hs, keys, state = model.encode(source)
        y, said = torch.ones(N, dtype=torch.long), []
        for _ in range(T):
            state = model.step(model.target(y), state, hs, keys)
            y = model.readout(state[0]).argmax(1)
            said.append(y)
        return torch.stack(said)
    return run


def beam(V, N, T, H, width):
    """Beam search: rows n K .. n K + K-1 of the batch are the hypotheses of source n."""
    model, source, K = Model(V, H).eval(), torch.randint(4, V, (T, N)), width
    first = (torch.arange(N) * K)[:, None]

    @torch.inference_mode()
    def run():
        hs, keys, state = model.encode(source)
        hs, keys = (a.repeat_interleave(K, 1) for a in (hs, keys))
        state = tuple(a.repeat_interleave(K, 0) for a in state)
        y, said, came_from = torch.ones(N * K, dtype=torch.long), [], []
        total = torch.full((N, K), -torch.inf)
        total[:, 0] = 0                                        # at first there is one hypothesis
        for _ in range(T):
            state = model.step(model.target(y), state, hs, keys)
            log_p = torch.log_softmax(model.readout(state[0]), 1).view(N, K, V) + total[:, :, None]
            total, best = log_p.view(N, K * V).topk(K, 1)
            rows, y = (first + best // V).view(-1), (best % V).view(-1)
            state = tuple(a[rows] for a in state)
            said.append(y)
            came_from.append(rows)
        rows, answer = first[:, 0], []                         # the best stands first; back along its way
        for y, back in zip(reversed(said), reversed(came_from)):
            answer.append(y[rows])
            rows = back[rows]
        return torch.stack(answer[::-1])
    return run


def make(threads, case, **sizes):
    """-> the function to be timed."""
    torch.set_num_threads(threads)
    if torch.get_num_interop_threads() != 1:                  # may be set once in a process
        torch.set_num_interop_threads(1)
    torch.manual_seed(0)
    if case in ("layer", "ragged"):
        return layer(**sizes, ragged=case == "ragged")
    return {"step": step, "transformer": transformer, "decode": decode, "beam": beam,
            "int8": decode}[case](**sizes)
