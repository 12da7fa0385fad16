"""What an earlier process left among the checkpoints: halves, damaged ones, those of another run."""

from __future__ import annotations

import shutil
from pathlib import Path

from bertlib.errors import CheckpointError
from bertlib.train.checkpoint import Checkpoint


def clear_leftovers(folder: Path) -> None:
    """Remove what a process left that was killed in mid-save; what it had only set aside comes back."""
    for aside in folder.glob(".step-*.old"):  # see bertlib.files: a step is being saved once more
        path = folder / aside.name.removeprefix(".").partition(".")[0]
        if not path.exists():
            aside.rename(path)
    for leftover in [*folder.glob(".step-*.tmp"), *folder.glob(".step-*.old")]:
        shutil.rmtree(leftover, ignore_errors=True)


def remove_skipped(checkpoint: Checkpoint) -> list[str]:
    """Remove the newer checkpoints that could not be used; return a line for each."""
    for path in checkpoint.skipped:
        shutil.rmtree(path, ignore_errors=True)
    return [
        f"{reason}: using {checkpoint.path.name} instead; the other is removed"
        for reason in checkpoint.skipped.values()
    ]


def refuse_newer(out: Path | None, step: int) -> None:
    """See that no checkpoint lies ahead of a run: it would be taken for the run's own later.

    Args:
        out: folder of the run, if it has one.
        step: steps that the run has done.

    Raises:
        CheckpointError: there is one; it was not resumed from.
    """
    if out is None:
        return
    newest = max((path.name for path in (out / "checkpoints").glob("step-*")), default="")
    if newest > f"step-{step:08d}":
        raise CheckpointError(
            f"{out} holds {newest} of an earlier run, this one is at step {step}; resume it "
            "(trainer.resume(), --resume), or choose another folder"
        )
