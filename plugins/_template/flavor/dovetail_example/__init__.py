"""Example models for dovetail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail import hookimpl
from dovetail.errors import InvalidModel
from dovetail.models import Flavor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Echo", "ExampleFlavor"]


class Echo:
    """A model that answers everything with its text; stands for what the library makes.

    Args:
        text: The answer.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def predict(self, data: Any) -> list[str]:
        """The text, once for each row."""
        return [self.text for _ in data]


class ExampleFlavor(Flavor):
    """A text, kept as a file."""

    packages = ("dovetail_example",)
    data = "echo.txt"

    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:  # noqa: ARG002 (there are no options)
        """Write the model into its folder."""
        if not isinstance(model, Echo):
            raise InvalidModel(f"{type(model).__name__} is no Echo.", hint="Give a dovetail_example.Echo.")
        (path / self.data).write_text(model.text, encoding="utf-8")
        return {}

    def load(self, path: Path, conf: Mapping[str, Any]) -> Echo:  # noqa: ARG002 (nothing was noted when saving)
        """Read the model back."""
        return Echo((path / self.data).read_text(encoding="utf-8"))


@hookimpl
def dovetail_flavors() -> Mapping[str, Callable[[], Flavor]]:
    """What this plugin offers."""
    return {"example": ExampleFlavor}
