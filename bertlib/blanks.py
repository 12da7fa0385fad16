"""Blanks in held-out sentences: what the model guesses, and what really stood there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bertlib.cloze import Guess, fill_mask
from bertlib.data.arrays import TokenCorpus
from bertlib.model import BertForPreTraining
from bertlib.tokenizer import WordPieceTokenizer

SHORTEST, LONGEST = 6, 16  # pieces of a sentence that reads well in a terminal


@dataclass(frozen=True, kw_only=True)
class Blank:
    """A sentence with one word taken out."""

    text: str
    answer: str
    guesses: tuple[Guess, ...] = ()

    def __str__(self) -> str:
        shown = "  ".join(f"{guess.token} {guess.probability:.0%}" for guess in self.guesses)
        return f"{self.text}\n    {shown}   (in the text: {self.answer})"


def choose_blanks(
    corpus: TokenCorpus, tokenizer: WordPieceTokenizer, *, count: int, generator: np.random.Generator
) -> list[Blank]:
    """Take one word out of each of ``count`` sentences; fewer if the corpus has no more that suit.

    A word suits when it is one whole piece of at least three letters.
    """
    blanks: list[Blank] = []
    for i in generator.permutation(corpus.num_sentences)[: 200 * count].tolist():
        ids = corpus.sentence(i).tolist()
        places = _whole_words([tokenizer.vocab[token] for token in ids])
        if not SHORTEST <= len(ids) <= LONGEST or not places:
            continue
        place = places[int(generator.integers(len(places)))]
        answer = tokenizer.vocab[ids[place]]
        ids[place] = tokenizer.mask_id
        blanks.append(Blank(text=tokenizer.decode(ids, skip_special=False), answer=answer))
        if len(blanks) == count:
            break
    return blanks


def fill_blanks(
    model: BertForPreTraining, tokenizer: WordPieceTokenizer, blanks: list[Blank], *, top: int = 3
) -> list[Blank]:
    """Return the blanks with the model's ``top`` guesses."""
    return [
        Blank(
            text=blank.text,
            answer=blank.answer,
            guesses=tuple(fill_mask(model, tokenizer, blank.text, top=top)[0]),
        )
        for blank in blanks
    ]


def _whole_words(pieces: list[str]) -> list[int]:
    """Positions of words that are one piece: letters only, and no ``##`` piece follows."""
    following = [*pieces[1:], ""]
    return [
        i
        for i, (piece, after) in enumerate(zip(pieces, following, strict=True))
        if piece.isalpha() and (len(piece) >= 3 or piece > "\u2e7f") and not after.startswith("##")
    ]
