"""What does somebody want, and which words say of what? Intents with slots, as Snips."""

from __future__ import annotations

from collections.abc import Iterator

from bertlib.data.examples import IntentExample
from bertlib.data.story.tasks.mentions import bio, names, words_of
from bertlib.data.story.tasks.source import Source
from bertlib.data.story.telling import Sentence

INTENTS = ("give", "find", "go", "order", "count", "meet")
TRIES = 10  # to say something that was not said before


def intents(source: Source) -> Iterator[IntentExample]:
    """Yield requests, the intents in turn; the exam has other wordings than the training."""
    seen: set[IntentExample] = set()
    while True:
        for intent in INTENTS:
            example = _request(source, intent)
            for _ in range(TRIES):
                if example not in seen:
                    break
                example = _request(source, intent)
            seen.add(example)
            yield example


def _request(source: Source, intent: str) -> IntentExample:
    """Ask for something that belongs together: the places, people and things of one story."""
    plot = next(source.plots())
    topic = plot.topic
    sorts = {"T": topic.things, "F": topic.foods, "N": topic.animals, "P": topic.places}
    roles = {letter: source.other(items) for letter, items in sorts.items()}
    title = "labelled" if source.split == "train" else "exam"
    sentence = source.say(plot, f"request-{intent}", title, roles)
    spans = words_of(sentence.text, source.language)
    words = tuple(sentence.text[start:end] for start, end in spans)
    return IntentExample(words, slots(sentence, spans, source.language), intent)


def slots(sentence: Sentence, spans: list[tuple[int, int]], language: str) -> tuple[str, ...]:
    """Return a BIO tag for each word; the slots are person, place, thing, food, animal and time."""
    found = [(name.start, name.end, name.kind) for name in names(sentence, language)]
    found += [(m.start, m.end, m.kind) for m in sentence.mentions if m.kind == "time"]
    return bio(spans, found)
