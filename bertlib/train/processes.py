"""Several processes: one accelerator for each trainer, and a model too large for one GPU shared out.

As a rule every process holds the whole model and they only exchange gradients. With :func:`shard_model`
(PyTorch's ``fully_shard``, "FSDP2") each holds its n-th part of the weights, of their gradients and of the
optimiser's averages, and a block is put together when its turn comes. What is learned is the same; so is a
checkpoint: :func:`whole_tensors` puts everything together to be saved, :func:`share_like` cuts it up again.

``accelerate`` has a plug-in for this, but it drops it without a word on CPUs, where all of this is tested.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import Any

import torch
from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from bertlib.errors import ConfigError
from bertlib.model import BertForPreTraining

PATIENCE_FOR_TEXT = timedelta(hours=2)  # others wait so long while the first process prepares the text


def process_state(device: torch.device) -> PartialState:
    """Say who we are among the processes; the first call joins them together.

    ``accelerate`` remembers the first choice for as long as the process lives. In a notebook one wants
    a trainer on the GPU after one on the CPU, so a process that is alone forgets.

    Raises:
        ConfigError: a kind of device on which ``accelerate`` does not train here.
    """
    if device.type == "cuda" and device.index is not None:
        torch.cuda.set_device(device)  # a process that is alone gets the current one
    if PartialState._shared_state:
        state = PartialState()
        if state.num_processes > 1 or state.device.type == device.type:
            return state
        AcceleratorState._reset_state(reset_partial_state=True)
    state = PartialState(cpu=device.type == "cpu", timeout=PATIENCE_FOR_TEXT)
    if state.device.type != device.type:
        raise ConfigError(
            f"device {str(device)!r} was asked for, but training here means {state.device}; try --device "
            f"{state.device.type}"
        )
    return state


def make_accelerator(device: torch.device) -> Accelerator:
    """Return an Accelerator for the CPU or the GPUs, alone or under ``accelerate launch``."""
    process_state(device)
    return Accelerator(mixed_precision="no", cpu=device.type == "cpu")


def shard_model(accelerator: Accelerator, model: nn.Module, blocks: Iterable[nn.Module]) -> bool:
    """Share the weights of a model out among all processes, in place; make the optimiser afterwards.

    Each block is a group, put together for its own forward and backward pass and then taken apart again. All
    other weights are one group that stays together from the first use to the last: so the table of words can
    be the input's and the output's at once.

    Args:
        accelerator: of this process.
        model: on any device; it is moved.
        blocks: the modules that make up most of the model, such as its TransformerBlocks.

    Returns:
        Whether there was anybody to share with. One process alone keeps everything.

    Raises:
        ConfigError: there are no blocks.
    """
    blocks = list(blocks)
    if not blocks:
        raise ConfigError("the model has no blocks to share out; train it without --fsdp")
    if accelerator.num_processes == 1:
        return False
    model.to(accelerator.device)
    mesh = init_device_mesh(accelerator.device.type, (accelerator.num_processes,))
    for block in blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(model, mesh=mesh)
    return True


def is_sharded(model: nn.Module) -> bool:
    """Say whether :func:`shard_model` has shared this model out."""
    return isinstance(model, FSDPModule)


def sync_gradients(accelerator: Accelerator, model: nn.Module, *, last: bool) -> AbstractContextManager[Any]:
    """Let processes exchange gradients only after the last of several backward passes.

    Args:
        accelerator: of this process.
        model: as the trainer calls it.
        last: is this the last one?
    """
    if last:
        return nullcontext()
    return _hold_back(model) if isinstance(model, FSDPModule) else accelerator.no_sync(model)


def whole_tensors(tensors: Mapping[str, Tensor], *, keep: bool = True) -> dict[str, Tensor]:
    """Return tensors as if there were one process only: what was shared out is put together, on the CPU.

    Every process has to call it with the same names in the same order. It goes on tensor by tensor, so a GPU
    never needs room for more than one whole tensor.

    Args:
        tensors: by name; those that are not shared out come back as they are.
        keep: whether this process wants what was put together; else it gets an empty tensor in its place.
    """
    return {name: _whole(value, keep) for name, value in tensors.items()}


def share_like(value: Tensor, pattern: Tensor) -> Tensor:
    """Return a whole tensor shared out as ``pattern`` is, or as it is if ``pattern`` is whole.

    Every process has to call it, with the same value.
    """
    if not isinstance(pattern, DTensor):
        return value
    return distribute_tensor(value.to(pattern.device), pattern.device_mesh, pattern.placements)


def whole_model(model: BertForPreTraining) -> BertForPreTraining:
    """Return a model that works without the other processes: itself, or a copy put together.

    Every process has to call it, and gets one.
    """
    if not is_sharded(model):
        return model
    weights = whole_tensors(model.state_dict())
    copy = BertForPreTraining(model.config)
    copy.load_state_dict(weights)
    return copy.to(next(model.parameters()).device).train(model.training)


def whole_norm(norm: Tensor) -> Tensor:
    """Return a norm over all gradients as an ordinary number, also where each process holds a part of it."""
    return norm.full_tensor() if isinstance(norm, DTensor) else norm


@contextmanager
def _hold_back(model: FSDPModule) -> Any:
    model.set_requires_gradient_sync(False)
    try:
        yield
    finally:
        model.set_requires_gradient_sync(True)


def _whole(value: Tensor, keep: bool) -> Tensor:
    if not isinstance(value, DTensor):
        return value
    whole = value.detach().full_tensor()  # type: ignore[attr-defined]  # all processes take part
    return whole.cpu() if keep else whole.new_empty(0, device="cpu")
