"""What a large pre-training takes: arithmetic, memory, disk, hours, worked out before anything is bought.

Run ``python -m bertlib.bench.scale``. Two tables come out, as Markdown; the page "Beyond one machine" shows
them, and a test compares. Nothing in them is a measured speed: hours follow from the FLOPs, from what the
card's data sheet promises, and from the share of it that one expects to reach (``--share``).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import psutil

from bertlib.bench.memory import highest_resident
from bertlib.config import BertConfig
from bertlib.counting import count_parameters
from bertlib.data.arrays import TokenCorpus, token_type
from bertlib.data.batches import BatchConfig, PreTrainingBatches
from bertlib.data.corpus import find_texts, read_chunks, sample_texts
from bertlib.data.prepare import encode_chunk
from bertlib.errors import ConfigError
from bertlib.flops import flops_per_token
from bertlib.peak import published_peak
from bertlib.tokenizer import WordPieceTokenizer

# 147.6 MB of English books and encyclopaedia, 30,522 word pieces learned from 25 MB of them: as counted by
# `python -m bertlib.bench.scale --count pretrain_books_en pretrain_wiki_en`
BYTES_PER_TOKEN = 4.52
BYTES_PER_SENTENCE = 123.0

STATE_BYTES = {"weights": 4, "gradients": 4, "averages of Adam": 8}  # a parameter, in fp32
SAVED_BYTES = STATE_BYTES["weights"] + STATE_BYTES["averages of Adam"]
WATTS = {"NVIDIA H200": 700, "NVIDIA A100-SXM4-80GB": 400}  # of a card, by its data sheet
AROUND_THE_CARD = 1.5  # assumed: host, network and cooling take half as much again
CARDS_A_NODE = 8
CARDS = (1, 8, 64)  # together, in the table of hours
INSIDE_BYTES_PER_S = {"NVIDIA H200": 450e9, "NVIDIA A100-SXM4-80GB": 300e9}  # NVLink one way, data sheet
BETWEEN_BYTES_PER_S = 50e9  # assumed: 400 Gbit/s for every card between nodes, what a good cluster has


@dataclass(frozen=True, kw_only=True)
class Undertaking:
    """One large pre-training.

    Raises:
        ConfigError: a share of the peak outside (0, 1].
    """

    preset: str = "base"
    vocab_size: int = 30_522
    text_gb: float = 16.0  # 10^9 bytes; what Devlin et al. 2019 had, by the count of Liu et al. 2019
    batch_size: int = 256
    length: int = 128
    steps: int = 1_000_000
    share: float = 0.4  # of the peak that the matrix products reach; assumed

    def __post_init__(self) -> None:
        if not 0 < self.share <= 1:
            raise ConfigError(f"the share of the peak is {self.share}; expected a number in (0, 1], like 0.4")

    @property
    def config(self) -> BertConfig:
        """The model's sizes."""
        return BertConfig.from_preset(self.preset, vocab_size=self.vocab_size)

    @property
    def parameters(self) -> int:
        """Weights, each counted once; the table of words is the input's and the output's."""
        return sum(count_parameters(self.config).values())

    @property
    def tokens(self) -> float:
        """Word pieces in the text."""
        return self.text_gb * 1e9 / BYTES_PER_TOKEN

    @property
    def positions(self) -> int:
        """Positions computed over the whole run, padding included."""
        return self.batch_size * self.length * self.steps

    @property
    def flops(self) -> float:
        """Floating point operations of the whole run (:mod:`bertlib.flops`)."""
        return self.positions * flops_per_token(self.config, length=self.length)

    @property
    def corpus_bytes(self) -> float:
        """Token arrays on the disk: the ids, and where sentences end."""
        ids = self.tokens * token_type(self.vocab_size).itemsize
        return ids + 8 * self.text_gb * 1e9 / BYTES_PER_SENTENCE

    def arithmetic_seconds(self, card: str, cards: int) -> float:
        """Seconds a step for the matrix products, if the share is reached."""
        peak = published_peak(card, "bf16")
        if peak is None:
            raise ConfigError(f"no published peak is known for {card!r}; see bertlib.peak")
        return self.flops / self.steps / (peak * self.share * cards)

    def exchange_seconds(self, card: str, cards: int) -> float:
        """Seconds a step to add up the gradients: in a ring each card sends 2 (n - 1) / n of them."""
        link = INSIDE_BYTES_PER_S[card] if cards <= CARDS_A_NODE else BETWEEN_BYTES_PER_S
        return 2 * (cards - 1) / cards * 4 * self.parameters / link

    def hours(self, card: str, cards: int) -> float:
        """Hours at best: the exchange hides behind the arithmetic, or the other way round."""
        step = max(self.arithmetic_seconds(card, cards), self.exchange_seconds(card, cards))
        return self.steps * step / 3600

    def kilowatt_hours(self, card: str, cards: int) -> float:
        """Energy at the card's full power for those hours, and what is around it."""
        return self.hours(card, cards) * cards * WATTS[card] * AROUND_THE_CARD / 1000


def needs_table(plans: Sequence[Undertaking]) -> list[str]:
    """Return what each undertaking takes, as the lines of a Markdown table, a column each."""
    rows = {
        "text": [f"{p.text_gb:g} GB" for p in plans],
        "word pieces in it": [f"{p.tokens / 1e9:.1f} billion" for p in plans],
        "positions in the run": [f"{p.positions / 1e9:.1f} billion" for p in plans],
        "times through the text": [f"{p.positions / p.tokens:.0f}" for p in plans],
        "parameters": [f"{p.parameters / 1e6:.0f} million" for p in plans],
        "FLOPs a position": [f"{p.flops / p.positions / 1e9:.2f} billion" for p in plans],
        "FLOPs in all": [_power(p.flops) for p in plans],
        "weights, gradients, averages": [_gb(p.parameters * sum(STATE_BYTES.values())) for p in plans],
        "the same, shared out over 8": [_gb(p.parameters * sum(STATE_BYTES.values()) / 8) for p in plans],
        "a checkpoint": [_gb(p.parameters * SAVED_BYTES) for p in plans],
        "token arrays": [_gb(p.corpus_bytes) for p in plans],
    }
    head = ["", *(f"BERT-{p.preset.capitalize()}" for p in plans)]
    return _table(head, [[name, *values] for name, values in rows.items()])


def hours_table(plans: Sequence[Undertaking]) -> list[str]:
    """Return hours and energy for each undertaking, card and number of cards, as a Markdown table.

    The last number of cards comes twice: with the batch as it is, and with one that is sixteen times as large
    and as many steps fewer.
    """
    head = ["", "card", "cards", "batch", "texts each", "arithmetic, ms", "exchange, ms"]
    rows = []
    for plan in plans:
        larger = replace(plan, batch_size=16 * plan.batch_size, steps=plan.steps // 16)
        for card in WATTS:
            rows += [_hours_row(plan, card, count) for count in CARDS]
            rows.append(_hours_row(larger, card, CARDS[-1]))
    return _table([*head, "hours", "kWh"], rows)


def _hours_row(plan: Undertaking, card: str, cards: int) -> list[str]:
    return [
        plan.preset.capitalize(),
        card.split()[1].split("-")[0],
        str(cards),
        f"{plan.batch_size:,}",
        f"{plan.batch_size / cards:g}",
        f"{plan.arithmetic_seconds(card, cards) * 1e3:.1f}",
        f"{plan.exchange_seconds(card, cards) * 1e3:.1f}",
        f"{plan.hours(card, cards):.1f}",
        f"{plan.kilowatt_hours(card, cards):.0f}",
    ]


class Counted(NamedTuple):
    """How much of what a text holds."""

    text_bytes: int
    tokens: int
    sentences: int

    def __str__(self) -> str:
        return (
            f"{self.text_bytes / 1e6:.1f} MB: {self.text_bytes / self.tokens:.2f} bytes a word piece, "
            f"{self.text_bytes / self.sentences:.0f} bytes a sentence"
        )


def count_text(sources: Sequence[str], *, vocab_size: int = 30_522, sample_mb: float = 25.0) -> Counted:
    """Learn a vocabulary from a sample of a text, then count word pieces and sentences in all of it.

    Args:
        sources: as for :func:`~bertlib.data.corpus.find_texts`.
        vocab_size: word pieces to learn.
        sample_mb: megabytes to learn from.

    Raises:
        CorpusError: no text.
    """
    tokenizer = WordPieceTokenizer.train(sample_texts(sources, sample_mb), vocab_size, progress=False)
    text_bytes = tokens = sentences = 0
    for chunk in read_chunks(find_texts(sources)):
        encoded = encode_chunk(tokenizer, chunk)
        text_bytes = chunk.text_bytes
        tokens, sentences = tokens + len(encoded.ids), sentences + len(encoded.sentence_lengths)
    return Counted(text_bytes, tokens, sentences)


def plan_bytes(sentences: int) -> tuple[float, float]:
    """Measure what the plan of an epoch takes of a process's memory, in bytes a sentence.

    For sentences of 5 to 49 tokens in documents of twenty; in a fresh process, since a heap that has grown
    once does not grow again.

    Args:
        sentences: how many; a million is enough.

    Returns:
        What is kept through the epoch, and the peak while it is made.
    """
    lengths = np.random.default_rng(0).integers(5, 50, sentences)
    text = TokenCorpus(
        tokens=np.zeros(1, dtype=np.uint16),  # no plan looks at the ids
        sentence_ends=np.cumsum(lengths),
        document_ends=np.append(np.arange(20, sentences, 20), sentences),
        vocab_size=1,
    )
    process = psutil.Process()
    base = process.memory_info().rss
    batches = PreTrainingBatches(text, BatchConfig())
    kept, peak = process.memory_info().rss - base, highest_resident() - base
    assert batches.texts_per_epoch
    return kept / sentences, peak / sentences


def _gb(size: float) -> str:
    return f"{size / 1e9:.1f} GB"


def _power(number: float) -> str:
    mantissa, exponent = f"{number:.1e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} · 10{raised}"


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    rules = ["---"] + ["--:"] * (len(head) - 1)
    return ["| " + " | ".join(row) + " |" for row in (head, rules, *rows)]


def main() -> None:
    """Print what a large pre-training takes."""
    parser = argparse.ArgumentParser(prog="python -m bertlib.bench.scale", description=main.__doc__)
    parser.add_argument("--share", type=float, default=0.4, help="of the card's peak that is reached")
    parser.add_argument("--text-gb", type=float, default=16.0, help="gigabytes of text")
    parser.add_argument("--steps", type=int, default=1_000_000)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--count", nargs="+", help="only count word pieces and sentences in these texts")
    parser.add_argument("--plan", type=int, help="only measure the plan of so many sentences")
    options = vars(parser.parse_args())
    count, plan = options.pop("count"), options.pop("plan")
    if count:
        return print(count_text(count))
    if plan:
        kept, peak = plan_bytes(plan)
        return print(
            f"{plan:,} sentences: {kept:.0f} bytes of each are kept, {peak:.0f} are needed at the peak"
        )
    plans = [Undertaking(preset=preset, **options) for preset in ("base", "large")]
    return print("\n".join([*needs_table(plans), "", *hours_table(plans)]))


if __name__ == "__main__":
    main()
