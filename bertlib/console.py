"""What all commands share: options with the same meaning everywhere, and how results are printed."""

from __future__ import annotations

import json
import os
from typing import Annotated, Any

import typer

from bertlib.errors import InputError

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")]
Encoding = Annotated[str, typer.Option(help="Encoding of the files.")]
Errors = Annotated[str, typer.Option(help="Bytes that are no text: strict stops, replace or ignore goes on.")]


def show(values: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    """Print a result for people, or as JSON; of several processes the first one speaks."""
    if int(os.environ.get("RANK", "0")):
        return
    typer.echo(json.dumps(values, ensure_ascii=False) if as_json else "\n".join(lines))


def refuse_more_than(ctx: typer.Context, *allowed: str) -> None:
    """Stop if options were given beside those ``allowed``.

    Raises:
        InputError: the first of them, named.
    """
    for name in ctx.params:
        source = ctx.get_parameter_source(name)
        if name not in allowed and source is not None and source.name == "COMMANDLINE":
            option = "--" + name.replace("_", "-") if name != "sources" else "the texts"
            raise InputError(
                f"--{allowed[0]} takes everything from the run's own run.json; leave out {option}, or start "
                "another run"
            )


def whisper(line: str) -> None:
    """Print a line about progress, where it does not get into the result's way."""
    typer.echo(line, err=True)
