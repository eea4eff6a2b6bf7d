"""A third-party flavor as its authors would write it: straight lines, kept as JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dovetail import hookimpl
from dovetail.errors import InvalidModel
from dovetail.models.flavor import Flavor

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Line:
    """What the library makes."""

    def __init__(self, slope: float, offset: float = 0.0) -> None:
        self.slope, self.offset = slope, offset

    def predict(self, data: Any) -> Any:
        return [self.slope * value + self.offset for value in data]


@dataclass(frozen=True)
class LineOptions:
    digits: int = 6


class LineFlavor(Flavor):
    argument = "line"
    options = LineOptions
    data = "line.json"

    def save(self, model: Any, path: Path, options: LineOptions | None) -> Mapping[str, Any]:
        if not isinstance(model, Line):
            raise InvalidModel(f"A {type(model).__name__} is no line.")
        digits = (options or LineOptions()).digits
        (path / self.data).write_text(json.dumps([round(model.slope, digits), round(model.offset, digits)]))
        return {"digits": digits}

    def load(self, path: Path, conf: Mapping[str, Any]) -> Line:
        return Line(*json.loads((path / self.data).read_text()))


@hookimpl
def dovetail_flavors() -> Mapping[str, Any]:
    return {"lines": LineFlavor}
