"""Which piece speaks for which word: by hand, and for sentences and words that are too long."""

from __future__ import annotations

import numpy as np
import pytest

from bertlib.errors import InputError
from bertlib.finetune.words import piece_labels, word_rows, word_verdicts


def shown(rows, tokenizer):
    return [" ".join(tokenizer.vocab[i] for i in row.ids) for row in rows]


def test_the_first_piece_of_each_word(tokenizer):
    (row,) = word_rows([["abc", "x", "ab"]], tokenizer, max_length=16)
    assert shown([row], tokenizer) == ["[CLS] a ##b ##c x a ##b [SEP]"]
    assert row.heads.tolist() == [1, 4, 5]
    assert piece_labels([row], [[7, 8, 9]], -100).tolist() == [-100, 7, -100, -100, 8, 9, -100, -100]


def test_a_word_of_which_nothing_is_left_is_unknown(tokenizer):
    """A soft hyphen and a control character are cleaned away; the word still gets its tag."""
    (row,) = word_rows([["a", "\x01", "\u00ad", "7", "b"]], tokenizer, max_length=16)
    assert shown([row], tokenizer) == ["[CLS] a [UNK] [UNK] [UNK] b [SEP]"]
    assert row.heads.tolist() == [1, 2, 3, 4, 5]


def test_a_long_sentence_goes_on_in_another_row(tokenizer):
    """Four pieces a row: "abc d" fill one, "ab ab" the next; no word is cut in two."""
    rows = word_rows([["abc", "d", "ab", "ab", "x"], ["a"]], tokenizer, max_length=6)
    assert shown(rows, tokenizer) == [
        "[CLS] a ##b ##c d [SEP]",
        "[CLS] a ##b a ##b [SEP]",
        "[CLS] x [SEP]",
        "[CLS] a [SEP]",
    ]
    assert [row.first_word for row in rows] == [0, 2, 4, 0]
    assert [row.sentence for row in rows] == [0, 0, 0, 1]
    labels = piece_labels(rows, [[0, 1, 2, 3, 4], [5]], -1)
    assert labels[labels >= 0].tolist() == [0, 1, 2, 3, 4, 5]


def test_only_the_first_row(tokenizer):
    rows = word_rows([["abc", "d", "ab"], ["a"]], tokenizer, max_length=6, only_first=True)
    assert shown(rows, tokenizer) == ["[CLS] a ##b ##c d [SEP]", "[CLS] a [SEP]"]


def test_a_word_too_long_for_a_row_loses_its_end(tokenizer):
    rows = word_rows([["x", "abcdefgh", "x"]], tokenizer, max_length=6)
    assert shown(rows, tokenizer) == ["[CLS] x [SEP]", "[CLS] a ##b ##c ##d [SEP]", "[CLS] x [SEP]"]


def test_a_sentence_without_words_is_a_row(tokenizer):
    rows = word_rows([[], ["a"]], tokenizer, max_length=6)
    assert shown(rows, tokenizer) == ["[CLS] [SEP]", "[CLS] a [SEP]"]
    assert len(rows[0].heads) == 0


@pytest.mark.parametrize("max_length", [3, 4, 5, 7, 30])
def test_every_word_gets_one_verdict_whatever_the_length(tokenizer, max_length):
    sentences = [["abc", "d", "", "ab", "x"], [], ["a"], ["abcdefgh"] * 3]
    rows = word_rows(sentences, tokenizer, max_length=max_length)
    numbers = [list(range(len(words))) for words in sentences]
    labels = piece_labels(rows, numbers, -100)
    cuts = np.cumsum([len(row.ids) for row in rows])[:-1]
    logits = [np.eye(5)[np.maximum(row, 0)] for row in np.split(labels, cuts)]
    assert word_verdicts(rows, logits, len(sentences)) == numbers
    assert max(len(row.ids) for row in rows) <= max_length


def test_no_room(tokenizer):
    with pytest.raises(InputError, match="max_length is 2; expected at least 3"):
        word_rows([["a"]], tokenizer, max_length=2)
