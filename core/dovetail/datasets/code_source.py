"""Data of which only the code that made it is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail.datasets.source import DatasetSource
from dovetail.errors import InvalidInput
from dovetail.tracking.source import source_tags

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from typing_extensions import Self

__all__ = ["CodeDatasetSource"]


class CodeDatasetSource(DatasetSource):
    """The code that data was made by: what a dataset has when nothing else is said about its source.

    Args:
        tags: What is known of the code, as the tags of runs: user, file, commit.

    Raises:
        InvalidInput: They are no texts by names.
    """

    source_type = "code"

    def __init__(self, tags: Mapping[str, str] | None = None) -> None:
        given: Any = {} if tags is None else tags
        if not hasattr(given, "items") or not all(isinstance(word, str) for pair in given.items() for word in pair):
            raise InvalidInput("The tags of a source of code must be texts by names.")
        self.tags: dict[str, str] = dict(given)

    @classmethod
    def here(cls) -> Self:
        """The code that is running."""
        return cls(source_tags())

    def load(self, dst_path: str | os.PathLike[str] | None = None) -> Any:
        """Code is not run by loading data.

        Raises:
            InvalidInput: Always; it names the code.
        """
        del dst_path
        name = self.tags.get("mlflow.source.name", "code that is not known")
        commit = self.tags.get("mlflow.source.git.commit")
        raise InvalidInput(
            f"This data has no location: it was made by {name}{f' at the commit {commit}' if commit else ''}.",
            hint="Run that code again. Where data has a location, give it as `source` when the dataset is made.",
        )

    def to_dict(self) -> dict[str, Any]:
        """The tags."""
        return {"tags": dict(self.tags)}

    @classmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        """The code that tags tell of.

        Raises:
            InvalidInput: There are no tags in it.
        """
        if not isinstance(source_dict, dict) or "tags" not in source_dict:
            raise InvalidInput(f"What is stored of a {cls.__name__} has no tags.")
        return cls(source_dict["tags"])
