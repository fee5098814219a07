"""Figures show the numbers and tokens they were given, without warnings, in letters the fonts really have."""
import errno
import subprocess
import sys

import numpy as np
import pytest
from matplotlib import font_manager
from numpy.testing import assert_allclose, assert_array_equal

from minis2s.viewer.plots import attention_grid, attention_map, fonts, loss_curves

pytestmark = pytest.mark.filterwarnings("error")

RECORDS = [dict(epoch=1, step=10, train_loss=3.0, valid_loss_teacher_forced=2.5, valid_loss_free_running=2.8,
                valid_token_accuracy=0.25, valid_exact_match=0.0),
           dict(epoch=1.5, step=15, train_loss=2.0),
           dict(epoch=2, step=20, train_loss=1.0, valid_loss_teacher_forced=0.5, valid_loss_free_running=None,
                valid_token_accuracy=0.75, valid_exact_match=0.5)]


def weights(S, T):
    e = np.exp(np.random.default_rng(S * 100 + T).normal(size=(S, T)))
    return e / e.sum(axis=1, keepdims=True)


def labels(axis):
    return [text.get_text() for text in axis.get_ticklabels()]


def texts(figure):
    return [text.get_text() for text in figure.texts]


def charmap(text):
    """The characters of the fonts that draw a Text, straight from their files."""
    found = set()
    for family in text.get_fontproperties().get_family():
        file = font_manager.findfont(font_manager.FontProperties(family=[family]), fallback_to_default=False)
        have = {chr(code) for code in font_manager.get_font(file).get_charmap()}
        assert "\ufdd0" not in have, "a font of placeholder boxes"
        found |= have
    return found


def assert_every_glyph(figure):
    """matplotlib draws every text without a warning that a glyph is missing, and no placeholder is used."""
    figure.canvas.draw()
    drawn = [text for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)
             for text in [*axis.get_ticklabels(), axis.label]]
    drawn += [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    assert any(text.get_text() for text in drawn)
    for text in drawn:
        assert set(text.get_text()) - {"\n"} <= charmap(text), text.get_text()


@pytest.fixture
def only_matplotlibs_fonts(monkeypatch):
    """A machine with nothing but what matplotlib brings along."""
    own = [e for e in font_manager.fontManager.ttflist if "mpl-data" in e.fname]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    font_manager.fontManager._findfont_cached.cache_clear()
    fonts.glyphs.cache_clear()
    yield
    font_manager.fontManager._findfont_cached.cache_clear()
    fonts.glyphs.cache_clear()


# ---- attention maps ----

@pytest.mark.parametrize("S, T", [(3, 3), (1, 1), (1, 60), (10, 30), (60, 60), (2, 130)])
def test_map_shows_weights_and_tokens_in_order(S, T):
    alpha = weights(S, T)
    source, target = [f"s{t}" for t in range(T)], [f"t{s}" for s in range(S)]
    figure = attention_map(alpha, source, target, title="a title\nof two lines")
    figure.canvas.draw()
    axes, bar = figure.axes
    image = axes.images[0]
    assert_array_equal(image.get_array(), alpha)
    assert image.get_clim() == (0, 1) and image.origin == "upper"
    assert labels(axes.xaxis) == source and labels(axes.yaxis) == target
    assert_array_equal(axes.get_xticks(), range(T))
    assert_array_equal(axes.get_yticks(), range(S))
    assert axes.get_ylim() == (S - 0.5, -0.5)                        # the first target token is on top
    assert (axes.get_xlabel(), axes.get_ylabel(), bar.get_ylabel()) == ("source", "target", "weight")
    assert bar.get_ylim() == (0, 1)
    assert texts(figure) == ["a title\nof two lines"]
    assert_every_glyph(figure)


def test_numbers_stand_in_the_cells_of_small_maps_only():
    alpha = weights(6, 10)
    axes = attention_map(alpha, ["a"] * 10, ["b"] * 6).axes[0]
    shown = {(int(t.get_position()[1]), int(t.get_position()[0])): t for t in axes.texts}
    want = {at: f"{weight:.2f}" for at, weight in np.ndenumerate(alpha)}
    assert {at: text.get_text() for at, text in shown.items()} == want
    assert len(attention_map(weights(6, 11), ["a"] * 11, ["b"] * 6).axes[0].texts) == 0


def test_numbers_can_be_read_on_their_cell():
    grey = np.array([0.2126, 0.7152, 0.0722])
    alpha = np.linspace(0, 1, 41)[None]
    axes = attention_map(alpha, ["a"] * 41, ["b"]).axes[0]
    for text in axes.texts:
        back = axes.images[0].to_rgba(alpha)[0, int(text.get_position()[0]), :3]
        luminance = np.where(back <= 0.04045, back / 12.92, ((back + 0.055) / 1.055) ** 2.4) @ grey
        high, low = sorted([luminance, 1.0 if text.get_color() == "white" else 0.0], reverse=True)
        assert (high + 0.05) / (low + 0.05) >= 3                     # the contrast WCAG asks of large letters


@pytest.mark.parametrize("source, target", [
    (["extraordinarily", "x" * 500], ["internationalisation"]),
    (list("WWWWW"), ["<eos>", "w" * 300]),
    (list("ab"), ["a" * 39, "b"])], ids=["long above", "long beside", "nearly too long"])
def test_labels_do_not_overlap_and_stay_in_the_figure(source, target):
    figure = attention_map(weights(len(target), len(source)), source, target)
    figure.canvas.draw()
    axes = figure.axes[0]
    above = [text.get_window_extent() for text in axes.get_xticklabels()]
    beside = [text.get_window_extent() for text in axes.get_yticklabels()]
    assert all(a.x1 <= b.x0 for a, b in zip(above, above[1:]))
    assert all(a.y0 >= b.y1 for a, b in zip(beside, beside[1:]))
    for box in [*above, *beside, axes.xaxis.label.get_window_extent(), axes.yaxis.label.get_window_extent()]:
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1, box
        assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1, box
    assert all(len(text) <= fonts.LONGEST_LABEL for text in labels(axes.xaxis) + labels(axes.yaxis))


def test_dollars_and_backslashes_are_tokens_not_formulas():
    tokens = ["$x^2$", "$", r"\frac", "a_b"]
    figure = attention_map(weights(4, 4), tokens, tokens, title="$5 and $6")
    figure.canvas.draw()                                             # would fail on the broken formula
    assert labels(figure.axes[0].xaxis) == labels(figure.axes[0].yaxis) == tokens
    assert not any(text.get_parse_math() for text in [*figure.axes[0].get_xticklabels(), *figure.texts])


def test_spaces_and_control_characters_are_visible(only_matplotlibs_fonts):
    source = [" ", "a b", "\n", "\t\u200b", "\u3000"]
    shown = ["␣", "a␣b", "U+000A", "U+0009 U+200B", "U+3000"]
    figure = attention_map(weights(1, 5), source, ["x"])
    assert labels(figure.axes[0].xaxis) == shown and texts(figure) == []
    assert_every_glyph(figure)


def test_chinese_labels_with_the_fonts_of_this_machine():
    """Passes with and without a CJK font: either way nothing is an empty box."""
    figure = attention_map(weights(3, 2), ["你好", "x你"], ["猫", "é", "。"], title="我喜欢猫: cats")
    assert_every_glyph(figure)
    axes = figure.axes[0]
    if any("你" in fonts.glyphs(family) for family in font_manager.get_font_names()):
        assert labels(axes.xaxis) == ["你好", "x你"] and labels(axes.yaxis) == ["猫", "é", "。"]
        assert texts(figure) == ["我喜欢猫: cats"]
    else:
        assert labels(axes.xaxis) == ["U+4F60 U+597D", "x U+4F60"]
        assert " ".join(texts(figure)[-1].split()) == fonts.NOTE


def test_without_a_font_code_points_and_a_note(only_matplotlibs_fonts, tmp_path):
    """matplotlib's "Last Resort", which claims every character, is not taken."""
    figure = attention_map(weights(3, 2), ["你好", "x你y"], ["猫", "é", "\U00013000"], tmp_path / "map.png",
                           title="猫 = cat\nof two lines")
    axes = figure.axes[0]
    assert labels(axes.xaxis) == ["U+4F60 U+597D", "x U+4F60 y"]
    assert labels(axes.yaxis) == ["U+732B", "é", "U+13000"]
    title, note = texts(figure)
    assert title == "U+732B = cat\nof two lines" and " ".join(note.split()) == fonts.NOTE
    assert_every_glyph(figure)
    plain = attention_map(weights(1, 1), ["a"], ["é"])
    assert texts(plain) == []                                        # no note where nothing is missing


def fake(monkeypatch, have):
    """Installed families and their glyphs."""
    monkeypatch.setattr(font_manager, "get_font_names", lambda: list(have))
    monkeypatch.setattr(fonts, "glyphs", lambda family: frozenset(have.get(family, "")))


def test_fonts_are_chosen_by_their_glyphs_and_preferred_ones_come_first(monkeypatch):
    fake(monkeypatch, {"Aaa": "你好", "DejaVu Sans": "abU+␣", "SimHei": "你猫", "Zzz": "狗", "Noto Sans SC": "x"})
    assert fonts.Letters(["ab", "a b"]).families == ["DejaVu Sans"]
    letters = fonts.Letters(["你", "好狗", "ab"])
    assert letters.families == ["DejaVu Sans", "SimHei", "Aaa", "Zzz"] and letters.note == ""
    assert letters.text("你狗b") == "你狗b"
    missing = fonts.Letters(["你鱼b"])
    assert missing.label("你鱼b") == "你 U+9C7C b" and missing.note == fonts.NOTE


def test_a_figure_mixes_fonts_within_one_label(monkeypatch):
    """A family that is not preferred draws what DejaVu Sans lacks; both draw the same label."""
    real, odd = fonts.glyphs, "STIXSizeOneSym"
    char = sorted(real(odd) - real("DejaVu Sans"))[0]
    figure = attention_map(weights(1, 2), [f"a{char}", "b"], ["c"])
    assert labels(figure.axes[0].xaxis) == [f"a{char}", "b"] and texts(figure) == []
    assert_every_glyph(figure)


def test_the_search_for_glyphs_says_nothing(only_matplotlibs_fonts, tmp_path, caplog):
    """Also where a family has no font of regular weight."""
    bold = font_manager.findfont("DejaVu Sans:bold")
    font_manager.fontManager.ttflist.append(font_manager.FontEntry(fname=bold, name="Odd", weight=700))
    attention_map(weights(1, 1), ["你"], ["a"], tmp_path / "a.png")
    assert caplog.records == [] and fonts.glyphs("Odd")
    fonts.file_of("Odd")
    font_manager.findfont(font_manager.FontProperties(family=["Odd"], size=77))
    assert caplog.records                                            # without `quiet` there is a message


def test_broken_and_missing_fonts_have_no_glyphs(monkeypatch, tmp_path):
    (tmp_path / "broken.ttf").write_bytes(b"not a font")
    for file in (tmp_path / "broken.ttf", tmp_path / "gone.ttf"):
        monkeypatch.setattr(fonts, "file_of", lambda family: str(file))
        assert fonts.glyphs.__wrapped__("some family") == frozenset()
    monkeypatch.undo()
    assert fonts.glyphs("no such family") == frozenset()


def test_grid_shows_each_map(tmp_path):
    sizes = [(2, 6), (4, 5), (1, 9), (3, 3)]
    maps = [(weights(S, T), [f"{i}s{t}" for t in range(T)], [f"{i}t{s}" for s in range(S)])
            for i, (S, T) in enumerate(sizes)]
    figure = attention_grid(maps, tmp_path / "grid.svg", columns=3)
    figure.canvas.draw()
    *panels, bar = figure.axes
    assert len(panels) == 4 and bar.get_ylabel() == "weight"
    for axes, (alpha, source, target) in zip(panels, maps):
        assert_array_equal(axes.images[0].get_array(), alpha)
        assert labels(axes.xaxis) == source and labels(axes.yaxis) == target
        assert axes.images[0].get_clim() == (0, 1)
    assert {axes.get_xlabel() for axes in panels} == {"source"}
    named = attention_grid(maps, columns=4, names=["head 1", "head 2", "head 3", "head 4"])
    assert [axes.get_xlabel() for axes in named.axes[:-1]] == [f"source, head {j}" for j in range(1, 5)]
    boxes = [axes.get_window_extent() for axes in panels]
    cells = [(box.width / T, box.height / S) for box, (S, T) in zip(boxes, sizes)]
    assert_allclose(cells, cells[0][0])                              # squares of one size
    assert [round(box.y1) for box in boxes[:3]] == [round(boxes[0].y1)] * 3 and boxes[3].y1 < boxes[1].y0
    whole = [axes.get_tightbbox() for axes in figure.axes]
    assert not any(a.overlaps(b) for i, a in enumerate(whole) for b in whole[:i])
    assert len(attention_grid(maps[:1]).axes) == 2


@pytest.mark.parametrize("alpha, error, match", [
    (np.ones((3, 2)) / 3, ValueError, r"shape \(3, 2\), wanted \(S, T\) = \(2, 3\)"),
    (np.ones(6) / 6, ValueError, r"shape \(6,\)"),
    (np.array([[0.2, np.nan, 0.1], [np.inf, 0, 0]]), ValueError, "alpha: 2 of 6 weights are not finite"),
    (np.array([[0.2, -0.5, 0.1], [0.1, 0, 0]]), ValueError, "from -0.5 to 0.2, wanted 0 to 1"),
    (np.array([[0.2, 3, 0.1], [0.1, 0, 0]]), ValueError, "from 0 to 3, wanted 0 to 1"),
    (np.ones((2, 3)) * 1j, TypeError, "dtype complex128, wanted real"),
    (np.full((2, 3), "a"), TypeError, "wanted real")])
def test_bad_weights_are_refused(alpha, error, match):
    with pytest.raises(error, match=match):
        attention_map(alpha, list("abc"), list("de"))
    good = (np.ones((1, 1)), ["a"], ["b"])
    with pytest.raises(error, match=r"maps\[1\]: .*" + match):
        attention_grid([good, (alpha, list("abc"), list("de"))])


def test_bad_tokens_and_grids_are_refused():
    with pytest.raises(TypeError, match=r"source\[1\]: got int, wanted a string"):
        attention_map(weights(1, 2), ["a", 5], ["b"])
    with pytest.raises(ValueError, match="at least one of each"):
        attention_map(np.ones((0, 1)), ["a"], [])
    with pytest.raises(ValueError, match="maps: got none"):
        attention_grid([])
    with pytest.raises(ValueError, match=r"maps\[0\]: wanted \(alpha, source, target\)"):
        attention_grid([weights(1, 1)])
    with pytest.raises(ValueError, match="names: got 1 for 2 maps, wanted one for each"):
        attention_grid([(weights(1, 1), ["a"], ["b"])] * 2, names=["head 1"])
    for columns in (0, 1.5):
        with pytest.raises(ValueError, match=f"columns: got {columns}"):
            attention_grid([(weights(1, 1), ["a"], ["b"])], columns=columns)


# ---- loss curves ----

def curves(axes):
    return {line.get_label(): line.get_xydata().tolist() for line in axes.lines}


def test_loss_curves_show_the_numbers():
    figure = loss_curves(RECORDS)
    figure.canvas.draw()
    losses, rates = figure.axes
    assert curves(losses) == {"training": [[1, 3], [1.5, 2], [2, 1]],
                              "validation, teacher forced": [[1, 2.5], [2, 0.5]],
                              "validation, free running": [[1, 2.8]]}
    assert curves(rates) == {"exact match": [[1, 0], [2, 50]], "token accuracy": [[1, 25], [2, 75]]}
    assert [axes.get_xlabel() for axes in figure.axes] == ["epoch", "epoch"]
    assert (losses.get_ylabel(), rates.get_ylabel()) == ("nats per token", "per cent")
    for axes in figure.axes:
        assert [t.get_text() for t in axes.get_legend().get_texts()] == list(curves(axes))
        assert len({(line.get_color(), line.get_linestyle()) for line in axes.lines}) == len(axes.lines)
        for line in axes.lines:                                      # nothing falls outside
            (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
            assert all(x0 <= x <= x1 and y0 <= y <= y1 for x, y in line.get_xydata())


@pytest.mark.parametrize("record", [RECORDS[0], dict(epoch=0, train_loss=1.0),
                                    dict(epoch=0.25, train_loss=None)])
def test_one_record_is_enough(record):
    figure = loss_curves([record])
    figure.canvas.draw()
    for axes in figure.axes:
        assert all(line.get_marker() == "o" for line in axes.lines)  # a line through one point is invisible
        assert bool(axes.lines) == (axes.get_legend() is not None)
        assert bool(axes.lines) != ([t.get_text() for t in axes.texts] == ["no finite value recorded"])


def test_without_epochs_steps_are_the_axis_and_bad_losses_leave_a_gap():
    values = [2.0, float("inf"), float("nan"), 1.0]
    figure = loss_curves([dict(step=i, train_loss=y) for i, y in enumerate(values)])
    figure.canvas.draw()
    axes = figure.axes[0]
    assert axes.get_xlabel() == "step"
    assert_array_equal(axes.lines[0].get_ydata(), [2, np.nan, np.nan, 1])


@pytest.mark.parametrize("records, error, match", [
    ([], ValueError, "records: got none"),
    ([dict(train_loss=1.0)], ValueError, "none has an 'epoch' or a 'step'"),
    ([RECORDS[0], 5], TypeError, r"records\[1\]: got int, wanted a dict"),
    ([dict(epoch=1, train_loss="1")], TypeError, r"records\[0\]\['train_loss'\]: got '1', wanted a number"),
    ([dict(epoch=float("nan"))], ValueError, "'epoch'.*: got nan"),
    ([dict(epoch=1, valid_exact_match=99.0)], ValueError, "'valid_exact_match'.*99.0, wanted a fraction")])
def test_bad_records_are_refused(records, error, match):
    with pytest.raises(error, match=match):
        loss_curves(records)


# ---- saving ----

DRAW = {"loss": lambda path: loss_curves(RECORDS, path),
        "map": lambda path: attention_map(weights(2, 2), list("ab"), list("cd"), path),
        "grid": lambda path: attention_grid([(weights(2, 2), list("ab"), list("cd"))] * 2, path)}


@pytest.fixture(params=DRAW)
def draw(request):
    return DRAW[request.param]


@pytest.mark.parametrize("name, start", [("a.png", b"\x89PNG\r\n\x1a\n"), ("a.SVG", b"<?xml")])
def test_saved_by_suffix_and_the_same_twice(draw, tmp_path, name, start):
    draw(tmp_path / name)
    first = (tmp_path / name).read_bytes()
    assert first.startswith(start)
    draw(str(tmp_path / name))
    assert (tmp_path / name).read_bytes() == first
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


def test_bad_paths_are_refused(draw, tmp_path):
    for name in ["a.jpg", "a", ".png"]:
        with pytest.raises(ValueError, match="suffix .* wanted .png or .svg"):
            draw(tmp_path / name)
    with pytest.raises(FileNotFoundError, match="folder .*missing.* does not exist"):
        draw(tmp_path / "missing" / "a.png")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_picture(draw, tmp_path, monkeypatch):
    from matplotlib.figure import Figure
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def savefig(self, file, **_):
        with open(file, "wb") as half:
            half.write(b"\x89PNG half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", savefig)
    with pytest.raises(OSError, match="No space left"):
        draw(path)
    assert path.read_bytes() == b"old" and [entry.name for entry in tmp_path.iterdir()] == ["a.png"]


def test_import_is_light_and_drawing_leaves_no_global_state():
    code = """
import sys, warnings
warnings.simplefilter("error")
from minis2s.viewer import plots
assert "matplotlib" not in sys.modules
import matplotlib
matplotlib.rcParams["font.size"] = 33
matplotlib.rcParams["image.origin"] = "lower"
# reading the setting "backend" would itself import pyplot
settings = lambda: {k: matplotlib.rcParams[k] for k in matplotlib.rcParams if k != "backend"}
before = settings()
figure = plots.attention_map([[1.0]], ["a"], ["b"])
assert figure.axes[0].images[0].origin == "upper"
plots.loss_curves([dict(epoch=1, train_loss=1.0)])
assert settings() == before
assert "matplotlib.pyplot" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["a.pdf", "nowhere/a.png", "folder.png"])
def test_where_nothing_can_be_saved_nothing_is_drawn(tmp_path, name):
    from minis2s.viewer.plots.style import canvas, panel_row
    (tmp_path / "folder.png").mkdir()
    path, begun = tmp_path / name, []
    for open_figure in (lambda: panel_row(["one"], path, "x", "y"), lambda: canvas(1, 1, path)):
        with pytest.raises((ValueError, FileNotFoundError)):
            with open_figure():
                begun.append(open_figure)
    assert begun == []


def test_suffixes_are_known_in_capitals(tmp_path):
    for name in ("A.PNG", "b.Svg"):
        loss_curves(RECORDS, tmp_path / name)
        assert (tmp_path / name).stat().st_size > 1000


def test_attention_over_frames(tmp_path):
    """A grey picture and one in colours, each with its weights; what does not fit is refused."""
    from minis2s.viewer.plots import attention_over_frames
    grey, colour = np.arange(60.0).reshape(5, 12, 1), np.full((4, 6, 3), 0.5)
    figure = attention_over_frames([(grey, weights(2, 6), ["a", "$"]), (colour, weights(1, 3), ["b"])],
                                   tmp_path / "a.png")
    picture, below, *_ = figure.axes
    assert_array_equal(picture.images[0].get_array(), grey[:, :, 0])
    assert below.images[0].get_array().max(axis=1).tolist() == [1, 1] and labels(below.yaxis) == ["a", "$"]
    assert len(figure.axes) == 4 and (tmp_path / "a.png").stat().st_size > 1000
    with pytest.raises(ValueError, match="maps: got none"):
        attention_over_frames([])
    with pytest.raises(ValueError,
                       match=r"maps\[0\]: got a picture of shape \(5, 12, 1\), alpha of shape \(2, 6\) and 1 tokens"):
        attention_over_frames([(grey, weights(2, 6), ["a"])])
