"""Predictions as files: SQuAD's JSON of id and answer, or a JSON object a line for any task."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from bertlib.errors import CorpusError, InputError
from bertlib.files import write_text
from bertlib.finetune.reading.opening import listed, open_text
from bertlib.finetune.reading.squad import read_json


class Named(Protocol):
    """Any example."""

    @property
    def name(self) -> str:
        """What the example is called in its file."""


def write_squad_predictions(path: str | Path, examples: Sequence[Named], answers: Sequence[str]) -> None:
    """Write ``{id: answer}``, which SQuAD's official script reads; "" says that there is no answer.

    Raises:
        InputError: another number of answers, or a name that occurs twice.
    """
    write_text(Path(path), json.dumps(by_name(examples, answers), ensure_ascii=False, indent=1) + "\n")


def read_squad_predictions(path: str | Path, examples: Sequence[Named]) -> list[str]:
    """Read ``{id: answer}`` and return the answers in the order of the examples.

    Raises:
        CorpusError: a file that cannot be read or has another shape; predictions of another data set.
    """
    found = read_json(path)
    if not isinstance(found, dict) or not all(isinstance(answer, str) for answer in found.values()):
        raise CorpusError(f"{path} is no predictions file; expected one JSON object of ids and answers")
    return in_order(path, found, examples)


def write_predictions(path: str | Path, examples: Sequence[Named], predictions: Sequence[Any]) -> None:
    """Write one JSON object a line: ``{"name": …, "prediction": …}``.

    Raises:
        InputError: another number of predictions, or a name that occurs twice.
    """
    named = by_name(examples, predictions).items()
    lines = [
        json.dumps({"name": name, "prediction": said}, ensure_ascii=False) + "\n" for name, said in named
    ]
    write_text(Path(path), "".join(lines))


def read_predictions(path: str | Path, examples: Sequence[Named]) -> list[Any]:
    """Read a file of :func:`write_predictions`; tuples come back as lists.

    Raises:
        CorpusError: a file that cannot be read, a line of another shape; predictions of another data set.
    """
    found: dict[str, Any] = {}
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                row = json.loads(line)
                found[str(row["name"])] = row["prediction"]
            except (json.JSONDecodeError, KeyError, TypeError):
                raise CorpusError(
                    f"{path}, line {number} is no prediction; expected an object with 'name' and 'prediction'"
                ) from None
    return in_order(path, found, examples)


def by_name(examples: Sequence[Named], predictions: Sequence[Any]) -> dict[str, Any]:
    """Put predictions under the names of their examples.

    Raises:
        InputError: another number of predictions, or a name that occurs twice.
    """
    if len(examples) != len(predictions):
        raise InputError(f"{len(predictions)} predictions for {len(examples)} examples; expected as many")
    named = {example.name: said for example, said in zip(examples, predictions, strict=True)}
    if len(named) < len(examples):
        raise InputError(f"{len(examples)} examples share {len(named)} names; expected one name each")
    return named


def in_order(path: str | Path, found: Mapping[str, Any], examples: Sequence[Named]) -> list[Any]:
    """Return one prediction an example; more predictions than examples do no harm.

    Raises:
        CorpusError: examples without a prediction.
    """
    missing = [example.name for example in examples if example.name not in found]
    if missing:
        raise CorpusError(
            f"{path} holds {len(found)} predictions, but none for {len(missing)} of {len(examples)} examples "
            f"({listed(missing, 3)}); is it of another data set?"
        )
    return [found[example.name] for example in examples]
