import base64
import io
import re

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from matplotlib.colors import to_rgb

from bertlib.errors import InputError
from bertlib.lab import toy
from bertlib.viz import (
    COLOURS,
    as_html,
    draw_attention,
    draw_heads,
    draw_input_embeddings,
    draw_one_hots,
    draw_position_similarity,
    figure,
    show,
)
from bertlib.viz.figure import LARGEST_BYTES, as_png
from bertlib.viz.style import GROUND, INK, contrast, readable_on, tint


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Displaying needs a running IPython."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def words(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_no_figure_without_words():
    drawing, _ = figure()
    for alt in ("", "  "):
        with pytest.raises(InputError, match="alternative text"):
            as_html(drawing, alt=alt)


def test_the_picture_carries_its_words_and_is_the_same_every_time():
    def make():
        drawing, ax = figure(4, 2)
        ax.plot([1, 2], [3, 4])
        return as_html(drawing, alt='a "line" < 5')

    page = make()
    assert page == make()
    assert 'alt="a &quot;line&quot; &lt; 5"' in page
    data = base64.b64decode(re.search(r"base64,([^\"]+)", page)[1])
    assert data.startswith(b"\x89PNG")


def test_show_displays_the_picture(shell):
    drawing, _ = figure()
    with capture_output() as captured:
        show(drawing, alt="an empty frame")
    assert "an empty frame" in captured.outputs[0].data["text/html"]


def test_a_noisy_figure_stays_small():
    drawing, ax = figure(6, 4)
    ax.imshow(np.random.default_rng(0).random((200, 200, 3)), interpolation="nearest")
    assert len(as_png(drawing)) < 2 * LARGEST_BYTES  # the worst there is: pure noise
    drawing, ax = figure(8, 3)
    ax.plot(np.random.default_rng(0).random(500))
    assert len(as_png(drawing)) <= LARGEST_BYTES


def test_the_ground_is_opaque_and_keeps_its_colour():
    from PIL import Image

    drawing, _ = figure(3, 2)
    picture = Image.open(io.BytesIO(as_png(drawing))).convert("RGBA")
    expected = tuple(round(255 * part) for part in to_rgb(GROUND))
    assert picture.getpixel((1, 1)) == (*expected, 255)


def test_contrast_agrees_with_the_standard():
    assert contrast("black", "white") == pytest.approx(21)
    assert contrast("#777777", "white") == pytest.approx(4.48, abs=0.01)


def test_ink_can_be_read():
    assert contrast(INK, GROUND) > 7
    for name in set(COLOURS) - {"selected", "position", "masked"}:  # those are for fields
        assert contrast(COLOURS[name], GROUND) >= 3, name
    for name in ("token", "segment", "position", "sum"):  # numbers stand on these
        for strength in (0.1, 0.58):
            colour = tint(name, strength)
            assert contrast(readable_on(colour), colour) >= 4.5, (name, strength)


def test_ten_columns_show_every_number():
    _, ax = figure()
    layers = toy.token_table()[toy.ids()], toy.segment_table()[toy.segments()], toy.position_table()
    draw_input_embeddings(ax, toy.PIECES, *layers)
    written = words(ax)
    assert written.count("[SEP]") == 2
    assert {"token", "segment", "position", "sum", "+", "="} <= set(written)
    for number in ("3.46", "0.4", "0.06"):
        assert number in written
    assert len(written) == 10 + 4 * 40 + 4 + 3


def test_ten_columns_want_three_equal_shapes():
    _, ax = figure()
    with pytest.raises(InputError, match=r"2 pieces with vectors of shapes \(2, 3\), \(2, 3\), \(1, 3\)"):
        draw_input_embeddings(ax, ["a", "b"], np.ones((2, 3)), np.ones((2, 3)), np.ones((1, 3)))


def test_one_hots_fill_three_cells_a_row():
    _, ax = figure()
    rows = np.zeros((2, 6))
    rows[0, [0, 3, 4]] = rows[1, [2, 3, 5]] = 1
    draw_one_hots(ax, ["a", "b"], rows, (3, 1, 2))
    full = {to_rgb(COLOURS[name]) for name in ("token", "segment", "position")}
    filled = [patch for patch in ax.patches if any(np.allclose(patch.get_facecolor()[:3], c) for c in full)]
    assert len(ax.patches) == 12
    assert len(filled) == 6


def test_one_hots_want_blocks_that_fit():
    _, ax = figure()
    with pytest.raises(InputError, match="expected \\(2, 6\\) and three blocks"):
        draw_one_hots(ax, ["a", "b"], np.zeros((2, 5)), (3, 1, 2))


def test_position_similarity_is_a_cosine():
    _, ax = figure()
    draw_position_similarity(ax, [[1, 0], [0, 2], [-3, 0]])
    assert ax.images[0].get_array().tolist() == [[1, 0, -1], [0, 1, 0], [-1, 0, 1]]


def test_an_attention_map_has_a_word_for_each_row():
    _, ax = figure()
    weights = np.array([[0.9, 0.1], [0.5, 0.5]])
    draw_attention(ax, weights, ["it", "dog"], title="head 3")
    assert ax.images[0].get_array().tolist() == weights.tolist()
    assert ax.images[0].get_clim() == (0, 1)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["it", "dog"]
    assert ax.get_title() == "head 3"


def test_an_attention_map_of_a_whole_layer_is_refused():
    _, ax = figure()
    with pytest.raises(InputError, match="pick one head"):
        draw_attention(ax, np.ones((4, 2, 2)), ["a", "b"])


def test_heads_that_are_left_over_are_hidden():
    _, axes = figure(rows=2, columns=2)
    draw_heads(axes, np.full((3, 5, 5), 0.2))
    assert [ax.get_visible() for ax in axes.ravel()] == [True, True, True, False]
    assert axes[0, 1].get_title() == "head 1"
    with pytest.raises(InputError, match="4 axes"):
        draw_heads(axes, np.ones((5, 2, 2)))
