"""Is somebody in a good or in a bad mood? Two classes, as SST-2."""

from __future__ import annotations

from collections.abc import Iterator

from bertlib.data.examples import TextExample
from bertlib.data.story.tasks.source import Source
from bertlib.data.story.telling import atlas
from bertlib.data.story.world import Event

LABELS = ("negative", "positive")


def sentiment(source: Source) -> Iterator[TextExample]:
    """Yield sentences about moods of this half of the world, in turn bad and good.

    The word for the mood need not be there, only what one does who feels so; and the opposite may be there
    ("not sad but happy").
    """
    wanted, moods = 0, atlas().moods
    for plot in source.plots():
        for place, (event, _) in enumerate(plot.events):
            if _is_ours(source, event) and (moods[event.roles["M"]].polarity == "+") == wanted:
                first = place - (source.chance(0.3) and "M" not in plot.events[place - 1][0].roles)
                yield TextExample(source.join(source.tell(plot, first, place + 1)), label=LABELS[wanted])
                wanted = 1 - wanted


def _is_ours(source: Source, event: Event) -> bool:
    """Say whether an event is about a mood, and all its moods belong to this half."""
    if event.kind not in ("feel", "turn", "same"):
        return False
    return {event.roles["M"], event.roles.get("O", event.roles["M"])} <= source.moods()
