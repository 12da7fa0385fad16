"""Is it the same run? What has to be equal when a run is resumed, and how a difference is named."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from bertlib.config import BertConfig
from bertlib.data.batches import PreTrainingBatches
from bertlib.errors import CheckpointError, ConfigError
from bertlib.train.config import TrainingConfig


def settings_of(
    config: TrainingConfig, model: BertConfig, batches: PreTrainingBatches, *, processes: int
) -> dict[str, dict[str, Any]]:
    """Return all that the final weights follow from, as a checkpoint keeps it.

    The text itself is known by its size. The kind of device is there because masks and dropout are drawn on
    it, and a GPU has other dice than a CPU.
    """
    corpus = batches.corpus
    return {
        "training": config.learning_fields(),
        "processes": {"number": processes},
        "device": {"type": batches.device.type},
        "model": model.to_dict(),
        "batches": dataclasses.asdict(batches.config),
        "corpus": {
            "tokens": len(corpus.tokens),
            "sentences": len(corpus.sentence_ends),
            "documents": len(corpus.document_ends),
        },
    }


def refuse_others(out: Path | None, saved: dict[str, Any], now: dict[str, Any]) -> None:
    """Compare part by part, entry by entry.

    The number of processes is one of them: each draws its own dropout, and sums over another number come
    out in another order. A run that went on with another number would end with other weights.

    Args:
        out: folder of the run.
        saved: what it was started with; what older versions did not write is not compared.
        now: what it is now.

    Raises:
        CheckpointError: the first difference, with both values and what to do.
    """
    for part, values in now.items():
        theirs = saved.get(part, {})
        for key, value in values.items():
            if theirs.get(key, value) == value:
                continue
            if part == "processes":
                raise CheckpointError(_other_number(out, theirs[key], value))
            raise CheckpointError(
                f"the run in {out} was started with {part}.{key} = {theirs[key]!r}, now it is {value!r}; "
                "resume with the same settings, or start afresh in another folder"
            )


def refuse_few_texts(batch_size: int, config: TrainingConfig, *, processes: int) -> None:
    """See that there are texts enough for everybody.

    Args:
        batch_size: texts of a batch, over all processes.
        config: says into how many pieces each process cuts its texts. Where the weights are shared out, all
            processes put a block together at the same time, so they need the same number.
        processes: their number.

    Raises:
        ConfigError: a process would have no text, or fewer than pieces.
    """
    if batch_size < processes:
        raise ConfigError(f"batch_size is {batch_size}; expected a text for each process")
    least = batch_size // processes
    if config.fsdp and processes > 1 and config.accumulation > least:
        raise ConfigError(
            f"accumulation is {config.accumulation}, but a process has {least} of the {batch_size} texts; "
            f"with --fsdp expected at most {least}, so that all processes have as many pieces"
        )


def refuse_different_steps(out: Path, steps: list[int]) -> None:
    """See that all processes found the same checkpoint.

    Args:
        out: folder of the run.
        steps: where each process would go on.

    Raises:
        CheckpointError: they differ; on several machines the folder has to be a shared one.
    """
    if len(set(steps)) > 1:
        raise CheckpointError(
            f"the processes found checkpoints of different steps ({', '.join(map(str, steps))}) in {out}; "
            "all of them have to see the same folder"
        )


def _other_number(out: Path | None, theirs: int, ours: int) -> str:
    launcher = f"torchrun --nproc_per_node {theirs} -m bertlib" if theirs > 1 else "bertlib"
    return (
        f"the run in {out} was started with {theirs} process{'es' if theirs > 1 else ''}, now there "
        f"{'are' if ours > 1 else 'is'} {ours}; dropout and the order of sums depend on it. Resume with "
        f"{theirs}: {launcher} pretrain --resume {out}"
    )
