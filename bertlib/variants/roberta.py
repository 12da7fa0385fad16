"""RoBERTa: the same model, trained better (Liu et al. 2019).

What differs from BERT is the recipe alone; no line of the model changes.

1. *Masks are drawn anew* each time a text is seen (section 4.1); BERT's data were masked in advance, ten
   times. Ours are always new, unless ``static_masks`` is set.
2. *No NSP* (section 4.2). Inputs are FULL-SENTENCES: whole sentences in a row up to 512 pieces, across the
   border of documents where one ends, with a separator between them. Text cut at the border (DOC-SENTENCES)
   did slightly better, but makes batches of uneven size.
3. *Larger batches* (section 4.3, table 3): 8K texts instead of 256, with a higher learning rate.
4. *Full length from the start* (section 3.1): no steps at length 128 and no texts that are short on purpose.
5. *More text, for longer* (section 5): 160 GB instead of 16, 500K steps of 8K texts instead of 1M of 256,
   which is sixteen times as many texts; beta2 = 0.98, no clipping (table 9).
6. *Byte-level BPE* of 50K pieces instead of WordPiece's 30K (section 4.4): chapter 02 has byte-level BPE.
   Here the WordPiece tokenizer stays.

Our texts end with their document, as DOC-SENTENCES do; :func:`across_documents` makes them run on, without a
separator. Either way a text is filled to the last position: the sentence that does not fit is cut, where the
paper stops before it. We clip the gradient at 1.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from bertlib.data.batches import TokenRow
from bertlib.errors import ConfigError
from bertlib.recipes import Recipe

# Table 9 of the paper; K is read as 1,024 where it counts texts, as 1,000 where it counts steps.
_BOTH: dict[str, Any] = {"batch_size": 8 * 1024, "steps": 500_000, "max_length": 512}
PAPER: dict[str, dict[str, Any]] = {
    "base": _BOTH | {"learning_rate": 6e-4, "warmup_share": 24 / 500},
    "large": _BOTH | {"learning_rate": 4e-4, "warmup_share": 30 / 500},
}
GROWTH = 4  # below Base: four times the texts a step and four times the steps, the paper's sixteen in all


def roberta_recipe(preset: str, *, story: bool = False, **changes: Any) -> Recipe:
    """Return RoBERTa's recipe for a size.

    Base and Large have the paper's numbers. For the smaller sizes, which the paper did not train, the batch
    and the steps of :meth:`Recipe.for_preset` grow by four each and the learning rate by two: the square root
    of the batch's growth, which is about what Base's has (32 times the texts, 6 times the rate).

    Args:
        preset: a size.
        story: as for :meth:`Recipe.for_preset`.
        **changes: fields of Recipe, which go before all else.

    Raises:
        ConfigError: an unknown preset, or a change that brings back what RoBERTa leaves out.
    """
    refused = {"pairs": (None, "none"), "nsp": (None, False), "static_masks": (None, 0)}
    for name, allowed in refused.items():
        if changes.get(name) not in allowed:
            raise ConfigError(
                f"{name} is {changes[name]!r}: RoBERTa has no sentence task and masks anew each time; leave "
                "it out, or take Recipe.for_preset for BERT's recipe"
            )
    given = {name: value for name, value in changes.items() if value is not None}
    usual = Recipe.for_preset(preset, story=story)
    grown: dict[str, Any] = PAPER.get(preset) or {
        "batch_size": GROWTH * usual.batch_size,
        "steps": GROWTH * usual.steps,
        "learning_rate": GROWTH**0.5 * usual.learning_rate,
    }
    always = {"nsp": False, "pairs": "none", "beta2": 0.98, "short_share": 0.0}
    return Recipe.for_preset(preset, story=story, **(always | grown | given))


def across_documents(corpus: TokenRow) -> TokenRow:
    """Return the corpus as one single document, so that single texts run over the borders (FULL-SENTENCES).

    Nothing is copied. Give it to PreTrainingBatches with ``pairs="none"`` and ``short_share=0``.
    """
    whole = np.array([len(corpus.sentence_ends)])
    return cast(
        TokenRow,
        SimpleNamespace(
            tokens=corpus.tokens,
            sentence_ends=corpus.sentence_ends,
            document_ends=whole,
            vocab_size=corpus.vocab_size,
        ),
    )
