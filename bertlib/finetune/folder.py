"""A fine-tuned model in a folder: weights, configuration, vocabulary, and what its labels mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from bertlib import folders
from bertlib.config import BertConfig
from bertlib.errors import CheckpointError
from bertlib.finetune.builders import builder
from bertlib.finetune.kinds import task_from_dict
from bertlib.finetune.lora import merge_lora
from bertlib.finetune.metrics import Scores
from bertlib.finetune.predicting import ask, evaluate, predict
from bertlib.finetune.task import Inputs, Task
from bertlib.model import BertModel
from bertlib.model_folder import CONFIG, WEIGHTS, build, check_vocabulary, read_object, read_safetensors
from bertlib.store import load_pretrained
from bertlib.tokenizer import WordPieceTokenizer

TASK = "task.json"


@dataclass(frozen=True, kw_only=True)
class FineTunedModel:
    """A model with its task and vocabulary: all it takes to judge new examples.

    Attributes:
        model: body and head, in evaluation mode.
        task: what its numbers mean.
        tokenizer: of the body.
        max_length: pieces a row it was trained with.
        facts: what ``task.json`` says beyond that: name of the task, recipe, scores.
    """

    model: nn.Module
    task: Task
    tokenizer: WordPieceTokenizer
    max_length: int
    facts: Mapping[str, Any]

    def predict(self, examples: Sequence[Any], *, progress: bool = False) -> list[Any]:
        """Return a verdict on each example, in the words of the training data."""
        return predict(
            self.model, self.task, self.tokenizer, examples, max_length=self.max_length, progress=progress
        )

    def evaluate(self, examples: Sequence[Any], *, progress: bool = False) -> Scores:
        """Return the task's scores on examples whose labels are known."""
        return evaluate(
            self.model, self.task, self.tokenizer, examples, max_length=self.max_length, progress=progress
        )

    def answers(
        self, examples: Sequence[Any], *, progress: bool = False
    ) -> tuple[list[Any], list[dict[str, Any]]]:
        """Return verdicts, and what else there is to say of each: probabilities, other answers."""
        inputs = Inputs(examples, self.tokenizer, self.max_length)
        outputs = ask(self.model, self.task, inputs, progress=progress)
        return self.task.decide(outputs, inputs), self.task.details(outputs, inputs)


def save_finetuned(folder: Path | str, tuned: FineTunedModel) -> Path:
    """Write a folder, all or nothing; a fine-tuned model that stood there is replaced.

    Raises:
        CheckpointError: the folder holds something else.
        BertlibError: the disk is full.
    """
    folder, bert = Path(folder), tuned.model.bert
    assert isinstance(bert, BertModel)
    check_vocabulary(bert.config, tuned.tokenizer, folder)
    check_replaceable(folder)
    task = {"kind": tuned.task.kind, "task": tuned.task.to_dict(), "max_length": tuned.max_length}
    facts = {CONFIG: bert.config.to_dict(), TASK: task | dict(tuned.facts)}
    return folders.write_folder(folder, tuned.model.state_dict(), facts, tuned.tokenizer.save)


def load_finetuned(folder: Path | str) -> FineTunedModel:
    """Load what :func:`save_finetuned` wrote; the model comes in evaluation mode, on the CPU.

    Raises:
        CheckpointError: no fine-tuned model there, a truncated file, weights of another configuration.
    """
    folder = Path(folder)
    if not (folder / TASK).exists():
        raise CheckpointError(
            f"no fine-tuned model in {folder} ({TASK} is missing); expected a folder that `bertlib finetune` "
            "wrote"
        )
    facts = read_object(folder / TASK)
    kind, fields, max_length = facts.pop("kind", ""), facts.pop("task", {}), facts.pop("max_length", 128)
    task = task_from_dict(kind, fields, source=str(folder / TASK))
    config = BertConfig.from_dict(read_object(folder / CONFIG))
    make = builder(facts.get("build", ""), task)
    weights = read_safetensors(folder / WEIGHTS)
    model = build(lambda: make(BertModel(config)), weights, source=str(folder / WEIGHTS))
    tokenizer = WordPieceTokenizer.load(folder)
    check_vocabulary(config, tokenizer, folder)
    return FineTunedModel(model=model, task=task, tokenizer=tokenizer, max_length=max_length, facts=facts)


def load_body(name_or_folder: Path | str) -> tuple[BertModel, WordPieceTokenizer]:
    """Load a body to begin with, and its vocabulary: pre-trained, or fine-tuned for a second stage.

    Raises:
        CheckpointError: no model there, or one whose body has adapters.
    """
    folder = Path(name_or_folder)
    if not (folder / TASK).exists():
        model, tokenizer = load_pretrained(name_or_folder)
        return model.bert, tokenizer
    tuned = load_finetuned(folder)
    if str(tuned.facts.get("build", "")).startswith("adapters"):
        raise CheckpointError(
            f"{folder} was fine-tuned with adapters, without which its body is the old one; expected a "
            "pre-trained model, or one that was fine-tuned whole"
        )
    assert isinstance(tuned.model.bert, BertModel)
    return merge_lora(tuned.model.bert).requires_grad_(True), tuned.tokenizer


def check_replaceable(folder: Path) -> None:
    """See that nothing but a fine-tuned model would be lost by writing one to ``folder``.

    Raises:
        CheckpointError: a file, or a folder with something else in it, which is named.
    """
    folders.check_replaceable(folder, TASK, kind="fine-tuned model")
