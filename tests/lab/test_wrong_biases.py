"""Wrong answers about biases: divided with the scores, not negative enough, NaN; and tests that meet NaN."""

import math

import pytest
import torch

from bertlib.lab import examine


def bias_first(q, k, v, bias=None):
    scores = q @ k.transpose(-2, -1)
    weights = ((scores if bias is None else scores + bias) / math.sqrt(q.shape[-1])).softmax(-1)
    return weights @ v, weights


def bias_as_a_mask(q, k, v, bias=None):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    weights = (scores if bias is None else scores.masked_fill(bias < 0, -1e9)).softmax(-1)
    return weights @ v, weights


def a_hundred(attention_mask):
    return (1.0 - attention_mask[:, None, None]) * -100


def zero_times_infinity(attention_mask):
    return (1 - attention_mask[:, None, None]) * float("-inf")


def a_hundred_later(length):
    return torch.ones(1, 1, length, length).triu(1) * -100


def infinite_triangle(length):
    return (1 - torch.ones(1, 1, length, length).tril()) * float("-inf")


def hides_with_infinity(module):
    length, width = module.num_heads + 2, module.query.in_features
    hidden = torch.randn(1, length, width)
    bias = torch.zeros(1, 1, 1, length)
    bias[..., -1] = -torch.inf

    def moved(j, bias=None):
        other = hidden.clone()
        other[0, j] += 1
        change = module(other, bias)[0] - module(hidden, bias)[0]
        return change[0].abs().amax(dim=-1) > 1e-6

    connected = all(moved(j).all() for j in range(length))
    return bool(connected and not moved(length - 1, bias)[:-1].any())


def rejects_many_heads(module):
    return module.num_heads < 5


WRONG = [
    ("attention", bias_first, "the bias was divided by the root"),
    ("attention", bias_as_a_mask, "read as a mask"),
    ("padding-bias", a_hundred, "not negative enough"),
    ("padding-bias", zero_times_infinity, "0 times infinity"),
    ("causal-bias", a_hundred_later, "not negative enough"),
    ("causal-bias", infinite_triangle, "0 times infinity"),
    ("visibility-test", hides_with_infinity, "the column was hidden with minus infinity"),
    ("visibility-test", rejects_many_heads, "expected 5 heads: sound, came 5 heads: wrong"),
]


@pytest.mark.parametrize(("name", "wrong", "words"), WRONG, ids=[wrong.__name__ for _, wrong, _ in WRONG])
def test_it_is_rejected_and_explained(name, wrong, words):
    report = examine(name, wrong)
    assert report.status == "wrong", report.text
    assert words in " ".join(report.text.split()), report.text


@pytest.mark.parametrize("low", [-1e4, -1e9, torch.finfo(torch.float32).min])
def test_any_large_number_will_do_for_the_triangle(low):
    report = examine("causal-bias", lambda length: torch.ones(1, 1, length, length).triu(1) * low)
    assert report.status == "right", report.text


def test_verdicts_stand_one_below_the_other():
    lines = examine("visibility-test", rejects_many_heads).text.splitlines()
    assert "  expected   module: verdict" in lines
    assert sum(line.strip() == "2 heads: sound" for line in lines) == 2
