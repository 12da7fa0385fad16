"""Any table as texts, or pairs of texts, with labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from bertlib.data.examples import TextExample
from bertlib.errors import CorpusError
from bertlib.finetune.reading.opening import some
from bertlib.finetune.reading.rows import read_rows


def read_table(
    path: str | Path,
    *,
    text: str,
    pair: str | None = None,
    label: str | None = None,
    name: str | None = None,
    numeric: bool = False,
    delimiter: str | None = None,
    header: bool | Sequence[str] = True,
    quoted: bool | None = None,
) -> list[TextExample]:
    """Read a CSV, TSV or JSON Lines file, plain, ``.gz`` or ``.xz``.

    Args:
        path: the file; its name tells the kind (``.csv``, ``.tsv``, ``.jsonl``), else its first line does.
        text: the column with the text.
        pair: the column with the second text, if there are two.
        label: the column with the label; an empty label is None. None: no labels.
        name: the column with the file's own id; None: ``id``, if there is one and no id comes twice, else
            rows are counted from 0.
        numeric: labels are numbers, for regression.
        delimiter: between columns, if the file's name does not tell.
        header: True: the first line names the columns. False: they are called "0", "1", and so on. Or their
            names, for a file whose first line is data.
        quoted: whether ``"`` encloses fields; None: yes, unless tabs separate them, as in GLUE, where
            quotation marks are part of the text.

    Raises:
        CorpusError: a file that cannot be read or has no rows, a column that is not there, a row of another
            length, a label that is no number; the line is named.
    """
    wanted = [column for column in (text, pair, label, name) if column is not None]
    rows = read_rows(
        path, wanted, optional=("id",), delimiter=delimiter, header=header, quoted=quoted, free=True
    )
    examples = [
        TextExample(
            first=row.values[text],
            second=None if pair is None else row.values[pair],
            label=None if label is None else as_label(row.values[label], f"{path}, line {row.line}", numeric),
            name=row.values.get(name or "id", str(number)),
        )
        for number, row in enumerate(rows)
    ]
    if name is None and len({example.name for example in examples}) < len(examples):
        examples = [example._replace(name=str(number)) for number, example in enumerate(examples)]
    return some(examples, path)


def as_label(word: str, where: str, numeric: bool) -> str | float | None:
    """Return a label as it stands in the file, or as a number; None where there is none.

    Raises:
        CorpusError: a number is asked for, and this is none.
    """
    if not numeric or not word:
        return word or None
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise CorpusError(f"{where}: the label is {word!r}; expected a number")
    return number
