"""Packed, padded, or sorted by length: how many *words* a second does each way of making batches learn?

Padding is computed like everything else, so what counts is text a second. All three read the same sentences
in pairs; "packed" joins as many as fit, the others keep to two sentences a text.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import numpy as np
import torch

from bertlib.bench.cell import Cell, random_corpus
from bertlib.bench.steps import Step, make_step, our_loss
from bertlib.data.arrays import TokenCorpus
from bertlib.data.batches import Batch, BatchConfig, PreTrainingBatches
from bertlib.data.masking import mask_tokens

PADDED, BUCKETED, PACKED = "two sentences, padded", "two sentences, sorted by length", "packed"
COUNT = 8  # batches that each way goes through in a turn


def packing_ways(cell: Cell) -> tuple[dict[str, Callable[[], Step]], dict[str, float]]:
    """Return the three ways, each made when called, and the words that a step of each holds on average."""
    corpus = random_corpus(cell.vocab_size, (COUNT + 8) * cell.tokens, seed=cell.seed)
    pairs = sentence_pairs(corpus, cell, count=COUNT * cell.batch_size)
    ways = {PADDED: pad(pairs, cell), BUCKETED: pad(pairs, cell, sort=True), PACKED: packed(corpus, cell)}
    words = {
        name: sum(int(batch.attention_mask.sum()) for batch in batches) / len(batches)
        for name, batches in ways.items()
    }
    return {name: _maker(cell, batches) for name, batches in ways.items()}, words


def _maker(cell: Cell, batches: list[Batch]) -> Callable[[], Step]:
    def make() -> Step:
        model, turn = cell.new_model(), cycle(batches)
        loss = our_loss(model, precision=cell.precision)
        return make_step(model, loss, lambda: next(turn), matmul=cell.matmul)

    return make


def packed(corpus: TokenCorpus, cell: Cell) -> list[Batch]:
    """Make batches as we do."""
    config = BatchConfig(batch_size=cell.batch_size, max_length=cell.max_length, seed=cell.seed)
    batches = PreTrainingBatches(corpus, config, device=cell.device)
    return [batches.batch(i) for i in range(COUNT)]


def sentence_pairs(corpus: TokenCorpus, cell: Cell, *, count: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Take neighbouring sentences two by two, cut to what fits."""
    ends = corpus.sentence_ends[: 2 * count]
    sentences = np.split(np.asarray(corpus.tokens)[: ends[-1]], ends[:-1])
    room = (cell.max_length - 3) // 2
    return [(a[:room], b[:room]) for a, b in zip(sentences[::2], sentences[1::2], strict=True)]


def pad(pairs: list[tuple[np.ndarray, np.ndarray]], cell: Cell, *, sort: bool = False) -> list[Batch]:
    """Make batches of pairs: padded to the full length, or sorted and padded to each batch's longest."""
    if sort:
        pairs = sorted(pairs, key=lambda pair: len(pair[0]) + len(pair[1]))
    groups = [pairs[i : i + cell.batch_size] for i in range(0, len(pairs), cell.batch_size)]
    batches = [_batch(group, cell, None if sort else cell.max_length) for group in groups]
    order = np.random.default_rng(cell.seed).permutation(len(batches))  # a turn sees short and long ones
    return [batches[i] for i in order]


def _batch(group: list[tuple[np.ndarray, np.ndarray]], cell: Cell, length: int | None) -> Batch:
    length = length or 3 + max(len(a) + len(b) for a, b in group)
    ids, second = np.zeros((2, len(group), length), dtype=np.int64)
    for row, (a, b) in enumerate(group):
        text = [2, *a, 3, *b, 3]
        ids[row, : len(text)] = text
        second[row, len(a) + 2 : len(text)] = 1
    original = torch.from_numpy(ids).to(cell.device)
    generator = torch.Generator(cell.device).manual_seed(cell.seed)
    masked = mask_tokens(original, original >= 5, vocab_size=cell.vocab_size, mask_id=4, generator=generator)
    labels = torch.zeros(len(group), dtype=torch.long, device=cell.device)
    return Batch(
        masked.input_ids, (original > 0).long(), torch.from_numpy(second).to(cell.device), original,
        masked.selected, labels,
    )  # fmt: skip
