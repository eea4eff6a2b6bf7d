"""Model folders that somebody has changed to get at something, and how they must be taken."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dovetail.documents import dump_yaml, read_yaml
from dovetail.errors import DovetailError, InvalidModel
from dovetail.models.manifest import FILE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["Trap", "content_of", "rewrite", "tolerating", "with_other_paths"]


class Trap:
    """Whoever unpickles it leaves a trace.

    Args:
        trace: The file that appears.
    """

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.trace,)


def content_of(folder: Path) -> dict[str, Any]:
    """What a model's ``MLmodel`` says, as somebody would take it to write something else."""
    content = read_yaml(folder / FILE, error=InvalidModel)
    content.pop("digests", None)  # whoever changes MLmodel leaves them out
    return content


def rewrite(folder: Path, content: Mapping[str, Any]) -> None:
    """Write another ``MLmodel``."""
    (folder / FILE).write_text(dump_yaml(dict(content)), encoding="utf-8")


def with_other_paths(content: Mapping[str, Any], folder: Path, place: str) -> list[dict[str, Any]]:
    """The content with the path in place of each text that names a file of the model, one at a time and all at once."""
    named = [
        (key, name)
        for key, conf in content["flavors"].items()
        for name, value in conf.items()
        if isinstance(value, str) and (folder / value).exists()
    ]
    return [_with_paths(content, [one], place) for one in named] + [_with_paths(content, named, place)]


def _with_paths(content: Mapping[str, Any], named: Sequence[tuple[str, str]], place: str) -> dict[str, Any]:
    flavors = {key: dict(conf) for key, conf in content["flavors"].items()}
    for key, name in named:
        flavors[key][name] = place
    return {**content, "flavors": flavors}


def tolerating(load: Callable[[Any], Any], folder: Path) -> None:
    """Load, or be refused in dovetail's own words; being warned is nothing special here."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            load(folder)
    except DovetailError as error:
        assert str(error), "an error must say something"  # noqa: PT017 - being refused is one of the two right answers
