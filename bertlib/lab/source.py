"""``lab.show``: library code in a chapter is read from the package, never pasted."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

from bertlib.extras import need


def show(thing: Any, *, docstrings: bool = False) -> None:
    """Show the source of a class, function or module of the package, highlighted.

    Args:
        thing: what to show.
        docstrings: keep the docstrings; left out by default, for the chapter says the same in
            other words.
    """
    display = need("IPython.display", extra="lab")
    display.display(display.Markdown(as_markdown(thing, docstrings=docstrings)))


def as_markdown(thing: Any, *, docstrings: bool = False) -> str:
    """Return the source as a fenced block below a line that names where it lives."""
    source = textwrap.dedent(inspect.getsource(thing)).rstrip()
    if not docstrings:
        source = without_docstrings(source)
    module = inspect.getmodule(thing)
    home = module.__name__ if module else "?"
    name = getattr(thing, "__qualname__", "")
    where = f"`{name}` from `{home}`" if name else f"`{home}`"
    count = len([line for line in source.splitlines() if line.strip()])
    return f"{where}, {count} lines:\n\n```python\n{source}\n```"


def without_docstrings(source: str) -> str:
    """Return Python source without docstrings; comments and layout stay."""
    lines = source.splitlines()
    drop: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if len(node.body) > 1 else None
            if isinstance(first, ast.Expr) and isinstance(getattr(first.value, "value", None), str):
                drop.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
                after = first.end_lineno or first.lineno
                if after < len(lines) and not lines[after].strip():
                    drop.add(after + 1)  # the blank line that followed it
    return "\n".join(line for number, line in enumerate(lines, 1) if number not in drop).strip("\n")
