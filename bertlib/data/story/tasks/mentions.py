"""Which words of a sentence name somebody or something, and what sort it is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from bertlib.data.story import chinese, english_words
from bertlib.data.story.telling import Mention, Sentence, atlas

TAGS = {"person": "PER", "town": "LOC", "place": "LOC", "animal": "ANIMAL", "thing": "THING", "food": "FOOD"}
_SECTIONS = {"place": "places", "thing": "things", "food": "foods"}
_WORDS = {"en": re.compile(r"\w+|[^\w\s]"), "zh": re.compile(r"[A-Za-z0-9]+|\S")}


class Name(NamedTuple):
    """A stretch of text that names something: ``text[start:end]``, without article, look or case ending."""

    start: int
    end: int
    kind: str
    ref: str


def words_of(text: str, language: str) -> list[tuple[int, int]]:
    """Return where the words are; in Chinese every character is one."""
    return [match.span() for match in _WORDS[language].finditer(text)]


@lru_cache(maxsize=4096)
def names_of(kind: str, ref: str, language: str) -> tuple[str, ...]:
    """Return what something is called, lower-cased, longest first."""
    if kind == "animal":
        return _animal_names(ref, language)
    if language == "zh":
        if kind in _SECTIONS:
            return (chinese.words(_SECTIONS[kind])[ref][0],)
        return (chinese.name_of(ref),)
    if kind in ("person", "town"):
        return (english_words.name_of(ref).removeprefix("the ").lower(),)
    return (english_words.spelled(ref),)


def _animal_names(ref: str, language: str) -> tuple[str, ...]:
    pets = atlas().pets
    species = pets.get(ref, ref)
    tables = chinese.words if language == "zh" else english_words.words
    own = (tables("people")[ref][0].lower(),) if ref in pets else ()
    row = tables("animals")[species]
    return own + ((row[0],) if language == "zh" else (row[0], species))


def names(sentence: Sentence, language: str) -> list[Name]:
    """Return the names in a sentence from left to right; pronouns and "the girl" are none."""
    found = []
    for mention in sentence.mentions:
        if mention.kind in TAGS and mention.form != "pronoun":
            for ref in mention.ref.split("+"):
                place = _find(sentence.text, mention, ref, language)
                if place:
                    found.append(Name(*place, mention.kind, ref))
    return sorted(found)


def _find(text: str, mention: Mention, ref: str, language: str) -> tuple[int, int] | None:
    lower = text.lower()
    for name in names_of(mention.kind, ref, language):
        start = lower.rfind(name, mention.start, mention.end)
        if start >= 0:
            return start, start + len(name)
    return None


def bio(spans: Sequence[tuple[int, int]], tagged: Sequence[tuple[int, int, str]]) -> tuple[str, ...]:
    """Return a tag for each word: B- where a stretch begins, I- where it goes on, O elsewhere.

    Args:
        spans: where the words are, from :func:`words_of`.
        tagged: stretches of the same text (start, end) with their tags.
    """
    tags = []
    for word, _ in spans:
        tag, begins = next(((tag, word == a) for a, b, tag in tagged if a <= word < b), ("", False))
        tags.append(f"{'B' if begins else 'I'}-{tag}" if tag else "O")
    return tuple(tags)


@lru_cache(maxsize=4)
def _any_name(language: str) -> re.Pattern[str]:
    """Return a pattern for everything that has a name in this world."""
    groups = {"person": ("girls", "boys", "roles"), "town": ("towns",), "animal": ("pets", "animals")}
    groups |= {kind: (section,) for kind, section in _SECTIONS.items()}
    wanted = {title: kind for kind, titles in groups.items() for title in titles}
    known = {
        name
        for ref, title in atlas().kind.items()
        if title in wanted
        for name in names_of(wanted[title], ref, language)
    }
    body = "|".join(re.escape(name) for name in sorted(known, key=lambda name: (-len(name), name)))
    return re.compile(body if language == "zh" else rf"\b(?:{body})\b")


def names_nothing_else(sentence: Sentence, found: list[Name], language: str) -> bool:
    """Say whether no word outside ``found`` is the name of something ("the clock on the tower")."""
    text = sentence.text.lower()
    for name in found:
        text = text[: name.start] + "." * (name.end - name.start) + text[name.end :]
    return not _any_name(language).search(text)
