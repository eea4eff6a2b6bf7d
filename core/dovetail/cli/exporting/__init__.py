"""Runs as files for other programs."""

from __future__ import annotations

__all__: list[str] = []
