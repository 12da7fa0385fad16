"""Who sees whom, by derivatives: GPT, ELMo and BERT as they are drawn, and what the drawing leaves out."""

from __future__ import annotations

import pytest
import torch

from bertlib.errors import InputError
from bertlib.history import both_sides, jacobian, visibility

IDS = [2, 5, 6, 7, 3]
EVERYTHING = torch.ones(5, 5, dtype=torch.bool)
LEFT = EVERYTHING.tril()


@pytest.mark.parametrize("name", ["lstm", "causal"])
def test_who_reads_from_the_left_sees_nothing_on_the_right(name, make):
    model = make(name)
    assert torch.equal(visibility(model, IDS), LEFT)
    strength = jacobian(model, IDS).norm(dim=1)  # (T, T)
    assert strength.triu(1).max() == 0  # not small: nothing
    assert strength[LEFT].min() > 0


def test_bert_sees_everything_and_mixes_it(make):
    assert torch.equal(visibility(make("masked"), IDS), EVERYTHING)
    assert both_sides(make("masked"), IDS).tolist() == [0, 1, 1, 1, 0]  # at the ends there is one side only


def test_elmo_sees_everything_and_mixes_nothing(make):
    """The joined vector sees both sides; each of its numbers sees one."""
    model = make("bilstm")
    halves = jacobian(model, IDS).split(16, dim=1)
    assert torch.equal((halves[0] > 0).any(1), LEFT)
    assert torch.equal((halves[1] > 0).any(1), LEFT.T)
    assert torch.equal(visibility(model, IDS), EVERYTHING)
    assert both_sides(model, IDS).tolist() == [0, 0, 0, 0, 0]


def test_the_jacobian_is_what_a_small_change_does(make):
    """Against finite differences: change one number of one word vector, look at all outputs."""
    model = make("causal").double().eval()
    ids, change = torch.tensor([IDS]), 1e-6
    with torch.no_grad():
        moved = torch.zeros(5, 16, 16)  # (T, H, which number)
        before = model.represent(ids, torch.ones_like(ids))[0]
        for number in range(16):
            model.word_embeddings.weight[6, number] += change  # the word at position 2, and nowhere else
            moved[:, :, number] = (model.represent(ids, torch.ones_like(ids))[0] - before) / change
            model.word_embeddings.weight[6, number] -= change
    assert torch.allclose(jacobian(model, IDS)[:, :, 2].float(), moved.norm(dim=-1), atol=1e-4)


def test_the_model_is_left_as_it_was(make):
    model = make("causal").train()
    jacobian(model, IDS)
    assert model.training
    assert not model.word_embeddings._forward_hooks
    assert all(p.grad is None for p in model.parameters())


def test_a_row_that_is_none(make):
    with pytest.raises(InputError, match="the row has the id 77; expected 0 to 28"):
        visibility(make("lstm"), [2, 77])
