import pytest
import torch
from torch import nn

from bertlib.descent import Descent
from bertlib.errors import TrainingError


def down(model, **changes):
    return Descent(
        model, **({"steps": 4, "learning_rate": 0.1, "warmup_share": 0.5, "betas": (0.9, 0.999)} | changes)
    )


def test_a_steady_slope_is_walked_at_the_rates_of_the_schedule():
    """Adam divides a gradient that never changes by itself, so each step is as long as its rate."""
    model = nn.Linear(1, 1, bias=False)
    start = model.weight.item()
    descent = down(model, weight_decay=0.0)
    places = []
    for number in range(4):
        descent.step(model.weight.sum(), number)
        places.append(model.weight.item())
    gone = torch.tensor(start) - torch.tensor(places)
    assert torch.allclose(gone, 0.1 * torch.tensor([0.5, 1.5, 2.5, 3.0]), atol=1e-5)


def test_old_gradients_are_forgotten_and_long_ones_are_cut():
    model = nn.Linear(2, 1, bias=False)
    model.weight.grad = torch.full((1, 2), 1e6)
    down(model, clip=2.0).step((model.weight * torch.tensor([[30.0, 40.0]])).sum(), 0)
    assert torch.allclose(model.weight.grad, torch.tensor([[1.2, 1.6]]))


def test_a_loss_that_is_no_number_changes_nothing():
    model = nn.Linear(1, 1)
    before = model.weight.item()
    with pytest.raises(TrainingError, match=r"step 3: the loss is no finite number; .* \(it was 0\.1\)"):
        down(model).step(model.weight.sum() * torch.nan, 2)
    assert model.weight.item() == before
