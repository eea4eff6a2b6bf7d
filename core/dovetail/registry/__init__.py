"""The model registry: named models, their versions, and which of them is in use."""

__all__: list[str] = []
