"""Which file of a folder is to train on, which to test on; and what to do where nobody has said so."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from bertlib.data.examples import QuestionExample
from bertlib.errors import CorpusError, InputError
from bertlib.finetune.reading.opening import PACKED

E = TypeVar("E")
WORDS = {
    "train": ("train", "training"),
    "dev": ("dev", "valid", "val", "validation", "testa"),
    "test": ("test", "testb", "trial"),
}


def split_file(source: Path, split: str, endings: Sequence[str]) -> Path | None:
    """Return the file of a split, such as ``train-v1.1.json.xz`` for "train"; None if there is none.

    Args:
        source: the folder.
        split: "train", "dev" or "test"; other words for them count too ("val", "trial").
        endings: of the files in question, such as ``.json``, without ``.xz`` and ``.gz``.

    Raises:
        CorpusError: no such folder, or several files that could be meant.
    """
    if not source.is_dir():
        raise CorpusError(f"there is no file or folder {source}; is the path spelt right?")
    found = [file for file in sorted(source.iterdir()) if file.is_file() and means(file.name, split, endings)]
    if len(found) > 1:
        names = ", ".join(file.name for file in found[:4])
        raise CorpusError(f"{source} has several files for {split!r}: {names}; name the one that is meant")
    return found[0] if found else None


def means(name: str, split: str, endings: Sequence[str]) -> bool:
    """Does a file's name say that it holds this split?"""
    plain = name.lower()
    for ending in PACKED:
        plain = plain.removesuffix(ending)
    words = re.split(r"[^a-z]+", plain)
    said = any(word in words for word in WORDS[split])
    return said and not name.startswith(".") and plain.endswith(tuple(endings))


def hold_out(examples: Sequence[E], share: float, seed: int) -> tuple[list[E], list[E]]:
    """Set a part of the examples aside, drawn at random; questions about one context stay together.

    Raises:
        InputError: a share outside (0, 1), or too few examples for it.
    """
    if not 0 < share < 1:
        raise InputError(f"hold-out is {share}; expected a share between 0 and 1, such as 0.1")
    keys = [one.context if isinstance(one, QuestionExample) else place for place, one in enumerate(examples)]
    groups = list(dict.fromkeys(keys))
    random.Random(seed).shuffle(groups)
    aside = set(groups[: round(share * len(groups))])
    if not aside or len(aside) == len(groups):
        raise InputError(
            f"{len(examples)} examples cannot be split {1 - share:.0%} to {share:.0%}; give held-out "
            "examples with --dev"
        )
    kept = [one for one, key in zip(examples, keys, strict=True) if key not in aside]
    return kept, [one for one, key in zip(examples, keys, strict=True) if key in aside]
