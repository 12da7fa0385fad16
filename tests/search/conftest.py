"""A body and a vocabulary small enough for every test."""

from __future__ import annotations

import pytest
import torch

from bertlib.config import BertConfig
from bertlib.model import BertModel
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.variants.sentence import SentenceEncoder

WORDS = ["who", "cat", "dog", "fox", "hen", "sat", "ran", "sang", "slept", "home", "sun", "moon", "the", "."]


@pytest.fixture
def tokenizer():
    return WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])


@pytest.fixture
def make_body(tokenizer):
    def make(seed=0):
        torch.manual_seed(seed)
        config = BertConfig(
            vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=32, max_position_embeddings=16, initializer_range=0.2, hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )  # fmt: skip
        return BertModel(config).eval()

    return make


@pytest.fixture
def encoder(make_body, tokenizer):
    return SentenceEncoder(make_body(), tokenizer)
