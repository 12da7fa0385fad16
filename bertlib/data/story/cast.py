"""Who takes part in a document, and where: drawn from the whole country or from one village."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from bertlib.data.story.plot import Plot
from bertlib.data.story.telling import atlas, pick
from bertlib.data.story.world import Topic
from bertlib.errors import InputError

VALID_SHARE = 8  # one pair of heroes in so many belongs to the held-out stories


@dataclass(frozen=True, kw_only=True)
class Population:
    """Those among whom a cast is drawn (ids)."""

    topics: tuple[Topic, ...]
    children: tuple[str, ...]
    towns: tuple[str, ...]
    days: tuple[str, ...]


def population(world: str) -> Population:
    """Return everybody ("country"), or a handful whom a small model gets to know in a minute ("village").

    Raises:
        InputError: there is no such world.
    """
    full = atlas()
    if world == "country":
        return Population(
            topics=full.topics, children=full.girls + full.boys, towns=full.towns, days=full.days
        )
    if world == "village":
        return Population(
            topics=tuple(topic for topic in full.topics if topic.name in ("sea", "farm")),
            children=full.girls[:4] + full.boys[:4],
            towns=full.towns[:3],
            days=full.days[:3],
        )
    raise InputError(f"world is {world!r}; the stories play in a village or in the country: choose one")


def draw_cast(rng: Random, among: Population, *, held_out: bool) -> Plot:
    """Draw heroes, setting and what things look like."""
    world = atlas()
    topic = pick(rng, among.topics)
    while True:
        hero = pick(rng, among.children)
        friend = pick(rng, topic.roles if rng.random() < 0.35 else among.children)
        if friend != hero and is_held_out(hero, friend) == held_out:
            break
    pronouns = dict(world.pronoun)
    pronouns[friend] = pronouns[friend] or pick(rng, ("f", "m"))
    pronouns[f"{hero}+{friend}"] = pronouns[f"{friend}+{hero}"] = "p"
    return Plot(
        rng=rng,
        topic=topic,
        hero=hero,
        friend=friend,
        town=pick(rng, among.towns),
        day=pick(rng, among.days),
        part=pick(rng, world.parts),
        place=pick(rng, topic.places),
        looks={ident: pick(rng, world.looks[ident]) for ident in topic.things + topic.foods},
        pronouns=pronouns,
    )


def is_held_out(hero: str, friend: str) -> bool:
    """Say whether stories of these two are kept for testing; the order of the two does not matter."""
    return sum(map(ord, hero + friend)) % VALID_SHARE == 0
