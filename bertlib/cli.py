"""The command line: parse, build a request, call one function, print what came out.

Bad input ends with one line on stderr and exit code 2; stopping with Ctrl-C with code 130.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, cast

import typer

from bertlib.bench.commands import bench_app
from bertlib.console import Commands, Encoding, Errors, Json, refuse_more_than, show, whisper
from bertlib.errors import BertlibError, InputError, MissingExtraError
from bertlib.export_cli import add_exchange
from bertlib.finetune_cli import add_finetuning
from bertlib.search_cli import add_search

app = typer.Typer(
    cls=Commands, no_args_is_help=True, add_completion=False, rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    help="Build BERT yourself: vocabulary, pre-training, blanks filled, fine-tuning, search.",
)  # fmt: skip
tokenizer_app = typer.Typer(no_args_is_help=True, help="Train a WordPiece vocabulary.")
corpus_app = typer.Typer(no_args_is_help=True, help="Turn txt files into token arrays.")
app.add_typer(tokenizer_app, name="tokenizer")
app.add_typer(corpus_app, name="corpus")
app.add_typer(bench_app, name="bench")

Texts = Annotated[list[str], typer.Argument(help="Folders, files or patterns of .txt (.gz, .xz) files.")]
Cased = Annotated[bool, typer.Option("--cased", help="Keep capitals and accents.")]


def main() -> None:
    """Run the command line; the entry point of ``bertlib``."""
    try:
        app()
    except (BertlibError, MissingExtraError) as error:
        typer.echo(f"bertlib: {error}", err=True)
        sys.exit(2)


@tokenizer_app.command("train")
def tokenizer_train(
    sources: Texts,
    out: Annotated[Path, typer.Option(help="Folder for vocab.txt and tokenizer_config.json.")] = Path(
        "tokenizer"
    ),
    vocab_size: Annotated[int, typer.Option(help="Word pieces, the five special ones included.")] = 8192,
    cased: Cased = False,
    min_frequency: Annotated[int, typer.Option(help="Rarer pairs of pieces are not merged.")] = 2,
    score: Annotated[
        str, typer.Option(help="What is merged first: frequency, likelihood (as in the literature) or ratio.")
    ] = "frequency",
    sample_mb: Annotated[
        float, typer.Option(help="Megabytes of text to learn from, spread over all files.")
    ] = 25,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    as_json: Json = False,
) -> None:
    """Train a WordPiece vocabulary on txt files.

    **Examples**

    `bertlib tokenizer train texts/`

    `bertlib tokenizer train "books/*.txt" --vocab-size 16384 --cased --out my-vocabulary`
    """
    from bertlib.data.corpus import sample_texts
    from bertlib.tokenizer import WordPieceTokenizer
    from bertlib.tokenizer.merges import Score

    texts = sample_texts(sources, sample_mb, encoding=encoding, errors=errors)
    tokenizer = WordPieceTokenizer.train(
        texts, vocab_size, lowercase=not cased, min_frequency=min_frequency, score=cast(Score, score)
    )
    tokenizer.save(out)
    size = sum(map(len, texts))
    show(
        {"out": str(out), "vocab_size": len(tokenizer), "characters": size},
        [
            f"learned {len(tokenizer):,} word pieces from {size:,} characters, in {out}/vocab.txt",
            f"next: bertlib corpus prepare {' '.join(sources)} --tokenizer {out}",
        ],
        as_json=as_json,
    )


@corpus_app.command("prepare")
def corpus_prepare(
    sources: Texts,
    tokenizer: Annotated[Path, typer.Option(help="Folder of a tokenizer, or a vocab.txt.")],
    out: Annotated[Path, typer.Option(help="Folder for the arrays; of a run: RUN/corpus.")] = Path("corpus"),
    workers: Annotated[int | None, typer.Option(help="Processes; all cores by default.")] = None,
    shard_mb: Annotated[
        float | None, typer.Option(help="Largest size of one file of ids, in megabytes [default: 256].")
    ] = None,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    as_json: Json = False,
) -> None:
    """Turn txt files into token arrays; run it again after a crash and it goes on where it stopped.

    A blank line ends a document.

    **Examples**

    `bertlib corpus prepare texts/ --tokenizer tokenizer`

    `bertlib corpus prepare old/*.txt --tokenizer tokenizer --encoding latin-1 --out corpus-old`
    """
    from bertlib.data.prepare import prepare_corpus
    from bertlib.tokenizer import WordPieceTokenizer

    corpus = prepare_corpus(
        sources, WordPieceTokenizer.load(tokenizer), out, workers=workers, encoding=encoding, errors=errors,
        shard_mb=shard_mb,
    )  # fmt: skip
    run = f" --out {out.parent}" if out.name == "corpus" and out.parent != Path() else ""  # it looks there
    counts = {name: getattr(corpus, f"num_{name}") for name in ("tokens", "sentences", "documents")}
    show(
        {"out": str(out)} | counts,
        [f"{corpus}, in {out}", f"next: bertlib pretrain {' '.join(sources)} --tokenizer {tokenizer}{run}"],
        as_json=as_json,
    )


@app.command()
def pretrain(
    ctx: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(help="Folders, files or patterns of .txt files; nothing: the story world."),
    ] = None,
    preset: Annotated[str, typer.Option(help="tiny, mini, small, medium, base or large.")] = "tiny",
    out: Annotated[Path | None, typer.Option(help="Folder of the run [default: runs/NAME-PRESET].")] = None,
    valid: Annotated[
        list[str] | None, typer.Option(help="Held-out text [default: the last 2 % are set aside].")
    ] = None,
    tokenizer: Annotated[
        str | None, typer.Option(help="Use this vocabulary instead of training one.")
    ] = None,
    start_from: Annotated[
        str | None, typer.Option(help="Folder of a model whose weights and vocabulary the run starts from.")
    ] = None,
    vocab_size: Annotated[int | None, typer.Option(help="Word pieces to train [default: 8192].")] = None,
    cased: Cased = False,
    language: Annotated[str, typer.Option(help="Language of the story world: en or zh.")] = "en",
    world: Annotated[str, typer.Option(help="How much of the story world: village or country.")] = "village",
    steps: Annotated[int | None, typer.Option(help="Optimiser steps.")] = None,
    minutes: Annotated[float | None, typer.Option(help="Train about this long instead of --steps.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Texts a step, over all processes.")] = None,
    max_length: Annotated[int | None, typer.Option(help="Positions a text.")] = None,
    positions: Annotated[int | None, typer.Option(help="Rows of the position table.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Peak learning rate.")] = None,
    dropout: Annotated[float | None, typer.Option(help="Dropout probability.")] = None,
    accumulation: Annotated[
        int | None, typer.Option(help="Pieces a batch is cut into, to save memory.")
    ] = None,
    precision: Annotated[str | None, typer.Option(help="fp32 or bf16.")] = None,
    matmul: Annotated[
        str | None, typer.Option(help="Precision of fp32 products: highest, high, medium (may use bf16).")
    ] = None,
    nsp: Annotated[bool, typer.Option("--nsp/--no-nsp", help="Ask about pairs of sentences.")] = True,
    pairs: Annotated[
        str | None, typer.Option(help="The question: nsp (does B follow?), sop (in order?) or none.")
    ] = None,
    masking: Annotated[str | None, typer.Option(help="Mask tokens, words (whole) or spans.")] = None,
    static_masks: Annotated[
        int | None, typer.Option(help="Repeat the masks of this many epochs [default: 0, always new ones].")
    ] = None,
    objective: Annotated[str | None, typer.Option(help="mlm, or causal (left to right, --no-nsp).")] = None,
    fsdp: Annotated[
        bool, typer.Option("--fsdp", help="Several processes share the weights out (FSDP), for large models.")
    ] = False,
    save_every: Annotated[int | None, typer.Option(help="Steps between checkpoints.")] = None,
    eval_every: Annotated[int | None, typer.Option(help="Steps between evaluations.")] = None,
    seed: Annotated[int | None, typer.Option(help="Decides texts, masks, weights and dropout.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1 ...")] = "auto",
    resume: Annotated[Path | None, typer.Option(help="Go on with the run in this folder.")] = None,
    encoding: Encoding = "utf-8",
    errors: Errors = "strict",
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bars, no stages.")] = False,
    as_json: Json = False,
) -> None:
    """Pre-train a BERT on txt files and fill three blanks with it.

    Without arguments: a Tiny on generated stories, in under a minute on two CPU cores.

    **Examples**

    `bertlib pretrain`

    `bertlib pretrain texts/ --preset mini`

    `bertlib pretrain texts/ --minutes 10 --vocab-size 16384 --out runs/first`

    `bertlib pretrain texts/ --masking words --pairs sop`

    `bertlib pretrain --resume runs/first`

    `accelerate launch --multi_gpu --num_processes 4 -m bertlib pretrain texts/ --preset base`

    `torchrun --standalone --nproc_per_node 8 -m bertlib pretrain texts/ --preset large --fsdp`
    """
    from bertlib.pretrain import pretrain as run
    from bertlib.recipes import Recipe
    from bertlib.reports import free_folder, how_to_go_on, report_pretraining
    from bertlib.request import Request

    if resume:
        refuse_more_than(ctx, "resume", "quiet", "as_json")
        request = Request.load(resume)
    elif steps is not None and minutes is not None:
        raise InputError("--minutes decides the number of steps; leave out --steps, or --minutes")
    else:
        recipe = Recipe.for_preset(
            preset, story=not sources, vocab_size=vocab_size, lowercase=not cased, steps=steps,
            batch_size=batch_size, max_length=max_length, positions=positions, learning_rate=learning_rate,
            dropout=dropout, accumulation=accumulation, precision=precision, matmul_precision=matmul, nsp=nsp,
            pairs=pairs, masking=masking, static_masks=static_masks, objective=objective,
            save_every=save_every, eval_every=eval_every, seed=seed, fsdp=fsdp,
        )  # fmt: skip
        request = Request(
            out=out or free_folder(sources, preset), recipe=recipe, sources=tuple(sources or ()),
            valid=tuple(valid or ()), tokenizer=tokenizer, start=start_from, language=language, world=world,
            encoding=encoding, errors=errors, minutes=minutes, device=device,
        )  # fmt: skip
    try:
        say = (lambda _: None) if quiet else whisper
        result = run(request, resume=resume is not None, progress=not quiet, say=say)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(how_to_go_on(request.out)) from None
    show(result.to_dict(), report_pretraining(result), as_json=as_json)


@app.command("fill-mask")
def fill_mask_command(
    text: Annotated[str, typer.Argument(help="A text with one or more [MASK].")],
    model: Annotated[
        Path | None,
        typer.Option(help="Folder of a model, or mini-books [default: newest in runs/, else mini-books]."),
    ] = None,
    top: Annotated[int, typer.Option(help="Guesses a blank.", min=1)] = 5,
    as_json: Json = False,
) -> None:
    """Guess the words behind [MASK].

    **Examples**

    `bertlib fill-mask "The [MASK] sang in the garden."`

    `bertlib fill-mask "She lost her [MASK]." --model runs/story-tiny/model --top 10`
    """
    from bertlib.cloze import fill_mask
    from bertlib.pretrained import default_model
    from bertlib.reports import report_guesses
    from bertlib.store import load_pretrained

    folder = model or default_model()
    if model is None:
        whisper(f"model: {folder}")
    guesses = fill_mask(*load_pretrained(folder), text, top=top)
    values = {"text": text, "model": str(folder), "blanks": [[g._asdict() for g in b] for b in guesses]}
    show(values, report_guesses(guesses), as_json=as_json)


add_finetuning(app)
add_search(app)
add_exchange(app)
