"""One clear line when an optional library is missing."""

from __future__ import annotations

import importlib
from types import ModuleType

from bertlib.errors import MissingExtraError


def need(library: str, *, extra: str) -> ModuleType:
    """Import ``library``, or say which extra of bertlib brings it.

    Raises:
        MissingExtraError: the library is not installed; the message holds the command that
            installs it.
    """
    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise MissingExtraError(
            f"{library.partition('.')[0]} is not installed; this needs it: "
            f'pip install "bertlib[{extra}]" brings it'
        ) from error
