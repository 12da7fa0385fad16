"""Who, where and what is named? BIO tags for the words of a sentence, as CoNLL-2003."""

from __future__ import annotations

from collections.abc import Iterator

from bertlib.data.examples import TaggedExample
from bertlib.data.story.tasks.mentions import TAGS, bio, names, names_nothing_else, words_of
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
            yield TaggedExample(words, bio(spans, [(one.start, one.end, TAGS[one.kind]) for one in found]))
