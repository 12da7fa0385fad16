"""BertTrainer: a step that fits on one screen, and the loop around it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from tqdm import tqdm

from bertlib.data.batches import Batch, PreTrainingBatches
from bertlib.lock import sole_user
from bertlib.model import BertForPreTraining
from bertlib.objectives import MaskedLMLoss, NSPLoss
from bertlib.progress import progress_bar
from bertlib.seeds import mix_seed, seeded
from bertlib.train.allocator import kept_memory
from bertlib.train.checkpoint import load_checkpoint, newest_checkpoint, state_tensors
from bertlib.train.config import TrainingConfig
from bertlib.train.evaluate import Evaluation, evaluate
from bertlib.train.health import Health
from bertlib.train.leftovers import clear_leftovers, refuse_newer, remove_skipped
from bertlib.train.log import JsonLog
from bertlib.train.memory import cut, cut_each, describe, enough_for, not_twice, out_of_memory, smaller_pieces
from bertlib.train.meter import Meter
from bertlib.train.optim import make_optimizer
from bertlib.train.peers import peers_watched
from bertlib.train.precision import autocast, matmul_precision
from bertlib.train.processes import make_accelerator, shard_model, sync_gradients, whole_norm, whole_tensors
from bertlib.train.saving import BackgroundSaver
from bertlib.train.schedule import learning_rate
from bertlib.train.settings import (
    refuse_different_steps,
    refuse_few_texts,
    refuse_others,
    settings_of,
)
from bertlib.train.undivided import undivided


class Losses(NamedTuple):
    """Losses of one step in nats; the total is the sum of the two (Devlin et al. 2019, A.2)."""

    total: Tensor
    mlm: Tensor
    nsp: Tensor


class BertTrainer:
    """Pre-trains a :class:`BertForPreTraining`.

    Devices, precision and several processes are ``accelerate``'s business: the same script runs under
    ``accelerate launch``. Every process makes its own texts of the global batch.

    Args:
        model: the model; it is moved to the device.
        batches: training batches by step number.
        config: the recipe.
        out: folder for checkpoints and ``log.jsonl``; None keeps nothing.
        valid: held-out batches; None means no evaluation.
        progress: show a progress bar.
        on_log: called with every logged event, for curves that grow while one watches.
    """

    def __init__(
        self,
        model: BertForPreTraining,
        batches: PreTrainingBatches,
        config: TrainingConfig,
        *,
        out: Path | str | None = None,
        valid: PreTrainingBatches | None = None,
        progress: bool = True,
        on_log: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        self.config, self.batches, self.valid = config, batches, valid
        self.out = out = Path(out) if out else None
        self.accelerator = make_accelerator(batches.device)
        main, processes = self.accelerator.is_main_process, self.accelerator.num_processes
        refuse_few_texts(batches.config.batch_size, config, processes=processes)
        self.settings = settings_of(config, model.config, batches, processes=processes)
        self.plain_model = model
        with enough_for("for the model itself"):
            sharded = config.fsdp and shard_model(self.accelerator, model, model.bert.encoder.blocks)
            self.model = model if sharded else self.accelerator.prepare(model)
        optimizer = make_optimizer(
            model, learning_rate=config.learning_rate, weight_decay=config.weight_decay, betas=config.betas
        )
        self.optimizer = self.accelerator.prepare(optimizer)
        self.step = self.saved = 0  # steps done, and those that a checkpoint holds
        self.pieces = config.accumulation  # more of them once memory has run out
        self.health = Health(optimizer, config, batches.device)
        self.mlm_loss, self.nsp_loss = MaskedLMLoss(), NSPLoss()
        self.progress, self.on_log = progress and main, on_log
        self.log = JsonLog(out / "log.jsonl") if out and main else None
        folder, diary = (out / "checkpoints", out / "log.jsonl") if out and main else (None, None)
        self.saver = BackgroundSaver(folder, keep=config.keep, diary=diary)

    def train_batch(self, batch: Batch) -> Losses:
        """Take one optimiser step on this process's texts; return its share of the batch's mean losses."""
        self.optimizer.zero_grad()  # also of a step that was interrupted
        words, pairs = self._count(batch)
        pieces = cut(batch, self.pieces)
        totals = []
        with self._dropout_of_this_step(batch.input_ids.device):
            for number, piece in enumerate(pieces, start=1):
                with sync_gradients(self.accelerator, self.model, last=number == len(pieces)):
                    losses = self._losses(piece, words, pairs)
                    # DDP takes the mean over processes; the sums above want to be added up
                    self.accelerator.backward(losses.total * self.accelerator.num_processes)
                    totals.append(torch.stack([part.detach() for part in losses]))
        losses = Losses(*torch.stack(totals).sum(0))
        norm = whole_norm(self.accelerator.clip_grad_norm_(self.model.parameters(), self.config.clip))
        for group in self.optimizer.param_groups:
            group["lr"] = self._learning_rate()
        self.health.guard(norm)  # NaN: the next line changes nothing
        with not_twice():
            self.optimizer.step()
        self.step += 1
        return losses

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
        with enough_for("between two steps"):
            return self.evaluate()

    def evaluate(self) -> Evaluation | None:
        """Measure on the first ``eval_batches`` held-out batches, the same each time."""
        if self.valid is None:
            return None
        self.health.check(self.step)
        pieces = cut_each(map(self.valid.batch, range(self.config.eval_batches)), self.pieces)
        with matmul_precision(self.config.matmul_precision), self._autocast():
            found = evaluate(self.model, pieces)
        self._write("valid", step=self.step, **found.to_dict())
        return found

    def save(self, *, wait: bool = True) -> None:
        """Write a checkpoint of this very moment (the main process does), or start to, beside training."""
        self.health.check(self.step)
        main = self.accelerator.is_main_process
        tensors = state_tensors(self.plain_model, self.optimizer.optimizer)
        whole = {file: whole_tensors(named, keep=main) for file, named in tensors.items()}
        self.saver.start(whole, step=self.step, settings=self.settings, pieces=self.pieces)
        self.saved = self.step
        if wait:
            self.saver.wait()
            self.accelerator.wait_for_everyone()

    def resume(self) -> list[str]:
        """Go back to the newest whole checkpoint in ``out``, if there is one.

        Returns:
            A line for each newer checkpoint that was damaged; it was passed over and removed.

        Raises:
            CheckpointError: it belongs to a run with other settings, or none is whole.
        """
        if self.out is None:
            return []
        folder = self.out / "checkpoints"
        with sole_user(self.out, "training") if self.log else nullcontext():
            if self.log:
                clear_leftovers(folder)
            self.accelerator.wait_for_everyone()
            checkpoint = newest_checkpoint(folder)
            if checkpoint is not None:
                refuse_others(self.out, checkpoint.settings, self.settings)
                load_checkpoint(checkpoint, model=self.plain_model, optimizer=self.optimizer.optimizer)
                self.step = self.saved = checkpoint.step
                self.pieces = max(checkpoint.pieces, self.pieces)
                self.health.reset()
            mine = torch.tensor([self.step], device=self.batches.device)
            refuse_different_steps(self.out, self.accelerator.gather(mine).tolist())
            return remove_skipped(checkpoint) if checkpoint and self.log else []

    def _losses(self, piece: Batch, words: int, pairs: int) -> Losses:
        labels = piece.labels  # before the model: a GPU has nothing to do yet that we would wait for
        with self._autocast():
            output = self.model(
                piece.input_ids, piece.attention_mask, piece.token_type_ids, selected=piece.selected
            )
        mlm = self.mlm_loss(output.prediction_logits, labels, count=words)
        nsp = self.nsp_loss(output.seq_relationship_logits, piece.next_sentence_label, count=pairs)
        return Losses(mlm + nsp, mlm, nsp)

    def _count(self, batch: Batch) -> tuple[int, int]:
        """Count masked words and pairs over all processes; the same fetch tells how the last step went."""
        counts = torch.stack((batch.selected.sum(), (batch.next_sentence_label >= 0).sum()))
        if self.accelerator.num_processes > 1:
            counts = self.accelerator.reduce(counts)
        words, pairs, bad = torch.cat((counts, self.health.bad.long()[None])).tolist()
        self.health.check(self.step, bad)
        return words, pairs

    def _dropout_of_this_step(self, device: torch.device) -> Any:
        """Seed dropout by step and process inside the block: nothing of it needs to be saved."""
        return seeded(mix_seed(self.config.seed, self.step, self.accelerator.process_index), device)

    def _autocast(self) -> Any:
        return autocast(self.config.precision, self.batches.device)

    def _learning_rate(self) -> float:
        config = self.config
        return learning_rate(
            self.step, peak=config.learning_rate, warmup_steps=config.warmup_steps, total_steps=config.steps
        )

    def _own_texts(self) -> Batch:
        """Make this process's texts of the next batch."""
        processes, number = self.accelerator.num_processes, self.accelerator.process_index
        if processes == 1:
            return self.batches.batch(self.step)
        size = self.batches.config.batch_size
        first, last = number * size // processes, (number + 1) * size // processes
        return self.batches.batch(self.step, first, last)

    def _train_within_memory(self, batch: Batch) -> Losses:
        """Take a step; where memory runs out, take it again in smaller pieces."""
        while True:
            try:
                with undivided():
                    return self.train_batch(batch)
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
            # not inside "except": there the error still holds on to what was computed
            texts, before = len(batch.input_ids), self.pieces
            self.pieces = smaller_pieces(before, texts, processes=self.accelerator.num_processes)
            tqdm.write(describe(self.pieces, texts, before), file=sys.stderr)
            self._write("memory", step=self.step + 1, pieces=self.pieces)

    def _run_to(self, end: int) -> None:
        """Train to step ``end`` with a progress bar, log, evaluation and checkpoints."""
        config, shape = self.config, self.batches.config
        devices = self.accelerator.num_processes
        meter = Meter.of_run(self.plain_model.config, shape, self.batches.device, config.precision, devices)
        alone = sole_user(self.out, "training") if self.out and self.log else nullcontext()
        steps: Any = {"unit": "step", "initial": self.step, "total": config.steps}
        self.model.train()
        with (
            peers_watched(remedy=f"the checkpoints in {self.out} are good: --resume"),
            alone,
            self.saver,
            enough_for("between two steps"),
            matmul_precision(config.matmul_precision),
            kept_memory(self.batches.device.type == "cpu"),
            progress_bar(desc="pre-training", disable=not self.progress, **steps) as bar,
        ):
            refuse_newer(self.out, self.step)
            if self.log:  # of steps that are taken again
                self.log.forget_after(self.step, last=self.step == config.steps)
            while self.step < end:
                losses = self._train_within_memory(self._own_texts())
                self.saver.check()
                meter.count()
                bar.update()
                if self.step % config.log_every == 0 or self.step == end:
                    self._log_training(losses, meter, bar)
                if self.step % config.eval_every == 0 and self.step < config.steps:
                    with meter.paused():
                        self.evaluate()
                if self.step % config.save_every == 0 or self.step == end:
                    with meter.paused():
                        self.save(wait=False)
            if self.step == end != self.saved:  # Ctrl-C came within the last step
                self.save(wait=False)
        self.accelerator.wait_for_everyone()

    def _log_training(self, losses: Losses, meter: Meter, bar: tqdm) -> None:
        self.health.check(self.step)  # in every process: nobody waits for one that has stopped
        total, mlm, nsp = self.accelerator.reduce(torch.stack(tuple(losses))).tolist()
        if not self.accelerator.is_main_process:
            return
        words, numbers = meter.reading()
        bar.set_postfix_str(f"loss {total:.3f}, {words}", refresh=False)
        rate = self.optimizer.param_groups[0]["lr"]
        self._write(
            "train", step=self.step, loss=total, mlm_loss=mlm, nsp_loss=nsp, learning_rate=rate, **numbers
        )

    def _write(self, event: str, **values: Any) -> None:
        if self.log:
            self.log.write(event, **values)
        if self.on_log and self.accelerator.is_main_process:
            self.on_log({"event": event} | values)
