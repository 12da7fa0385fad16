"""More examples out of those there are: words dropped, swapped, or replaced by what BERT would say there.

Dropping and swapping: after Wei and Zou 2019 (EDA, where any two words may change places). Replacing by a
language model: Kobayashi 2018 (contextual augmentation); with a masked model, Wu et al. 2019; both tell the
model the label too, ours does not. The label is kept, which is a bet: "not" is a word too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Any, ClassVar, Protocol

from bertlib.cloze import Guess, fill_mask
from bertlib.data.examples import IntentExample, TaggedExample, TextExample
from bertlib.errors import InputError
from bertlib.model import BertForPreTraining
from bertlib.progress import progress_bar
from bertlib.store import load_pretrained
from bertlib.tokenizer import WordPieceTokenizer

# A Chinese character is a word, and so is a stretch of letters and digits ("don't" is one). What lies between
# stays as it is.
WORD = re.compile(r"([\u4e00-\u9fff]|[^\W\u4e00-\u9fff]+(?:['’][^\W\u4e00-\u9fff]+)*)")
OUTSIDE = "O"  # the tag of words that belong to no entity and no slot


class Way(Protocol):
    """One way to change a row of words."""

    @property
    def keeps_places(self) -> bool:
        """Does word i stay word i, so that its tag still fits?"""
        ...

    def __call__(self, words: Sequence[str], places: Sequence[int], dice: Random) -> list[str]:
        """Change some of the words at ``places``; "" is a word that has gone. Elsewhere signs may stand."""
        ...


def chosen(places: Sequence[int], share: float, dice: Random) -> list[int]:
    """Draw ``share`` of the places, rounded, at least one if there is any; in ascending order.

    Raises:
        InputError: a share outside (0, 1].
    """
    if not 0 < share <= 1:
        raise InputError(f"share {share} of the words; expected more than 0 and at most 1")
    count = min(len(places), max(1, round(share * len(places))))
    return sorted(dice.sample(list(places), count))


@dataclass(frozen=True, kw_only=True)
class DropWords:
    """Leave words out; one always stays."""

    share: float = 0.1
    keeps_places: ClassVar[bool] = False

    def __call__(self, words: Sequence[str], places: Sequence[int], dice: Random) -> list[str]:
        """Return the words with "" in place of those dropped."""
        gone = set(chosen(places, self.share, dice)[: len(places) - 1])
        return ["" if place in gone else word for place, word in enumerate(words)]


@dataclass(frozen=True, kw_only=True)
class SwapNeighbours:
    """Let words change places with the word after them, one pair after another."""

    share: float = 0.1
    keeps_places: ClassVar[bool] = False

    def __call__(self, words: Sequence[str], places: Sequence[int], dice: Random) -> list[str]:
        """Return the words with some neighbours swapped."""
        swapped = list(words)
        pairs = list(pairwise(places))
        for number in chosen(range(len(pairs)), self.share, dice):
            left, right = pairs[number]
            swapped[left], swapped[right] = swapped[right], swapped[left]
        return swapped


@dataclass(frozen=True, kw_only=True)
class ReplaceWords:
    """Hide words, and put in what the model holds to be likely there, drawn by its probabilities.

    A guess that is the word itself, part of a word or a sign is not drawn; if no other is left, the word
    stays. All words hidden at once are guessed in one pass.

    Args:
        model: in evaluation mode.
        tokenizer: its own.
        share: of the words.
        top: draw from so many of the likeliest pieces.
    """

    model: BertForPreTraining
    tokenizer: WordPieceTokenizer
    share: float = 0.15
    top: int = 10
    keeps_places: ClassVar[bool] = True

    def __call__(self, words: Sequence[str], places: Sequence[int], dice: Random) -> list[str]:
        """Return the words with some replaced."""
        hidden, replaced = set(chosen(places, self.share, dice)), list(words)
        for stretch in self._stretches(words, hidden):
            blanks = [place for place in stretch if place in hidden]
            text = " ".join("[MASK]" if place in hidden else words[place] for place in stretch)
            if not blanks or text.count("[MASK]") != len(blanks):  # somebody wrote [MASK] as a word
                continue
            guesses = fill_mask(self.model, self.tokenizer, text, top=self.top)
            for place, found in zip(blanks, guesses, strict=True):
                replaced[place] = draw(found, words[place], dice)
        return replaced

    def _stretches(self, words: Sequence[str], hidden: set[int]) -> Iterable[list[int]]:
        """Cut a long text into stretches of places that the position table can hold."""
        room = self.model.config.max_position_embeddings - 2
        stretch: list[int] = []
        taken = 0
        for place, word in enumerate(words):
            size = 1 if place in hidden else len(self.tokenizer.words_to_ids(word))
            if size > room:  # no word that a sentence could be built around
                continue
            if taken + size > room:
                yield stretch
                stretch, taken = [], 0
            stretch.append(place)
            taken += size
        yield stretch


def replace_words(model: str) -> ReplaceWords:
    """Replace words by what a pre-trained model, its folder or name, would say."""
    found, tokenizer = load_pretrained(model)
    return ReplaceWords(model=found.eval(), tokenizer=tokenizer)


# by their names on the command line; each is given the model that is fine-tuned
WAYS: dict[str, Callable[[str], Way]] = {
    "drop": lambda model: DropWords(),
    "swap": lambda model: SwapNeighbours(),
    "replace": replace_words,
}


def draw(guesses: Sequence[Guess], word: str, dice: Random) -> str:
    """Draw one of the guesses that are other whole words; ``word`` itself if there is none."""
    others = [guess for guess in guesses if guess.token.isalnum() and guess.token != word.lower()]
    if not others:
        return word
    return dice.choices([g.token for g in others], [g.probability for g in others])[0]


def change_text(text: str, way: Way, dice: Random) -> str:
    """Change the words of a text; signs and blanks stay where they are."""
    parts = WORD.split(text)  # between, word, between, word, …, between
    if len(parts) == 1:
        return text
    parts = way(parts, range(1, len(parts), 2), dice)
    return " ".join("".join(parts).split())


def change_tagged(
    words: Sequence[str], tags: Sequence[str] | None, way: Way, dice: Random
) -> tuple[str, ...]:
    """Change words outside entities and slots; those inside must stay what their tags say.

    Raises:
        InputError: words would change places and lose their tags.
    """
    if not way.keeps_places:
        raise InputError(
            f"{type(way).__name__} moves words away from their tags; for tagged examples take ReplaceWords "
            "(--augment replace)"
        )
    places = [place for place in range(len(words)) if tags is None or tags[place] == OUTSIDE]
    return tuple(way(words, places, dice)) if places else tuple(words)


def change(example: Any, way: Way, dice: Random) -> Any:
    """Return a changed copy of an example; labels, tags and name are kept.

    Raises:
        InputError: a kind of example that cannot be changed without its answer, or a way that moves tags.
    """
    if isinstance(example, TextExample):
        second = None if example.second is None else change_text(example.second, way, dice)
        return example._replace(first=change_text(example.first, way, dice), second=second)
    if isinstance(example, TaggedExample):
        return example._replace(words=change_tagged(example.words, example.tags, way, dice))
    if isinstance(example, IntentExample):
        return example._replace(words=change_tagged(example.words, example.slots, way, dice))
    raise InputError(
        f"a {type(example).__name__} cannot be augmented, its answer would no longer fit; expected "
        "TextExample, TaggedExample or IntentExample"
    )


def augment(
    examples: Sequence[Any], way: Way, *, dice: Random, copies: int = 1, progress: bool = False
) -> list[Any]:
    """Return the examples, and after them ``copies`` changed copies of each.

    Only training examples are augmented: marks count on examples as they were written.

    Args:
        examples: texts, tagged or intents.
        way: DropWords, SwapNeighbours, ReplaceWords, or anything called as they are.
        dice: source of randomness.
        copies: of each example.
        progress: show a bar.

    Raises:
        InputError: fewer than one copy, or examples that the way does not suit.
    """
    if copies < 1:
        raise InputError(f"{copies} copies; expected at least 1")
    wanted = [example for _ in range(copies) for example in examples]
    with progress_bar(iterable=wanted, desc="augmenting", unit="text", disable=not progress) as bar:
        return [*examples, *(change(example, way, dice) for example in bar)]
