"""The machine a run took place on, in one line: figures mean little without it."""

from __future__ import annotations

import os
import platform
import sqlite3
from datetime import datetime, timezone

__all__ = ["describe"]


def describe() -> dict[str, str]:
    """Time, cores, load, system and versions as they are now."""
    load = "/".join(f"{value:.1f}" for value in os.getloadavg()) if hasattr(os, "getloadavg") else "unknown"
    return {
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "cores": str(os.cpu_count()),
        "load": load,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.machine()}",
    }
