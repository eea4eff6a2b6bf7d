"""A location that this process chose by a call."""

from __future__ import annotations

import os

from dovetail import settings

__all__ = ["Choice"]


class Choice:
    """A location chosen for this process, and for those it starts: they find it in their environment.

    MLflow's variable is set along with ours only to what MLflow can open itself. It is left alone otherwise: what an
    ``import mlflow`` in the same process or in a child does is not ours to decide.

    Args:
        name: The setting that the choice wins over.

    Attributes:
        uri: The location, the same from any working folder; None while nothing is chosen.
    """

    def __init__(self, name: str) -> None:
        self.uri: str | None = None
        self._setting = settings.SETTINGS[name]
        self._exported: dict[str, tuple[str | None, str]] = {}  # variable -> its former value, and ours

    def make(self, uri: str) -> None:
        """Choose a location."""
        self.drop()
        self.uri = uri
        for variable in self._variables(uri):
            self._exported[variable] = os.environ.get(variable), uri
            os.environ[variable] = uri

    def drop(self) -> None:
        """Choose nothing; variables that nobody else changed meanwhile are as they were before."""
        self.uri = None
        for variable, (former, ours) in self._exported.items():
            if os.environ.get(variable) != ours:
                continue
            if former is None:
                del os.environ[variable]
            else:
                os.environ[variable] = former
        self._exported.clear()

    def _variables(self, uri: str) -> list[str]:
        twin = self._setting.twin
        shared = [twin] if twin and uri.startswith(("http:", "https:")) else []
        return [self._setting.variable, *shared]
