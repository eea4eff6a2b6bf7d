"""GPUs, as NVIDIA's management library sees them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from dovetail_system_metrics.probes import MEGABYTE

if TYPE_CHECKING:
    from contextlib import ExitStack

    from dovetail_system_metrics.probes import Probe

__all__ = ["gpu_probes"]


def gpu_probes(opened: ExitStack) -> dict[str, Probe]:
    """A probe for each GPU; none without the package ``nvidia-ml-py``, NVIDIA's driver, or a GPU.

    Args:
        opened: What closes the library again.
    """
    try:
        import pynvml as nvml  # the module of nvidia-ml-py
    except ImportError:
        return {}
    try:
        nvml.nvmlInit()
        opened.callback(nvml.nvmlShutdown)
        handles = [nvml.nvmlDeviceGetHandleByIndex(number) for number in range(nvml.nvmlDeviceGetCount())]
    except nvml.NVMLError:
        return {}  # no driver on this machine, or no right to use it
    return {f"GPU {number}": _probe(nvml, number, handle) for number, handle in enumerate(handles)}


def _probe(nvml: Any, number: int, handle: Any) -> Probe:
    def look() -> dict[str, float]:
        seen: dict[str, float] = {}
        for question in (_utilization, _memory, _power):
            with suppress(nvml.NVMLError_NotSupported):  # not every GPU answers every question
                seen.update(question(nvml, handle))
        return {f"gpu_{number}_{key}": value for key, value in seen.items()}

    return look


def _utilization(nvml: Any, handle: Any) -> dict[str, float]:
    return {"utilization_percentage": nvml.nvmlDeviceGetUtilizationRates(handle).gpu}


def _memory(nvml: Any, handle: Any) -> dict[str, float]:
    memory = nvml.nvmlDeviceGetMemoryInfo(handle)
    return {
        "memory_usage_percentage": memory.used / memory.total * 100,
        "memory_usage_megabytes": memory.used / MEGABYTE,
    }


def _power(nvml: Any, handle: Any) -> dict[str, float]:
    used = nvml.nvmlDeviceGetPowerUsage(handle)  # milliwatts
    allowed = nvml.nvmlDeviceGetEnforcedPowerLimit(handle)
    return {"power_usage_watts": used / 1000, "power_usage_percentage": used / allowed * 100}
