"""Which sentence goes on with the story? Four choices, as SWAG."""

from __future__ import annotations

from collections.abc import Iterator

from bertlib.data.examples import ChoiceExample
from bertlib.data.story.tasks.mentions import names
from bertlib.data.story.tasks.source import Source
from bertlib.data.story.telling import Sentence

CHOICES = 4
BEGINNING = 1  # sentences
SHELF = 40  # sentences of other stories to choose from


def choices(source: Source) -> Iterator[ChoiceExample]:
    """Yield beginnings with four sentences, of which one follows.

    The right one names nobody and nothing but what the beginning names; each wrong one, from another story,
    names only others.
    """
    others: list[tuple[str, set[str]]] = []
    for plot in source.plots():
        first = int(source.rng.random() * (len(plot.events) - BEGINNING))
        *beginning, end = source.tell(plot, first, first + BEGINNING + 1)
        known = {ref for sentence in beginning for ref in named(sentence, source)}
        participants = named(end, source)
        wrong = [text for text, strangers in others if not strangers & known and text != end.text]
        if len(wrong) >= CHOICES - 1 and participants and participants <= known:
            label = int(source.rng.random() * CHOICES)
            ends = source.shuffled(wrong)[: CHOICES - 1]
            ends.insert(label, end.text)
            yield ChoiceExample(source.join(beginning), tuple(ends), label)
        if participants:
            others = [*others, (end.text, participants)][-SHELF:]


def named(sentence: Sentence, source: Source) -> set[str]:
    """Return who and what a sentence names."""
    return {name.ref for name in names(sentence, source.language)}
