"""Batches for pre-training: step number in, packed and masked texts out.

Nothing is kept between batches. Pairs, order and masks follow from the seed and the step alone, so a
run that was cut off goes on with exactly the batch that came next, on any number of processes.

Shapes: B texts, T positions, N selected positions.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from bertlib.data.ahead import Ahead
from bertlib.data.batch_config import BatchConfig
from bertlib.data.dice import RowsOf
from bertlib.data.masking import MaskedTokens, mask_tokens
from bertlib.data.packing import PackedTexts, pack_pairs, sent
from bertlib.data.pairs import Pairs, make_nsp_pairs, make_single_texts, make_sop_pairs
from bertlib.data.shards import TokenArray
from bertlib.data.spans import mask_spans
from bertlib.data.whole_words import mask_words
from bertlib.errors import ConfigError, CorpusError
from bertlib.objectives.causal import causal_mask, shift_labels
from bertlib.objectives.mlm import IGNORED
from bertlib.seeds import mix_seed

MAKERS = {"nsp": make_nsp_pairs, "sop": make_sop_pairs, "none": make_single_texts}

RESIDENT_TOKENS = 500_000_000  # token arrays up to here are copied to the GPU whole (4 bytes each)


class TokenRow(Protocol):
    """What batches need of a corpus; TokenCorpus has it."""

    @property
    def tokens(self) -> TokenArray:
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


class Batch(NamedTuple):
    """One step's input and answers."""

    input_ids: Tensor  # (B, T), masked
    attention_mask: Tensor  # (B, T), 1 for text and 0 for padding; left to right (B, T, T)
    token_type_ids: Tensor  # (B, T), 0 for A and 1 for B
    original_ids: Tensor  # (B, T), before masking; left to right the word after each position
    selected: Tensor  # (B, T) booleans
    next_sentence_label: Tensor  # (B), 0 IsNext or in order, 1 NotNext or swapped, -100 none

    @property
    def labels(self) -> Tensor:
        """The words to be predicted, (N)."""
        return self.original_ids[self.selected]

    def rows(self, first: int, last: int) -> Batch:
        """Return texts ``first`` to ``last`` - 1, for one process or one accumulation step."""
        return Batch(*(part[first:last] for part in self))


class PreTrainingBatches:
    """Every batch of a run, by step number: ``batches.batch(0)``, ``batches.batch(1)``, ...

    Args:
        corpus: a TokenCorpus, or anything with its four arrays.
        config: how to cut, join and mask.
        special: ids of the special tokens.
        device: where batches are made; a corpus that fits is kept there.
        continues: (V,) booleans, which pieces continue a word; needed to mask words or spans. Take
            :func:`bertlib.data.whole_words.continues_word` of the tokenizer's ``vocab``.

    Raises:
        CorpusError: an empty corpus, a single document with NSP, no two sentences to a text with SOP.
        ConfigError: words or spans are to be masked and ``continues`` is missing or of another length.
    """

    def __init__(
        self,
        corpus: TokenRow,
        config: BatchConfig,
        *,
        special: SpecialIds = SpecialIds(),  # noqa: B008 - an immutable tuple
        device: torch.device | str = "cpu",
        continues: Tensor | None = None,
    ) -> None:
        if len(corpus.tokens) == 0:
            raise CorpusError("the corpus has no tokens; give it some text")
        self.corpus, self.config, self.special = corpus, config, special
        self.device = torch.device(device)
        self._continues = _checked(continues, config, corpus.vocab_size).to(self.device)
        self._resident: Tensor | None = None
        if self.device.type == "cuda" and len(corpus.tokens) <= RESIDENT_TOKENS:
            self._resident = torch.from_numpy(corpus.tokens.astype(np.int32)).to(self.device)
        # two plans at a time only where the text is small
        self._plan = lru_cache(maxsize=1)(self._cut) if self._resident is None else Ahead(self._cut)
        self.texts_per_epoch = len(self._plan(0).label)

    @property
    def steps_per_epoch(self) -> int:
        """Batches it takes to see the corpus about once."""
        return -(-self.texts_per_epoch // self.config.batch_size)

    def batch(self, step: int, first: int | None = None, last: int | None = None) -> Batch:
        """Make the batch of ``step``, counted from 0; the same every time.

        With ``first`` and ``last`` only texts ``first`` to ``last`` - 1 of it are read and made, exactly as
        ``batch(step).rows(first, last)`` has them: a process makes its own part of the global batch.

        Args:
            step: counted from 0.
            first: as in a slice, also for numbers that lie outside; None is the front.
            last: likewise; None is the end.
        """
        first, last, _ = slice(first, last).indices(self.config.batch_size)
        last = max(first, last)
        if self.config.static_masks:
            step %= self.config.static_masks * self.steps_per_epoch
        pairs = self._pairs_of(step, first, last)
        here = self.device if self._resident is not None else "cpu"  # the words come from where the corpus is
        packed = pack_pairs(pairs, self.config.max_length, here)
        original = sent(self._fill_in(packed), self.device)
        packed = PackedTexts(*(sent(part, self.device) for part in packed))
        if self.config.objective == "causal":
            return _left_to_right(packed, original)
        generator = torch.Generator(self.device).manual_seed(mix_seed(self.config.seed, 2, step))
        dice = RowsOf(generator, self.config.batch_size, first, last)
        masked = self._mask(original, packed.is_word, dice)
        return Batch(
            masked.input_ids,
            packed.attention_mask,
            packed.token_type_ids,
            original,
            masked.selected,
            packed.label,
        )

    def _mask(self, original: Tensor, is_word: Tensor, dice: RowsOf) -> MaskedTokens:
        """Hide some of the words in the way the config names."""
        kinds: dict[str, Callable[..., MaskedTokens]] = {
            "tokens": mask_tokens,
            "words": partial(mask_words, continues=self._continues),
            "spans": partial(mask_spans, continues=self._continues),
        }
        return kinds[self.config.masking](
            original,
            is_word,
            vocab_size=self.corpus.vocab_size,
            mask_id=self.special.mask,
            generator=dice,
            share=self.config.masked_share,
        )

    def _pairs_of(self, step: int, first: int, last: int) -> Pairs:
        """Find some of the step's pairs in its epoch's shuffled plan."""
        epoch, position = divmod(step, self.steps_per_epoch)
        plan = self._plan(epoch)
        rows = position * self.config.batch_size + np.arange(first, last)
        return plan.rows(rows % len(plan.label))  # the last batch is filled up from the front

    def _cut(self, epoch: int) -> Pairs:
        """Cut and shuffle the corpus anew for one epoch."""
        generator = np.random.default_rng([self.config.seed, 1, epoch])
        kind = self.config.pair_kind
        room = self.config.max_length - (2 if kind == "none" else 3)
        pairs = MAKERS[kind](
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
            words = torch.from_numpy(self.corpus.tokens[packed.token.numpy()].astype(np.int64))
        ids = words.where(packed.is_word, self.special.pad).masked_fill(packed.is_sep, self.special.sep)
        ids[:, 0] = self.special.cls
        return ids


def _left_to_right(packed: PackedTexts, original: Tensor) -> Batch:
    """Ask at every position for the word after it; [SEP] and [PAD] are no words."""
    labels = shift_labels(original, packed.is_word)
    return Batch(
        original,
        causal_mask(packed.attention_mask),
        packed.token_type_ids,
        labels,
        labels != IGNORED,
        packed.label,
    )


def _checked(continues: Tensor | None, config: BatchConfig, vocab_size: int) -> Tensor:
    """Make sure that the table is there if it is needed."""
    if config.masking == "tokens":
        return torch.zeros(0, dtype=torch.bool)
    if continues is None or continues.shape != (vocab_size,):
        found = "missing" if continues is None else f"of shape {tuple(continues.shape)}"
        raise ConfigError(
            f"to mask {config.masking}, `continues` must say of each of {vocab_size:,} pieces whether it "
            f"continues a word, but is {found}; give continues_word(tokenizer.vocab)"
        )
    return continues
