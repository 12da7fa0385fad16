"""How fast is corpus preparation, and does its memory stay flat?

Run ``bertlib bench corpus texts/ --tokenizer tokenizer --workers 2`` on a machine with nothing else to do;
with ``--vocab-size 8192`` instead of a tokenizer, learning the vocabulary is measured as well.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import psutil

from bertlib.bench.material import texts_or_stories, tokenizer_or_new
from bertlib.data.arrays import TokenCorpus
from bertlib.data.corpus import Sources, sample_texts
from bertlib.data.prepare import CorpusTokenizer, prepare_corpus
from bertlib.data.workers import usable_cores
from bertlib.tokenizer import WordPieceTokenizer

VOCABULARY_SAMPLE_MB = 25.0  # as much as `bertlib pretrain` learns its vocabulary from


@dataclass(frozen=True, kw_only=True)
class CorpusBench:
    """One preparation, measured."""

    megabytes: float  # of text, unpacked (10^6 bytes)
    seconds: float
    processor_seconds: float  # of all processes together: what other jobs on the machine disturb little
    peak_megabytes: float  # memory of all processes together, over what this one had before
    workers: int
    whole_megabytes: float = 0.0  # the same with what was there before: all memory at the peak
    vocabulary_seconds: float = 0.0  # of the seconds: reading a sample and learning a vocabulary
    filled: dict[int, float] = field(default_factory=dict)  # positions a text: share of them that hold text

    @property
    def rate(self) -> float:
        """Megabytes of text a second."""
        return self.megabytes / self.seconds

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as JSON can hold them."""
        return asdict(self) | {"megabytes_per_s": self.rate}

    def __str__(self) -> str:
        return (
            f"{self.megabytes:.1f} MB of text in {self.seconds:.1f} s ({self.processor_seconds:.1f} s of "
            f"processor time): {self.rate:.1f} MB/s with {self.workers} worker{'s' * (self.workers != 1)}, "
            f"{self.peak_megabytes:.0f} MB over the base, {self.whole_megabytes:.0f} MB in all"
            + (f"; {self.vocabulary_seconds:.1f} s for the vocabulary" if self.vocabulary_seconds else "")
            + "".join(f"; packed, {share:.1%} of {n} positions hold text" for n, share in self.filled.items())
        )


def bench_preparation(
    sources: Sequence[str] = (),
    saved: str | Path | None = None,
    *,
    vocab_size: int | None = None,
    workers: int | None = None,
    encoding: str = "utf-8",
    errors: str = "strict",
) -> CorpusBench:
    """Measure the preparation of text files.

    Args:
        sources: as for :func:`prepare_corpus`; none: generated stories.
        saved: folder of a tokenizer, or a vocab.txt; None trains one first, which is not measured, but
            leaves room in this process, so that its memory grows less.
        vocab_size: learn a vocabulary of so many word pieces, as ``bertlib pretrain`` does, and measure that
            too; ``saved`` is not looked at.
        workers: processes; None: one a core.
        encoding: of the text.
        errors: what to do with bytes that are no text.

    Raises:
        CorpusError: as :func:`prepare_corpus`.
        VocabularyError: no vocabulary, or too little text to learn one from.
    """
    with texts_or_stories(sources) as files:
        tokenizer: CorpusTokenizer | Callable[[], CorpusTokenizer]
        if vocab_size is None:
            tokenizer = tokenizer_or_new(saved, files, encoding=encoding, errors=errors)
        else:
            tokenizer = partial(_learn, files, vocab_size, encoding, errors)
        return measure_preparation(files, tokenizer, workers=workers, encoding=encoding, errors=errors)


def measure_preparation(
    sources: Sources,
    tokenizer: CorpusTokenizer | Callable[[], CorpusTokenizer],
    *,
    workers: int | None = None,
    encoding: str = "utf-8",
    errors: str = "strict",
) -> CorpusBench:
    """Prepare a corpus in a temporary folder and measure time and memory.

    For memory use a fresh process each time: a heap that has grown once does not grow again.

    Args:
        sources: as for :func:`prepare_corpus`.
        tokenizer: turns lines into ids; or a function that makes one, which is measured too.
        workers: processes; None: one a core.
        encoding: of the text.
        errors: what to do with bytes that are no text.

    Raises:
        CorpusError: as :func:`prepare_corpus`.
    """
    workers = usable_cores() if workers is None else workers
    with tempfile.TemporaryDirectory() as folder:
        with PeakMemory() as memory:
            start, processor_start = time.perf_counter(), _processor_seconds()
            made = tokenizer() if callable(tokenizer) else tokenizer
            vocabulary_seconds = time.perf_counter() - start if callable(tokenizer) else 0.0
            corpus = prepare_corpus(
                sources, made, folder, workers=workers, encoding=encoding, errors=errors, progress=False
            )
            seconds, processor_seconds = time.perf_counter() - start, _processor_seconds() - processor_start
            text_bytes = corpus.meta["text_bytes"]
        filled = filled_shares(corpus)
    return CorpusBench(
        megabytes=text_bytes / 1e6,
        seconds=seconds,
        processor_seconds=processor_seconds,
        peak_megabytes=memory.over_base / 1e6,
        workers=workers,
        whole_megabytes=memory.peak / 1e6,
        vocabulary_seconds=vocabulary_seconds,
        filled=filled,
    )


def filled_shares(corpus: TokenCorpus) -> dict[int, float]:
    """Return which share of the positions holds text when pre-training packs this corpus, by length."""
    from bertlib.bench.cell import share_of_text  # PyTorch: only once memory has been measured
    from bertlib.data.batches import BatchConfig, PreTrainingBatches

    config = BatchConfig(batch_size=64, nsp=corpus.num_documents > 1)
    return {n: share_of_text(PreTrainingBatches(corpus, replace(config, max_length=n))) for n in (128, 512)}


def _learn(sources: Sequence[str], vocab_size: int, encoding: str, errors: str) -> WordPieceTokenizer:
    texts = sample_texts(sources, VOCABULARY_SAMPLE_MB, encoding=encoding, errors=errors)
    return WordPieceTokenizer.train(texts, vocab_size, progress=False)


def _processor_seconds() -> float:
    """Processor time of this process and of the children that have ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class PeakMemory:
    """Watch the memory of this process and its children from a thread, twenty times a second.

    Resident sizes are added up, so pages that processes share count more than once: an upper bound. (Shares
    of pages, PSS, would be exact; but asking for them so often slows down what is to be measured.)

    Example:
        >>> with PeakMemory() as memory:
        ...     row = bytearray(50_000_000)
        >>> memory.over_base > 40_000_000
        True
    """

    def __enter__(self) -> PeakMemory:
        self._end = threading.Event()
        self._base = self._peak = _memory()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end.set()
        self._thread.join()
        self._peak = max(self._peak, _memory())

    @property
    def base(self) -> int:
        """Bytes at the beginning."""
        return self._base

    @property
    def peak(self) -> int:
        """Bytes of the peak."""
        return self._peak

    @property
    def over_base(self) -> int:
        """Bytes of the peak above the beginning."""
        return self._peak - self._base

    def _watch(self) -> None:
        while not self._end.wait(0.05):
            self._peak = max(self._peak, _memory())


def _memory() -> int:
    """Bytes of memory of this process and its children."""
    this = psutil.Process()
    total = 0
    for process in [this, *this.children(recursive=True)]:
        try:
            total += process.memory_info().rss
        except psutil.Error:  # it has just ended
            continue
    return total
