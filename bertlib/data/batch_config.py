"""What a run's texts look like: how they are cut, joined and masked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from bertlib.errors import ConfigError

Masking = Literal["tokens", "words", "spans"]
PairKind = Literal["nsp", "sop", "none"]
Objective = Literal["mlm", "causal"]


@dataclass(frozen=True, kw_only=True)
class BatchConfig:
    """How texts are cut, joined and masked (Devlin et al. 2019, appendix A.2).

    Attributes:
        batch_size: texts a step, over all processes.
        max_length: positions a text, [CLS] and [SEP] included.
        nsp: False is short for ``pairs="none"`` and goes before it.
        short_share: share of texts that aim at a shorter length.
        masked_share: share of the word pieces to predict.
        seed: decides texts, order and masks.
        pairs: "nsp": does B follow A (BERT); "sop": are A and B in order (ALBERT, Lan et al. 2020);
            "none": single texts.
        masking: what is masked as a whole: "tokens", "words" (whole-word masking) or "spans" (SpanBERT).
        static_masks: 0: new texts and masks in each epoch ("dynamic"). A number n: those of the first n
            epochs come again and again, as the released code writes its data n = 10 times in advance
            ("static"; Liu et al. 2019, RoBERTa, section 4.1, compare the two).
        objective: "mlm", or "causal": every word is predicted from those before it, nothing is masked.

    Raises:
        ConfigError: a length that has no room for a pair, an empty batch, a kind that does not exist.
    """

    batch_size: int = 64
    max_length: int = 128
    nsp: bool = True
    short_share: float = 0.1
    masked_share: float = 0.15
    seed: int = 0
    pairs: PairKind = "nsp"
    masking: Masking = "tokens"
    static_masks: int = 0
    objective: Objective = "mlm"

    def __post_init__(self) -> None:
        if self.max_length < 5:
            raise ConfigError(f"max_length is {self.max_length}; [CLS] a [SEP] b [SEP] alone takes 5")
        if self.batch_size < 1:
            raise ConfigError(f"batch_size is {self.batch_size}; expected at least 1")
        if self.static_masks < 0:
            raise ConfigError(f"static_masks is {self.static_masks}; expected 0 (new masks) or a number")
        for name, kinds in (("pairs", PairKind), ("masking", Masking), ("objective", Objective)):
            if getattr(self, name) not in get_args(kinds):
                raise ConfigError(
                    f"{name} is {getattr(self, name)!r}; expected {' or '.join(get_args(kinds))}"
                )
        if self.objective == "causal" and self.pair_kind != "none":
            raise ConfigError(
                f"objective causal with pairs {self.pair_kind}: [CLS] stands first and sees nothing of the "
                "sentences to be judged; add pairs none (--no-nsp)"
            )

    @property
    def pair_kind(self) -> PairKind:
        """The question that is asked about pairs, ``nsp`` considered."""
        return self.pairs if self.nsp else "none"

    @property
    def asked_share(self) -> float:
        """Share of the positions at which a word is to be predicted."""
        return 1.0 if self.objective == "causal" else self.masked_share
