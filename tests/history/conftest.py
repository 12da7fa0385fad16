"""A small language that every ancestor can learn, and small ancestors."""

import numpy as np
import pytest

from bertlib.config import BertConfig
from bertlib.history import (
    BiLSTMLanguageModel,
    CausalTransformer,
    LSTMLanguageModel,
    MaskedTransformer,
    NGramModel,
    Training,
)

V, BEGIN, END = 29, 2, 3
CONFIG = BertConfig(
    vocab_size=V,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=32,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)


def phrases(rows, seed):
    """Rows of three phrases of four words: the first is any of six, the others follow from it."""
    rng = np.random.default_rng(seed)
    known = 5 + np.arange(24).reshape(6, 4)
    return [np.array([BEGIN, *known[rng.integers(0, 6, 3)].ravel(), END]) for _ in range(rows)]


def make(name, seed=0, **recipe):
    """Build an ancestor of the size of a toy."""
    training = Training(**{"epochs": 12, "learning_rate": 3e-2, "seed": seed} | recipe)
    return {
        "ngram": lambda: NGramModel(V, 3),
        "lstm": lambda: LSTMLanguageModel(V, size=16, dropout=0.0, window=8, training=training),
        "bilstm": lambda: BiLSTMLanguageModel(V, size=16, dropout=0.0, training=training),
        "causal": lambda: CausalTransformer(CONFIG, training=training),
        "masked": lambda: MaskedTransformer(CONFIG, training=training),
    }[name]()


@pytest.fixture(scope="session")
def corpus():
    return phrases(160, seed=1)


@pytest.fixture(scope="session")
def held_out():
    return phrases(20, seed=2)


@pytest.fixture(scope="session")
def fitted(corpus):
    """Return the fitted ancestor of a name; each is fitted once."""
    made = {}

    def get(name):
        if name not in made:
            made[name] = make(name).fit(corpus)
        return made[name]

    return get


@pytest.fixture(name="make")
def make_fixture():
    return make
