"""Opening the files of data sets: plain, gzip or xz, always UTF-8, and one clear line if that fails."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import BinaryIO, TextIO, TypeVar

from bertlib.errors import CorpusError

PACKED = ("", ".xz", ".gz")  # what may stand behind the name of a file
T = TypeVar("T")


@contextmanager
def open_text(path: str | Path) -> Iterator[TextIO]:
    r"""Open a text file for reading, unpacked if its name ends in ``.gz`` or ``.xz``.

    A byte order mark goes, and every line ends in ``"\n"`` whatever it ended in.

    Raises:
        CorpusError: it is not there, is empty, is not UTF-8, is damaged or cut short; also while the lines
            are being read.
    """
    path = Path(path).expanduser()
    with clear_errors(path), unpacked(path) as raw:
        try:
            with io.TextIOWrapper(raw, encoding="utf-8-sig") as lines:
                if not raw.peek(1):  # type: ignore[attr-defined]
                    raise CorpusError(f"{path} is empty; copy or fetch it again")
                yield lines
        except UnicodeDecodeError:
            raise not_utf8(path) from None


@contextmanager
def clear_errors(path: Path) -> Iterator[None]:
    """Say in one line, as a CorpusError, why a file or an archive cannot be read."""
    try:
        yield
    except FileNotFoundError:
        raise CorpusError(f"{path.parent} has no file {path.name}; {neighbours(path.parent)}") from None
    except (EOFError, lzma.LZMAError, zlib.error, gzip.BadGzipFile, tarfile.TarError) as error:
        raise CorpusError(f"{path} is damaged or cut short ({error}); fetch or pack it again") from None
    except OSError as error:
        raise CorpusError(f"{path} cannot be read: {error.strerror or error}") from None


def unpacked(path: Path) -> BinaryIO:
    """Open a file for reading its bytes, unpacked as its name says."""
    openers = {".gz": gzip.open, ".xz": lzma.open}
    return openers.get(path.suffix.lower(), open)(path, "rb")  # type: ignore[operator]


def not_utf8(path: Path) -> CorpusError:
    """Find the first byte that is no UTF-8 and name its place."""
    with unpacked(path) as raw:
        data = raw.read()
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return CorpusError(f"{path} begins with the mark of UTF-16; save it as UTF-8")
    start = 0
    try:
        data.decode()
    except UnicodeDecodeError as error:
        start = error.start
    line = data.count(b"\n", 0, start) + 1
    return CorpusError(f"{path} is not UTF-8: byte 0x{data[start]:02X} in line {line}; save it as UTF-8")


def find_split(folder: str | Path, *names: str) -> Path:
    """Return the first file of these names in a folder, each plain or with ``.xz`` or ``.gz`` behind it.

    Raises:
        CorpusError: no such folder, or none of the files.
    """
    folder = Path(folder).expanduser()
    for name in names:
        for ending in PACKED:
            if (path := folder / (name + ending)).is_file():
                return path
    raise CorpusError(f"{folder} has no {' or '.join(names)} (plain, .xz or .gz); {neighbours(folder)}")


def neighbours(folder: Path) -> str:
    """Say what a folder holds, for somebody who looked for something else in it."""
    if not folder.is_dir():
        return "there is no such folder; is the path spelt right?"
    return f"it holds {listed(sorted(p.name for p in folder.iterdir() if not p.name.startswith('.')))}"


def listed(names: Sequence[str], most: int = 8) -> str:
    """Name some things in a row, long ones cut, and say how many more there are."""
    shown = [repr(name if len(name) <= 30 else name[:29] + "…") for name in names[:most]]
    more = [f"and {len(names) - most} more"] if len(names) > most else []
    return ", ".join(shown + more) or "nothing"


def nearest(name: str, names: Sequence[str]) -> str:
    """Suggest the name that was perhaps meant: ``"; did you mean 'label'?"``, or nothing."""
    lower = {other.lower(): other for other in names}
    found = get_close_matches(name.lower(), lower, n=1)
    return f"; did you mean {lower[found[0]]!r}?" if found else ""


def some(examples: list[T], path: str | Path) -> list[T]:
    """Return the examples of a file if there are any.

    Raises:
        CorpusError: there are none.
    """
    if not examples:
        raise CorpusError(f"{path} holds no examples; expected at least one")
    return examples
