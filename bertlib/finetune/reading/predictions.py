"""Predictions as files: a JSON object a line for any task, and what the official scripts of two read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bertlib.errors import CorpusError, InputError
from bertlib.files import write_text
from bertlib.finetune.labels import Named
from bertlib.finetune.reading.opening import listed, open_text
from bertlib.finetune.reading.rows import ending, read_rows
from bertlib.finetune.reading.squad import read_json
from bertlib.finetune.reading.tables import as_label

INPUTS = ("name", "first", "second", "words", "question", "context", "prompt", "choices")  # all but labels
OFFICIAL = {".json": "SQuAD's and CMRC's answers", ".tsv": "GLUE's submissions"}
TOP = 5.0  # STS-B's similarities lie between 0 and this


def check_out(path: str | Path, official: str) -> None:
    """Refuse a name that promises a layout which the task does not have.

    Args:
        path: where predictions are to be written.
        official: what those end in that the task's official script reads; "": it has none.

    Raises:
        InputError: such a name.
    """
    kind = Path(path).suffix
    if kind in OFFICIAL and kind != official:
        raise InputError(
            f"{path}: a {kind} is for {OFFICIAL[kind]}; name it {Path(path).stem}.jsonl, for a JSON object a "
            "line"
        )


def write_predictions(
    path: str | Path,
    examples: Sequence[Named],
    predictions: Sequence[Any],
    *,
    task: str = "",
    data: str = "",
) -> None:
    """Write predictions in the layout that the file's name asks for.

    ``NAME.json``: one object of names and predictions, which the official scripts of SQuAD and CMRC read.
    ``NAME.tsv``: ``index`` and ``prediction``, as the leaderboard of GLUE wants them. Any other name: a line
    that says what was read, then one JSON object a line: ``{"name": …, "prediction": …}``.

    Args:
        path: the file.
        examples: what was read.
        predictions: one an example.
        task: its name on the command line; "": not said. STS-B's numbers ("stsb") are moved into 0 to 5.
        data: where the examples come from, for people.

    Raises:
        InputError: another number of predictions, or a name that occurs twice.
    """
    path, named = Path(path), by_name(examples, predictions)
    if path.suffix == ".json":
        text = json.dumps(named, ensure_ascii=False, indent=1) + "\n"
    elif path.suffix == ".tsv":
        if task == "stsb":
            named = {name: round(min(max(said, 0.0), TOP), 3) for name, said in named.items()}
        text = "index\tprediction\n" + "".join(f"{name}\t{said}\n" for name, said in named.items())
    else:
        header = {"task": task, "data": data, "texts": fingerprint(examples)}
        rows = [header, *({"name": name, "prediction": said} for name, said in named.items())]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_text(path, text)


def read_predictions(path: str | Path, examples: Sequence[Named], *, task: str = "") -> list[Any]:
    """Read a file of :func:`write_predictions`, whose name tells its layout; tuples come back as lists.

    Args:
        path: plain, ``.gz`` or ``.xz``; the line that says what was read may be missing.
        examples: what the predictions must be about, one for one.
        task: its name on the command line; "": any.

    Raises:
        CorpusError: a file that cannot be read, a line of another shape, a name twice; predictions for
            another task or data set.
    """
    header, found = read_named(path, numeric=task == "stsb")
    said = header.get("task") or task
    if task and said != task:
        raise CorpusError(f"{path} is a predictions file for another task: {said}; expected {task}")
    values = in_order(path, found, examples)
    if header and header.get("texts") != fingerprint(examples):
        source = f" ({header['data']})" if header.get("data") else ""
        raise CorpusError(
            f"{path} is a predictions file for another data set{source}: the names are the same, the texts "
            "are not"
        )
    return values


def read_named(path: str | Path, *, numeric: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what a file of predictions says of itself, if anything, and the predictions by name.

    Raises:
        CorpusError: as :func:`read_predictions`.
    """
    if ending(path) == ".json":
        whole = read_json(path)
        if not isinstance(whole, dict):
            raise CorpusError(
                f"{path} is a JSON {type(whole).__name__}; expected an object of names and answers"
            )
        return {}, whole
    header: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for number, row in table_rows(path, numeric) if ending(path) == ".tsv" else json_lines(path):
        if number == 1 and isinstance(row, dict) and "texts" in row:
            header = row
            continue
        if not isinstance(row, dict) or not row.keys() >= {"name", "prediction"}:
            raise CorpusError(
                f"{path}, line {number} is no prediction; expected an object with 'name' and 'prediction' a "
                "line (what official scripts read is called NAME.json or NAME.tsv)"
            )
        name = str(row["name"])
        if name in found:
            raise CorpusError(f"{path}, line {number}: the name {name!r} comes twice; expected one line each")
        found[name] = row["prediction"]
    return header, found


def table_rows(path: str | Path, numeric: bool) -> Iterator[tuple[int, Any]]:
    """Yield the lines of a submission to GLUE as if they were JSON."""
    for line, values in read_rows(path, ("index", "prediction"), delimiter="\t"):
        said = as_label(values["prediction"], f"{path}, line {line}", numeric)
        yield line, {"name": values["index"], "prediction": said}


def json_lines(path: str | Path) -> Iterator[tuple[int, Any]]:
    """Yield what each line holds; None where it is no JSON."""
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            try:
                yield number, json.loads(line)
            except json.JSONDecodeError:
                yield number, None


def fingerprint(examples: Sequence[Named]) -> str:
    """Return twelve letters and digits that stand for names and texts; labels and order do not count."""
    rows = [[getattr(one, field) for field in INPUTS if hasattr(one, field)] for one in examples]
    return hashlib.sha256("".join(sorted(map(json.dumps, rows))).encode()).hexdigest()[:12]


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
    """Return one prediction an example.

    Raises:
        CorpusError: examples without a prediction, or predictions without an example.
    """
    missing = [example.name for example in examples if example.name not in found]
    if missing:
        raise CorpusError(
            f"{path} holds {len(found)} predictions, but none for {len(missing)} of {len(examples)} examples "
            f"({listed(missing, 3)}); is it of another data set?"
        )
    left = list(found.keys() - {example.name for example in examples})
    if left:
        raise CorpusError(
            f"{path} holds {len(found)} predictions, and {len(left)} of them for none of the {len(examples)} "
            f"examples ({listed(sorted(left), 3)}); is it of another data set?"
        )
    return [found[example.name] for example in examples]
