"""The few names that every part of the tokeniser shares."""

SPECIAL_TOKENS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
"""Their ids are 0 to 4 in every vocabulary trained here; released vocabularies keep them elsewhere."""

INNER = "##"
"""Marks a piece that continues a word."""

MAX_WORD_CHARS = 100
"""Longer words become [UNK] unread, as in `tokenizers` and `transformers` (google-research/bert: 200)."""
