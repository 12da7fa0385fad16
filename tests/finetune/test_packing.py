"""Packed rows are those of the tokenizer, piece for piece."""

from __future__ import annotations

import numpy as np
import pytest

from bertlib.errors import InputError
from bertlib.finetune import packing
from bertlib.finetune.features import gather
from bertlib.finetune.packing import check_room, encode_texts, kept, pack_rows
from bertlib.tokenizer.encoding import truncate_pair

TEXTS = ["a b c d e f g h", "abc d", "", "é [SEP] a", "a\nb  ba", "x" * 120, "a b"]


@pytest.mark.parametrize("room", range(1, 13))
def test_what_is_kept_is_what_dropping_one_by_one_leaves(room):
    for first in range(14):
        for second in range(14):
            one_by_one = truncate_pair([None] * first, [None] * second, room)
            assert kept(first, second, room) == tuple(map(len, one_by_one)), (first, second)


@pytest.mark.parametrize("max_length", [4, 5, 8, 40])
def test_rows_are_those_of_the_tokenizer(tokenizer, max_length):
    pairs = [(a, b) for a in TEXTS for b in (*TEXTS, None)]
    rows, firsts = pack_rows(*zip(*pairs, strict=True), tokenizer, max_length=max_length)
    features = gather(rows, firsts, pad_id=tokenizer.pad_id)
    for number, (a, b) in enumerate(pairs):
        options = {"max_length": max_length, "allow_special": False}
        wanted = tokenizer.encode(a, **options) if b is None else tokenizer.encode_pair(a, b, **options)
        batch = features.batch(np.array([number]))
        assert batch["input_ids"].tolist() == [wanted.ids]
        assert batch["token_type_ids"].tolist() == [wanted.token_type_ids]
        assert batch["attention_mask"].tolist() == [wanted.attention_mask]


def test_blocks_of_texts_make_no_difference(tokenizer, monkeypatch):
    at_once = encode_texts(tokenizer, TEXTS)
    monkeypatch.setattr(packing, "BLOCK", 2)
    assert all(map(np.array_equal, at_once, encode_texts(tokenizer, TEXTS)))
    assert encode_texts(tokenizer, []) == []


def test_a_special_token_in_a_text_is_words(tokenizer):
    (row,) = encode_texts(tokenizer, ["a [SEP] b"])
    assert tokenizer.sep_id not in row


def test_there_must_be_room(tokenizer):
    with pytest.raises(InputError, match=r"max_length is 3; expected at least 4: 3 places are for special"):
        pack_rows(["a"], [None], tokenizer, max_length=3)
    check_room(3, special=2)
