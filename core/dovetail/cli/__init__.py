"""The command line: one module a command group; ``main`` starts it."""

__all__: list[str] = []
