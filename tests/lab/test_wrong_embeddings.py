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


def looked_up_by_word(first, second=None):
    pieces = ["[CLS]", *first, "[SEP]", *([*second, "[SEP]"] if second else [])]
    segments = [1 if second and piece in second else 0 for piece in pieces]
    return pieces, [*segments[:-1], 1 if second else 0]


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


def all_at_once(first, second, room):
    if len(first) > len(second):
        first = first[: max(0, room - len(second))]
        return first, second[: room - len(first)]
    return first[:room], second[: max(0, room - len(first))]


def mask_from_the_pad_id(rows, pad_id=0):
    longest = max(map(len, rows))
    ids = torch.tensor([list(row) + [pad_id] * (longest - len(row)) for row in rows])
    return ids, (ids != pad_id).long()


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


def from_zero_again(ids, segments, tokens, types, positions):
    first = (segments == 0).sum(dim=1, keepdim=True)
    return tokens[ids] + types[segments] + positions[torch.arange(ids.shape[1]) - first * segments]


def side_by_side(ids, segments, tokens, types, positions):
    places = positions[: ids.shape[1]].expand(*ids.shape, -1)
    return torch.cat([tokens[ids], types[segments], places], dim=-1)


def no_width(ids, segments, sizes):
    return torch.cat([F.one_hot(x) for x in (ids, segments, torch.arange(len(ids)))], dim=1).float()


def whole_numbers(ids, segments, sizes):
    columns = zip((ids, segments, torch.arange(len(ids))), sizes, strict=True)
    return torch.cat([F.one_hot(x, size) for x, size in columns], dim=1)


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


def doubled_twice(length, size):
    angles = torch.arange(length)[:, None] / 10_000 ** (2 * torch.arange(0, size, 2) / size)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)


class NoLimit(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.hidden_size)
        self.token_type_embeddings = nn.Embedding(config.type_vocab_size, config.hidden_size)
        self.position_embeddings = nn.Embedding(config.max_position_embeddings, config.hidden_size)
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, ids, kinds):
        places = self.position_embeddings(torch.arange(ids.shape[1]))
        return self.dropout(self.norm(self.word_embeddings(ids) + self.token_type_embeddings(kinds) + places))


class NormPerTable(NoLimit):
    def forward(self, ids, kinds):
        if ids.shape[1] > self.position_embeddings.num_embeddings:
            raise ValueError("too long")
        places = self.position_embeddings(torch.arange(ids.shape[1]))
        return self.dropout(
            self.norm(self.word_embeddings(ids))
            + self.norm(self.token_type_embeddings(kinds))
            + self.norm(places)
        )


class FixedWidth(NoLimit):
    def __init__(self, config):
        super().__init__(config)
        self.norm = nn.LayerNorm(768)


WRONG = {
    "pack": [no_frame_around_b, truthy_second, pieces_only, looked_up_by_word],
    "truncate-pair": [pop_the_callers_list, once_is_enough, tie_to_the_first, all_at_once],
    "pad-batch": [mask_from_zero, longest_is_first, mask_from_the_pad_id],
    "add-embeddings": [whole_position_table, position_of_the_batch_row, side_by_side, from_zero_again],
    "one-hot-rows": [no_width, stacked_along_the_text, whole_numbers],
    "sinusoidal-positions": [halves, every_column_its_own_speed, doubled_twice],
    "input-embedding": [NoLimit, NormPerTable, FixedWidth],
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
        ("pack", looked_up_by_word, "looked up by the word"),
        ("truncate-pair", all_at_once, "Ask anew before every piece"),
        ("pad-batch", mask_from_the_pad_id, "lengths decide, not ids"),
        ("add-embeddings", from_zero_again, "start again with the second sentence"),
        ("one-hot-rows", whole_numbers, "end with .float()"),
        ("sinusoidal-positions", doubled_twice, "4i / H"),
    ],
)
def test_it_is_named(name, wrong, words):
    assert words.lower() in " ".join(examine(name, wrong).text.split()).lower()


def test_the_alias_is_noticed():
    assert "changed `first`" in examine("truncate-pair", pop_the_callers_list).text


def test_the_missing_limit_is_explained():
    assert "no row for position 12" in " ".join(examine("input-embedding", NoLimit).text.split())
