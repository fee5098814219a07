"""K2: do gates cure vanishing and exploding gradients?  Gradients by lag, and training with and without clipping.

For a loss that reads the last state alone, ||dL/dh_{t-k}|| against the lag k says what is left of a gradient after
k steps.  A straight line in the logarithmic picture is a factor for each step: below 1 vanishes, above 1 explodes.
"""
import numpy as np

from ...core.initializers import orthogonal
from ...layers.cells import CELLS
from .claim import FAILS, HOLDS, IN_PART, Claim, Verdict, over_seeds, panel

D, H = 8, 32
KEPT = 0.90                    # a factor for each step from which on a gradient survives: 0.9^50 is 0.5 %
GROWS = 1.02                   # and from which on it explodes: 1.02^100 is 7
GAINS = (1.0, 2.0, 4.0)        # the recurrent weights of gated cells times these
CURVES = ("RNN, radius 0.8", "RNN, radius 1.0", "RNN, radius 1.2", "LSTM, forget bias 0", "LSTM, forget bias 1",
          "LSTM, forget bias 5", "GRU")


def first_parameters(label, rng):
    """The cell and its parameters for one of CURVES."""
    name = label.split(",")[0].lower()
    cell = CELLS[name]
    p = cell.init(rng, D, H)
    if name == "rnn":
        p = p._replace(U=float(label.split()[-1]) * orthogonal(rng, H))
    if name == "lstm":
        b = p.b.copy()
        b[H:2 * H] = float(label.split()[-1])                  # the forget gate's block
        p = p._replace(b=b)
    return cell, p


def gradients_by_lag(cell, p, xs, rng):
    """||dL/dh_{T-k}|| for k = 0 .. T-1, for L = u . h_T with a random unit vector u; one example."""
    s, caches = cell.State(*(np.zeros((1, H)) for _ in cell.State._fields)), []
    for x in xs:
        s, k = cell.step(p, x, s)
        caches.append(k)
    u = rng.normal(size=(1, H))
    d = cell.State(*(u / np.linalg.norm(u) if name == "h" else np.zeros((1, H)) for name in cell.State._fields))
    sizes = []
    for k in reversed(caches):
        sizes.append(float(np.linalg.norm(np.concatenate(d, axis=1))))      # h, and c where there is one
        _, d, _ = cell.step_backward(p, k, d)
    return np.array(sizes)


def factor(sizes):
    """The mean factor for each step over the second half of the lags, from a straight line through the logarithms."""
    half = len(sizes) // 2
    logs = np.log(np.maximum(sizes[half:], 1e-300))
    return float(np.exp(np.polyfit(np.arange(len(logs)), logs, 1)[0]))


def experiment(plan, tick):
    """-> curves by lag, factors, factors with larger recurrent weights, and the longest gradients of trainings."""
    T = 100
    curves, factors, stretched = {c: [] for c in CURVES}, {c: [] for c in CURVES}, {}
    seeds = plan.seeds if plan.full else (0, 1, 2)             # these are cheap
    for i, seed in enumerate(seeds):
        tick(0.3 * i / len(seeds), f"gradients by lag, seed {seed}")
        for label in CURVES:
            rng = np.random.default_rng(seed)
            cell, p = first_parameters(label, rng)
            xs = 0.1 * rng.normal(size=(T, 1, D))
            sizes = gradients_by_lag(cell, p, xs, rng)
            curves[label].append(sizes / sizes[0])
            factors[label].append(factor(sizes))
        for label in ("LSTM, forget bias 1", "GRU"):
            for gain in GAINS:
                rng = np.random.default_rng(seed)
                cell, p = first_parameters(label, rng)
                xs = 0.1 * rng.normal(size=(T, 1, D))
                sizes = gradients_by_lag(cell, p._replace(U=gain * p.U), xs, rng)
                stretched.setdefault(f"{label}, U times {gain:g}", []).append(factor(sizes))
    return {"lags": list(range(T)), "curves": curves, "factors": factors, "stretched": stretched,
            "training": trainings(plan, tick)}


def trainings(plan, tick):
    """Gradient descent with a large step on letters said again: the longest gradient with and without clipping."""
    from ...data.batches import make_batch
    from ...model import seq2seq
    from ...model.config import Config
    from ...training import optimizers
    steps, found, jobs = (400 if plan.full else 60), {}, []
    jobs = [(cell, clip, seed) for cell in ("rnn", "lstm", "gru") for clip in (None, 1.0) for seed in plan.seeds]
    for i, (cell, clip, seed) in enumerate(jobs):
        tick(0.3 + 0.7 * i / len(jobs), f"training, {cell.upper()}, {'clipped' if clip else 'not clipped'}")
        rng = np.random.default_rng(seed)
        config = Config(cell=cell, attention="none", embedding=16, hidden=32, source_vocab=12, target_vocab=12)
        p = seq2seq.init(config, seed)
        p = scaled_recurrence(p, 1.5)
        s, longest, finite = optimizers.start(p), 0.0, True
        for _ in range(steps):
            rows = [rng.integers(4, 12, size=20).tolist() for _ in range(8)]
            L, g = seq2seq.loss_and_gradient(p, config, make_batch(rows, rows))
            with np.errstate(all="ignore"):
                p, s, size, finite = optimizers.step(p, g, s, "sgd", 2.0, clip)
            longest = max(longest, float(size)) if np.isfinite(size) else longest
            if not finite or not np.isfinite(L):
                break
        key = f"{cell.upper()}, {'clipped' if clip else 'not clipped'}"
        found.setdefault(key, []).append({"longest": longest, "loss": float(L) if np.isfinite(L) else None,
                                          "diverged": not finite or not bool(np.isfinite(L))})
    return found


def scaled_recurrence(p, gain):
    """The same parameters with all recurrent matrices U times `gain`."""
    from ...core import tree
    arrays = {name: gain * a if name.endswith(".U") else a for name, a in tree.named(p)}
    return tree.replace(p, arrays)


def verdict(numbers):
    """By `CLAIM.rule`."""
    mean = {label: float(np.mean(values)) for label, values in numbers["factors"].items()}
    worst = {label: float(np.max(values)) for label, values in numbers["stretched"].items()}
    keeps = {label: mean[label] >= KEPT for label in ("LSTM, forget bias 1", "LSTM, forget bias 5", "GRU")}
    bounded = max(worst.values()) <= GROWS
    which = max(worst, key=worst.get)
    because = [
        "Vanishing, factor for each step: " + ", ".join(f"{label} {value:.3f}" for label, value in mean.items()) + ".",
        f"Exploding: of the gated cells with larger recurrent weights, {which} stretches a gradient most, by "
        f"{worst[which]:.3f} for each step: gates {'bound' if bounded else 'do not bound'} it."]
    lengths = {key: max(row["longest"] for row in rows) for key, rows in numbers["training"].items()}
    because.append("Longest gradient in training: " + ", ".join(f"{key} {value:.3g}" for key, value in lengths.items())
                   + ".")
    if all(keeps.values()) and bounded:
        return Verdict(HOLDS, because)
    return Verdict(IN_PART if any(keeps.values()) or bounded else FAILS, because)


def panels(numbers):
    """Gradients by lag."""
    groups = {"RNN": CURVES[:3], "LSTM and GRU": CURVES[3:]}
    return [panel(title, "lag k, steps before the loss", "gradient at h(T-k), relative",
                  [over_seeds(label, numbers["lags"], np.maximum(numbers["curves"][label], 1e-30)) for label in labels],
                  yscale="log") for title, labels in groups.items()]


CLAIM = Claim(
    id="K2", title="LSTM and GRU mitigate vanishing and exploding gradients", where="C §3.3.3, §9.5",
    words="LSTM和GRU是RNN的变体，它们通过引入门控机制来缓解梯度消失和梯度爆炸问题。 (LSTM and GRU mitigate vanishing and "
          "exploding gradients by gates.)",
    known="Hochreiter & Schmidhuber (1997) built the LSTM against vanishing; Pascanu et al. (2013) clip against "
          "explosion; Jozefowicz et al. (2015): a forget bias of 1 closes the gap between LSTM and GRU.",
    design="Gradients of the last state are followed back over 100 steps through RNNs of spectral radius 0.8, 1 and "
           "1.2, LSTMs of forget bias 0, 1 and 5, and a GRU. The gated cells are tried again with recurrent weights up "
           "to four times as large. Then models of each cell train with a large step, with and without clipping.",
    rule=f"A cell mitigates vanishing if it keeps at least {KEPT} of a gradient for each step: asked of the GRU and of "
         "the LSTM of forget bias 1 and 5. Exploding counts as mitigated if no gated cell stretches one by more than "
         f"{GROWS} for each step. All of it: holds; some: in part; nothing: does not hold.",
    experiment=experiment, verdict=verdict, panels=panels)
