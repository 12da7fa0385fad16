"""SST-2 as GLUE publishes it: sentences of film reviews, friendly (1) or not (0), in batches."""

from __future__ import annotations

import csv
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from bertlib.errors import CorpusError
from bertlib.tokenizer import WordPieceTokenizer

COLUMNS = ("sentence", "label")
BUCKET = 50  # batches that are sorted by length together, so that a batch has little padding


class Sentences(NamedTuple):
    """Sentences as ids, each with [CLS] and [SEP], and their labels."""

    ids: list[np.ndarray]
    labels: np.ndarray  # (number of sentences,) 0 or 1


def read_split(folder: Path, name: str) -> tuple[list[str], list[int]]:
    """Read ``NAME.tsv`` or ``NAME.tsv.xz``.

    Raises:
        CorpusError: no such file, a header without the two columns, a label that is neither 0 nor 1.
    """
    file = next((f for f in (folder / f"{name}.tsv", folder / f"{name}.tsv.xz") if f.exists()), None)
    if file is None:
        raise CorpusError(f"there is no {name}.tsv or {name}.tsv.xz in {folder}; give GLUE's folder SST-2")
    with (
        lzma.open(file, "rt", encoding="utf-8")
        if file.suffix == ".xz"
        else file.open(encoding="utf-8") as lines
    ):
        rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
        missing = [column for column in COLUMNS if column not in (rows.fieldnames or ())]
        if missing:
            raise CorpusError(
                f"{file} has no column {missing[0]!r} but {', '.join(rows.fieldnames or ()) or 'nothing'}; "
                "expected sentence and label"
            )
        pairs = [(row["sentence"], row["label"]) for row in rows]
    if not pairs:
        raise CorpusError(f"{file} holds no sentences; copy it again")
    wrong = next(
        (number for number, (_, label) in enumerate(pairs, start=2) if label not in ("0", "1")), None
    )
    if wrong is not None:
        raise CorpusError(f"{file}, line {wrong}: the label is {pairs[wrong - 2][1]!r}; expected 0 or 1")
    return [sentence for sentence, _ in pairs], [int(label) for _, label in pairs]


def encode(tokenizer: WordPieceTokenizer, texts: list[str], labels: list[int], max_length: int) -> Sentences:
    """Turn sentences into ids, cut to ``max_length``."""
    ids, lengths = tokenizer.encode_lines("\n".join(text.replace("\n", " ") for text in texts))
    parts = np.split(ids, np.cumsum(lengths)[:-1])
    ends = [tokenizer.cls_id], [tokenizer.sep_id]
    return Sentences(
        [np.concatenate([ends[0], part[: max_length - 2], ends[1]]) for part in parts], np.array(labels)
    )


def padded(sentences: Sentences, chosen: np.ndarray, pad_id: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return ids (B, T), mask (B, T) and labels (B), where T is the longest of the chosen sentences."""
    rows = [torch.from_numpy(sentences.ids[i]) for i in chosen]
    ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=pad_id)
    lengths = torch.tensor([len(row) for row in rows])[:, None]
    mask = (torch.arange(ids.shape[1])[None] < lengths).long()
    return ids, mask, torch.from_numpy(sentences.labels[chosen])


def shuffled(sentences: Sentences, size: int, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield an epoch's batches as row numbers: shuffled, then sorted by length within each bucket."""
    lengths = np.array([len(ids) for ids in sentences.ids])
    order = generator.permutation(len(lengths))
    batches: list[np.ndarray] = []
    for first in range(0, len(order), size * BUCKET):
        bucket = order[first : first + size * BUCKET]
        bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
        batches += [bucket[start : start + size] for start in range(0, len(bucket), size)]
    yield from (batches[i] for i in generator.permutation(len(batches)))
