"""Wrong answers on attention as readers write them, among them mistakes 1 to 5 of the code clinic."""

import math

import pytest
import torch
from torch import nn

from bertlib.lab import examine
from bertlib.lab.exercises.attention_module import config_of
from bertlib.lab.exercises.attention_visibility import KINDS, SOUND, Suspect


def no_scaling(q, k, v, bias=None):
    scores = q @ k.transpose(-2, -1)
    weights = (scores if bias is None else scores + bias).softmax(-1)
    return weights @ v, weights


def plain_t(q, k, v, bias=None):
    weights = torch.softmax(q @ k.transpose(0, 1) / math.sqrt(q.shape[-1]), dim=-1)
    return weights @ v, weights


def first_axis(q, k, v, bias=None):
    weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(k.shape[-1]), dim=0)
    return weights @ v, weights


def multiplied(q, k, v, bias=None):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    weights = (scores if bias is None else scores * (bias == 0)).softmax(-1)
    return weights @ v, weights


def only_mixed(q, k, v, bias=None):
    return (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1) @ v


def infinite(attention_mask):
    return torch.where(attention_mask[:, None, None, :] == 1, 0.0, -torch.inf)


def zero_times_infinity(attention_mask):
    return (1 - attention_mask[:, None, None, :].float()) * float("-inf")


def two_axes(attention_mask):
    return (1.0 - attention_mask) * -1e9


def three_axes(attention_mask):
    return ((1.0 - attention_mask) * -1e9)[:, None]


def along_the_heads(attention_mask):
    return ((1.0 - attention_mask) * -1e9)[:, :, None, None]


def ones_are_hidden(attention_mask):
    return attention_mask[:, None, None, :] * -1e9


def not_itself(length):
    return torch.ones(length, length).triu().mul(-1e9)[None, None]


def sees_the_future(length):
    return torch.ones(length, length).tril(-1).mul(-1e9)[None, None]


def flat(length):
    return torch.ones(length, length).triu(1).mul(-1e9)


def poured(x, heads):
    return x.view(x.shape[0], heads, x.shape[1], x.shape[2] // heads)


def not_transposed(x, heads):
    return x.view(x.shape[0], x.shape[1], heads, x.shape[2] // heads)


def rounded_down(x, heads):
    size = x.shape[2] // heads
    return torch.stack([x[:, :, h * size : (h + 1) * size] for h in range(heads)], dim=1)


def stacked_last(x, heads):
    return torch.stack(x.chunk(heads, dim=-1), dim=-1)


def straight_back(x):
    return x.reshape(x.shape[0], x.shape[2], x.shape[1] * x.shape[3])


def heads_summed(x):
    return x.sum(dim=1)


def width_first(x):
    return x.transpose(1, 3).flatten(2)


class Base(nn.Module):
    """A right module in which the wrong ones change one method."""

    def __init__(self, config):
        super().__init__()
        self.heads = config.num_attention_heads
        self.query, self.key, self.value, self.output = (
            nn.Linear(config.hidden_size, config.hidden_size) for _ in range(4)
        )
        self.dropout = nn.Dropout(config.attention_probs_dropout_prob)

    def split(self, x):
        return x.view(*x.shape[:2], self.heads, -1).transpose(1, 2)

    def merge(self, x):
        return x.transpose(1, 2).flatten(2)

    def weigh(self, scores, bias):
        return (scores if bias is None else scores + bias).softmax(-1)

    def forward(self, hidden, bias=None, *, need_weights=False):
        q, k, v = (self.split(layer(hidden)) for layer in (self.query, self.key, self.value))
        weights = self.weigh(q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]), bias)
        mixed = self.output(self.merge(self.dropout(weights) @ v))
        return mixed, weights if need_weights else None


class MissingTranspose(Base):
    def split(self, x):
        return x.view(*x.shape[:2], self.heads, -1)

    def merge(self, x):
        return x.transpose(1, 2).reshape(x.shape[0], -1, self.output.in_features)


class PouredIn(Base):
    def split(self, x):
        return x.view(x.shape[0], self.heads, x.shape[1], -1)


class PouredOut(Base):
    def merge(self, x):
        return x.reshape(x.shape[0], x.shape[2], -1)


class OverTheHeads(Base):
    def weigh(self, scores, bias):
        return (scores if bias is None else scores + bias).softmax(1)


class HidesNothing(Base):
    def weigh(self, scores, bias):
        return scores.softmax(-1)


class DropsTheResult(Base):
    def forward(self, hidden, bias=None, *, need_weights=False):
        mixed, weights = super().forward(hidden, bias, need_weights=True)
        return mixed, weights


class OneMatrix(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.qkv = nn.Linear(config.hidden_size, 3 * config.hidden_size)
        self.output = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(self, hidden, bias=None, *, need_weights=False):
        q, k, v = self.qkv(hidden).chunk(3, dim=-1)
        weights = (q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])).softmax(-1)
        return self.output(weights @ v), weights


def shapes_agree(module):
    x = torch.randn(2, 4, module.query.in_features)
    return module(x)[0].shape == x.shape


def jacobian_of(module, length, bias=None):
    x = torch.randn(1, length, module.query.in_features)
    jacobian = torch.autograd.functional.jacobian(lambda y: module(y, bias)[0], x)
    return jacobian[0, :, :, 0].abs().amax((1, 3)) > 1e-9


def jacobian_at_five(module):
    return bool(jacobian_of(module, 5).all())


def jacobian_at_a(module):
    return bool(jacobian_of(module, module.num_heads).all())


def rows_sum_to_one(module):
    weights = module(torch.randn(1, 4, module.query.in_features), need_weights=True)[1]
    return torch.allclose(weights.sum(-1), torch.ones(()))


def gradient_arrives(module):
    x = torch.randn(1, 4, module.query.in_features, requires_grad=True)
    module(x)[0].sum().backward()
    return bool((x.grad != 0).all())


WRONG = {
    "attention": [no_scaling, plain_t, first_axis, multiplied, only_mixed],
    "padding-bias": [infinite, zero_times_infinity, two_axes, three_axes, along_the_heads, ones_are_hidden],
    "causal-bias": [not_itself, sees_the_future, flat],
    "split-heads": [poured, not_transposed, rounded_down, stacked_last],
    "merge-heads": [straight_back, heads_summed, width_first],
    "self-attention": [
        MissingTranspose,
        PouredIn,
        PouredOut,
        OverTheHeads,
        HidesNothing,
        DropsTheResult,
        OneMatrix,
    ],
    "visibility-test": [
        shapes_agree,
        jacobian_at_five,
        jacobian_at_a,
        rows_sum_to_one,
        gradient_arrives,
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
        ("attention", no_scaling, "not divided by the square root"),
        ("padding-bias", infinite, "minus infinity"),
        ("padding-bias", along_the_heads, "axis of the heads"),
        ("split-heads", poured, "poured into"),
        ("split-heads", rounded_down, "d was rounded down"),
        ("merge-heads", straight_back, "no transpose"),
        ("self-attention", MissingTranspose, "not columns"),
        ("self-attention", PouredOut, "columns are mixed up"),
        ("self-attention", HidesNothing, "the bias is not used"),
        ("visibility-test", shapes_agree, "only the shape"),
        ("visibility-test", jacobian_at_five, "never hides anybody"),
    ],
)
def test_the_usual_ones_are_named(name, wrong, words):
    assert words in " ".join(examine(name, wrong).text.split())


def test_the_right_one_passes():
    assert examine("self-attention", Base).status == "right"


@pytest.mark.parametrize("fill", [-1e4, -1e9, torch.finfo(torch.float32).min])
def test_any_large_number_will_do(fill):
    report = examine("padding-bias", lambda mask: (1.0 - mask[:, None, None, :]) * fill)
    assert report.status == "right", report.text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("heads", [2, 3, 5])
def test_every_suspect_has_the_right_shape(kind, heads):
    width = config_of(heads).hidden_size
    bias = torch.zeros(2, 1, 1, 5)
    mixed, weights = Suspect(kind, heads)(torch.randn(2, 5, width), bias, need_weights=True)
    assert mixed.shape == (2, 5, width)
    assert weights is not None


def test_the_trap_is_a_trap():
    """As many columns as heads: without its transpose every column still reaches every other."""
    module = Suspect("a split without its transpose", 5)
    assert jacobian_of(module, 5).all()
    assert not jacobian_of(module, 6).all()
    assert jacobian_of(Suspect(SOUND, 5), 6).all()
