"""The vocabulary on disk: ``vocab.txt``, one piece a line, and ``tokenizer_config.json`` beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from bertlib.errors import InputError, VocabularyError
from bertlib.files import disk_error, write_text
from bertlib.tokenizer.pieces import SPECIAL_TOKENS

VOCAB_FILE = "vocab.txt"
CONFIG_FILE = "tokenizer_config.json"
FAST_FILE = "tokenizer.json"  # another library's, which holds all of it


def check_vocabulary(vocab: Sequence[str]) -> list[str]:
    """Return the vocabulary as a list, if it is one.

    Raises:
        VocabularyError: a special token is missing, a piece is empty, no line of text, or there twice.
        InputError: not a sequence of strings.
    """
    if isinstance(vocab, (str, bytes)) or not all(isinstance(piece, str) for piece in vocab):
        raise InputError(
            "vocab must be a sequence of str, one a piece; to read a file use WordPieceTokenizer.load"
        )
    first_seen: dict[str, int] = {}
    for number, piece in enumerate(vocab):
        if not piece:
            raise VocabularyError(f"piece {number} of the vocabulary is empty (a blank line?); remove it")
        if "\n" in piece or piece.endswith("\r"):
            raise VocabularyError(f"piece {number} of the vocabulary, {piece!r}, holds a line end; remove it")
        if piece in first_seen:
            raise VocabularyError(
                f"{piece!r} stands in the vocabulary twice, at {first_seen[piece]} and {number}; "
                "every piece needs one id, so remove or rename one of them"
            )
        first_seen[piece] = number
    missing = [token for token in SPECIAL_TOKENS if token not in first_seen]
    if missing:
        raise VocabularyError(
            f"the vocabulary of {len(vocab)} pieces lacks {' '.join(missing)}; add it as a line of "
            "vocab.txt, or train a vocabulary with WordPieceTokenizer.train"
        )
    return list(vocab)


def read_vocabulary(file: Path) -> list[str]:
    """Read one piece a line, UTF-8.

    Raises:
        VocabularyError: no such file, or not UTF-8.
    """
    try:
        text = file.read_bytes().decode("utf-8-sig")  # some editors put a byte order mark first
    except OSError as error:
        remedy = f"expected a {VOCAB_FILE}, or its folder"
        if file.with_name(FAST_FILE).exists():
            remedy = f"`bertlib convert` makes one of the {FAST_FILE} there, if its model lies beside it"
        raise VocabularyError(f"cannot read {file}: {error.strerror}; {remedy}") from None
    except UnicodeDecodeError as error:
        raise VocabularyError(f"{file} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    # Only "\n" ends a line here: str.splitlines would also cut at rarer separators.
    return [line.removesuffix("\r") for line in text.removesuffix("\n").split("\n")]


def read_lowercase(config: Path) -> bool | None:
    """Return what ``tokenizer_config.json`` says about lower-casing, None where it says nothing.

    Raises:
        VocabularyError: the file is no JSON object.
    """
    if not config.exists():
        return None
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
        return values.get("lowercase", values.get("do_lower_case"))
    except (ValueError, AttributeError):
        raise VocabularyError(f"{config} is not a JSON object; repair it or delete it") from None


def write_vocabulary(folder: Path, vocab: Sequence[str], *, lowercase: bool) -> None:
    """Write both files; ``do_lower_case`` is there for the ``transformers`` library.

    Raises:
        BertlibError: the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_error(folder, error) from error
    config = {"tokenizer_class": "BertTokenizer", "lowercase": lowercase, "do_lower_case": lowercase}
    write_text(folder / CONFIG_FILE, json.dumps(config, indent=2) + "\n")
    write_text(folder / VOCAB_FILE, "".join(f"{piece}\n" for piece in vocab))
