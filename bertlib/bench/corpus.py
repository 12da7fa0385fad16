"""How fast is corpus preparation, and does its memory stay flat?

Run ``python -m bertlib.bench.corpus texts/ --tokenizer tokenizer --workers 2``, on a machine with nothing
else to do.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from types import TracebackType

import psutil

from bertlib.data.corpus import Sources
from bertlib.data.prepare import CorpusTokenizer, prepare_corpus
from bertlib.data.workers import usable_cores
from bertlib.tokenizer import WordPieceTokenizer


@dataclass(frozen=True, kw_only=True)
class CorpusBench:
    """One preparation, measured."""

    megabytes: float  # of text, unpacked (10^6 bytes)
    seconds: float
    peak_megabytes: float  # memory of all processes together, over what this one had before
    workers: int

    @property
    def rate(self) -> float:
        """Megabytes of text a second."""
        return self.megabytes / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.megabytes:.1f} MB of text in {self.seconds:.1f} s: {self.rate:.1f} MB/s with "
            f"{self.workers} worker{'s' * (self.workers != 1)}, {self.peak_megabytes:.0f} MB over the base"
        )


def measure_preparation(
    sources: Sources, tokenizer: CorpusTokenizer, *, workers: int | None = None
) -> CorpusBench:
    """Prepare a corpus in a temporary folder and measure time and memory.

    For memory use a fresh process each time: a heap that has grown once does not grow again.

    Args:
        sources: as for :func:`prepare_corpus`.
        tokenizer: turns lines into ids.
        workers: processes; None: one a core.

    Raises:
        CorpusError: as :func:`prepare_corpus`.
    """
    workers = usable_cores() if workers is None else workers
    with tempfile.TemporaryDirectory() as folder, PeakMemory() as memory:
        start = time.perf_counter()
        corpus = prepare_corpus(sources, tokenizer, folder, workers=workers, progress=False)
        seconds = time.perf_counter() - start
        text_bytes = corpus.meta["text_bytes"]
    return CorpusBench(
        megabytes=text_bytes / 1e6, seconds=seconds, peak_megabytes=memory.over_base / 1e6, workers=workers
    )


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


def main() -> None:
    """Measure one preparation and print the command and the result."""
    parser = argparse.ArgumentParser(prog="python -m bertlib.bench.corpus", description=main.__doc__)
    parser.add_argument("sources", nargs="+", help="folders, files or patterns of .txt files")
    parser.add_argument("--tokenizer", required=True, help="folder of a tokenizer, or a vocab.txt")
    parser.add_argument("--workers", type=int, help="processes; all cores by default")
    options = parser.parse_args()
    tokenizer = WordPieceTokenizer.load(options.tokenizer)
    print("$ python -m bertlib.bench.corpus", *sys.argv[1:])
    print(measure_preparation(options.sources, tokenizer, workers=options.workers))


if __name__ == "__main__":
    main()
