"""The cross-encoder: scores of pairs read together, and what it can learn that two vectors cannot easily."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from bertlib.errors import CheckpointError, InputError
from bertlib.finetune.heads import SequenceClassifier
from bertlib.search.matching import MatchingHead
from bertlib.search.rerank import CrossEncoder, Judged, hard_negatives, train_reranker
from bertlib.variants.sentence_training import SentenceTraining

ANIMALS, DEEDS = ("cat", "dog", "fox", "hen"), ("sat", "ran")


@pytest.fixture
def reranker(make_body, tokenizer):
    torch.manual_seed(1)
    return CrossEncoder(SequenceClassifier(make_body(), 1), tokenizer)


@pytest.fixture
def matcher(make_body, tokenizer):
    return CrossEncoder(MatchingHead(make_body()), tokenizer)


def test_a_score_is_the_logit_of_the_pair_alone(reranker, tokenizer):
    pairs = [("who sat", "the cat sat ."), ("who ran", "dog"), ("who", "the moon " * 20)]
    scores = reranker.scores(pairs, batch_size=2)
    assert scores.dtype == np.float32
    for (question, passage), score in zip(pairs, scores, strict=True):
        packed = tokenizer.encode_pair(question, passage, max_length=16)
        ids, kinds = torch.tensor([packed.ids]), torch.tensor([packed.token_type_ids])
        logit = reranker.head(ids, None, kinds).logits
        assert score == pytest.approx(logit.item(), abs=1e-5)
    assert reranker.scores([]).shape == (0,)


def questions(count, seed):
    """Who did it? The right passage names the deed; of the two wrong ones, one does nothing."""
    generator = np.random.default_rng(seed)
    examples = []
    for _ in range(count):
        deed, other = generator.permutation(DEEDS)
        texts = [f"the {generator.choice(ANIMALS)} {word} ." for word in (deed, other, "home")]
        examples.append(Judged(f"who {deed}", texts[0], tuple(texts[1:])))
    return examples


def right_first(reranker, examples):
    """Return the share of examples whose right passage gets the best score of three."""
    scores = reranker.scores([(e.question, text) for e in examples for text in (e.right, *e.wrong)])
    return (scores.reshape(-1, 3).argmax(1) == 0).mean()


def test_it_learns_to_tell_right_from_wrong(reranker):
    recipe = SentenceTraining(epochs=4, learning_rate=1e-2, batch_size=16)
    losses = train_reranker(reranker, questions(160, seed=0), recipe=recipe, progress=False)
    assert losses[0] == pytest.approx(math.log(3), abs=0.1)
    assert len(losses) == 40
    assert right_first(reranker, questions(40, seed=1)) > 0.9


def test_comparing_has_less_to_learn_than_judging(reranker, matcher):
    recipe = SentenceTraining(epochs=1, learning_rate=3e-3, batch_size=16)
    dev = questions(60, seed=1)
    for one in (reranker, matcher):
        train_reranker(one, questions(48, seed=0), recipe=recipe, progress=False)
    assert right_first(matcher, dev) > right_first(reranker, dev) + 0.3


@pytest.mark.parametrize("kind", ["reranker", "matcher"])
def test_a_folder_gives_the_same_scores_back(kind, request, tokenizer, tmp_path):
    pairs = [("who sat", "the cat sat"), ("who ran", "the sun")]
    short = CrossEncoder(request.getfixturevalue(kind).head, tokenizer, max_length=12)
    again = CrossEncoder.load(short.save(tmp_path / "judge"))
    assert (again.scores(pairs) == short.scores(pairs)).all()
    assert (type(again.head), again.max_length) == (type(short.head), 12)
    (tmp_path / "judge/reranker.json").unlink()
    with pytest.raises(CheckpointError, match=r"has no reranker\.json"):
        CrossEncoder.load(tmp_path / "judge")


def test_hard_negatives_by_hand():
    found = np.array([[2, 0, 1], [1, 2, 0]])
    assert hard_negatives(found, [{0}, {3}], ["a", "b", "c", "d"], count=2) == [("c", "b"), ("b", "c")]
    assert hard_negatives(found, [{0, 2}, {3}], ["a", "b", "c", "d"], count=1) == [("b",), ("b",)]
    with pytest.raises(InputError, match="only 1 wrong passages found for a question; expected at least 2"):
        hard_negatives(found, [{0, 2}, {3}], ["a", "b", "c", "d"], count=2)


def test_wrong_input(reranker, make_body, tokenizer):
    with pytest.raises(InputError, match="2 labels and max_length None; expected one label"):
        CrossEncoder(SequenceClassifier(make_body(), 2), tokenizer)
    with pytest.raises(InputError, match=r"max_length 17; expected .* at most the body's 16 positions"):
        CrossEncoder(SequenceClassifier(make_body(), 1), tokenizer, max_length=17)
    for wrong in ([("a",), ("a", "b")], [()], []):
        examples = [Judged("who", "cat", texts) for texts in wrong]
        with pytest.raises(InputError, match="wrong passages; expected as many for all, at least 1"):
            train_reranker(reranker, examples, recipe=SentenceTraining(), progress=False)
