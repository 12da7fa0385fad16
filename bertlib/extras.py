"""Optional libraries: one clear line where one is missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from bertlib.errors import MissingExtraError


def need(library: str, *, extra: str) -> ModuleType:
    """Import ``library``, or say which extra of bertlib brings it.

    Raises:
        MissingExtraError: the library is not installed; the message holds the command that installs it.
    """
    try:
        return importlib.import_module(library)
    except ImportError as error:
        name = library.partition(".")[0].replace("sklearn", "scikit-learn")
        raise MissingExtraError(f'{name} is not installed; pip install "bertlib[{extra}]"') from error


def show_html(page: str) -> None:
    """Display HTML below a notebook's cell.

    Raises:
        MissingExtraError: IPython is not installed.
    """
    display = need("IPython.display", extra="lab")
    display.display(display.HTML(page))
