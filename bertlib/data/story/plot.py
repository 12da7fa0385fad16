"""A document as it grows: who takes part, what has happened, what is true now."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from bertlib.data.story.telling import atlas, pick
from bertlib.data.story.world import Event, Fact, Topic, World


@dataclass(kw_only=True)
class Plot:
    """A document as it grows: who takes part, what has happened, what is true now.

    Attributes:
        topic: where it plays.
        hero: letter A, a child.
        friend: letter B, another child or somebody with a profession.
        town, day, part: when and where.
        looks: what each thing and food of the topic looks like in this document.
        pronouns: f, m, n or p for everybody and everything.
        events: what has happened, with the facts that each event made true.
    """

    rng: Random
    topic: Topic
    hero: str
    friend: str
    town: str
    day: str
    part: str
    place: str
    looks: dict[str, str]
    pronouns: dict[str, str]
    world: World = field(default_factory=World)
    events: list[tuple[Event, tuple[Fact, ...]]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)  # what need not come twice
    weather: str = ""

    def add(self, kind: str, roles: dict[str, str]) -> None:
        """Let something happen; who and where come from the scene unless ``roles`` says otherwise.

        Raises:
            StoryError: it is impossible now.
        """
        event = Event(kind, {"A": self.hero, "B": self.friend, "P": self.place, **roles})
        self.events.append((event, self.world.happen(event)))

    def chance(self, share: float) -> bool:
        """Say yes in so many of all cases."""
        return self.rng.random() < share

    def pick(self, items: tuple[str, ...]) -> str:
        """Draw one id."""
        return pick(self.rng, items)

    def fresh(self, items: tuple[str, ...]) -> str:
        """Draw an id that was not drawn so before, or "" when none is left."""
        left = [item for item in items if item not in self.used]
        if not left:
            return ""
        choice = pick(self.rng, left)
        self.used.add(choice)
        return choice

    def holds(self, person: str, thing: str) -> bool:
        """Say whether a person has a thing now."""
        return bool(thing) and self.world.get("holder", thing) == person

    def mood(self, cause: str) -> dict[str, str]:
        """Return a mood that the cause brings about, with the cause."""
        return {"M": self.pick(atlas().causes[cause]), "K": cause}
