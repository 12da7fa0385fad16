"""Labelled examples by the name of a task: the door to this folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256

from bertlib.data.examples import Example
from bertlib.data.story.tasks.choices import choices
from bertlib.data.story.tasks.entailment import entailment
from bertlib.data.story.tasks.entities import entities
from bertlib.data.story.tasks.intents import intents
from bertlib.data.story.tasks.questions import questions
from bertlib.data.story.tasks.sentiment import sentiment
from bertlib.data.story.tasks.similarity import similarity
from bertlib.data.story.tasks.source import Source
from bertlib.errors import InputError

_MAKERS: dict[str, Callable[[Source], Iterator[Example]]] = {
    "sentiment": sentiment,
    "entailment": entailment,
    "similarity": similarity,
    "entities": entities,
    "questions": questions,
    "choices": choices,
    "intents": intents,
}
STORY_TASKS: tuple[str, ...] = tuple(_MAKERS)
PATIENCE = 300  # examples seen before, one after another; then there are no new ones


def story_task(
    name: str, *, split: str, size: int, seed: int, language: str = "en", world: str = "country"
) -> list[Example]:
    """Make labelled examples from the facts of stories; no label is wrong, and no two examples are the same.

    Training examples come from one half of the world, the others from the other half: their people, places,
    things and moods have no labels, but the stories of pre-training know them (see :mod:`.source`).

    Args:
        name: one of ``STORY_TASKS``.
        split: "train", "dev" or "test".
        size: how many examples; fewer are the first ones of more.
        seed: the same seed gives the same examples everywhere.
        language: "en" or "zh".
        world: "country" or "village".

    Raises:
        InputError: an unknown task, split, language or world, a size below 1, more examples than there are.

    Example:
        >>> story_task("sentiment", split="train", size=1, seed=0)[0].label
        'negative'
    """
    if name not in _MAKERS:
        raise InputError(f"there is no story task {name!r}; expected {', '.join(STORY_TASKS)}")
    if size < 1:
        raise InputError(f"size is {size}; expected at least 1 example")
    source = Source.of(name, split=split, seed=seed, language=language, world=world)
    found: dict[Example, None] = {}  # keeps their order
    missed = 0
    for example in _MAKERS[name](source):
        new = example not in found and _belongs(example, split)
        missed = 0 if new else missed + 1
        if new:
            found[example] = None
        if len(found) == size:
            break
        if missed > PATIENCE:
            raise InputError(
                f"the {world} has only about {len(found)} different {split} examples of {name}, not {size}; "
                "ask for fewer" + (" or for the country" if world == "village" else "")
            )
    return [example._replace(name=f"{name}-{split}-{number}") for number, example in enumerate(found)]


def _belongs(example: Example, split: str) -> bool:
    """Say whether an example may stand in a split: none that the dev set can have is ever in the test set."""
    odd = sha256(repr(example).encode()).digest()[0] % 2
    return split == "train" or odd == (split == "test")
