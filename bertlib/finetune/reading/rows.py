"""Rows of any table: CSV, TSV, or JSON Lines, whose columns have names."""

from __future__ import annotations

import csv
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from bertlib.errors import CorpusError
from bertlib.finetune.reading.opening import PACKED, listed, nearest, open_text

JSON_LINES = (".jsonl", ".ndjson", ".json")
DELIMITERS = "\t,;|"


class Row(NamedTuple):
    """One row: where it begins, and the columns that were asked for, by name."""

    line: int
    values: dict[str, str]


def read_rows(
    path: str | Path,
    wanted: Sequence[str],
    *,
    optional: Sequence[str] = (),
    delimiter: str | None = None,
    header: bool | Sequence[str] = True,
    quoted: bool | None = None,
    skip_broken: bool = False,
    free: bool = False,
) -> Iterator[Row]:
    """Yield the rows of a table, blank lines left out.

    Args:
        path: plain, ``.gz`` or ``.xz``; ``.jsonl`` (also ``.ndjson``, ``.json``): one JSON object a line.
        wanted: columns that must be there.
        optional: columns that may be missing.
        delimiter: between columns; None: by the file's name, or what its first line has most of.
        header: True: the first line names the columns. False: they are called "0", "1", and so on. Or their
            names, for a file whose first line is data.
        quoted: whether ``"`` encloses fields; None: yes, unless the delimiter is a tab.
        skip_broken: leave out rows with too few or too many fields instead of stopping there.
        free: the layout is anybody's, and no data set's: errors name the options that describe it.

    Raises:
        CorpusError: as :func:`open_text`; a column that is not there, a row of another length, a line that
            is no JSON object.
    """
    with open_text(path) as lines:
        if ending(path) in JSON_LINES:
            yield from json_rows(path, lines, wanted, optional)
            return
        first = lines.readline()
        delimiter = delimiter or guess_delimiter(path, first)
        fields = split_rows(
            path,
            itertools.chain([first], lines),
            delimiter,
            quoted=delimiter != "\t" if quoted is None else quoted,
            free=free,
        )
        names, rows = name_columns(fields, header)
        check_columns(path, names, wanted, first_line=header is True, free=free)
        places = {name: names.index(name) for name in (*wanted, *optional) if name in names}
        for line, row in rows:
            if len(row) == len(names):
                yield Row(line, {name: row[place] for name, place in places.items()})
            elif not skip_broken:
                raise CorpusError(
                    f"{path}, line {line}: {len(row)} fields, cut at {delimiter!r}; expected {len(names)} "
                    f"({listed(names)})"
                )


def ending(path: str | Path) -> str:
    """Return what kind of file this is by its name: the suffix before ``.gz`` or ``.xz``."""
    suffixes = [suffix.lower() for suffix in Path(path).suffixes]
    return next((suffix for suffix in reversed(suffixes) if suffix not in PACKED), "")


def guess_delimiter(path: str | Path, first: str) -> str:
    """Return what the file's name promises, if the first line has it; else what that has most."""
    usual = {".tsv": "\t", ".csv": ","}.get(ending(path), "\t")
    found = max(DELIMITERS, key=first.count)
    return usual if usual in first or found not in first else found


def split_rows(
    path: str | Path, lines: Iterable[str], delimiter: str, *, quoted: bool, free: bool
) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line that is not blank, and its fields; a quoted field may hold line ends."""
    if not quoted:
        for number, line in enumerate(lines, start=1):
            if line := line.rstrip("\n"):
                yield number, line.split(delimiter)
        return
    reader, start = csv.reader(lines, delimiter=delimiter, strict=True), 1
    try:
        for row in reader:
            if row:
                yield start, row
            start = reader.line_num + 1
    except csv.Error as error:
        remedy = " If they enclose no fields, save it as a TSV (quoted=False in Python)" if free else ""
        raise CorpusError(f"{path}, line {start}: {error}; is a quotation mark left open?{remedy}") from None


def name_columns(
    rows: Iterator[tuple[int, list[str]]], header: bool | Sequence[str]
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Return the columns' names and the rows that are data."""
    line, first = next(rows, (1, []))
    if header is True:
        return [name.strip() for name in first], rows
    names = list(map(str, range(len(first)))) if header is False else list(header)
    return names, itertools.chain([(line, first)] if first else [], rows)


def check_columns(
    path: str | Path, names: Sequence[str], wanted: Sequence[str], *, first_line: bool, free: bool = False
) -> None:
    """Refuse a table without a column that is asked for.

    Raises:
        CorpusError: the column, those found, and the nearest; or that the first line looks like data.
    """
    missing = next((name for name in wanted if name not in names), None)
    if missing is None:
        return
    remedy = nearest(missing, names)
    if first_line and not remedy and any(looks_like_data(name) for name in names):
        remedy = (
            "; is that data? No header: --no-header --text 0 --label 1 (header=False in Python)"
            if free
            else "; is that data, or another task's file?"
        )
    raise CorpusError(f"{path} has no column {missing!r}; it has {listed(names)}{remedy}")


def looks_like_data(name: str) -> bool:
    """A number, nothing, or much: hardly the name of a column."""
    return not name or name.replace(".", "", 1).isdigit() or len(name) > 30


def json_rows(
    path: str | Path, lines: TextIO, wanted: Sequence[str], optional: Sequence[str]
) -> Iterator[Row]:
    """Yield the rows of a file with one JSON object a line."""
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        where = f"{path}, line {number}"
        try:
            found = json.loads(line)
        except json.JSONDecodeError as error:
            raise CorpusError(f"{where} is no JSON ({error}); expected one object a line") from None
        if not isinstance(found, dict):
            raise CorpusError(f"{where} is a JSON {type(found).__name__}; expected one object a line")
        check_columns(where, list(found), wanted, first_line=False)
        names = [name for name in (*wanted, *optional) if name in found]
        yield Row(number, {name: as_text(found[name], name, where) for name in names})


def as_text(value: Any, name: str, where: str) -> str:
    """Return a JSON value in the words of the file; nothing for null."""
    if isinstance(value, (dict, list)):
        raise CorpusError(f"{where}: {name!r} is a {type(value).__name__}; expected a text or a number")
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value)
