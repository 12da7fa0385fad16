"""One run, one folder: a second process that wants it is told so."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bertlib.errors import CheckpointError
from bertlib.files import disk_error


@contextmanager
def sole_user(folder: Path, part: str = "run") -> Iterator[None]:
    """Keep everybody else out of ``folder`` for the length of the block.

    The lock belongs to the operating system and to the open file: however the process ends, by ``kill -9``
    too, it is gone with it. The file ``.run.lock`` stays; whether it exists means nothing. (Were it
    removed, two processes could hold locks on two files of the same name.)

    Args:
        folder: is made where it is missing.
        part: what is locked; another part is another lock.

    Raises:
        CheckpointError: another process has it.
        BertlibError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / f".{part}.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise disk_error(folder, error) from error
    try:
        if not _taken(handle):
            raise CheckpointError(
                f"another process ({_holder(handle)}) is at work in {folder}; wait until it has ended, or "
                "choose another folder with --out"
            )
        yield
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    """Try to take the lock and leave our number in the file."""
    if sys.platform == "win32":
        return True  # no such locks there
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks must not keep anybody from training
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"{os.getpid()} on {os.uname().nodename}".encode(), 0)
    return True


def _holder(handle: int) -> str:
    """Read who has the lock."""
    return "number " + (os.pread(handle, 200, 0).decode(errors="replace") or "unknown")
