"""Sphinx extension: a page shows what was measured, straight from ``book/results``.

A directive draws a file, with its table and with the command that measured it::

    ```{results} pretrain-speed
    :command: bertlib bench pretrain --out book/results/pretrain-speed.json
    ```

A role puts one number into a sentence: ``{result}`tiny-real-text:accuracy.BERT|.0%` ``. The path leads
through the file; what follows the bar is a format of Python.

A file that is not there yet becomes a note with its command. A file that is broken stops the build.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, ClassVar

import bars
import curves
import measured
import tables
from docutils import nodes
from docutils.parsers.rst import directives
from sheets import ResultsError, Sheet
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective, SphinxRole

FOLDER = Path(__file__).resolve().parents[1] / "results"
NOT_YET = "not measured yet"
SHORT = 10  # rows; longer tables wait behind a click


def page(sheet: Sheet, provenance: Mapping[str, Any]) -> str:
    """Draw everything of one file: figures, table, origin."""
    parts = [bars.draw(figure) for figure in sheet.figures]
    if sheet.panels:
        parts.append(curves.draw(sheet))
    written = "".join(map(tables.write, sheet.tables))
    words = sheet.answers or ("All numbers" if sum(map(tables.length, sheet.tables)) > SHORT else "")
    parts.append(f"<details><summary>{words}</summary>{written}</details>" if words else written)
    return f'<div class="measured">{"".join(parts)}{origin(provenance)}</div>'


def origin(provenance: Mapping[str, Any]) -> str:
    """Say who measured it: the command, then whatever is known of machine, versions and seed."""
    forms = {
        "device": "{}",
        "threads": "{} thread" + "s" * (provenance.get("threads") != 1),
        "python": "Python {}",
        "date": "{}",
    }
    keys = [*forms, *(key for key in provenance if key not in forms and key != "command")]
    facts = [
        forms.get(key, f"{key} {{}}").format(provenance[key])
        for key in keys
        if provenance.get(key) is not None
    ]
    command = f"<code>{escape(str(provenance.get('command', 'unknown command')))}</code>"
    return f'<p class="origin">Measured by {command} on {escape(" · ".join(facts))}</p>'


def value_at(found: Any, path: str) -> Any:
    """Follow a dotted path through mappings and lists.

    Raises:
        ResultsError: it leads nowhere; what there is instead is listed.
    """
    for step in path.split("."):
        try:
            found = found[int(step)] if isinstance(found, list) else found[step]
        except (KeyError, IndexError, ValueError, TypeError) as error:
            there = ", ".join(found) if isinstance(found, Mapping) else f"{type(found).__name__}"
            raise ResultsError(f"{path}: there is no {step!r}, but {there}") from error
    return found


class Results(SphinxDirective):
    """Draw one file of results."""

    required_arguments = 1
    option_spec: ClassVar = {"command": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """Return the drawing, or a note where nothing was measured yet."""
        name, path = self.arguments[0], FOLDER / f"{self.arguments[0]}.json"
        self.env.note_dependency(str(path))
        if not path.is_file():
            return [self.not_yet()]
        found = measured.read(path)
        drawn = page(measured.sheet(name, found), found["provenance"])
        return [nodes.raw("", drawn, format="html")]

    def not_yet(self) -> nodes.Node:
        """Return the note that says how to measure it."""
        text = nodes.paragraph("", "", nodes.strong("", f"{NOT_YET.capitalize()}: "))
        text += nodes.literal("", self.options.get("command", ""))
        return nodes.container("", text, classes=["not-yet"])


class Result(SphinxRole):
    """Write one number of a file into a sentence."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the number as text."""
        place, _, form = self.text.partition("|")
        name, _, inside = place.partition(":")
        path = FOLDER / f"{name}.json"
        self.env.note_dependency(str(path))
        if not path.is_file():
            return [nodes.emphasis("", NOT_YET)], []
        value = value_at(measured.read(path), inside)
        try:
            return [nodes.Text(format(value, form or (",d" if isinstance(value, int) else "")))], []
        except (TypeError, ValueError) as error:
            raise ResultsError(f"{self.text}: {value!r} cannot be written as {form!r}") from error


def setup(app: Sphinx) -> dict[str, bool]:
    """Add the directive and the role."""
    app.add_directive("results", Results)
    app.add_role("result", Result())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
