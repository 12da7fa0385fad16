"""Write the arrays of a corpus so that a power cut costs seconds of work, and never a wrong corpus.

Arrays only grow at their ends. Every few megabytes ``progress.json`` notes how far they are; whoever goes
on cuts off what was written after that note. ``meta.json`` comes last: its presence means "complete".
"""

from __future__ import annotations

import dataclasses
import json
import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from bertlib.data.arrays import (
    DOCUMENT_ENDS,
    META,
    PROGRESS,
    SENTENCE_ENDS,
    read_json,
    token_type,
)
from bertlib.data.shards import shard_name
from bertlib.errors import CorpusError
from bertlib.files import disk_error

NOTE_EVERY = 128  # chunks between two notes: about 8 MB of text, under a second of work


class EncodedChunk(NamedTuple):
    """What becomes of a chunk of text.

    Blank lines cut a chunk with b of them into b + 1 stretches; the first goes on with the document that
    is open, the last leaves its document open.
    """

    ids: np.ndarray  # (tokens,) uint16 or uint32
    sentence_lengths: np.ndarray  # (sentences,) int64, all above zero
    kept: np.ndarray  # (b + 1,) int64: sentences in each stretch
    dropped: np.ndarray  # (b + 1,) int64: lines in it without a token
    disk_bytes: int  # see Chunk
    text_bytes: int


@dataclass
class Progress:
    """How far the arrays are, and the document that is being written."""

    chunks: int = 0
    num_tokens: int = 0
    num_sentences: int = 0
    num_documents: int = 0
    sentences_without_tokens: int = 0
    documents_without_tokens: int = 0
    one_sentence_documents: int = 0
    open_kept: int = 0
    open_dropped: int = 0
    disk_bytes: int = 0
    text_bytes: int = 0
    shards: dict[str, int] = field(default_factory=dict)  # tokens in each file of them, in order
    checksums: dict[str, int] = field(  # CRC-32 of each file: it can be continued, other hashes cannot
        default_factory=lambda: dict.fromkeys((SENTENCE_ENDS, DOCUMENT_ENDS), 0)
    )


class CorpusWriter:
    """The growing files of a corpus folder: the newest shard of tokens and the two lists of ends.

    Args:
        folder: made if need be; an unfinished corpus of the same ``recipe`` in it is gone on with, one
            of another is replaced.
        recipe: all that the content depends on (text, vocabulary, ...), as JSON values; ``vocab_size`` and
            ``shard_tokens``, the length of a shard, among them.

    Raises:
        CorpusError: the folder cannot be written.
    """

    def __init__(self, folder: Path, recipe: dict[str, Any]) -> None:
        self.folder, self.recipe = folder, recipe
        self._token_type = token_type(recipe["vocab_size"])
        self.progress = self._last_note()
        sizes = self._sizes()
        if any(_size(folder / name) < size for name, size in sizes.items()):
            self.progress, sizes = Progress(), {SENTENCE_ENDS: 0, DOCUMENT_ENDS: 0}  # lost: from the start
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for stray in {path.name for path in folder.glob("tokens*.bin")} - sizes.keys():
                (folder / stray).unlink()  # begun after the last note, or of another corpus
            full = list(self.progress.shards)[:-1]
            self._files = {n: _open_at(folder / n, size) for n, size in sizes.items() if n not in full}
        except OSError as error:
            raise CorpusError(f"{folder} cannot be written: {error.strerror}; name another folder") from None

    def append(self, chunk: EncodedChunk) -> None:
        """Add the next chunk.

        Raises:
            CorpusError: the disk is full, or gone; what was noted stays.
        """
        state = self.progress
        sentence_ends = state.num_tokens + np.cumsum(chunk.sentence_lengths, dtype="<i8")
        document_ends = list(self._close_documents(chunk))
        state.num_tokens += len(chunk.ids)
        state.num_sentences += len(sentence_ends)
        state.disk_bytes, state.text_bytes = chunk.disk_bytes, chunk.text_bytes
        state.chunks += 1
        with self._explain_errors():
            self._write_tokens(chunk.ids.astype(self._token_type, copy=False))
            self._write(SENTENCE_ENDS, sentence_ends)
            self._write(DOCUMENT_ENDS, np.array(document_ends, dtype="<i8"))
            if state.chunks % NOTE_EVERY == 0:
                self._note()

    def finish(self, **facts: Any) -> None:
        """Close the last document and declare the corpus complete.

        Args:
            **facts: more to say in ``meta.json``.

        Raises:
            CorpusError: the disk is full.
        """
        state = self.progress
        with self._explain_errors():
            if self._close_document():
                self._write(DOCUMENT_ENDS, np.array([state.num_sentences], dtype="<i8"))
            self._flush()
            counts = {
                k: v for k, v in dataclasses.asdict(state).items() if not k.startswith(("open_", "chunks"))
            }
            write_json(self.folder / META, counts | self.recipe | facts)
        (self.folder / PROGRESS).unlink(missing_ok=True)

    def close(self) -> None:
        """Close the files, finished or not."""
        for file in self._files.values():
            with suppress(OSError):  # a full disk again: what counts was flushed and noted before
                file.close()

    def _write_tokens(self, ids: np.ndarray) -> None:
        """Fill the newest shard; begin another whenever it is full."""
        shards, length = self.progress.shards, self.recipe["shard_tokens"]
        while len(ids):
            name = shard_name(max(len(shards) - 1, 0))
            if shards.get(name) == length:
                _finish(self._files.pop(name))
                name = shard_name(len(shards))
            if name not in self._files:
                self._files[name] = _open_at(self.folder / name, 0)
                shards[name] = self.progress.checksums[name] = 0
            now, ids = ids[: length - shards[name]], ids[length - shards[name] :]
            self._write(name, now)
            shards[name] += len(now)

    def _write(self, name: str, numbers: np.ndarray) -> None:
        data, checksums = numbers.tobytes(), self.progress.checksums
        self._files[name].write(data)
        checksums[name] = zlib.crc32(data, checksums[name])

    def _close_documents(self, chunk: EncodedChunk) -> Iterator[int]:
        """Yield the ends of the documents that end in a chunk; count what is left out."""
        state, end = self.progress, self.progress.num_sentences
        last = len(chunk.kept) - 1
        for i, (kept, dropped) in enumerate(zip(chunk.kept.tolist(), chunk.dropped.tolist(), strict=True)):
            end += kept
            state.open_kept += kept
            state.open_dropped += dropped
            if i < last and self._close_document():
                yield end

    def _close_document(self) -> bool:
        """Settle the open document; is it one to keep?"""
        state = self.progress
        kept, dropped = state.open_kept, state.open_dropped
        state.open_kept = state.open_dropped = 0
        state.num_documents += kept > 0
        state.one_sentence_documents += kept == 1
        state.sentences_without_tokens += dropped
        state.documents_without_tokens += dropped > 0 and kept == 0
        return kept > 0

    def _sizes(self) -> dict[str, int]:
        """Bytes in each file."""
        state = self.progress
        return {
            **{name: tokens * self._token_type.itemsize for name, tokens in state.shards.items()},
            SENTENCE_ENDS: state.num_sentences * 8,
            DOCUMENT_ENDS: state.num_documents * 8,
        }

    def _last_note(self) -> Progress:
        path = self.folder / PROGRESS
        with suppress(CorpusError, KeyError, TypeError):  # a note nobody can read is none
            note = read_json(path) if path.exists() else {}
            if note["recipe"] == self.recipe:
                return Progress(**note["progress"])
        return Progress()

    def _note(self) -> None:
        self._flush()
        write_json(
            self.folder / PROGRESS, {"recipe": self.recipe, "progress": dataclasses.asdict(self.progress)}
        )

    def _flush(self) -> None:
        for file in self._files.values():
            file.flush()
            os.fsync(file.fileno())

    @contextmanager
    def _explain_errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise CorpusError(f"{disk_error(self.folder, error)}: it goes on where it stopped") from None


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Write a JSON file under another name, then rename it: it is there whole or not at all."""
    temporary = path.with_suffix(".tmp")
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _finish(file: BinaryIO) -> None:
    """Close a file that is complete: on the disk, since the next note counts on it."""
    file.flush()
    os.fsync(file.fileno())
    file.close()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _open_at(path: Path, size: int) -> BinaryIO:
    """Open a file to write behind its first ``size`` bytes; the rest is cut off."""
    if not size:
        path.unlink(missing_ok=True)  # who still reads an old corpus keeps it
    file = open(path, "r+b" if path.exists() else "w+b")  # noqa: SIM115 - CorpusWriter.close closes it
    file.truncate(size)
    file.seek(size)
    return file
