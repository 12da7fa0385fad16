"""The vocabulary of a ``transformers`` folder: ``vocab.txt``, or what ``tokenizer.json`` says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bertlib.config import BertConfig
from bertlib.errors import CheckpointError
from bertlib.model_folder import check_vocabulary, read_object
from bertlib.tokenizer import WordPieceTokenizer
from bertlib.tokenizer.pieces import INNER, SPECIAL_TOKENS
from bertlib.tokenizer.vocabulary import CONFIG_FILE, FAST_FILE, VOCAB_FILE, read_vocabulary

Json = dict[str, Any]

SPECIAL_FILE, ADDED_FILE = "special_tokens_map.json", "added_tokens.json"
ROUNDING = 127  # rows that a table may have beyond its vocabulary, to be a multiple of 128


def read_tokenizer(folder: Path, config: BertConfig) -> tuple[WordPieceTokenizer, list[str]]:
    """Return the tokenizer of a folder, and a note for rows without a piece and for added tokens.

    Raises:
        CheckpointError: no WordPiece, a way of cutting words that is not BERT's, or another model's.
        VocabularyError: no vocabulary, or one without BERT's special tokens.
    """
    fast, slow, late = (
        read_object(folder / name) if (folder / name).exists() else {}
        for name in (FAST_FILE, CONFIG_FILE, ADDED_FILE)
    )
    if (folder / VOCAB_FILE).exists():
        pieces = read_vocabulary(folder / VOCAB_FILE)
    elif fast:
        pieces = _listed_pieces(fast, folder / FAST_FILE)
    else:
        raise CheckpointError(f"no vocabulary in {folder}; expected {VOCAB_FILE} or {FAST_FILE}")
    lowercase = _lowercase(fast.get("normalizer") or {}, slow, folder)
    added = {row: token for row, token in _added_tokens(fast, slow, late).items() if row < config.vocab_size}
    rows = range(len(pieces), config.vocab_size)
    unused = [row for row in rows if row not in added]
    if len(unused) <= ROUNDING:  # more are not tables rounded up to please the hardware: another model's
        pieces = [*pieces, *(added.get(row, f"[unused{row}]") for row in rows)]
    tokenizer = WordPieceTokenizer(pieces, lowercase=lowercase)
    check_vocabulary(config, tokenizer, folder)
    notes = []
    if unused:
        notes.append(
            f"{len(unused)} rows of the word table have no piece; called [unused{unused[0]}] and so on"
        )
    if whole := [token for token in added.values() if token not in SPECIAL_TOKENS]:
        notes.append(
            f"{len(whole)} added tokens, such as {whole[0]}: they have their ids, but bertlib cuts a text as "
            "BERT does, where transformers keeps them whole"
        )
    return tokenizer, notes


def _added_tokens(fast: Json, slow: Json, late: Json) -> dict[int, str]:
    """Return what was added to a vocabulary, by id, from whichever of the three files says so."""
    return {
        **{number: token for token, number in late.items()},
        **{int(number): item["content"] for number, item in (slow.get("added_tokens_decoder") or {}).items()},
        **{item["id"]: item["content"] for item in fast.get("added_tokens") or ()},
    }


def _listed_pieces(fast: Json, file: Path) -> list[str]:
    """Return the pieces of a ``tokenizer.json`` in the order of their ids."""
    model = fast.get("model") or {}
    if model.get("type", "WordPiece") != "WordPiece" or not isinstance(model.get("vocab"), dict):
        raise CheckpointError(f"{file} describes {model.get('type')!r}; bertlib reads 'WordPiece'")
    if model.get("continuing_subword_prefix", INNER) != INNER:
        raise CheckpointError(
            f"{file}: continuing_subword_prefix is {model['continuing_subword_prefix']!r}; "
            f"BERT's is {INNER!r}"
        )
    ids = model["vocab"] | {token: number for number, token in _added_tokens(fast, {}, {}).items()}
    pieces = sorted(ids, key=ids.__getitem__)
    if [ids[piece] for piece in pieces] != list(range(len(pieces))):
        raise CheckpointError(f"{file}: the ids are not 0 to {len(pieces) - 1}; expected one for each piece")
    return pieces


def _lowercase(normalizer: Json, slow: Json, folder: Path) -> bool:
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
