"""Which device to compute on."""

from __future__ import annotations

import torch

from bertlib.errors import ConfigError


def pick_device(name: str) -> torch.device:
    """Return the device called ``name``; "auto" is a GPU where there is one.

    Raises:
        ConfigError: no such device here.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).partition("\n")[0]  # CUDA goes on with advice of its own
        raise ConfigError(f"device {name!r} cannot be used here ({reason}); try --device cpu") from error
    return torch.device(name)
