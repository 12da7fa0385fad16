"""BertTrainer: a step that fits on one screen, and the loop around it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from tqdm import tqdm

from bertlib.data.batches import Batch, PreTrainingBatches
from bertlib.errors import CheckpointError
from bertlib.model import BertForPreTraining
from bertlib.objectives import MaskedLMLoss, NSPLoss
from bertlib.progress import progress_bar
from bertlib.seeds import mix_seed, seeded
from bertlib.train.checkpoint import clear_leftovers, load_checkpoint, newest_checkpoint, save_checkpoint
from bertlib.train.config import TrainingConfig
from bertlib.train.evaluate import Evaluation, evaluate
from bertlib.train.log import JsonLog
from bertlib.train.meter import Meter
from bertlib.train.optim import make_optimizer
from bertlib.train.precision import autocast, matmul_precision
from bertlib.train.processes import make_accelerator
from bertlib.train.schedule import learning_rate


class Losses(NamedTuple):
    """Losses of one step in nats; the total is the sum of the two (Devlin et al. 2019, A.2)."""

    total: Tensor
    mlm: Tensor
    nsp: Tensor


class BertTrainer:
    """Pre-trains a :class:`BertForPreTraining`.

    Devices, precision and several processes are ``accelerate``'s business: the same script runs under
    ``accelerate launch``. Every process makes the same global batch and works on its own rows of it.

    Args:
        model: the model; it is moved to the device.
        batches: training batches by step number.
        config: the recipe.
        out: folder for checkpoints and ``log.jsonl``; None keeps nothing.
        valid: held-out batches; None means no evaluation.
        settings: anything else that has to be the same when the run is resumed.
        progress: show a progress bar.
        on_log: called with every logged event, for curves that grow while one watches.
    """

    def __init__(
        self,
        model: BertForPreTraining,
        batches: PreTrainingBatches,
        config: TrainingConfig,
        *,
        out: Path | None = None,
        valid: PreTrainingBatches | None = None,
        settings: dict[str, Any] | None = None,
        progress: bool = True,
        on_log: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self.config, self.batches, self.valid, self.out = config, batches, valid, out
        self.settings = {"training": config.learning_fields()} | (settings or {})
        self.accelerator = make_accelerator(batches.device)
        optimizer = make_optimizer(
            model, learning_rate=config.learning_rate, weight_decay=config.weight_decay, betas=config.betas
        )
        self.plain_model = model
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.step = 0  # steps done
        self.mlm_loss, self.nsp_loss = MaskedLMLoss(), NSPLoss()
        self.progress = progress and self.accelerator.is_main_process
        self.on_log = on_log
        self.log = JsonLog(out / "log.jsonl") if out and self.accelerator.is_main_process else None
        if out:
            out.mkdir(parents=True, exist_ok=True)

    def train_batch(self, batch: Batch) -> Losses:
        """Take one optimiser step on a global batch and return its mean losses (this process's share)."""
        words, pairs = int(batch.selected.sum()), int((batch.next_sentence_label >= 0).sum())
        pieces = self._pieces(batch)
        totals = []
        with self._dropout_of_this_step(batch.input_ids.device):
            for number, piece in enumerate(pieces, start=1):
                with self._sync_gradients(last=number == len(pieces)):
                    losses = self._losses(piece, words, pairs)
                    # DDP takes the mean over processes; the sums above want to be added up
                    self.accelerator.backward(losses.total * self.accelerator.num_processes)
                    totals.append(torch.stack([part.detach() for part in losses]))
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip)
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        return Losses(*torch.stack(totals).sum(0))

    def train_steps(self, count: int) -> None:
        """Train ``count`` steps more (or to the end of the run)."""
        self._run_to(min(self.step + count, self.config.steps))

    def train_epoch(self) -> None:
        """Train to the end of the epoch (or of the run)."""
        epoch = self.batches.steps_per_epoch
        self._run_to(min((self.step // epoch + 1) * epoch, self.config.steps))

    def fit(self) -> Evaluation | None:
        """Train to ``config.steps``, saving on the way; return the last evaluation on held-out text."""
        self._run_to(self.config.steps)
        return self.evaluate()

    def evaluate(self) -> Evaluation | None:
        """Measure on the first ``eval_batches`` held-out batches, the same each time."""
        if self.valid is None:
            return None
        with matmul_precision(self.config.matmul_precision), self._autocast():
            found = evaluate(self.model, map(self.valid.batch, range(self.config.eval_batches)))
        self._write("valid", step=self.step, **found.to_dict())
        return found

    def save(self) -> None:
        """Write a checkpoint of this very moment (the main process does)."""
        if self.out and self.accelerator.is_main_process:
            save_checkpoint(
                self.out / "checkpoints",
                step=self.step,
                model=self.plain_model,
                optimizer=self.optimizer.optimizer,
                settings=self.settings,
                keep=self.config.keep,
            )
        self.accelerator.wait_for_everyone()

    def resume(self) -> list[str]:
        """Go back to the newest whole checkpoint in ``out``, if there is one.

        Returns:
            A line for each newer checkpoint that was damaged and passed over.

        Raises:
            CheckpointError: it belongs to a run with other settings, or none is whole.
        """
        folder = (self.out or Path()) / "checkpoints"
        clear_leftovers(folder)
        checkpoint = newest_checkpoint(folder) if self.out else None
        if checkpoint is None:
            return []
        self._check_settings(checkpoint.settings)
        load_checkpoint(checkpoint, model=self.plain_model, optimizer=self.optimizer.optimizer)
        self.step = checkpoint.step
        if self.log:
            self.log.forget_after(self.step)
        return [f"{reason}: using {checkpoint.path.name} instead" for reason in checkpoint.skipped]

    def _losses(self, piece: Batch, words: int, pairs: int) -> Losses:
        with self._autocast():
            output = self.model(
                piece.input_ids, piece.attention_mask, piece.token_type_ids, selected=piece.selected
            )
        mlm = self.mlm_loss(output.prediction_logits, piece.labels, count=words)
        nsp = self.nsp_loss(output.seq_relationship_logits, piece.next_sentence_label, count=pairs)
        return Losses(mlm + nsp, mlm, nsp)

    def _pieces(self, batch: Batch) -> list[Batch]:
        """Cut this process's rows out of the global batch, then into accumulation pieces."""
        workers = self.accelerator.num_processes
        count = workers * self.config.accumulation
        size = -(-len(batch.input_ids) // count)
        first = self.accelerator.process_index * self.config.accumulation
        cuts = [
            (number * size, (number + 1) * size) for number in range(first, first + self.config.accumulation)
        ]
        return [batch.rows(start, end) for start, end in cuts]

    def _sync_gradients(self, *, last: bool) -> Any:
        """Let processes exchange gradients only after the last piece."""
        return torch.enable_grad() if last else self.accelerator.no_sync(self.model)

    def _dropout_of_this_step(self, device: torch.device) -> Any:
        """Seed dropout by step and process inside the block: nothing of it needs to be saved."""
        return seeded(mix_seed(self.config.seed, self.step, self.accelerator.process_index), device)

    def _autocast(self) -> Any:
        return autocast(self.config.precision, self.batches.device)

    def _learning_rate(self) -> float:
        return learning_rate(
            self.step,
            peak=self.config.learning_rate,
            warmup_steps=self.config.warmup_steps,
            total_steps=self.config.steps,
        )

    def _check_settings(self, saved: dict[str, Any]) -> None:
        for part, values in self.settings.items():
            theirs = saved.get(part, {})
            for key, value in values.items():
                if theirs.get(key) != value:
                    raise CheckpointError(
                        f"the run in {self.out} was started with {part}.{key} = {theirs.get(key)!r}, now "
                        f"it is {value!r}; resume with the same settings, or start afresh in another folder"
                    )

    def _run_to(self, end: int) -> None:
        """Train to step ``end`` with a progress bar, log, evaluation and checkpoints."""
        meter = Meter(self.batches.config.batch_size * self.batches.config.max_length)
        self.model.train()
        with (
            matmul_precision(self.config.matmul_precision),
            progress_bar(
                total=self.config.steps,
                initial=self.step,
                unit="step",
                desc="pre-training",
                disable=not self.progress,
            ) as bar,
        ):
            while self.step < end:
                losses = self.train_batch(self.batches.batch(self.step))
                meter.count()
                bar.update()
                if self.step % self.config.log_every == 0 or self.step == end:
                    self._log_training(losses, meter, bar)
                if self.step % self.config.eval_every == 0 and self.step < end:
                    with meter.paused():
                        self.evaluate()
                if self.step % self.config.save_every == 0 or self.step == end:
                    with meter.paused():
                        self.save()

    def _log_training(self, losses: Losses, meter: Meter, bar: tqdm) -> None:
        total, mlm, nsp = self.accelerator.reduce(torch.stack(tuple(losses))).tolist()
        speed = meter.tokens_per_second()
        bar.set_postfix_str(f"loss {total:.3f}, {speed:,.0f} tokens/s", refresh=False)
        self._write(
            "train", step=self.step, loss=total, mlm_loss=mlm, nsp_loss=nsp,
            learning_rate=self.optimizer.param_groups[0]["lr"], tokens_per_s=round(speed),
            seconds=round(meter.seconds, 3),
        )  # fmt: skip

    def _write(self, event: str, **values: Any) -> None:
        if self.log:
            self.log.write(event, **values)
        if self.on_log and self.accelerator.is_main_process:
            self.on_log({"event": event} | values)
