"""Tracking: experiments, runs and what runs log."""

__all__: list[str] = []
