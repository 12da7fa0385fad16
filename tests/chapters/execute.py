"""Run chapters from top to bottom and keep their outputs, without anything that changes from run to run.

Usage: ``python tests/chapters/execute.py chapters/NN-topic.ipynb …`` (``make chapters``). Each notebook runs in a
fresh kernel, in its own folder, on the CPU. A chapter that fails is left as it was.
"""

from __future__ import annotations

import os
import re
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

TIMEOUT = 300  # seconds a cell
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
KEPT = {"tags", "jupyter"}  # metadata of a cell that a person wrote
OVERWRITTEN = re.compile(r"^.*\r(?=[^\n])", re.M)


def run(path: Path) -> NotebookNode:
    """The notebook at ``path``, run from top to bottom.

    Raises:
        CellExecutionError: a cell failed that is not tagged ``raises-exception``.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    ).execute()
    return clean(notebook)


def clean(notebook: NotebookNode) -> NotebookNode:
    """Drop what names a machine, a moment or an editor; put pieces of one stream together."""
    widgets = notebook.metadata.get("widgets")
    notebook.metadata = nbformat.from_dict({"kernelspec": KERNEL, "language_info": {"name": "python"}})
    if widgets:
        notebook.metadata["widgets"] = widgets
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number:02d}"
        cell.metadata = nbformat.from_dict({k: v for k, v in cell.metadata.items() if k in KEPT})
        if cell.cell_type == "code":
            cell.outputs = whole_streams(cell.outputs)
            for output in cell.outputs:
                if "metadata" in output:
                    output.metadata.pop("isolated", None)
    return notebook


def whole_streams(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """One output for each stream, with only the last state of lines that were written over."""
    found: list[NotebookNode] = []
    for output in outputs:
        same = [o for o in found if o.output_type == output.output_type == "stream" and o.name == output.name]
        if same:
            same[0].text += output.text
        else:
            found.append(output)
    for output in found:
        if output.output_type == "stream":
            output.text = OVERWRITTEN.sub("", output.text)
    return found


def main(paths: list[str]) -> int:
    """Run each notebook and write it back; 1 if any failed."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # committed outputs are those of a CPU
    failed = 0
    for path in map(Path, paths):
        started = time.perf_counter()
        try:
            notebook = run(path.resolve())
        except CellExecutionError as error:
            print(f"{path}: failed, left as it was\n{error}", file=sys.stderr)
            failed += 1
            continue
        nbformat.write(notebook, path)
        print(f"{path}: {time.perf_counter() - started:.0f} s, {path.stat().st_size / 1e3:,.0f} kB")
    return bool(failed)


if __name__ == "__main__":
    if not sys.argv[1:]:
        sys.exit("no chapter was named: python tests/chapters/execute.py chapters/NN-topic.ipynb")
    sys.exit(main(sys.argv[1:]))
