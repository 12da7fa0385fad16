"""Writing: what is replaced, who may read it, and what is said when it fails."""

import errno
import os

import pytest
import torch
from safetensors.torch import save_file

from bertlib import files
from bertlib.errors import BertlibError
from bertlib.files import check_writable, disk_error, new_file, new_folder


@pytest.fixture
def umask():
    """Set the umask for one test."""
    before = os.umask(0)
    yield os.umask
    os.umask(before)


@pytest.mark.skipif(os.name == "nt", reason="no such rights there")
@pytest.mark.parametrize("mask", [0o022, 0o027, 0o002])
def test_others_may_read_what_a_normal_open_would_let_them(umask, tmp_path, mask):
    umask(mask)
    (tmp_path / "normal").write_text("")
    expected = (tmp_path / "normal").stat().st_mode
    with new_folder(tmp_path / "folder") as folder:
        save_file({"w": torch.zeros(2)}, folder / "model.safetensors")
        (folder / "config.json").write_text("{}")
        (folder / "inside").mkdir()
    with new_file(tmp_path / "file") as file:
        save_file({"w": torch.zeros(2)}, file)
    inside = tmp_path / "folder"
    assert (inside / "model.safetensors").stat().st_mode == expected
    assert (inside / "config.json").stat().st_mode == expected
    assert (tmp_path / "file").stat().st_mode == expected
    assert (inside / "inside").stat().st_mode == inside.stat().st_mode


def test_nothing_is_left_of_a_check(tmp_path):
    check_writable(tmp_path / "new" / "folders" / "run")
    check_writable(tmp_path / "predictions.jsonl", file=True)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_is_refused_with_the_reason(tmp_path, monkeypatch):
    def refused(path, **options):
        with pytest.raises(BertlibError, match=f"^could not write {path}: ") as caught:
            check_writable(path, **options)
        return str(caught.value)

    (tmp_path / "note").write_text("")
    assert "Not a directory" in refused(tmp_path / "note" / "run")
    assert "does not lie below a file" in refused(tmp_path / "note" / "deep" / "run")
    assert "it is a folder" in refused(tmp_path, file=True)
    assert "make the folder first" in refused(tmp_path / "nowhere" / "p.jsonl", file=True)

    def forbidden(**options):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(files, "TemporaryDirectory", forbidden)
    assert "choose a folder that you may write to" in refused(tmp_path / "run")


@pytest.mark.parametrize(
    ("error", "advice"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "free some space"),
        (OSError("Error while serializing: No space left on device (os error 28)"), "free some space"),
        (OSError(errno.EROFS, "Read-only file system"), "choose a folder that you may write to"),
        (OSError(errno.EIO, "Input/output error"), "choose another folder"),
    ],
)
def test_advice_suits_the_error(tmp_path, error, advice):
    message = str(disk_error(tmp_path, error))
    assert advice in message
    assert ("free some space" in message) == ("No space" in message)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.EIO, "Input/output error")])
def test_a_folder_that_could_not_be_replaced_comes_back(tmp_path, monkeypatch, error):
    path, real, count = tmp_path / "run", os.rename, [0]
    path.mkdir()
    (path / "old").write_text("")

    def rename(source, target):
        count[0] += 1
        if count[0] == 2:
            raise error
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)
    with pytest.raises((KeyboardInterrupt, BertlibError)), new_folder(path) as new:
        (new / "new").write_text("")
    assert [entry.name for entry in tmp_path.iterdir()] == ["run"]
    assert [entry.name for entry in path.iterdir()] == ["old"]


def test_the_folder_behind_a_link_is_replaced_and_the_link_stays(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    (real / "old").touch()
    link.symlink_to(real, target_is_directory=True)
    with new_folder(link) as folder:
        (folder / "new").touch()
    assert link.is_symlink()
    assert [file.name for file in real.iterdir()] == ["new"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "real"]
