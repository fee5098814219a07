"""Measure how long the hot loops take: NumPy, Numba, and PyTorch where it is installed.

    this process          numpy process      numba process      torch process
        │ "go" ───────────────>│ a block            .                  .
        │ <─── seconds ────────│                    .                  .
        │ "go" ────────────────────────────────────>│ a block          .          one works, the others wait
        │ ...                                                                     round after round
        └─> ratio of each round; median and quartiles of the ratios

Each side has a process of its own with its own threads, so that thread pools and caches of one do not disturb
another; they take turns, so that what the machine does beside meets all alike.  A ratio is (time of that
side) / (time of Numba).

Cases:  layer   one recurrent layer, forward and backward, all gradients
        step    a whole training step: additive attention, clipping, Adam
        decode  greedy search, from token ids to token ids
"""
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from importlib.util import find_spec

import numpy as np

# T N D H
LAYERS = [(10, 1, 32, 32), (12, 32, 64, 64), (20, 64, 128, 128), (30, 64, 256, 256), (30, 64, 512, 512)]
STEPS = [(50, 1, 10, 64), (50, 32, 12, 64), (500, 64, 20, 128), (8000, 64, 25, 256)]    # V N T H
DECODES = [(50, 1, 20, 64), (500, 1, 20, 128), (500, 32, 20, 128)]    # V N T H
# of a layer there and back, in units of T N (D H + H H)
MULTIPLY_ADDS = {"lstm": 12, "gru": 9, "rnn": 3}


def cases(names, cell="lstm", most=None):
    """The cases to measure: dicts that a worker understands, the first `most` of each name."""
    sizes = {"layer": ("TNDH", LAYERS), "step": ("VNTH", STEPS), "decode": ("VNTH", DECODES)}
    return [{"case": name, "cell": cell, **dict(zip(sizes[name][0], shape))}
            for name in names for shape in sizes[name][1][:most]]


def sides():
    """Who can be measured here."""
    return ["numpy", "numba"] + (["torch"] if find_spec("torch") else [])


# In a worker: each function makes one unit of work to be called again and again ----------------------------

def layer_of_ours(side, cell, T, N, D, H):
    """A layer of NumPy or Numba; the GRU resets after the product, as PyTorch's does."""
    from . import backends, recurrent, tree
    from .cells import CELLS
    module, loop = CELLS["gru-after" if cell == "gru" else cell], backends.module("unroll", side)
    rng = np.random.default_rng(0)
    p = tree.map(lambda a: a.astype("float32"), module.init(rng, D, H))
    xs, dhs = (rng.normal(size=(T, N, size)).astype("float32") for size in (D, H))
    zero, mask = recurrent.zero_state(module, p, N), np.ones((T, N), bool)

    def run():
        _, _, k = loop.forward(module, p, xs, zero, mask)
        loop.backward(module, p, k, dhs, zero, mask)
    return run


def layer_of_torch(cell, T, N, D, H):
    """The same of torch.nn."""
    import torch
    layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}[cell](D, H)
    xs, dhs = torch.randn(T, N, D, requires_grad=True), torch.randn(T, N, H)

    def run():
        layer.zero_grad(set_to_none=True)
        xs.grad = None
        layer(xs)[0].backward(dhs)
    return run


def config_of(V, H):
    from .config import Config
    return Config(source_vocab=V, target_vocab=V, embedding=H, hidden=H, order="before", fusion="none")


def step_of_ours(side, V, N, T, H):
    """train.one_step on a batch without padding."""
    from . import train
    from .data.batches import Batch
    config, training, rng = config_of(V, H), train.Training(clip=1.0), np.random.default_rng(0)
    source, inputs, targets = rng.integers(4, V, (3, T, N))
    batch, progress = Batch(source, source > 0, inputs, targets, source > 0), [train.begin(config, training)]

    def run():
        progress[0] = train.one_step(config, training, progress[0], batch, 1e-3, side)
    return run


def decode_of_ours(side, V, N, T, H):
    """Greedy search on random sources; the model knows nothing, so it answers at full length."""
    from . import backends, seq2seq
    greedy, config = backends.module("search.greedy", side).greedy, config_of(V, H)
    p, source = seq2seq.init(config), np.random.default_rng(0).integers(4, V, (T, N))
    p.decoder.readout.b[2] = -50                               # no EOS
    return lambda: greedy(p, config, source, source > 0, T)


def model_of_torch(V, H):
    """The model of `config_of` in torch.nn: LSTM encoder, additive attention before an LSTMCell."""
    import torch
    from torch import nn

    class Model(nn.Module):
        def __init__(self):
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
    return Model()


def step_of_torch(V, N, T, H):
    import torch
    model = model_of_torch(V, H)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3)
    source, inputs, targets = torch.randint(4, V, (3, T, N))

    def run():
        adam.zero_grad(set_to_none=True)
        logits = model(source, inputs).reshape(-1, V)
        torch.nn.functional.cross_entropy(logits, targets.reshape(-1)).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.step()
    return run


def decode_of_torch(V, N, T, H):
    import torch
    model, source = model_of_torch(V, H).eval(), torch.randint(4, V, (T, N))

    def run():
        with torch.inference_mode():
            hs, keys, state = model.encode(source)
            y = torch.ones(N, dtype=torch.long)
            for _ in range(T):
                state = model.step(model.target(y), state, hs, keys)
                y = model.readout(state[0]).argmax(1)
    return run


def make(side, case, cell, **sizes):
    """-> the function to be timed."""
    if side == "torch":
        import torch
        torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))
        torch.manual_seed(0)
        options = {"cell": cell, **sizes} if case == "layer" else sizes
        return {"layer": layer_of_torch, "step": step_of_torch, "decode": decode_of_torch}[case](**options)
    if side == "numba":
        from . import backends
        backends.use_threads("numba", int(os.environ["OMP_NUM_THREADS"]))
    if case == "layer":
        return layer_of_ours(side, cell, **sizes)
    return (step_of_ours if case == "step" else decode_of_ours)(side, **sizes)


def worker(side, case):
    """Answer each line of standard input by the median seconds of a block of calls."""
    run = make(side, **json.loads(case))
    for _ in range(3):                                         # compile, fill the caches
        run()
    for line in sys.stdin:
        end, times = time.perf_counter() + float(line), []
        while len(times) < 3 or time.perf_counter() < end:
            start = time.perf_counter()
            run()
            times.append(time.perf_counter() - start)
        print(statistics.median(times), flush=True)


# In the process that asks ---------------------------------------------------------------------------------

class Worker:
    """A side in a process of its own."""

    def __init__(self, side, case, threads):
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        env = {**os.environ, **dict.fromkeys(names, str(threads))}
        self.process = subprocess.Popen([sys.executable, "-m", "minis2s.bench", side, json.dumps(case)],
                                        text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)

    def block(self, seconds):
        """Work for about so long: -> median seconds of one call."""
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError("bench: a worker ended early; its message stands above")
        return float(answer)

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def measure(case, threads=1, rounds=7, seconds=0.1, who=None):
    """Time one case on all sides in turn.

    Returns
    -------
    dict
        The case, threads, and for each side `seconds` (median) and `ratio` of its time to Numba's
        [lower quartile, median, upper quartile].
    """
    workers = {side: Worker(side, case, threads) for side in who or sides()}
    try:
        for w in workers.values():
            w.block(0)                                         # ready before the first round
        times = {side: [] for side in workers}
        for _ in range(rounds):
            for side, w in workers.items():
                times[side].append(w.block(seconds))
    finally:
        for w in workers.values():
            w.end()
    rows = {}
    for side in workers:
        ratios = [a / b for a, b in zip(times[side], times["numba"])]
        rows[side] = {"seconds": statistics.median(times[side]),
                      "ratio": [float(q) for q in np.quantile(ratios, (0.25, 0.5, 0.75))]}
    return {**case, "threads": threads, "sides": rows}


def peak(seconds=0.2):
    """Multiply-adds a second of one core in float32, of a loop that does nothing else."""
    from .kernels.peak import chains
    x, n, best = np.full(16, 0.5, "float32"), 100_000, 0.0
    chains(x, 1)
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        chains(x, n)
        best = max(best, 12 * 16 * n / (time.perf_counter() - start))
    return best


def share_of_peak(row, peak_of_a_core):
    """Numba's multiply-adds in a layer over what the machine's cores could do in that time; None for other
    cases."""
    if row["case"] != "layer":
        return None
    T, N, D, H = (row[s] for s in "TNDH")
    work = MULTIPLY_ADDS[row["cell"]] * T * N * (D * H + H * H)
    return work / row["sides"]["numba"]["seconds"] / (peak_of_a_core * row["threads"])


def machine():
    """One line: processor, cores, vector width."""
    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as f:
            name = next(line.split(":")[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    from . import backends
    from .kernels.gemm import registers
    return (f"{name}, {backends.cores()} cores, vectors of {registers()[0]} bits, "
            f"Python {platform.python_version()}")


def profile(case, calls=20):
    """Where the time of the compiled path goes: -> (share, seconds a call, part), the largest first."""
    import cProfile
    import pstats
    os.environ["OMP_NUM_THREADS"] = "1"
    run = make("numba", **case)
    for _ in range(3):
        run()
    p = cProfile.Profile()
    p.enable()
    for _ in range(calls):
        run()
    p.disable()
    stats = pstats.Stats(p).stats
    total, parts = sum(row[2] for row in stats.values()), []
    for (path, _, function), row in stats.items():
        where = os.path.relpath(path, os.path.dirname(__file__)) if "minis2s" in path else "Python and NumPy"
        parts.append((where if where.startswith("Python") else f"{where}: {function}", row[2]))
    sums = {}
    for name, spent in parts:
        sums[name] = sums.get(name, 0.0) + spent
    return sorted(((s / total, s / calls, name) for name, s in sums.items()), reverse=True)


if __name__ == "__main__":
    worker(*sys.argv[1:3])
