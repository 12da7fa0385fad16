"""The places of pieces, found for a whole text at once, are those of the tokeniser, on hard text too."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bertlib.errors import InputError
from bertlib.finetune.offsets import PieceOffsets, covering
from bertlib.tokenizer import SPECIAL_TOKENS, WordPieceTokenizer

LETTERS = "abcdeé中国"
VOCAB = [*SPECIAL_TOKENS, *LETTERS, *(f"##{c}" for c in "abcdeé"), "bad", "##ed", *"!-'.#–，"]
HARD = [
    "",
    " ",
    "bad",
    "Bad  baded!\n",
    "ÉCadé–bad",
    "中国，bad中",
    "a\tb\x00c\u200bd",
    "##ed [MASK] #",
    "e\u0301a e\u0323\u0301b",
    "x" * 101 + " a",
    "zebra bad zz-a",
    "\u1d15e\U0001d15e a\U0001d165b",
    "한국 a",
    "a\u00a0b\u2028c\r\nd",
    "İa ﬁ b ǅ",
]


@pytest.fixture(scope="module", params=[True, False], ids=["uncased", "cased"])
def tokenizer(request):
    return WordPieceTokenizer(VOCAB, lowercase=request.param)


def slow(tokenizer, text):
    """Offsets by the tokeniser's own way, a character at a time."""
    return tokenizer.encode(text, allow_special=False).offsets[1:-1]


@pytest.mark.parametrize("text", HARD)
def test_equal_to_the_tokenizer_on_hard_text(tokenizer, text):
    ids = np.array(tokenizer.words_to_ids(text), dtype=np.int32)
    found = PieceOffsets(tokenizer).of(text, ids)
    assert found.dtype == np.int32
    assert [tuple(pair) for pair in found.tolist()] == slow(tokenizer, text)


def test_equal_to_the_tokenizer_on_random_text(tokenizer):
    dice, places = random.Random(7), PieceOffsets(tokenizer)
    signs = list(LETTERS * 3 + "  !-'.#–，ABÉ\n\t\u0301\u0323\u200b\x01zñ한\U0001f600")
    for _ in range(500):
        text = "".join(dice.choices(signs, k=dice.randrange(40)))
        ids = np.array(tokenizer.words_to_ids(text), dtype=np.int32)
        assert [tuple(pair) for pair in places.of(text, ids).tolist()] == slow(tokenizer, text), repr(text)


def test_by_hand():
    """bad|##ed, then ! at its place behind two blanks."""
    tokenizer = WordPieceTokenizer(VOCAB)
    found = PieceOffsets(tokenizer).of("Baded  !", np.array(tokenizer.words_to_ids("Baded  !")))
    assert found.tolist() == [[0, 3], [3, 5], [7, 8]]


def test_ids_of_another_text_are_refused():
    places = PieceOffsets(WordPieceTokenizer(VOCAB))
    with pytest.raises(InputError, match="1 ids make 1 words, the text has 2; expected the ids of this text"):
        places.of("a b", np.array([5]))
    with pytest.raises(InputError, match="expected the ids of this text"):
        places.of("a", np.array([VOCAB.index("##a")]))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(0, 4, (0, 0)), (0, 5, (0, 1)), (3, 5, (0, 1)), (5, 6, (1, 1)), (8, 9, (2, 2)), (5, 9, (1, 2))],
)
def test_pieces_that_cover_characters(start, end, expected):
    assert covering(np.array([[0, 4], [4, 7], [8, 9]]), start, end) == expected


def test_a_blank_is_covered_by_nothing():
    first, last = covering(np.array([[0, 4], [4, 7], [8, 9]]), 7, 8)
    assert last < first
    first, last = covering(np.zeros((0, 2)), 0, 3)
    assert last < first
