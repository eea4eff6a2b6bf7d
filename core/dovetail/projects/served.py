"""A place served to programs on this machine that speak MLflow's wire alone."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

__all__ = ["Served"]


@dataclass(frozen=True)
class Served:
    """A server of a launch, which lasts as long as somebody holds on to it.

    Args:
        url: Where it listens.
        token: What it asks for.
        keep: Descriptors; the server ends when no process has them open any more.
    """

    url: str
    token: str = field(repr=False)
    keep: tuple[int, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it: whatever was started meanwhile holds on to it by itself."""
        for each in self.keep:
            os.close(each)

    @property
    def variables(self) -> Mapping[str, str]:
        """What MLflow's clients have to find in their environment."""
        return {
            "MLFLOW_TRACKING_URI": self.url,
            "MLFLOW_REGISTRY_URI": self.url,
            "MLFLOW_TRACKING_TOKEN": self.token,
            # Where somebody is named as well, MLflow prefers the password.
            "MLFLOW_TRACKING_USERNAME": "dovetail",
            "MLFLOW_TRACKING_PASSWORD": self.token,
        }
