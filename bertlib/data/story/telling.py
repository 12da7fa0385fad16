"""Templates and discourse, shared by all languages: from an event to a sentence that knows itself.

A template is text with four kinds of marks::

    {A:him}          a participant in some form; ``{A}`` alone is a subject
    <was/were>       a verb that agrees with the subject before it; <said@A> names its subject,
                     <went@_> takes the word of a sense, <rang@-> one that is nobody
    [bank|bank.river]  a word used in one of its senses
    (old|new)        one of several wordings

Each template is compiled once into small steps; telling runs the steps and notes who was mentioned
where. A pronoun is used exactly when it is clear: of all that could take it, only the one who is meant
was mentioned so far in this sentence or, when nobody was, in the sentence before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple, TypeVar

from bertlib.data.story.words import read_sections
from bertlib.data.story.world import Atlas, Event, Fact, load_atlas


class Mention(NamedTuple):
    """A stretch of a sentence that stands for something: ``text[start:end]``.

    Attributes:
        kind: person, town, place, thing, food, animal, mood, time, look, verb, noun or sense.
        ref: the id of what is meant ("lily", also for "she"); the sense for kind "sense"
            ("bank.river"); the subject's id for a verb.
        form: name, noun, pronoun, possessive, verb or word.
        subject: for a verb, the index of its subject among the sentence's mentions; else -1.
    """

    start: int
    end: int
    kind: str
    ref: str
    form: str
    subject: int = -1


class Sentence(NamedTuple):
    """One sentence with the event it tells, the facts it makes true, and its mentions."""

    text: str
    event: Event
    facts: tuple[Fact, ...]
    mentions: tuple[Mention, ...]


Item = TypeVar("Item")
Step = Callable[["Teller"], None]
_COMPILED: dict[tuple[str, str], list[tuple[Step, ...]]] = {}  # each section is compiled once
_MARK = re.compile(
    r"\{(?P<slot>\w+)(?::(?P<form>\w+))?\}"
    r"|<(?P<verb>[^<>@/]+)(?:@(?P<who>[\w-]))?(?:/(?P<plural>[^<>@]+))?>"
    r"|\[(?P<word>[^\]|]+)\|(?P<sense>[^\]]+)\]"
    r"|\((?P<choice>[^()]+\|[^()]+)\)"
)


def pick(rng: Random, items: Sequence[Item]) -> Item:
    """Draw one item; only ``random()`` is used, the method Python promises never to change."""
    return items[int(rng.random() * len(items))]


class Teller:
    """Tells the events of one document; a subclass adds a language (see english.py, chinese.py).

    Args:
        rng: source of every wording.
        pronouns: id -> f, m, n or p, for everybody in the document.
        settings: what {day}, {part} and {town} stand for.
    """

    language = ""

    def __init__(self, rng: Random, *, pronouns: Mapping[str, str], settings: Mapping[str, str]) -> None:
        self.rng = rng
        self.pronouns = pronouns
        self.settings = settings
        self.before: dict[str, str] = {}
        self.now: dict[str, str] = {}
        self.start_sentence(Event("", {}))

    # --- one sentence -----------------------------------------------------------------------------
    def start_sentence(self, event: Event) -> None:
        """Clear the page for one sentence."""
        self.roles = event.roles
        self.before, self.now = self.now, {}
        self.out: list[str] = []
        self.position = 0
        self.mentions: list[Mention] = []
        self.letters: list[str] = []
        self.subject = -1
        self.waiting: list[tuple[int, str]] = []

    def tell(self, event: Event, facts: tuple[Fact, ...] = ()) -> Sentence:
        """Tell one event in one sentence.

        Args:
            event: what happens.
            facts: what it makes true (from ``World.happen``); kept on the sentence.
        """
        self.start_sentence(event)
        title = event.roles.get("title")  # sky, scenery, sense and change have one list a value
        for step in self.part(f"{event.kind} {title}" if title else f"event {event.kind}"):
            step(self)
        for index, letter in self.waiting:
            self._link(index, letter)
        return Sentence(self.finish("".join(self.out)), event, facts, tuple(self.mentions))

    def _link(self, verb: int, letter: str) -> None:
        """Give a verb whose subject was named by letter the nearest mention of it."""
        found = [index for index, other in enumerate(self.letters) if other == letter]
        if found:
            nearest = min(found, key=lambda index: abs(index - verb))
            self.mentions[verb] = self.mentions[verb]._replace(
                ref=self.mentions[nearest].ref, subject=nearest
            )

    # --- what steps call ----------------------------------------------------------------------------
    def say(self, text: str) -> None:
        """Add plain text."""
        self.out.append(text)
        self.position += len(text)

    def mention(self, text: str, kind: str, ref: str, form: str, letter: str = "") -> None:
        """Add text that stands for something."""
        start = self.position
        self.out.append(text)
        self.position = end = start + len(text)
        self.mentions.append(Mention(start, end, kind, ref, form))
        self.letters.append(letter)

    def verb(self, text: str, who: str) -> None:
        """Add a verb; its subject is ``who`` (a letter) or the last subject mentioned."""
        subject = self.subject
        start = self.position
        self.out.append(text)
        self.position = end = start + len(text)
        if who:
            self.waiting.append((len(self.mentions), who))
            subject = -1
        self.mentions.append(
            Mention(start, end, "verb", self.mentions[subject].ref if subject >= 0 else "", "verb", subject)
        )
        self.letters.append("")

    def clear(self, ref: str) -> bool:
        """Note a mention of ``ref`` and say whether a pronoun would have been clear."""
        gender = self.pronouns.get(ref, "n")
        here = self.now.get(gender)
        self.now[gender] = ref if here is None or here == ref else "*"
        return (here or self.before.get(gender)) == ref

    def identity(self, letter: str) -> str:
        """Return the id behind a letter; W is A and B together, S the subject so far."""
        if letter == "W":
            return f"{self.roles['A']}+{self.roles['B']}"
        if letter == "S":
            return self.mentions[self.subject].ref
        return self.roles[letter]

    def plural(self, letter: str) -> bool:
        """Say whether the subject (or the participant ``letter``) is plural."""
        if letter:
            return letter == "W" or self.pronouns.get(self.roles.get(letter, "")) == "p"
        if self.subject < 0:
            return False
        ref = self.mentions[self.subject].ref
        return "+" in ref or self.letters[self.subject] == "Ns" or self.pronouns.get(ref) == "p"

    # --- what a language adds -----------------------------------------------------------------------
    def finish(self, text: str) -> str:
        """Polish a whole sentence without moving any mention."""
        return text

    @classmethod
    def slot(cls, name: str, form: str) -> Step:
        """Return the step for ``{name:form}``.

        Raises:
            KeyError: the language knows no such slot or form.
        """
        raise NotImplementedError

    # --- compiling ----------------------------------------------------------------------------------
    def part(self, section: str) -> tuple[Step, ...]:
        """Draw one of the wordings of a section."""
        key = (self.language, section)
        if key not in _COMPILED:
            _COMPILED[key] = [self.compile(line) for line in read_sections(self.language)[section]]
        return pick(self.rng, _COMPILED[key])

    @classmethod
    def compile(cls, template: str) -> tuple[Step, ...]:
        """Turn a template into steps."""
        steps: list[Step] = []
        at = 0
        for mark in _MARK.finditer(template):
            if mark.start() > at:
                steps.append(_literal(template[at : mark.start()]))
            steps.append(cls._step(mark))
            at = mark.end()
        if at < len(template):
            steps.append(_literal(template[at:]))
        return tuple(steps)

    @classmethod
    def _step(cls, mark: re.Match[str]) -> Step:
        if mark["slot"]:
            return cls.slot(mark["slot"], mark["form"] or "")
        if mark["verb"]:
            return _verb(mark["verb"], mark["plural"] or mark["verb"], mark["who"] or "")
        if mark["word"]:
            return _sense(mark["word"], mark["sense"])
        return choose([cls.compile(part) for part in mark["choice"].split("|")])


def _literal(text: str) -> Step:
    return lambda teller: teller.say(text)


def _verb(singular: str, plural: str, who: str) -> Step:
    if singular == plural:
        return lambda teller: teller.verb(singular, who)
    return lambda teller: teller.verb(plural if teller.plural(who) else singular, who)


def _sense(word: str, sense: str) -> Step:
    def step(teller: Teller) -> None:
        teller.mention(word, "sense", sense, "word", "_")

    return step


def choose(options: list[tuple[Step, ...]]) -> Step:
    """Return a step that runs one of several step lists, drawn anew each time."""

    def step(teller: Teller) -> None:
        for inner in pick(teller.rng, options):
            inner(teller)

    return step


def tell_cause(teller: Teller) -> None:
    """Tell the cause of a mood, in one of its wordings."""
    for inner in teller.part(f"cause {teller.roles['K']}"):
        inner(teller)


@lru_cache(maxsize=1)
def atlas() -> Atlas:
    """Return the world that the languages speak of."""
    return load_atlas()
