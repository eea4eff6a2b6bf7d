"""Marks for what is well and what is not, where the terminal's encoding has them."""

from __future__ import annotations

from dovetail.cli import output

__all__ = ["bad", "good"]


def good() -> str:
    """What is well."""
    return output.styled("✓" if output.drawable("✓") else "ok", fg="green")


def bad() -> str:
    """What is not."""
    return output.styled("✗" if output.drawable("✗") else "FAILED", fg="red")
