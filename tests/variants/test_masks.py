import pytest
import torch

from bertlib.config import BertConfig
from bertlib.errors import InputError
from bertlib.model import BertModel
from bertlib.objectives import causal_mask
from bertlib.variants.masks import permutation_mask, prefix_mask, sliding_mask, sliding_pairs


def rows(mask):
    return ["".join("x" if seen else "." for seen in row) for row in mask[0].tolist()]


def test_a_window_of_two_is_one_neighbour_on_either_side():
    assert rows(sliding_mask(torch.ones(1, 5), window=2)) == ["xx...", "xxx..", ".xxx.", "..xxx", "...xx"]


def test_dilation_leaves_out_every_other_position():
    found = rows(sliding_mask(torch.ones(1, 6), window=4, dilation=2))
    assert found == ["x.x.x.", ".x.x.x", "x.x.x.", ".x.x.x", "x.x.x.", ".x.x.x"]


def test_a_global_position_sees_all_and_is_seen_by_all():
    found = rows(sliding_mask(torch.ones(1, 5), window=0, global_positions=[0]))
    assert found == ["xxxxx", "xx...", "x.x..", "x..x.", "x...x"]


def test_padding_is_seen_by_nobody():
    mask = sliding_mask(torch.tensor([[1, 1, 1, 0]]), window=2, global_positions=[0])
    assert not mask[0, :, 3].any()
    assert mask[0, :3, :3].sum() == 9


@pytest.mark.parametrize(("length", "window"), [(1, 0), (5, 2), (9, 4), (6, 4), (3, 10), (7, 12)])
def test_pairs_are_counted_without_drawing_them(length, window):
    assert sliding_pairs(length, window) == int(sliding_mask(torch.ones(1, length), window=window).sum())


def test_longformers_band_is_an_eighth_of_the_square():
    """T (w + 1) - 256 x 257, by hand, with half a window of 256."""
    assert sliding_pairs(4096, 512) == 4096 * 513 - 256 * 257 == 2_035_456
    assert sliding_pairs(4096, 512) / 4096**2 == pytest.approx(0.1213, abs=1e-4)


def test_an_order_of_reading():
    """Yang et al. 2019, figure 4: 3 -> 2 -> 4 -> 1, counted from 1."""
    order = torch.tensor([2, 1, 3, 0])
    assert rows(permutation_mask(order)) == ["xxxx", ".xx.", "..x.", ".xxx"]
    assert rows(permutation_mask(order, itself=False)) == [".xxx", "..x.", "....", ".xx."]


def test_reading_from_left_to_right_is_causal():
    order = torch.arange(5).expand(2, -1)
    assert torch.equal(permutation_mask(order), causal_mask(torch.ones(2, 5)))


def test_prefix_is_causal_without_and_full_with_all_of_it():
    text = torch.tensor([[1, 1, 1, 0]])
    assert torch.equal(prefix_mask(text, torch.tensor([0])), causal_mask(text))
    assert rows(prefix_mask(text, torch.tensor([2]))) == ["xx..", "xx..", "xxx.", "xxx."]
    assert rows(prefix_mask(text, torch.tensor([4]))) == ["xxx."] * 4


def test_the_model_obeys():
    """After one block a position depends on what it sees and on nothing else; after two, twice as far."""
    torch.manual_seed(0)
    config = BertConfig.from_preset("tiny", vocab_size=50, max_position_embeddings=16)
    bert = BertModel(config.replace(num_hidden_layers=2)).eval()
    ids = torch.randint(5, 50, (1, 12))
    other = ids.clone()
    other[0, 11] = ids[0, 11] % 45 + 5
    mask = sliding_mask(torch.ones(1, 12), window=4)
    before, after = (bert(x, mask).last_hidden_state[0] for x in (ids, other))
    changed = (before != after).any(dim=1).tolist()
    assert changed == [False] * 7 + [True] * 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: sliding_mask(torch.ones(1, 4), window=3), "window is 3; expected an even number"),
        (lambda: sliding_mask(torch.ones(1, 4), window=-2), "window is -2"),
        (lambda: sliding_pairs(4, 1), "window is 1"),
        (lambda: sliding_mask(torch.ones(1, 4), window=2, dilation=0), "dilation is 0"),
        (
            lambda: sliding_mask(torch.ones(1, 4), window=2, global_positions=[4]),
            "position 4 of a text of 4; expected 0 to 3",
        ),
        (lambda: sliding_mask(torch.ones(4), window=2), r"shape \(4,\); expected \(batch, length\)"),
        (lambda: permutation_mask(torch.tensor([0, 0, 1])), "each position from 0 to T - 1 once"),
        (lambda: prefix_mask(torch.ones(1, 4), torch.tensor([5])), "expected 0 to 4 each"),
        (lambda: prefix_mask(torch.ones(2, 4), torch.tensor([1])), "for 2 texts"),
    ],
)
def test_what_makes_no_mask_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()
