import pytest
import torch

from bertlib.compact import compress, expand
from bertlib.errors import CheckpointError, InputError


@pytest.fixture
def weights():
    generator = torch.Generator().manual_seed(0)
    table = torch.randn(6, 40, generator=generator)
    table[0] = 0
    table[3] *= 1000
    return {"table.weight": table, "norm.bias": torch.randn(40, generator=generator)}


@pytest.mark.parametrize(
    ("dtype", "error"), [(torch.float32, 0), (torch.float16, 2**-11), (torch.bfloat16, 2**-8)]
)
def test_half_precision_there_and_back(weights, dtype, error):
    small = compress(weights, dtype)
    assert {value.dtype for value in small.values()} == {dtype}
    back = expand(small, source="here")
    assert {value.dtype for value in back.values()} == {torch.float32}
    for name, value in weights.items():
        assert ((back[name] - value).abs() <= error * value.abs()).all()


def test_eight_bits_there_and_back(weights):
    small = compress(weights, torch.int8)
    assert small["table.weight"].dtype == torch.int8
    assert small["table.weight"].abs().max() == 127
    back = expand(small, source="here")
    assert set(back) == set(weights)
    assert torch.equal(back["norm.bias"], weights["norm.bias"])
    table = weights["table.weight"]
    half_a_step = table.abs().amax(dim=1, keepdim=True) / 127 / 2  # each row has its own scale
    assert ((back["table.weight"] - table).abs() <= half_a_step * 1.001).all()
    assert back["table.weight"][0].eq(0).all()


def test_eight_bits_of_another_kind_are_refused():
    with pytest.raises(CheckpointError, match=r"here: w.weight is stored as int8 without scales"):
        expand({"w.weight": torch.zeros(2, 2, dtype=torch.int8)}, source="here")


def test_what_cannot_be_kept_is_said():
    with pytest.raises(InputError, match=r"dtype is torch.int64; expected one of torch.float32"):
        compress({}, torch.int64)
    with pytest.raises(InputError, match=r"w has values that torch.float16 cannot hold"):
        compress({"w": torch.tensor([1e6])}, torch.float16)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.int8])
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("name", ["table.weight", "norm.bias"])
def test_no_number_is_never_stored(weights, dtype, value, name):
    weights[name].view(-1)[7] = value
    with pytest.raises(InputError, match=f"{name} has values that are NaN or infinite"):
        compress(weights, dtype)
