"""What the command line prints at the end: what went in, what came out, where it lies, what next."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bertlib.cloze import Guess
from bertlib.errors import CheckpointError
from bertlib.request import Result


def free_folder(sources: Sequence[str] | None, preset: str, *, runs: Path = Path("runs")) -> Path:
    """Return a folder for a new run that no other run has: ``runs/NAME-PRESET``, then ``-2``, ``-3`` ..."""
    name = Path(sources[0]).resolve().name.split(".")[0] if sources else "story"
    name = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in name) or "text"
    number, folder = 1, runs / f"{name}-{preset}"
    while folder.exists():
        number += 1
        folder = runs / f"{name}-{preset}-{number}"
    return folder


def newest_model(*, runs: Path = Path("runs")) -> Path:
    """Return the model of the run that ended last.

    Raises:
        CheckpointError: there is none yet.
    """
    models = sorted(runs.glob("*/model/config.json"), key=lambda path: path.stat().st_mtime)
    if not models:
        raise CheckpointError(
            f"no model in {runs}/ yet; make one with `bertlib pretrain`, or name a folder with --model"
        )
    return models[-1].parent


def how_to_go_on(out: Path) -> str:
    """Return what to say of a pre-training that Ctrl-C has stopped."""
    if not (out / "run.json").exists():
        return f"; training had not begun. The same command with --out {out} goes on where it stopped"
    names = (path.name.removeprefix("step-") for path in (out / "checkpoints").glob("step-*"))
    newest = max((int(name) for name in names if name.isdigit()), default=0)
    return f"; `bertlib pretrain --resume {out}` goes on from step {newest:,}"


def report_pretraining(result: Result) -> list[str]:
    """Sum up a run in a dozen lines."""
    lines = [
        f"trained {result.parameters:,} parameters for {result.steps:,} steps "
        f"in {result.training_seconds:.0f} s ({result.seconds:.0f} s in all)"
    ]
    if result.evaluation:
        found = result.evaluation
        lines += [
            f"held-out text: masked-word loss {found.mlm_loss:.2f}, perplexity {found.perplexity:.1f}",
            f"    right guesses: {found.masked_accuracy:.1%}   "
            f"(always the commonest word: {result.baselines['unigram']:.1%}, "
            f"from the left neighbour: {result.baselines['bigram']:.1%})",
        ]
        if found.pairs:
            lines.append(f"    next sentence told from another: {found.nsp_accuracy:.1%}")
    lines += [f"blanks in held-out sentences, out of {result.vocab_size:,} pieces:"] if result.blanks else []
    lines += [f"  {blank}" for blank in result.blanks]
    return [
        *lines,
        f"model: {result.out / 'model'}",
        f'next: bertlib fill-mask "..." --model {result.out / "model"}',
    ]


def report_guesses(blanks: list[list[Guess]]) -> list[str]:
    """Draw the guesses for each blank as rows with a bar."""
    lines = []
    for number, guesses in enumerate(blanks, start=1):
        if len(blanks) > 1:
            lines.append(f"blank {number}")
        width = max(len(guess.token) for guess in guesses)
        lines += [
            f"{token:<{width}}  {probability:6.1%}  {'█' * round(30 * probability)}".rstrip()
            for token, probability in guesses
        ]
    return lines
