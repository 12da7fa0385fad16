"""What a reader of a few sentences knows, and statements about it that are true, false or open.

Only what every wording of an event says counts as told: after "There it was, under the boat!" one knows where
the kite was, but not who has it now.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bertlib.data.story import chinese
from bertlib.data.story.plot import Plot
from bertlib.data.story.tasks.mentions import names_of
from bertlib.data.story.tasks.source import Source
from bertlib.data.story.telling import Sentence, atlas
from bertlib.data.story.world import Fact

# event -> the relations that each of its wordings tells
TOLD: dict[str, tuple[str, ...]] = {
    "own": ("holder", "look"),
    "look": ("look",),
    "give": ("holder",),
    "back": ("holder",),
    "holds": ("holder",),
    "lose": ("holder",),
    "thief": ("holder",),
    "askwhere": ("spot",),
    "find": ("spot",),
    "drop": ("spot",),
    "feel": ("mood",),
    "turn": ("mood",),
    "same": ("mood",),
    "count": ("number",),
    "gotwo": ("place",),
    "carry": ("place",),
    "differ": ("person-contrast",),
    "compare": ("thing-contrast",),
}
LEAVING = ("home", "bed", "dream")  # after these, nobody is where they went before
# A thing has one colour; it can be old and heavy at once.
COLOURS = ("black", "blue", "brown", "green", "pink", "purple", "red", "white", "yellow")
# relation -> the letters of subject and value in the statements about it
_LETTERS = {
    "holder": "TA", "look": "TV", "spot": "TX", "place": "AP", "mood": "AM", "number": "Nn",
    "person-contrast": "AB", "thing-contrast": "TU",
}  # fmt: skip


class Knowledge(NamedTuple):
    """What was told.

    Attributes:
        facts: (relation, subject) -> the fact, and which of the sentences told it; only where the latest word
            on it is clear.
        touched: every (relation, subject) that was spoken of, clear or not.
        seen: everybody and everything that took part.
        text: what was read, lower-cased.
    """

    facts: dict[tuple[str, str], tuple[Fact, int]]
    touched: set[tuple[str, str]]
    seen: set[str]
    text: str


def sort_of(relation: str) -> str:
    """Return the sort of a relation: its own name, or that all contrasts of persons (of things) share."""
    if relation in atlas().person_contrasts:
        return "person-contrast"
    return "thing-contrast" if relation in atlas().thing_contrasts else relation


def read(sentences: Sequence[Sentence], language: str) -> Knowledge:
    """Read sentences and remember what they tell."""
    known = Knowledge({}, set(), set(), " ".join(sentence.text for sentence in sentences).lower())
    for place, sentence in enumerate(sentences):
        known.seen.update(sentence.event.roles.values())
        for fact in (*sentence.facts, *_implied(sentence)):
            key = fact.relation, fact.subject
            known.touched.add(key)
            known.facts.pop(key, None)
            if _is_told(sentence, fact, language):
                known.facts[key] = fact, place
        if sentence.event.kind in LEAVING:
            for person in (sentence.event.roles["A"], sentence.event.roles["B"]):
                known.facts.pop(("place", person), None)
    return known


def _implied(sentence: Sentence) -> tuple[Fact, ...]:
    """Return facts that were true before and are said again."""
    roles = sentence.event.roles
    if sentence.event.kind == "holds":
        return (Fact("holder", roles["T"], roles["A"]),)
    return (Fact("mood", roles["A"], roles["M"]),) if sentence.event.kind == "same" else ()


def _is_told(sentence: Sentence, fact: Fact, language: str) -> bool:
    """Say whether the sentence tells a fact, with the names of all whom it is about."""
    if sort_of(fact.relation) not in TOLD.get(sentence.event.kind, ()):
        return False
    if fact.relation == "mood" and not mood_span(sentence, fact.value, language):
        return False
    named = {ref for mention in sentence.mentions for ref in mention.ref.split("+") if mention.kind != "verb"}
    return {fact.subject, fact.value if fact.relation not in ("look", "mood") else ""} <= named | {""}


def mood_span(sentence: Sentence, mood: str, language: str) -> tuple[int, int] | None:
    """Return where the word for a mood stands; None if only what one does who feels so is told."""
    word = chinese.words("moods")[mood][0] if language == "zh" else mood
    for mention in sentence.mentions:
        if mention.kind == "mood" and sentence.text[mention.start : mention.end].lower() == word:
            return mention.start, mention.end
    return None


def people(plot: Plot) -> tuple[str, str]:
    """Return the two persons of a story."""
    return plot.hero, plot.friend


def can_be_said(fact: Fact, plot: Plot) -> bool:
    """Say whether there are words for a fact: a holder must be a person, a look a colour."""
    if fact.relation == "holder":
        return fact.value in people(plot)
    return fact.relation != "look" or fact.value in COLOURS


def false_fact(source: Source, plot: Plot, fact: Fact) -> Fact:
    """Return another value for a fact that is true, which cannot be true as well."""
    relation, subject, value = fact
    if sort_of(relation).endswith("contrast"):
        return Fact(relation, value, subject)
    if relation == "mood":
        return Fact(relation, subject, atlas().moods[value].opposite)
    return Fact(relation, subject, source.other(_values(relation, plot), value))


def unknown(source: Source, plot: Plot, known: Knowledge, like: Fact) -> Fact | None:
    """Return something of the same sort that may or may not be true; None where nothing is left."""
    relation, _, value = like
    sort = sort_of(relation)
    if sort.endswith("contrast"):
        among = atlas().person_contrasts if sort == "person-contrast" else atlas().thing_contrasts
        return Fact(source.other(among, *(name for name, _ in known.touched)), like.subject, value)
    if sort in ("mood", "place"):
        subject = source.other(source.among.children, *people(plot))
    else:
        kind, among = ("animal", plot.topic.animals) if sort == "number" else ("thing", plot.topic.things)
        heard = (ref for ref in among if any(n in known.text for n in names_of(kind, ref, source.language)))
        subject = source.other(among, *known.seen, *heard)
    values = tuple(atlas().moods) if sort == "mood" else _values(relation, plot)
    return Fact(relation, subject, source.other(values)) if subject else None


def _values(relation: str, plot: Plot) -> tuple[str, ...]:
    return {
        "holder": people(plot),
        "look": COLOURS,
        "spot": plot.topic.spots,
        "place": plot.topic.places,
        "number": tuple(map(str, range(2, 7))),
    }.get(relation, ())


def claim(source: Source, plot: Plot, fact: Fact, *, holds: bool) -> Sentence:
    """Say that a fact holds, or that it does not."""
    return source.say(plot, sort_of(fact.relation), "yes" if holds else "no", *_roles(fact))


def ask(source: Source, plot: Plot, fact: Fact) -> Sentence:
    """Ask for the value of a fact."""
    return source.say(plot, "ask", fact.relation, *_roles(fact))


def _roles(fact: Fact) -> tuple[dict[str, str], dict[str, str]]:
    letters = _LETTERS[sort_of(fact.relation)]
    roles = {letters[0]: fact.subject, letters[1]: fact.value, "C": fact.relation}
    return roles, {fact.subject: fact.value} if fact.relation == "look" else {}
