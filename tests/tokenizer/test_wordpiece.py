import pickle
import threading

import numpy as np
import pytest
import torch

from bertlib.errors import InputError
from bertlib.tokenizer import SPECIAL_TOKENS, WordPieceTokenizer

PIECES = [
    "the",
    "cat",
    "play",
    "##ing",
    "##ed",
    "un",
    "##aff",
    "##able",
    "cafe",
    "don",
    "'",
    "t",
    ",",
    ".",
    "!",
    "?",
    "[",
    "]",
    "mask",
    "中",
    "国",
    "我",
    "好",
    "😀",
    "x",
    "##x",
]
TOKENIZER = WordPieceTokenizer([*SPECIAL_TOKENS, *PIECES])


def test_playing_by_hand():
    encoding = TOKENIZER.encode("The cat, unaffable!")
    assert encoding.tokens == ["[CLS]", "the", "cat", ",", "un", "##aff", "##able", "!", "[SEP]"]
    assert encoding.ids == [2, *(5 + PIECES.index(t) for t in encoding.tokens[1:-1]), 3]
    assert encoding.offsets == [(0, 0), (0, 3), (4, 7), (7, 8), (9, 11), (11, 14), (14, 18), (18, 19), (0, 0)]
    assert encoding.special_tokens_mask == [1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert encoding.token_type_ids == [0] * 9
    assert encoding.attention_mask == [1] * 9


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \t\n ", []),
        ("dog", ["[UNK]"]),
        ("catx cats", ["cat", "##x", "[UNK]"]),
        ("我play中国,好!", ["我", "play", "中", "国", ",", "好", "!"]),
        ("CAFÉ cafe\u0301", ["cafe", "cafe"]),
        ("x" * 100, ["x"] + ["##x"] * 99),
        ("x" * 101, ["[UNK]"]),
        ("c\x00a\u200bt\ufffd the\x07", ["cat", "the"]),
        ("the\u3000cat\xa0play\x85ing", ["the", "cat", "play", "##ing"]),
        ("😀 😀\ufe0f 🐱", ["😀", "😀", "[UNK]"]),
        ("\x01\u200d\ue000", []),
    ],
)
def test_edge_cases(text, tokens):
    assert TOKENIZER.tokenize(text) == tokens
    ids, counts = TOKENIZER.encode_lines(text)
    assert [TOKENIZER.vocab[i] for i in ids] == tokens
    assert counts.sum() == len(tokens)


def test_a_cased_tokenizer_keeps_capitals_and_accents():
    cased = WordPieceTokenizer([*SPECIAL_TOKENS, "Café", "cafe"], lowercase=False)
    assert cased.tokenize("Café CAFE cafe") == ["Café", "[UNK]", "cafe"]


def test_special_tokens_written_out():
    assert TOKENIZER.tokenize("the[MASK], play") == ["the", "[MASK]", ",", "play"]
    assert TOKENIZER.encode("the [MASK]").offsets == [(0, 0), (0, 3), (4, 10), (0, 0)]
    words = ["the", "[", "mask", "]"]
    assert TOKENIZER.tokenize("the [MASK]", allow_special=False) == words
    assert [TOKENIZER.vocab[i] for i in TOKENIZER.words_to_ids("the [MASK]")] == words
    assert [TOKENIZER.vocab[i] for i in TOKENIZER.encode_lines("the [MASK]")[0]] == words
    assert TOKENIZER.mask_id in TOKENIZER.words_to_ids("the [MASK]", allow_special=True)


def test_lines_are_counted():
    ids, counts = TOKENIZER.encode_lines("the cat\n\nplaying!\n")
    assert (ids.dtype, counts.dtype) == (np.int32, np.int64)
    assert counts.tolist() == [2, 0, 3, 0]
    assert ids.tolist() == TOKENIZER.words_to_ids("the cat playing!")
    assert [part.tolist() for part in TOKENIZER.encode_lines("")] == [[], [0]]


def test_a_pair():
    encoding = TOKENIZER.encode_pair("the cat", "playing")
    assert encoding.tokens == ["[CLS]", "the", "cat", "[SEP]", "play", "##ing", "[SEP]"]
    assert encoding.token_type_ids == [0, 0, 0, 0, 1, 1, 1]
    assert encoding.special_tokens_mask == [1, 0, 0, 1, 0, 0, 1]
    assert encoding.offsets[4:6] == [(0, 4), (4, 7)]


def test_one_text_is_cut_at_its_end():
    whole = TOKENIZER.encode("the cat don't playing")
    for length in range(2, 10):
        cut = TOKENIZER.encode("the cat don't playing", max_length=length)
        assert cut.tokens == [*whole.tokens[:-1][: length - 1], "[SEP]"]


@pytest.mark.parametrize(
    ("max_length", "first", "second"),
    [(9, "the the the the", "cat cat"), (8, "the the the", "cat cat"), (7, "the the", "cat cat"),
     (6, "the the", "cat"), (5, "the", "cat"), (4, "the", ""), (3, "", "")],
)  # fmt: skip
def test_the_longer_side_is_cut_at_a_tie_the_second(max_length, first, second):
    encoding = TOKENIZER.encode_pair("the the the the", "cat cat", max_length=max_length)
    assert encoding.ids == TOKENIZER.encode_pair(first, second).ids


def test_a_batch_is_padded():
    batch = TOKENIZER.encode_batch(["the", ("the cat", "play"), ""])
    assert batch.ids.shape == (3, 6)
    assert batch.ids[0].tolist() == [2, 5, 3, 0, 0, 0]
    assert batch.attention_mask.tolist() == [[1, 1, 1, 0, 0, 0], [1] * 6, [1, 1, 0, 0, 0, 0]]
    assert batch.token_type_ids[1].tolist() == [0, 0, 0, 0, 1, 1]
    assert batch.special_tokens_mask[0].tolist() == [1, 0, 1, 1, 1, 1]
    assert batch[0].tokens[3:] == ["[PAD]"] * 3
    assert {len(field) for field in vars(batch[0]).values()} == {6}
    assert TOKENIZER.encode_batch([]).ids.shape == (0, 0)


def test_a_batch_without_padding():
    batch = TOKENIZER.encode_batch(["the cat", "the"], pad=False, max_length=3)
    assert [len(encoding) for encoding in batch] == [3, 3]
    batch = TOKENIZER.encode_batch(["the cat", "the"], pad=False)
    assert [len(encoding) for encoding in batch] == [4, 3]
    with pytest.raises(InputError, match="3 to 4 tokens make no array; encode with pad=True"):
        _ = batch.ids


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: TOKENIZER.encode(b"the"), "text is a bytes; expected str"),
        (lambda: TOKENIZER.encode_lines(None), "text is a NoneType"),
        (lambda: TOKENIZER.encode_pair("the", 3), "text is a int"),
        (lambda: TOKENIZER.encode_batch("the cat"), "texts is one str; expected several"),
        (lambda: TOKENIZER.encode_batch([("a", "b", "c")]), "text is a tuple"),
        (lambda: TOKENIZER.encode("the", max_length=1), "max_length is 1; expected at least 2"),
        (lambda: TOKENIZER.encode_pair("a", "b", max_length=2), "max_length is 2; expected at least 3"),
        (
            lambda: TOKENIZER.decode([5, len(TOKENIZER)]),
            rf"id {len(TOKENIZER)} is outside the vocabulary; expected 0 to",
        ),
        (lambda: TOKENIZER.decode([-1]), "id -1 is outside"),
        (lambda: TOKENIZER.decode([[1, 2]]), "whole numbers in one row"),
        (lambda: TOKENIZER.decode(["the"]), "whole numbers in one row"),
        (lambda: TOKENIZER.decode(5), "whole numbers in one row"),
    ],
)
def test_errors_are_one_clear_line(call, message):
    with pytest.raises(InputError, match=message) as error:
        call()
    assert "\n" not in str(error.value)


def test_decode():
    ids = TOKENIZER.encode_pair("The cat, playing!", "我好 dog").ids
    assert TOKENIZER.decode(ids) == "the cat, playing! 我好 [UNK]"
    assert TOKENIZER.decode(ids, skip_special=False) == "[CLS] the cat, playing! [SEP] 我好 [UNK] [SEP]"
    assert TOKENIZER.decode(np.array(ids)) == TOKENIZER.decode(torch.tensor(ids)) == TOKENIZER.decode(ids)
    assert TOKENIZER.decode([]) == ""


def test_ids_are_looked_up_not_assumed():
    shuffled = WordPieceTokenizer(["the", "[MASK]", "[SEP]", "[PAD]", "[CLS]", "[UNK]"])
    assert (shuffled.pad_id, shuffled.unk_id, shuffled.cls_id, shuffled.sep_id, shuffled.mask_id) == (
        3,
        5,
        4,
        2,
        1,
    )
    assert shuffled.encode_batch(["the dog", ""]).ids.tolist() == [[4, 0, 5, 2], [4, 2, 3, 3]]


def test_it_travels_to_other_processes():
    TOKENIZER.encode_lines("the cat")
    copy = pickle.loads(pickle.dumps(TOKENIZER))
    assert (copy.vocab, copy.lowercase) == (TOKENIZER.vocab, TOKENIZER.lowercase)
    assert copy.encode("the cat") == TOKENIZER.encode("the cat")
    assert repr(copy) == f"WordPieceTokenizer({len(PIECES) + 5} pieces, uncased)"
    assert len(pickle.dumps(TOKENIZER)) < 1_000


def test_threads_may_share_one():
    texts = ["\n".join(f"the{n} cat{n * k} play" for n in range(300)) for k in range(1, 9)]
    vocab = [*SPECIAL_TOKENS, "the", "cat", "play", *(f"##{n}" for n in range(3_000))]
    expected = [WordPieceTokenizer(vocab).encode_lines(text)[0].tolist() for text in texts]
    shared, got = WordPieceTokenizer(vocab), {}

    def work(number):
        got[number] = shared.encode_lines(texts[number])[0].tolist()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [got[number] for number in range(len(texts))] == expected
