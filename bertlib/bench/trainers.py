"""Whole trainers: ``transformers.Trainer`` as it comes, and BertTrainer; data, masking and loop included.

What the Trainer gets: the texts of our batches, paired and cut already, in memory as lists of numbers, with
``special_tokens_mask``, so that its collator need not search for them; ``DataCollatorForLanguageModeling``
masks and pads batch by batch, as it does for everybody. All arguments are its defaults but the batch size,
bf16 if asked for, and what would only cost it time: saving, progress bar and reports are off.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate.state import AcceleratorState
from torch import Tensor

from bertlib.bench.cell import Cell, Data
from bertlib.bench.steps import Step
from bertlib.data.batches import Batch
from bertlib.extras import need
from bertlib.train.allocator import kept_memory
from bertlib.train.config import TrainingConfig
from bertlib.train.precision import matmul_precision
from bertlib.train.trainer import BertTrainer

MANY = 1_000_000  # steps: more than anybody measures


def bert_trainer_step(cell: Cell, data: Data, *, given: bool = False, compiled: bool = False) -> Step:
    """Return a step of :class:`BertTrainer` that makes its own batch, as in a real run.

    It does not wait for a GPU, as the trainer does not: whoever takes the time has to.

    Args:
        cell: model, device and precision.
        data: texts.
        given: take the same batch again and again instead: what it costs to make one is the difference.
        compiled: send the model through ``torch.compile``, which the trainer itself does not.
    """
    config = TrainingConfig(
        steps=MANY, learning_rate=1e-4, warmup_steps=0, precision=cell.precision, seed=cell.seed
    )
    with _separate_accelerator():
        trainer = BertTrainer(cell.new_model(), data.batches, config, progress=False)
    if compiled:
        trainer.model = torch.compile(trainer.model)

    def step() -> Tensor:
        with matmul_precision(cell.matmul), kept_memory(cell.device == "cpu"):
            batch = data.batch if given else data.batches.batch(trainer.step)
            return trainer.train_batch(batch).total

    return step


@contextmanager
def _separate_accelerator() -> Iterator[None]:
    """Keep two trainers in one process apart, one of which may have chosen bf16 for all that follow."""
    before = AcceleratorState._shared_state
    AcceleratorState._shared_state = type(before)()
    try:
        yield
    finally:
        AcceleratorState._shared_state = before


def text_examples(batch: Batch) -> list[dict[str, Any]]:
    """Return a batch's texts as a data set holds them: unmasked, unpadded, as lists."""
    examples = []
    for row in range(len(batch.input_ids)):
        length = int(batch.attention_mask[row].sum())
        ids = batch.original_ids[row, :length].tolist()
        examples.append(
            {
                "input_ids": ids,
                "token_type_ids": batch.token_type_ids[row, :length].tolist(),
                "attention_mask": [1] * length,
                "special_tokens_mask": [int(token < 5) for token in ids],
                "next_sentence_label": int(batch.next_sentence_label[row]),
            }
        )
    return examples


def word_piece_names(vocab_size: int) -> list[str]:
    """Return a vocabulary of so many pieces; nobody reads them."""
    return ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *(f"w{i}" for i in range(5, vocab_size))]


def collator_of_transformers(vocab_size: int) -> Any:
    """Return a ``DataCollatorForLanguageModeling`` for ``vocab_size`` word pieces."""
    from tokenizers import Tokenizer, models
    from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

    ids = {name: i for i, name in enumerate(word_piece_names(vocab_size))}
    backend = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip
    return DataCollatorForLanguageModeling(tokenizer=tokenizer)


def run_transformers_trainer(
    cell: Cell, data: Data, *, steps: int, after_step: Callable[[int], None], workers: int = 0
) -> None:
    """Run a real ``transformers.Trainer`` for so many steps.

    Args:
        cell: model, batch, device and precision.
        data: texts.
        steps: how many.
        after_step: called at the end of each, with its number from 1; what it does can take its time.
        workers: processes that mask and pad ahead; its default is none.

    Raises:
        MissingExtraError: it is not installed.
    """
    need("transformers", extra="bench")
    from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

    class Caller(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            after_step(state.global_step)

    examples = [text for i in range(min(8, data.batches.steps_per_epoch)) for text in text_examples(
        Batch(*(part.cpu() for part in data.batches.batch(i)))
    )]  # fmt: skip
    if workers:  # they end with an epoch, and to start them takes long: one epoch is enough for all steps
        examples *= 1 + steps // 8
    with tempfile.TemporaryDirectory() as folder, _separate_accelerator(), torch.enable_grad():
        arguments = TrainingArguments(
            output_dir=folder, max_steps=steps, per_device_train_batch_size=cell.batch_size,
            bf16=cell.precision == "bf16", use_cpu=cell.device == "cpu", save_strategy="no", report_to="none",
            disable_tqdm=True, seed=cell.seed, dataloader_num_workers=workers,
        )  # fmt: skip
        trainer = Trainer(
            model=cell.new_transformers_model(),
            args=arguments,
            train_dataset=examples,
            data_collator=collator_of_transformers(cell.vocab_size),
            callbacks=[Caller()],
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()
