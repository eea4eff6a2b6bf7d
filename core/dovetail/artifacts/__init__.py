"""Artifacts: the files that runs leave behind."""

__all__: list[str] = []
