"""Models by name, with a hub that is a function of this file: no test reaches for the network."""

import shutil
import sys

import pytest
import torch

from bertlib.errors import CheckpointError, MissingExtraError
from bertlib.interop import from_transformers
from bertlib.interop.hub import is_hub_name


@pytest.fixture
def hub(folder, tmp_path, monkeypatch):
    """A hub with one model, ``someone/tiny-bert``; it lists what was asked for."""
    library = pytest.importorskip("huggingface_hub")
    asked = []

    def snapshot_download(name, *, allow_patterns):
        asked.append(allow_patterns)
        if name != "someone/tiny-bert":
            raise library.errors.RepositoryNotFoundError(
                "401 Client Error.\n\nRepository Not Found for url", response=_response()
            )
        cache = tmp_path / "cache"
        shutil.rmtree(cache, ignore_errors=True)
        shutil.copytree(
            folder, cache, ignore=lambda _, names: {n for n in names if not _wanted(n, allow_patterns)}
        )
        return str(cache)

    monkeypatch.setattr(library, "snapshot_download", snapshot_download)
    return asked


def _wanted(name, patterns):
    from fnmatch import fnmatch

    return any(fnmatch(name, pattern) for pattern in patterns)


def _response():
    import httpx

    return httpx.Response(401, request=httpx.Request("GET", "https://hub.invalid"))


def test_a_name_is_fetched_and_read(hub, theirs, tokenizer):
    model, words = from_transformers("someone/tiny-bert")
    assert words.vocab == tokenizer.vocab
    assert torch.equal(model.nsp_head.weight, theirs.cls.seq_relationship.weight)
    assert len(hub) == 1
    assert not any(".bin" in pattern for pattern in hub[0])


def test_pickles_are_fetched_only_where_there_is_nothing_else(hub, folder, theirs):
    from safetensors.torch import load_file

    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    model, _ = from_transformers("someone/tiny-bert")
    assert torch.equal(model.nsp_head.weight, theirs.cls.seq_relationship.weight)
    assert len(hub) == 2


def test_an_unknown_name_is_one_line(hub):
    with pytest.raises(
        CheckpointError, match=r"there is no folder bert-bse here, and the hub did not"
    ) as caught:
        from_transformers("bert-bse")
    assert "\n" not in str(caught.value)
    assert "check the name and the network" in str(caught.value)


def test_offline_is_one_line(hub, monkeypatch):
    import huggingface_hub

    def unreachable(name, **_):
        raise huggingface_hub.errors.LocalEntryNotFoundError(
            "Cannot find an appropriate cached snapshot.\nmore"
        )

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(
        CheckpointError, match=r"LocalEntryNotFoundError: Cannot find .*check the name"
    ) as caught:
        from_transformers("bert-base-uncased")
    assert "\n" not in str(caught.value)


def test_without_the_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match="huggingface_hub is not installed; pip install"):
        from_transformers("bert-base-uncased")


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("bert-base-uncased", True),
        ("google/bert_uncased_L-2_H-128_A-2", True),
        ("./bert", False),
        ("/models/bert", False),
        ("runs/story/model", False),
        ("../bert", False),
        ("bert/", False),
        ("C:\\bert", False),
        ("", False),
    ],
)
def test_names_and_paths_are_told_apart(source, name):
    assert is_hub_name(source) == name


def test_a_path_is_never_asked_of_the_hub(hub, tmp_path):
    from pathlib import Path

    for source in (str(tmp_path / "none"), Path("someone/tiny-bert")):
        with pytest.raises(CheckpointError, match="there is no folder"):
            from_transformers(source)
    assert hub == []
