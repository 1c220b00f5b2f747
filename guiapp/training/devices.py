"""Which device a run uses."""

import torch

from guiapp.core.notices import SettingError


def choose(name: str = "auto") -> torch.device:
    """The device called ``name``: ``"auto"`` takes CUDA, else MPS, else the CPU.

    Raises:
        SettingError: If the device is not on this machine, or the name is unknown.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda", torch.cuda.current_device())
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    kind = name.partition(":")[0]
    if kind == "cpu":
        return torch.device("cpu")
    if kind == "cuda":
        if not torch.cuda.is_available():
            raise SettingError(
                "no CUDA device was found here; use device auto or cpu, or check the driver with nvidia-smi"
            )
        wanted = torch.device(name) if ":" in name else torch.device("cuda", torch.cuda.current_device())
        if (wanted.index or 0) >= torch.cuda.device_count():
            raise SettingError(f"there is no {name}: this machine has {torch.cuda.device_count()} CUDA device(s)")
        return wanted
    if kind == "mps":
        if not torch.backends.mps.is_available():
            raise SettingError("Apple's GPU (mps) was not found here; use device auto or cpu")
        return torch.device("mps")
    raise SettingError(f"device is one of auto, cpu, cuda, mps, not {name!r}")


def describe(device: torch.device) -> str:
    """What a person calls the device, such as ``"NVIDIA H200"`` or ``"CPU"``."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return {"mps": "Apple GPU"}.get(device.type, device.type.upper())
