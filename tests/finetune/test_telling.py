"""Results in words."""

from __future__ import annotations

import pytest

from bertlib.finetune.recipe import FineTuning
from bertlib.finetune.telling import counted, cut, scores_line, settings, trial_lines


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 trials"), (1, "1 trial"), (2, "2 trials"), (1000, "1,000 trials")]
)
def test_a_number_and_its_noun(number, words):
    assert counted(number, "trial") == words


def test_a_text_is_cut_to_a_line():
    assert cut("so\n good ", 7) == "so good"
    assert cut("so good", 6) == "so go…"
    assert cut("so good", 4) == "so…"
    assert cut("电影很好看", 4) == "电影很…"


def test_scores_and_settings():
    assert scores_line({"exact": 0.5, "f1": 2 / 3}) == "exact 0.500, f1 0.667"
    assert settings(FineTuning(epochs=2), ["epochs", "learning_rate"]) == "epochs 2, learning_rate 5e-05"


def test_the_table_of_a_search():
    trials = [
        {"trial": 1, "epochs": 2, "learning_rate": 3e-4, "score": 0.5, "seconds": 9.7, "error": ""},
        {"trial": 2, "epochs": 4, "learning_rate": 1e-3, "score": None, "seconds": 11.0, "error": "no"},
    ]
    assert trial_lines(trials, "f1") == [
        "trial  epochs  learning_rate      f1  seconds",
        "    1       2         0.0003   0.500       10",
        "    2       4          0.001  failed       11",
    ]
    assert trial_lines([], "f1") == []
