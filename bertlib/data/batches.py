"""Batches for pre-training: step number in, packed and masked texts out.

Nothing is kept between batches. Pairs, order and masks follow from the seed and the step alone, so a
run that was cut off goes on with exactly the batch that came next, on any number of processes.

Shapes: B texts, T positions, N selected positions.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from bertlib.data.masking import mask_tokens
from bertlib.data.pairs import Pairs, make_nsp_pairs, make_single_texts
from bertlib.errors import ConfigError, CorpusError
from bertlib.seeds import mix_seed

RESIDENT_TOKENS = 500_000_000  # token arrays up to here are copied to the GPU whole (4 bytes each)


class TokenRow(Protocol):
    """What batches need of a corpus; TokenCorpus has it."""

    @property
    def tokens(self) -> np.ndarray:
        """All tokens in a row."""

    @property
    def sentence_ends(self) -> np.ndarray:
        """Where each sentence ends in it."""

    @property
    def document_ends(self) -> np.ndarray:
        """Number of sentences up to the end of each document."""

    @property
    def vocab_size(self) -> int:
        """V."""


class SpecialIds(NamedTuple):
    """Ids of the special tokens, in the order in which a trained vocabulary has them."""

    pad: int = 0
    unk: int = 1
    cls: int = 2
    sep: int = 3
    mask: int = 4


@dataclass(frozen=True, kw_only=True)
class BatchConfig:
    """How texts are cut, joined and masked (Devlin et al. 2019, appendix A.2).

    Raises:
        ConfigError: a length that has no room for a pair, an empty batch.
    """

    batch_size: int = 64  # texts a step, over all processes
    max_length: int = 128  # positions a text, [CLS] and [SEP] included
    nsp: bool = True
    short_share: float = 0.1
    masked_share: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        if self.max_length < 5:
            raise ConfigError(f"max_length is {self.max_length}; [CLS] a [SEP] b [SEP] alone takes 5")
        if self.batch_size < 1:
            raise ConfigError(f"batch_size is {self.batch_size}; expected at least 1")


class Batch(NamedTuple):
    """One step's input and answers."""

    input_ids: Tensor  # (B, T), masked
    attention_mask: Tensor  # (B, T), 1 for text and 0 for padding
    token_type_ids: Tensor  # (B, T), 0 for A and 1 for B
    original_ids: Tensor  # (B, T), before masking
    selected: Tensor  # (B, T) booleans
    next_sentence_label: Tensor  # (B), 0 IsNext, 1 NotNext, -100 none

    @property
    def labels(self) -> Tensor:
        """The words that were taken out, (N)."""
        return self.original_ids[self.selected]

    def rows(self, first: int, last: int) -> Batch:
        """Return texts ``first`` to ``last`` - 1, for one process or one accumulation step."""
        return Batch(*(part[first:last] for part in self))


class PackedTexts(NamedTuple):
    """Pairs laid out as [CLS] A [SEP] B [SEP] and padding; ``token`` says where each word comes from."""

    token: Tensor  # (B, T) position in the row of tokens, 0 where a special token stands
    is_word: Tensor  # (B, T) booleans
    is_sep: Tensor  # (B, T) booleans
    attention_mask: Tensor  # (B, T)
    token_type_ids: Tensor  # (B, T)


def pack_pairs(pairs: Pairs, max_length: int) -> PackedTexts:
    """Lay out pairs side by side, all at once (Devlin et al. 2019, figure 2).

    A pair without B is [CLS] A [SEP].
    """
    a_start, a_length, b_start, b_length = (torch.from_numpy(column)[:, None] for column in pairs[:4])
    position = torch.arange(max_length)[None]  # (1, T)
    first_sep = 1 + a_length  # (B, 1)
    last_sep = torch.where(b_length > 0, first_sep + 1 + b_length, first_sep)
    in_a = (position >= 1) & (position < first_sep)  # (B, T)
    in_b = (position > first_sep) & (position < last_sep)
    from_a, from_b = a_start + position - 1, b_start + position - first_sep - 1
    return PackedTexts(
        token=torch.where(in_a, from_a, from_b).where(in_a | in_b, 0),
        is_word=in_a | in_b,
        is_sep=(position == first_sep) | (position == last_sep),
        attention_mask=(position <= last_sep).long(),
        token_type_ids=((position > first_sep) & (position <= last_sep)).long(),
    )


class PreTrainingBatches:
    """Every batch of a run, by step number: ``batches.batch(0)``, ``batches.batch(1)``, ...

    Args:
        corpus: a TokenCorpus, or anything with its four arrays.
        config: how to cut, join and mask.
        special: ids of the special tokens.
        device: where batches are made; a corpus that fits is kept there.

    Raises:
        CorpusError: an empty corpus, or a single document with ``config.nsp``.
    """

    def __init__(
        self,
        corpus: TokenRow,
        config: BatchConfig,
        *,
        special: SpecialIds = SpecialIds(),  # noqa: B008 - an immutable tuple
        device: torch.device | str = "cpu",
    ) -> None:
        if len(corpus.tokens) == 0:
            raise CorpusError("the corpus has no tokens; give it some text")
        self.corpus, self.config, self.special = corpus, config, special
        self.device = torch.device(device)
        self._resident: Tensor | None = None
        if self.device.type == "cuda" and len(corpus.tokens) <= RESIDENT_TOKENS:
            self._resident = torch.from_numpy(corpus.tokens.astype(np.int32)).to(self.device)
        self._plan = lru_cache(maxsize=1)(self._cut)
        self.texts_per_epoch = len(self._plan(0).label)

    @property
    def steps_per_epoch(self) -> int:
        """Batches it takes to see the corpus about once."""
        return -(-self.texts_per_epoch // self.config.batch_size)

    def batch(self, step: int) -> Batch:
        """Make the batch of ``step``, counted from 0; the same every time."""
        pairs = self._pairs_of(step)
        packed = PackedTexts(*(part.to(self.device) for part in pack_pairs(pairs, self.config.max_length)))
        original = self._fill_in(packed)
        masked = mask_tokens(
            original,
            packed.is_word,
            vocab_size=self.corpus.vocab_size,
            mask_id=self.special.mask,
            generator=torch.Generator(self.device).manual_seed(mix_seed(self.config.seed, 2, step)),
            share=self.config.masked_share,
        )
        labels = torch.from_numpy(pairs.label).to(self.device)
        return Batch(
            masked.input_ids, packed.attention_mask, packed.token_type_ids, original, masked.selected, labels
        )

    def _pairs_of(self, step: int) -> Pairs:
        """Find the step's pairs in its epoch's shuffled plan."""
        epoch, position = divmod(step, self.steps_per_epoch)
        plan = self._plan(epoch)
        rows = np.arange(position * self.config.batch_size, (position + 1) * self.config.batch_size)
        return plan.rows(rows % len(plan.label))  # the last batch is filled up from the front

    def _cut(self, epoch: int) -> Pairs:
        """Cut and shuffle the corpus anew for one epoch."""
        generator = np.random.default_rng([self.config.seed, 1, epoch])
        room = self.config.max_length - (3 if self.config.nsp else 2)
        make = make_nsp_pairs if self.config.nsp else make_single_texts
        pairs = make(
            np.asarray(self.corpus.sentence_ends),
            np.asarray(self.corpus.document_ends),
            max_tokens=room,
            generator=generator,
            short_share=self.config.short_share,
        )
        return pairs.rows(generator.permutation(len(pairs.label)))

    def _fill_in(self, packed: PackedTexts) -> Tensor:
        """Fetch the words and set the special tokens: (B, T) ids."""
        if self._resident is not None:
            words = self._resident[packed.token].long()
        else:
            words = torch.from_numpy(self.corpus.tokens[packed.token.cpu().numpy()].astype(np.int64))
            words = words.to(self.device)
        ids = words.where(packed.is_word, self.special.pad).masked_fill(packed.is_sep, self.special.sep)
        ids[:, 0] = self.special.cls
        return ids
