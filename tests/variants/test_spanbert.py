import pytest
import torch
from torch import nn

from bertlib.errors import InputError
from bertlib.model import BertForPreTraining
from bertlib.variants.spanbert import SpanBoundaryHead, span_boundaries, spanbert_losses
from bertlib.variants.training import train_variant


def test_the_borders_of_two_spans():
    selected = torch.tensor([[0, 1, 1, 0, 1, 0, 0], [0, 0, 0, 1, 1, 1, 0]]).bool()
    left, right = span_boundaries(selected)
    assert left[selected].tolist() == [0, 0, 3, 2, 2, 2]
    assert right[selected].tolist() == [3, 3, 5, 6, 6, 6]


def test_only_borders_and_place_count(toy_config):
    """Change what is inside the span: nothing. A border, or the place within: the scores change."""
    head = SpanBoundaryHead(toy_config)
    hidden, table = torch.randn(1, 6, 32), torch.randn(toy_config.vocab_size, 32)
    selected = torch.tensor([[0, 0, 1, 1, 0, 0]]).bool()
    scores = head(hidden, selected, table)
    assert scores.shape == (2, toy_config.vocab_size)
    assert not torch.allclose(scores[0], scores[1])
    for place, matters in [(0, False), (1, True), (2, False), (3, False), (4, True), (5, False)]:
        other = hidden.clone()
        other[0, place] += 1
        assert torch.equal(head(other, selected, table), scores) is not matters, place


def test_places_count_from_the_left_border_and_end_with_the_table(toy_config):
    head = SpanBoundaryHead(toy_config, longest=2, place_size=4)
    seen = []
    head.places.register_forward_pre_hook(lambda _, inputs: seen.extend(inputs[0].tolist()))
    selected = torch.tensor([[0, 1, 1, 1, 0, 1, 0]]).bool()
    head(torch.randn(1, 7, 32), selected, torch.randn(toy_config.vocab_size, 32))
    assert seen == [0, 1, 1, 0]


def test_both_losses_fall_and_everything_learns(toy_config, story_batches):
    model, head = BertForPreTraining(toy_config), SpanBoundaryHead(toy_config)
    both = nn.ModuleList([model, head])
    history = train_variant(
        both,
        lambda batch, step: spanbert_losses(model, head, batch),
        story_batches(masking="spans"),
        steps=40,
        learning_rate=8e-3,
    )
    assert history.shape == (40, 3)
    assert history[:, 0] == pytest.approx(history[:, 1] + history[:, 2], rel=1e-5)
    assert (history[-5:].mean(axis=0)[1:] < history[0, 1:] - 0.7).all()
    idle = [name for name, p in both.named_parameters() if p.grad is None or not p.grad.any()]
    assert all("pooler" in name or "nsp_head" in name for name in idle)


@pytest.mark.parametrize("selected", [[1, 0, 0], [0, 0, 1]])
def test_a_span_without_a_border_is_refused(selected):
    with pytest.raises(InputError, match="touches the edge"):
        span_boundaries(torch.tensor([selected]).bool())
