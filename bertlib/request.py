"""What a pre-training run was asked for, and what came out of it."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertlib.blanks import Blank
from bertlib.errors import CheckpointError, ConfigError
from bertlib.files import write_text
from bertlib.recipes import Recipe
from bertlib.train import Evaluation


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to pre-train on, and where to put it.

    Raises:
        ConfigError: minutes that are none, a language or a world of stories for texts that are none.
    """

    out: Path
    recipe: Recipe
    sources: tuple[str, ...] = ()  # empty: the story world
    valid: tuple[str, ...] = ()  # empty: the end of the corpus is set aside
    tokenizer: str | None = None  # a folder or vocab.txt; None: train one
    start: str | None = None  # folder of a saved model whose weights are the first; None: random ones
    language: str = "en"  # of the story world
    world: str = "village"  # or "country": twelve settings instead of two
    encoding: str = "utf-8"
    errors: str = "strict"
    minutes: float | None = None  # of training; decides the number of steps
    device: str = "auto"

    def __post_init__(self) -> None:
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise ConfigError(f"minutes is {self.minutes}; expected more than 0")
        if self.sources and (self.language, self.world) != ("en", "village"):
            raise ConfigError(
                f"language {self.language} and world {self.world} are those of generated stories; with texts "
                "of your own leave out --language and --world"
            )

    def save(self) -> None:
        """Write ``run.json``."""
        values = dataclasses.asdict(self) | {"out": str(self.out)}
        write_text(self.out / "run.json", json.dumps(values, indent=2))

    @classmethod
    def load(cls, out: Path) -> Request:
        """Read the ``run.json`` of a run that is to go on.

        Raises:
            CheckpointError: there is none, it is damaged, or another version of bertlib wrote it.
        """
        file = out / "run.json"
        if not file.exists():
            raise CheckpointError(
                f"no run to resume in {out} (run.json is missing); give the folder of a run"
            )
        try:
            values = json.loads(file.read_text(encoding="utf-8"))
            if values["sources"]:  # older versions wrote down what such a run ignores
                values |= {"language": "en", "world": "village"}
            changes = {
                "out": out,
                "recipe": Recipe(**values["recipe"]),
                "sources": tuple(values["sources"]),
                "valid": tuple(values["valid"]),
            }
            return cls(**(values | changes))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
            raise CheckpointError(
                f"{file} cannot be used ({type(error).__name__}: {error}): it is damaged, or another "
                "version of bertlib wrote it; resume with that one, or start the run again in another folder"
            ) from error


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came out."""

    out: Path
    steps: int
    parameters: int
    vocab_size: int
    seconds: float  # the whole of it
    training_seconds: float
    evaluation: Evaluation | None
    baselines: dict[str, float]
    blanks: list[Blank] = field(default_factory=list)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON can hold it."""
        values = dataclasses.asdict(self) | {"out": str(self.out), "model": str(self.out / "model")}
        return values | {"evaluation": self.evaluation.to_dict() if self.evaluation else None}
