"""Read speeds that were measured side by side. See :mod:`measured`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from learned import table_of
from sheets import Bar, Figure, Group, Json, Line, Panel, Sheet, Table, label, titles

THEIRS = ("transformers", "tokenizers")
OURS = "bertlib"  # whose ratio it is where a row has but one
SETTING = ", matmul "  # a side that was given our setting for matrix products
KEPT = ", memory kept"  # and our way with memory: the fairest baseline
HIDDEN = {"ratio", "ratios", "low", "high"}  # they have columns of their own
Ratio = tuple[float, float, float]  # median, lowest, highest


def sides(found: Json) -> Sheet:
    """Read speeds side by side; one figure against their defaults, one against theirs with our settings."""
    rows = [normal(row) for row in found["rows"] if "not_measured" not in row]
    failed = [row for row in found["rows"] if "not_measured" in row]
    compared = list(dict.fromkeys(other for row in rows for other in others(row)))
    fairest = [other for other in compared if KEPT in other] or [o for o in compared if SETTING in o]
    drawn = [other for other in compared if other == compared[0] or other in fairest]
    tables = [sides_table(rows, compared)] if rows else []
    if failed:
        reasons = tuple((titles([row])[0], row["not_measured"]) for row in failed)
        tables.append(Table(head=("not measured", "why"), sections=(("", reasons),)))
    return Sheet(
        figures=tuple(figure(rows, other) for other in drawn), panels=loss_panels(rows), tables=tuple(tables)
    )


def normal(row: Json) -> Json:
    """Bring a row into the form with all numbers of a side in one place."""
    if "sides" not in row:
        return by_side(row)
    if "ratio" not in row:
        return row
    return {**row, "sides": {**row["sides"], OURS: {**row["sides"][OURS], "ratio": row["ratio"]}}}


def by_side(row: Json) -> dict[str, Any]:
    """Turn mappings by kind of number into mappings by side."""
    names = dict.fromkeys([*rates(row), *row["ratios"]])
    apart = {"cell", "provenance", "ratios", "spread"}
    kinds = {key: value for key, value in row.items() if isinstance(value, Mapping) and key not in apart}
    made: dict[str, dict[str, Any]] = {}
    for name in names:
        made[name] = {key: value[name] for key, value in kinds.items() if name in value}
        ratio = row["ratios"].get(name)
        if isinstance(ratio, Mapping):
            made[name]["ratios"] = ratio
        elif ratio is not None:
            low, high = row["spread"][name]
            made[name] |= {"ratio": ratio, "low": low, "high": high}
    return {**row, "sides": made}


def rates(row: Json) -> list[str]:
    """Return the names of all sides of which a rate is known."""
    known = [value for key, value in row.items() if key.endswith("_per_s") and isinstance(value, Mapping)]
    return [name for rate in known for name in rate]


def others(row: Json) -> list[str]:
    """Return the sides that others are compared with, in the order of the sides."""
    named = {other for side in row["sides"].values() for other in side.get("ratios", {})}
    ordered = [name for name in row["sides"] if name in named]
    alone = [name for name in row["sides"] if name.startswith(THEIRS)]
    known = any("ratio" in side for side in row["sides"].values())
    return ordered or (alone[:1] if known else [])


def ratio_to(side: Json, other: str) -> Ratio | None:
    """Return median, lowest and highest ratio of a side to another, if they were compared."""
    ratio = side["ratios"].get(other) if "ratios" in side else side.get("ratio")
    if ratio is None:
        return None
    if isinstance(ratio, Mapping):
        return float(ratio["median"]), float(ratio["low"]), float(ratio["high"])
    return float(ratio), float(side.get("low", ratio)), float(side.get("high", ratio))


def figure(rows: Sequence[Json], other: str) -> Figure:
    """Draw all rows against one side, which is the line at 1."""
    rows = [row for row in rows if other in row["sides"]]
    common, special = titles(rows)
    groups = tuple(
        Group(title=words, bars=row_bars(row, other)) for words, row in zip(special, rows, strict=True)
    )
    names = {bar.name for group in groups for bar in group.bars}
    if len(rows) > 1 and len(names) == 1 and all(len(group.bars) == 1 for group in groups):
        lone = tuple(named(group.bars[0], group.title) for group in groups)
        return Figure(title=f"{names.pop()} · {common}", one=other, groups=(Group(title="", bars=lone),))
    return Figure(title=common, one=other, groups=groups)


def named(bar: Bar, name: str) -> Bar:
    """Return a bar by another name."""
    return Bar(name=name, value=bar.value, low=bar.low, high=bar.high, baseline=bar.baseline)


def row_bars(row: Json, other: str) -> tuple[Bar, ...]:
    """Return ours against one of theirs; where that one has our setting, only what has it too."""
    setting = other.partition(SETTING)[2].removesuffix(KEPT)
    made = []
    for name, side in row["sides"].items():
        its = name.partition(SETTING)[2]
        ratio = ratio_to(side, other)
        if ratio and not name.startswith(THEIRS) and (not setting or not its or its == setting):
            made.append(bar(name, ratio))
    return tuple(made)


def bar(name: str, ratio: Ratio) -> Bar:
    """Return one bar."""
    median, low, high = ratio
    return Bar(name=name, value=median, low=low, high=high, baseline=name.startswith(THEIRS))


def sides_table(rows: Sequence[Json], compared: Sequence[str]) -> Table:
    """Write all numbers of all sides, the ratios without their spread, which the bars show."""
    keys = numbers(side for row in rows for side in row["sides"].values())

    def cells(name: str, side: Json) -> tuple[Any, ...]:
        ratios = [1.0 if name == other else (ratio_to(side, other) or (None,))[0] for other in compared]
        return (name, *(number(key, side.get(key)) for key in keys), *ratios)

    sections = tuple(
        (words, tuple(cells(name, side) for name, side in row["sides"].items()))
        for words, row in zip(titles(rows)[1], rows, strict=True)
    )
    return Table(head=("", *map(label, keys), *(f"times {other}" for other in compared)), sections=sections)


def numbers(mappings: Iterable[Json]) -> list[str]:
    """Return the keys, in order, under which at least one mapping has a number or a word."""
    found: dict[str, None] = {}
    for mapping in mappings:
        for key, value in mapping.items():
            if key not in HIDDEN and value is not None and not isinstance(value, list | Mapping):
                found[key] = None
    return list(found)


def number(key: str, value: Any) -> Any:
    """Return a cell of a table; what is said in percent is multiplied."""
    return 100 * value if key == "share_of_peak" and value is not None else value


def loss_panels(rows: Sequence[Json]) -> tuple[Panel, ...]:
    """Draw the losses of all sides into one panel: equal work shows as equal curves."""
    special = titles(rows)[1] if rows else []
    made = []
    for words, row in zip(special, rows, strict=True):
        kinds = row.get("curves") or {"": row.get("losses", {})}
        for kind, curves in kinds.items():
            if isinstance(curves, Mapping) and curves:
                lines = tuple(
                    Line(name=name, x=tuple(range(1, len(losses) + 1)), y=tuple(losses))
                    for name, losses in curves.items()
                )
                made.append(Panel(title=" · ".join(part for part in (words, kind) if part), lines=lines))
    return tuple(made)


def saving(found: Json) -> Sheet:
    """Read what saving costs: by how much a step is longer, and what the training thread waits for."""
    keys = ("preset", "device", "save_every", "megabytes", "step_ms", "copy_ms", "save_ms")
    head = ("", "", "steps between saves", "MB", "a step, ms", "pause at a save, ms", "until on disk, ms",
            "% longer", "lowest", "highest")  # fmt: skip
    cells = tuple(
        (*(row[key] for key in keys), *(100 * share for share in (row["share"], *row["spread"])))
        for row in found["rows"]
    )
    return Sheet(tables=(Table(head=head, sections=(("", cells),)),))


def single(found: Json) -> Sheet:
    """Read one ratio a row."""
    bars = tuple(bar(row["name"], ratio) for row in found["rows"] if (ratio := ratio_to(row, "")))
    drawn = Figure(groups=(Group(title="", bars=bars),), one=found.get("one", ""))
    return Sheet(figures=(drawn,), tables=(table_of(found["rows"]),))
