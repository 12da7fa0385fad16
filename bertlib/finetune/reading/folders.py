"""A folder a class, a text a file: IMDB (Maas et al. 2011), as a folder or as the archive it came in."""

from __future__ import annotations

import os
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from bertlib.data.examples import TextExample
from bertlib.errors import CorpusError
from bertlib.finetune.reading.opening import clear_errors, listed, open_text, some
from bertlib.finetune.reading.rows import ending

BREAK = re.compile(r"(?:\s*<br\s*/?>)+\s*", re.IGNORECASE)
Wanted = Callable[[PurePosixPath], bool]


def read_folders(
    source: str | Path, split: str = "", *, leave_out: Sequence[str] = ("unsup",)
) -> list[TextExample]:
    """Read texts that lie in one folder a class; the folder's name is the label.

    An archive is read in place: nothing is written to disk.

    Args:
        source: a folder, or a ``.tar``, ``.tar.gz`` or ``.tar.xz`` of one.
        split: the folder around the class folders, such as "train", at any depth of ``source``; "" if
            ``source`` has one set of class folders only.
        leave_out: classes that are none; IMDB keeps its texts without a label in "unsup".

    Returns:
        The examples sorted by name, which is class and file; ``<br />`` has become a blank.

    Raises:
        CorpusError: nothing there, no such split, several splits and none chosen, a text that is not UTF-8,
            a damaged archive.
    """
    source = Path(source).expanduser()

    def wanted(name: PurePosixPath) -> bool:
        return in_class(name, split) and name.parent.name not in leave_out

    with clear_errors(source):
        found = dict((texts_in_folder if source.is_dir() else texts_in_archive)(source, wanted))
    around = sorted({str(name.parent.parent) for name in found})
    if len(around) > 1:
        raise CorpusError(f"{source} has class folders in {listed(around)}; choose one: split='train'")
    if not found and split:
        raise CorpusError(f"{source} has no class folders in a folder {split!r}; is the split spelt right?")
    return some([to_example(name, found[name], source) for name in sorted(found)], source)


def read_texts(source: str | Path) -> list[TextExample]:
    """Read texts without labels: the ``.txt`` files of a folder, or one; plain, ``.gz`` or ``.xz``.

    Raises:
        CorpusError: there are none; as :func:`open_text`.
    """
    source = Path(source).expanduser()
    examples = []
    for path in [source] if source.is_file() else bare_texts(source):
        with open_text(path) as lines:
            examples.append(TextExample(BREAK.sub(" ", lines.read()).strip(), name=path.name))
    return some(examples, source)


def read_reviews(source: Path, split: str, *, labels: bool = True) -> list[TextExample] | None:
    """Read one split as IMDB lies on disk, or, for predictions, texts in no folder of a class.

    Args:
        source: a folder, an archive of one, or a ``.txt`` file. A folder that :func:`holds_classes` is one
            split, whichever is asked for.
        split: "train", "dev" or "test".
        labels: False: texts without labels will do.

    Returns:
        The examples; None if there is no "dev", as in IMDB.

    Raises:
        CorpusError: as :func:`read_folders` and :func:`read_texts`.
    """
    if ending(source) == ".txt":
        return read_texts(source)
    if holds_classes(source):
        return read_folders(source)
    if source.is_dir() and not holds_split(source, split):
        if not labels and bare_texts(source):
            return read_texts(source)
        if split == "dev":
            return None
    return read_folders(source, split)


def holds_split(source: Path, split: str) -> bool:
    """Is there a folder of this split, in ``source`` or in a folder of it?"""
    return any((folder / split).is_dir() for folder in (source, *source.iterdir()))


def holds_classes(source: Path) -> bool:
    """Do class folders, two at least, lie in this folder itself, and no split beside them?"""
    if not source.is_dir() or any(holds_split(source, split) for split in ("train", "dev", "test")):
        return False
    return sum(folder.is_dir() and bool(bare_texts(folder)) for folder in source.glob("[!.]*")) > 1


def bare_texts(folder: Path) -> list[Path]:
    """Return the text files that lie in a folder itself, in no folder of a class."""
    return sorted(path for path in folder.glob("[!.]*") if ending(path) == ".txt" and path.is_file())


def texts_in_folder(folder: Path, wanted: Wanted) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield name and content of the files in the class folders below a folder."""
    for root, _, files in os.walk(folder):
        for file in files:
            path = Path(root, file)
            if wanted(name := PurePosixPath(path.relative_to(folder).as_posix())):
                yield name, path.read_bytes()


def texts_in_archive(path: Path, wanted: Wanted) -> Iterator[tuple[PurePosixPath, bytes]]:
    """Yield name and content of the files in the class folders of a tar archive."""
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None and wanted(name := PurePosixPath(member.name)):
                yield name, content.read()


def in_class(name: PurePosixPath, split: str) -> bool:
    """Is this a file in a class folder, and that in the folder of the split?"""
    hidden = any(part.startswith(".") for part in name.parts)
    return len(name.parts) > 1 and not hidden and split in ("", name.parent.parent.name)


def to_example(name: PurePosixPath, data: bytes, source: Path) -> TextExample:
    """Turn one file into an example."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CorpusError(f"{name} in {source} is not UTF-8 ({error.reason}); save it as UTF-8") from None
    label = name.parent.name
    return TextExample(first=BREAK.sub(" ", text).strip(), label=label, name=f"{label}/{name.name}")
