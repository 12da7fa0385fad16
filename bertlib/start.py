"""Start from the weights of a saved model: a second phase of training, or more training on other text.

Devlin et al. 2019, appendix A.2: nine tenths of the steps on 128 positions, the last tenth on 512 to learn
the later positions. The position table has to be long enough from the beginning (``--positions 512``). As
with the released code only the weights are taken; the optimiser and the learning rate start anew.
"""

from __future__ import annotations

import dataclasses

from bertlib.errors import CheckpointError
from bertlib.model import BertForPreTraining
from bertlib.recipes import Recipe
from bertlib.request import Request
from bertlib.store import load_pretrained
from bertlib.tokenizer import WordPieceTokenizer

# What may differ from the model one starts from: how it is trained, not what it is.
FREE = ("hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range", "max_position_embeddings")


def starting_model(request: Request) -> tuple[BertForPreTraining, WordPieceTokenizer] | None:
    """Load the model that a run starts from; None if there is none, or if the run has checkpoints already."""
    if request.start is None or any((request.out / "checkpoints").glob("step-*")):
        return None
    return load_pretrained(request.start)


def with_its_positions(recipe: Recipe, model: BertForPreTraining, source: str) -> Recipe:
    """Return the recipe with the model's position table.

    Raises:
        CheckpointError: the texts are longer than the table.
    """
    positions = model.config.max_position_embeddings
    if recipe.max_length > positions:
        raise CheckpointError(
            f"max_length is {recipe.max_length}, but the position table of {source} has {positions} rows; "
            f"shorten the texts, or train the first phase with --positions {recipe.max_length}"
        )
    return recipe.replace(positions=positions)


def check_start(
    recipe: Recipe,
    tokenizer: WordPieceTokenizer,
    start: tuple[BertForPreTraining, WordPieceTokenizer],
    source: str,
) -> None:
    """See that the model is of the run's sizes and knows the run's words.

    Raises:
        CheckpointError: the first difference, with both values and what to do.
    """
    model, its_tokenizer = start
    if (tokenizer.vocab, tokenizer.lowercase) != (its_tokenizer.vocab, its_tokenizer.lowercase):
        raise CheckpointError(
            f"{source} was trained with another vocabulary ({len(its_tokenizer.vocab):,} pieces) than this "
            f"run's ({len(tokenizer.vocab):,}); leave out --tokenizer to use the model's own"
        )
    ours = dataclasses.asdict(recipe.model_config(len(tokenizer)))
    for name, theirs in dataclasses.asdict(model.config).items():
        if name not in FREE and ours[name] != theirs:
            raise CheckpointError(
                f"{source} has {name} = {theirs}, a {recipe.preset} has {ours[name]}; start from a model of "
                "the same configuration, or choose its --preset"
            )
