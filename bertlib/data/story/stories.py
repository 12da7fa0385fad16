"""Stories by the document, the string or the file: the door to the story world."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from random import Random

from bertlib.data.story.cast import Population, population
from bertlib.data.story.chinese import Chinese
from bertlib.data.story.english import English
from bertlib.data.story.episodes import write_plot
from bertlib.data.story.telling import Sentence, Teller
from bertlib.errors import InputError
from bertlib.files import write_text

LANGUAGES: dict[str, type[Teller]] = {"en": English, "zh": Chinese}
SPLITS = ("train", "valid")


def stories(
    *, seed: int, language: str = "en", split: str = "train", world: str = "country"
) -> Iterator[list[Sentence]]:
    """Tell documents without end: sentences that know their event, their facts and who is mentioned where.

    Args:
        seed: the same seed gives the same documents everywhere.
        language: "en" or "zh".
        split: "train" or "valid"; no document stands in both, whatever the seeds.
        world: "country", or "village": fewer people, things and words, for a model with little time.

    Raises:
        InputError: a language that nobody speaks here, an unknown split or world.
    """
    _check(language, split)
    rng = Random(int.from_bytes(sha256(f"{seed} {language} {split}".encode()).digest()[:8], "big"))
    return _tell(rng, LANGUAGES[language], population(world), split)


def _check(language: str, split: str) -> None:
    if language not in LANGUAGES:
        raise InputError(
            f"language is {language!r}; the stories are told in {' and '.join(LANGUAGES)}: choose one"
        )
    if split not in SPLITS:
        raise InputError(f"split is {split!r}; expected {' or '.join(SPLITS)}")


def _tell(rng: Random, speaker: type[Teller], among: Population, split: str) -> Iterator[list[Sentence]]:
    while True:
        plot = write_plot(rng, among, split=split)
        settings = {"town": plot.town, "day": plot.day, "part": plot.part, **plot.looks}
        teller = speaker(rng, pronouns=plot.pronouns, settings=settings)
        yield [teller.tell(event, facts) for event, facts in plot.events]


def story_documents(
    *, seed: int, language: str = "en", split: str = "train", world: str = "country"
) -> Iterator[list[str]]:
    """Yield documents without end, each a list of sentences.

    Example:
        >>> next(story_documents(seed=0))[0]

    Raises:
        InputError: an unknown language, split or world.
    """
    told = stories(seed=seed, language=language, split=split, world=world)
    return ([sentence.text for sentence in document] for document in told)


def story_text(
    *, megabytes: float, seed: int, language: str = "en", split: str = "train", world: str = "country"
) -> str:
    """Return so much text (as UTF-8): one sentence a line, a blank line between documents.

    Raises:
        InputError: a size that is not positive, an unknown language, split or world.
    """
    if not megabytes > 0:
        raise InputError(f"megabytes is {megabytes}; expected more than 0, such as 2")
    documents: list[str] = []
    size = 0
    for sentences in story_documents(seed=seed, language=language, split=split, world=world):
        documents.append("\n".join(sentences) + "\n")
        size += len(documents[-1].encode()) + 1
        if size >= megabytes * 1e6:
            break
    return "\n".join(documents)


def write_corpus(
    path: Path | str,
    *,
    megabytes: float,
    seed: int,
    language: str = "en",
    split: str = "train",
    world: str = "country",
) -> Path:
    """Write stories into a txt file, all or nothing, and return its path.

    Args:
        path: the file; its folder is made where it is missing, an older file is replaced.
        megabytes: how much, in millions of bytes; the last document is always whole.
        seed: the same seed gives the same file everywhere.
        language: "en" or "zh".
        split: "train", or "valid" for text that shares no document with it.
        world: "country" or "village", see :func:`stories`.

    Raises:
        InputError: a size that is not positive, an unknown language, split or world.
        BertlibError: the file cannot be written.
    """
    text = story_text(megabytes=megabytes, seed=seed, language=language, split=split, world=world)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text)
    return path
