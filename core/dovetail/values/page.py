"""A page of search results."""

from __future__ import annotations

from typing import Generic, TypeVar, cast

from dovetail.documents import shown
from dovetail.errors import InvalidInput

__all__ = ["Page", "check_limit"]

Item = TypeVar("Item")


class Page(list[Item], Generic[Item]):
    """A list of results with the token of the page behind it.

    Attributes:
        token: Opaque text to pass as ``page_token`` for the next page; None on the last one.
    """

    def __init__(self, items: list[Item], token: str | None = None) -> None:
        super().__init__(items)
        self.token = token

    def to_list(self) -> list[Item]:
        """The items as a plain list."""
        return list(self)

    def __repr__(self) -> str:
        """The first results, and how many more there are."""
        from dovetail.values.summary import shown

        more = "" if self.token is None else f", token={shown(self.token)}"
        return f"{type(self).__name__}({shown(list(self))}{more})"

    def _repr_html_(self) -> str | None:
        """What notebooks show of runs and experiments; None, for the one line, of anything else."""
        from dovetail.values.experiment import Experiment
        from dovetail.values.notebook import experiments_html, runs_html
        from dovetail.values.run import Run

        if self and all(isinstance(each, Run) for each in self):
            return runs_html(cast("Page[Run]", self))
        if self and all(isinstance(each, Experiment) for each in self):
            return experiments_html(cast("Page[Experiment]", self))
        return None


def check_limit(max_results: int, most: int) -> int:
    """Return the size of a page, if it is a whole number from 1 to the most there may be.

    Raises:
        InvalidInput: It is not.
    """
    if type(max_results) is not int or not 1 <= max_results <= most:
        raise InvalidInput(f"max_results is {shown(max_results)}; it must be a whole number from 1 to {most}.")
    return max_results
