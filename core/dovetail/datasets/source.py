"""The seam that sources of datasets fit into."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from dovetail.errors import InvalidInput
from dovetail.values.dataset import MAX_SOURCE

if TYPE_CHECKING:
    import os

    from typing_extensions import Self

__all__ = ["DatasetSource"]


class DatasetSource(ABC):
    """Where data came from, told well enough to fetch it again.

    A complete source is one class, handed out under its type by the hook ``dovetail_dataset_sources``::

        class WarehouseSource(DatasetSource):
            source_type = "warehouse"

            def __init__(self, table):
                self.table = table

            def load(self, dst_path=None): ...

            def to_dict(self):
                return {"table": self.table}

            @classmethod
            def from_dict(cls, source_dict):
                return cls(cls.text_in(source_dict, "table"))

            @classmethod
            def can_resolve(cls, raw_source):
                return isinstance(raw_source, str) and raw_source.startswith("warehouse://")

            @classmethod
            def resolve(cls, raw_source):
                return cls(raw_source.removeprefix("warehouse://"))

    Guarantees every source gives, and ``dovetail.testing.DatasetSourceSuite`` checks:

    * **Making one fetches nothing.** Only ``load`` goes to where the data is.
    * **It is what it writes.** ``from_dict`` makes of ``to_dict`` a source that writes the same and loads the same.
    * **What is written may be hostile.** It comes out of stores that others write to. ``from_dict`` raises
      ``InvalidInput`` for whatever it has not written itself, and ``load`` writes nothing outside its destination.
    * **Others' locations are left alone.** ``can_resolve`` answers False for whatever is not clearly this source's,
      looks at nothing but its argument, and never raises.
    """

    @property
    @abstractmethod
    def source_type(self) -> str:
        """The word that is stored beside the source and leads back to its class, at most 36 characters."""

    @abstractmethod
    def load(self, dst_path: str | os.PathLike[str] | None = None) -> Any:
        """Fetch the data.

        Args:
            dst_path: The folder to put it into, made if absent; by default data on this machine stays where it is,
                and other goes to a new temporary folder, which is the caller's to remove.

        Returns:
            The path of the file or folder; a source of data that is no file gives the object its library makes.

        Raises:
            NotFound: There is no such data.
            StoreError: It cannot be reached, or not be written.
        """

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """What ``from_dict`` makes the same source of; plain enough for JSON."""

    @classmethod
    @abstractmethod
    def from_dict(cls, source_dict: dict[str, Any]) -> Self:
        """The source that a dictionary describes.

        Raises:
            InvalidInput: It describes none of this type.
        """

    @classmethod
    def can_resolve(cls, raw_source: Any) -> bool:
        """Whether ``resolve`` makes a source of this: a path, a URI, or an object of the library it belongs to."""
        del raw_source
        return False

    @classmethod
    def resolve(cls, raw_source: Any) -> DatasetSource:
        """The source that something names for which ``can_resolve`` says yes.

        Raises:
            InvalidInput: It names none of this type.
        """
        del raw_source
        raise InvalidInput(f"A {cls.__name__} is not made from a location.", hint="Call its constructor.")

    def to_json(self) -> str:
        """``to_dict`` as it is stored."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, source_json: str) -> Self:
        """The source that a stored text describes.

        Raises:
            InvalidInput: It is too long or no JSON, or describes no source of this type.
        """
        return cls.from_dict(_object(source_json, cls.__name__))

    @classmethod
    def text_in(cls, source_dict: dict[str, Any], key: str) -> str:
        """The text under a key of what was stored.

        Raises:
            InvalidInput: There is none.
        """
        found = source_dict.get(key) if isinstance(source_dict, dict) else None
        if not isinstance(found, str) or not found.strip():
            raise InvalidInput(f"What is stored of a {cls.__name__} has no text under {key!r}.")
        return found

    def _get_source_type(self) -> str:
        """``source_type``, as scripts written for MLflow ask for it."""
        return self.source_type


def _object(text: object, name: str) -> dict[str, Any]:
    if not isinstance(text, str) or len(text) > MAX_SOURCE:
        raise InvalidInput(f"What is stored of a {name} is no text of at most {MAX_SOURCE} characters.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"What is stored of a {name} is no JSON: {error}.") from error
    if not isinstance(found, dict):
        raise InvalidInput(f"What is stored of a {name} is JSON, but no object.")
    return found
