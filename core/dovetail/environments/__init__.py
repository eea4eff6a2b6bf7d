"""Environments that projects and models run in."""

__all__: list[str] = []
