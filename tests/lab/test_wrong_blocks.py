"""Wrong answers of *Encoder blocks* as readers write them, from their own code rather than from the check's imitations."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bertlib.lab import examine
from bertlib.model import FeedForward, MultiHeadSelfAttention, TransformerBlock
from bertlib.model.bert import Pooler


def std_of_a_sample(x, weight, bias, eps=1e-12):
    return (x - x.mean(-1, keepdim=True)) / (x.std(-1, keepdim=True) + eps) * weight + bias


def batch_norm(x, weight, bias, eps=1e-12):
    flat = x.reshape(-1, x.shape[-1])
    mean, variance = flat.mean(0), flat.var(0, correction=0)
    return (x - mean) / (variance + eps).sqrt() * weight + bias


def no_eps(x, weight, bias, eps=1e-12):
    centred = x - x.mean(-1, keepdim=True)
    return centred / centred.pow(2).mean(-1, keepdim=True).sqrt() * weight + bias


def gelu_of_openai(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def relu(x):
    return x.clamp(min=0)


def weights_only(vocab, positions, layers, hidden, inner):
    return (vocab + positions + 2) * hidden + layers * (4 * hidden**2 + 2 * hidden * inner) + hidden**2


def always_4h(vocab, positions, layers, hidden, inner):
    square, norm, inner = hidden * hidden + hidden, 2 * hidden, 4 * hidden
    thinking = hidden * inner + inner + inner * hidden + hidden
    tables = (vocab + positions + 2) * hidden + norm
    return tables + layers * (4 * square + thinking + 2 * norm) + square


def one_word_too_many(vocab, positions, layers, hidden, inner):
    return always_4h(vocab + 1, positions, layers, hidden, inner)


def three_squares_only(vocab, positions, layers, hidden, inner):
    square = hidden * hidden + hidden
    block = 3 * square + 2 * hidden * inner + inner + hidden + 4 * hidden
    return (vocab + positions + 2) * hidden + 2 * hidden + layers * block + square


class ReluFeedForward(FeedForward):
    def forward(self, hidden):
        return self.output(F.relu(self.inner(hidden)))


class BaseOnly(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.inner = nn.Linear(768, 3072)
        self.output = nn.Linear(3072, 768)

    def forward(self, hidden):
        return self.output(F.gelu(self.inner(hidden)))


class FourTimes(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.inner = nn.Linear(config.hidden_size, 4 * config.hidden_size)
        self.output = nn.Linear(4 * config.hidden_size, config.hidden_size)

    def forward(self, hidden):
        return self.output(F.gelu(self.inner(hidden)))


class OtherLayerNames(nn.Module):
    def __init__(self, config):
        super().__init__()
        sizes = config.hidden_size, config.intermediate_size
        self.net = nn.Sequential(nn.Linear(*sizes), nn.GELU(), nn.Linear(*reversed(sizes)))

    def forward(self, hidden):
        return self.net(hidden)


class FirstText(Pooler):
    def forward(self, hidden):
        return torch.tanh(self.dense(hidden[0]))


class MeanPooler(Pooler):
    def forward(self, hidden):
        return torch.tanh(self.dense(hidden)).mean(dim=1)


class PlainBlock(nn.Module):
    def __init__(self, config, *, attention=MultiHeadSelfAttention):
        super().__init__()
        self.attention = attention(config)
        self.attention_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.feed_forward = FeedForward(config)
        self.feed_forward_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)


class PreNormBlock(PlainBlock):
    def forward(self, hidden, bias=None, *, need_weights=False):
        mixed, weights = self.attention(self.attention_norm(hidden), bias, need_weights=need_weights)
        hidden = hidden + self.dropout(mixed)
        return hidden + self.dropout(self.feed_forward(self.feed_forward_norm(hidden))), weights


class NoResidual(PlainBlock):
    def forward(self, hidden, bias=None, *, need_weights=False):
        mixed, weights = self.attention(hidden, bias, need_weights=need_weights)
        hidden = self.attention_norm(self.dropout(mixed))
        return self.feed_forward_norm(self.dropout(self.feed_forward(hidden))), weights


class SecondResidualFromTheStart(PlainBlock):
    def forward(self, hidden, bias=None, *, need_weights=False):
        mixed, weights = self.attention(hidden, bias, need_weights=need_weights)
        middle = self.attention_norm(hidden + self.dropout(mixed))
        return self.feed_forward_norm(hidden + self.dropout(self.feed_forward(middle))), weights


class OneNorm(PlainBlock):
    def forward(self, hidden, bias=None, *, need_weights=False):
        mixed, weights = self.attention(hidden, bias, need_weights=need_weights)
        hidden = self.attention_norm(hidden + self.dropout(mixed))
        return self.attention_norm(hidden + self.dropout(self.feed_forward(hidden))), weights


class DropoutLast(PlainBlock):
    def forward(self, hidden, bias=None, *, need_weights=False):
        mixed, weights = self.attention(hidden, bias, need_weights=need_weights)
        hidden = self.dropout(self.attention_norm(hidden + mixed))
        return self.dropout(self.feed_forward_norm(hidden + self.feed_forward(hidden))), weights


class HalfDropout(PlainBlock):
    def forward(self, hidden, bias=None, *, need_weights=False):
        mixed, weights = self.attention(hidden, bias, need_weights=need_weights)
        hidden = self.attention_norm(hidden + self.dropout(mixed))
        return self.feed_forward_norm(hidden + self.feed_forward(hidden)), weights


class DefaultEps(TransformerBlock):
    def __init__(self, config, *, attention=MultiHeadSelfAttention):
        super().__init__(config, attention=attention)
        self.attention_norm = nn.LayerNorm(config.hidden_size)
        self.feed_forward_norm = nn.LayerNorm(config.hidden_size)


class DropoutNeverStops(TransformerBlock):
    def forward(self, hidden, bias=None, *, need_weights=False):
        mixed, weights = self.attention(hidden, bias, need_weights=need_weights)
        hidden = self.attention_norm(hidden + F.dropout(mixed, 0.1))
        return self.feed_forward_norm(hidden + F.dropout(self.feed_forward(hidden), 0.1)), weights


class OwnAttention(TransformerBlock):
    def __init__(self, config, *, attention=MultiHeadSelfAttention):
        super().__init__(config, attention=MultiHeadSelfAttention)


class NoPair(TransformerBlock):
    def forward(self, hidden, bias=None, *, need_weights=False):
        return super().forward(hidden, bias)[0]


class OtherNames(nn.Module):
    def __init__(self, config, *, attention=MultiHeadSelfAttention):
        super().__init__()
        self.attn = attention(config)
        self.norm1 = self.norm2 = nn.LayerNorm(config.hidden_size)

    def forward(self, hidden, bias=None, *, need_weights=False):
        return self.norm1(hidden + self.attn(hidden, bias)[0]), None


WRONG = {
    "layer-norm": [std_of_a_sample, batch_norm, no_eps],
    "gelu": [gelu_of_openai, relu],
    "count-parameters": [weights_only, always_4h, one_word_too_many, three_squares_only],
    "feed-forward": [ReluFeedForward, BaseOnly, FourTimes, OtherLayerNames],
    "pooler": [FirstText, MeanPooler],
    "encoder-block": [
        PreNormBlock,
        NoResidual,
        SecondResidualFromTheStart,
        OneNorm,
        DropoutLast,
        HalfDropout,
        DefaultEps,
        DropoutNeverStops,
        OwnAttention,
        NoPair,
        OtherNames,
    ],
}
CASES = [(name, wrong) for name, answers in WRONG.items() for wrong in answers]


@pytest.mark.parametrize(("name", "wrong"), CASES, ids=[wrong.__name__ for _, wrong in CASES])
def test_it_is_rejected(name, wrong):
    report = examine(name, wrong)
    assert report.status in ("wrong", "error"), report.text
    assert "tried" in report.text


@pytest.mark.parametrize(
    ("name", "wrong", "words"),
    [
        ("layer-norm", std_of_a_sample, "divided by H - 1"),
        ("gelu", gelu_of_openai, "formula with tanh"),
        ("count-parameters", three_squares_only, "output projection is missing"),
        ("feed-forward", OtherLayerNames, "no nn.Linear called inner"),
        ("encoder-block", DefaultEps, "not config.layer_norm_eps"),
        ("encoder-block", DropoutNeverStops, "dropout goes on"),
        ("encoder-block", OwnAttention, "attention handed over was not used"),
        ("encoder-block", PreNormBlock, "pre-LN"),
        ("encoder-block", NoResidual, "residual is missing"),
        ("encoder-block", OneNorm, "both steps use one norm"),
        ("encoder-block", DropoutLast, "dropout comes after the norm"),
        ("encoder-block", OtherNames, "no part called attention"),
    ],
)
def test_it_is_explained(name, wrong, words):
    assert words in " ".join(examine(name, wrong).text.split())


def test_the_library_passes_as_a_reader_would():
    for name, right in (
        ("feed-forward", FeedForward),
        ("pooler", Pooler),
        ("encoder-block", TransformerBlock),
    ):
        assert examine(name, right).status == "right", examine(name, right).text
