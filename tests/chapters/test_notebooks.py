"""Each committed chapter is one clean run, and shows what a chapter of this book shows."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbclient.exceptions import CellExecutionError

from .execute import clean, main, run, whole_streams

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)


def code_cells(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


@chapter
def test_it_is_one_run_from_top_to_bottom(path: Path) -> None:
    cells = code_cells(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    loud = [
        o for cell in cells for o in cell.outputs if "raises-exception" not in cell.metadata.get("tags", [])
    ]
    assert [o for o in loud if o.output_type == "error"] == []
    assert [o.text for o in loud if o.get("name") == "stderr"] == []


@chapter
def test_it_is_small(path: Path) -> None:
    assert path.stat().st_size < 2_000_000
    assert max(len(cell.source.splitlines()) for cell in code_cells(path)) <= 25


@chapter
def test_it_does_not_lean_on_the_set_up_cell(path: Path) -> None:
    """Where the package has to be installed first, as in Colab, that cell leaves no name ``bertlib`` behind."""
    sources = [cell.source for cell in code_cells(path) if "%pip" not in cell.source]
    names = {
        node.id for source in sources for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)
    }
    assert "bertlib" not in names


@chapter
def test_it_seeds_once(path: Path) -> None:
    assert sum("torch.manual_seed(" in cell.source for cell in code_cells(path)) == 1


@chapter
def test_every_image_has_alternative_text(path: Path) -> None:
    for cell in code_cells(path):
        for output in cell.outputs:
            page = "".join(output.get("data", {}).get("text/html", ""))
            assert re.findall(r"<img(?![^>]*\balt=\"[^\"])[^>]{0,80}", page) == []
            assert "image/png" not in output.get("data", {}), (
                "show figures with viz.show, which asks for alt text"
            )


def notebook(*sources: str) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])


def test_pieces_of_a_stream_are_put_together() -> None:
    parts = ["10%\r", "20%\r", "done\nnext"]
    outputs = [nbformat.v4.new_output("stream", name="stdout", text=text) for text in parts]
    assert [o.text for o in whole_streams(outputs)] == ["done\nnext"]


def test_cleaning_keeps_tags_only() -> None:
    one = notebook("1")
    one.cells[0].metadata.update(
        tags=["hide-input"], execution={"iopub.execute_input": "now"}, collapsed=True
    )
    one.metadata["language_info"] = {"version": "3.11.2"}
    cleaned = clean(one)
    assert dict(cleaned.cells[0].metadata) == {"tags": ["hide-input"]}
    assert cleaned.metadata["language_info"] == {"name": "python"}


@pytest.mark.slow
def test_running_twice_gives_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "a.ipynb"
    nbformat.write(notebook("print(1)", "import sys; print(2); print(3, file=sys.stderr)"), path)
    assert main([str(path)]) == 0
    first = path.read_text("utf8")
    assert main([str(path)]) == 0
    assert path.read_text("utf8") == first
    nbformat.write(notebook("1 / 0"), path)
    with pytest.raises(CellExecutionError):
        run(path)
