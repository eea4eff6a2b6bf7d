"""What a store refused of what this process logged, for those who wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dovetail.errors import DovetailError
    from dovetail.values import Batch

__all__ = ["Refusals"]

_Thing: TypeAlias = "tuple[str, str, str, str]"
"""A run, whether it is a metric, a param or a tag, its key, and a param's value: another value may be fine."""


class _Refusal(NamedTuple):
    """The latest one of a thing.

    Args:
        number: How much was refused until then, this included.
        kind: The class of the error.
        message: Its message.
        hint: Its hint.
    """

    number: int
    kind: type[DovetailError]
    message: str
    hint: str | None

    def error(self) -> DovetailError:
        # A new one: an error that was raised keeps alive all that was at hand there.
        return self.kind(self.message, hint=self.hint)


class Refusals:
    """Remembers of each thing how it was refused last; any thread may ask."""

    def __init__(self) -> None:
        self.count = 0
        """How much was refused so far."""
        self._found: dict[_Thing, _Refusal] = {}
        self._untold: _Refusal | None = None

    def add(self, run_id: str, what: Batch | None, error: DovetailError) -> None:
        """Note that something was refused; None for the end of the run."""
        found = _Refusal(self.count + 1, type(error), error.message, error.hint)
        for thing in _things(run_id, what) if what is not None else ():
            self._found[thing] = found
        self._untold = self._untold or found
        self.count += 1

    def require_none(self, since: int, run_id: str, batch: Batch) -> None:
        """Raise how something of a batch was refused, if it was.

        Args:
            since: What ``count`` was before it was logged.
            run_id: The run.
            batch: What was logged.

        Raises:
            DovetailError: The refusal.
        """
        if self.count <= since:
            return
        for thing in _things(run_id, batch):
            found = self._found.get(thing)
            if found is not None and found.number > since:
                if found is self._untold:
                    self._untold = None
                raise found.error()

    def tell(self) -> None:
        """Raise the first refusal that nobody was told of, and let the others since be.

        Raises:
            DovetailError: The refusal.
        """
        found, self._untold = self._untold, None
        if found is not None:
            raise found.error()


def _things(run_id: str, batch: Batch) -> Iterator[_Thing]:
    for key in (*(each.key for each in batch.metrics), *(each.key for each in batch.columns)):
        yield run_id, "metric", key, ""
    for param in batch.params:
        yield run_id, "param", param.key, param.value
    for tag in batch.tags:
        yield run_id, "tag", tag.key, ""
