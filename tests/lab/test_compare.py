import numpy as np
import pytest
import torch

from bertlib.lab.compare import first_difference, pretty


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (torch.tensor([[1.0, 2.5]]), "1.00 2.50"),
        (np.array([1, 20]), " 1 20"),
        (["[CLS]", "my"], "[CLS] my"),
        ("", "(an empty text)"),
        ([], "(nothing)"),
        (0.001, "1e-03"),
        (torch.zeros(20, 20), "shape (20, 20), beginning 0.00 0.00 0.00 0.00"),
        (object(), "object"),
    ],
)
def test_pretty(value, text):
    assert pretty(value) == text


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (torch.tensor([1.0, 2.0]), [1.0, 2.0]),
        (torch.tensor([1.0]), np.array([1.00001])),
        ([1, 2], (1, 2)),
        ([1, 2], torch.tensor([1, 2])),
        (2.0, torch.tensor(2.0)),
    ],
)
def test_equal_in_another_dress(expected, got):
    assert first_difference(expected, got) is None


@pytest.mark.parametrize(
    ("expected", "got", "message"),
    [
        (torch.zeros(2, 3), torch.zeros(3, 2), "shape (3, 2) came where shape (2, 3) was expected"),
        (torch.zeros(2, 3), torch.eye(2, 3), "row 0, column 0: expected 0.00, came 1.00"),
        ([1, 2], [1, 3], "place 1: expected 2, came 3"),
        ([1, 2], [1], "2 items were expected, 1 came"),
        ([1], 1, "a list of 1 was expected, an int came"),
        (torch.zeros(1), "x", "a tensor of shape (1,) was expected, a str came"),
        (torch.tensor([1.0]), torch.tensor([float("nan")]), "place 0: expected 1.00, came nan"),
    ],
)
def test_the_first_difference_is_named(expected, got, message):
    assert first_difference(expected, got) == message
