"""A trace of a Transformer: every equation is seen, in the right part and layer, with the right numbers."""
import numpy as np
import pytest

from configs import transformer as config
from draw import batch, like
from minis2s.model import transformer
from minis2s.viewer.trace import trace


@pytest.fixture(scope="module", params=["pre", "post"])
def run(request):
    c = config(layers=2, norm=request.param)
    rng = np.random.default_rng(0)
    p = like(rng, transformer.init_float64(rng, c))
    b = batch(rng, c)
    with trace() as tr:
        L, logits, k = transformer.forward(p, c, b)
        g = transformer.backward(p, c, k)
    return c, tr, L, logits, k, g


def test_every_equation_is_seen(run):
    c, tr = run[:2]
    seen = {mark for e in tr.entries for mark in e.marks}
    counts = dict(SA=3, MH=5, FF=3, LN=4, TS=3, TM=4, TE=4, TD=6, PE=2)
    stars = {f"({kind}{i}{star})" for kind, count in counts.items()
             for i in range(1, count + 1) for star in ("", "*")} - {"(PE1*)"}
    assert stars | {"(SA4)", "(SA5)", "(FR1)", "(FR1*)"} <= seen
    assert ({"(RS3)", "(RS3*)"} if c.norm == "post" else {"(RS2)", "(RS2*)"}) <= seen


def test_weights_have_their_part_and_layer(run):
    _, tr, _, _, k, _ = run
    found = [(e.part, e.layer, e.value) for e in tr.entries
             if "(SA2)" in e.marks and e.name == "alpha" and e.role == "out" and e.phase == "forward"]
    want = [("encoder", i, layer.attention.f.heads.alpha) for i, layer in enumerate(k.encode.encoder.layers)]
    for i, layer in enumerate(k.decoder.layers):
        want += [("decoder", i, layer.attention.f.heads.alpha), ("decoder", i, layer.cross.f.heads.alpha)]
    assert [(part, layer) for part, layer, _ in found] == [(part, layer) for part, layer, _ in want]
    for (_, _, got), (_, _, alpha) in zip(found, want):
        np.testing.assert_array_equal(got, alpha)


def test_the_backward_pass_goes_down_the_layers(run):
    tr = run[1]
    layers = [(e.part, e.layer) for e in tr.entries
              if "(FF2*)" in e.marks and e.name == "da" and e.role == "out"]
    assert layers == [("decoder", 1), ("decoder", 0), ("encoder", 1), ("encoder", 0)]
    assert all(e.layer is None for e in tr.entries if "(TD6)" in e.marks or "(TE1)" in e.marks)
