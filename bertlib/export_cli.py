"""``bertlib export`` and ``bertlib convert``: out to the ``transformers`` library and in from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from bertlib.console import Json, show
from bertlib.errors import CheckpointError, InputError

TARGETS = ("transformers",)


def add_exchange(app: typer.Typer) -> None:
    """Give the command line its two commands."""
    app.command("export")(export)
    app.command("convert")(convert)


def export(
    model: Annotated[str, typer.Argument(help="Folder of a model, or the name of a shipped one.")],
    to: Annotated[str, typer.Option(help="For whom: transformers.")] = "transformers",
    out: Annotated[Path | None, typer.Option(help="Folder to write [default: MODEL-transformers].")] = None,
    as_json: Json = False,
) -> None:
    """Write a model so that another library opens it; a fine-tuned one goes with its head and labels.

    **Examples**

    `bertlib export runs/story-tiny/model --to transformers`

    `bertlib export runs/sst2 --out my-sentiment`

    `bertlib export runs/story-tiny/model --to transformers --out my-bert --json`
    """
    from bertlib.finetune.folder import TASK
    from bertlib.store import find_model

    if to not in TARGETS:
        raise InputError(f"--to is {to!r}; expected {' or '.join(TARGETS)}")
    source = find_model(model)
    out = out or Path(f"{source.resolve() if Path(model).name in ('', '..') else Path(model)}-{to}")
    _check_apart(source, out)
    write = _write_finetuned if (source / TASK).exists() else _write_pretrained
    facts, following = write(source, out)
    values = facts | {"model": str(source), "to": to, "out": str(out)}
    show(
        values,
        [
            f"exported {_sizes(values)} from {source}",
            f"model: {out}  (safetensors, under the names of {to})",
            f'next: python -c "from transformers import {following}"',
        ],
        as_json=as_json,
    )


def convert(
    source: Annotated[str, typer.Argument(help="Folder in transformers' layout, or a name on the hub.")],
    out: Annotated[Path | None, typer.Option(help="Folder to write [default: models/NAME].")] = None,
    as_json: Json = False,
) -> None:
    """Make a bertlib folder of a BERT from the transformers library, or from the Hugging Face hub.

    **Examples**

    `bertlib convert bert-base-uncased`

    `bertlib convert downloads/bert-base-cased --out models/bert-base-cased`
    """
    from bertlib.interop import read_transformers
    from bertlib.store import save_pretrained

    out = out or Path("models") / Path(source).resolve().name
    _check_apart(Path(source), out)
    model, tokenizer, notes = read_transformers(source)
    save_pretrained(out, model, tokenizer)
    values = _facts(model, tokenizer) | {"source": source, "out": str(out), "notes": notes}
    show(
        values,
        [
            f"converted {_sizes(values)} from {source}",
            *[f"note: {note}" for note in notes],
            f"model: {out}",
            f'next: bertlib fill-mask "..." --model {out}',
        ],
        as_json=as_json,
    )


def _write_pretrained(source: Path, out: Path) -> tuple[dict[str, Any], str]:
    """Write a model that fills blanks; return what it is, and the program that tries it."""
    from bertlib.interop import to_transformers
    from bertlib.store import load_pretrained

    model, tokenizer = load_pretrained(source)
    to_transformers(model, tokenizer=tokenizer, folder=out)
    following = f"pipeline; print(pipeline('fill-mask', '{out}')('The [MASK] came home.'))"
    return _facts(model, tokenizer), following


def _write_finetuned(source: Path, out: Path) -> tuple[dict[str, Any], str]:
    """Write a model with the head of a task; return what it is, and the program that opens it."""
    from bertlib.finetune.folder import load_finetuned
    from bertlib.finetune.lora import merge_lora
    from bertlib.interop.heads import kind_of, save_head_to_transformers

    tuned = load_finetuned(source)
    head: Any = tuned.model
    head.bert = merge_lora(head.bert)
    labels = getattr(tuned.task, "labels", None) or getattr(tuned.task, "tags", None)
    save_head_to_transformers(out, head, tuned.tokenizer, labels=labels)
    theirs = kind_of(head).theirs
    return _facts(head, tuned.tokenizer), f"{theirs}; print({theirs}.from_pretrained('{out}'))"


def _check_apart(source: Path, out: Path) -> None:
    if source.resolve().is_relative_to(out.resolve()):
        raise CheckpointError(f"{out} holds the model itself and would be replaced; choose another --out")


def _facts(model: Any, tokenizer: Any) -> dict[str, Any]:
    return {
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "vocab_size": len(tokenizer),
        "lowercase": tokenizer.lowercase,
    }


def _sizes(values: dict[str, Any]) -> str:
    case = "uncased" if values["lowercase"] else "cased"
    return f"{values['parameters']:,} parameters and {values['vocab_size']:,} {case} word pieces"
