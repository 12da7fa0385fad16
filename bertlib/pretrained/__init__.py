"""Models that come with the package, a folder each: ``bertlib.load_pretrained("mini-books")``.

Each folder holds what :func:`bertlib.store.save_pretrained` writes, in half precision, with two files more:
``card.json``, everything that was measured, and ``MODEL_CARD.md``, the same for people. They are made by
``python -m bertlib.bench.ship``.
"""

from __future__ import annotations

from pathlib import Path

from bertlib.errors import CheckpointError

HOME = Path(__file__).resolve().parent
DEFAULT = "mini-books"  # what one gets who names no model


def shipped_names(home: Path = HOME) -> list[str]:
    """Return the names of the models in this package."""
    return sorted(config.parent.name for config in home.glob("*/config.json"))


def shipped_folder(name: str, *, home: Path = HOME) -> Path:
    """Return the folder of a shipped model.

    Raises:
        CheckpointError: there is none of this name; the message lists those there are.
    """
    names = shipped_names(home)
    if name not in names:
        raise CheckpointError(
            f"no model in {name}: there is no such folder, and no shipped model of that name "
            f"(there are {', '.join(names) or 'none'}); expected one of these or a folder that "
            "`bertlib pretrain` wrote"
        )
    return home / name


def default_model(*, runs: Path = Path("runs"), home: Path = HOME, suited: str = DEFAULT) -> Path:
    """Return the model of the run that ended last; where nobody has trained one yet, a shipped one.

    Args:
        runs: where runs lie.
        home: where the shipped models lie.
        suited: the shipped one that is wanted, if there is such a one.

    Raises:
        CheckpointError: there is neither.
    """
    from bertlib.reports import newest_model  # reports know the model, which loads PyTorch

    names = shipped_names(home)
    if names and not any(runs.glob("*/model/config.json")):
        return home / next((name for name in (suited, DEFAULT) if name in names), names[0])
    return newest_model(runs=runs)
