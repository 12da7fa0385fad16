import math

import pytest
import torch
from torch.nn import functional as F

from bertlib.errors import InputError
from bertlib.objectives import MaskedLMLoss, NSPLoss


def test_a_loss_worked_by_hand():
    logits = torch.tensor([[math.log(3.0), 0.0]])  # probabilities 3/4 and 1/4
    assert MaskedLMLoss()(logits, torch.tensor([0])).item() == pytest.approx(-math.log(0.75))
    assert NSPLoss()(logits, torch.tensor([1])).item() == pytest.approx(-math.log(0.25))


def test_it_is_pytorchs_cross_entropy_over_what_was_selected():
    logits, labels = torch.randn(3, 5, 11), torch.randint(0, 11, (3, 5))
    labels[1] = -100
    expected = F.cross_entropy(logits.flatten(0, 1), labels.flatten())
    assert torch.allclose(MaskedLMLoss()(logits, labels), expected)


def test_label_zero_counts():
    """ignore_index=0 would drop every IsNext pair, and every [PAD] that is a label."""
    logits = torch.tensor([[0.0, 4.0], [0.0, 4.0]])
    assert NSPLoss()(logits, torch.tensor([0, 1])) > NSPLoss()(logits, torch.tensor([1, 1]))


def test_nothing_selected_is_zero_and_not_nan():
    logits = torch.randn(0, 11, requires_grad=True)
    loss = MaskedLMLoss()(logits, torch.zeros(0, dtype=torch.long))
    loss.backward()
    assert loss.item() == 0
    assert NSPLoss()(torch.randn(2, 2), torch.tensor([-100, -100])).item() == 0


def test_pieces_with_a_common_count_add_up_to_the_whole():
    logits, labels = torch.randn(7, 11), torch.randint(0, 11, (7,))
    loss = MaskedLMLoss()
    pieces = loss(logits[:2], labels[:2], count=7) + loss(logits[2:], labels[2:], count=7)
    assert torch.allclose(pieces, loss(logits, labels))


def test_shapes_that_do_not_belong_together():
    with pytest.raises(InputError, match="do not belong together"):
        MaskedLMLoss()(torch.randn(3, 11), torch.zeros(4, dtype=torch.long))
    with pytest.raises(InputError, match=r"expected \(batch, 2\)"):
        NSPLoss()(torch.randn(3, 3), torch.zeros(3, dtype=torch.long))
