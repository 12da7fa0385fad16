"""The exercises as the chapters show them: the stub that is checked, and the solution below it."""

from __future__ import annotations

import ast
import inspect
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bertlib.lab import examine
from bertlib.lab.checking import find
from bertlib.lab.exercises import EXERCISES

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
CHECKED = re.compile(r'(?m)^lab\.check\("([\w-]+)", (\w+)\)')
SOLUTION = re.compile(r"<summary>Solution</summary>\s*```python\n(.*?)```", re.S)
Definition = ast.FunctionDef | ast.ClassDef


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One exercise as a chapter shows it."""

    chapter: str
    name: str
    function: str
    stub: str
    solution: str
    imports: str


def cells(path: Path) -> list[tuple[str, str]]:
    """Return kind and source of every cell."""
    return [(c["cell_type"], "".join(c["source"])) for c in json.loads(path.read_text("utf8"))["cells"]]


def definition(source: str, name: str) -> Definition:
    """Return the function or class called ``name``."""
    found = [node for node in ast.parse(source).body if getattr(node, "name", None) == name]
    assert found, f"nothing called {name} in:\n{source}"
    return found[-1]


def is_stub(node: Definition) -> bool:
    """Tell whether a body is left open with ``...``."""
    return any(isinstance(part, ast.Constant) and part.value is Ellipsis for part in ast.walk(node))


def exercises(path: Path) -> list[Shown]:
    """Return the stubs of a chapter, each with the first solution after it."""
    found, page = [], cells(path)
    imports = "\n".join(
        line
        for kind, text in page
        if kind == "code"
        for line in text.splitlines()
        if re.match(r"(import|from) ", line)
    )
    for number, (kind, text) in enumerate(page):
        for name, function in CHECKED.findall(text) if kind == "code" else ():
            if not is_stub(definition(text, function)):
                continue  # somebody else's answer, shown to be judged
            later = "\n".join(source for what, source in page[number + 1 :] if what == "markdown")
            solution = SOLUTION.search(later)
            assert solution, f"{path.name}: no solution after {name}"
            found.append(
                Shown(
                    chapter=path.stem,
                    name=name,
                    function=function,
                    stub=text,
                    solution=solution[1],
                    imports=imports,
                )
            )
    return found


def signatures(node: Definition) -> dict[str, str]:
    """Return the arguments of the function, or of every method of the class."""
    functions = (
        [node]
        if isinstance(node, ast.FunctionDef)
        else [n for n in node.body if isinstance(n, ast.FunctionDef)]
    )
    return {function.name: ast.unparse(function.args) for function in functions}


def run(source: str, shown: Shown) -> Any:
    """Execute source with the chapter's imports and return what it defines."""
    space: dict[str, Any] = {"__name__": "chapter"}
    exec(compile(shown.imports + "\n" + CHECKED.sub("", source), f"<{shown.name}>", "exec"), space)
    return space[shown.function]


SHOWN = [shown for path in CHAPTERS for shown in exercises(path)]
each = pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: f"{shown.chapter}:{shown.name}")


@each
def test_the_shown_solution_passes(shown: Shown):
    report = examine(shown.name, run(shown.solution, shown))
    assert report.status == "right", report.text


@each
def test_the_untouched_stub_is_not_yet(shown: Shown):
    report = examine(shown.name, run(shown.stub, shown))
    assert report.status == "not yet", report.text


@each
def test_stub_and_solution_have_one_signature(shown: Shown):
    stub, solution = (definition(source, shown.function) for source in (shown.stub, shown.solution))
    assert signatures(stub) == signatures(solution)
    assert type(stub) is type(solution)


@each
def test_the_check_hands_over_what_the_stub_takes(shown: Shown):
    exercise = find(shown.name)
    if exercise.run.__name__ != "call_it":
        return  # a module: built and filled by its own runner, the solution test covers it
    names = list(inspect.signature(run(shown.stub, shown)).parameters)
    for case in exercise.cases():
        assert list(case.arguments) == names[: len(case.arguments)]


@each
def test_the_chapter_names_difficulty_and_minutes(shown: Shown):
    exercise = find(shown.name)
    path = next(path for path in CHAPTERS if path.stem == shown.chapter)
    prose = "\n".join(text for kind, text in cells(path) if kind == "markdown")
    assert f"({exercise.difficulty}, {exercise.minutes} minutes)" in prose


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_chapter_has_five_exercises(path):
    assert len(exercises(path)) >= 5


def test_every_exercise_stands_in_a_chapter():
    assert set(EXERCISES) == {shown.name for shown in SHOWN}
