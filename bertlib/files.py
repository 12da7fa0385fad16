"""Writing so that a crash leaves either the old or the new, never a half."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from bertlib.errors import BertlibError


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk, not only in the system's memory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Replace a text file in one step."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        sync(temporary)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise disk_error(path, error) from error


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder to fill; rename it to ``path`` when the block ends well.

    Whatever stood at ``path`` is replaced at that moment and not before. On an error the temporary
    folder goes and ``path`` is as it was.

    Raises:
        BertlibError: the disk is full or not writable.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        for file in temporary.iterdir():
            sync(file)
        _swap(temporary, path)
        sync(path.parent)
    except (OSError, SafetensorError) as error:  # safetensors words a full disk in its own way
        raise disk_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap(new: Path, path: Path) -> None:
    """Rename ``new`` to ``path``; a folder cannot be renamed onto a full one, so that one steps aside."""
    if not path.exists():
        os.rename(new, path)
        return
    aside = path.with_name(f".{path.name}.{os.getpid()}.old")
    os.rename(path, aside)
    os.rename(new, path)
    shutil.rmtree(aside)


def disk_error(path: Path, error: Exception) -> BertlibError:
    """Say in one line that something could not be written and that nothing was lost."""
    reason = getattr(error, "strerror", None) or error
    return BertlibError(
        f"could not write {path}: {reason}; what was saved before is untouched. "
        "Free some space or choose another folder, then run the same command again"
    )
