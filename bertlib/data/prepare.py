"""From txt files to token arrays: documents, sentences, word pieces, on all cores and in flat memory.

    files -> chunks of text -> [workers: sentences, word pieces] -> arrays on disk

Chunks come back in their order, so the result does not depend on the number of workers, nor on how often
the work was interrupted: every byte is the same.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from bertlib.data.arrays import FORMAT, META, PROGRESS, TokenCorpus, read_json, token_type, vocabulary_hash
from bertlib.data.corpus import (
    CHUNK_CHARACTERS,
    Chunk,
    Sources,
    TextFile,
    check_encoding,
    find_texts,
    read_chunks,
)
from bertlib.data.sentences import split_block
from bertlib.data.shards import SHARD_MB
from bertlib.data.workers import map_in_order, usable_cores
from bertlib.data.writer import CorpusWriter, EncodedChunk
from bertlib.errors import CorpusError
from bertlib.lock import sole_user
from bertlib.progress import progress_bar

_BYTES_A_WORKER = 4_000_000  # starting a process takes about as long as preparing this much


class CorpusTokenizer(Protocol):
    """What preparation needs of a tokenizer; WordPieceTokenizer has it."""

    vocab: list[str]
    lowercase: bool

    def encode_lines(self, text: str) -> tuple[np.ndarray, np.ndarray]:
        r"""Return all ids of a text, int32, and the number of ids in each of its ``"\n"``-separated lines."""


def prepare_corpus(
    sources: Sources,
    tokenizer: CorpusTokenizer,
    out: str | Path,
    *,
    workers: int | None = None,
    encoding: str = "utf-8",
    errors: str = "strict",
    progress: bool = True,
    resume: bool = True,
    overwrite: bool = False,
    shard_mb: float | None = None,
) -> TokenCorpus:
    """Turn txt files into a folder of token arrays (see :class:`TokenCorpus`).

    A folder that already holds this corpus is only opened; an interrupted preparation goes on where it
    stopped. Sentences without a token and documents left empty are dropped and counted.

    Args:
        sources: folder, file, pattern or a list of these, see :func:`find_texts`. One paragraph (or
            sentence) a line, a blank line between documents.
        tokenizer: turns lines into ids.
        out: folder for the arrays.
        workers: processes; None: one a core, fewer for a small corpus. 1 stays in this process.
        encoding: of the files.
        errors: what to do with bytes that are no text: "strict", "replace" or "ignore".
        progress: show a bar: megabytes of the files, rate, time left.
        resume: go on with an interrupted preparation; else begin it anew.
        overwrite: replace another corpus in ``out``.
        shard_mb: largest size of one file of ids, in megabytes (10^6 bytes). None: 256, or what a corpus
            that is there already has.

    Raises:
        CorpusError: bad sources or encoding (see :func:`read_chunks`), no text in them, another corpus in
            ``out``, or the texts themselves, a full disk, shards without room for an id, no workers.
        CheckpointError: another process is preparing a corpus in ``out``.
        BertlibError: ``out`` cannot be written.
    """
    check_encoding(encoding, errors)
    files, folder = find_texts(sources), Path(out)
    recipe = _recipe(files, tokenizer, encoding, errors)
    recipe["shard_tokens"] = _shard_tokens(shard_mb, tokenizer, folder)
    if (folder / META).exists() and not overwrite:
        return _reuse(folder, recipe)
    _check_apart(files, folder)
    if workers is None:
        workers = _suitable_workers(files, tokenizer)
    if workers < 1:
        raise CorpusError(
            f"{workers} workers were asked for; expected at least 1, or no number for all cores"
        )
    with sole_user(folder, "corpus"):
        if (folder / META).exists() and not overwrite:  # somebody was quicker
            return _reuse(folder, recipe)
        if overwrite or not resume:
            _forget(folder, META, PROGRESS)
        with closing(CorpusWriter(folder, recipe)) as writer, _bar(files, writer, progress) as bar:
            chunks = read_chunks(files, encoding=encoding, errors=errors)
            todo = islice(chunks, writer.progress.chunks, None)
            with closing(map_in_order(partial(encode_chunk, tokenizer), todo, workers=workers)) as encoded:
                for chunk in encoded:
                    writer.append(chunk)
                    bar.update(chunk.disk_bytes - bar.n)
            _check_not_empty(writer, files)
            writer.finish(sources=[{"name": f.name, "bytes": f.size} for f in files])
            with suppress(PermissionError):  # Windows keeps what is open
                _forget(folder, ".corpus.lock")  # what is complete is only read
    return TokenCorpus.load(folder)


def encode_chunk(tokenizer: CorpusTokenizer, chunk: Chunk) -> EncodedChunk:
    """Split a chunk of text into sentences and these into word pieces.

    Args:
        tokenizer: turns lines into ids.
        chunk: lines; a blank one ends the document.
    """
    text = split_block(chunk.text.removesuffix("\n"))
    ids, lengths = tokenizer.encode_lines(text)
    blank = np.array([not line or line.isspace() for line in text.split("\n")])
    stretch = np.cumsum(blank)  # number of blank lines up to each line
    filled = lengths > 0
    count = partial(np.bincount, minlength=int(stretch[-1]) + 1)
    return EncodedChunk(
        ids=ids.astype(token_type(len(tokenizer.vocab))),
        sentence_lengths=lengths[filled],
        kept=count(stretch[filled]),
        dropped=count(stretch[~filled & ~blank]),
        disk_bytes=chunk.disk_bytes,
        text_bytes=chunk.text_bytes,
    )


def _recipe(
    files: Sequence[TextFile], tokenizer: CorpusTokenizer, encoding: str, errors: str
) -> dict[str, Any]:
    """All that the arrays depend on."""
    return {
        "format": FORMAT,
        "text": _fingerprint(files),
        "vocabulary": vocabulary_hash(tokenizer),
        "vocab_size": len(tokenizer.vocab),
        "encoding": encoding,
        "errors": errors,
        "chunk_characters": CHUNK_CHARACTERS,
    }


def _shard_tokens(megabytes: float | None, tokenizer: CorpusTokenizer, folder: Path) -> int:
    """Ids that fit into a shard."""
    if megabytes is None:
        return _shard_tokens_there(folder) or _shard_tokens(SHARD_MB, tokenizer, folder)
    size = token_type(len(tokenizer.vocab)).itemsize
    if not size <= megabytes * 1e6 < math.inf:
        raise CorpusError(f"shards of {megabytes} MB hold no ids; expected a size above 0, such as 256")
    return int(megabytes * 1e6) // size


def _shard_tokens_there(folder: Path) -> int | None:
    """Ids in a shard of the corpus that a folder holds, finished or not."""
    with suppress(CorpusError, KeyError, TypeError):  # what nobody can read is judged elsewhere
        if (folder / META).exists():
            return read_json(folder / META)["shard_tokens"]
        if (folder / PROGRESS).exists():
            return read_json(folder / PROGRESS)["recipe"]["shard_tokens"]
    return None


def _fingerprint(files: Sequence[TextFile]) -> str:
    """Return a hash (SHA-256) of the content of the files in their order, wherever they lie."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(b"%d\n" % file.size)
        try:
            with open(file.path, "rb") as stream:
                while data := stream.read(2**17):
                    digest.update(data)
        except OSError as error:
            raise CorpusError(f"{file.path} cannot be read: {error.strerror}") from None
    return digest.hexdigest()


def _reuse(folder: Path, recipe: dict[str, Any]) -> TokenCorpus:
    meta = read_json(folder / META)
    if all(meta.get(key) == value for key, value in recipe.items()):
        return TokenCorpus.load(folder)
    raise CorpusError(
        f"{folder} already holds a corpus of {_difference(meta, recipe)}; "
        f"name another folder, or delete {folder} first (overwrite=True does)"
    )


def _difference(old: dict[str, Any], new: dict[str, Any]) -> str:
    """Say in two or three words in what two recipes differ."""
    names = {
        "format": "another format",
        "text": "other text files",
        "vocabulary": "another vocabulary",
        "encoding": "another encoding",
        "shard_tokens": "another shard size",
    }
    different = next(key for key in new if old.get(key) != new[key])
    return names.get(different, f"another setting ({different})")


def _suitable_workers(files: Sequence[TextFile], tokenizer: CorpusTokenizer) -> int:
    if type(tokenizer).__module__ == "__main__":  # a reader's own class: other processes do not know it
        return 1
    return max(1, min(usable_cores(), math.ceil(sum(file.size for file in files) / _BYTES_A_WORKER)))


def _bar(files: Sequence[TextFile], writer: CorpusWriter, progress: bool) -> tqdm:
    size, done = sum(file.size for file in files), writer.progress.disk_bytes
    return progress_bar(
        total=size, initial=done, unit="B", unit_scale=True, desc="preparing", disable=not progress
    )


def _check_apart(files: Sequence[TextFile], folder: Path) -> None:
    """Keep arrays out of a folder with texts: some day somebody deletes it to prepare again."""
    for place in {file.path.parent for file in files}:
        if place.resolve().is_relative_to(folder.resolve()):
            raise CorpusError(
                f"{folder} holds the texts; name a folder of its own for the arrays, with --out"
            )


def _forget(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).unlink(missing_ok=True)


def _check_not_empty(writer: CorpusWriter, files: Sequence[TextFile]) -> None:
    if not writer.progress.num_tokens:
        raise CorpusError(
            f"no words in {files[0].path}{f' and {len(files) - 1} more files' if files[1:] else ''}: nothing "
            "but blanks and control characters; give some text"
        )
