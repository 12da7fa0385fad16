"""What counting alone achieves: the marks that a pre-trained model must pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bertlib.data.batches import Batch
from bertlib.data.shards import TokenArray

MOST_TOKENS = 20_000_000  # more counts change the second digit of nothing


@dataclass(frozen=True, kw_only=True)
class CountingBaselines:
    """The commonest word, and the commonest word after the left neighbour.

    The bigram baseline sees the same masked input as BERT; where its neighbour is hidden or special it
    falls back on the commonest word.
    """

    likeliest: int
    follower: Tensor  # (V,) the likeliest word after each word
    log_share: Tensor  # (V,) log of each word's share of the text, every word counted once more
    first_word_id: int

    @classmethod
    def count(cls, tokens: TokenArray, vocab_size: int, *, first_word_id: int = 5) -> CountingBaselines:
        """Count words and neighbours in a row of tokens (up to 20 million)."""
        row = np.asarray(tokens[:MOST_TOKENS]).astype(np.int64)
        words = np.bincount(row, minlength=vocab_size)
        likeliest = int(words.argmax())
        log_share = torch.from_numpy(np.log((words + 1) / (len(row) + vocab_size)))
        pairs, counts = np.unique(row[:-1] * vocab_size + row[1:], return_counts=True)
        order = np.argsort(counts, kind="stable")  # later, larger counts overwrite smaller ones
        follower = np.full(vocab_size, likeliest)
        follower[pairs[order] // vocab_size] = pairs[order] % vocab_size
        return cls(
            likeliest=likeliest,
            follower=torch.from_numpy(follower),
            log_share=log_share,
            first_word_id=first_word_id,
        )

    def unigram_loss(self, batches: Iterable[Batch]) -> float:
        """Return the loss, in nats a masked word, of always giving every word its share of the text.

        A model that has learned which words are common, and nothing else, is at this level.
        """
        labels = torch.cat([batch.labels.cpu() for batch in batches])
        return -self.log_share[labels].mean().item()

    def accuracy(self, batches: Iterable[Batch]) -> dict[str, float]:
        """Return the share of masked words guessed right by each: ``{"unigram": ..., "bigram": ...}``."""
        unigram = bigram = words = 0
        for batch in batches:
            to_the_right = batch.attention_mask.dim() == 3  # each position is asked for the word after it
            neighbour = batch.input_ids if to_the_right else batch.input_ids.roll(1, dims=1)
            left = neighbour.cpu()[batch.selected.cpu()]  # (N,)
            labels = batch.labels.cpu()
            known = left >= self.first_word_id
            guess = torch.where(known, self.follower[left], self.likeliest)
            unigram += int((labels == self.likeliest).sum())
            bigram += int((guess == labels).sum())
            words += len(labels)
        return {"unigram": unigram / max(words, 1), "bigram": bigram / max(words, 1)}
