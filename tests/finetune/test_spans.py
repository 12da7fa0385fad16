"""Best spans against a search over every pair, thresholds against every threshold."""

from __future__ import annotations

import numpy as np
import pytest

from bertlib.errors import InputError
from bertlib.finetune.answers import best_text, candidates, check_logits, text_of
from bertlib.finetune.spans import Reading, Span, best_spans, read_windows, tune_threshold


def every_span(starts, ends, longest, allowed=None):
    """All (score, first, last), the best first."""
    n = len(starts)
    found = [
        (float(starts[i]) + float(ends[j]), i, j)
        for i in range(n)
        for j in range(i, min(i + longest, n))
        if allowed is None or allowed[i]
    ]
    return sorted(found, key=lambda item: (-item[0], item[1], item[2]))


def test_spans_by_hand():
    """The best start stands behind the best end, which may not count."""
    spans = best_spans(np.array([0.0, 5.0, 1.0]), np.array([9.0, 1.0, 2.0]), longest=3, count=3)
    assert spans == [Span(0, 0, 9.0), Span(1, 2, 7.0), Span(1, 1, 6.0)]


@pytest.mark.parametrize("longest", [1, 4, 30])
def test_equal_to_a_search_over_all_pairs(longest):
    dice = np.random.default_rng(longest)
    for n in (1, 2, 3, 9, 25):
        for _ in range(20):
            starts, ends = dice.normal(size=(2, n)).astype(np.float32)
            allowed = dice.random(n) < 0.7
            for where in (None, allowed):
                expected = every_span(starts, ends, longest, where)[:6]
                found = best_spans(starts, ends, longest=longest, count=6, allowed=where)
                assert [(s.score, s.first, s.last) for s in found] == expected


def test_no_pieces_no_spans():
    assert best_spans(np.zeros(0), np.zeros(0), longest=30, count=20) == []
    assert best_spans(np.ones(2), np.ones(2), longest=2, count=5, allowed=np.zeros(2, bool)) == []


def rows_of(dice, asked, sizes):
    return [dice.normal(size=(asked + size + 1, 2)).astype(np.float32) for size in sizes]


def test_windows_are_read_as_one():
    """Each span is judged by the window that sees most around its first piece; only context counts."""
    first, size, asked = np.array([0, 3, 6]), np.array([6, 6, 4]), 4
    logits = rows_of(np.random.default_rng(0), asked, size)
    for row in logits:
        row[1:asked] = row[-1] = 100.0  # question and [SEP] shout
    judge = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2]
    expected = []
    for number, row in enumerate(logits):
        starts, ends = row[asked:-1].T
        for score, i, j in every_span(starts, ends, 4):
            if judge[i + first[number]] == number:
                expected.append((-score, i + first[number], j + first[number]))
    reading = read_windows(logits, asked, first, size, longest=4, count=7)
    assert [(-s.score, s.first, s.last) for s in reading.spans] == sorted(expected)[:7]
    assert reading.null == pytest.approx(min(row[0].sum() for row in logits))
    assert reading.difference == pytest.approx(reading.null - reading.spans[0].score)


def test_an_empty_context_has_no_answer():
    reading = read_windows([np.ones((4, 2))], 3, np.array([0]), np.array([0]), longest=30, count=20)
    assert (reading.spans, reading.null, reading.difference) == ([], 2.0, np.inf)
    assert best_text(reading, "", np.zeros((0, 2))) == ""
    assert [one.text for one in candidates(reading, "", np.zeros((0, 2)), null=False)] == [""]


def test_threshold_by_hand():
    """Answering what lies at or below 1 is right four times out of four."""
    differences = np.array([3.0, -2.0, 1.0, 5.0])
    found = tune_threshold(differences, np.array([0, 1, 0.5, 0]), np.array([1, 0, 0, 1]))
    assert found == (1.0, 3.5 / 4)


@pytest.mark.parametrize("seed", range(20))
def test_threshold_equals_trying_all(seed):
    """With many ties among the differences."""
    dice = np.random.default_rng(seed)
    n = int(dice.integers(1, 40))
    differences = dice.integers(-5, 6, n) / 2
    silent = (dice.random(n) < 0.5).astype(float)
    answered = np.where(silent > 0, 0.0, dice.random(n))
    tried = [-np.inf, *differences]
    means = [np.where(differences > t, silent, answered).mean() for t in tried]
    found = tune_threshold(differences, answered, silent)
    assert found.score == pytest.approx(max(means))
    assert np.where(differences > found.value, silent, answered).mean() == pytest.approx(max(means))


def test_threshold_where_silence_or_speech_is_always_best():
    some = np.array([1.0, 2.0])
    silence = tune_threshold(some, np.zeros(2), np.ones(2))
    assert silence.value < 1.0
    assert silence.score == 1.0
    assert tune_threshold(some, np.ones(2), np.zeros(2)) == (2.0, 1.0)


def test_threshold_of_nothing_is_refused():
    with pytest.raises(InputError, match="0 differences, 0 and 0 scores; expected as many of each"):
        tune_threshold(np.zeros(0), np.zeros(0), np.zeros(0))
    with pytest.raises(InputError, match="2 differences, 1 and 2 scores"):
        tune_threshold(np.zeros(2), np.zeros(1), np.zeros(2))


CONTEXT = "In Paris, Paris!"
OFFSETS = np.array([[0, 2], [3, 8], [8, 9], [10, 15], [15, 16]])


def test_texts_are_cut_out_of_the_context():
    assert text_of(Span(0, 1, 0.0), CONTEXT, OFFSETS) == ("In Paris", 0)
    assert text_of(Span(3, 4, 0.0), CONTEXT, OFFSETS) == ("Paris!", 10)


def test_candidates_by_hand():
    """Paris twice, once listed; e^2 : e^1 : e^0 shares."""
    reading = Reading([Span(3, 3, 2.0), Span(1, 1, 1.5), Span(0, 0, 0.0)], 1.0)
    found = candidates(reading, CONTEXT, OFFSETS, null=True)
    assert [(one.text, one.start, one.score) for one in found] == [
        ("Paris", 10, 2.0),
        ("", -1, 1.0),
        ("In", 0, 0.0),
    ]
    e = np.exp(1)
    assert [one.probability for one in found] == pytest.approx(np.array([e * e, e, 1]) / (e * e + e + 1))
    assert [one.text for one in candidates(reading, CONTEXT, OFFSETS, null=False)] == ["Paris", "In"]


def test_outputs_for_other_rows_are_refused():
    rows = [np.zeros((4, 2)), np.zeros((5, 2))]
    check_logits(rows, np.array([4, 5]))
    with pytest.raises(
        InputError, match="outputs for 2 rows, the examples have 2, and 1 rows of another length"
    ):
        check_logits(rows, np.array([4, 6]))
    with pytest.raises(InputError, match="outputs for 2 rows, the examples have 3"):
        check_logits(rows, np.array([4, 5, 5]))
