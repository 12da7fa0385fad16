"""``bertlib bench …``: what does it cost?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from bertlib.console import Encoding, Errors, Json, show, whisper

bench_app = typer.Typer(no_args_is_help=True, help="Measure, side by side in one process.")

Save = Annotated[
    Path | None, typer.Option(help="Also write the result and its provenance to this JSON file.")
]
Device = Annotated[str, typer.Option(help="cpu, cuda, cuda:1 ...")]
Matmul = Annotated[
    str | None, typer.Option(help="Our fp32 products: highest, high or medium [default: medium; GPUs: high].")
]
Preset = Annotated[str, typer.Option(help="Size of the models.")]
VocabSize = Annotated[int, typer.Option(help="Word pieces.")]
Rounds = Annotated[int, typer.Option(help="Times each side has its turn.", min=1)]


def save_results(path: Path | None, values: dict[str, Any], *, seed: int = 0, device: str = "cpu") -> None:
    """Write a result with the command, the machine and the versions that gave it."""
    from bertlib.bench.provenance import command_line, provenance, write_results

    if path is not None:
        packages = ("transformers", "accelerate", "tokenizers")
        source = provenance(command_line(), seed=seed, device=device, packages=packages)
        write_results(path, {"provenance": source} | values)


@bench_app.command("pretrain")
def bench_pretrain(
    preset: Annotated[str | None, typer.Option(help="Size of all models; tiny,mini for a table.")] = None,
    vocab_size: Annotated[str | None, typer.Option(help="Word pieces; 8192,30522 for a table.")] = None,
    precision: Annotated[str, typer.Option(help="fp32 or bf16; both, with a comma, for a table.")] = "fp32",
    batch_size: Annotated[
        int | None, typer.Option(help="Texts a step [default: 32; tables: by size].")
    ] = None,
    max_length: Annotated[int, typer.Option(help="Positions a text.")] = 128,
    rounds: Rounds = 7,
    steps: Annotated[int, typer.Option(help="Steps a turn.", min=1)] = 3,
    matmul: Matmul = None,
    device: Device = "cpu",
    against: Annotated[
        str | None, typer.Option(help="transformers: whole trainers, all settings, memory, learning curves.")
    ] = None,
    sweep: Annotated[
        bool, typer.Option("--sweep", help="All of that for four sizes, two vocabularies.")
    ] = False,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="What each of our tricks does, by itself.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Decides texts, masks and weights.")] = 0,
    save: Save = None,
    as_json: Json = False,
) -> None:
    """Compare a pre-training step with that of transformers' BertForPreTraining, interleaved.

    **Examples**

    `bertlib bench pretrain`

    `bertlib bench pretrain --preset tiny --vocab-size 8192 --matmul highest`

    `bertlib bench pretrain --against transformers --device cuda --precision bf16 --batch-size 512`

    `bertlib bench pretrain --sweep --rounds 3 --save book/results/pretrain-speed.json`

    `bertlib bench pretrain --ablate --save book/results/ablate-speed.json`
    """
    from bertlib.bench.run_pretrain import Asked, run_pretrain_bench

    asked = Asked(
        presets=preset, vocab_sizes=vocab_size, precisions=precision, batch_size=batch_size,
        max_length=max_length, rounds=rounds, steps=steps, matmul=matmul, device=device, against=against,
        sweep=sweep, ablate=ablate, seed=seed,
    )  # fmt: skip

    def keep(values: dict[str, Any]) -> None:
        save_results(save, values, seed=seed, device=device)

    values, lines = run_pretrain_bench(asked, keep=keep, say=whisper)
    show(values, lines, as_json=as_json)


@bench_app.command("best-batch")
def bench_best_batch_command(
    models: Annotated[str, typer.Option(help="Presets and lengths: mini:128,base:512.")] = "mini:128",
    vocab_size: VocabSize = 30_522,
    precision: Annotated[str, typer.Option(help="fp32 or bf16.")] = "fp32",
    rounds: Rounds = 5,
    workers: Annotated[int, typer.Option(help="Also a Trainer with so many worker processes.", min=0)] = 0,
    compiled: Annotated[bool, typer.Option("--compile", help="Also our model, compiled.")] = False,
    most: Annotated[int | None, typer.Option(help="Positions of the largest batch to try.", min=1)] = None,
    device: Device = "cpu",
    save: Save = None,
    as_json: Json = False,
) -> None:
    """Compare BertTrainer with transformers' Trainer, each at the batch size that suits it best.

    **Examples**

    `bertlib bench best-batch --models tiny:32`

    `bertlib bench best-batch --models mini:128,base:128,base:512 --device cuda --precision bf16`
    """
    from bertlib.bench.best_batch import bench_best_batch, models_of
    from bertlib.bench.cell import Cell
    from bertlib.bench.run_pretrain import default_matmul

    cells, lines = [], []
    for preset, length in models_of(models):
        cell = Cell(
            preset=preset, vocab_size=vocab_size, max_length=length, precision=precision, device=device,
            matmul=default_matmul(device),
        )  # fmt: skip
        found = bench_best_batch(cell, rounds=rounds, workers=workers, compiled=compiled, most=most)
        cells.append(found.to_dict())
        lines += found.lines()
        whisper(f"{preset}:{length} is measured")
        save_results(save, {"cells": cells}, device=device)
    show({"cells": cells}, lines, as_json=as_json)


@bench_app.command("inference")
def bench_inference_command(
    preset: Preset = "base",
    vocab_size: VocabSize = 30_522,
    precision: Annotated[str, typer.Option(help="fp32 or bf16.")] = "fp32",
    lengths: Annotated[str, typer.Option(help="Positions a text.")] = "16,128,512",
    batch_sizes: Annotated[str, typer.Option(help="Texts at once.")] = "1,8,32",
    rounds: Rounds = 5,
    matmul: Matmul = None,
    device: Device = "cpu",
    save: Save = None,
    as_json: Json = False,
) -> None:
    """Compare the forward pass with that of transformers' BertModel, same weights, interleaved.

    **Examples**

    `bertlib bench inference`

    `bertlib bench inference --preset mini --lengths 128 --batch-sizes 1,32`
    """
    from bertlib.bench.cell import Cell
    from bertlib.bench.inference import bench_inference
    from bertlib.bench.run_pretrain import default_matmul, whole_numbers

    cell = Cell(
        preset=preset, vocab_size=vocab_size, precision=precision, device=device, dropout=0.0,
        matmul=matmul or default_matmul(device),
    )  # fmt: skip
    result = bench_inference(
        cell,
        lengths=whole_numbers(lengths, "--lengths"),
        batch_sizes=whole_numbers(batch_sizes, "--batch-sizes"),
        rounds=rounds,
        progress=not as_json,
        after_shape=lambda found: save_results(save, found.to_dict(), device=device),
    )
    show(result.to_dict(), result.lines(), as_json=as_json)


@bench_app.command("load")
def bench_load(
    preset: Preset = "mini",
    vocab_size: VocabSize = 30_522,
    rounds: Rounds = 5,
    save: Save = None,
    as_json: Json = False,
) -> None:
    """Measure how long imports and loading a model take, ours beside transformers, in fresh processes.

    **Examples**

    `bertlib bench load`

    `bertlib bench load --preset base --rounds 3`
    """
    from bertlib.bench.cell import Cell
    from bertlib.bench.load import bench_loading

    cell = Cell(preset=preset, vocab_size=vocab_size)
    result = bench_loading(cell, rounds=rounds, progress=not as_json)
    save_results(save, asdict(result))
    show(asdict(result), result.lines(), as_json=as_json)


BenchTexts = Annotated[
    list[str] | None,
    typer.Argument(help="Folders, files or patterns of .txt files; nothing: generated stories."),
]
BenchTokenizer = Annotated[
    Path | None, typer.Option(help="Folder of a tokenizer, or a vocab.txt [default: trains one of 8192].")
]


@bench_app.command("tokenize")
def bench_tokenize(
    sources: BenchTexts = None,
    tokenizer: BenchTokenizer = None,
    megabytes: Annotated[float, typer.Option(help="Text to measure with, spread over all files.")] = 2,
    rounds: Annotated[int, typer.Option(help="Times each side has its turn.", min=1)] = 5,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    save: Save = None,
    as_json: Json = False,
) -> None:
    """Compare the speed of our tokenizer with the tokenizers library, on one core, interleaved.

    **Examples**

    `bertlib bench tokenize`

    `bertlib bench tokenize texts/ --tokenizer tokenizer --megabytes 5`
    """
    from bertlib.bench.tokenize import bench_texts

    result = bench_texts(
        sources or (), tokenizer, megabytes=megabytes, rounds=rounds, encoding=encoding, errors=errors
    )
    save_results(save, asdict(result))
    show(asdict(result), result.lines(), as_json=as_json)


@bench_app.command("corpus")
def bench_corpus(
    sources: BenchTexts = None,
    tokenizer: BenchTokenizer = None,
    vocab_size: Annotated[
        int | None, typer.Option(help="Learn a vocabulary of this size, and measure that too.")
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes; all cores by default.", min=1)] = None,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    save: Save = None,
    as_json: Json = False,
) -> None:
    """Measure the speed and the memory of corpus preparation.

    **Examples**

    `bertlib bench corpus`

    `bertlib bench corpus texts/ --tokenizer tokenizer --workers 2`

    `bertlib bench corpus texts/ --vocab-size 8192`
    """
    from bertlib.bench.corpus import bench_preparation

    result = bench_preparation(
        sources or (), tokenizer, vocab_size=vocab_size, workers=workers, encoding=encoding, errors=errors
    )
    save_results(save, result.to_dict())
    show(result.to_dict(), [str(result)], as_json=as_json)


@bench_app.command("saving")
def bench_saving_command(
    preset: Preset = "mini",
    every: Annotated[int, typer.Option(help="Steps between saves.", min=1)] = 50,
    saves: Annotated[int, typer.Option(help="Saves a turn.", min=1)] = 2,
    batch_size: Annotated[int | None, typer.Option(help="Texts a step [default: by size].")] = None,
    max_length: Annotated[int | None, typer.Option(help="Positions a text [default: by size].")] = None,
    rounds: Rounds = 7,
    device: Device = "cpu",
    save: Save = None,
    as_json: Json = False,
) -> None:
    """Measure what saving checkpoints costs a run: training with and without it, interleaved.

    **Examples**

    `bertlib bench saving`

    `bertlib bench saving --preset tiny --every 20 --save book/results/saving.json`
    """
    from bertlib.bench.saving import bench_saving
    from bertlib.device import pick_device
    from bertlib.recipes import Recipe

    recipe = Recipe.for_preset(preset, batch_size=batch_size, max_length=max_length)
    result = bench_saving(recipe, every=every, rounds=rounds, saves=saves, device=pick_device(device))
    save_results(save, asdict(result), seed=recipe.seed, device=device)
    show(asdict(result), result.lines(), as_json=as_json)
