"""``bertlib bench``: options to cells, one clear line where they do not go together, files with provenance."""

import json

import pytest

from bertlib.bench.run_pretrain import Asked, whole_numbers
from bertlib.errors import ConfigError


@pytest.mark.parametrize(
    "command", ["pretrain", "best-batch", "inference", "load", "tokenize", "corpus", "saving"]
)
def test_every_bench_explains_itself_with_examples(bertlib, command):
    code, out, _ = bertlib("bench", command, "--help")
    assert code == 0
    assert f"bertlib bench {command}" in " ".join(out.split())
    assert "--save" in out


def test_one_model_by_default_and_a_table_on_request():
    (cell,) = Asked().cells()
    assert (cell.preset, cell.vocab_size, cell.batch_size, cell.matmul) == ("mini", 30_522, 32, "medium")
    assert len(Asked(sweep=True).cells()) == 8
    table = Asked(presets="tiny,mini", vocab_sizes="100, 200", precisions="fp32,bf16").cells()
    assert [(c.preset, c.vocab_size, c.precision) for c in table][:3] == [
        ("tiny", 100, "fp32"), ("tiny", 100, "bf16"), ("tiny", 200, "fp32"),
    ]  # fmt: skip


@pytest.mark.parametrize("bad", [{"against": "jax"}, {"ablate": True, "sweep": True}])
def test_questions_that_contradict_each_other_are_refused(bad):
    with pytest.raises(ConfigError):
        Asked(**bad)


@pytest.mark.parametrize("text", ["", "a", "0", "1,-2"])
def test_lists_of_numbers_are_checked(text):
    with pytest.raises(ConfigError, match="--lengths"):
        whole_numbers(text, "--lengths")


def test_what_is_saved_says_where_it_comes_from(bertlib, tmp_path):
    pytest.importorskip("transformers")
    file = tmp_path / "speed.json"
    code, out, _ = bertlib(
        "bench", "pretrain", "--preset", "tiny", "--vocab-size", 300, "--batch-size", 2, "--max-length", 16,
        "--rounds", 1, "--steps", 1, "--save", file, "--json",
    )  # fmt: skip
    assert code == 0
    saved = json.loads(file.read_text())
    assert saved["provenance"]["command"].startswith("bertlib bench pretrain --preset tiny")
    assert {"device", "threads", "torch", "transformers", "seed"} <= set(saved["provenance"])
    assert saved["sides"].keys() == json.loads(out)["sides"].keys()


def test_the_cost_of_saving_is_a_file_for_the_book(bertlib, tmp_path):
    file = tmp_path / "saving.json"
    code, _, _ = bertlib(
        "bench", "saving", "--preset", "tiny", "--batch-size", 2, "--max-length", 8, "--every", 2, "--saves", 1,
        "--rounds", 1, "--save", file,
    )  # fmt: skip
    assert code == 0
    saved = json.loads(file.read_text())
    assert {"provenance", "save_every", "share", "spread"} <= saved.keys()


def test_a_gpu_that_is_not_there_is_one_line(bertlib, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    code, _, err = bertlib("bench", "pretrain", "--device", "cuda")
    assert (code, err.count("\n")) == (2, 1)
    assert "choose cpu" in err
