"""A gallery of broken runs: what the learning curve looks like when one thing is wrong.

::

    python -m bertlib.bench.gallery --out book/results/broken-runs.json
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from bertlib.bench.provenance import provenance, write_results
from bertlib.data.arrays import TokenCorpus
from bertlib.data.batches import Batch, PreTrainingBatches
from bertlib.data.prepare import prepare_corpus
from bertlib.data.story import write_corpus
from bertlib.pretrain import make_batches, new_model
from bertlib.recipes import Recipe
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.train import BertTrainer, CountingBaselines

FIRST_WORD = 5  # ids below belong to special tokens
FEW_DOCUMENTS = 40


class ChangedBatches(PreTrainingBatches):
    """Training batches in which something is wrong."""

    change: Callable[[Batch], Batch]

    def batch(self, step: int, first: int | None = None, last: int | None = None) -> Batch:
        """Make the right batch, then spoil it."""
        return self.change(super().batch(step, first, last))


def every_word(batch: Batch) -> Batch:
    """Ask for every word, also for those that stand there to be read."""
    return batch._replace(selected=batch.original_ids >= FIRST_WORD)


def nothing_hidden(batch: Batch) -> Batch:
    """Forget to put [MASK] in: the answer is in the question."""
    return batch._replace(input_ids=batch.original_ids)


def shuffled_verdicts(batch: Batch) -> Batch:
    """Give each pair the verdict of the pair before."""
    return batch._replace(next_sentence_label=batch.next_sentence_label.roll(1))


@dataclass(frozen=True, kw_only=True)
class Patient:
    """One run of the gallery."""

    name: str
    cause: str
    change: Callable[[Batch], Batch] | None = None
    recipe: dict[str, Any] = field(default_factory=dict)
    documents: int | None = None  # of the corpus; None: all


# In no order that would give a reader a hint.
PATIENTS = (
    Patient(name="rate x 20", cause="a learning rate twenty times too high", recipe={"learning_rate": 5e-2}),
    Patient(name="every word", cause="the loss counts the words that were not masked", change=every_word),
    Patient(name="wrong verdicts", cause="verdicts shifted by one pair", change=shuffled_verdicts),
    Patient(name="nothing hidden", cause="the words to guess were not masked", change=nothing_hidden),
    Patient(
        name="rate / 100", cause="a learning rate a hundred times too low", recipe={"learning_rate": 2.5e-5}
    ),
    Patient(
        name="few documents",
        cause=f"{FEW_DOCUMENTS} documents, read again and again",
        documents=FEW_DOCUMENTS,
    ),
    Patient(name="healthy", cause="nothing is wrong"),
    Patient(name="large start", cause="first weights from N(0, 1)", recipe={"initializer_range": 1.0}),
)


def first_documents(corpus: TokenCorpus, count: int) -> TokenCorpus:
    """Return the beginning of a corpus; no text is copied."""
    sentences = int(corpus.document_ends[count - 1])
    tokens = int(corpus.sentence_ends[sentences - 1])
    return dataclasses.replace(
        corpus,
        tokens=corpus.tokens[:tokens],
        sentence_ends=corpus.sentence_ends[:sentences],
        document_ends=corpus.document_ends[:count],
    )


def treat(
    patient: Patient,
    recipe: Recipe,
    train: TokenCorpus,
    valid: TokenCorpus,
    tokenizer: WordPieceTokenizer,
) -> dict[str, Any]:
    """Train one patient and return its curves."""
    recipe = recipe.replace(**patient.recipe)
    corpus = first_documents(train, patient.documents) if patient.documents else train
    batches, held_out = make_batches(recipe, corpus, valid, tokenizer, torch.device("cpu"))
    if patient.change:
        changed = ChangedBatches(corpus, batches.config, special=batches.special)
        changed.change = patient.change
        batches = changed
    events: list[dict[str, Any]] = []
    model = new_model(recipe, len(tokenizer))
    config = recipe.training_config()
    BertTrainer(model, batches, config, valid=held_out, progress=False, on_log=events.append).fit()
    return {
        "name": patient.name,
        "cause": patient.cause,
        "train": columns(events, "train", "step", "mlm_loss", "nsp_loss"),
        "valid": columns(events, "valid", "step", "mlm_loss", "masked_accuracy", "nsp_accuracy"),
    }


def columns(events: list[dict[str, Any]], kind: str, *names: str) -> dict[str, list[float]]:
    """Turn events into columns, numbers to four places."""
    chosen = [event for event in events if event["event"] == kind]
    return {name: [round(event[name], 4) for event in chosen] for name in names}


def gallery(recipe: Recipe, folder: Path, *, say: Callable[[str], None] = print) -> dict[str, Any]:
    """Write the village's stories, train every patient on them, and return all curves."""
    paths = {split: folder / f"{split}.txt" for split in ("train", "valid")}
    for (split, path), size in zip(paths.items(), (2.0, 0.15), strict=True):
        write_corpus(path, megabytes=size, seed=recipe.seed, split=split, world="village")
    tokenizer = WordPieceTokenizer.train([paths["train"].read_text(encoding="utf-8")], recipe.vocab_size)
    train, valid = (
        prepare_corpus(path, tokenizer, folder / split, progress=False) for split, path in paths.items()
    )
    runs = []
    for patient in PATIENTS:
        runs.append(treat(patient, recipe, train, valid, tokenizer))
        say(f"{patient.name}: held-out loss {runs[-1]['valid']['mlm_loss'][-1]:.2f}")
    _, held_out = make_batches(recipe, train, valid, tokenizer, torch.device("cpu"))
    counted = CountingBaselines.count(train.tokens, len(tokenizer))
    unigram = counted.unigram_loss(map(held_out.batch, range(recipe.eval_batches)))
    return {"start": math.log(len(tokenizer)), "unigram": unigram, "runs": runs}


def main() -> None:
    """Measure and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, default=Path("book/results/broken-runs.json"))
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    recipe = Recipe.for_preset(
        "tiny",
        story=True,
        steps=given.steps,
        seed=given.seed,
        eval_every=max(given.steps // 20, 1),
        eval_batches=20,
    )
    with tempfile.TemporaryDirectory() as folder:
        found = gallery(recipe, Path(folder))
    command = f"python -m bertlib.bench.gallery --steps {given.steps} --seed {given.seed}"
    write_results(given.out, {"provenance": provenance(command, seed=given.seed)} | found)
    print(f"wrote {given.out}")


if __name__ == "__main__":
    main()
