"""CMRC's metric beside examples worked out by hand, and beside a plain search for the longest run."""

from __future__ import annotations

import random

import pytest

from bertlib.errors import InputError
from bertlib.finetune.metrics_zh import best_marks, cmrc_scores, longest_shared, plain, run_f1, units


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("北京，上海。", ["北", "京", "上", "海"]),
        ("《BERT》有3.3亿参数。", ["bert", "有", "3.3", "亿", "参", "数"]),
        ("约1,000人", ["约", "1,000", "人"]),
        ("New York市", ["new", "york", "市"]),
        ("50%", ["50", "%"]),
        ("A-B", ["ab"]),
        ("……", ["…", "…"]),
        ("", []),
    ],
)
def test_units(answer, expected):
    assert units(answer) == expected


def test_exact_match_forgives_signs_and_capitals():
    assert plain(" 《Bert》。") == "bert"
    assert best_marks("bert", ["《BERT》。"]) == (1.0, 1.0)


def test_f1_by_hand():
    """Of 天津北京市 (5) and 北京大学 (4) the run 北京 (2) is shared: 2 * 2 / 9."""
    assert run_f1("天津北京市", "北京大学") == pytest.approx(4 / 9)


def test_order_matters():
    """京北 shares all characters with 北京, but no run of two."""
    assert run_f1("京北", "北京") == pytest.approx(2 / 4)


def test_only_empty_is_like_empty():
    assert (run_f1("", ""), run_f1("", "北"), run_f1("。", "北")) == (1.0, 0.0, 0.0)


def test_longest_run_equals_trying_all():
    dice = random.Random(0)
    for _ in range(200):
        one, two = ("".join(dice.choices("abc", k=dice.randrange(8))) for _ in range(2))
        runs = [one[i:j] for i in range(len(one)) for j in range(i + 1, len(one) + 1)]
        assert longest_shared(one, two) == max((len(run) for run in runs if run in two), default=0)


def test_scores_by_hand():
    """Exact: 1 of 3. F1: 1; the kinder of 2/3 and 1/2; 1 for silence that is right … of 3."""
    predictions = {"a": "北京", "b": "北京市", "c": "无"}
    truths = {"a": ["上海", "北京。"], "b": ["南京", "北京人民"], "c": []}
    scores = cmrc_scores(predictions, truths)
    assert scores == pytest.approx({"exact": 1 / 3, "f1": (1 + 2 * 2 / 7 + 0) / 3})


def test_predictions_of_another_data_set():
    with pytest.raises(InputError, match="2 of 2 questions have no prediction, a, b among them"):
        cmrc_scores({"x": ""}, {"a": ["北"], "b": []})
    with pytest.raises(InputError, match="no questions to mark"):
        cmrc_scores({}, {})
