"""What is looked at on every machine, under the names and in the units that MLflow writes: megabytes of a million."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

__all__ = ["MEGABYTE", "Probe", "machine_probes"]

Probe: TypeAlias = "Callable[[], dict[str, float]]"
"""Looks at a part of the machine, and names what it saw."""
MEGABYTE = 1_000_000


def machine_probes() -> dict[str, Probe]:
    """Probes by what they look at; network traffic counts from now on."""
    psutil.cpu_percent()  # how busy processors are is asked since the last question, so this one begins the time
    return {"processor": _processor, "memory": _memory, "disk": _disk, "network": _Network()}


def _processor() -> dict[str, float]:
    return {"cpu_utilization_percentage": psutil.cpu_percent()}


def _memory() -> dict[str, float]:
    memory = psutil.virtual_memory()
    return {
        "system_memory_usage_megabytes": memory.used / MEGABYTE,
        "system_memory_usage_percentage": memory.used / memory.total * 100,
    }


def _disk() -> dict[str, float]:
    disk = psutil.disk_usage(str(Path(os.sep).absolute()))
    return {
        "disk_usage_percentage": disk.percent,
        "disk_usage_megabytes": disk.used / MEGABYTE,
        "disk_available_megabytes": disk.free / MEGABYTE,
    }


class _Network:
    """Traffic of all interfaces since the probe was made; on a machine without any there is none."""

    def __init__(self) -> None:
        self._received, self._sent = _traffic()

    def __call__(self) -> dict[str, float]:
        received, sent = _traffic()
        return {
            "network_receive_megabytes": (received - self._received) / MEGABYTE,
            "network_transmit_megabytes": (sent - self._sent) / MEGABYTE,
        }


def _traffic() -> tuple[int, int]:
    counters = psutil.net_io_counters()
    return (counters.bytes_recv, counters.bytes_sent) if counters else (0, 0)
