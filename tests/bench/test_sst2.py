import json
import lzma

import numpy as np
import pytest
import torch

from bertlib.bench.sst2 import FineTuning, main, run
from bertlib.bench.sst2_data import encode, padded, read_split, shuffled
from bertlib.bench.sst2_model import new_classifier
from bertlib.config import BertConfig
from bertlib.errors import CorpusError
from bertlib.model import BertForPreTraining
from bertlib.store import save_pretrained
from bertlib.tokenizer import WordPieceTokenizer

WORDS = ["dull", "bright", "the", "film", "is", "and", "long", "short"]


@pytest.fixture
def home(tmp_path):
    """A folder with a small BERT of random weights, and one with sentences that one word decides."""
    tokenizer = WordPieceTokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=64, max_position_embeddings=12, initializer_range=0.1,
    )  # fmt: skip
    save_pretrained(tmp_path / "small", BertForPreTraining(config), tokenizer)
    generator = np.random.default_rng(0)
    for name, count in (("train", 256), ("dev", 40)):
        labels = generator.integers(0, 2, count)
        rows = [
            f"the film is {' '.join(['long and'] * generator.integers(0, 3))} {WORDS[k]}\t{k}" for k in labels
        ]
        text = "\n".join(["sentence\tlabel", *rows]) + "\n"
        (tmp_path / f"{name}.tsv").write_text(text, encoding="utf-8")
    return tmp_path


def test_it_learns_what_one_word_decides(home):
    found = run(str(home / "small"), home, FineTuning(lr=3e-3, batch=16), scratch=True, device="cpu")
    for start in ("pretrained", "scratch"):
        assert found[start]["accuracy"] == 1.0
        assert found[start]["loss"][-1] < found[start]["loss"][0]
        assert found[start]["steps"] == 3 * 16
    assert 0.5 <= found["commonest"] < 0.8
    assert found["pretrained"]["loss"] != found["scratch"]["loss"]


def test_the_same_seed_gives_the_same_numbers(home):
    torch.manual_seed(1)
    once = run(str(home / "small"), home, FineTuning(epochs=1), scratch=False, limit=64, device="cpu")
    torch.manual_seed(2)
    again = run(str(home / "small"), home, FineTuning(epochs=1), scratch=False, limit=64, device="cpu")
    assert once["pretrained"]["loss"] == again["pretrained"]["loss"]
    assert once["sentences"] == {"train": 64, "dev": 40}


def test_the_command_saves_its_results_with_their_origin(home, capsys):
    main([str(home / "small"), str(home), "--epochs", "1", "--limit", "32", "--save", str(home / "r.json")])
    saved = json.loads((home / "r.json").read_text())
    assert saved["provenance"]["command"].startswith("python -m bertlib.bench.sst2 small SST-2")
    assert "--epochs 1 --limit 32" in saved["provenance"]["command"]
    assert "scratch" not in saved
    assert "pretrained: dev" in capsys.readouterr().out


def test_packed_files_are_read_as_plain_ones(home):
    plain = read_split(home, "dev")
    file = home / "dev.tsv"
    with lzma.open(home / "dev.tsv.xz", "wb") as packed:
        packed.write(file.read_bytes())
    file.unlink()
    assert read_split(home, "dev") == plain


def test_quotes_are_letters_like_any_other(tmp_path):
    (tmp_path / "dev.tsv").write_text('sentence\tlabel\n"so-called\t0\n`` fine "\t1\n')
    assert read_split(tmp_path, "dev") == (['"so-called', '`` fine "'], [0, 1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"there is no train\.tsv or train\.tsv\.xz in .*GLUE"),
        ("text\tlabel\na\t1\n", r"train\.tsv has no column 'sentence' but text, label"),
        ("sentence\tgold\na\t1\n", r"has no column 'label' but sentence, gold"),
        ("", r"has no column 'sentence' but nothing"),
        ("sentence\tlabel\n", r"holds no sentences"),
        ("sentence\tlabel\na\t1\nb\tgood\n", r"train\.tsv, line 3: the label is 'good'; expected 0 or 1"),
        ("sentence\tlabel\na\t1\nb\n", r"line 3: the label is None"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / "train.tsv").write_text(content)
    with pytest.raises(CorpusError, match=message) as caught:
        read_split(tmp_path, "train")
    assert "\n" not in str(caught.value)


def test_an_error_is_one_line(home, capsys):
    (home / "train.tsv").unlink()
    with pytest.raises(SystemExit, match=r"^sst2: there is no train\.tsv"):
        main([str(home / "small"), str(home)])


@pytest.fixture
def sentences(home):
    tokenizer = WordPieceTokenizer.load(home / "small")
    return encode(tokenizer, ["the film", "", "the film is long and dull", "odd"], [0, 1, 0, 1], 6)


def test_sentences_get_their_ends_and_are_cut(sentences):
    assert [ids.tolist() for ids in sentences.ids] == [[2, 7, 8, 3], [2, 3], [2, 7, 8, 9, 11, 3], [2, 1, 3]]


def test_padding_reaches_to_the_longest_of_the_batch_only(sentences):
    ids, mask, labels = padded(sentences, np.array([0, 3]), 0)
    assert ids.tolist() == [[2, 7, 8, 3], [2, 1, 3, 0]]
    assert mask.tolist() == [[1, 1, 1, 1], [1, 1, 1, 0]]
    assert labels.tolist() == [0, 1]


def test_an_epoch_has_every_sentence_once_and_like_lengths_together(home):
    tokenizer = WordPieceTokenizer.load(home / "small")
    train = encode(tokenizer, *read_split(home, "train"), 12)
    batches = list(shuffled(train, 16, np.random.default_rng(0)))
    assert sorted(np.concatenate(batches)) == list(range(256))
    lengths = np.array([len(ids) for ids in train.ids])
    assert sum(np.ptp(lengths[rows]) == 0 for rows in batches) >= len(batches) - 4
    other = list(shuffled(train, 16, np.random.default_rng(1)))
    assert any((a != b).any() for a, b in zip(batches, other, strict=True))


def test_the_body_is_copied_and_dropout_set(home):
    start = BertForPreTraining(BertConfig.from_preset("tiny", vocab_size=20))
    model = new_classifier(start.config, start, dropout=0.3)
    for name, weight in start.bert.state_dict().items():
        assert torch.equal(model.bert.state_dict()[name], weight)
    assert model.bert.config.hidden_dropout_prob == 0.3
    assert model.bert is not start.bert
