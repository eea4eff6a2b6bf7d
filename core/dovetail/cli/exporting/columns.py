"""The columns of exported runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from dovetail.tracking.filters import parse_columns

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["TIMES", "Keys", "OutColumn", "Wish"]

TIMES = ("start_time", "end_time")
"""Columns that hold milliseconds since 1970, UTC."""

_FIXED = ("run_id", "experiment_id", "status", "artifact_uri", *TIMES)
_FAMILIES = {"metric": "metrics", "param": "params", "tag": "tags"}


class OutColumn(NamedTuple):
    """One column: where its values come from, and its heading.

    Args:
        family: ``info``, ``metrics``, ``params`` or ``tags``.
        key: The key there.
    """

    family: str
    key: str

    @property
    def heading(self) -> str:
        """What stands above the values."""
        return self.key if self.family == "info" else f"{self.family}.{self.key}"

    def value(self, content: Mapping[str, Mapping[str, Any]]) -> Any:
        """The value of a run, None if it has none."""
        return content[self.family].get(self.key)


class Keys:
    """The keys that runs have, collected as they go by."""

    def __init__(self) -> None:
        self._keys: dict[str, set[str]] = {family: set() for family in _FAMILIES.values()}

    def note(self, content: Mapping[str, Mapping[str, Any]]) -> None:
        """Take note of the keys of one run."""
        for family, known in self._keys.items():
            known.update(content[family])

    def of(self, family: str) -> list[OutColumn]:
        """A column for each key of a family."""
        return [OutColumn(family, key) for key in sorted(self._keys[family])]


class Wish:
    """The columns that somebody asked for; by default the metadata that matters, and every key.

    Args:
        names: Columns as ``filters.parse_columns`` reads them; None for the default.

    Raises:
        InvalidFilter: One is no column of runs.
    """

    def __init__(self, names: Sequence[str] | None) -> None:
        every: Iterable[tuple[str, str | None]] = [(family, None) for family in _FAMILIES.values()]
        fixed: Iterable[tuple[str, str | None]] = [("info", key) for key in _FIXED]
        self._wanted = [*fixed, *every] if names is None else [
            (_FAMILIES.get(column.kind, "info"), column.key) for column in parse_columns(names)
        ]  # fmt: skip

    @property
    def open(self) -> bool:
        """Whether only the runs tell which columns there are."""
        return any(key is None for _, key in self._wanted)

    def columns(self, keys: Keys) -> list[OutColumn]:
        """The columns, each once."""
        found: dict[OutColumn, None] = {}
        for family, key in self._wanted:
            found.update(dict.fromkeys(keys.of(family) if key is None else [OutColumn(family, key)]))
        return list(found)
