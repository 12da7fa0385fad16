import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from bertlib.errors import CheckpointError
from bertlib.folders import check_replaceable, write_folder


def test_all_that_belongs_to_a_model(tmp_path):
    folder = write_folder(
        tmp_path / "model",
        {"w": torch.arange(6.0).view(2, 3).T},  # not contiguous
        {"config.json": {"size": 3}, "task.json": {"labels": ["größer", "更大"]}},
        lambda folder: (folder / "vocab.txt").write_text("[PAD]"),
    )
    assert torch.equal(load_file(folder / "model.safetensors")["w"], torch.arange(6.0).view(2, 3).T)
    assert "更大" in (folder / "task.json").read_text(encoding="utf-8")
    assert json.loads((folder / "config.json").read_text()) == {"size": 3}
    check_replaceable(folder, "task.json")


@pytest.mark.parametrize(
    ("names", "found"),
    [(["task.json", "thesis.tex"], "thesis.tex"), (["config.json"], "no task.json")],
)
def test_what_is_no_model_of_this_kind_stays(names, found, tmp_path):
    for name in names:
        (tmp_path / name).write_text("{}")
    with pytest.raises(
        CheckpointError, match=rf"holds something that is no judge \({found}\); .* new folder"
    ):
        check_replaceable(tmp_path, "task.json", kind="judge")


def test_new_and_empty_folders_are_free_and_files_are_none(tmp_path):
    check_replaceable(tmp_path, "task.json")
    check_replaceable(tmp_path / "new", "task.json")
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="choose a new folder"):
        check_replaceable(tmp_path / "file", "task.json")


def test_the_folder_we_are_in_is_not_replaced(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match="is where you are"):
        check_replaceable(Path("."), "mark.json")
