"""From a model and examples to verdicts and marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bertlib.errors import InputError
from bertlib.finetune.features import Features
from bertlib.finetune.metrics import Scores
from bertlib.finetune.task import Inputs, Outputs, Task
from bertlib.progress import progress_bar
from bertlib.tokenizer import WordPieceTokenizer

ROWS = 128  # a batch, when nothing has to be remembered for a gradient


@torch.no_grad()
def read_all(
    model: nn.Module, features: Features, size: int, *, progress: bool = False, **options: Any
) -> Iterator[tuple[np.ndarray, dict[str, Tensor], Any]]:
    """Ask a model about everything, in batches of ``size``, without dropout and without labels.

    Args:
        model: on any device; left in the mode, training or not, in which it came.
        features: what to ask about.
        size: of a batch.
        progress: show a bar when it takes longer.
        options: more arguments of the model.

    Yields:
        The numbers of a batch, the batch, and the model's output.
    """
    was_training, device = model.training, next(model.parameters()).device
    model.eval()
    with progress_bar(
        total=len(features), desc="reading", unit="text", disable=not progress, leave=False
    ) as bar:
        for chosen in features.sorted(size):
            batch = features.batch(chosen)
            asked = {name: value.to(device) for name, value in batch.items() if name not in features.labels}
            yield chosen, batch, model(**asked, **options)
            bar.update(len(chosen))
    model.train(was_training)


def run_head(
    model: nn.Module, features: Features, *, rows: int = ROWS, progress: bool = False
) -> dict[str, list[np.ndarray]]:
    """Write down what a body with its head says about everything.

    Args:
        model: as for :func:`read_all`.
        features: what to ask about.
        rows: at most so many at a time, choices counted one by one.
        progress: show a bar when it takes longer.

    Returns:
        By the name of the head's output, an array for each of ``len(features)``; what is said of pieces is
        cut to the row's own length.
    """
    found: dict[str, list[np.ndarray]] = {}
    size = max(rows // features.choices, 1)
    for chosen, batch, output in read_all(model, features, size, progress=progress):
        for name, values in logits_of(output).items():
            rows_of = found.setdefault(name, [np.zeros(0)] * len(features))
            for number, row in zip(chosen, trimmed(values, batch, features), strict=True):
                rows_of[number] = row
    return found


def logits_of(output: Any) -> dict[str, Tensor]:
    """Return the tensors a head has put out, without its loss."""
    return {name: value for name, value in output._asdict().items() if name != "loss" and value is not None}


def trimmed(values: Tensor, batch: dict[str, Tensor], features: Features) -> list[np.ndarray]:
    """Cut (B, T, …) to each row's own length; (B, K) stays."""
    arrays = values.float().cpu().numpy()
    if features.choices > 1 or arrays.ndim < 3:
        return list(arrays)
    lengths = batch["attention_mask"].sum(1).tolist()
    return [row[:length].copy() for row, length in zip(arrays, lengths, strict=True)]


def ask(model: nn.Module, task: Task, inputs: Inputs[Any], *, progress: bool = False) -> Outputs:
    """Return what the model says about examples.

    Raises:
        InputError: no examples, or such as the task cannot read.
    """
    for number, one in enumerate(inputs.examples, start=1):
        if isinstance(one, str):
            raise InputError(
                f"example {number} is a plain text ({one[:30]!r}); expected an example, such as "
                "TextExample('a text')"
            )
    return run_head(model, task.features(inputs, training=False), progress=progress)


def predict(
    model: nn.Module,
    task: Task,
    tokenizer: WordPieceTokenizer,
    examples: Sequence[Any],
    *,
    max_length: int,
    progress: bool = False,
) -> list[Any]:
    """Return a verdict on each example, in the words of the data.

    Raises:
        InputError: no examples, or such as the task cannot read.
    """
    inputs = Inputs(examples, tokenizer, max_length)
    return task.decide(ask(model, task, inputs, progress=progress), inputs)


def evaluate(
    model: nn.Module,
    task: Task,
    tokenizer: WordPieceTokenizer,
    examples: Sequence[Any],
    *,
    max_length: int,
    progress: bool = False,
) -> Scores:
    """Return the task's scores on examples whose labels are known.

    Raises:
        InputError: no examples, or a label that is missing or was not seen in training.
    """
    said = predict(model, task, tokenizer, examples, max_length=max_length, progress=progress)
    return task.score(said, examples)
