"""The vocabulary of a ``transformers`` folder: ``vocab.txt``, or what ``tokenizer.json`` says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bertlib.config import BertConfig
from bertlib.errors import CheckpointError
from bertlib.model_folder import check_vocabulary, read_object
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.tokenizer.pieces import INNER
from bertlib.tokenizer.vocabulary import CONFIG_FILE, VOCAB_FILE, read_vocabulary

FAST_FILE, SPECIAL_FILE = "tokenizer.json", "special_tokens_map.json"
ROUNDING = 127  # rows that a table may have beyond its vocabulary, to be a multiple of 128


def read_tokenizer(folder: Path, config: BertConfig) -> tuple[WordPieceTokenizer, str | None]:
    """Return the tokenizer of a folder, and a note if names had to be made up for unused rows.

    Raises:
        CheckpointError: no WordPiece, a way of cutting words that is not BERT's, or another model's.
        VocabularyError: no vocabulary, or one without BERT's special tokens.
    """
    fast = read_object(folder / FAST_FILE) if (folder / FAST_FILE).exists() else {}
    slow = read_object(folder / CONFIG_FILE) if (folder / CONFIG_FILE).exists() else {}
    if (folder / VOCAB_FILE).exists():
        pieces = read_vocabulary(folder / VOCAB_FILE)
    elif fast:
        pieces = _listed_pieces(fast, folder / FAST_FILE)
    else:
        raise CheckpointError(f"no vocabulary in {folder}; expected {VOCAB_FILE} or {FAST_FILE}")
    lowercase = _lowercase(fast.get("normalizer") or {}, slow, folder)
    unused = [f"[unused{number}]" for number in range(len(pieces), config.vocab_size)]
    if len(unused) > ROUNDING:  # too many for tables rounded up to please the hardware: another model's
        unused = []
    tokenizer = WordPieceTokenizer([*pieces, *unused], lowercase=lowercase)
    check_vocabulary(config, tokenizer, folder)
    if not unused:
        return tokenizer, None
    return tokenizer, f"{len(unused)} rows of the word table have no piece; called {unused[0]} and so on"


def _listed_pieces(fast: dict[str, Any], file: Path) -> list[str]:
    """Return the pieces of a ``tokenizer.json`` in the order of their ids."""
    model = fast.get("model") or {}
    if model.get("type", "WordPiece") != "WordPiece" or not isinstance(model.get("vocab"), dict):
        raise CheckpointError(f"{file} describes {model.get('type')!r}; bertlib reads 'WordPiece'")
    if model.get("continuing_subword_prefix", INNER) != INNER:
        raise CheckpointError(
            f"{file}: continuing_subword_prefix is {model['continuing_subword_prefix']!r}; "
            f"BERT's is {INNER!r}"
        )
    ids = dict(model["vocab"]) | {item["content"]: item["id"] for item in fast.get("added_tokens") or ()}
    pieces = sorted(ids, key=ids.__getitem__)
    if [ids[piece] for piece in pieces] != list(range(len(pieces))):
        raise CheckpointError(f"{file}: the ids are not 0 to {len(pieces) - 1}; expected one for each piece")
    return pieces


def _lowercase(normalizer: dict[str, Any], slow: dict[str, Any], folder: Path) -> bool:
    """Return whether text is lower-cased; ``tokenizer_config.json`` has the last word, as in the library."""
    lowercase = slow.get("do_lower_case", normalizer.get("lowercase", True))
    strip = slow.get("strip_accents", normalizer.get("strip_accents"))
    if strip is not None and strip != lowercase:
        raise CheckpointError(
            f"{folder}: strip_accents is {strip} and do_lower_case {lowercase}; in BERT the two go together. "
            "Give the model itself to from_transformers, and keep the library's tokenizer"
        )
    if not slow.get("tokenize_chinese_chars", normalizer.get("handle_chinese_chars", True)):
        raise CheckpointError(
            f"{folder}: tokenize_chinese_chars is False; BERT cuts between Chinese characters"
        )
    return bool(lowercase)


def write_tokenizer(folder: Path, tokenizer: WordPieceTokenizer, *, longest: int) -> None:
    """Write the three files from which the library makes a ``BertTokenizer``."""
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    settings = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": tokenizer.lowercase,
        "strip_accents": None,
        "tokenize_chinese_chars": True,
        "model_max_length": longest,
        **special,
    }
    (folder / VOCAB_FILE).write_text("".join(f"{piece}\n" for piece in tokenizer.vocab), encoding="utf-8")
    (folder / CONFIG_FILE).write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    (folder / SPECIAL_FILE).write_text(json.dumps(special, indent=2) + "\n", encoding="utf-8")
