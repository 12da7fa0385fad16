"""Wrong answers to *Looking inside* as readers write them, from their own code rather than from the check's."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from bertlib.lab import examine


def naive_logarithm(weights):
    return -torch.sum(weights * torch.log(weights), dim=-1).mean(dim=-1)


def one_number_for_all_heads(weights):
    return torch.special.entr(weights).sum(-1).mean()


def entropy_of_the_mean_row(weights):
    return torch.special.entr(weights.mean(1)).sum(-1)


def small_number_added(weights):
    return -(weights * (weights + 0.01).log()).sum(-1).mean(-1)


def upper_diagonal(weights):
    return weights.diagonal(1, 1, 2).mean(-1)


def diagonal_of_the_heads(weights):
    return weights.diagonal(-1).mean(-1)


def trace_below_over_length(weights):
    return torch.stack([torch.trace(head[1:, :-1]) for head in weights]) / weights.shape[1]


def wrapping_index(weights):
    length = weights.shape[1]
    return sum(weights[:, i, i - 1] for i in range(length)) / length


def rows_of_the_separators(weights, ids, sep_id):
    return weights[:, ids == sep_id, :].mean((1, 2))


def first_separator_only(weights, ids, sep_id):
    return weights[:, :, ids.tolist().index(sep_id)].mean(1)


def last_column(weights, ids, sep_id):
    return weights[:, :, -1].mean(1)


def equal_ids(weights, ids, words):
    same = (ids[:, None] == ids).float()
    return (weights * same).sum(-1).mean(-1)


def marks_included(weights, ids, words):
    same = (ids[:, None] == ids).float()
    same.fill_diagonal_(0)
    return (weights * same).sum(-1)[:, same.any(-1)].mean(-1)


def nothing_to_find(weights, ids, words):
    same = (ids[:, None] == ids) & words
    same.fill_diagonal_(False)
    return (weights * same).sum(-1)[:, same.any(-1)].mean(-1)


def mean_instead_of_sum(weights, ids, words):
    same = ((ids[:, None] == ids) & words).fill_diagonal_(False)
    if not same.any():
        return torch.zeros(len(weights))
    return torch.stack([head[same].mean() for head in weights])


def first_piece(hidden, tokens, start):
    return hidden[start]


def added_pieces(hidden, tokens, start):
    end = start + 1
    while end < len(tokens) and tokens[end].startswith("##"):
        end += 1
    return hidden[start:end].sum(0)


def runs_off_the_end(hidden, tokens, start):
    end = start + 1
    while tokens[end].startswith("##"):
        end += 1
    return hidden[start:end].mean(0)


def mean_over_width(hidden, tokens, start):
    end = start + 1
    while end < len(tokens) and tokens[end].startswith("##"):
        end += 1
    return hidden[start:end].mean(1)


def no_bias(vectors, labels, classes, strength):
    targets = F.one_hot(labels, classes).to(vectors.dtype)
    eye = torch.eye(vectors.shape[1], dtype=vectors.dtype)
    return torch.linalg.solve(vectors.T @ vectors + strength * eye, vectors.T @ targets)


def ones_in_front(vectors, labels, classes, strength):
    inputs = torch.cat([torch.ones(len(vectors), 1, dtype=vectors.dtype), vectors], 1)
    targets = F.one_hot(labels, classes).to(vectors.dtype)
    eye = torch.eye(inputs.shape[1], dtype=vectors.dtype)
    return torch.linalg.solve(inputs.T @ inputs + strength * eye, inputs.T @ targets)


def strength_everywhere(vectors, labels, classes, strength):
    inputs = torch.cat([vectors, torch.ones(len(vectors), 1, dtype=vectors.dtype)], 1)
    targets = F.one_hot(labels, classes).to(vectors.dtype)
    return torch.linalg.solve(inputs.T @ inputs + strength, inputs.T @ targets)


def least_squares_only(vectors, labels, classes, strength):
    inputs = torch.cat([vectors, torch.ones(len(vectors), 1, dtype=vectors.dtype)], 1)
    return torch.linalg.lstsq(inputs, F.one_hot(labels, classes).to(vectors.dtype)).solution


def accuracy_alone(ids, guesses, labels, control_guesses, control_table):
    return (guesses == labels).float().mean()


def a_ratio(ids, guesses, labels, control_guesses, control_table):
    task, control = (guesses == labels), (control_guesses == control_table[ids])
    return (task.float().mean() / control.float().mean()).item()


def a_label_for_each_place(ids, guesses, labels, control_guesses, control_table):
    control = control_table[torch.arange(len(ids))]
    return float((guesses == labels).float().mean() - (control_guesses == control).float().mean())


def in_numpy_with_counts(ids, guesses, labels, control_guesses, control_table):
    task, control = (
        np.sum((guesses == labels).numpy()),
        np.sum((control_guesses == control_table[ids]).numpy()),
    )
    return int(task - control)


WRONG = {
    "attention-entropy": [
        naive_logarithm, one_number_for_all_heads, entropy_of_the_mean_row, small_number_added,
    ],
    "previous-token-score": [
        upper_diagonal, diagonal_of_the_heads, trace_below_over_length, wrapping_index,
    ],
    "separator-score": [rows_of_the_separators, first_separator_only, last_column],
    "same-word-score": [equal_ids, marks_included, nothing_to_find, mean_instead_of_sum],
    "word-vector": [first_piece, added_pieces, runs_off_the_end, mean_over_width],
    "linear-probe": [no_bias, ones_in_front, strength_everywhere, least_squares_only],
    "selectivity": [accuracy_alone, a_ratio, a_label_for_each_place, in_numpy_with_counts],
}  # fmt: skip
CASES = [(name, wrong) for name, answers in WRONG.items() for wrong in answers]


@pytest.mark.parametrize(("name", "wrong"), CASES, ids=[wrong.__name__ for _, wrong in CASES])
def test_it_is_rejected(name, wrong):
    report = examine(name, wrong)
    assert report.status in ("wrong", "error"), report.text
    assert "tried" in report.text


@pytest.mark.parametrize(
    ("name", "wrong", "reason"),
    [
        ("attention-entropy", naive_logarithm, "a weight of 0 gave NaN"),
        ("previous-token-score", wrapping_index, "index -1 is the end"),
        ("previous-token-score", trace_below_over_length, "you divided by T"),
        ("attention-entropy", entropy_of_the_mean_row, "the rows were averaged first"),
        ("same-word-score", marks_included, "the marks were counted"),
        ("same-word-score", nothing_to_find, "the mean of nothing"),
        ("same-word-score", mean_instead_of_sum, "the doubles of a word were averaged"),
        ("separator-score", rows_of_the_separators, "you picked the rows of the separators"),
        ("linear-probe", ones_in_front, "your column of ones stands in front"),
        ("word-vector", runs_off_the_end, "The list may end inside a word"),
        ("linear-probe", least_squares_only, "the strength is not used"),
        ("selectivity", a_label_for_each_place, "A control label belongs to a word"),
    ],
)
def test_the_reason_is_named(name, wrong, reason):
    text = " ".join(examine(name, wrong).text.split())
    assert reason.lower() in text.lower(), text
