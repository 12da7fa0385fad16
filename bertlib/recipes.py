"""Recipes: good numbers for each preset, and the few that a reader wants to change."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from bertlib.config import PRESETS, BertConfig
from bertlib.data.batch_config import BatchConfig, Masking, Objective, PairKind
from bertlib.errors import ConfigError
from bertlib.train.config import TrainingConfig


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to pre-train and how; :meth:`for_preset` fills in the numbers that suit a size.

    Raises:
        ConfigError: from the three configs it makes, or fewer positions than the texts are long.
    """

    preset: str = "tiny"
    vocab_size: int = 8192
    lowercase: bool = True
    max_length: int = 128  # positions a text
    positions: int = 128  # rows of the position table, at least max_length
    batch_size: int = 64
    steps: int = 2000
    learning_rate: float = 1e-3
    warmup_share: float = 0.1
    dropout: float = 0.1
    beta2: float = 0.98  # the paper's 0.999 remembers a thousand steps; short runs have few more
    initializer_range: float = 0.02
    nsp: bool = True  # False is short for pairs="none"
    pairs: PairKind = "nsp"  # or "sop", "none"; this and the next three as in BatchConfig
    masking: Masking = "tokens"  # or "words", "spans"
    static_masks: int = 0
    short_share: float = 0.1  # of the texts aim at a shorter length
    objective: Objective = "mlm"  # or "causal"
    seed: int = 0
    accumulation: int = 1
    precision: str = "fp32"
    matmul_precision: str = "medium"
    log_every: int = 10
    eval_every: int = 500
    eval_batches: int = 20
    save_every: int = 500
    fsdp: bool = False  # several processes share the weights out

    def __post_init__(self) -> None:
        if self.positions < self.max_length:
            raise ConfigError(
                f"max_length {self.max_length} is longer than the position table of {self.positions}; "
                f"shorten the texts or ask for --positions {self.max_length}"
            )
        if not 0 <= self.warmup_share <= 1:
            raise ConfigError(f"warmup_share is {self.warmup_share}; expected a share in [0, 1]")
        # what makes no sense should be told before any work is done
        self.batch_config(), self.training_config(), self.model_config(self.vocab_size)

    @classmethod
    def for_preset(cls, preset: str, *, story: bool = False, **changes: Any) -> Recipe:
        """Return the recipe of a preset with some numbers changed; None means "leave it".

        With ``story`` the numbers suit the generated stories: short texts, few words, a minute's time.

        Raises:
            ConfigError: unknown preset, or a question about pairs together with ``nsp=False``.
        """
        if preset not in PRESETS:
            raise ConfigError(f"unknown preset {preset!r}; the presets are {', '.join(PRESETS)}")
        given = {key: value for key, value in changes.items() if value is not None}
        if given.get("nsp") is False and given.get("pairs", "none") != "none":
            raise ConfigError(
                f"pairs is {given['pairs']!r}, but --no-nsp asks about none; leave out one of them"
            )
        values = DEFAULTS[preset] | (STORY if story else {}) | given
        if "positions" not in given:
            length = values.get("max_length", cls.max_length)
            values["positions"] = max(values.get("positions", 0), length)
        return cls(preset=preset, **values)

    def replace(self, **changes: Any) -> Recipe:
        """Return a checked copy with some numbers changed."""
        return dataclasses.replace(self, **changes)

    def model_config(self, vocab_size: int) -> BertConfig:
        """Return the model's sizes for a vocabulary that exists."""
        return BertConfig.from_preset(
            self.preset,
            vocab_size=vocab_size,
            max_position_embeddings=self.positions,
            hidden_dropout_prob=self.dropout,
            attention_probs_dropout_prob=self.dropout,
            initializer_range=self.initializer_range,
        )

    def batch_config(self, *, seed_shift: int = 0) -> BatchConfig:
        """Return how texts are cut and joined; held-out text takes another ``seed_shift``."""
        return BatchConfig(
            batch_size=self.batch_size,
            max_length=self.max_length,
            nsp=self.nsp,
            pairs=self.pairs,
            masking=self.masking,
            static_masks=self.static_masks,
            short_share=self.short_share,
            objective=self.objective,
            seed=self.seed + seed_shift,
        )

    def training_config(self) -> TrainingConfig:
        """Return how to train."""
        return TrainingConfig(
            steps=self.steps,
            learning_rate=self.learning_rate,
            warmup_steps=round(self.warmup_share * self.steps),
            betas=(0.9, self.beta2),
            accumulation=self.accumulation,
            precision=self.precision,
            matmul_precision=self.matmul_precision,
            seed=self.seed,
            log_every=self.log_every,
            eval_every=self.eval_every,
            eval_batches=self.eval_batches,
            save_every=self.save_every,
            fsdp=self.fsdp,
        )


# Small models like large steps; the larger ones approach the paper's recipe (appendix A.2). First weights of
# 0.02 suit a width of 768; narrower models want 0.02 * sqrt(768 / width), or all signals come out too faint.
_PAPER = {
    "learning_rate": 1e-4, "batch_size": 256, "positions": 512, "steps": 1_000_000, "warmup_share": 0.01,
    "beta2": 0.999,
}  # fmt: skip
DEFAULTS: dict[str, dict[str, Any]] = {
    "tiny": {
        "learning_rate": 2e-3, "batch_size": 32, "max_length": 32, "steps": 10_000,
        "dropout": 0.0, "initializer_range": 0.05,
    },
    "mini": {"learning_rate": 1e-3, "batch_size": 128, "steps": 20_000, "initializer_range": 0.035},
    "small": {"learning_rate": 5e-4, "batch_size": 256, "steps": 50_000},
    "medium": {"learning_rate": 5e-4, "batch_size": 256, "steps": 100_000},
    "base": _PAPER,
    "large": _PAPER,
}  # fmt: skip

# A minute is about a million tokens on two slow cores. Short texts help most: the fewer places there are to
# look at, the sooner attention finds the neighbours. A shorter memory of gradients suits a short run.
STORY: dict[str, Any] = {
    "vocab_size": 1024, "max_length": 20, "batch_size": 32, "steps": 1300,
    "learning_rate": 2.5e-3, "dropout": 0.0, "eval_every": 260, "eval_batches": 60,
}  # fmt: skip
