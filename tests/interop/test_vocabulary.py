"""Our tokenizer and theirs, made of the same files, give the same ids."""

import json

import pytest

from bertlib.errors import CheckpointError, VocabularyError
from bertlib.interop.vocabulary import read_tokenizer, write_tokenizer
from bertlib.tokenizer import WordPieceTokenizer

TEXTS = [
    "The dog sang.",
    "the dogs, playing: É é E\u0301",
    "狗 sang 狗狗.\tDog\u00a0dog",
    "[MASK] sang [SEP] unknown",
    "",
]


def edit(file, **changes):
    values = json.loads(file.read_text("utf8")) if file.exists() else {}
    file.write_text(json.dumps(values | changes), "utf8")


@pytest.mark.parametrize("lowercase", [True, False])
def test_their_tokenizer_of_our_files(transformers, tokenizer, small_config, tmp_path, lowercase):
    ours = WordPieceTokenizer(tokenizer.vocab, lowercase=lowercase)
    write_tokenizer(tmp_path, ours, longest=24)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}), "utf8")
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert theirs.model_max_length == 24
    assert (theirs.pad_token_id, theirs.mask_token_id) == (ours.pad_id, ours.mask_id)
    for text in TEXTS:
        assert ours.encode(text).ids == theirs(text)["input_ids"]
    pair, other = ours.encode_pair(*TEXTS[:2]), theirs(*TEXTS[:2])
    assert pair.ids == other["input_ids"]
    assert pair.token_type_ids == other["token_type_ids"]
    assert read_tokenizer(tmp_path, small_config)[0].lowercase == lowercase


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("only_fast", [True, False])
def test_our_tokenizer_of_their_files(transformers, tokenizer, small_config, tmp_path, lowercase, only_fast):
    start = tmp_path / "start"
    start.mkdir()
    write_tokenizer(start, WordPieceTokenizer(tokenizer.vocab, lowercase=lowercase), longest=24)
    (start / "config.json").write_text(json.dumps({"model_type": "bert"}), "utf8")
    theirs = transformers.AutoTokenizer.from_pretrained(start)
    theirs.save_pretrained(tmp_path)
    if only_fast:
        (tmp_path / "tokenizer_config.json").unlink()
    assert not (tmp_path / "vocab.txt").exists() or not only_fast
    ours, notes = read_tokenizer(tmp_path, small_config)
    assert notes == []
    assert ours.vocab == tokenizer.vocab
    for text in TEXTS:
        assert ours.encode(text).ids == theirs(text)["input_ids"]


def test_capitals_as_the_configuration_says(tokenizer, small_config, tmp_path):
    tokenizer.save(tmp_path)
    (tmp_path / "tokenizer_config.json").unlink()
    assert read_tokenizer(tmp_path, small_config)[0].lowercase  # their default as well
    edit(tmp_path / "tokenizer_config.json", do_lower_case=False)
    assert not read_tokenizer(tmp_path, small_config)[0].lowercase


def test_rows_without_a_piece_get_a_name(tokenizer, small_config, tmp_path):
    tokenizer.save(tmp_path)
    found, (note,) = read_tokenizer(tmp_path, small_config.replace(vocab_size=24))
    assert found.vocab[20:] == ["[unused20]", "[unused21]", "[unused22]", "[unused23]"]
    assert "4 rows" in note


@pytest.mark.parametrize("where", ["tokenizer.json", "tokenizer.json alone", "added_tokens", "decoder"])
def test_added_tokens_have_their_ids_and_a_note(transformers, tokenizer, small_config, tmp_path, where):
    tokenizer.save(tmp_path)
    if where.startswith("tokenizer.json"):
        theirs = transformers.BertTokenizer(vocab={piece: i for i, piece in enumerate(tokenizer.vocab)})
        theirs.add_tokens(["<user>", "covid"])
        theirs.save_pretrained(tmp_path)
        if "alone" in where:
            (tmp_path / "vocab.txt").unlink()
    elif where == "decoder":
        decoder = {"20": {"content": "<user>", "special": True}, "21": {"content": "covid"}}
        edit(tmp_path / "tokenizer_config.json", added_tokens_decoder=decoder)
    else:
        edit(tmp_path / "added_tokens.json", **{"<user>": 20, "covid": 21})
    found, (note,) = read_tokenizer(tmp_path, small_config.replace(vocab_size=22))
    assert found.vocab == [*tokenizer.vocab, "<user>", "covid"]
    assert note.startswith("2 added tokens, such as <user>: they have their ids, but bertlib cuts a text")
    found, notes = read_tokenizer(tmp_path, small_config.replace(vocab_size=24))
    assert found.vocab[20:] == ["<user>", "covid", "[unused22]", "[unused23]"]
    assert [note.split()[:2] for note in notes] == [["2", "rows"], ["2", "added"]]


@pytest.mark.parametrize("rows", [19, 200])
def test_a_vocabulary_of_another_model(tokenizer, small_config, tmp_path, rows):
    tokenizer.save(tmp_path)
    with pytest.raises(CheckpointError, match=f"the vocabulary has 20 pieces, the model {rows}"):
        read_tokenizer(tmp_path, small_config.replace(vocab_size=rows))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"do_lower_case": True, "strip_accents": False}, "strip_accents is False and do_lower_case True"),
        ({"tokenize_chinese_chars": False}, "tokenize_chinese_chars is False"),
    ],
)
def test_other_ways_of_cutting_words_are_refused(tokenizer, small_config, tmp_path, changes, message):
    tokenizer.save(tmp_path)
    edit(tmp_path / "tokenizer_config.json", **changes)
    with pytest.raises(CheckpointError, match=message):
        read_tokenizer(tmp_path, small_config)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ({"type": "BPE", "vocab": {"a": 0}}, "'BPE'; bertlib reads 'WordPiece'"),
        ({"type": "WordPiece", "vocab": {"a": 0, "b": 2}}, "the ids are not 0 to 1"),
        (
            {"type": "WordPiece", "vocab": {}, "continuing_subword_prefix": "@@"},
            "continuing_subword_prefix is '@@'",
        ),
    ],
)
def test_tokenizer_json_that_is_not_berts(small_config, tmp_path, model, message):
    (tmp_path / "tokenizer.json").write_text(json.dumps({"model": model}), "utf8")
    with pytest.raises(CheckpointError, match=message):
        read_tokenizer(tmp_path, small_config)


def test_no_vocabulary_or_one_without_special_tokens(small_config, tmp_path):
    with pytest.raises(CheckpointError, match=r"expected vocab.txt or tokenizer.json"):
        read_tokenizer(tmp_path, small_config)
    (tmp_path / "vocab.txt").write_text("<s>\n</s>\n", "utf8")
    with pytest.raises(VocabularyError, match=r"lacks \[PAD\]"):
        read_tokenizer(tmp_path, small_config)
