"""What is left of a run of ``bertlib pretrain``: newest weights, diary, held-out text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from bertlib.bench.sources import described
from bertlib.config import BertConfig
from bertlib.data.arrays import META, TokenCorpus
from bertlib.data.batches import Batch
from bertlib.data.holdout import hold_out
from bertlib.errors import CheckpointError
from bertlib.model import BertForPreTraining
from bertlib.model_folder import build_model, read_safetensors
from bertlib.pretrain import held_out_batches
from bertlib.recipes import Recipe
from bertlib.request import Request
from bertlib.store import load_pretrained
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.train import newest_checkpoint, read_log
from bertlib.train.checkpoint import MODEL

CURVE_POINTS = 300
OPTIONS = (  # of `bertlib pretrain`, by their names in a recipe
    "vocab_size", "steps", "batch_size", "max_length", "positions", "learning_rate", "dropout",
    "accumulation", "precision", "matmul_precision", "pairs", "masking", "static_masks", "objective",
    "save_every", "eval_every", "seed",
)  # fmt: skip
NO_OPTIONS = ("warmup_share", "beta2", "initializer_range")  # they make another model, but only in Python
OTHERWISE = {"tokenizer": None, "start": None, "language": "en", "world": "village", "encoding": "utf-8",
             "errors": "strict"}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class TrainedRun:
    """What is left of a run: the newest weights, the vocabulary, the request and the diary."""

    request: Request
    model: BertForPreTraining
    tokenizer: WordPieceTokenizer
    step: int
    events: list[dict[str, Any]]
    earlier: tuple[TrainedRun, ...] = ()  # the phases before this one, see bertlib.start

    @property
    def phases(self) -> tuple[TrainedRun, ...]:
        """All phases of training, this one last."""
        return (*self.earlier, self)

    @classmethod
    def read(cls, folder: Path) -> TrainedRun:
        """Read the newest whole checkpoint of a run, or the model it ended with.

        Raises:
            CheckpointError: no run in ``folder``, or nothing was saved yet.
        """
        request, tokenizer = Request.load(folder), WordPieceTokenizer.load(folder / "tokenizer")
        events = read_log(folder / "log.jsonl")
        checkpoint = newest_checkpoint(folder / "checkpoints")
        if checkpoint is not None:
            config, file = BertConfig.from_dict(checkpoint.settings["model"]), checkpoint.path / MODEL
            model, step = build_model(config, read_safetensors(file), source=str(file)), checkpoint.step
        elif (folder / "model").exists():
            model, step = load_pretrained(folder / "model")[0], max(e.get("step", 0) for e in events)
        else:
            raise CheckpointError(f"{folder} has no checkpoint yet; let the run reach its first one")
        events = [event for event in events if event.get("step", 0) <= step]
        before = Path(request.start).parent if request.start else None
        earlier = cls.read(before).phases if before and (before / "run.json").exists() else ()
        return cls(
            request=request,
            model=model.eval(),
            tokenizer=tokenizer,
            step=step,
            events=events,
            earlier=earlier,
        )


class HeldOut:
    """The held-out text, each part of it exactly once, masked as in training."""

    def __init__(self, run: TrainedRun, corpus: TokenCorpus, device: torch.device) -> None:
        corpus.check_tokenizer(run.tokenizer)
        self.corpus = corpus
        self.batches = held_out_batches(run.request.recipe, corpus, run.tokenizer, device)

    def __iter__(self) -> Iterator[Batch]:
        """Yield every batch; the last one is as short as it has to be."""
        texts, size = self.batches.texts_per_epoch, self.batches.config.batch_size
        for step in range(self.batches.steps_per_epoch):
            yield self.batches.batch(step).rows(0, min(size, texts - step * size))

    def filled(self) -> float:
        """Return the share of positions that are not padding."""
        cells = [(int(batch.attention_mask.sum()), batch.attention_mask.numel()) for batch in self]
        return sum(real for real, _ in cells) / sum(all_ for _, all_ in cells)


def corpora(
    run: TrainedRun, folder: Path, train: Path | None, valid: Path | None
) -> tuple[TokenCorpus | None, TokenCorpus]:
    """Open the text that was trained on (None where it is gone) and the text that was held out.

    Raises:
        CorpusError: there is no held-out text, or it belongs to another vocabulary.
    """
    train, valid = train or folder / "corpus", valid or folder / "valid"
    corpus = TokenCorpus.load(train) if (train / META).exists() else None
    if corpus is not None and not run.request.valid and not (valid / META).exists():
        return hold_out(corpus)
    return corpus, TokenCorpus.load(valid)


def elapsed(events: list[dict[str, Any]], key: str = "seconds") -> list[float]:
    """Return for each logged training step the seconds so far; a resumed run's clock begins anew at zero.

    It is known by the first value that is lower than the one before. Of a run that was cut off sooner than it
    took to log its first step afterwards, the seconds before are lost.
    """
    clock = [float(event[key]) for event in events if event["event"] == "train" and key in event]
    passed, before = clock[:1], 0.0
    for last, now in pairwise(clock):
        before += last if now < last else 0.0
        passed.append(before + now)
    return passed


def curve(run: TrainedRun, *, points: int = CURVE_POINTS) -> dict[str, Any]:
    """Return the losses of all phases in a row; steps, tokens and seconds count on from phase to phase."""
    whole: dict[str, dict[str, list[Any]]] = {}
    reached: dict[str, float] = {}  # where the phase before ended
    for phase in run.phases:
        for name, columns in phase_curve(phase, points=points).items():
            for key, values in columns.items():
                counted = [value + reached[key] for value in values] if key in reached else values
                whole.setdefault(name, {}).setdefault(key, []).extend(counted)
        reached = {key: whole["train"][key][-1] for key in ("step", "tokens", "seconds")}
    return whole


def phase_curve(run: TrainedRun, *, points: int = CURVE_POINTS) -> dict[str, dict[str, list[Any]]]:
    """Return the losses by step, tokens (positions) and seconds, thinned to about ``points`` points.

    A point of the training curve is the mean of the logged losses since the point before.
    """
    recipe = run.request.recipe
    per_step = recipe.batch_size * recipe.max_length
    train = [event for event in run.events if event["event"] == "train"]
    seconds, every = elapsed(run.events), max(1, -(-len(train) // points))
    groups = [train[first : first + every] for first in range(0, len(train), every)]
    valid = {event["step"]: event for event in run.events if event["event"] == "valid"}
    step = [group[-1]["step"] for group in groups]
    names = ("mlm_loss", "masked_accuracy", "nsp_accuracy")
    return {
        "train": {
            "step": step,
            "tokens": [n * per_step for n in step],
            "seconds": [round(seconds[min((i + 1) * every, len(train)) - 1], 1) for i in range(len(groups))],
            "mlm_loss": [round(sum(e["mlm_loss"] for e in group) / len(group), 4) for group in groups],
        },
        "valid": {"step": list(valid), "tokens": [n * per_step for n in valid]}
        | {name: [_rounded(event.get(name)) for event in valid.values()] for name in names},
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def training_facts(
    run: TrainedRun, *, filled: float, corpus_tokens: int | None, told: dict[str, Any]
) -> dict[str, Any]:
    """Return what the training took; ``told`` are the numbers that only the person who ran it knows."""
    recipe, seconds = run.request.recipe, elapsed(run.events)
    cpu = elapsed(run.events, "cpu_seconds")
    positions = run.step * recipe.batch_size * recipe.max_length
    tokens = round(positions * filled)
    wall, watts = (round(seconds[-1]) if seconds else None), told.get("watts")
    spent = cpu[-1] if cpu else told.get("cpu_seconds")
    return {
        "steps": run.step,
        "planned_steps": recipe.steps,
        "batch_size": recipe.batch_size,
        "max_length": recipe.max_length,
        "learning_rate": recipe.learning_rate,
        "warmup_share": recipe.warmup_share,
        "dropout": recipe.dropout,
        "precision": recipe.precision,
        "seed": recipe.seed,
        "positions_seen": positions,
        "tokens_seen": tokens,
        "passes": round(tokens / corpus_tokens, 2) if corpus_tokens else None,
        "device": told.get("device"),
        "wall_seconds": wall,
        "cpu_seconds": None if spent is None else round(spent),
        "watts": watts,
        "watts_source": told.get("watts_source", "assumed") if watts else None,
        "energy_wh": round(watts * wall / 3600, 2) if watts and wall else None,
        "command": training_command(run.request),
    }


def training_command(request: Request) -> str:
    """Return the command that asks for this run again, with paths that belong to no machine."""
    asked = request.recipe
    usual = Recipe.for_preset(asked.preset, story=not request.sources)
    words = ["bertlib pretrain", *(described(source)["file"] for source in request.sources)]
    words += [f"--valid {described(source)['file']}" for source in request.valid]
    words.append(f"--preset {asked.preset}")
    for name in OPTIONS:
        if (value := getattr(asked, name)) != getattr(usual, name):
            words.append(f"--{name.removesuffix('_precision').replace('_', '-')} {value}")
    flags = {"--cased": not asked.lowercase, "--no-nsp": not asked.nsp, "--fsdp": asked.fsdp}
    words += [flag for flag, given in flags.items() if given]
    named = {"tokenizer": "RUN/tokenizer", "start": "RUN/model"}
    for name, default in OTHERWISE.items():
        if (value := getattr(request, name)) != default:
            words.append(f"--{name.replace('start', 'start-from')} {named.get(name, value)}")
    changed = [name for name in NO_OPTIONS if getattr(asked, name) != getattr(usual, name)]
    words += ["  # and Recipe:", ", ".join(f"{name}={getattr(asked, name)}" for name in changed)] * bool(
        changed
    )
    return " ".join(words)
