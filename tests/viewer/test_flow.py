"""Paths of a gradient, Jacobians and saturation of steps, against the complex step; and their figures."""
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from configs import CONFIGS, config
from draw import batch, like, normal, state
from minis2s.core import tree
from minis2s.layers import fusion, recurrent, unroll
from minis2s.layers.cells import CELLS, gru, lstm, rnn
from minis2s.model import context_step, decoder_step, dropout_masks, seq2seq
from minis2s.viewer import flow, plots

TINY = 1e-30


@pytest.fixture(autouse=True)
def readable_path(monkeypatch):
    """Gradient paths are read on the NumPy path, whatever the rest of the tests run on."""
    monkeypatch.delenv("MINIS2S_BACKEND", raising=False)


def model(c, seed=0):
    rng = np.random.default_rng(seed)
    return like(rng, seq2seq.init(c), 0.5), batch(rng, c)


def derivative(p, c, b, patch, t, shape):
    """dL of a change that `patch(t, change)` puts somewhere in the forward pass, for each of its entries."""
    wide, found = tree.map(lambda a: a.astype(complex), p), np.zeros(shape)
    for at in np.ndindex(shape):
        change = np.zeros(shape, complex)
        change[at] = TINY * 1j
        with pytest.MonkeyPatch.context() as monkeypatch:
            patch(monkeypatch, t, change)
            found[at] = seq2seq.forward(wide, c, b)[0].imag / TINY
    return found


def at_call(monkeypatch, owner, name, t, alter):
    """Let call number t of owner.name be altered: alter(real function, args)."""
    real, calls = getattr(owner, name), iter(range(10**6))
    monkeypatch.setattr(owner, name, lambda *a: alter(real, a) if next(calls) == t else real(*a))


def read_out(monkeypatch, t, change):                       # s_t as the fusion reads it
    at_call(monkeypatch, fusion, "forward", t, lambda f, a: f(a[0], a[1], a[2] + change, a[3]))


def read_out_plainly(monkeypatch, t, change):               # s_t as the readout reads it, where nothing is fused
    def alter(f, a):
        r, s, k = f(*a)
        return r + change, s, k
    at_call(monkeypatch, decoder_step, "step", t, alter)


def asking(monkeypatch, t, change):                         # s_t as a query
    at_call(monkeypatch, context_step, "attend", t, lambda f, a: f(a[0], a[1], a[2] + change, a[3]))


def everywhere(monkeypatch, t, change):                     # s_t itself
    def alter(f, a):
        h, layers, k = f(*a)
        return h + change, (*layers[:-1], layers[-1]._replace(h=layers[-1].h + change)), k
    at_call(monkeypatch, recurrent, "step", t, alter)


def carried(monkeypatch, t, change):                        # s_t as the next step's cell reads it
    at_call(monkeypatch, recurrent, "step", t + 1, lambda f, a: f(
        a[0], a[1], a[2], (*a[3][:-1], a[3][-1]._replace(h=a[3][-1].h + change)), *a[4:]))


@pytest.mark.parametrize("name", ["general-after", "additive-before", "feeding-tanh-after", "plain-lstm",
                                  "three-layers"])
def test_decoder_paths_are_the_derivatives_at_their_readers(name):
    c = CONFIGS[name]
    p, b = model(c)
    paths = flow.gradient_paths(p, c, b)["decoder"]
    S, N = b.inputs.shape
    shape = (N, c.hidden)
    assert paths.total.shape == (S, *shape)
    reader = read_out_plainly if c.context == "init" else read_out
    for t in range(S):
        assert_allclose(paths.total[t], derivative(p, c, b, everywhere, t, shape), atol=1e-14)
        assert_allclose(paths.readout[t], derivative(p, c, b, reader, t, shape), atol=1e-14)
        last = t == S - 1
        ahead = 0 if last else derivative(p, c, b, carried, t, shape)
        assert_allclose(paths.recurrence[t], ahead, atol=1e-14)
        if c.context != "attention" or last and c.attention_order == "before":
            assert not paths.attention[t].any()
        else:
            later = t + (c.attention_order == "before")
            assert_allclose(paths.attention[t], derivative(p, c, b, asking, later, shape), atol=1e-14)


@pytest.mark.parametrize("choices", [dict(), dict(bidirectional=True), dict(cell="lstm", attention="none"),
                                     dict(bidirectional=True, layers=2, attention="additive")])
def test_encoder_paths_are_the_derivatives_at_their_readers(choices):
    c = config(**choices)
    p, b = model(c)
    T, N = b.source.shape
    H = c.hidden
    ways = ("forward", "backward") if c.bidirectional else (None,)
    found = flow.gradient_paths(p, c, b)
    for i, way in enumerate(ways):
        paths = found[f"encoder, {way}" if way else "encoder"]
        for t in range(T):
            loop_t = T - 1 - t if way == "backward" else t
            call = ((c.layers - 1) * len(ways) + i) * T + loop_t   # of the cell: the encoder is first

            def moved(monkeypatch, call, change):
                real = b.source_mask[t][:, None]

                def alter(f, a):
                    s, k = f(*a)
                    return s._replace(h=s.h + real * change), k
                at_call(monkeypatch, CELLS[c.cell], "step", call, alter)

            def remembered(monkeypatch, t, change):
                def alter(f, a):
                    hs = a[2].astype(complex)
                    hs[t, :, i * H:(i + 1) * H] += b.source_mask[t][:, None] * change
                    return f(a[0], a[1], hs, a[3])
                at_call(monkeypatch, seq2seq, "precompute_keys", 0, alter)
            assert_allclose(paths.total[t], derivative(p, c, b, moved, call, (N, H)), atol=1e-14)
            if c.context == "attention":
                assert_allclose(paths.attention[t], derivative(p, c, b, remembered, t, (N, H)), atol=1e-14)
            else:
                assert not paths.attention.any()
            lengths = b.source_mask.sum(axis=0)
            at_end = (t == lengths - 1) if way != "backward" else np.full(N, t == 0)
            assert not paths.readout[t][~at_end].any() and not paths.recurrence[t][at_end].any()
            assert np.abs(paths.readout[t][at_end]).sum() > 0 or not at_end.any()
        total = paths.readout + paths.recurrence + paths.attention
        assert_allclose(total, paths.total, atol=1e-15)
        assert not paths.total[~b.source_mask].any()


def test_paths_sum_up_in_every_kind_of_model():
    for name in ("everything", "dropout", "every-step-two-ways", "tied-both", "concat-dot-before", "reverse"):
        c = CONFIGS[name]
        p, b = model(c)
        drops = dropout_masks.draw(np.random.default_rng(1), c, b.source.shape[1])
        for paths in flow.gradient_paths(p, c, b, drops).values():
            assert_allclose(paths.readout + paths.recurrence + paths.attention, paths.total, atol=1e-15)
            assert np.abs(paths.recurrence).max() > 0


def test_norms():
    a = np.arange(12.0).reshape(2, 3, 2)
    got = flow.norms(flow.Paths(a, -a, 0 * a, a))
    assert_allclose(got.total**2, [sum(x * x for x in range(6)), sum(x * x for x in range(6, 12))])
    assert_allclose(got.readout, got.total)
    assert not got.recurrence.any()


# ---- Jacobians, saturation ----

@pytest.mark.parametrize("name", CELLS)
def test_jacobians_are_those_of_the_complex_step(name):
    cell, rng, (T, D, H) = CELLS[name], np.random.default_rng(0), (3, 2, 3)
    p, s = like(rng, cell.init(rng, D, H)), state(rng, cell, 1, H)
    caches, want = [], []
    for x in normal(rng, T, 1, D):
        M = H * len(s)
        rows = np.repeat(np.concatenate(s, axis=1), M, axis=0) + TINY * 1j * np.eye(M)
        moved, _ = cell.step(p, np.repeat(x, M, axis=0), cell.State(*np.split(rows, len(s), axis=1)))
        want.append(np.concatenate(moved, axis=1).imag.T / TINY)
        s, k = cell.step(p, x, s)
        caches.append(k)
    got = flow.step_jacobians(cell, p, caches)
    assert_allclose(got, want, atol=1e-14)
    values = flow.singular_values(got)
    assert values.shape == got.shape[:2] and (np.diff(values) <= 0).all()
    assert_allclose((values**2).sum(axis=1), (got**2).sum(axis=(1, 2)))


def test_jacobians_want_one_example():
    rng = np.random.default_rng(0)
    p = rnn.init(rng, 2, 2)
    _, k = rnn.step(p, np.ones((2, 2)), state(rng, rnn, 2, 2))
    with pytest.raises(ValueError, match="caches: got 2, wanted those of one example"):
        flow.step_jacobians(rnn, p, [k])
    with pytest.raises(ValueError, match="caches: got none"):
        flow.step_jacobians(rnn, p, [])


def test_saturation_counts_units():
    rng = np.random.default_rng(0)
    _, k = lstm.step(lstm.init(rng, 2, 4), np.ones((1, 2)), state(rng, lstm, 1, 4))
    k = k._replace(i=np.array([[0.05, 0.5, 0.95, 0.99]]), f=np.full((1, 4), 0.5), o=np.zeros((1, 4)))
    got = flow.saturation([k, k._replace(i=k.f)])
    assert list(got) == ["i", "f", "o"]
    assert_array_equal(got["i"], [[0.25, 0.5], [0, 0]])
    assert_array_equal(got["f"], np.zeros((2, 2)))
    assert_array_equal(got["o"], [[1, 0], [1, 0]])
    assert_array_equal(flow.saturation([k], low=0.6, high=0.97)["i"], [[0.5, 0.25]])
    _, k = gru.step(gru.init(rng, 2, 4), np.ones((1, 2)), state(rng, gru, 1, 4))
    assert list(flow.saturation([k])) == ["z", "r"]
    _, k = rnn.step(rnn.init(rng, 2, 4), np.ones((1, 2)), state(rng, rnn, 1, 4))
    assert_array_equal(flow.saturation([k._replace(h=np.array([[-0.9, 0, 0.9, 0.7]]))])["h"], [[0.25, 0.25]])
    with pytest.raises(ValueError, match="low=0.9, high=0.1"):
        flow.saturation([k], 0.9, 0.1)


def test_cells_side_by_side():
    flows = flow.side_by_side(T=8, D=3, H=4)
    assert list(flows) == ["rnn", "lstm", "gru"]
    for name, one in flows.items():
        assert one.dh.shape == (8,) and one.dh[-1] == pytest.approx(1)
        assert one.singular.shape == (8, 8 if name == "lstm" else 4)
    assert list(flows["lstm"].saturation) == ["i", "f", "o"]
    again = flow.side_by_side(T=8, D=3, H=4)
    assert_array_equal(again["gru"].dh, flows["gru"].dh)
    wild = flow.side_by_side(T=8, D=3, H=4, gain=2.0)
    assert not np.array_equal(wild["rnn"].singular, flows["rnn"].singular)
    with pytest.raises(ValueError, match="cells: 'elman' is none of rnn"):
        flow.side_by_side(cells=["elman"])


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "gru-after"])
def test_lengths_of_a_flow_are_those_of_the_jacobians_product(name):
    cell, rng, (T, D, H) = CELLS[name], np.random.default_rng(2), (5, 2, 3)
    p, xs, dh = like(rng, cell.init(rng, D, H)), normal(rng, T, D), normal(rng, H)
    one = flow.cell_flow(cell, p, xs, dh)
    zero = cell.State(*(np.zeros((1, H)) for _ in cell.State._fields))
    _, _, caches = unroll.forward(cell, p, xs[:, None], zero, np.ones((T, 1), bool))
    jacobians = flow.step_jacobians(cell, p, caches)
    d = np.concatenate([dh, np.zeros(H * (len(zero) - 1))])
    for t in reversed(range(T)):
        assert one.dh[t] == pytest.approx(np.linalg.norm(d[:H]))
        d = d @ jacobians[t]
    assert_array_equal(one.singular, flow.singular_values(jacobians))


# ---- figures ----

pytestmark = pytest.mark.filterwarnings("error")
PATHS = {"encoder": flow.Paths(np.array([3.0, 2]), np.array([0, 2.0]), np.array([3.0, 0]), np.zeros(2)),
         "decoder": flow.Paths(*np.arange(1.0, 9).reshape(4, 2))}
FLOWS = {name: flow.CellFlow(scale * np.array([0.1, 1]), scale * np.array([[3.0, 2, 0], [1, 0.5, 0.1]]),
                             {gate: np.array([[0.1, 0.2], [0.3, 0.4]]) for gate in gates})
         for name, scale, gates in (("rnn", 1, "h"), ("lstm", 2, "ifo"))}
DRAW = {"paths": lambda path=None, parts=PATHS: plots.gradient_paths(parts, path),
        "norms": lambda path=None, parts=FLOWS: plots.gradient_norms(parts, path),
        "spectra": lambda path=None, parts=FLOWS: plots.jacobian_spectra(parts, path),
        "gates": lambda path=None, parts=FLOWS: plots.gate_saturation(parts, path)}


def curves(axes):
    return {line.get_label(): list(line.get_ydata()) for line in named_lines(axes)}


def named_lines(axes):
    return [line for line in axes.lines if not line.get_label().startswith("_")]


def test_figures_show_the_numbers():
    encoder, decoder = plots.gradient_paths(PATHS).axes
    nan = pytest.approx(np.nan, nan_ok=True)
    assert curves(encoder) == {"total": [3, 2], "readout": [nan, 2], "recurrence": [3, nan]}    # no attention
    assert curves(decoder) == {"total": [1, 2], "readout": [3, 4], "recurrence": [5, 6], "attention": [7, 8]}
    assert (encoder.get_title(), decoder.get_title(), encoder.get_yscale()) == ("encoder", "decoder", "log")
    both, = plots.gradient_norms(FLOWS).axes
    assert curves(both) == {"rnn": [0.1, 1], "lstm": [0.2, 2]}
    one, two = plots.jacobian_spectra(FLOWS).axes
    assert curves(one) == {"largest": [3, 1], "median": [2, 0.5], "smallest": [nan, 0.1]}
    assert curves(two)["median"] == [4, 1]
    one, two = plots.gate_saturation(FLOWS).axes
    assert curves(one) == {"h shut": pytest.approx([10, 30]), "h open": pytest.approx([20, 40])}
    assert list(curves(two)) == ["i shut", "i open", "f shut", "f open", "o shut", "o open"]
    for axes in (encoder, decoder, both, one, two):
        assert all(list(line.get_xdata()) == [1, 2] for line in named_lines(axes))           # t = 1, 2
        assert [text.get_text() for text in axes.get_legend().get_texts()] == list(curves(axes))
        looks = {(line.get_color(), line.get_linestyle()) for line in axes.lines}
        assert len(looks) == len(axes.lines) and axes.get_xlabel() == "step t"


@pytest.mark.parametrize("kind", DRAW)
def test_figures_are_saved_and_bad_input_is_refused(kind, tmp_path):
    draw = DRAW[kind]
    draw(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="wanted .png or .svg"):
        draw(tmp_path / "a.jpg")
    with pytest.raises(ValueError, match="wanted a dict with at least one entry"):
        draw(parts={})
    parts = PATHS if kind == "paths" else FLOWS
    name, one = next(iter(parts.items()))
    field = {"paths": "total", "norms": "dh", "spectra": "singular"}.get(kind)
    for wrong in (-1.0, np.nan):
        bad = one._replace(**{field: getattr(one, field) * 0 + wrong}) if field else one._replace(
            saturation={"h": np.full((2, 2), wrong)})
        with pytest.raises(ValueError, match="wanted finite numbers from 0 upwards"):
            draw(parts={name: bad})
    bad = one._replace(**{field: np.zeros(())}) if field else one._replace(saturation={"h": np.zeros(3)})
    with pytest.raises(ValueError, match="axes and at least one step"):
        draw(parts={name: bad})


def test_one_step_is_enough():
    one = flow.CellFlow(np.ones(1), np.ones((1, 2)), {"z": np.ones((1, 2))})
    for figure in (plots.gradient_norms({"gru": one}), plots.jacobian_spectra({"gru": one}),
                   plots.gate_saturation({"gru": one})):
        figure.canvas.draw()
        assert all(line.get_marker() == "o" for line in named_lines(figure.axes[0]))
