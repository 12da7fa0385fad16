"""One accelerator for each trainer, whatever trainers there were before in this process."""

from __future__ import annotations

import torch
from accelerate import Accelerator, PartialState
from accelerate.state import AcceleratorState


def make_accelerator(device: torch.device) -> Accelerator:
    """Return an Accelerator for the CPU or the GPUs, alone or under ``accelerate launch``.

    ``accelerate`` remembers the first choice for as long as the process lives. In a notebook one wants
    a trainer on the GPU after one on the CPU, so a process that is alone forgets.
    """
    on_cpu = device.type == "cpu"
    state = PartialState(cpu=on_cpu) if not PartialState._shared_state else PartialState()
    if state.num_processes == 1 and state.device.type != device.type:
        AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(mixed_precision="no", cpu=on_cpu)
