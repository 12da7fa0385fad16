"""One word a line, its tag in another column, blank lines between sentences: CoNLL-2003 and its kin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from bertlib.data.examples import TaggedExample
from bertlib.errors import CorpusError
from bertlib.finetune.reading.opening import listed, open_text, some

DOCUMENT = "-DOCSTART-"  # CoNLL-2003's line between documents
BEGINS, GOES_ON, ENDS = "BSU", "IELM", "ESLU"  # marks of BIO, BIOES and BILOU; M as in BMES


def read_columns(
    path: str | Path,
    *,
    word: int = 0,
    tag: int | None = -1,
    separator: str | None = None,
    comment: str | None = None,
) -> list[TaggedExample]:
    """Read a file of tagged words, plain, ``.gz`` or ``.xz``; :func:`to_bio` turns entities into BIO.

    Args:
        path: the file.
        word: the column of the words, from 0; negative ones count from the end.
        tag: the column of the tags; None: there are none.
        separator: between columns; None: a tab where a line has one, else blanks.
        comment: lines that begin so are left out. In tweets "#" begins words, so there is no default.

    Raises:
        CorpusError: a file that cannot be read or has no sentences, a line with another number of columns or
            without a word; the line is named.
    """
    examples = []
    for number, rows in enumerate(tagged_rows(path, word, tag, separator, comment)):
        words, tags = zip(*rows, strict=True)
        examples.append(TaggedExample(words, None if tag is None else to_bio(tags), str(number)))
    return some(examples, path)


def tagged_rows(
    path: str | Path, word: int, tag: int | None, separator: str | None, comment: str | None
) -> Iterator[list[tuple[str, str]]]:
    """Yield each sentence as its words and tags; without tags, the words stand in for them.

    Raises:
        CorpusError: as :func:`check_row`, with the line.
    """
    wanted = (word,) if tag is None else (word, tag)
    rows: list[tuple[str, str]] = []
    columns = 0
    with open_text(path) as lines:
        for number, line in enumerate(lines, start=1):
            if comment and line.startswith(comment):
                continue
            if not line.isspace() and not line.startswith(DOCUMENT):
                row = split_columns(line, separator)
                columns = columns or len(row)
                check_row(row, columns, wanted, f"{path}, line {number}")
                rows.append((row[word], row[wanted[-1]]))
            elif rows:
                yield rows
                rows = []
    if rows:
        yield rows


def check_row(row: Sequence[str], columns: int, wanted: Sequence[int], where: str) -> None:
    """Refuse a row that cannot be a word and its tag.

    Raises:
        CorpusError: another number of columns than before, no column for word or tag, no word.
    """
    given = f"{where}: {len(row)} columns ({listed(row)})"
    if len(row) != columns:
        raise CorpusError(f"{given}; expected {columns}, as before")
    if len({place % columns for place in wanted if -columns <= place < columns}) < len(wanted):
        raise CorpusError(f"{given}; expected word and tag in columns {' and '.join(map(str, wanted))}")
    if not row[wanted[0]]:
        raise CorpusError(f"{given}; expected a word in column {wanted[0]}")


def split_columns(line: str, separator: str | None) -> list[str]:
    """Cut a line at tabs or blanks; blanks of other alphabets are part of a word."""
    separator = separator or ("\t" if "\t" in line else " ")
    fields = [field.strip(" \n") for field in line.split(separator)]
    return [field for field in fields if field] if separator == " " else fields


def to_bio(tags: Sequence[str]) -> tuple[str, ...]:
    """Turn a sentence's tags into BIO, whatever they are: IOB1, BIO, BIOES, BILOU.

    In IOB1 (Ramshaw and Marcus 1995), the scheme of CoNLL-2003's files, B- stands only between two entities
    of one type that touch. In BIO every entity begins with B-. Tags of another kind stay.

    Example:
        >>> to_bio(["I-PER", "I-PER", "O", "I-LOC", "B-LOC", "S-ORG"])
        ('B-PER', 'I-PER', 'O', 'B-LOC', 'B-LOC', 'B-ORG')
    """
    found, open_kind = [], None
    for tag in tags:
        mark, dash, kind = tag.partition("-")
        if mark not in (*BEGINS, *GOES_ON) or not dash:
            found.append(tag)
            open_kind = None
            continue
        begins = mark in BEGINS or kind != open_kind
        found.append(("B-" if begins else "I-") + kind)
        open_kind = None if mark in ENDS else kind
    return tuple(found)
