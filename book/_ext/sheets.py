"""What a page draws of one file of results: figures of bars, plots, tables, and the words they use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sphinx.errors import SphinxError

Json = Mapping[str, Any]


class ResultsError(SphinxError):
    """A file of results that cannot be drawn."""

    category = "Results error"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One value and how far it was spread over the rounds or seeds."""

    name: str
    value: float
    low: float
    high: float
    baseline: bool = False  # theirs, or something that only counts: drawn in grey


@dataclass(frozen=True, kw_only=True)
class Group:
    """Bars that were measured together."""

    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """Groups of bars on one scale: ratios to ``one``, or shares of right answers."""

    groups: tuple[Group, ...]
    title: str = ""
    one: str = ""  # what the line at 1 stands for
    share: bool = False  # shares have no line at 1


@dataclass(frozen=True, kw_only=True)
class Line:
    """One curve; ``dots`` for the few points of held-out text."""

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    dots: bool = False


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One small plot."""

    title: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Sections of rows below one head; a section without a title is the only one."""

    head: tuple[str, ...]
    sections: tuple[tuple[str, tuple[tuple[Any, ...], ...]], ...]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """Everything that a page draws of one file."""

    figures: tuple[Figure, ...] = ()
    panels: tuple[Panel, ...] = ()
    tables: tuple[Table, ...] = ()
    level: float | None = None  # a horizontal line in every panel: counting words alone
    highest: float | None = None  # curves are cut off above
    answers: str = ""  # the tables wait behind a click on these words


LABELS = {
    "tokens_per_s": "tokens/s",
    "words_per_s": "words/s",
    "texts_per_s": "texts/s",
    "megabytes_per_s": "MB/s",
    "megabytes": "MB",
    "memory_mb": "memory, MB",
    "peak_memory_mb": "memory, MB",
    "peak_megabytes": "memory, MB",
    "mflop_per_token": "MFLOP/token",
    "share_of_peak": "% of peak",
    "first_loss": "first loss",
    "mlm_loss": "loss of masked words",
    "masked_accuracy": "masked words right",
    "nsp_accuracy": "pairs right",
    "vocab_size": "word pieces",
    "low": "lowest",
    "high": "highest",
    "name": "",
}


def label(key: str) -> str:
    """Name a column."""
    words = key.removesuffix("_s").replace("_", " ")
    return LABELS.get(key, f"{words}, s" if key.endswith("_s") else words)


def conditions(row: Json) -> dict[str, str]:
    """Say under which conditions something was measured: size, vocabulary, precision, device, batch."""
    row = row.get("cell", row)
    said = {key: row[key] for key in ("title", "task", "preset") if isinstance(row.get(key), str)}
    if row.get("vocab_size"):
        said["vocab_size"] = f"{row['vocab_size']:,} word pieces"
    said |= {key: row[key] for key in ("precision", "device") if isinstance(row.get(key), str)}
    if row.get("batch_size") and row.get("max_length"):
        texts = "1 text" if row["batch_size"] == 1 else f"{row['batch_size']} texts"
        said["batch"] = f"{texts} of {row['max_length']}"
    return said


def titles(rows: Sequence[Json]) -> tuple[str, list[str]]:
    """Return what all rows have in common, in one line, and what is special to each."""
    said = [conditions(row) for row in rows]
    keys = dict.fromkeys(key for one in said for key in one)
    common = [key for key in keys if len({one.get(key) for one in said}) == 1]
    special = [" · ".join(word for key, word in one.items() if key not in common) for one in said]
    return " · ".join(said[0][key] for key in common), special
