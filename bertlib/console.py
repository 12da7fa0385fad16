"""What all commands share: options with the same meaning everywhere, and how results are printed."""

from __future__ import annotations

import json
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from bertlib.errors import InputError

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")]
Encoding = Annotated[str, typer.Option(help="Encoding of the files.")]
Errors = Annotated[str, typer.Option(help="Bytes that are no text: strict stops, replace or ignore goes on.")]

# What Ctrl-C leaves behind, where a command does not say so itself in its KeyboardInterrupt.
LEFT = {
    "tokenizer": "; nothing was saved",
    "corpus": "; the same command goes on where it stopped",
    "finetune": "; nothing was saved",
    "predict": "; nothing was saved",
}


class Commands(TyperGroup):
    """All commands; one that Ctrl-C stops has a last word, of which Typer makes an exit code alone."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was named.

        Raises:
            InputError: an option's value is none that it takes; Typer would draw a box.
        """
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            place = error.ctx.command_path if error.ctx else "bertlib"
            raise InputError(f"{error.format_message().rstrip('.')}; see {place} --help") from None
        except KeyboardInterrupt as stop:
            if os.environ.get("RANK", "0") == "0":  # of several processes the first one speaks
                typer.echo(f"bertlib: stopped{str(stop) or LEFT.get(ctx.invoked_subcommand, '')}", err=True)
            sys.exit(130)


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
