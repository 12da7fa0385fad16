"""Dropout in the wrong place, or with the wrong probability: both checks tell where they found it."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.lab import examine


class Attention(nn.Module):
    """A right module with one method for each place where somebody might drop something."""

    def __init__(self, config):
        super().__init__()
        self.heads = config.num_attention_heads
        self.query, self.key, self.value, self.output = (
            nn.Linear(config.hidden_size, config.hidden_size) for _ in range(4)
        )
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def forward(self, hidden, bias=None, *, need_weights=False):
        layers = self.query, self.key, self.value
        split = (layer(hidden).unflatten(-1, (self.heads, -1)).transpose(1, 2) for layer in layers)
        mixed, weights = self.mix(*split, bias)
        mixed = self.last(self.output(mixed.transpose(1, 2).flatten(2)))
        return mixed, weights if need_weights else None

    def weigh(self, q, k, bias):
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
        return (scores if bias is None else scores + bias).softmax(-1)

    def mix(self, q, k, v, bias):
        weights = self.weigh(q, k, bias)
        return self.dropout(weights) @ v, weights

    def last(self, mixed):
        return mixed


class OneName(Attention):
    def mix(self, q, k, v, bias):
        weights = self.dropout(self.weigh(q, k, bias))
        return weights @ v, weights


class OnTheOutput(Attention):
    def mix(self, q, k, v, bias):
        weights = self.weigh(q, k, bias)
        return weights @ v, weights

    def last(self, mixed):
        return self.dropout(mixed)


class OnBoth(Attention):
    def last(self, mixed):
        return self.dropout(mixed)


class OnTheMixed(Attention):
    def mix(self, q, k, v, bias):
        weights = self.weigh(q, k, bias)
        return self.dropout(weights @ v), weights


class OnTheValues(Attention):
    def mix(self, q, k, v, bias):
        weights = self.weigh(q, k, bias)
        return weights @ self.dropout(v), weights


class BeforeTheSoftmax(Attention):
    def mix(self, q, k, v, bias):
        weights = self.weigh(self.dropout(q), k, bias)
        return weights @ v, weights


class ATenth(Attention):
    def __init__(self, config):
        super().__init__(config)
        self.dropout = nn.Dropout(0.1)


class TheOtherOne(Attention):
    def __init__(self, config):
        super().__init__(config)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)


class NeverRests(Attention):
    def mix(self, q, k, v, bias):
        weights = self.weigh(q, k, bias)
        return F.dropout(weights, self.dropout.p) @ v, weights


class NoVectors(Attention):
    def __init__(self, config):
        super().__init__(config)
        for layer in (self.query, self.key, self.value, self.output):
            layer.bias = None


class Fused(Attention):
    """Right: PyTorch's kernel, told itself when to rest."""

    def mix(self, q, k, v, bias):
        p = self.dropout.p if self.training else 0.0
        return F.scaled_dot_product_attention(q, k, v, bias, p), self.weigh(q, k, bias)


class Embedding(nn.Module):
    def __init__(self, config: BertConfig) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=0)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.LayerNorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, ids, kinds):
        if ids.shape[1] > self.position_embeddings.num_embeddings:
            raise ValueError("too long")
        places = self.position_embeddings(torch.arange(ids.shape[1]))
        return self.end(self.word_embeddings(ids) + self.token_type_embeddings(kinds) + places)

    def end(self, total):
        return self.dropout(self.LayerNorm(total))


class EmbeddingATenth(Embedding):
    def __init__(self, config):
        super().__init__(config)
        self.dropout = nn.Dropout(0.1)


class DropThenNorm(Embedding):
    def end(self, total):
        return self.LayerNorm(self.dropout(total))


class UsualEps(Embedding):
    def __init__(self, config):
        super().__init__(config)
        self.LayerNorm = nn.LayerNorm(config.hidden_size)


class TwoKinds(Embedding):
    def __init__(self, config):
        super().__init__(config)
        self.token_type_embeddings = nn.Embedding(2, config.hidden_size)


class OtherNames(Embedding):
    def __init__(self, config):
        super().__init__(config)
        self.kinds, self.token_type_embeddings = self.token_type_embeddings, None

    def forward(self, ids, kinds):
        places = self.position_embeddings(torch.arange(ids.shape[1]))
        return self.end(self.word_embeddings(ids) + self.kinds(kinds) + places)


class DropsInEval(Embedding):
    def end(self, total):
        return F.dropout(self.LayerNorm(total), self.dropout.p)


WRONG = [
    ("self-attention", OneName, "came back from after the dropout"),
    ("self-attention", OnTheOutput, "dropout falls on the output"),
    ("self-attention", OnBoth, "on the output"),
    ("self-attention", OnTheMixed, "or on what was mixed of them"),
    ("self-attention", OnTheValues, "dropout falls on the values"),
    ("self-attention", BeforeTheSoftmax, "dropout comes before the softmax"),
    ("self-attention", ATenth, "a probability of its own"),
    ("self-attention", TheOtherOne, "a probability of its own"),
    ("self-attention", NeverRests, "two calls in eval() gave two results"),
    ("self-attention", NoVectors, "no bias vectors"),
    ("input-embedding", EmbeddingATenth, "a probability of its own"),
    ("input-embedding", DropThenNorm, "dropout comes before the norm"),
    ("input-embedding", UsualEps, "an eps of its own"),
    ("input-embedding", TwoKinds, "type_vocab_size need not be 2"),
    ("input-embedding", OtherNames, "(12, 8), came kinds (2, 8)"),
    ("input-embedding", DropsInEval, "two calls in eval() gave two results"),
]


@pytest.mark.parametrize(("name", "wrong", "words"), WRONG, ids=[wrong.__name__ for _, wrong, _ in WRONG])
def test_it_is_rejected_and_explained(name, wrong, words):
    report = examine(name, wrong)
    assert report.status in ("wrong", "error"), report.text
    assert words in " ".join(report.text.split()), report.text


RIGHT = [("self-attention", Attention), ("self-attention", Fused), ("input-embedding", Embedding)]


@pytest.mark.parametrize(("name", "right"), RIGHT, ids=[right.__name__ for _, right in RIGHT])
def test_the_right_ones_pass(name, right):
    report = examine(name, right)
    assert report.status == "right", report.text
