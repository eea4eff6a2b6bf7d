"""The ids that a server gave to what had one already: MLflow's servers make their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from dovetail.errors import AlreadyExists, NotFound

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["TAG", "Ids"]

Result = TypeVar("Result")

TAG = "dovetail.id"
"""The tag at the server that keeps the id which a client had made; nobody sees it among the tags."""


class Ids:
    """Runs, or logged models, by the ids that clients made for them.

    The tag ``dovetail.id`` at the server keeps them, so that whoever made an id finds by it again what came of it: a
    synchronization that goes on, or a run that is started by its key on another machine.

    Args:
        noun: What they are called in messages.
        find: Looks for the tag at the server; None where nothing has it.
    """

    def __init__(self, noun: str, find: Callable[[str], str | None]) -> None:
        self._noun, self._find = noun, find
        self._given: dict[str, str] = {}

    def note(self, made: str, given: str) -> None:
        """Remember which id the server gave to what a client had made one for."""
        self._given[made] = given

    def known(self, any_id: str) -> str:
        """The server's id, as far as that can be told without asking."""
        return self._given.get(any_id, any_id)

    def find(self, made: str) -> str | None:
        """The server's id of what a client had made this one for; None if there is no such thing."""
        if made not in self._given and (found := self._find(made)) is not None:
            self._given[made] = found
        return self._given.get(made)

    def asking(self, any_id: str, ask: Callable[[str], Result]) -> Result:
        """What the server answers about a thing, whosever id it is.

        Args:
            any_id: The server's id, or one that a client made.
            ask: Asks by the server's id.

        Raises:
            NotFound: There is nothing by that id, or what else was asked for is not there.
        """
        try:
            return ask(self.known(any_id))
        except NotFound:
            if any_id in self._given or (found := self.find(any_id)) is None:
                raise
        return ask(found)

    def require_free(self, made: str) -> None:
        """See to it that nothing has an id yet; between this and making it somebody else may.

        Raises:
            AlreadyExists: Something has.
        """
        if self.find(made) is not None:
            raise AlreadyExists(f"There is a {self._noun} {made!r} already.")
