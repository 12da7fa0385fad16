"""Find txt files and read them as a stream of chunks, so that memory stays flat whatever their size.

A *corpus* is text in the form the BERT authors used: one paragraph (or sentence) a line, a blank line
between documents; the end of a file ends a document too. Plain, gzip and xz files are read alike.

A *chunk* is at most 65,536 characters, cut at a line end; a line longer than that is cut at
a sentence end. Chunks depend on the text alone, not on how it was read: so they can be counted, handed to
several processes, and skipped when a preparation goes on where it stopped.
"""

from __future__ import annotations

import codecs
import glob
import gzip
import io
import lzma
import os
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bertlib.data.encodings import check_encoding, check_head, wrong_encoding
from bertlib.data.sentences import last_sentence_start
from bertlib.errors import CorpusError

Sources = str | Path | Sequence[str | Path]

SUFFIXES = (".txt", ".txt.gz", ".txt.xz")
CHUNK_CHARACTERS = 2**16
_READ_BYTES = 2**14  # joining larger pieces leaves gaps in memory that nothing fits into
_LOOK_BACK = 4096  # characters before the limit in which a place to cut an overlong line is looked for
_BLANK = re.compile(r"\s(?=\S)")


@dataclass(frozen=True, kw_only=True)
class TextFile:
    """One file of a corpus."""

    path: Path
    name: str  # below the folder that was given, with forward slashes
    size: int  # bytes on disk


class Chunk(NamedTuple):
    """A piece of the corpus, and how far reading had come when it was cut."""

    text: str
    disk_bytes: int  # read from disk so far, all files together
    text_bytes: int  # the same after unpacking


def find_texts(sources: Sources) -> list[TextFile]:
    """Return the text files meant by ``sources``, each once, in a fixed order.

    Args:
        sources: a folder (searched for ``.txt``, ``.txt.gz`` and ``.txt.xz`` at any depth, through links
            too, sorted by name, hidden ones and a tokenizer's ``vocab.txt`` left out), a file of any name,
            a pattern such as ``"books/*.txt"``, or a list of these.

    Raises:
        CorpusError: nothing there, no text file in a folder, only empty files, a folder that cannot be
            read, a link that leads nowhere.
    """
    given = [sources] if isinstance(sources, (str, Path)) else list(sources)
    files: dict[str, TextFile] = {}
    for source in given:
        for path, name in _expand(source):
            files.setdefault(os.path.realpath(path), TextFile(path=path, name=name, size=_size(path)))
    shown = ", ".join(map(str, given)) or "an empty list"
    if not files:
        raise CorpusError(f"no text in {shown}; expected a folder, a file or a pattern of .txt files")
    if not any(file.size for file in files.values()):
        count = "the only file is" if len(files) == 1 else f"all {len(files)} files are"
        raise CorpusError(f"there is no text in {shown}: {count} empty")
    return list(files.values())


def _expand(source: str | Path) -> Iterator[tuple[Path, str]]:
    """Yield (path, name) of the files one source stands for."""
    path = Path(source).expanduser()
    if path.is_file():
        yield path, path.name
    elif path.is_dir():
        yield from _walk(path)
    elif glob.has_magic(str(source)):
        matches = sorted(glob.glob(str(path), recursive=True))
        if not matches:
            raise CorpusError(f"the pattern {str(source)!r} matches no file; is it spelt right?")
        for match in map(Path, matches):
            if match.is_file():
                yield match, match.name
    else:
        raise CorpusError(
            f"there is no file or folder {str(source)!r}; give a folder with .txt files, or one file"
        )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as error:
        link = ": it is a link that leads nowhere, mend or remove it" if path.is_symlink() else ""
        raise CorpusError(f"{path} cannot be read ({error.strerror}){link}") from None


def _walk(folder: Path) -> Iterator[tuple[Path, str]]:
    names = sorted(
        (Path(root) / name).relative_to(folder).as_posix()
        for root, inside in _folders(folder)
        for name in inside
        if name.lower().endswith(SUFFIXES) and not name.startswith(".") and not _is_vocabulary(name, inside)
    )
    if not names:
        raise CorpusError(f"no text file in the folder {folder}; expected {', '.join(SUFFIXES)}")
    for name in names:
        yield folder / name, name


def _folders(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each folder at or below this one with the names in it, hidden ones left out, none twice."""

    def refuse(error: OSError) -> None:
        raise CorpusError(f"{error.filename} cannot be read: {error.strerror}")

    seen = set()
    for root, below, inside in os.walk(folder, followlinks=True, onerror=refuse):
        real = os.path.realpath(root)
        if real in seen:  # a link to where we have been, perhaps to a folder above
            below.clear()
            continue
        seen.add(real)
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield root, inside


def _is_vocabulary(name: str, neighbours: list[str]) -> bool:
    """A tokenizer that was saved among the texts is not one of them."""
    return name == "vocab.txt" and "tokenizer_config.json" in neighbours


def read_chunks(
    files: Sequence[TextFile],
    *,
    encoding: str = "utf-8",
    errors: str = "strict",
    characters: int = CHUNK_CHARACTERS,
) -> Iterator[Chunk]:
    r"""Read files one after another as chunks of at most ``characters``.

    Line ends become ``"\n"`` whatever they were, byte order marks go, and a blank line follows each file.

    Args:
        files: from :func:`find_texts`.
        encoding: of the files, e.g. ``"utf-8"``, ``"latin-1"``, ``"utf-16"``, ``"gb18030"``.
        errors: what to do with bytes that are no text in that encoding: ``"strict"`` stops, ``"replace"``
            puts ``�``, ``"ignore"`` leaves them out.
        characters: upper bound for a chunk.

    Raises:
        CorpusError: an unknown encoding, a file in another one (named, with the byte and its offset), a
            file that is no text, a damaged archive, a file that cannot be read or changes meanwhile.
    """
    check_encoding(encoding, errors)
    return _cut(_read_all(files, encoding, errors), characters)


def sample_texts(
    sources: Sources, megabytes: float, *, encoding: str = "utf-8", errors: str = "strict"
) -> list[str]:
    """Return at most ``megabytes`` of text, in small blocks spread evenly over the whole corpus.

    A corpus that fits comes back whole. From a larger one every second block is dropped whenever the
    sample has grown too large, and from then on only every second is taken: one pass, flat memory, and no
    need to know beforehand how much text there is.

    Raises:
        CorpusError: as :func:`find_texts` and :func:`read_chunks`; a size that is not above zero.
    """
    if not megabytes > 0:
        raise CorpusError(f"a sample of {megabytes} MB was asked for; expected more than 0")
    sample: list[str] = []
    size, step = 0, 1
    chunks = read_chunks(find_texts(sources), encoding=encoding, errors=errors, characters=2**14)
    for number, chunk in enumerate(chunks):
        if number % step:
            continue
        sample.append(chunk.text)
        size += len(chunk.text.encode())
        while size > megabytes * 1e6 and len(sample) > 1:
            sample, step = sample[::2], 2 * step
            size = sum(len(text.encode()) for text in sample)
    return sample


def _read_all(files: Sequence[TextFile], encoding: str, errors: str) -> Iterator[Chunk]:
    """Yield decoded pieces of any size, with a blank line after each file."""
    disk_before = text_before = 0
    for file in files:
        piece = Chunk("", 0, 0)
        for piece in _read_file(file, encoding, errors):
            yield Chunk(piece.text, disk_before + piece.disk_bytes, text_before + piece.text_bytes)
        disk_before, text_before = disk_before + file.size, text_before + piece.text_bytes
        yield Chunk("\n\n", disk_before, text_before)


def _read_file(file: TextFile, encoding: str, errors: str) -> Iterator[Chunk]:
    """Yield the decoded pieces of one file; bytes are counted from its beginning."""
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(errors), translate=True)
    done = 0
    try:
        with open(file.path, "rb") as disk, _unpack(disk, file.name) as stream:
            while data := stream.read(_READ_BYTES):
                first, done = not done, done + len(data)
                if first:
                    check_head(file.path, data, encoding, errors)
                text = decoder.decode(data)
                yield Chunk(text.removeprefix("\ufeff") if first else text, disk.tell(), done)
            if os.fstat(disk.fileno()).st_size != file.size:
                raise CorpusError(f"{file.path} has changed since it was found; run again when it is at rest")
            yield Chunk(decoder.decode(b"", final=True), file.size, done)
    except UnicodeDecodeError as error:
        raise wrong_encoding(file.path, error, done, encoding) from None
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile) as error:
        raise CorpusError(f"{file.path} is damaged or cut short ({error}); fetch or pack it again") from None
    except OSError as error:
        raise CorpusError(f"{file.path} cannot be read: {error.strerror or error}") from None


def _unpack(disk: BinaryIO, name: str) -> BinaryIO:
    if name.lower().endswith(".gz"):
        return gzip.GzipFile(fileobj=disk)  # type: ignore[return-value]
    if name.lower().endswith(".xz"):
        return lzma.LZMAFile(disk)  # type: ignore[return-value]
    return disk


def _cut(pieces: Iterable[Chunk], characters: int) -> Iterator[Chunk]:
    """Join pieces and cut them anew, at places that depend on the text alone."""
    buffer, piece = "", Chunk("", 0, 0)
    for piece in pieces:
        buffer += piece.text
        while len(buffer) > characters:
            at = _place_to_cut(buffer, characters)
            text, buffer = buffer[:at], buffer[at:]
            yield piece._replace(text=text)
    if buffer:
        yield piece._replace(text=buffer)


def _place_to_cut(text: str, limit: int) -> int:
    """Return an offset of at most ``limit``: behind a line, else a sentence, else a word, else anywhere.

    Within a line what remains never begins with a line end, which would pass for a blank line.
    """
    text = text[: limit + 1]  # how much more was read already must not matter
    if line_end := text.rfind("\n", 0, limit) + 1:
        return line_end
    start = max(0, limit - _LOOK_BACK)
    if (sentence_start := last_sentence_start(text, start, limit)) > 0:
        return sentence_start
    if blanks := list(_BLANK.finditer(text, start, limit)):
        return blanks[-1].end()
    return max(0, len(text.rstrip()) - 1) or limit
