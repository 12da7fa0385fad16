"""Predictions as the leaderboard of GLUE wants them: one file a task, ``index`` and ``prediction``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bertlib.data.examples import TextExample
from bertlib.errors import InputError
from bertlib.files import write_text
from bertlib.finetune.reading.glue import glue_task
from bertlib.finetune.reading.opening import listed

SCORES = (0.0, 5.0)  # between these lie the similarities of STS-B


def write_glue_predictions(
    folder: str | Path,
    task: str,
    examples: Sequence[TextExample],
    predictions: Sequence[str | float],
    *,
    mismatched: bool = False,
) -> Path:
    """Write ``TASK.tsv`` for the leaderboard; of MNLI ``MNLI-m.tsv`` or, if so, ``MNLI-mm.tsv``.

    Args:
        folder: where to; it is made if need be.
        task: a name in ``GLUE``.
        examples: the test set as :func:`read_glue` returns it, whose names are the file's index.
        predictions: one an example: a label of the task, or a number in STS-B, moved into 0 to 5.
        mismatched: this is MNLI's other test set.

    Returns:
        The file.

    Raises:
        InputError: another number of predictions, a label that the task does not have, a mismatched set of
            another task.
    """
    known = glue_task(task)
    if len(examples) != len(predictions):
        raise InputError(f"{len(predictions)} predictions for {len(examples)} examples; expected as many")
    if mismatched and task != "MNLI":
        raise InputError(f"{task} has no mismatched test set; only MNLI has")
    wrong = next((word for word in predictions if known.labels and word not in known.labels), None)
    if wrong is not None:
        raise InputError(f"{task} has no label {wrong!r}; expected {listed(known.labels)}")
    low, high = SCORES
    words = [word if isinstance(word, str) else f"{min(max(word, low), high):.3f}" for word in predictions]
    lines = [f"{example.name}\t{word}\n" for example, word in zip(examples, words, strict=True)]
    path = Path(folder) / f"{task}{('-mm' if mismatched else '-m') if task == 'MNLI' else ''}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, "index\tprediction\n" + "".join(lines))
    return path
