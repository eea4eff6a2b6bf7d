"""YAML files that people write: read safely, with errors that name file, line and what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from dovetail.errors import DovetailError

__all__ = ["dump_yaml", "read_yaml"]

_MAX_BYTES = 16 * 1024 * 1024
_MAX_ALIASES = 100


def read_yaml(path: Path, *, error: type[DovetailError]) -> dict[str, Any]:
    """Read a YAML file that must hold a mapping.

    Only plain data is built, never objects; a key that stands twice is an error, since one of the two would be lost.

    Args:
        path: The file.
        error: The class to raise when something is wrong with it.
    """
    import yaml

    try:
        with path.open("rb") as stream:
            text = stream.read(_MAX_BYTES + 1)
    except OSError as failure:
        raise error(f"{path} cannot be read: {failure.strerror or failure}.") from failure
    if len(text) > _MAX_BYTES:
        raise error(f"{path} is larger than {_MAX_BYTES // 1024 // 1024} MiB.")
    try:
        content = yaml.load(text, Loader=_loader())  # noqa: S506 - a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as failure:
        raise error(
            f"{path}{_place(failure)} is not valid YAML: {_reason(failure)}.", hint=_advice(failure)
        ) from failure
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise error(f"{path}, line 1: expected `key: value` pairs, found {type(content).__name__}.")
    return content


def dump_yaml(content: dict[str, Any]) -> str:
    """The mapping as YAML text, keys in the order given."""
    import yaml

    text: str = yaml.dump(content, Dumper=yaml.SafeDumper, sort_keys=False, allow_unicode=True, width=10_000)
    return text


def _loader() -> Any:
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    class Loader(base):  # type: ignore[misc, valid-type]
        """A safe loader with two more rules: no doubled keys, and only so many aliases."""

        aliases = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.events.AliasEvent):
                self.aliases += 1
                if self.aliases > _MAX_ALIASES:
                    mark = self.peek_event().start_mark
                    raise yaml.composer.ComposerError(None, None, f"more than {_MAX_ALIASES} aliases", mark)
            return super().compose_node(parent, index)

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[Any] = set()
            for key_node, _ in node.value:
                if key_node.tag == "tag:yaml.org,2002:merge":
                    continue
                key = self.construct_object(key_node, deep=True)
                if isinstance(key, (list, dict)) or key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {key!r} stands twice", key_node.start_mark
                    )
                seen.add(key)
            return super().construct_mapping(node, deep)

    return Loader


def _mark(failure: Exception) -> Any:
    return getattr(failure, "problem_mark", None) or getattr(failure, "context_mark", None)


def _place(failure: Exception) -> str:
    mark = _mark(failure)
    return f", line {mark.line + 1}, column {mark.column + 1}," if mark else ""


def _reason(failure: Exception) -> str:
    return str(getattr(failure, "problem", None) or failure).strip().rstrip(".")


def _advice(failure: Exception) -> str:
    if "\\t" in repr(_reason(failure)) or "tab" in _reason(failure):
        return "Indent with spaces, not tabs."
    return "Expected `key: value` pairs, indented with spaces."
