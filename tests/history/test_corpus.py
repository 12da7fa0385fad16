from __future__ import annotations

import pytest

from bertlib.errors import CorpusError, InputError
from bertlib.history import read_texts
from bertlib.history.corpus import asked
from bertlib.tokenizer import SPECIAL_TOKENS, WordPieceTokenizer

TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, "a", "b", "c", "##d"])


def test_rows_with_their_marks():
    rows = read_texts(["a b\nc", "ad"], TOKENIZER)
    assert [row.tolist() for row in rows] == [[2, 5, 6, 7, 3], [2, 5, 8, 3]]
    assert asked(rows) == 4 + 3


def test_long_texts_are_cut_and_lose_nothing():
    rows = read_texts(["a b c a b"], TOKENIZER, longest=4)
    assert [row.tolist() for row in rows] == [[2, 5, 6, 3], [2, 7, 5, 3], [2, 6, 3]]


def test_texts_without_words_are_left_out():
    assert len(read_texts(["a", "", "  \n ", "b"], TOKENIZER)) == 2
    for empty in ([], [""], ["\n"]):
        with pytest.raises(CorpusError, match="the corpus is empty"):
            read_texts(empty, TOKENIZER)


def test_no_room_for_a_word():
    with pytest.raises(InputError, match="longest is 2; expected at least 3"):
        read_texts(["a"], TOKENIZER, longest=2)
