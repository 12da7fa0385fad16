"""The story world without words: who and what there is, the events, and what is true after them.

An :class:`Event` names its participants by letter, and the templates of every language use the
same letters:

=======  ==========================================  =======  =================================
letter   stands for                                  letter   stands for
=======  ==========================================  =======  =================================
A B      persons (A acts), W is both together        T U      things
P Q      places, Q where one goes                    X        a spot where a thing may lie
F G      foods                                       N        an animal or pet
D        a deed                                      M O      a mood, and the one before it
K        the cause of a mood                         C        a contrast (taller, heavier ...)
n m k    small numbers, k their sum                  V        a look (red, heavy ...)
=======  ==========================================  =======  =================================
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from bertlib.data.story.words import read_sections
from bertlib.errors import BertlibError

_ITEM = re.compile(r"([\w.-]+)(\+?)(?:\(([^)]*)\))?")


class StoryError(BertlibError):
    """An event that cannot happen, or a story that was asked for in words that nobody speaks."""


class Event(NamedTuple):
    """Something that happens: its kind and its participants by letter (see the module's table)."""

    kind: str
    roles: Mapping[str, str]


class Fact(NamedTuple):
    """One thing that a sentence makes true: the ``relation`` of ``subject`` is now ``value``.

    Relations: place, mood, holder (of a thing; "" is nobody), spot, not_spot, look, likes, habit,
    number, friend, ate. A later fact with the same relation and subject replaces an earlier one.
    """

    relation: str
    subject: str
    value: str


class Mood(NamedTuple):
    """A mood's polarity (+ or -) and its opposite."""

    polarity: str
    opposite: str


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One setting with the places, people, things, animals and deeds that belong to it (ids)."""

    name: str
    places: tuple[str, ...]
    roles: tuple[str, ...]
    things: tuple[str, ...]
    foods: tuple[str, ...]
    animals: tuple[str, ...]
    spots: tuple[str, ...]
    deeds: tuple[str, ...]
    senses: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Atlas:
    """Everything that exists. ``kind`` gives the sort of each id, ``pronoun`` f, m, n or p (plural)."""

    topics: tuple[Topic, ...]
    girls: tuple[str, ...]
    boys: tuple[str, ...]
    towns: tuple[str, ...]
    pets: dict[str, str]
    days: tuple[str, ...]
    parts: tuple[str, ...]
    weathers: tuple[str, ...]
    moods: dict[str, Mood]
    causes: dict[str, tuple[str, ...]]
    person_contrasts: tuple[str, ...]
    thing_contrasts: tuple[str, ...]
    looks: dict[str, tuple[str, ...]]
    materials: tuple[str, ...]
    bulky: tuple[str, ...]
    thieves: tuple[str, ...]
    kind: dict[str, str]
    pronoun: dict[str, str]


def _items(line: str) -> list[tuple[str, bool, tuple[str, ...]]]:
    return [
        (name, bool(plus), tuple(inner.split()))
        for name, plus, inner in _ITEM.findall(line.partition(":")[2])
    ]


def _names(lines: list[str], title: str) -> tuple[str, ...]:
    (line,) = (line for line in lines if line.startswith(f"{title}:"))
    return tuple(name for name, _, _ in _items(line))


@lru_cache(maxsize=1)
def load_atlas() -> Atlas:
    """Read ``world.txt`` (once a process)."""
    sections = read_sections("world")
    kind: dict[str, str] = {}
    pronoun: dict[str, str] = {}
    looks: dict[str, tuple[str, ...]] = {}
    inner: dict[str, tuple[str, ...]] = {}
    for lines in sections.values():
        for line in lines:
            title = line.partition(":")[0]
            for name, plural, extra in _items(line):
                kind.setdefault(name, title)
                pronoun[name] = {"girls": "f", "boys": "m"}.get(title, "p" if plural else "n")
                inner.setdefault(name, extra)
                if title in ("things", "foods"):
                    looks[name] = tuple(dict.fromkeys(looks.get(name, ()) + extra))
                if title == "roles":
                    pronoun[name] = extra[0] if extra else ""
    people, time, moods = sections["people"], sections["time"], sections["moods"]
    contrasts = sections["contrasts"]
    fields = ("places", "roles", "things", "foods", "animals", "spots", "deeds", "senses")
    return Atlas(
        topics=tuple(
            Topic(name=title.removeprefix("topic "), **{f: _names(lines, f) for f in fields})
            for title, lines in sections.items()
            if title.startswith("topic ")
        ),
        girls=_names(people, "girls"),
        boys=_names(people, "boys"),
        towns=_names(people, "towns"),
        pets={name: inner[name][0] for name in _names(people, "pets")},
        days=_names(time, "days"),
        parts=_names(time, "parts"),
        weathers=_names(time, "weathers"),
        moods={name: Mood(*extra) for name, _, extra in _items(moods[0])},
        causes={name: extra for name, _, extra in _items(moods[1])},
        person_contrasts=_names(contrasts, "person-contrasts"),
        thing_contrasts=_names(contrasts, "thing-contrasts"),
        looks=looks,
        **{title: _names(sections["traits"], title) for title in ("materials", "bulky", "thieves")},
        kind=kind,
        pronoun=pronoun,
    )


# kind -> (relation, subject letter, value letter): what must be true before, and what is true after.
# A letter that the event does not have stands for itself, so that "" is nobody.
REQUIREMENTS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "use": (("holder", "T", "A"),),
    "lesson": (("holder", "T", "A"),),
    "lose": (("holder", "T", "A"),),
    "find": (("holder", "T", ""),),
    "give": (("holder", "T", "A"),),
    "back": (("holder", "T", "A"),),
    "holds": (("holder", "T", "A"),),
    "turn": (("mood", "A", "O"),),
    "same": (("mood", "A", "M"),),
    "thief": (("holder", "T", "A"),),
    "drop": (("holder", "T", "N"),),
    "more": (("number", "N", "n"),),
    "go": (("place", "A", "P"),),
    "gotwo": (("place", "A", "P"), ("place", "B", "P")),
    "carry": (("holder", "T", "A"), ("place", "A", "P")),
    "bed": (("holder", "T", "A"),),
    "order": (("likes", "A", "F"), ("likes", "B", "G")),
}
CONSEQUENCES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "open": (("place", "A", "P"),),
    "openwith": (("place", "A", "P"), ("holder", "T", "A"), ("look", "T", "V")),
    "pet": (("place", "N", "P"),),
    "meet": (("place", "A", "P"), ("place", "B", "P")),
    "own": (("holder", "T", "A"), ("look", "T", "V")),
    "look": (("look", "T", "V"),),
    "lose": (("holder", "T", ""),),
    "seek": (("not_spot", "T", "X"),),
    "askwhere": (("spot", "T", "X"),),
    "find": (("spot", "T", "X"), ("holder", "T", "A")),
    "give": (("holder", "T", "B"),),
    "back": (("holder", "T", "B"),),
    "feel": (("mood", "A", "M"),),
    "turn": (("mood", "A", "M"),),
    "same": (("mood", "B", "M"),),
    "eat": (("ate", "A", "F"),),
    "share": (("ate", "A", "F"), ("ate", "B", "F")),
    "prefer": (("likes", "A", "F"), ("likes", "B", "G")),
    "thief": (("holder", "T", "N"),),
    "drop": (("holder", "T", ""), ("spot", "T", "X")),
    "count": (("number", "N", "n"),),
    "more": (("number", "N", "k"),),
    "differ": (("C", "A", "B"),),
    "compare": (("C", "T", "U"),),
    "go": (("place", "A", "Q"),),
    "gotwo": (("place", "A", "Q"), ("place", "B", "Q")),
    "carry": (("place", "A", "Q"),),
    "home": (("place", "A", "home"),),
}


class World:
    """What is true now. ``truth`` maps (relation, subject) to the latest value."""

    def __init__(self) -> None:
        self.truth: dict[tuple[str, str], str] = {}

    def get(self, relation: str, subject: str) -> str:
        """Return the present value, or "" where nothing is known."""
        return self.truth.get((relation, subject), "")

    def happen(self, event: Event) -> tuple[Fact, ...]:
        """Let an event happen and return the facts it makes true.

        Raises:
            StoryError: the event is impossible now (nobody can give what another holds).
        """
        roles = event.roles
        for relation, subject, value in REQUIREMENTS.get(event.kind, ()):
            needed, found = roles.get(value, value), self.get(relation, roles[subject])
            if found != needed:
                raise StoryError(
                    f"{event.kind} {dict(roles)} cannot happen: the {relation} of {roles[subject]} "
                    f"is {found!r}, expected {needed!r}"
                )
        facts = tuple(
            Fact(roles.get(relation, relation), roles[subject], roles.get(value, value))
            for relation, subject, value in CONSEQUENCES.get(event.kind, ())
        )
        for fact in facts:
            self.truth[fact.relation, fact.subject] = fact.value
        return facts
