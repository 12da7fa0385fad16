"""What happens: an opening, a few episodes, an end; all of it possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from bertlib.data.story.cast import Population, draw_cast
from bertlib.data.story.plot import Plot
from bertlib.data.story.telling import atlas, pick

SHORTEST, LONGEST = 6, 14  # sentences a document

Step = tuple[str, dict[str, str]]  # an event's kind and its roles beyond those of the scene
Episode = Callable[[Plot], Iterator[Step]]


def write_plot(rng: Random, among: Population, *, split: str) -> Plot:
    """Invent one document.

    The held-out stories are about other pairs of heroes than those to train on; as both heroes are
    named in every document, no document can stand in both.
    """
    plot = draw_cast(rng, among, held_out=split == "valid")
    length = SHORTEST + int(rng.random() * (LONGEST - SHORTEST + 1))
    for kind, roles in _opening(plot):
        plot.add(kind, roles)
    # No episode comes twice in a row, so that the document moves on.
    last: Episode | None = None
    while len(plot.events) < length - 1:
        episode = pick(rng, [one for one in EPISODES if one is not last])
        last = episode
        for kind, roles in episode(plot):
            plot.add(kind, roles)
            if len(plot.events) >= length - 1:
                break
    plot.add(*_ending(plot))
    return plot


# --- beginnings and ends ----------------------------------------------------------------------------------
def _opening(plot: Plot) -> Iterator[Step]:
    if plot.chance(0.3):
        yield "openwith", _thing(plot)
    else:
        yield "open", {}
    if plot.chance(0.3):
        plot.weather = plot.pick(atlas().weathers)
        yield "sky", {"title": plot.weather}
    elif plot.chance(0.3):
        yield "pet", {"N": plot.fresh(tuple(atlas().pets))}
    if plot.chance(0.2):
        yield "wait", {}
        feeling = plot.mood("waited")
        yield "feel", feeling
        yield "meet", {}
        yield "turn", {"M": atlas().moods[feeling["M"]].opposite, "O": feeling["M"]}
    else:
        yield "meet", {}


def _ending(plot: Plot) -> Step:
    small = [thing for thing in plot.topic.things if thing not in atlas().bulky]
    kept = [thing for thing in small if plot.holds(plot.hero, thing)]
    done = [event.roles["D"] for event, _ in plot.events if event.kind == "deed"]
    endings: list[Step] = [("home", {}), ("home", {}), ("dream", {"N": plot.pick(plot.topic.animals)})]
    endings += [("bed", {"T": thing}) for thing in kept[:2]]
    endings += [("plan", {"D": deed}) for deed in done[:2]]
    return pick(plot.rng, endings)


# --- episodes: each gives events one by one, and sees what is true when it goes on -------------------------
def _thing(plot: Plot) -> dict[str, str]:
    """Draw a thing nobody had so far (any, when all were had) with the look it has."""
    thing = plot.fresh(plot.topic.things)
    return {"T": thing, "V": plot.looks[thing]} if thing else {}


def _held(plot: Plot) -> str:
    """Return the thing the hero holds, if any."""
    return next((thing for thing in plot.topic.things if plot.holds(plot.hero, thing)), "")


def _thing_episode(plot: Plot) -> Iterator[Step]:
    thing = _held(plot)
    if not thing or f"{thing} told" in plot.used:
        roles = _thing(plot)
        if not roles:
            return
        thing = roles["T"]
        yield "own", roles
    plot.used.add(f"{thing} told")
    told = {"T": thing, "V": plot.looks[thing]}
    if plot.chance(0.4) and plot.looks[thing] not in atlas().materials:
        yield "look", told
    if plot.chance(0.6):
        yield "use", told
    if plot.chance(0.25):
        yield "lesson", told
    fates = [_give, _compare] if thing in atlas().bulky else [_lose, _lose, _give, _give, _thief, _compare]
    yield from pick(plot.rng, fates)(plot, told)


def _lose(plot: Plot, told: dict[str, str]) -> Iterator[Step]:
    yield "lose", told
    feeling = plot.mood("lost")
    if plot.chance(0.7):
        yield "feel", told | feeling
    lies = plot.pick(plot.topic.spots)
    for spot in plot.topic.spots:
        if spot != lies and plot.chance(0.4):
            yield "seek", told | {"X": spot}
    if plot.chance(0.35):
        yield "askwhere", told | {"X": lies}
    yield "find", told | {"X": lies}
    yield from _after(plot, told, plot.mood("found"))


def _after(plot: Plot, told: dict[str, str], feeling: dict[str, str]) -> Iterator[Step]:
    """Yield how the hero feels now; where the opposite was true, say that it turned."""
    before = plot.world.get("mood", plot.hero)
    moods = atlas().moods
    if before and moods[before].polarity != moods[feeling["M"]].polarity:
        yield "turn", told | feeling | {"O": before}
    elif before != feeling["M"]:
        yield "feel", told | feeling
    if plot.chance(0.3):
        yield "same", feeling | {"M": plot.world.get("mood", plot.hero)}


def _give(plot: Plot, told: dict[str, str]) -> Iterator[Step]:
    yield "give", told
    swapped = told | {"A": plot.friend, "B": plot.hero}
    if plot.chance(0.6):
        yield "thank", swapped
    if plot.chance(0.5):
        yield "holds", swapped
    if plot.chance(0.6):
        yield "feel", swapped | plot.mood("got")
    if plot.chance(0.4):
        yield "use", swapped
    if plot.chance(0.3):
        yield "back", swapped


def _thief(plot: Plot, told: dict[str, str]) -> Iterator[Step]:
    animals = tuple(animal for animal in plot.topic.animals if animal in atlas().thieves)
    if not animals:
        yield from _lose(plot, told)
        return
    animal = {"N": plot.pick(animals)}
    yield "animal", animal
    yield "thief", told | animal
    if plot.chance(0.6):
        yield "chase", told | animal
    lies = {"X": plot.pick(plot.topic.spots)}
    yield "drop", told | animal | lies
    yield "find", told | lies
    yield from _after(plot, told, plot.mood("found"))


def _compare(plot: Plot, told: dict[str, str]) -> Iterator[Step]:
    others = tuple(
        other
        for other in plot.topic.things
        if other != told["T"] and plot.pronouns[other] != "p" and plot.pronouns[told["T"]] != "p"
    )
    if others:
        yield "compare", told | {"U": plot.pick(others), "C": plot.pick(atlas().thing_contrasts)}


def _food_episode(plot: Plot) -> Iterator[Step]:
    food = plot.fresh(plot.topic.foods)
    other = plot.pick(tuple(one for one in plot.topic.foods if one != food))
    if not food:
        return
    roles = {"F": food, "M": plot.pick(("happy", "hungry", "cheerful", "calm"))}
    way = plot.rng.random()
    if way < 0.35 and "prefer" not in plot.used:
        plot.used.add("prefer")
        yield "prefer", roles | {"G": other}
        yield "order", roles | {"G": other}
        yield "taste", roles
    elif way < 0.7:
        yield "offer", roles
        yield "share", roles
        if plot.chance(0.5):
            yield "taste", roles
    else:
        yield "feel", roles | {"M": "hungry", "K": "starved"}
        yield "eat", roles
        yield "turn", roles | {"M": "full", "O": "hungry"}


def _animal_episode(plot: Plot) -> Iterator[Step]:
    animal = plot.fresh(plot.topic.animals)
    if not animal:
        return
    roles = {"N": animal}
    if plot.chance(0.5):
        count, more = 2 + int(plot.rng.random() * 5), 2 + int(plot.rng.random() * 4)
        numbers = roles | {"n": str(count), "m": str(more), "k": str(count + more)}
        yield "count", numbers
        if plot.chance(0.5):
            yield "more", numbers
        if plot.chance(0.5):
            yield "one", roles
    else:
        yield "animal", roles
        if plot.chance(0.4):
            yield "kind", roles
        if plot.chance(0.4):
            yield "simile", roles
        if plot.chance(0.3):
            yield "feel", roles | plot.mood("show")


def _deed_episode(plot: Plot) -> Iterator[Step]:
    deed = plot.fresh(plot.topic.deeds)
    if not deed:
        return
    roles = {"D": deed, "M": plot.pick(("happy", "calm", "excited", "cheerful", "proud"))}
    if plot.chance(0.6):
        yield "wish", roles
    yield "deed", roles
    if plot.chance(0.3):
        yield "skill", roles
    if plot.chance(0.6):
        yield from _after(plot, roles, plot.mood("made"))


def _mood_episode(plot: Plot) -> Iterator[Step]:
    cause = plot.fresh(("friend", "praised", "slept"))
    if cause:
        yield from _after(plot, {}, plot.mood(cause))


def _person_episode(plot: Plot) -> Iterator[Step]:
    if atlas().kind[plot.friend] == "roles" and plot.chance(0.7):
        yield "job", {}
    elif "differ" not in plot.used:
        plot.used.add("differ")
        yield "differ", {"C": plot.pick(atlas().person_contrasts)}


def _scene_episode(plot: Plot) -> Iterator[Step]:
    # Only rain can stop: a change into sunshine needs it.
    possible = (one for one in atlas().weathers if one != "sunny" or plot.weather == "rainy")
    weathers = tuple(one for one in possible if one != plot.weather)
    if plot.chance(0.3):
        plot.weather = plot.pick(weathers)
        yield "change", {"title": plot.weather}
    elif plot.fresh((f"scenery {len(plot.events) > 7}",)):
        yield "scenery", {"title": plot.topic.name}


def _sense_episode(plot: Plot) -> Iterator[Step]:
    sense = plot.fresh(plot.topic.senses)
    if sense:
        wished = tuple(thing for thing in plot.topic.things if not plot.world.get("holder", thing))
        yield "sense", {"title": sense, "T": plot.pick(wished), "F": plot.pick(plot.topic.foods)}


def _walk_episode(plot: Plot) -> Iterator[Step]:
    goal = plot.pick(tuple(place for place in plot.topic.places if place != plot.place))
    thing = _held(plot)
    if thing and thing not in atlas().bulky and plot.chance(0.4):
        yield "carry", {"T": thing, "Q": goal}
        plot.world.truth["place", plot.friend] = goal
    else:
        yield "gotwo", {"Q": goal}
    plot.place = goal
    if plot.chance(0.4) and "walked" not in plot.used:
        plot.used.add("walked")
        yield from _after(plot, {}, plot.mood("walked"))


EPISODES: tuple[Episode, ...] = (
    _thing_episode,
    _thing_episode,
    _thing_episode,
    _food_episode,
    _animal_episode,
    _deed_episode,
    _deed_episode,
    _mood_episode,
    _person_episode,
    _scene_episode,
    _sense_episode,
    _sense_episode,
    _walk_episode,
)
