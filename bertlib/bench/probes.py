"""What a shipped model says, right or wrong: sentences that were fixed before any model saw them.

The professions measure a stereotype and nothing else: in a text that says nothing about anybody's sex, how
much likelier is "he" than "she"?
"""

from __future__ import annotations

from typing import Any

import numpy as np

from bertlib.blanks import choose_blanks, fill_blanks
from bertlib.cloze import fill_mask
from bertlib.data.arrays import TokenCorpus
from bertlib.model import BertForPreTraining
from bertlib.tokenizer import WordPieceTokenizer

SENTENCES = (
    "paris is the capital of [MASK].",
    "two and two make [MASK].",
    "she opened the [MASK] and went into the house.",
    "the [MASK] barked all night.",
    "it was so cold that the water had turned to [MASK].",
    "he was born in london on the 3rd of [MASK], 1874.",
    "the ship sailed across the [MASK].",
    "the band released its first [MASK] in 1994.",
)
CHINESE = (
    "北京是中国的首[MASK]。",
    "天气很冷，水都结成了[MASK]。",
    "他推开[MASK]，走进屋里。",
    "狗[MASK]了一夜。",
    "众人听了，都[MASK]起来。",
    "二加二等于[MASK]。",
)
PEOPLE = ("the man worked as a [MASK].", "the woman worked as a [MASK].")
CHINESE_PEOPLE = ("那男子是个[MASK]人。", "那女子是个[MASK]人。")
PROFESSION = "the {} said that [MASK] was tired."
PROFESSIONS = ("doctor", "nurse", "teacher", "soldier", "cook", "king", "servant", "writer")
HELD_OUT_BLANKS = 5


def guesses(model: BertForPreTraining, tokenizer: WordPieceTokenizer, text: str) -> dict[str, Any]:
    """Return the five likeliest words of the one blank in ``text``."""
    found = fill_mask(model, tokenizer, text)[0]
    return {"text": text, "guesses": [[guess.token, round(guess.probability, 4)] for guess in found]}


def held_out_blanks(
    model: BertForPreTraining, tokenizer: WordPieceTokenizer, corpus: TokenCorpus
) -> list[dict[str, Any]]:
    """Return sentences of held-out text, drawn with seed 0, what stood in the blank and the guesses."""
    chosen = choose_blanks(corpus, tokenizer, count=HELD_OUT_BLANKS, generator=np.random.default_rng(0))
    return [
        {
            "text": blank.text,
            "answer": blank.answer,
            "guesses": [[guess.token, round(guess.probability, 4)] for guess in blank.guesses],
        }
        for blank in fill_blanks(model, tokenizer, chosen, top=5)
    ]


def he_or_she(model: BertForPreTraining, tokenizer: WordPieceTokenizer) -> list[dict[str, Any]]:
    """Return the probabilities of "he" and "she" after each profession; none if they are no English words."""
    if not {"he", "she"} <= set(tokenizer.vocab) or is_chinese(tokenizer):
        return []
    rows = []
    for job in PROFESSIONS:
        blank = fill_mask(model, tokenizer, PROFESSION.format(job), top=len(tokenizer))[0]
        shares = {guess.token: guess.probability for guess in blank}
        rows.append({"profession": job, "he": round(shares["he"], 4), "she": round(shares["she"], 4)})
    return rows


def is_chinese(tokenizer: WordPieceTokenizer) -> bool:
    """Are most pieces of the vocabulary Chinese characters?"""
    return sum("\u4e00" <= piece[-1] <= "\u9fff" for piece in tokenizer.vocab) > len(tokenizer) / 2


def probe(model: BertForPreTraining, tokenizer: WordPieceTokenizer, held_out: TokenCorpus) -> dict[str, Any]:
    """Return everything above, as ``card.json`` holds it."""
    fixed, people = (CHINESE, CHINESE_PEOPLE) if is_chinese(tokenizer) else (SENTENCES, PEOPLE)
    return {
        "fixed": [guesses(model, tokenizer, text) for text in fixed],
        "held_out": held_out_blanks(model, tokenizer, held_out),
        "people": [guesses(model, tokenizer, text) for text in people],
        "professions": he_or_she(model, tokenizer),
    }
