"""Each loss beside an example that was worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch

from bertlib.errors import InputError
from bertlib.variants.sentence_losses import (
    CosineRegression,
    InBatchNegatives,
    PairVectors,
    SiameseClassification,
    TripletMargin,
)

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]


def vectors(first, second, **others):
    return PairVectors(torch.tensor(first), torch.tensor(second), **others)


def test_classification_reads_u_v_and_their_distance():
    """W looks at |u - v| only: [2, 1] and weights (1, 1) give the logits 3 and 0."""
    loss = SiameseClassification(2, 2)
    with torch.no_grad():
        loss.classifier.weight.copy_(torch.tensor([[0, 0, 0, 0, 1, 1], [0, 0, 0, 0, 0, 0]]))
        loss.classifier.bias.zero_()
    pairs = vectors([[1.0, 5.0]], [[3.0, 4.0]], labels=torch.tensor([1]))
    assert loss(pairs).item() == pytest.approx(math.log(1 + math.exp(3)))
    with torch.no_grad():
        loss.classifier.weight.copy_(torch.tensor([[1, 0, 0, 1, 0, 0], [0, 0, 0, 0, 0, 0]]))
    assert loss(pairs).item() == pytest.approx(math.log(1 + math.exp(1 + 4)), rel=1e-5)


def test_cosine_regression_by_hand():
    """Cosines 1 (length does not matter) and 0; labels 0.5 and 0.2: (0.25 + 0.04) / 2."""
    pairs = vectors([EAST, EAST], [[7.0, 0.0], NORTH], labels=torch.tensor([0.5, 0.2]))
    assert CosineRegression()(pairs).item() == pytest.approx(0.145)


def test_in_batch_negatives_by_hand():
    """Rows of scores (s, 0) and (0.6 s, 0.8 s), the right ones on the diagonal."""
    pairs = vectors([EAST, [3.0, 4.0]], [EAST, [0.0, 2.0]])
    scale = 2.0
    rows = [math.log(1 + math.exp(-scale)), math.log(1 + math.exp(-0.2 * scale))]
    assert InBatchNegatives(scale=scale)(pairs).item() == pytest.approx(sum(rows) / 2)
    columns = [math.log(1 + math.exp(-0.4 * scale)), math.log(1 + math.exp(-0.8 * scale))]
    both = InBatchNegatives(scale=scale, symmetric=True)(pairs).item()
    assert both == pytest.approx((sum(rows) + sum(columns)) / 4)


def test_known_negatives_join_in():
    """One pair and its negative: without one there is nothing to choose from, and no loss."""
    assert InBatchNegatives()(vectors([EAST], [EAST])).item() == 0
    pairs = vectors([EAST], [[1.0, 1.0]], negative=torch.tensor([EAST]))
    apart = 1 - math.sqrt(0.5)
    assert InBatchNegatives(scale=5)(pairs).item() == pytest.approx(math.log(1 + math.exp(5 * apart)))


def test_an_equal_text_is_no_wrong_answer():
    """Two questions about one paragraph: each would have to push away its own answer."""
    pairs = vectors([EAST, EAST, NORTH], [EAST, EAST, NORTH])
    told = pairs._replace(same=torch.tensor([4, 4, 7]))
    untold, expected = math.log(2 + math.exp(-20)), math.log(1 + math.exp(-20))
    assert InBatchNegatives()(pairs).item() == pytest.approx(
        (2 * untold + math.log(1 + 2 * math.exp(-20))) / 3
    )
    assert InBatchNegatives(symmetric=True)(told).item() == pytest.approx(expected, abs=1e-6)
    with_negatives = told._replace(negative=told.second, same=torch.tensor([4, 4, 7, 4, 4, 7]))
    assert InBatchNegatives()(with_negatives).item() == pytest.approx(expected, abs=1e-6)


def test_triplets_by_hand():
    """Distances 1 and 3 keep a margin of 2, not one of 2.5; a triple that holds it does not count."""
    pairs = vectors([[0.0, 0.0]], [[1.0, 0.0]], negative=torch.tensor([[0.0, 3.0]]))
    assert TripletMargin(margin=2.5)(pairs).item() == pytest.approx(0.5, abs=1e-4)
    assert TripletMargin(margin=1.0)(pairs).item() == 0


def test_what_is_missing_is_said():
    with pytest.raises(InputError, match="these pairs have no labels"):
        CosineRegression()(vectors([EAST], [EAST]))
    with pytest.raises(InputError, match="these pairs have no labels"):
        SiameseClassification(2, 3)(vectors([EAST], [EAST]))
    with pytest.raises(InputError, match="these pairs have no negative"):
        TripletMargin()(vectors([EAST], [EAST]))
