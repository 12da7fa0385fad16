"""Keep what a reader wrote: the source of a function or class from a notebook, as a file that runs by itself.

A chapter runs in a process of its own, so a class written in chapter 04 has to be carried to chapter 09.
What is kept is text, readable and editable, with the imports and the reader's other functions that it uses.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import linecache
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bertlib.errors import InputError

FOLDER = Path("my_bert")  # beside the notebook


def file_of(name: str, folder: Path = FOLDER) -> Path:
    """Return where the exercise called ``name`` is kept."""
    return folder / f"{name.replace('-', '_')}.py"


def keep(name: str, thing: Callable[..., Any], folder: Path = FOLDER) -> Path:
    """Write the source of ``thing``, with all it needs, to the file of the exercise ``name``.

    Raises:
        InputError: the source cannot be found (code typed into a bare Python prompt, say).
        OSError: the folder cannot be written.
    """
    lines = [f'"""What you wrote for "{name}"; chapter 09 trains it. Yours to edit."""', "", *gather(thing)]
    path = file_of(name, folder)
    folder.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def kept(name: str, folder: Path = FOLDER) -> Any:
    """Run the file of the exercise ``name`` and return what it defines last; None if there is no file.

    Raises:
        Exception: whatever the reader's file raises.
    """
    path = file_of(name, folder)
    if not path.is_file():
        return None
    source = path.read_text(encoding="utf-8")
    module = types.ModuleType(path.stem)
    module.__file__ = str(path)
    exec(compile(source, str(path), "exec"), module.__dict__)
    last = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef | ast.ClassDef)][-1]
    return vars(module)[last.name]


def gather(thing: Callable[..., Any]) -> list[str]:
    """Return the imports first, then everything of the reader's that ``thing`` uses, then ``thing``."""
    imports: dict[str, None] = {}
    bodies: dict[str, str] = {}
    collect(thing, imports, bodies)
    return [*imports, "", "", "\n\n\n".join(bodies.values())]


def collect(thing: Callable[..., Any], imports: dict[str, None], bodies: dict[str, str]) -> None:
    """Add ``thing`` to ``bodies``, what it uses before it."""
    if thing.__name__ in bodies:
        return
    node, source = definition(thing)
    bodies[thing.__name__] = source  # noted before its needs, so that two that call each other end
    space = names_around(thing)
    for name in sorted(used_names(node) - {thing.__name__}):
        if name in space and not hasattr(builtins, name):
            add(name, space[name], thing, imports, bodies)
    bodies[thing.__name__] = bodies.pop(thing.__name__)  # now to the end


def add(
    name: str, value: Any, user: Callable[..., Any], imports: dict[str, None], bodies: dict[str, str]
) -> None:
    """Add one thing that ``user`` needs: an import, a function of the reader's, or a plain value."""
    if isinstance(value, types.ModuleType):
        imports[f"import {value.__name__} as {name}"] = None
    elif getattr(value, "__module__", None) == user.__module__ and callable(value):
        collect(value, imports, bodies)
    elif hasattr(value, "__module__") and hasattr(value, "__qualname__"):
        imports[f"from {value.__module__} import {value.__qualname__} as {name}"] = None
    elif is_plain(value):
        bodies[name] = f"{name} = {value!r}"


def is_plain(value: Any) -> bool:
    """Can the value be written down as it is printed (a number, a text, a tuple of such)?"""
    try:
        return bool(ast.literal_eval(repr(value)) == value)
    except (ValueError, SyntaxError, RuntimeError):
        return False


def definition(thing: Callable[..., Any]) -> tuple[ast.AST, str]:
    """Return the syntax tree and the source of a function or class, wherever it was typed.

    Raises:
        InputError: Python does not remember the text.
    """
    for file in sorted({item.__code__.co_filename for item in code_holders(thing)}):
        text = "".join(linecache.getlines(file))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == thing.__name__:
                return node, ast.get_source_segment(text, node) or ""
    raise InputError(
        f"the source of {thing.__name__} cannot be found; write it in a notebook cell or in a file"
    )


def used_names(node: ast.AST) -> set[str]:
    """Return every plain name that is read in a piece of code."""
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}


def names_around(thing: Callable[..., Any]) -> Mapping[str, Any]:
    """Return the global names that a function, or the methods of a class, can see."""
    return next((item.__globals__ for item in code_holders(thing)), {})


def code_holders(thing: Callable[..., Any]) -> list[Any]:
    """Return the function, or the methods of a class."""
    items = vars(thing).values() if inspect.isclass(thing) else [thing]
    return [item for item in items if hasattr(item, "__code__")]
