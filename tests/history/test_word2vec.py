"""Words that keep the same company must come out alike; and what is drawn must be drawn as the paper says."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from bertlib.errors import ConfigError, CorpusError, InputError, TrainingError
from bertlib.history import Training, Word2Vec, Word2VecConfig, WordVectors
from bertlib.history.word2vec import Text, draw, windows

V = 26
QUICK = Training(epochs=8, batch_size=128, learning_rate=3e-2, weight_decay=0.0)


@pytest.fixture(scope="module")
def company():
    """Pairs (2, 3), (4, 5) … (12, 13) are never neighbours, but each pair has two words of its own around it."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(400):
        pair, which, side = rng.integers(6), rng.integers(2), rng.integers(2)
        word, friends = 2 + 2 * pair + which, (14 + 2 * pair, 15 + 2 * pair)
        rows.append(np.array([0, friends[side], word, friends[1 - side], 1]))
    return rows


@pytest.mark.parametrize("cbow", [False, True])
def test_words_of_the_same_company_are_found(cbow, company):
    config = Word2VecConfig(size=16, window=1, cbow=cbow, subsample=1.0)
    model = Word2Vec(V, config, training=QUICK).fit(company)
    vectors = WordVectors([str(i) for i in range(V)], model.vectors)
    for word in range(2, 14):
        assert vectors.nearest(str(word), top=1)[0].word == str(word ^ 1)


def test_it_has_no_perplexity():
    assert not hasattr(Word2Vec(V), "perplexity")


def test_a_seed_decides_all(company):
    config, once = Word2VecConfig(size=8), {"epochs": 1, "weight_decay": 0.0}
    first, again, other = (
        Word2Vec(V, config, training=Training(seed=seed, **once)).fit(company[:50]).vectors
        for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_first_loss_is_known():
    """All context vectors are 0: every pair costs ln 2, the true one and five false ones."""
    text = Text.of([np.arange(10)], Word2VecConfig(subsample=1.0), 10, torch.device("cpu"))
    for cbow in (False, True):
        model = Word2Vec(10, Word2VecConfig(cbow=cbow, subsample=1.0))
        loss = model.loss(text, torch.arange(10), torch.Generator().manual_seed(0))
        assert loss.item() == pytest.approx(6 * np.log(2), rel=1e-5)


def test_chances_by_hand():
    """Counts 16 and 1: to the power 3/4 they are 8 and 1. Shares 16/17 and 1/17: kept with sqrt(t / share)."""
    row = np.array([1] * 16 + [2])
    text = Text.of([row], Word2VecConfig(subsample=4 / 17), 4, torch.device("cpu"))
    assert text.noise.tolist() == pytest.approx([0, 8 / 9, 1, 1])
    assert text.keep.tolist() == pytest.approx([1, 1 / 2, 1, 1])
    drawn = draw(text.noise, (900, 10), torch.Generator().manual_seed(0))
    assert (drawn == 1).float().mean().item() == pytest.approx(8 / 9, abs=0.02)
    assert set(drawn.unique().tolist()) == {1, 2}


def test_windows_end_with_the_row_and_reach_less_far_than_they_may():
    rows = [np.array([0, 1, 2]), np.array([3, 4])]
    text = Text.of(rows, Word2VecConfig(subsample=1.0), 5, torch.device("cpu"))
    contexts, kept = windows(text, torch.arange(5), 1, torch.Generator().manual_seed(0))
    found = [contexts[i][kept[i]].tolist() for i in range(5)]
    assert found == [[1], [0, 2], [1], [4], [3]]
    many = torch.full((4000,), 1)
    contexts, kept = windows(text, torch.zeros_like(many), 2, torch.Generator().manual_seed(0))
    assert kept[:, 2].all()  # the nearest word always, the one after it in every second window
    assert kept[:, 3].float().mean().item() == pytest.approx(1 / 2, abs=0.03)


def test_analogy_on_planted_vectors():
    """King - man + woman in two numbers: who rules, and what one is."""
    table = np.array([[1, 1], [1, -1], [0.1, 1], [0.1, -1], [-1, 0.2]])
    vectors = WordVectors(["king", "queen", "man", "woman", "stone"], table)
    assert vectors.analogy("man", "king", "woman", top=1)[0].word == "queen"
    assert vectors.nearest("king", top=1)[0].word == "man"
    assert vectors.nearest("king", top=9)[-1].word != "king"
    assert vectors.nearest("man", top=1)[0].cosine == pytest.approx(1.1 / np.sqrt(2 * 1.01))


def test_what_cannot_be_asked(company):
    with pytest.raises(TrainingError, match="has learned nothing yet"):
        _ = Word2Vec(V).vectors
    with pytest.raises(CorpusError, match="the corpus is empty"):
        Word2Vec(V).fit([])
    with pytest.raises(InputError, match="row 0 has the id 25; expected 0 to 24"):
        Word2Vec(25).fit([np.array([0, 25])])
    with pytest.raises(InputError, match="there is no vector for 'unicorn'"):
        WordVectors(["a"], np.ones((1, 2))).nearest("unicorn")
    with pytest.raises(InputError, match="1 words for 2 vectors"):
        WordVectors(["a"], np.ones((2, 2)))
    with pytest.raises(ConfigError, match="expected at least 1 of each"):
        Word2VecConfig(window=0)
