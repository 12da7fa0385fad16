"""A folder of texts as passages: stretches short enough to be read at once, each with its file and lines."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bertlib.data.corpus import SUFFIXES, TextFile, check_encoding, find_texts, read_chunks
from bertlib.data.sentences import split_sentences
from bertlib.errors import CorpusError, InputError

BESIDE = (".md", ".ipynb")  # read in a folder as well as plain text
WRAPPED = 120  # characters; where no line is longer, line ends mean nothing
WORDS = 80  # a passage at most: about a hundred pieces, which a Tiny of 128 positions can read
LONGEST = 200  # words; what has more is a list or a table, but no sentence
UNIT = re.compile(r"[\u3400-\u9fff]|[^\s\u3400-\u9fff]+")  # what :func:`word_count` counts


class Passage(NamedTuple):
    """A stretch of a file; lines are counted from 1 (in a notebook: within the cell that the name tells)."""

    text: str
    file: str
    line: int
    last_line: int


def read_passages(
    source: str | Path,
    *,
    sentences: int | None = None,
    words: int = WORDS,
    encoding: str = "utf-8",
    errors: str = "strict",
    skipped: list[str] | None = None,
) -> list[Passage]:
    """Cut the texts of a folder, or one file, into passages.

    A paragraph ends at a blank line; where lines are long (over 120 characters), at each line end. A
    paragraph of more than ``words`` words is cut between sentences.

    Args:
        source: a folder, searched for .txt, .txt.gz, .txt.xz, .md and .ipynb (its Markdown cells) at any
            depth, hidden ones left out; or a file or pattern.
        sentences: cut every so many sentences instead; a paragraph's end is an end here too.
        words: the most words a passage may have; a single sentence may have more, up to 200.
        encoding: of plain text and Markdown.
        errors: strict, replace or ignore, for bytes that are no text.
        skipped: is given the names of files that cannot be read or are no text; None: the first is an error.

    Raises:
        CorpusError: no text there, or a file that cannot be read and is not skipped, or all of them.
        InputError: ``sentences`` or ``words`` below 1.
    """
    if words < 1 or (sentences is not None and sentences < 1):
        raise InputError(f"sentences is {sentences} and words {words}; expected at least 1")
    check_encoding(encoding, errors)
    files, passages = find_files(source), []
    for file in files:
        try:
            passages += [
                passage
                for name, text in parts(file, encoding, errors)
                for line, paragraph in paragraphs(text)
                for passage in cut(paragraph, name, line, sentences=sentences, words=words)
            ]
        except CorpusError:
            if skipped is None or len(skipped) == len(files) - 1:
                raise
            skipped.append(file.name)
    if not passages:
        raise CorpusError(f"there is no text in {source}: nothing but blanks; expected something to search")
    return passages


def find_files(source: str | Path) -> list[TextFile]:
    """Return the files to read: those of :func:`bertlib.data.corpus.find_texts`, and Markdown in a folder.

    Raises:
        CorpusError: nothing there.
    """
    folder = Path(source).expanduser()
    if not folder.is_dir():
        return find_texts(source)
    names = sorted(
        (Path(root) / name).relative_to(folder).as_posix()
        for root, _, inside in os.walk(folder)
        for name in inside
        if name.lower().endswith(SUFFIXES + BESIDE) and name != "vocab.txt"
    )
    names = [name for name in names if not any(part.startswith(".") for part in name.split("/"))]
    if not names:
        raise CorpusError(f"no text in the folder {folder}; expected {', '.join(SUFFIXES + BESIDE)}")
    paths = [folder / name for name in names]  # a link that leads nowhere is told when it is read
    sizes = [path.stat().st_size if path.exists() else 0 for path in paths]
    return [TextFile(path=p, name=name, size=size) for p, name, size in zip(paths, names, sizes, strict=True)]


def parts(file: TextFile, encoding: str, errors: str) -> Iterator[tuple[str, str]]:
    """Yield (name, text): the file, or each Markdown cell of a notebook under "NAME, cell 3".

    Raises:
        CorpusError: a file that cannot be read, or no notebook under that name.
    """
    if not file.name.lower().endswith(".ipynb"):
        text = "".join(chunk.text for chunk in read_chunks([file], encoding=encoding, errors=errors))
        yield file.name, text.replace("\0", "")  # a few are dirt; a file full of them is refused
        return
    try:
        cells = json.loads(file.path.read_text(encoding="utf-8"))["cells"]
        for number, cell in enumerate(cells, start=1):
            if cell["cell_type"] == "markdown":
                yield f"{file.name}, cell {number}", "".join(cell["source"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CorpusError(f"{file.path} is no notebook ({error!r}); save it again, or move it away") from None


def paragraphs(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield each paragraph and the number of its first line; line ends within it stay.

    Example:
        >>> list(paragraphs("One,\ntwo.\n\nThree."))
        [(1, 'One,\ntwo.'), (4, 'Three.')]
    """
    lines = text.split("\n")
    block: list[str] = []
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            block.append(line)
        elif block:
            first = number - len(block)
            if max(map(len, block)) <= WRAPPED:
                yield first, "\n".join(block)
            else:
                yield from enumerate(block, start=first)
            block = []


def cut(
    paragraph: str, file: str, line: int, *, sentences: int | None = None, words: int = WORDS
) -> Iterator[Passage]:
    """Yield a paragraph whole, or cut between sentences where it is too long.

    Args:
        paragraph: lines joined by line ends, the first of them being number ``line`` of ``file``.
        file: its name.
        line: as above.
        sentences: the most sentences of a passage.
        words: the most words, unless a single sentence has more; one of over 200 is cut as well.
    """
    flat = paragraph.replace("\n", " ")
    start = end = held = count = 0  # characters of the passage, and the sentences and words in it
    for sentence in (piece for whole in split_sentences(flat) for piece in pieces(whole, words)):
        begin, size = flat.index(sentence, end), word_count(sentence)
        if held and (held == sentences or (sentences is None and count + size > words)):
            yield passage_of(paragraph, start, end, file, line)
            start, held, count = begin, 0, 0
        start = start if held else begin
        end, held, count = begin + len(sentence), held + 1, count + size
    if held:
        yield passage_of(paragraph, start, end, file, line)


def pieces(sentence: str, words: int) -> list[str]:
    """Return a sentence whole, or cut every so many words if it is too long for one."""
    if word_count(sentence) <= LONGEST:
        return [sentence]
    starts = [unit.start() for unit in UNIT.finditer(sentence)][::words]
    return [sentence[start:end].strip() for start, end in pairwise([*starts, len(sentence)])]


def word_count(text: str) -> int:
    """Return about how many words there are: what stands between blanks, and every Chinese character."""
    return len(text.split()) + sum("\u3400" <= character <= "\u9fff" for character in text)


def passage_of(paragraph: str, start: int, end: int, file: str, line: int) -> Passage:
    """Return characters ``[start, end)`` of a paragraph that begins on ``line``."""
    first = line + paragraph.count("\n", 0, start)
    text = " ".join(paragraph[start:end].split())
    return Passage(text, file, first, first + paragraph.count("\n", start, end))
