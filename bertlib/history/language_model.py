"""What the ancestors have in common, what a language model is, and one table in which all of them stand."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from bertlib.errors import InputError
from bertlib.history.corpus import Corpus, check_ids

if TYPE_CHECKING:
    from typing_extensions import Self


class Ancestor(Protocol):
    """A model that learns from rows of ids.

    Attributes:
        vocab_size: V, the number of different ids.
    """

    vocab_size: int

    @property
    def num_parameters(self) -> int:
        """The numbers that it has learned."""
        ...

    def fit(self, corpus: Corpus, *, progress: bool = False) -> Self:
        """Learn from rows of ids, and return the model itself.

        Raises:
            CorpusError: no rows.
            InputError: an id outside the vocabulary.
        """
        ...


class LanguageModel(Ancestor, Protocol):
    """An ancestor that reads from left to right: it says how likely each word is to come next."""

    def perplexity(self, corpus: Corpus) -> float:
        """Return exp of the mean surprise at every id but the first of each row, in nats.

        A model that holds all V words for equally likely has perplexity V.

        Raises:
            TrainingError: it has learned nothing yet.
        """
        ...

    def next_word(self, context: Sequence[int]) -> np.ndarray:
        """Return how likely each id is to follow ``context``, which begins with the first mark: (V,)."""
        ...


def generate(
    model: LanguageModel,
    prompt: Sequence[int],
    *,
    end: int,
    length: int,
    rng: np.random.Generator,
    temperature: float = 1.0,
) -> list[int]:
    """Go on where the prompt stops: draw a word, read it, draw the next.

    Args:
        model: any that reads from left to right.
        prompt: ids, the first mark in front.
        end: the mark at which to stop; it is not returned.
        length: ids in all, at most, the prompt included.
        rng: source of the draws.
        temperature: below 1 likely words become likelier; 0 takes the likeliest.

    Raises:
        InputError: an empty prompt, an id outside the vocabulary, a negative temperature.
    """
    check_ids(prompt, model.vocab_size, least=1, name="the prompt")
    if temperature < 0:
        raise InputError(f"temperature is {temperature}; expected 0 or more")
    ids = [int(i) for i in prompt]
    while len(ids) < length:
        chances = model.next_word(ids)
        if temperature == 0:
            word = int(chances.argmax())
        else:
            sharper = (chances / chances.max()) ** (1 / temperature)
            word = int(rng.choice(len(sharper), p=sharper / sharper.sum()))
        if word == end:
            break
        ids.append(word)
    return ids


class Standing(NamedTuple):
    """One line of the table in which the ancestors are compared; None: this model cannot be asked that.

    All numbers are on text that was not learned from. Compare models by ``perplexity`` alone: the next two
    answer other questions, and a lower number there is no better model.
    """

    name: str
    perplexity: float | None  # of each word given its left
    backward_perplexity: float | None  # of each word given its right
    pseudo_perplexity: float | None  # of each word given all others of its row
    seconds: float  # of the processor, to learn
    parameters: int


def compare(
    models: Mapping[str, Ancestor], corpus: Corpus, held_out: Corpus, *, progress: bool = False
) -> list[Standing]:
    """Let every model learn from ``corpus`` and ask it on ``held_out`` what it can be asked."""
    table = []
    for name, model in models.items():
        start = time.process_time()
        model.fit(corpus, progress=progress)
        seconds = time.process_time() - start
        table.append(
            Standing(
                name,
                perplexity=ask(model, "perplexity", held_out),
                backward_perplexity=ask(model, "backward_perplexity", held_out),
                pseudo_perplexity=ask(model, "pseudo_perplexity", held_out),
                seconds=seconds,
                parameters=model.num_parameters,
            )
        )
    return table


def ask(model: Ancestor, question: str, held_out: Corpus) -> float | None:
    """Return ``model.question(held_out)``, such as its perplexity; None where it has no such method."""
    method = getattr(model, question, None)
    return None if method is None else float(method(held_out))
