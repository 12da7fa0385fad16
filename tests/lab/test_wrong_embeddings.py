"""Wrong answers as readers write them, from their own code rather than from the check's imitations."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bertlib.lab import examine


def no_frame_around_b(first, second=None):
    pieces = ["[CLS]", *first, "[SEP]", *(second or [])]
    return pieces, [0] * (len(first) + 2) + [1] * len(second or [])


def truthy_second(first, second=None):
    pieces = ["[CLS]", *first, "[SEP]", *(second or []), "[SEP]"]
    return pieces, [0] * (len(first) + 2) + [1] * (len(pieces) - len(first) - 2)


def pieces_only(first, second=None):
    return ["[CLS]", *first, "[SEP]", *(second or ()), *(["[SEP]"] if second else [])]


def pop_the_callers_list(first, second, room):
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
    return first, second


def once_is_enough(first, second, room):
    if len(first) + len(second) > room:
        first, second = (first[:-1], second) if len(first) > len(second) else (first, second[:-1])
    return first, second


def tie_to_the_first(first, second, room):
    first, second = list(first), list(second)
    while len(first) + len(second) > room:
        (first if len(first) >= len(second) else second).pop()
    return first, second


def mask_from_zero(rows, pad_id=0):
    longest = max(map(len, rows))
    ids = torch.tensor([list(row) + [pad_id] * (longest - len(row)) for row in rows])
    return ids, (ids != 0).long()


def longest_is_first(rows, pad_id=0):
    longest = len(rows[0])
    ids = [(list(row) + [pad_id] * longest)[:longest] for row in rows]
    return torch.tensor(ids), torch.tensor(
        [[1] * min(len(row), longest) + [0] * (longest - len(row)) for row in rows]
    )


def whole_position_table(ids, segments, tokens, types, positions):
    return tokens[ids] + types[segments] + positions


def position_of_the_batch_row(ids, segments, tokens, types, positions):
    return tokens[ids] + types[segments] + positions[: ids.shape[0]]


def side_by_side(ids, segments, tokens, types, positions):
    places = positions[: ids.shape[1]].expand(*ids.shape, -1)
    return torch.cat([tokens[ids], types[segments], places], dim=-1)


def no_width(ids, segments, sizes):
    return torch.cat([F.one_hot(x) for x in (ids, segments, torch.arange(len(ids)))], dim=1).float()


def stacked_along_the_text(ids, segments, sizes):
    return torch.cat([torch.eye(sum(sizes))[x] for x in (ids, segments, torch.arange(len(ids)))], dim=0)


def halves(length, size):
    angles = torch.arange(length)[:, None] / 10_000 ** (torch.arange(0, size, 2) / size)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def every_column_its_own_speed(length, size):
    angles = torch.arange(length)[:, None] / 10_000 ** (torch.arange(size) / size)
    table = angles.sin()
    table[:, 1::2] = angles[:, 1::2].cos()
    return table


class NoLimit(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.words = nn.Embedding(config.vocab_size, config.hidden_size)
        self.kinds = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.places = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, ids, kinds):
        places = self.places(torch.arange(ids.shape[1]))
        return self.dropout(self.norm(self.words(ids) + self.kinds(kinds) + places))


class NormPerTable(NoLimit):
    def forward(self, ids, kinds):
        if ids.shape[1] > self.places.num_embeddings:
            raise ValueError("too long")
        places = self.places(torch.arange(ids.shape[1]))
        return self.dropout(self.norm(self.words(ids)) + self.norm(self.kinds(kinds)) + self.norm(places))


class FixedWidth(NoLimit):
    def __init__(self, config):
        super().__init__(config)
        self.norm = nn.LayerNorm(768)


WRONG = {
    "pack": [no_frame_around_b, truthy_second, pieces_only],
    "truncate-pair": [pop_the_callers_list, once_is_enough, tie_to_the_first],
    "pad-batch": [mask_from_zero, longest_is_first],
    "add-embeddings": [whole_position_table, position_of_the_batch_row, side_by_side],
    "one-hot-rows": [no_width, stacked_along_the_text],
    "sinusoidal-positions": [halves, every_column_its_own_speed],
    "input-embedding": [NoLimit, NormPerTable, FixedWidth],
}
CASES = [(name, wrong) for name, answers in WRONG.items() for wrong in answers]


@pytest.mark.parametrize(("name", "wrong"), CASES, ids=[wrong.__name__ for _, wrong in CASES])
def test_it_is_rejected(name, wrong):
    report = examine(name, wrong)
    assert report.status in ("wrong", "error"), report.text
    assert "tried" in report.text


def test_the_alias_is_noticed():
    assert "changed `first`" in examine("truncate-pair", pop_the_callers_list).text


def test_the_missing_limit_is_explained():
    assert "no row for position 12" in " ".join(examine("input-embedding", NoLimit).text.split())
