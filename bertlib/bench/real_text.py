"""What a Tiny learns from real text in so many minutes, as a file for the book.

::

    python -m bertlib.bench.real_text train.txt.xz --valid valid.txt.xz --minutes 10
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

from bertlib.bench.provenance import provenance, write_results
from bertlib.pretrain import pretrain
from bertlib.recipes import Recipe
from bertlib.request import Request, Result


def summary(result: Result) -> dict[str, Any]:
    """Return what a chapter shows of a run: sizes, held-out numbers, blanks."""
    assert result.evaluation is not None
    return {
        "parameters": result.parameters,
        "vocab_size": result.vocab_size,
        "steps": result.steps,
        "training_seconds": round(result.training_seconds),
        "mlm_loss": round(result.evaluation.mlm_loss, 4),
        "nsp_accuracy": round(result.evaluation.nsp_accuracy, 4),
        "accuracy": {name: round(share, 4) for name, share in result.baselines.items()}
        | {"BERT": round(result.evaluation.masked_accuracy, 4)},
        "blanks": [
            {"text": b.text, "answer": b.answer, "guesses": [guess.token for guess in b.guesses]}
            for b in result.blanks
        ],
    }


def main() -> None:
    """Train, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("source", type=Path)
    parser.add_argument("--valid", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--preset", default="tiny")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("book/results/tiny-real-text.json"))
    given = parser.parse_args()
    recipe = Recipe.for_preset(given.preset, seed=given.seed)
    command = (
        f"python -m bertlib.bench.real_text {given.source.parent.name}/{given.source.name} --valid "
        f"{given.valid.parent.name}/{given.valid.name} --minutes {given.minutes:g} --preset {given.preset}"
    )
    with tempfile.TemporaryDirectory() as folder:
        request = Request(
            out=Path(folder) / "run",
            recipe=recipe,
            sources=(str(given.source),),
            valid=(str(given.valid),),
            minutes=given.minutes,
        )
        found = summary(pretrain(request))
    write_results(given.out, {"provenance": provenance(command, seed=given.seed)} | found)
    print(f"wrote {given.out}")


if __name__ == "__main__":
    main()
