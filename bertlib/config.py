"""BertConfig: the dozen numbers that make one BERT differ from another.

Names follow the released code and the ``transformers`` library. In the paper's letters:

====================  ======================  =====================================
field                 paper                   meaning
====================  ======================  =====================================
``num_hidden_layers``  L                      encoder blocks
``hidden_size``        H                      width of every vector
``num_attention_heads``  A                    heads a block
``intermediate_size``  4H                     width inside the feed-forward layer
``vocab_size``         V (30,522 as released)  word pieces
====================  ======================  =====================================
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from bertlib.errors import ConfigError

# name: (layers L, hidden size H, heads A); the feed-forward layer is 4H wide in all of them.
# Base and Large: Devlin et al. 2019, section 3. The smaller four: Turc et al. 2019.
PRESETS: dict[str, tuple[int, int, int]] = {
    "tiny": (2, 128, 2),
    "mini": (4, 256, 4),
    "small": (4, 512, 8),
    "medium": (8, 512, 8),
    "base": (12, 768, 12),
    "large": (24, 1024, 16),
}


@dataclass(frozen=True, kw_only=True)
class BertConfig:
    """Shape and regularisation of a BERT (Devlin et al. 2019, section 3 and appendix A.2).

    Frozen: change a copy with :meth:`replace`. Sizes are counts, ``*_prob`` are probabilities.

    Raises:
        ConfigError: a size below one, heads that do not divide the hidden size, a probability
            outside [0, 1).
    """

    vocab_size: int = 30_522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    layer_norm_eps: float = 1e-12
    initializer_range: float = 0.02
    pad_token_id: int = 0

    def __post_init__(self) -> None:
        for name in (
            "vocab_size",
            "hidden_size",
            "num_hidden_layers",
            "num_attention_heads",
            "intermediate_size",
            "max_position_embeddings",
            "type_vocab_size",
        ):
            value = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ConfigError(f"{name} is {value!r}; expected a whole number of at least 1")
        if self.hidden_size % self.num_attention_heads:
            raise ConfigError(
                f"hidden_size {self.hidden_size} cannot be shared out evenly among "
                f"{self.num_attention_heads} heads; choose num_attention_heads that divides it"
            )
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < 1:
                raise ConfigError(f"{name} is {value!r}; expected a probability in [0, 1)")
        for name in ("layer_norm_eps", "initializer_range"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not value > 0:
                raise ConfigError(f"{name} is {value!r}; expected a number above 0, such as 1e-12")
        if not isinstance(self.pad_token_id, int) or not 0 <= self.pad_token_id < self.vocab_size:
            raise ConfigError(
                f"pad_token_id {self.pad_token_id!r} lies outside the vocabulary of {self.vocab_size}"
            )

    @property
    def head_size(self) -> int:
        """Width of one head, d = H / A."""
        return self.hidden_size // self.num_attention_heads

    @classmethod
    def from_preset(cls, name: str, **changes: Any) -> BertConfig:
        """Return one of the six published sizes, with any field changed by keyword.

        Args:
            name: tiny, mini, small, medium, base or large.
            **changes: fields of BertConfig, e.g. ``vocab_size=8192``.

        Raises:
            ConfigError: unknown preset (the known ones are listed) or unknown field.

        Example:
            >>> BertConfig.from_preset("mini").hidden_size
            256
        """
        if name not in PRESETS:
            raise ConfigError(f"unknown preset {name!r}; the presets are {', '.join(PRESETS)}")
        layers, hidden, heads = PRESETS[name]
        shape = {
            "num_hidden_layers": layers,
            "hidden_size": hidden,
            "num_attention_heads": heads,
            "intermediate_size": 4 * hidden,
        }
        return cls.from_dict(shape | changes)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> BertConfig:
        """Build a config from a plain dict, as read from ``config.json``.

        Raises:
            ConfigError: a key that is no field.
        """
        known = {field.name for field in dataclasses.fields(cls)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ConfigError(f"unknown field {unknown[0]!r}; BertConfig has {', '.join(sorted(known))}")
        return cls(**values)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a plain dict, ready for JSON."""
        return dataclasses.asdict(self)

    def replace(self, **changes: Any) -> BertConfig:
        """Return a checked copy with some fields changed."""
        return dataclasses.replace(self, **changes)
