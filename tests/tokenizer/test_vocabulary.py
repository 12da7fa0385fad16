import json
import os

import pytest

from bertlib.errors import BertlibError, InputError, VocabularyError
from bertlib.tokenizer import SPECIAL_TOKENS, WordPieceTokenizer

VOCAB = [*SPECIAL_TOKENS, "the", "##é", "中", "x\u2028y", "\u0e33", "#"]


@pytest.mark.parametrize("lowercase", [True, False])
def test_saved_and_loaded(tmp_path, lowercase):
    tokenizer = WordPieceTokenizer(VOCAB, lowercase=lowercase)
    assert tokenizer.save(tmp_path / "deep" / "folder") == tmp_path / "deep" / "folder"
    again = WordPieceTokenizer.load(tmp_path / "deep" / "folder")
    assert (again.vocab, again.lowercase) == (VOCAB, lowercase)
    assert again.encode("The 中 é") == tokenizer.encode("The 中 é")
    again.save(tmp_path)
    assert (tmp_path / "vocab.txt").read_bytes() == (tmp_path / "deep/folder/vocab.txt").read_bytes()
    assert {file.name for file in tmp_path.iterdir()} == {"deep", "vocab.txt", "tokenizer_config.json"}


def test_a_vocabulary_file_of_other_people(tmp_path):
    file = tmp_path / "words.txt"
    file.write_bytes("\ufeff".encode() + "\r\n".join(VOCAB).encode())  # written on Windows
    assert WordPieceTokenizer.load(file).vocab == VOCAB
    assert WordPieceTokenizer.load(file).lowercase
    assert not WordPieceTokenizer.load(file, lowercase=False).lowercase
    (tmp_path / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": False}))
    assert not WordPieceTokenizer.load(str(file)).lowercase
    assert WordPieceTokenizer.load(file, lowercase=True).lowercase


def test_a_folder_with_tokenizer_json_alone_is_sent_to_convert(tmp_path):
    with pytest.raises(
        VocabularyError, match=r"cannot read .*vocab\.txt: .*; expected a vocab\.txt, or its folder"
    ):
        WordPieceTokenizer.load(tmp_path)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(
        VocabularyError, match=r"vocab\.txt: .*; `bertlib convert` makes one of the tokenizer\.json"
    ):
        WordPieceTokenizer.load(tmp_path)


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
def test_a_missing_special_token_is_named(token):
    with pytest.raises(VocabularyError) as error:
        WordPieceTokenizer([piece for piece in VOCAB if piece != token])
    assert f"the vocabulary of 10 pieces lacks {token};" in str(error.value)


@pytest.mark.parametrize(
    ("vocab", "kind", "message"),
    [
        ([*VOCAB, "the"], VocabularyError, "'the' stands in the vocabulary twice, at 5 and 11"),
        ([*VOCAB, ""], VocabularyError, "piece 11 of the vocabulary is empty"),
        ([*VOCAB, "a\nb"], VocabularyError, r"piece 11 of the vocabulary, 'a\\nb', holds a line end"),
        ([], VocabularyError, r"lacks \[PAD\] \[UNK\] \[CLS\] \[SEP\] \[MASK\]"),
        ("vocab.txt", InputError, "use WordPieceTokenizer.load"),
        ([*VOCAB, 3], InputError, "vocab must be a sequence of str"),
    ],
)
def test_what_is_no_vocabulary(vocab, kind, message):
    with pytest.raises(kind, match=message) as error:
        WordPieceTokenizer(vocab)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read .*vocab.txt: No such file or directory; expected a vocab.txt, or its folder"),
        (b"", "piece 0 of the vocabulary is empty"),
        (b"[PAD]\n\xff\xfe\n", r"vocab.txt is not UTF-8 \(byte 6\)"),
        (b"[PAD]\n[UNK]\n[CLS]\n[SE", r"lacks \[SEP\] \[MASK\]"),
        ("\n".join([*VOCAB, "the", ""]).encode(), "'the' stands in the vocabulary twice"),
        ("\n".join([*VOCAB, "", ""]).encode(), "a blank line"),
    ],
)
def test_a_missing_or_corrupt_file(tmp_path, content, message):
    if content is not None:
        (tmp_path / "vocab.txt").write_bytes(content)
    with pytest.raises(VocabularyError, match=message) as error:
        WordPieceTokenizer.load(tmp_path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("content", ["{", "[1]", "\xff"])
def test_a_corrupt_configuration(tmp_path, content):
    WordPieceTokenizer(VOCAB).save(tmp_path)
    (tmp_path / "tokenizer_config.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(VocabularyError, match=r"tokenizer_config\.json is not a JSON object"):
        WordPieceTokenizer.load(tmp_path)


def test_a_folder_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BertlibError, match=r"could not write .*file/folder"):
        WordPieceTokenizer(VOCAB).save(tmp_path / "file" / "folder")


def test_a_crash_while_saving_leaves_the_old_vocabulary(tmp_path, monkeypatch):
    WordPieceTokenizer(VOCAB).save(tmp_path)

    def crash(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", crash)
    with pytest.raises(BertlibError, match="No space left on device"):
        WordPieceTokenizer([*VOCAB, "new"]).save(tmp_path)
    assert WordPieceTokenizer.load(tmp_path).vocab == VOCAB


@pytest.mark.parametrize("name", ["BertTokenizer", "BertTokenizerFast"])
@pytest.mark.parametrize("lowercase", [True, False])
def test_transformers_reads_it_with_the_same_ids(tmp_path, name, lowercase):
    transformers = pytest.importorskip("transformers")
    texts = [
        "The cat's naïve CAFÉ, 中国 and [MASK].",
        "",
        "Playing \U0001f600 ﬁne x\u0301\u200b!",
        "über 東京 3.14",
    ]
    ours = WordPieceTokenizer.train(texts * 3, 120, lowercase=lowercase, progress=False)
    ours.save(tmp_path)
    theirs = getattr(transformers, name).from_pretrained(str(tmp_path))
    assert [ours.encode(text).ids for text in texts] == theirs(texts)["input_ids"]
    pair = theirs(texts[0], texts[3])
    assert ours.encode_pair(texts[0], texts[3]).ids == pair["input_ids"]
    assert ours.encode_pair(texts[0], texts[3]).token_type_ids == pair["token_type_ids"]
    batch = theirs(texts, padding=True)
    assert ours.encode_batch(texts).attention_mask.tolist() == batch["attention_mask"]
    assert ours.encode_batch(texts).ids.tolist() == batch["input_ids"]
