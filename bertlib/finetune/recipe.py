"""How to fine-tune: few numbers, and the ones that suit a model's size."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from bertlib.config import BertConfig
from bertlib.errors import ConfigError

# The paper's own rates, 2e-5 to 5e-5 (appendix A.3), are for Base and Large. Smaller models want more: the
# released small ones were tried with up to 3e-4 (google-research/bert).
RATES = ((128, 1e-3), (256, 3e-4), (512, 1e-4), (768, 5e-5))  # up to this width, this rate
LARGE_RATE = 2e-5


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """The recipe of a fine-tuning.

    Args:
        epochs: passes over the training examples.
        learning_rate: at its peak, of the topmost layer.
        batch_size: examples (or windows) a step.
        warmup_share: of all steps, in which the rate rises; then it falls to 0.
        weight_decay: of matrices.
        clip: largest norm of the gradient.
        dropout: in body and head; None: as the body was trained.
        max_length: pieces a row.
        layer_decay: rate of a layer over that of the layer above it; 1: all the same.
        freeze: "" for nothing, "embeddings", a number of lowest blocks ("2"), or "body".
        patience: stop after so many epochs without a better score; 0: never.
        seed: decides the head's first weights, dropout and the order of examples.

    Raises:
        ConfigError: a number out of its range.
    """

    epochs: int = 3
    learning_rate: float = 5e-5
    batch_size: int = 32
    warmup_share: float = 0.1
    weight_decay: float = 0.01
    clip: float = 1.0
    dropout: float | None = 0.1
    max_length: int = 128
    layer_decay: float = 1.0
    freeze: str = ""
    patience: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        least_of = {"epochs": 1, "batch_size": 1, "max_length": 4, "patience": 0, "seed": 0}
        for name, least in least_of.items():
            if getattr(self, name) < least:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected at least {least}")
        if not self.learning_rate > 0 or not self.clip > 0:
            raise ConfigError(
                f"learning_rate is {self.learning_rate:g} and clip {self.clip:g}; expected more than 0"
            )
        if not self.weight_decay >= 0:
            raise ConfigError(f"weight_decay is {self.weight_decay:g}; expected 0 or more")
        shares = {"warmup_share": self.warmup_share, "dropout": self.dropout or 0.0}
        for name, share in shares.items():
            if not 0 <= share < 1:
                raise ConfigError(f"{name} is {share}; expected at least 0 and less than 1")
        if not 0 < self.layer_decay <= 1:
            raise ConfigError(f"layer_decay is {self.layer_decay}; expected more than 0 and at most 1")

    @classmethod
    def for_model(cls, config: BertConfig, **changes: Any) -> FineTuning:
        """Return the recipe for a model of this size; ``changes`` that are None change nothing.

        Raises:
            ConfigError: a number out of its range, or texts longer than the model can read.
        """
        rate = next((rate for width, rate in RATES if config.hidden_size <= width), LARGE_RATE)
        longest = config.max_position_embeddings
        usual = {"learning_rate": rate, "max_length": min(128, longest)}
        recipe = cls(**usual | {name: value for name, value in changes.items() if value is not None})
        if recipe.max_length > longest:
            raise ConfigError(f"max_length is {recipe.max_length}; this model reads at most {longest} pieces")
        return recipe

    def replace(self, **changes: Any) -> FineTuning:
        """Return a changed copy."""
        return replace(self, **changes)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)
