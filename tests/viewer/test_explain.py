"""Witnesses beside one another, and units over a text."""
import numpy as np
import pytest

from minis2s import Config, Seq2Seq, Training
from minis2s.cli.main import main
from minis2s.viewer import explain, search

PAIRS = [("ab", "ba"), ("bc", "cb"), ("ca", "ac"), ("abc", "cba"), ("d", "d"), ("add", "dda")]


@pytest.fixture(scope="module")
def model():
    with pytest.MonkeyPatch.context() as m:
        m.setenv("MINIS2S_BACKEND", "numpy")
        config = Config(hidden=12, embedding=8, cell="gru")
        return Seq2Seq(config).fit(PAIRS, valid=PAIRS, progress=False, training=Training(epochs=60, batch=2, lr=0.02))


def test_witnesses_have_a_row_for_each_token_written(model):
    maps, source, target = explain.witnesses(model, "abc")
    assert source == list("abc") and target == [*"cba", "<eos>"]
    assert list(maps) == ["attention", "gradient x input", "occlusion"]
    for rows in maps.values():
        assert rows.shape == (4, 3) and (rows >= 0).all()
        np.testing.assert_allclose(rows.sum(axis=1)[:3], 1, atol=1e-5)
    plain = Seq2Seq(Config(hidden=8, embedding=4, attention="none"))
    plain.fit(PAIRS, valid=PAIRS, progress=False, training=Training(epochs=1))
    plain.params.decoder.readout.b[2] = 50.0                    # it ends at once
    assert list(explain.witnesses(plain, "ab")[0]) == ["gradient x input", "occlusion"]
    with pytest.raises(ValueError, match="nothing to explain"):
        explain.witnesses(model, "  ")


@pytest.fixture(scope="module")
def copier():
    """It reads words, knows three of them and copies whatever stands behind "say"."""
    with pytest.MonkeyPatch.context() as m:
        m.setenv("MINIS2S_BACKEND", "numpy")
        names = [f"n{i}" for i in range(40)]
        pairs = [(f"say {a} not {b}" if i % 2 else f"not {b} say {a}", f"{a} please")
                 for i, (a, b) in enumerate(zip(names, names[::-1]))]
        config = Config(hidden=16, embedding=8, cell="gru", readout="copy", bidirectional=True,
                        attention_order="before")
        model = Seq2Seq(config, source_units="space", target_units="space", min_count=100)
        model.fit(pairs * 8, valid=pairs, progress=False, training=Training(epochs=8, batch=16, lr=0.01))
        assert set(model.source_vocab.symbols[4:]) == {"say", "not", "please"}
        return model


def test_words_that_are_only_copied_are_shown_as_the_words_of_the_source(copier):
    text = "say zora not quint"
    assert copier.translate(text) == "zora please"
    maps, source, target = explain.witnesses(copier, text)
    assert source == text.split() and target == ["zora", "please", "<eos>"]
    for rows in maps.values():
        assert rows.shape == (3, 4) and np.isfinite(rows).all() and (rows >= 0).all()
    assert maps["occlusion"][0].tolist() == [0, 1, 0, 0]        # zora stands nowhere else
    assert maps["attention"][0].argmax() == 1
    np.testing.assert_allclose(maps["occlusion"][1].sum(), 1)
    explain.figure(copier, text, [0])
    blocks = list(search.steps(copier, text, 9))                # all words that can be said or copied
    assert "'zora'" in blocks[0][1] and "'quint'" in "".join(blocks[0])
    assert "'zora please'" in blocks[-1][0] and "'zora please'" in blocks[-1][1]


def test_a_cost_without_end_takes_the_whole_row():
    inf = np.inf
    rows = explain.shares(np.array([[1.0, 3.0, 0.0], [inf, 5.0, inf], [0.0, 0.0, 0.0]]))
    assert rows.tolist() == [[0.25, 0.75, 0], [0.5, 0, 0.5], [0, 0, 0]]


def test_the_liveliest_units_are_drawn(model):
    hs = np.zeros((5, 6))
    hs[:, 4], hs[:, 1], hs[:, 2] = np.arange(5), 3 * np.arange(5), 0.1 * np.arange(5)
    assert explain.liveliest(hs, 2) == [1, 4]
    fig = explain.figure(model, "abc", [3, 0])
    assert [ax.get_title() for ax in fig.axes[:4]] == ["attention", "gradient x input", "occlusion",
                                                       "states of single units"]
    states = np.asarray(fig.axes[3].images[0].get_array())
    assert states.shape == (2, 3)
    from minis2s.model import saliency
    ids = model.source_vocab.encode(list("abc"))
    np.testing.assert_array_equal(states, saliency.states(model.params, model.config, ids)[:, [3, 0]].T)
    with pytest.raises(ValueError, match="units: got 12"):
        explain.figure(model, "abc", [12])


def test_the_command_says_and_draws(model, tmp_path, capsys):
    model.save(tmp_path / "run")
    argv = ["explain", str(tmp_path / "run"), "abc"]
    assert main([*argv, "--out", str(tmp_path / "why.png"), "--units", "1", "2"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].split() == ["attention", "gradient", "x", "input", "occlusion"]
    assert "all witnesses name" in out
    assert (tmp_path / "why.png").stat().st_size > 5000
    assert main([*argv, "--out", str(tmp_path / "why.png")]) == 2 and "exists already" in capsys.readouterr().err
    assert main([*argv, "--units", "1"]) == 2 and "--units goes with --out" in capsys.readouterr().err
    assert main([*argv, "--out", str(tmp_path / "no.png"), "--units", "40"]) == 2
    assert "--units" in capsys.readouterr().err
    assert not (tmp_path / "no.png").exists()
    assert main(["explain", str(tmp_path / "run"), " "]) == 2 and "nothing to explain" in capsys.readouterr().err


def test_a_search_is_told_length_by_length(model, tmp_path, capsys, monkeypatch):
    blocks = list(search.steps(model, "abc", 3))
    assert [block[0].split(":")[0] for block in blocks[:-1]] == [f"length {n}" for n in range(1, len(blocks))]
    assert all(len(block) <= 4 for block in blocks[:-1])
    best = model.decode(["abc"], beam=3, length_penalty=0.0)[0][0]
    assert f"{best.log_prob:.3f}" in blocks[-1][0] and repr(best.text) in blocks[-1][0]
    proven = model.decode(["abc"], method="exact")[0][0]
    assert blocks[-1][1].startswith(f"exact search: {proven.text!r}, log p {proven.log_prob:.3f}: the optimum, proven")
    model.save(tmp_path / "run")
    argv, waits = ["explain", str(tmp_path / "run"), "abc", "--search", "2"], []
    monkeypatch.setattr("builtins.input", lambda: waits.append(1))
    assert main([*argv, "--step"]) == 0
    assert len(waits) == capsys.readouterr().out.count("length ") + 1
    for more, words in ((["--out", str(tmp_path / "x.png")], "--search prints"), (["--search", "0"], "--search")):
        assert main([*argv, *more]) == 2 and words in capsys.readouterr().err
    assert main([*argv[:3], "--step"]) == 2 and "--step goes with --search" in capsys.readouterr().err
    with pytest.raises(ValueError, match="nothing to search"):
        next(search.steps(model, " ", 2))
