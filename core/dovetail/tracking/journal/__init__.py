"""The journal: what a process logged, kept in files until the store has it."""

from __future__ import annotations

__all__: list[str] = []
