"""Fine-tune a BERT on SST-2: is a sentence of a film review friendly or not?

::

    python -m bertlib.bench.sst2 mini-books glue/SST-2 --from-scratch --save book/results/sst2.json

The folder holds ``train.tsv`` and ``dev.tsv`` (or ``.tsv.xz``) as GLUE publishes them: a header line, then
``sentence<tab>label``. A linear layer is put on the pooled output (Devlin et al. 2019, section 4.1) and
everything is trained. ``--from-scratch`` does the same once more from random weights: the difference is what
pre-training was good for.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bertlib.bench.provenance import provenance, write_results
from bertlib.bench.sst2_data import Sentences, encode, padded, read_split, shuffled
from bertlib.bench.sst2_model import SentenceClassifier, accuracy, new_classifier
from bertlib.config import BertConfig
from bertlib.device import pick_device
from bertlib.errors import BertlibError
from bertlib.model import BertForPreTraining
from bertlib.seeds import mix_seed, seeded
from bertlib.store import load_pretrained
from bertlib.train import learning_rate
from bertlib.train.optim import make_optimizer
from bertlib.train.precision import matmul_precision


@dataclass(frozen=True, kw_only=True)
class FineTuning:
    """The recipe. Small models like a larger rate than the paper's 2e-5 to 5e-5 for Base."""

    epochs: int = 3
    lr: float = 3e-4
    batch: int = 32
    warmup_share: float = 0.1
    dropout: float = 0.1
    weight_decay: float = 0.01
    max_length: int = 64  # pieces, [CLS] and [SEP] included
    seed: int = 0


class FineTuner:
    """Trains a classifier epoch by epoch, with a rate that rises and then falls to nothing."""

    def __init__(self, model: SentenceClassifier, recipe: FineTuning, *, steps: int, pad_id: int) -> None:
        self.model, self.recipe, self.steps, self.pad_id = model, recipe, steps, pad_id
        self.optimizer = make_optimizer(
            model, learning_rate=recipe.lr, weight_decay=recipe.weight_decay, betas=(0.9, 0.999)
        )
        self.step = 0

    def train_batch(self, ids: Tensor, mask: Tensor, labels: Tensor) -> float:
        """Take one step and return the loss."""
        loss = F.cross_entropy(self.model(ids, mask), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        warmup = round(self.recipe.warmup_share * self.steps)
        rate = learning_rate(self.step, peak=self.recipe.lr, warmup_steps=warmup, total_steps=self.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.step += 1
        return loss.item()

    def train_epoch(self, train: Sentences, epoch: int) -> float:
        """See every sentence once and return the mean loss."""
        self.model.train()
        device, generator = self.model.head.weight.device, np.random.default_rng([self.recipe.seed, epoch])
        losses = []
        for rows in shuffled(train, self.recipe.batch, generator):
            batch = (part.to(device) for part in padded(train, rows, self.pad_id))
            losses.append(self.train_batch(*batch))
        return float(np.mean(losses))


def fine_tune(
    config: BertConfig,
    start: BertForPreTraining | None,
    train: Sentences,
    dev: Sentences,
    recipe: FineTuning,
    *,
    pad_id: int,
    device: torch.device,
) -> dict[str, Any]:
    """Train and return steps, seconds, and for each epoch the mean loss and the accuracy on ``dev``."""
    steps = recipe.epochs * -(-len(train.ids) // recipe.batch)
    began, losses, shares = time.perf_counter(), [], []
    with seeded(mix_seed(recipe.seed, 0), device), matmul_precision("medium"):
        tuner = FineTuner(
            new_classifier(config, start, dropout=recipe.dropout).to(device),
            recipe,
            steps=steps,
            pad_id=pad_id,
        )
        for epoch in range(recipe.epochs):
            losses.append(round(tuner.train_epoch(train, epoch), 4))
            shares.append(round(accuracy(tuner.model, dev, pad_id=pad_id), 4))
            print(f"epoch {epoch + 1}: loss {losses[-1]:.3f}, dev {shares[-1]:.1%}", file=sys.stderr)
    return {
        "accuracy": shares[-1],
        "accuracy_by_epoch": shares,
        "loss": losses,
        "steps": steps,
        "seconds": round(time.perf_counter() - began, 1),
    }


def run(
    name: str,
    folder: Path,
    recipe: FineTuning,
    *,
    scratch: bool,
    limit: int | None = None,
    device: str = "auto",
) -> dict[str, Any]:
    """Fine-tune the model ``name``, and with ``scratch`` one of random weights; return what came out."""
    model, tokenizer = load_pretrained(name)
    longest, where = min(recipe.max_length, model.config.max_position_embeddings), pick_device(device)
    texts, labels = read_split(folder, "train")
    train = encode(tokenizer, texts[:limit], labels[:limit], longest)
    dev = encode(tokenizer, *read_split(folder, "dev"), longest)
    friendly = float(dev.labels.mean())
    found = {
        "model": Path(name).name,
        "recipe": asdict(recipe),
        "sentences": {"train": len(train.ids), "dev": len(dev.ids)},
        "commonest": round(max(friendly, 1 - friendly), 4),
    }
    starts: dict[str, BertForPreTraining | None] = {"pretrained": model} | (
        {"scratch": None} if scratch else {}
    )
    for kind, start in starts.items():
        found[kind] = fine_tune(
            model.config, start, train, dev, recipe, pad_id=tokenizer.pad_id, device=where
        )
    return found


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, fine-tune, say and save what came out."""
    usual = FineTuning()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("model", help="a folder, or the name of a model that comes with the package")
    parser.add_argument("folder", type=Path, help="GLUE's SST-2: train.tsv and dev.tsv, plain or .xz")
    for option, value in asdict(usual).items():
        parser.add_argument(f"--{option.replace('_', '-')}", type=type(value), default=value)
    parser.add_argument("--from-scratch", action="store_true", help="once more from random weights")
    parser.add_argument("--limit", type=int, help="only so many sentences to train on")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--save", type=Path, help="JSON for the results")
    given = parser.parse_args(arguments)
    recipe = FineTuning(**{name: getattr(given, name) for name in asdict(usual)})
    try:
        found = run(
            given.model,
            given.folder,
            recipe,
            scratch=given.from_scratch,
            limit=given.limit,
            device=given.device,
        )
    except BertlibError as error:
        sys.exit(f"sst2: {error}")
    for start in ("pretrained", "scratch"):
        if start in found:
            print(f"{start}: dev {found[start]['accuracy']:.2%} after {found[start]['seconds']:.0f} s")
    if given.save:
        write_results(given.save, {"provenance": provenance(command(given), seed=recipe.seed)} | found)


def command(given: argparse.Namespace) -> str:
    """Return the command line that gives these results again, with paths that belong to no machine."""
    usual = asdict(FineTuning()) | {"limit": None}
    words = ["python -m bertlib.bench.sst2", Path(given.model).name, "SST-2"]
    for name, value in usual.items():
        if getattr(given, name) != value:
            words.append(f"--{name.replace('_', '-')} {getattr(given, name):g}")
    return " ".join(words + ["--from-scratch"] * given.from_scratch)


if __name__ == "__main__":
    main()
