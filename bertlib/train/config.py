"""TrainingConfig: how long, how fast, how often to look and to save."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from bertlib.errors import ConfigError

COUNTS = ("steps", "accumulation", "log_every", "eval_every", "eval_batches", "save_every", "keep")
# What may differ when a run is resumed: it changes what is seen and kept, not what is learned.
CADENCE = ("log_every", "eval_every", "save_every", "keep", "eval_batches", "fsdp")


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The recipe (Devlin et al. 2019, appendix A.2, has the original's numbers).

    Raises:
        ConfigError: a number that makes no sense, named.
    """

    steps: int = 1000
    learning_rate: float = 1e-3
    warmup_steps: int = 100
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.999)
    clip: float = 1.0  # largest norm of the gradient
    accumulation: int = 1  # pieces a batch is cut into, to save memory
    precision: str = "fp32"  # or "bf16"
    matmul_precision: str = "medium"  # of fp32 products, see bertlib.train.precision
    seed: int = 0
    log_every: int = 10
    eval_every: int = 500
    eval_batches: int = 20
    save_every: int = 500
    keep: int = 2  # checkpoints that stay on the disk
    fsdp: bool = False  # several processes share the weights out, see bertlib.train.processes

    def __post_init__(self) -> None:
        for name in COUNTS:
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} is {getattr(self, name)}; expected at least 1")
        if self.seed < 0:
            raise ConfigError(f"seed is {self.seed}; expected 0 or more")
        if not 0 <= self.warmup_steps <= self.steps:
            raise ConfigError(
                f"warmup_steps is {self.warmup_steps}; expected 0 to {self.steps}, the number of steps"
            )
        if not 0 < self.learning_rate < math.inf:  # NaN is neither
            raise ConfigError(
                f"learning_rate is {self.learning_rate}; expected a positive number such as 1e-3"
            )
        if not 0 <= self.weight_decay < math.inf or not self.clip > 0:
            raise ConfigError(
                f"weight_decay is {self.weight_decay} and clip {self.clip}; expected at least 0, and above 0"
            )
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ConfigError(f"betas are {self.betas}; expected two numbers in [0, 1) such as 0.9 and 0.999")
        if self.precision not in ("fp32", "bf16"):
            raise ConfigError(f"precision is {self.precision!r}; expected fp32 or bf16")
        if self.matmul_precision not in ("highest", "high", "medium"):
            raise ConfigError(
                f"matmul_precision is {self.matmul_precision!r}; expected highest, high or medium"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a plain dict, ready for JSON."""
        return dataclasses.asdict(self) | {"betas": list(self.betas)}

    def learning_fields(self) -> dict[str, Any]:
        """Return the fields that decide the final weights."""
        return {key: value for key, value in self.to_dict().items() if key not in CADENCE}
