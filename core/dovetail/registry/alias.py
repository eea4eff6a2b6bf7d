"""An alias as a value of its own, as MLflow's code hands it around."""

from __future__ import annotations

from dataclasses import dataclass

from dovetail.values.registry import check_alias, check_version
from dovetail.values.value import Value

__all__ = ["RegisteredModelAlias"]


@dataclass(frozen=True, repr=False)
class RegisteredModelAlias(Value):
    """An alias of a registered model, and where it points.

    Args:
        alias: Its name.
        version: The number of the version it points at.

    Raises:
        InvalidName: That is no alias.
        InvalidInput: That is no version.
    """

    alias: str
    version: int

    def __post_init__(self) -> None:
        check_alias(self.alias)
        self.__dict__["version"] = check_version(self.version)
