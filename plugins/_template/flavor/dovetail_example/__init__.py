"""Example models for dovetail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dovetail import hookimpl
from dovetail.models.flavor import Flavor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["ExampleFlavor"]


class ExampleFlavor(Flavor):
    """Any model of the example library, kept with pickle; write the library's own format here if it has one."""

    packages = ("example",)
    data = "model.pkl"
    loader_module = "dovetail.example"

    def save(self, model: Any, path: Path, options: Any) -> Mapping[str, Any]:  # noqa: ARG002 (there are no options)
        """Write the model into its folder."""
        import pickle

        (path / self.data).write_bytes(pickle.dumps(model))
        return {}

    def load(self, path: Path, conf: Mapping[str, Any]) -> Any:  # noqa: ARG002 (nothing was noted when saving)
        """Read the model back."""
        import pickle

        return pickle.loads((path / self.data).read_bytes())  # noqa: S301 (dovetail asks for trust before it loads)


@hookimpl
def dovetail_flavors() -> Mapping[str, Callable[[], Flavor]]:
    """What this plugin offers."""
    return {"example": ExampleFlavor}
