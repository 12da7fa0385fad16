"""The head that compares: a score worked by hand, and what must not change it."""

from __future__ import annotations

import pytest
import torch

from bertlib.search.matching import MatchingHead, best_matches


def test_best_matches_by_hand():
    """Of the question's two pieces one finds itself (cosine 1), the other at best 0.6; lengths do not count."""
    hidden = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [5.0, 0.0], [4.0, 3.0], [0.0, 9.0]]])
    question = torch.tensor([[True, True, False, False, False]])
    passage = torch.tensor([[False, False, True, True, False]])
    assert best_matches(hidden, question, passage).tolist() == pytest.approx([(1 + 0.6) / 2])


def test_a_score_is_the_scaled_mean_of_the_bodys_vectors(make_body):
    body = make_body()
    ids, kinds = torch.tensor([[2, 5, 6, 3, 7, 8, 3]]), torch.tensor([[0, 0, 0, 0, 1, 1, 1]])
    mask = torch.ones_like(ids)
    vectors = body(ids, mask, kinds).last_hidden_state[0]
    best = [max(torch.cosine_similarity(vectors[i], vectors[j], dim=0) for j in (4, 5, 6)) for i in range(4)]
    score = MatchingHead(body, scale=3.0)(ids, mask, kinds).logits
    assert score.shape == (1, 1)
    assert score.item() == pytest.approx(3 * sum(best).item() / 4, abs=1e-5)


def test_padding_takes_no_part(make_body):
    head = MatchingHead(make_body())
    ids, kinds = torch.tensor([[2, 5, 3, 7, 3]]), torch.tensor([[0, 0, 0, 1, 1]])
    mask = torch.ones_like(ids)
    padded = [torch.nn.functional.pad(x, (0, 3)) for x in (ids, mask, kinds)]
    assert head(*padded).logits.item() == pytest.approx(head(ids, mask, kinds).logits.item(), abs=1e-4)


def test_it_learns_with_the_body_alone(make_body):
    head = MatchingHead(make_body())
    assert all(name.startswith("bert.") for name in head.state_dict())
    ids, kinds = torch.tensor([[2, 5, 3, 7, 3]]), torch.tensor([[0, 0, 0, 1, 1]])
    head(ids, torch.ones_like(ids), kinds).logits.sum().backward()
    assert head.bert.word_embeddings.grad.abs().sum() > 0
