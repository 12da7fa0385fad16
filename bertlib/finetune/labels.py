"""Labels: words in the data, numbers in the model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Protocol, TypeVar

from bertlib.errors import InputError

SHOWN = 12  # labels named in an error
WHOLE = re.compile(r"-?\d+")


class Named(Protocol):
    """Any example."""

    @property
    def name(self) -> str:
        """What the example is called in its file; "" if it has no name."""


N = TypeVar("N", bound=Named)


def distinct(labels: Iterable[str | None], *, what: str = "labels") -> tuple[str, ...]:
    """Return the different labels in order: by number if all are numbers, else by letter.

    Raises:
        InputError: fewer than two.
    """
    found = sorted({label for label in labels if label is not None})
    ordered = sorted(found, key=int) if numbers(found) else found
    if len(ordered) < 2:
        raise InputError(
            f"the training data has no two different {what}, only {', '.join(ordered) or 'none at all'}; "
            "expected at least two"
        )
    return tuple(ordered)


def numbers(labels: Iterable[str]) -> bool:
    """Are all of them whole numbers?"""
    return all(WHOLE.fullmatch(label) for label in labels)


def number_of(label: object, known: Sequence[str], *, example: str, what: str = "label") -> int:
    """Return the place of a label among the known ones.

    Args:
        label: of an example; None if the file does not tell.
        known: those seen in training.
        example: which one, for the error.
        what: "label", "tag", "intent", for the error.

    Raises:
        InputError: no label, or one that was not seen in training.
    """
    if label is None:
        raise InputError(f"example {example} has no {what}; expected one of {listed(known)}")
    try:
        return known.index(str(label))
    except ValueError:
        near = get_close_matches(str(label), known, 1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        raise InputError(
            f"example {example}: the {what} {str(label)!r} was not seen in training; known are "
            f"{listed(known)}{hint}"
        ) from None


def listed(labels: Sequence[str]) -> str:
    """Return labels for a message, the first dozen of them."""
    more = f", … ({len(labels)} in all)" if len(labels) > SHOWN else ""
    return ", ".join(labels[:SHOWN]) + more


def named(examples: Iterable[N]) -> Iterator[tuple[str, N]]:
    """Yield each example with what it is called in a message: its own name, else its place from 1."""
    for place, one in enumerate(examples, start=1):
        yield one.name or f"number {place}", one


def one_a_word(labels: Sequence[str] | None, words: Sequence[str], *, name: str, what: str) -> Sequence[str]:
    """Return the labels of a sentence if there is one for each word.

    Raises:
        InputError: there are none, or another number.
    """
    if labels is None or len(labels) != len(words):
        raise InputError(
            f"sentence {name} has {len(labels or ())} {what} for {len(words)} words; expected one for each"
        )
    return labels
