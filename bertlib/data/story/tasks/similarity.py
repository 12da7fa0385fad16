"""How alike are two sentences, from 0 to 5? A number, as STS-B."""

from __future__ import annotations

from collections.abc import Iterator

from bertlib.data.examples import TextExample
from bertlib.data.story.plot import Plot
from bertlib.data.story.tasks.source import Source
from bertlib.data.story.telling import Sentence
from bertlib.data.story.world import Event

# the participants that an event cannot do without
PARTS = {
    "own": "AT", "lose": "AT", "give": "ABT", "back": "ABT", "seek": "ATX", "find": "ATX", "thief": "NT",
    "drop": "NTX", "share": "ABF", "gotwo": "ABQ", "carry": "ATQ",
}  # fmt: skip
SAME_KIND, SAME_PARTS = 2.0, 3.0
TRIES = 8


def similarity(source: Source) -> Iterator[TextExample]:
    """Yield pairs: the same retold, one participant exchanged, all of them, another event, another story."""
    turn = 0
    elsewhere: tuple[Plot, Event] | None = None
    for plot in source.plots():
        events = [event for event, _ in plot.events if event.kind in PARTS]
        if not events:
            continue
        first, last = events[0], (plot, events[-1])
        seconds = (
            (plot, first),
            (plot, _exchanged(source, plot, first, 1)),
            (plot, _exchanged(source, plot, first, 3)),
            last,
            elsewhere or last,
        )
        one, two = tell_fully(source, plot, first), tell_fully(source, *seconds[turn % 5])
        if one and two and one.text != two.text:
            yield TextExample(one.text, two.text, score(first, seconds[turn % 5][1]))
            turn += 1
        elsewhere = last


def score(first: Event, second: Event) -> float:
    """Return 2 points for the same kind of event, and up to 3 for the share of participants in common."""
    one, two = (parts(event) for event in (first, second))
    same_kind = SAME_KIND * (first.kind == second.kind)
    return round(same_kind + SAME_PARTS * len(one & two) / len(one | two), 2)


def parts(event: Event) -> set[str]:
    """Return who and what takes part."""
    return {event.roles[letter] for letter in PARTS[event.kind]}


def tell_fully(source: Source, plot: Plot, event: Event) -> Sentence | None:
    """Tell an event with all its participants; not every wording names them all."""
    for _ in range(TRIES):
        sentence = source.retell(plot, event)
        if parts(event) <= {ref for mention in sentence.mentions for ref in mention.ref.split("+")}:
            return sentence
    return None


def _exchanged(source: Source, plot: Plot, event: Event, count: int) -> Event:
    """Exchange some participants for others of their sort."""
    topic, children = plot.topic, source.among.children
    sorts = {
        "A": children, "B": children, "T": topic.things, "X": topic.spots, "N": topic.animals,
        "F": topic.foods, "Q": topic.places,
    }  # fmt: skip
    roles = dict(event.roles)
    for letter in source.shuffled(PARTS[event.kind])[:count]:
        roles[letter] = source.other(sorts[letter], *event.roles.values(), *roles.values())
    return Event(event.kind, roles)
