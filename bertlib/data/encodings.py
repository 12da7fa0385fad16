"""Is this text, and in the encoding that was said? What a decoder does not see, or does not say well."""

from __future__ import annotations

import codecs
from pathlib import Path

from bertlib.errors import CorpusError

_NO_TEXT = {  # how files begin that are none, whatever they are called
    b"\x1f\x8b": "gzip",
    b"\xfd7zXZ": "xz",
    b"(\xb5/\xfd": "zstd",
    b"PK\x03\x04": "zip",
    b"7z\xbc\xaf": "7z",
    b"%PDF-": "PDF",
    b"\x89PNG": "PNG",
} | {b"BZh%d1AY&SY" % level: "bzip2" for level in range(1, 10)}
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before utf-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


def check_encoding(encoding: str, errors: str) -> None:
    """Raise CorpusError unless Python knows the encoding and the way to treat errors."""
    try:
        "a".encode(encoding)
    except (LookupError, UnicodeError):
        known = "utf-8, utf-16, latin-1, cp1252, gb18030, big5"
        raise CorpusError(f"unknown encoding {encoding!r}; common ones are {known}") from None
    if errors not in ("strict", "replace", "ignore"):
        raise CorpusError(f"errors is {errors!r}; expected 'strict', 'replace' or 'ignore'")


def check_head(path: Path, head: bytes, encoding: str, errors: str) -> None:
    """Spot what is no text, and text in UTF-16, by the first bytes of a file.

    Latin-1 takes any bytes for text, and English in UTF-16 is UTF-8 with a 0x00 behind each letter: both
    would go through unseen. A few 0x00 are dirt, which is dropped later.

    Raises:
        CorpusError: what it is, and what helps.
    """
    for start, kind in _NO_TEXT.items():
        if head.startswith(start):
            raise CorpusError(
                f"{path} is no text but {kind}; leave it out, or unpack it (gzip and xz are unpacked on the "
                "way, if their names end in .gz and .xz)"
            )
    name = codecs.lookup(encoding).name
    for mark, other in _MARKS.items():
        if name == "utf-8" and head.startswith(mark):
            raise CorpusError(f"{path} begins with the mark of {other}, not UTF-8; say --encoding {other}")
    zeros = head.count(0)
    if errors == "strict" and not name.startswith(("utf-16", "utf-32")) and 4 * zeros > len(head):
        raise CorpusError(
            f"{path} is not {encoding.upper()}: {zeros:,} of its first {len(head):,} bytes are 0x00; say "
            "--encoding utf-16-le, which looks so, or leave it out if it is no text"
        )


def wrong_encoding(path: Path, error: UnicodeDecodeError, done: int, encoding: str) -> CorpusError:
    """Name the byte and its offset: ``error.object`` holds the last bytes of the ``done`` read so far."""
    offset = done - len(error.object) + error.start
    where = "its unpacked text" if path.suffix.lower() in (".gz", ".xz") else "it"
    return CorpusError(
        f"{path} is not {encoding.upper()}: byte 0x{error.object[error.start]:02X} at offset {offset:,} "
        f"of {where}; say which encoding it has, e.g. --encoding latin-1, or read such bytes as � "
        "with --errors replace"
    )
