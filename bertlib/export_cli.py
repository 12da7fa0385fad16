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
    """Write a model so that another library opens it.

    **Examples**

    `bertlib export runs/story-tiny/model --to transformers`

    `bertlib export runs/story-tiny/model --to transformers --out my-bert --json`
    """
    from bertlib.interop import to_transformers
    from bertlib.store import find_model, load_pretrained

    if to not in TARGETS:
        raise InputError(f"--to is {to!r}; expected {' or '.join(TARGETS)}")
    source = find_model(model)
    out = out or Path(f"{model.rstrip('/')}-{to}")
    _check_apart(source, out)
    loaded, tokenizer = load_pretrained(source)
    to_transformers(loaded, tokenizer=tokenizer, folder=out)
    values = _facts(loaded, tokenizer) | {"model": str(source), "to": to, "out": str(out)}
    show(
        values,
        [
            f"exported {_sizes(values)} from {source}",
            f"model: {out}  (safetensors, under the names of {to})",
            f"next: python -c \"from transformers import pipeline; print(pipeline('fill-mask', '{out}')"
            "('The [MASK] came home.'))\"",
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
