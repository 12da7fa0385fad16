import json

import numpy as np
import pytest

from bertlib.errors import InputError
from bertlib.train.log import JsonLog
from bertlib.viz import COLOURS, as_html, draw_loss, draw_training, figure, read_log
from bertlib.viz.loss import moving_mean, spread

EVENTS = [
    {"event": "train", "step": 10, "mlm_loss": 6.0, "learning_rate": 1e-3},
    {"event": "train", "step": 20, "mlm_loss": 4.0, "learning_rate": 5e-4},
    {"event": "valid", "step": 20, "mlm_loss": 4.5, "masked_accuracy": 0.3},
    {"event": "train", "step": 30, "mlm_loss": 2.0, "learning_rate": 0.0},
    {"event": "valid", "step": 30, "mlm_loss": 3.0, "masked_accuracy": 0.5},
]


@pytest.fixture
def log(tmp_path):
    log = JsonLog(tmp_path / "log.jsonl")
    for event in EVENTS:
        log.write(event["event"], **{key: value for key, value in event.items() if key != "event"})
    return log.path


def lines(ax) -> list[list[float]]:
    return [line.get_ydata().tolist() for line in ax.lines]


def words(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_training_and_held_out_text_are_two_curves(log):
    _, ax = figure()
    draw_training(ax, log)
    assert lines(ax)[0] == [6.0, 4.0, 2.0]
    assert [4.5, 3.0] in lines(ax)
    assert words(ax) == ["train", "held-out"]


def test_events_do_as_well_as_a_file(log):
    (_, one), (_, other) = figure(), figure()
    assert lines(draw_training(one, EVENTS)) == lines(draw_training(other, log))


def test_baselines_are_dashed_and_named(log):
    _, ax = figure()
    draw_training(ax, log, baselines={"unigram": 5.5, "bigram": 4.0})
    dashed = [line for line in ax.lines if line.get_linestyle() == "--"]
    assert [line.get_ydata()[0] for line in dashed] == [5.5, 4.0]
    assert {"unigram", "bigram"} <= set(words(ax))


def test_a_field_that_only_held_out_text_has(log):
    _, ax = figure()
    draw_training(ax, log, y="masked_accuracy")
    assert words(ax) == ["held-out"]
    assert ax.get_ylabel() == "masked words guessed right"


def test_the_learning_rate_has_a_scale_of_its_own(log):
    drawing, ax = figure()
    draw_training(ax, log, learning_rate=True)
    assert len(drawing.axes) == 2
    assert "learning rate, at most 0.001" in words(drawing.axes[1])
    assert "<img" in as_html(drawing, alt="a run with its learning rate")


def test_an_unknown_field_lists_the_known(log):
    _, ax = figure()
    with pytest.raises(
        InputError, match=r"no line of the log has 'speed'; the fields are event, learning_rate"
    ):
        draw_training(ax, log, y="speed")


def test_reading_one_kind_of_line(log):
    steps, losses = read_log(log, y="mlm_loss", event="valid")
    assert steps.tolist() == [20, 30]
    assert losses.tolist() == [4.5, 3.0]
    with pytest.raises(InputError, match="no 'valid' line"):
        read_log(log, y="learning_rate", event="valid")


def test_a_line_cut_off_in_mid_write_is_passed_over(log):
    with log.open("a") as file:
        file.write(json.dumps(EVENTS[0])[:20])
    assert len(read_log(log, y="mlm_loss")[0]) == 5


@pytest.mark.parametrize("run", [[3.0, 2.0], np.array([3.0, 2.0]), ([5, 6], [3.0, 2.0])])
def test_several_forms_of_a_run(run):
    _, ax = figure()
    draw_loss(ax, {"mine": run})
    assert lines(ax) == [[3.0, 2.0]]
    assert words(ax) == ["mine"]


def test_runs_have_colours_of_their_own(log):
    _, ax = figure()
    draw_loss(ax, {"a": [3, 2], "b": [3, 1], "c": [3, 0]})
    colours = [line.get_color() for line in ax.lines]
    assert len(set(colours)) == 3
    assert set(colours) <= set(COLOURS.values())


def test_smoothing_is_a_mean_of_what_came_before():
    assert moving_mean(np.array([4.0, 2.0, 0.0, 6.0]), 2).tolist() == [4, 3, 1, 3]
    _, ax = figure()
    draw_loss(ax, {"a": [4.0, 2.0, 0.0]}, smooth=2)
    assert lines(ax) == [[4, 2, 0], [4, 3, 1]]


def test_labels_keep_their_distance_and_their_order():
    placed = spread([0.5, 0.1, 0.52, 0.5], gap=0.1)
    assert placed[1] == 0.1
    assert np.diff(sorted(placed)).min() >= 0.1 - 1e-9
    assert placed[2] > placed[0]
