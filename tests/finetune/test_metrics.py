"""Every metric beside an example that was worked out by hand."""

from __future__ import annotations

import math
import sys

import pytest

from bertlib.errors import InputError, MissingExtraError
from bertlib.finetune import metrics


def test_accuracy_by_hand():
    assert metrics.accuracy([1, 0, 1, 1], [1, 0, 0, 1]) == {"accuracy": 0.75}


def test_f1_by_hand():
    """Label 1: 2 found rightly, 1 wrongly, 1 missed; precision 2/3, recall 2/3."""
    scores = metrics.accuracy_and_f1([1, 1, 1, 0, 0], [1, 1, 0, 1, 0])
    assert scores == pytest.approx({"accuracy": 0.6, "f1": 2 / 3})


def test_matthews_by_hand():
    """TP 2, TN 1, FP 1, FN 1: (2*1 - 1*1) / sqrt(3 * 3 * 2 * 2) = 1/6."""
    scores = metrics.matthews([1, 1, 1, 0, 0], [1, 1, 0, 1, 0])
    assert scores["matthews"] == pytest.approx(1 / 6)
    assert metrics.matthews([1, 1, 1], [1, 0, 1]) == {"matthews": 0.0}


def test_correlations_by_hand():
    """Deviations (-1, 0, 1) and (-1, -1, 2): 3 / sqrt(2 * 6); ranks 1 2 3 and 1.5 1.5 3 give 1.5/sqrt(2*1.5)."""
    scores = metrics.correlations([1.0, 2.0, 3.0], [0.0, 0.0, 3.0])
    assert scores["pearson"] == pytest.approx(3 / math.sqrt(12))
    assert scores["spearman"] == pytest.approx(1.5 / math.sqrt(3))
    assert metrics.correlations([2.0, 2.0], [1.0, 3.0]) == {"pearson": 0.0, "spearman": 0.0}


def test_entities_by_hand():
    """Three entities, two found; one of the two with a wrong border. Precision 1/2, recall 1/3, F1 0.4."""
    truths = [["B-PER", "I-PER", "O", "B-LOC"], ["B-LOC", "O"]]
    found = [["B-PER", "O", "O", "B-LOC"], ["O", "O"]]
    scores = metrics.entity_f1(found, truths)
    assert scores == pytest.approx({"precision": 1 / 2, "recall": 1 / 3, "f1": 0.4})


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("O O", []),
        ("B-A I-A I-A", [("A", 0, 2)]),
        ("B-A B-A", [("A", 0, 0), ("A", 1, 1)]),
        ("I-A I-A", [("A", 0, 1)]),
        ("B-A I-B", [("A", 0, 0), ("B", 1, 1)]),
        ("B-A O I-A", [("A", 0, 0), ("A", 2, 2)]),
        ("B-a-b I-a-b", [("a-b", 0, 1)]),
    ],
)
def test_entities_of_a_row(tags, expected):
    assert metrics.entities(tags.split()) == expected


def test_nothing_found_is_zero_and_no_error():
    assert metrics.entity_f1([["O"]], [["O"]]) == {"precision": 0, "recall": 0, "f1": 0}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The Eiffel  Tower!", "eiffel tower"),
        ("an apple a day", "apple day"),
        ("Theatre", "theatre"),
        ("U.S.", "us"),
        ("the", ""),
        ("10-20", "1020"),
    ],
)
def test_normalisation(answer, expected):
    assert metrics.normalised(answer) == expected


def test_word_f1_by_hand():
    """Words: big red dog / red dog runs. Shared 2; precision 2/3, recall 2/3."""
    assert metrics.word_f1("the big red dog", "red dog runs") == pytest.approx(2 / 3)
    assert metrics.word_f1("dog dog", "dog") == pytest.approx(2 / 3)
    assert metrics.word_f1("", "") == 1
    assert metrics.word_f1("", "dog") == 0
    assert metrics.word_f1("cat", "dog") == 0


def test_squad_takes_the_kindest_answer_and_splits_the_kinds():
    truths = {"q1": ["in 1912", "1912"], "q2": [], "q3": ["red dog"]}
    found = {"q1": "1912", "q2": "Paris", "q3": "a dog"}
    scores = metrics.squad_scores(found, truths)
    assert scores == pytest.approx(
        {
            "exact": 1 / 3,
            "f1": (1 + 0 + 2 / 3) / 3,
            "has_answer_exact": 1 / 2,
            "has_answer_f1": (1 + 2 / 3) / 2,
            "no_answer_exact": 0,
            "no_answer_f1": 0,
        }
    )


def test_squad_of_one_kind_has_two_scores():
    assert metrics.squad_scores({"q": "Dog"}, {"q": ["the dog"]}) == {"exact": 1, "f1": 1}


def test_predictions_of_another_data_set():
    with pytest.raises(InputError, match="there are no questions to mark; expected at least one"):
        metrics.squad_scores({}, {})
    with pytest.raises(InputError, match="2 of 3 questions have no prediction, b, c among them"):
        metrics.squad_scores({"a": ""}, {"a": [], "b": [], "c": ["x"]})


def test_lengths_that_do_not_fit():
    with pytest.raises(InputError, match="1 predictions for 2 examples"):
        metrics.accuracy([1], [1, 0])
    with pytest.raises(InputError, match="0 predictions for 0 examples"):
        metrics.matthews([], [])
    with pytest.raises(InputError, match="sentence 2: 1 tags for 2 words"):
        metrics.entity_f1([["O"], ["O"]], [["O"], ["O", "O"]])


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)  # as if it could not be imported
    with pytest.raises(
        MissingExtraError, match=r"scikit-learn is not installed; pip install .bertlib\[tasks\]"
    ):
        metrics.accuracy([1], [1])
