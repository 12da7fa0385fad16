import random
import tracemalloc

import pytest
from reference_bert import random_texts, vocabulary_of

from bertlib.tokenizer import WordPieceTokenizer, fast, greedy_pieces, split_words
from bertlib.tokenizer.fast import LineEncoder, WordStore


def slowly(texts, vocab, *, lowercase):
    """Line by line with the readable functions alone."""
    ids = {piece: number for number, piece in enumerate(vocab)}
    words = [split_words(text, lowercase=lowercase) for text in texts]
    return [[ids[p] for word in line for p in greedy_pieces(word, ids)] for line in words]


def by_lines(ids, counts):
    rest = iter(ids.tolist())
    return [[next(rest) for _ in range(count)] for count in counts]


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize(("kept", "bits", "probes"), [(1 << 17, 18, 6), (50, 3, 2), (0, 1, 1)])
def test_small_tables_change_nothing(monkeypatch, lowercase, kept, bits, probes):
    """Full slots, words that find no place, forgetting: the ids stay those of the slow way."""
    monkeypatch.setattr(fast, "KEPT_WORDS", kept)
    monkeypatch.setattr(fast, "SLOT_BITS", bits)
    monkeypatch.setattr(fast, "PROBES", probes)
    lines = "\n".join(random_texts(600, seed=4)).split("\n")
    vocab = vocabulary_of(lines, lowercase=lowercase)
    encoder = WordPieceTokenizer(vocab, lowercase=lowercase)
    for _ in range(2):
        for start in range(0, len(lines), 100):
            block = lines[start : start + 100]
            assert by_lines(*encoder.encode_lines("\n".join(block))) == slowly(
                block, vocab, lowercase=lowercase
            )


def test_words_that_share_bytes_are_told_apart():
    """Words of 1 to 40 letters of which each is the beginning of the next."""
    draw = random.Random(0)
    words = [("ab" * 20)[:n] for n in range(1, 41)] + [chr(0xE9) * n for n in range(1, 20)]
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words]
    tokenizer = WordPieceTokenizer(vocab, lowercase=False)
    for _ in range(3):
        draw.shuffle(words)
        assert [vocab[i] for i in tokenizer.encode_lines(" ".join(words))[0]] == words


def test_memory_stays_bounded(monkeypatch):
    monkeypatch.setattr(fast, "KEPT_WORDS", 100)
    encoder = LineEncoder({"[UNK]": 0, "a": 1}, unknown="[UNK]", lowercase=True)
    for number in range(50):
        encoder.encode(" ".join(f"word{number}x{n}" for n in range(20)))
        encoder.word_ids(f"other{number}")
        assert len(encoder._store) <= 121
    assert encoder.encode("a b")[0].tolist() == [1, 0]


def test_a_word_in_the_table_costs_a_few_bytes():
    """It is found by its bytes, so neither its text nor a dictionary entry (150 bytes) is kept."""
    encoder = LineEncoder({"[UNK]": 0, "a": 1}, unknown="[UNK]", lowercase=True)
    lines = [" ".join(f"{n:x}{block}" for n in range(2_000)) for block in range(16)]
    encoder.encode(lines[0])
    tracemalloc.start()
    for line in lines[1:]:
        encoder.encode(line)
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert len(encoder._store) > 25_000
    assert size < 50 * len(encoder._store)
    assert len(encoder._store.numbers) < 0.02 * len(encoder._store)  # those that found no slot


@pytest.mark.parametrize("stop", range(4))
def test_ctrl_c_leaves_no_word_with_the_ids_of_another(monkeypatch, stop):
    """Stopped while the table is written or emptied, whichever array comes next."""
    texts = random_texts(300, seed=8)
    vocab = vocabulary_of(texts, lowercase=True)
    lines = [line for text in texts for line in text.split("\n")]
    encoder = WordPieceTokenizer(vocab)
    encoder.encode_lines("\n".join(lines[:100]))
    monkeypatch.setattr(fast, "KEPT_WORDS", 10 if stop == 3 else 10**6)
    stopped = ["_number", "_key_2", "_key_1", "_store"][stop]
    monkeypatch.setattr(encoder._lines, stopped, Stopping(getattr(encoder._lines, stopped)))
    with pytest.raises(KeyboardInterrupt):
        encoder.encode_lines("\n".join(lines[100:200]))
    monkeypatch.undo()
    assert by_lines(*encoder.encode_lines("\n".join(lines))) == slowly(lines, vocab, lowercase=True)


class Stopping:
    """Stands for an array or a store; Ctrl-C comes before it is written to, or just after it was emptied."""

    def __init__(self, real):
        self.real = real

    def __getitem__(self, key):
        return self.real[key]

    def __len__(self):
        return len(self.real)

    def __setitem__(self, key, value):
        raise KeyboardInterrupt

    def __getattr__(self, name):
        if name == "forget":
            self.real.forget()
            raise KeyboardInterrupt
        return getattr(self.real, name)


def test_an_endless_word_is_not_kept():
    store = WordStore({"[UNK]": 0, "a": 1, "##a": 2}, "[UNK]")
    assert store.word_ids("a" * 100) == [1] + [2] * 99
    assert store.word_ids("a" * 1_000_000) == [0]
    assert max(map(len, store.numbers)) == 101


def test_find_words():
    import numpy as np

    text = " well, no_one\n\tgoes (there) é"
    starts, ends = fast.find_words(np.frombuffer(text.encode(), dtype=np.uint8))
    found = [text.encode()[a:b].decode() for a, b in zip(starts, ends, strict=True)]
    assert found == ["well", ",", "no", "_", "one", "goes", "(", "there", ")", "é"]
