"""Where labelled examples come from: one half of the world is labelled, the exam is about the other half.

Every second child, town, setting and mood belongs to the labelled half. So the people, places and things of
the exam have no labels anywhere; a model knows them from pre-training or not at all. This is what
pre-training is for: text is plentiful, labels are not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from random import Random
from typing import TypeVar

from bertlib.data.story.cast import Population, population
from bertlib.data.story.episodes import write_plot
from bertlib.data.story.plot import Plot
from bertlib.data.story.stories import LANGUAGES
from bertlib.data.story.telling import Sentence, Teller, atlas, pick
from bertlib.data.story.world import Event
from bertlib.errors import InputError

SPLITS = ("train", "dev", "test")
Item = TypeVar("Item")
_ASKERS: dict[str, type[Teller]] = {
    name: type(f"Asker{name}", (teller,), {"language": f"tasks/{teller.language}"})
    for name, teller in LANGUAGES.items()
}


@dataclass(frozen=True, kw_only=True)
class Source:
    """Stories of one split, and sentences about them.

    Attributes:
        rng: source of everything that is drawn.
        language: "en" or "zh".
        split: "train" from the labelled half; "dev" and "test" from the other half, the test with heroes who
            never meet in a training text (see ``cast.is_held_out``). No two splits share a document.
        among: who and what there is in this half.
    """

    rng: Random
    language: str
    split: str
    among: Population

    @classmethod
    def of(cls, name: str, *, split: str, seed: int, language: str, world: str) -> Source:
        """Make the source of one task.

        Raises:
            InputError: an unknown split, language or world.
        """
        if split not in SPLITS:
            raise InputError(f"split is {split!r}; expected {', '.join(SPLITS)}")
        if language not in LANGUAGES:
            raise InputError(
                f"language is {language!r}; the stories are told in {' and '.join(LANGUAGES)}: choose one"
            )
        full, labelled = population(world), split == "train"
        digest = sha256(f"{name} {seed} {language} {split} {world}".encode()).digest()
        return cls(
            rng=Random(int.from_bytes(digest[:8], "big")),
            language=language,
            split=split,
            among=Population(
                topics=half(full.topics, labelled=labelled),
                children=half(full.children, labelled=labelled),
                towns=half(full.towns, labelled=labelled),
                days=full.days,
            ),
        )

    def plots(self) -> Iterator[Plot]:
        """Invent stories without end."""
        while True:
            yield write_plot(self.rng, self.among, split="valid" if self.split == "test" else "train")

    def tell(self, plot: Plot, first: int = 0, last: int | None = None) -> list[Sentence]:
        """Tell ``plot.events[first:last]`` as if nothing had been said before: every pronoun is explained."""
        teller = self._teller(LANGUAGES, plot, {})
        return [teller.tell(event, facts) for event, facts in plot.events[first:last]]

    def retell(self, plot: Plot, event: Event) -> Sentence:
        """Tell one event in the words of the stories."""
        return self._teller(LANGUAGES, plot, {}).tell(event)

    def say(
        self, plot: Plot, kind: str, title: str, roles: dict[str, str], looks: dict[str, str] | None = None
    ) -> Sentence:
        """Say something about a story in the words of this folder's text files, section ``kind title``."""
        event = Event(kind, {"A": plot.hero, "B": plot.friend, **roles, "title": title})
        return self._teller(_ASKERS, plot, looks or {}).tell(event)

    def _teller(self, tellers: dict[str, type[Teller]], plot: Plot, looks: dict[str, str]) -> Teller:
        settings = {"town": plot.town, "day": plot.day, "part": plot.part, **plot.looks, **looks}
        return tellers[self.language](self.rng, pronouns=plot.pronouns, settings=settings)

    def join(self, sentences: list[Sentence]) -> str:
        """Return sentences as one text."""
        return self.gap.join(sentence.text for sentence in sentences)

    @property
    def gap(self) -> str:
        """What stands between two sentences."""
        return "" if self.language == "zh" else " "

    def chance(self, share: float) -> bool:
        """Say yes in so many of all cases."""
        return self.rng.random() < share

    def window(self, plot: Plot, *, longest: int) -> tuple[int, int]:
        """Draw neighbouring events ``[first:last]``, at most ``longest`` of them."""
        length = 1 + int(self.rng.random() * longest)
        first = int(self.rng.random() * (len(plot.events) - length + 1))
        return first, first + length

    def moods(self) -> frozenset[str]:
        """Return the moods of this half; a mood and its opposite are always in the same one."""
        return mood_half(labelled=self.split == "train")

    def shuffled(self, items: Sequence[Item]) -> list[Item]:
        """Return the items in another order."""
        rest = list(items)
        out: list[Item] = []
        while rest:
            out.append(rest.pop(int(self.rng.random() * len(rest))))
        return out

    def other(self, items: tuple[str, ...], *unlike: str) -> str:
        """Draw an item that is none of ``unlike``; "" where there is none."""
        left = [item for item in items if item not in unlike]
        return pick(self.rng, left) if left else ""


def half(items: tuple[Item, ...], *, labelled: bool) -> tuple[Item, ...]:
    """Return every second item, from the first for the labelled half."""
    return items[0 if labelled else 1 :: 2]


def mood_half(*, labelled: bool) -> frozenset[str]:
    """Return half of the moods, opposites together."""
    moods = atlas().moods
    pairs = [name for name, mood in moods.items() if moods[mood.opposite].opposite == name]
    firsts = [name for name in pairs if list(moods).index(name) < list(moods).index(moods[name].opposite)]
    chosen = {
        name for first in half(tuple(firsts), labelled=labelled) for name in (first, moods[first].opposite)
    }
    loose = {name for name, mood in moods.items() if name not in pairs and mood.opposite in chosen}
    return frozenset(chosen | loose)
