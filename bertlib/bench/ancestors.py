"""Every ancestor of BERT reads the same stories, and is asked about stories that nobody has read.

::

    python -m bertlib.bench.ancestors --save book/results/ancestors.json

All are given the same rows of the same word pieces. Whoever reads from left to right is asked the same words,
so the column ``perplexity`` is a fair race; the two beside it are other races.
"""

from __future__ import annotations

import argparse
import sys
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from bertlib.bench.provenance import provenance, write_results
from bertlib.config import BertConfig
from bertlib.data.story import story_documents
from bertlib.errors import BertlibError
from bertlib.history import (
    BiLSTMLanguageModel,
    CausalTransformer,
    Corpus,
    LSTMLanguageModel,
    MaskedTransformer,
    NGramModel,
    Training,
    Word2Vec,
    compare,
    read_texts,
)
from bertlib.history.language_model import Ancestor
from bertlib.tokenizer import WordPieceTokenizer

VOCAB_SIZE = 1000
LONGEST = 128  # ids in a row
WIDTH = 64


class Stories(NamedTuple):
    """Whole documents as rows of ids."""

    tokenizer: WordPieceTokenizer
    train: Corpus
    valid: Corpus


def read_stories(documents: int, held_out: int, *, world: str, seed: int) -> Stories:
    """Tell so many documents to learn from and to be asked about; the vocabulary is that of the former.

    Raises:
        CorpusError: no documents.
        InputError: an unknown world.
    """
    train, valid = (
        [" ".join(sentences) for sentences in islice(told, count)]
        for told, count in (
            (story_documents(seed=seed, split="train", world=world), documents),
            (story_documents(seed=seed, split="valid", world=world), held_out),
        )
    )
    tokenizer = WordPieceTokenizer.train(train, VOCAB_SIZE, progress=False)
    return Stories(tokenizer, *(read_texts(texts, tokenizer, longest=LONGEST) for texts in (train, valid)))


def ancestors(vocab_size: int, *, epochs: int, seed: int) -> dict[str, Ancestor]:
    """Return them in the order of their years, none fitted; all networks pass over the text equally often."""
    config = BertConfig(
        vocab_size=vocab_size,
        hidden_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=4 * WIDTH,
        max_position_embeddings=LONGEST,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.07,  # 0.02 suits a width of 768; see bertlib.recipes
    )
    # Few texts a step: a short run needs many steps more than smooth ones.
    lstm = Training(epochs=epochs, batch_size=4, learning_rate=1e-2, seed=seed)
    transformer = Training(epochs=epochs, batch_size=4, learning_rate=3e-3, seed=seed)
    return {
        **{f"{n}-gram": NGramModel(vocab_size, n) for n in (1, 2, 3, 5)},
        "word2vec": Word2Vec(vocab_size),
        "LSTM": LSTMLanguageModel(vocab_size, size=WIDTH, window=LONGEST, training=lstm),
        "two LSTMs (ELMo)": BiLSTMLanguageModel(vocab_size, size=WIDTH, training=lstm),
        "causal Transformer (GPT)": CausalTransformer(config, training=transformer),
        "masked Transformer (BERT)": MaskedTransformer(config, training=transformer),
    }


def race(stories: Stories, *, epochs: int, seed: int, progress: bool = False) -> dict[str, Any]:
    """Fit all and return the table with the sizes of the text, as JSON can hold them."""
    models = ancestors(len(stories.tokenizer), epochs=epochs, seed=seed)
    table = compare(models, stories.train, stories.valid, progress=progress)
    return {
        "vocab_size": len(stories.tokenizer),
        "tokens": {"train": sum(map(len, stories.train)), "valid": sum(map(len, stories.valid))},
        "rows": [{key: rounded(value) for key, value in line._asdict().items()} for line in table],
    }


def rounded(value: Any) -> Any:
    """Return numbers to three places, and all else as it is."""
    return round(value, 3) if isinstance(value, float) else value


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, fit and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--documents", type=int, default=1000, help="to learn from")
    parser.add_argument("--held-out", type=int, default=100, help="documents to be asked about")
    parser.add_argument("--epochs", type=int, default=10, help="passes of each network over the text")
    parser.add_argument("--world", default="village", help="of the stories: country or village")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--save", type=Path, required=True, help="JSON to write")
    given = parser.parse_args(arguments)
    command = (
        f"python -m bertlib.bench.ancestors --documents {given.documents} --held-out {given.held_out} "
        f"--epochs {given.epochs} --world {given.world} --seed {given.seed} "
        "--save book/results/ancestors.json"
    )
    try:
        stories = read_stories(given.documents, given.held_out, world=given.world, seed=given.seed)
        found = race(stories, epochs=given.epochs, seed=given.seed, progress=True)
    except BertlibError as error:
        sys.exit(f"ancestors: {error}")
    write_results(given.save, {"provenance": provenance(command, seed=given.seed, device="cpu")} | found)
    print(f"wrote {given.save}")


if __name__ == "__main__":
    main()
