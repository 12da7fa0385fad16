"""Writing so that a crash leaves either the old or the new, never a half."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors import SafetensorError

from bertlib.errors import BertlibError

ROOM, RIGHTS = "free some space, or choose another folder", "choose a folder that you may write to"
ADVICE = {
    errno.ENOSPC: ROOM,
    errno.EDQUOT: ROOM,
    errno.EFBIG: ROOM,
    errno.EACCES: RIGHTS,
    errno.EPERM: RIGHTS,
    errno.EROFS: RIGHTS,
    errno.ENOENT: "make the folder first, or choose another",
    errno.ENOTDIR: "choose a place that does not lie below a file",
    errno.EISDIR: "give the name of a file",
}


def sync(path: Path) -> None:
    """Wait until a file or folder is on the disk, not only in the system's memory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def check_writable(path: Path, *, file: bool = False) -> None:
    """Make something beside ``path`` and remove it again: what will fail after an hour had better fail now.

    Args:
        path: of what is to be written; folders that are missing above it are no hindrance.
        file: it is a file, whose folder must be there.

    Raises:
        BertlibError: nothing can be written there.
    """
    home = path.absolute().parent
    try:
        while not (file or home.exists()):
            home = home.parent
        if file and path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "it is a folder")
        with TemporaryDirectory(prefix=".", dir=home):
            pass
    except OSError as error:
        raise disk_error(path, error) from error


def write_text(path: Path, text: str) -> None:
    """Replace a text file in one step.

    Raises:
        BertlibError: the disk is full or not writable.
    """
    with new_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Give a temporary file to write; rename it to ``path`` when the block ends well.

    Raises:
        BertlibError: the disk is full or not writable.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        mode = temporary.stat().st_mode
        yield temporary
        temporary.chmod(mode)  # safetensors makes files that nobody else may read
        sync(temporary)
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        raise disk_error(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Give a temporary folder to fill; rename it to ``path`` when the block ends well.

    Whatever stood at ``path`` is replaced at that moment and not before. On an error the temporary
    folder goes and ``path`` is as it was.

    Raises:
        BertlibError: the disk is full or not writable.
    """
    path = Path(os.path.realpath(path))  # the folder behind a link is replaced, the link stays
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        for file in temporary.iterdir():
            if file.is_file():  # safetensors makes files that nobody else may read
                file.chmod(temporary.stat().st_mode & 0o666)
            sync(file)
        _swap(temporary, path)
        sync(path.parent)
    except (OSError, SafetensorError) as error:
        raise disk_error(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _swap(new: Path, path: Path) -> None:
    """Rename ``new`` to ``path``; a folder cannot be renamed onto a full one, so that one steps aside."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.old")
    try:
        if path.exists():
            os.rename(path, aside)
        os.rename(new, path)
    finally:
        if aside.exists() and not path.exists():
            os.rename(aside, path)  # stopped in between
        shutil.rmtree(aside, ignore_errors=True)


def disk_error(path: Path, error: Exception) -> BertlibError:
    """Say in one line what could not be written, that nothing was lost, and what helps against that."""
    reason = getattr(error, "strerror", None) or str(error)
    words = re.search(r"os error (\d+)", reason)  # safetensors has numbers in words only
    number = int(words[1]) if words else getattr(error, "errno", None)
    advice = ADVICE.get(number or 0, "choose another folder")
    return BertlibError(
        f"could not write {path}: {reason}; what was saved before is untouched: {advice}, then run the same "
        "command again"
    )
