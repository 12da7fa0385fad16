"""Rows in flat arrays: batches by hand, every example once an epoch, and no label where there is no piece."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bertlib.errors import InputError
from bertlib.finetune.features import BUCKET, gather

ROWS = [np.array([2, 7, 3]), np.array([2, 7, 3, 9, 3]), np.array([2, 3]), np.array([2, 8, 8, 3])]
FIRSTS = [3, 3, 2, 4]


def features(**options):
    return gather(ROWS, FIRSTS, pad_id=1, **options)


def test_a_batch_by_hand():
    batch = features(labels={"labels": np.array([5, 6, 7, 8])}).batch(np.array([1, 2]))
    assert batch["input_ids"].tolist() == [[2, 7, 3, 9, 3], [2, 3, 1, 1, 1]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]]
    assert batch["token_type_ids"].tolist() == [[0, 0, 0, 1, 1], [0, 0, 0, 0, 0]]
    assert batch["labels"].tolist() == [6, 7]
    assert {value.dtype for value in batch.values()} == {torch.int64}


def test_labels_of_pieces_are_filled_up_with_minus_100():
    batch = features(labels={"labels": np.arange(14)}).batch(np.array([2, 0]))
    assert batch["labels"].tolist() == [[8, 9, -100], [0, 1, 2]]


def test_numbers_and_places_keep_their_shape():
    labels = {"labels": np.array([0.5, 1, 2, 3], np.float32), "spans": np.arange(8).reshape(4, 2)}
    batch = features(labels=labels).batch(np.array([3, 1]))
    assert batch["labels"].dtype == torch.float32
    assert batch["labels"].tolist() == [3, 1]
    assert batch["spans"].tolist() == [[6, 7], [2, 3]]


def test_choices_of_one_example_stay_together():
    both = features(choices=2, labels={"labels": np.array([1, 0])})
    assert len(both) == 2
    assert both.lengths.tolist() == [5, 4]
    batch = both.batch(np.array([1, 0]))
    assert batch["input_ids"].tolist() == [
        [[2, 3, 1, 1, 1], [2, 8, 8, 3, 1]],
        [[2, 7, 3, 1, 1], [2, 7, 3, 9, 3]],
    ]
    assert batch["token_type_ids"][1].tolist() == [[0] * 5, [0, 0, 0, 1, 1]]
    assert batch["labels"].tolist() == [0, 1]


@pytest.fixture
def many():
    dice = np.random.default_rng(0)
    rows = [np.full(dice.integers(2, 30), 7) for _ in range(150)]
    return gather(rows, [len(row) for row in rows], pad_id=0)


def test_an_epoch_is_everything_once_and_another_seed_another_order(many):
    one, again, other = (list(many.shuffled(4, np.random.default_rng(seed))) for seed in (0, 0, 1))
    assert sorted(np.concatenate(one)) == list(range(150))
    assert all(map(np.array_equal, one, again))
    assert np.concatenate(one).tolist() != np.concatenate(other).tolist()
    assert sorted(map(len, one)) == [2] + [4] * 37


def test_rows_of_a_batch_are_about_as_long(many):
    """150 rows of 2 to 29 pieces in 38 batches: in a bucket of 50 batches they lie about one piece apart."""
    spread = [np.ptp(many.lengths[chosen]) for chosen in many.shuffled(4, np.random.default_rng(0))]
    assert max(spread) <= 3
    assert len(many) < BUCKET * 4
    firsts = [many.lengths[chosen[0]] for chosen in many.shuffled(4, np.random.default_rng(0))]
    assert firsts != sorted(firsts)  # the batches themselves are shuffled


def test_sorted_begins_with_the_longest(many):
    order = np.concatenate(list(many.sorted(7)))
    assert sorted(order) == list(range(150))
    assert (np.diff(many.lengths[order]) <= 0).all()


def test_rows_come_back(many):
    assert features().row(3).tolist() == [2, 8, 8, 3]
    assert features().ids.dtype == np.int32


def test_nothing_is_refused():
    with pytest.raises(InputError, match="no examples; expected at least one"):
        gather([], [], pad_id=0)
