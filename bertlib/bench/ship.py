"""From a run to a model that comes with the package: measured, made small, described.

::

    python -m bertlib.bench.ship RUN --name mini-books --out bertlib/pretrained/mini-books --watts 15

RUN is a folder of ``bertlib pretrain``, finished or not: the newest whole checkpoint counts. What is written
is the model in half precision (8 bits if that alone fits), ``card.json`` (whatever was measured),
``MODEL_CARD.md`` (the same in words) and the learning curve for the book. A number that nobody measured is
null here and "not measured yet" there.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
from itertools import zip_longest
from pathlib import Path
from typing import Any

import torch

from bertlib.bench.model_card import data_facts, render
from bertlib.bench.probes import probe
from bertlib.bench.provenance import provenance, write_results
from bertlib.bench.trained_run import HeldOut, TrainedRun, corpora, curve, training_facts
from bertlib.compact import compress, expand
from bertlib.data.arrays import TokenCorpus
from bertlib.device import pick_device
from bertlib.errors import BertlibError, ConfigError
from bertlib.files import write_text
from bertlib.model import BertForPreTraining
from bertlib.model_folder import WEIGHTS
from bertlib.store import save_pretrained
from bertlib.train import CountingBaselines, evaluate
from bertlib.train.precision import matmul_precision

KINDS = {"float16": torch.float16, "bfloat16": torch.bfloat16, "int8": torch.int8}  # bertlib.compact
LARGEST_FILE = 16_000_000  # bytes; a repository carries a file of this size without trouble
CARD, CARD_TEXT = "card.json", "MODEL_CARD.md"


def measured(model: BertForPreTraining, held_out: HeldOut) -> dict[str, float]:
    """Return loss, perplexity and accuracies over the whole held-out text, in exact fp32."""
    with matmul_precision("highest"):
        return {name: round(value, 5) for name, value in evaluate(model, held_out).to_dict().items()}


def rounded(model: BertForPreTraining, dtype: torch.dtype) -> BertForPreTraining:
    """Return a copy whose weights went through ``dtype`` and back to fp32: what a reader will load."""
    small = copy.deepcopy(model)
    small.load_state_dict(expand(compress(model.state_dict(), dtype), source="the model"))
    return small


def relative_error(model: BertForPreTraining, other: BertForPreTraining) -> float:
    """Return the root mean square of the weights' differences over that of the weights."""
    pairs = list(zip(model.parameters(), other.parameters(), strict=True))
    lost = sum((a - b).double().square().sum().item() for a, b in pairs)
    return (lost / sum(a.double().square().sum().item() for a, _ in pairs)) ** 0.5


def compare_kinds(
    model: BertForPreTraining, numbers: dict[str, dict[str, float]], exact: dict[str, float]
) -> dict[str, dict[str, float]]:
    """Return for each way to store weights the size, the error and what it costs on held-out text.

    Args:
        model: in fp32.
        numbers: what :func:`measured` says of each way.
        exact: what it says of ``model``.
    """
    found = {}
    for name, dtype in KINDS.items():
        stored = compress(model.state_dict(), dtype).values()
        loss = numbers[name]["mlm_loss"]
        found[name] = {
            "bytes": sum(part.numel() * part.element_size() for part in stored),
            "relative_weight_error": float(f"{relative_error(model, rounded(model, dtype)):.4g}"),
            "mlm_loss": loss,
            "loss_difference": round(loss - exact["mlm_loss"], 5),
        }
    return found


def choose_kind(kinds: dict[str, dict[str, float]]) -> str:
    """Return the way with the smallest error among those that make a small enough file.

    Raises:
        ConfigError: there is none.
    """
    small = {name: kind for name, kind in kinds.items() if kind["bytes"] < LARGEST_FILE}
    if not small:
        least = min(kind["bytes"] for kind in kinds.values()) / 1e6
        raise ConfigError(
            f"the weights take {least:.1f} MB at least; a shipped file has at most {LARGEST_FILE / 1e6:g} "
            "MB: ship a smaller model or one of a smaller vocabulary"
        )
    return min(small, key=lambda name: small[name]["relative_weight_error"])


def baselines(corpus: TokenCorpus | None, vocab_size: int, held_out: HeldOut) -> dict[str, float] | None:
    """Return what counting the training text achieves on the same masked words; None without that text."""
    if corpus is None:
        return None
    counted = CountingBaselines.count(corpus.tokens, vocab_size)
    shares = {f"{name}_accuracy": share for name, share in counted.accuracy(held_out).items()}
    found = shares | {"unigram_loss": counted.unigram_loss(held_out)}
    return {name: round(value, 5) for name, value in found.items()}


def ship(
    folder: Path,
    out: Path,
    *,
    name: str,
    curve_file: Path | None = None,
    device: str = "auto",
    train: Path | None = None,
    valid: Path | None = None,
    told: dict[str, Any] | None = None,
    command: str = "python -m bertlib.bench.ship",
) -> dict[str, Any]:
    """Measure the run in ``folder`` and write the model into ``out``; return what ``card.json`` holds.

    Args:
        folder: the run.
        out: folder of the shipped model; what stood there is replaced.
        name: by which it will be loaded.
        curve_file: where the learning curve goes; None: nowhere.
        device: that evaluates.
        train: the corpus, if it is no longer in the run's folder; ``valid`` likewise.
        valid: the held-out corpus.
        told: ``device`` (a name of what trained), ``watts``, ``watts_source``, ``cpu_seconds`` (a list, a
            number for each phase).
        command: for the provenance.

    Raises:
        BertlibError: no such run, no text to measure on, a weights file that is too large.
    """
    run = TrainedRun.read(folder)
    parameters = sum(p.numel() for p in run.model.parameters())
    origin = provenance(command, seed=run.request.recipe.seed)
    told = {"device": origin["device"]} | {
        key: value for key, value in (told or {}).items() if value is not None
    }
    cpu_seconds = told.pop("cpu_seconds", [])
    corpus, valid_corpus = corpora(run, folder, train, valid)
    where = pick_device(device)
    held_out, model = HeldOut(run, valid_corpus, where), run.model.to(where)
    exact = measured(model, held_out)
    numbers = {kind: measured(rounded(model, dtype), held_out) for kind, dtype in KINDS.items()}
    kinds = compare_kinds(model, numbers, exact)
    dtype = choose_kind(kinds)
    shipped = rounded(model, KINDS[dtype])
    card = {
        "name": name,
        "provenance": origin,
        "model": run.model.config.to_dict()
        | {"preset": run.request.recipe.preset, "parameters": parameters}
        | {"lowercase": run.tokenizer.lowercase},
        "data": data_facts(run.request, corpus, valid_corpus),
        "phases": [
            training_facts(
                phase,
                filled=HeldOut(phase, valid_corpus, where).filled(),
                corpus_tokens=corpus.num_tokens if corpus else None,
                told=told | {"cpu_seconds": seconds},
            )
            for phase, seconds in zip_longest(run.phases, cpu_seconds[: len(run.phases)])
        ],
        "held_out": numbers[dtype],
        "held_out_fp32": exact,
        "baselines": baselines(corpus, len(run.tokenizer), held_out),
        "dtype": dtype,
        "kinds": kinds,
        "says": probe(shipped.cpu(), run.tokenizer, valid_corpus),
    }
    save_pretrained(out, shipped, run.tokenizer, dtype=KINDS[dtype])
    (out / WEIGHTS).chmod(0o644)  # safetensors writes for its owner alone; a package is for everybody
    card["files"] = {file.name: file.stat().st_size for file in sorted(out.iterdir())}
    write_text(out / CARD, json.dumps(card, indent=1, ensure_ascii=False) + "\n")
    write_text(out / CARD_TEXT, render(card))
    if curve_file:
        write_results(curve_file, {"provenance": origin, "name": name} | curve(run))
    return card


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, ship, say what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("run", type=Path)
    parser.add_argument("--name", default="mini-books")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--curve", type=Path, help="JSON for the book [book/results/NAME-curve.json]")
    parser.add_argument("--device", default="auto", help="that evaluates: auto, cpu, cuda")
    parser.add_argument("--trained-on", help="what trained, in words [default: this machine]")
    parser.add_argument("--watts", type=float, help="assumed power of what trained; gives the energy")
    parser.add_argument(
        "--cpu-seconds", type=float, nargs="+", help="measured processor time of training, phase by phase"
    )
    parser.add_argument("--corpus", type=Path, help="the prepared text, if it is not in RUN")
    parser.add_argument("--valid", type=Path, help="the prepared held-out text, if it is not in RUN")
    given = parser.parse_args(arguments)
    try:
        card = ship(
            given.run,
            given.out,
            name=given.name,
            curve_file=given.curve or Path("book/results") / f"{given.name}-curve.json",
            device=given.device,
            train=given.corpus,
            valid=given.valid,
            told={"device": given.trained_on, "watts": given.watts, "cpu_seconds": given.cpu_seconds},
            command=f"python -m bertlib.bench.ship RUN --name {given.name}",
        )
    except BertlibError as error:
        sys.exit(f"ship: {error}")
    found, kind = card["held_out"], card["kinds"][card["dtype"]]
    print(
        f"{given.out}: step {card['phases'][-1]['steps']:,}, held-out loss {found['mlm_loss']:.4f}, masked "
        f"words {found['masked_accuracy']:.1%}; {card['dtype']} costs {kind['loss_difference']:+.5f}, "
        f"{card['files']['model.safetensors'] / 1e6:.1f} MB"
    )


if __name__ == "__main__":
    main()
