"""Who, where and what is named? BIO tags for the words of a sentence, as CoNLL-2003."""

from __future__ import annotations

from collections.abc import Iterator

from bertlib.data.examples import TaggedExample
from bertlib.data.story.tasks.mentions import TAGS, Name, names, names_nothing_else, words_of
from bertlib.data.story.tasks.source import Source

# Sayings and landscapes speak of horses and boats that take no part in the story; they are left out.
OUTSIDE = ("sky", "scenery", "change", "sense", "kind", "simile", "job")


def entities(source: Source) -> Iterator[TaggedExample]:
    """Yield sentences that name at least two participants, and nothing that is no participant."""
    for plot in source.plots():
        first, last = source.window(plot, longest=1)
        (sentence,) = source.tell(plot, first, last)
        found = names(sentence, source.language)
        if len(found) < 2 or sentence.event.kind in OUTSIDE:
            continue
        if names_nothing_else(sentence, found, source.language):
            spans = words_of(sentence.text, source.language)
            words = tuple(sentence.text[start:end] for start, end in spans)
            yield TaggedExample(words, bio(spans, found))


def bio(spans: list[tuple[int, int]], found: list[Name]) -> tuple[str, ...]:
    """Return a tag for each word: B- where a name begins, I- where it goes on, O elsewhere."""
    tags = []
    for start, _ in spans:
        name = next((name for name in found if name.start <= start < name.end), None)
        tags.append("O" if name is None else f"{'B' if start == name.start else 'I'}-{TAGS[name.kind]}")
    return tuple(tags)
