"""Saving beside the training: the tensors are copied at once, a thread brings the copies to the disk.

What training waits for is the copy alone, from memory to memory (on a GPU not even that: it is queued like
any kernel). Writing, hashing and ``fsync`` release Python's lock, so they take the disk's time and not the
step's.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from bertlib.files import sync
from bertlib.train.checkpoint import write_checkpoint


class BackgroundSaver:
    """Writes checkpoints in a thread of its own, one at a time.

    ::

        with BackgroundSaver(folder, keep=2) as saver:
            saver.start(state_tensors(model, optimizer), step=500, settings={})
            ...  # train on
            saver.check()  # raises what went wrong meanwhile
        # here the last one is on the disk, or its error was raised

    Args:
        folder: of the checkpoints; None saves nothing.
        keep: checkpoints that stay.
        diary: a log that has to reach the disk before the checkpoint does.
    """

    def __init__(self, folder: Path | None, *, keep: int, diary: Path | None = None) -> None:
        self.folder, self.keep, self.diary = folder, keep, diary
        self._copies: dict[str, dict[str, Tensor]] = {}  # used again by the next save
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="saving")
        self._pending: Future[Path] | None = None

    def start(self, tensors: Mapping[str, Mapping[str, Tensor]], **state: Any) -> None:
        """Copy ``tensors`` (file, then name) and have them written; wait for the save before, if need be.

        Args:
            tensors: as :func:`~bertlib.train.checkpoint.state_tensors` returns them.
            **state: for :func:`~bertlib.train.checkpoint.write_checkpoint`: the step, the settings ...

        Raises:
            BertlibError: the save before has failed.
        """
        if self.folder is None:
            return
        self.wait()
        copied = self._copy(tensors)
        self._pending = self._thread.submit(self._write, copied, state)

    def check(self) -> None:
        """Raise the error of a save that has failed; do not wait for one that is at work.

        Raises:
            BertlibError: the disk is full or not writable.
        """
        if self._pending is not None and self._pending.done():
            self.wait()

    def wait(self) -> None:
        """Wait until nothing is being saved.

        Raises:
            BertlibError: the disk is full or not writable.
        """
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def __enter__(self) -> BackgroundSaver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for the last save; after another error it is finished too, but that error is the news."""
        with contextlib.suppress(Exception) if error else contextlib.nullcontext():
            self.wait()

    def _copy(self, tensors: Mapping[str, Mapping[str, Tensor]]) -> torch.cuda.Event | None:
        """Copy everything into memory of our own; return what to wait for if a GPU is still copying."""
        gpu = False
        self._copies = {
            file: {name: self._buffer(file, name, tensor) for name, tensor in named.items()}
            for file, named in tensors.items()
        }
        for file, named in tensors.items():
            for name, tensor in named.items():
                self._copies[file][name].copy_(tensor, non_blocking=True)
                gpu = gpu or tensor.is_cuda
        if not gpu:
            return None
        event = torch.cuda.Event()
        event.record()
        return event

    def _buffer(self, file: str, name: str, tensor: Tensor) -> Tensor:
        """Return last time's copy, to be written over, or new memory (pinned, for a GPU to copy to)."""
        old = self._copies.get(file, {}).get(name)
        if old is not None and (old.shape, old.dtype) == (tensor.shape, tensor.dtype):
            return old
        return torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=tensor.is_cuda)

    def _write(self, copied: torch.cuda.Event | None, state: dict[str, Any]) -> Path:
        """Write the copies; runs in the thread."""
        assert self.folder is not None
        if copied is not None:
            copied.synchronize()
        if self.diary is not None and self.diary.exists():
            sync(self.diary)
        return write_checkpoint(self.folder, self._copies, keep=self.keep, **state)
