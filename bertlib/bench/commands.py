"""``bertlib bench …``: what does it cost?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bertlib.console import Encoding, Errors, Json, show

bench_app = typer.Typer(no_args_is_help=True, help="Measure, side by side in one process.")


@bench_app.command("pretrain")
def bench_pretrain(
    preset: Annotated[str, typer.Option(help="Size of both models.")] = "mini",
    vocab_size: Annotated[int, typer.Option(help="Word pieces.")] = 30_522,
    batch_size: Annotated[int, typer.Option(help="Texts a step.")] = 32,
    max_length: Annotated[int, typer.Option(help="Positions a text.")] = 128,
    rounds: Annotated[int, typer.Option(help="Times each side has its turn.", min=2)] = 7,
    steps: Annotated[int, typer.Option(help="Steps a turn.", min=1)] = 3,
    matmul: Annotated[str, typer.Option(help="Our fp32 products: highest, high or medium.")] = "medium",
    as_json: Json = False,
) -> None:
    """Compare a pre-training step with that of transformers' BertForPreTraining, interleaved.

    **Examples**

    `bertlib bench pretrain`

    `bertlib bench pretrain --preset tiny --vocab-size 8192 --matmul highest`
    """
    from bertlib.bench.pretrain import bench_pretraining

    result = bench_pretraining(
        preset=preset, vocab_size=vocab_size, batch_size=batch_size, max_length=max_length, rounds=rounds,
        steps=steps, matmul_precision=matmul,
    )  # fmt: skip
    show(result.to_dict(), result.lines(), as_json=as_json)


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
    show(result.to_dict(), result.lines(), as_json=as_json)


@bench_app.command("corpus")
def bench_corpus(
    sources: BenchTexts = None,
    tokenizer: BenchTokenizer = None,
    workers: Annotated[int | None, typer.Option(help="Processes; all cores by default.", min=1)] = None,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    as_json: Json = False,
) -> None:
    """Measure the speed and the memory of corpus preparation.

    **Examples**

    `bertlib bench corpus`

    `bertlib bench corpus texts/ --tokenizer tokenizer --workers 2`
    """
    from bertlib.bench.corpus import bench_preparation

    result = bench_preparation(sources or (), tokenizer, workers=workers, encoding=encoding, errors=errors)
    show(result.to_dict(), [str(result)], as_json=as_json)
