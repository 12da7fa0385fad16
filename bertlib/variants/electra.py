"""ELECTRA: spot the words that were replaced, instead of guessing those that were hidden (Clark et al. 2020).

What differs from BERT:

1. Two models (section 2). A small *generator* learns BERT's masked words; what it says is put in their
   place. The *discriminator* learns to tell, for every word of the text, whether it was replaced. So all
   words teach, not 15 % of them, and the discriminator meets no [MASK], just as in fine-tuning.
2. Loss = MLM + 50 x detection (section 2; the 50 stands in the appendix). No gradient goes from one model
   to the other: a choice of words has none.
3. A word that the generator happens to get right counts as original (section 2).
4. Both use the same embedding tables (section 3.2); the generator has a matrix to its own width.

Afterwards the generator is thrown away: fine-tune ``Electra.discriminator``, a BertModel. There is no
sentence task, so its pooler is as it was drawn. The paper hides every selected word from the generator, as
we do; the released code leaves 15 % of them in view. The tables of the paper's Small are narrower than its
discriminator (128 and 256, table 6); ours are always as wide.

Shapes: B texts, T positions, N selected positions in the whole batch, V vocabulary.
"""

from __future__ import annotations

from functools import partial
from typing import NamedTuple

import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

from bertlib.config import BertConfig
from bertlib.data.batches import Batch, PreTrainingBatches
from bertlib.errors import ConfigError, InputError
from bertlib.model import BertEmbedding, BertModel
from bertlib.model.bert import initialise
from bertlib.objectives import MaskedLMLoss
from bertlib.seeds import mix_seed
from bertlib.variants.albert import FactorisedEmbedding, FactorisedHead
from bertlib.variants.training import train_variant

FIRST_WORD = 5  # ids below belong to special tokens
DETECTION_WEIGHT = 50.0  # lambda: the loss of a choice of two is far smaller than that of one of V


class Replaced(NamedTuple):
    """A text with words of the generator's in it."""

    input_ids: Tensor  # (B, T)
    replaced: Tensor  # (B, T) booleans, False where the generator hit on the original word


class ElectraLosses(NamedTuple):
    """Losses in nats: scalars of one step, or a column of numbers for a whole run."""

    total: Tensor  # mlm + lambda x detection
    mlm: Tensor  # the generator's, a selected word
    detection: Tensor  # the discriminator's, a word of the text


class Detection(NamedTuple):
    """How well replaced words are told from original ones; shares from 0 to 1.

    There is no accuracy: whoever never suspects a word is right nearly always. And the loss tells too little:
    it also falls because the generator hits the original word more often.
    """

    replaced: float  # words that are wrong, of all words judged: the precision of a guess
    precision: float  # words that are wrong, of those suspected; 0 where none is
    recall: float  # words suspected, of those that are wrong
    auc: float  # how often a wrong word looks more suspicious than a right one; 0.5 is a guess


def sample_words(logits: Tensor, generator: Generator) -> Tensor:
    """Draw a word for each row of ``logits`` (N, V) with the chance the softmax gives it: (N,)."""
    if not len(logits):
        return torch.zeros(0, dtype=torch.long, device=logits.device)
    return torch.multinomial(logits.detach().float().softmax(-1), 1, generator=generator)[:, 0]


def replace_words(original_ids: Tensor, selected: Tensor, words: Tensor) -> Replaced:
    """Put ``words`` (N,) in the selected places, row by row, and say which of them are wrong.

    Raises:
        InputError: not one word for each place.
    """
    if words.shape != (int(selected.sum()),):
        raise InputError(
            f"{len(words)} words for {int(selected.sum())} selected places; expected one for each"
        )
    ids = original_ids.masked_scatter(selected, words)
    return Replaced(ids, ids != original_ids)


def detection_loss(logits: Tensor, replaced: Tensor, attention_mask: Tensor) -> Tensor:
    """Return the mean two-way cross-entropy over all words (Clark et al. 2020, section 2).

    Args:
        logits: (B, T), above 0 where a replaced word is suspected.
        replaced: (B, T) booleans.
        attention_mask: (B, T); padding does not count. [CLS] and [SEP] do, as in the released code.

    Raises:
        InputError: three different shapes.
    """
    if not logits.shape == replaced.shape == attention_mask.shape:
        raise InputError(
            f"logits {tuple(logits.shape)}, replaced {tuple(replaced.shape)}, attention_mask "
            f"{tuple(attention_mask.shape)}; expected (batch, length) three times"
        )
    text = attention_mask != 0
    return F.binary_cross_entropy_with_logits(logits[text].float(), replaced[text].float())


def detection_scores(logits: Tensor, replaced: Tensor) -> Detection:
    """Judge a detector by its logits and the truth, both (N,).

    Raises:
        InputError: all words are right, or all wrong.
    """
    wrong, right = logits[replaced], logits[~replaced].sort().values
    if not len(wrong) or not len(right):
        raise InputError(
            f"{len(wrong)} of {len(logits)} words are replaced; expected some of either kind: take more text"
        )
    suspected, hits = int((logits > 0).sum()), int((wrong > 0).sum())
    below, tied = (torch.searchsorted(right, wrong, right=side) for side in (False, True))
    return Detection(
        replaced=len(wrong) / len(logits),
        precision=hits / max(suspected, 1),
        recall=hits / len(wrong),
        auc=(below + tied).double().mean().item() / (2 * len(right)),  # a tie counts half
    )


class Electra(nn.Module):
    """Generator and discriminator.

    Args:
        config: of the discriminator, the model one wants.
        generator_share: width, heads and inner width of the generator as parts of the discriminator's: the
            paper's is a quarter (Small, Large) or a third (Base). It has as many blocks.
        detection_weight: lambda. Both models pull at the shared tables: the smaller it is, the sooner the
            generator learns, and only then is there something to detect.
        mask_id: id of [MASK].

    Raises:
        ConfigError: a share outside (0, 1], a width that the heads do not divide, or a weight below 0.
    """

    def __init__(
        self,
        config: BertConfig,
        *,
        generator_share: float = 0.25,
        detection_weight: float = DETECTION_WEIGHT,
        mask_id: int = 4,
    ) -> None:
        if detection_weight < 0:
            raise ConfigError(f"detection_weight is {detection_weight}; expected at least 0")
        super().__init__()
        small, tables = generator_config(config, generator_share), BertEmbedding(config)
        self.detection_weight, self.mask_id = detection_weight, mask_id
        self.generator = BertModel(small, embedding=partial(FactorisedEmbedding, tables=tables))
        self.generator_head = FactorisedHead(small, embedding_size=config.hidden_size)
        self.discriminator = BertModel(config, embedding=lambda _: tables)
        width = config.hidden_size
        self.detector = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, 1))
        initialise(self.generator_head, small)
        initialise(self.detector, config)

    def guess(self, batch: Batch) -> Tensor:
        """Hide the selected words and return the generator's logits for them, (N, V)."""
        hidden_ids = batch.original_ids.masked_fill(batch.selected, self.mask_id)
        body = self.generator(hidden_ids, batch.attention_mask, batch.token_type_ids)
        hidden = body.last_hidden_state[batch.selected]  # (N, h), h the generator's width
        return self.generator_head(hidden, self.generator.word_embeddings)

    def detect(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Return (B, T) logits, above 0 where a word looks replaced."""
        body = self.discriminator(input_ids, attention_mask, token_type_ids)
        return self.detector(body.last_hidden_state)[..., 0]

    def judge(self, batch: Batch, guesses: Tensor, *, generator: Generator) -> tuple[Tensor, Tensor]:
        """Draw words from ``guesses`` (N, V): logits about them, and which are wrong, both (B, T)."""
        text = replace_words(batch.original_ids, batch.selected, sample_words(guesses, generator))
        return self.detect(text.input_ids, batch.attention_mask, batch.token_type_ids), text.replaced

    def forward(self, batch: Batch, *, generator: Generator) -> ElectraLosses:
        """Return the losses of a batch; which words are hidden is its business, what comes there is ours.

        Args:
            batch: of PreTrainingBatches; its masked ids are not used.
            generator: draws the words, on the device of the batch.
        """
        logits = self.guess(batch)
        mlm = MaskedLMLoss()(logits, batch.labels)
        suspicion, replaced = self.judge(batch, logits, generator=generator)
        detection = detection_loss(suspicion, replaced, batch.attention_mask)
        return ElectraLosses(mlm + self.detection_weight * detection, mlm, detection)


def generator_config(config: BertConfig, share: float) -> BertConfig:
    """Return the generator's sizes.

    Raises:
        ConfigError: a share outside (0, 1], or a width that the heads do not divide.
    """
    if not 0 < share <= 1:
        raise ConfigError(f"generator_share is {share}; expected a part of the discriminator, in (0, 1]")
    return config.replace(
        hidden_size=round(share * config.hidden_size),
        num_attention_heads=max(round(share * config.num_attention_heads), 1),
        intermediate_size=round(share * config.intermediate_size),
    )


def pretrain_electra(
    model: Electra,
    batches: PreTrainingBatches,
    *,
    steps: int,
    learning_rate: float = 1e-3,
    seed: int = 0,
    progress: bool = False,
) -> ElectraLosses:
    """Train both together (section 2) and return the losses of every step, three rows of (steps,).

    Args:
        model: on the device of ``batches``.
        batches: single texts (``pairs="none"``), as there is no sentence task.
        steps: how many.
        learning_rate: the highest.
        seed: of dropout and of the words drawn.
        progress: show a bar.

    Raises:
        ConfigError: no steps, or left-to-right batches.
        TrainingError: the loss is no number any more.
    """
    if batches.config.objective != "mlm":
        raise ConfigError(f"objective is {batches.config.objective!r}; ELECTRA needs batches of 'mlm'")

    def losses(batch: Batch, step: int) -> ElectraLosses:
        dice = Generator(batches.device).manual_seed(mix_seed(seed, 3, step))
        return model(batch, generator=dice)

    history = train_variant(
        model, losses, batches, steps=steps, learning_rate=learning_rate, seed=seed, progress=progress
    )
    return ElectraLosses(*torch.from_numpy(history.T))


@torch.no_grad()
def evaluate_electra(model: Electra, batches: PreTrainingBatches, *, steps: int, seed: int = 0) -> Detection:
    """Judge the discriminator on the generator's words in text that was not learned from.

    The marks [CLS] and [SEP] are left out: they are never replaced, and to know that is no skill.

    Args:
        model: on the device of ``batches``.
        batches: held-out text.
        steps: batches to judge by.
        seed: of the words drawn.

    Raises:
        InputError: too little text: no word was replaced.
    """
    was_training = model.training
    model.eval()
    judged = []
    for step in range(steps):
        batch, dice = batches.batch(step), Generator(batches.device).manual_seed(mix_seed(seed, 4, step))
        text = (batch.attention_mask != 0) & (batch.original_ids >= FIRST_WORD)
        judged.append([found[text] for found in model.judge(batch, model.guess(batch), generator=dice)])
    model.train(was_training)
    return detection_scores(*(torch.cat(found) for found in zip(*judged, strict=True)))
