"""What all commands share: options with the same meaning everywhere, and how results are printed."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")]
Encoding = Annotated[str, typer.Option(help="Encoding of the files.")]
Errors = Annotated[str, typer.Option(help="Bytes that are no text: strict stops, replace or ignore goes on.")]


def show(values: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    """Print a result for people, or as JSON."""
    typer.echo(json.dumps(values, ensure_ascii=False) if as_json else "\n".join(lines))


def whisper(line: str) -> None:
    """Print a line about progress, where it does not get into the result's way."""
    typer.echo(line, err=True)
