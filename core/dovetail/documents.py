"""YAML files that people write: read safely, with errors that name file, line and what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dovetail.errors import DovetailError

__all__ = ["dump_yaml", "parse_yaml", "read_yaml", "shown"]

_MAX_BYTES = 16 * 1024 * 1024
_MAX_ALIASES = 100
_MAX_DEPTH = 100
_MAX_VALUES = 100_000
# Python converts numbers of more digits to text only where it is told to.
_MAX_DIGITS = 500
_SHOWN = 80
# What PyYAML raises where a value is not what its tag says it is, such as `!!int ""` or `!!bool maybe`.
_WRONG_VALUES = (
    ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError,
)  # fmt: skip
_UNWRITABLE = frozenset("\x85\u2028\u2029\ufeff")


def read_yaml(path: Path, *, error: type[DovetailError]) -> dict[str, Any]:
    """Read a YAML file that must hold a mapping.

    Only plain data is built, never objects; a key that stands twice is an error, since one of the two would be lost.

    Args:
        path: The file.
        error: The class to raise when something is wrong with it.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(_MAX_BYTES + 1)
    except OSError as failure:
        raise error(f"{path} cannot be read: {failure.strerror or failure}.") from failure
    content = parse_yaml(text, str(path), error=error)
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise error(f"{path}, line 1: expected `key: value` pairs, found {type(content).__name__}.")
    return content


def parse_yaml(text: bytes, name: str, *, error: type[DovetailError]) -> Any:
    """What a YAML document holds, read as ``read_yaml`` reads files.

    Args:
        text: The document.
        name: The word for it in messages.
        error: The class to raise when something is wrong with it.
    """
    import yaml

    if len(text) > _MAX_BYTES:
        raise error(f"{name} is larger than {_MAX_BYTES // 1024 // 1024} MiB.")
    try:
        _check_size(text)
        return _built(text)
    except (yaml.YAMLError, *_WRONG_VALUES) as failure:
        raise error(
            f"{name}{_place(failure)} is not valid YAML: {_reason(failure)}.", hint=_advice(failure, text)
        ) from failure


def shown(value: object) -> str:
    """A value as messages show it: long ones and deep ones are shortened."""
    import reprlib

    shortening = reprlib.Repr()
    shortening.maxstring = shortening.maxother = shortening.maxlong = _SHOWN
    shortening.maxlevel = 3
    text = shortening.repr(value)
    return text if len(text) <= 2 * _SHOWN else f"{text[: 2 * _SHOWN]}…"


def dump_yaml(content: dict[str, Any]) -> str:
    """The mapping as YAML text, keys in the order given."""
    import yaml

    def dumped(*, allow_unicode: bool) -> str:
        text: str = yaml.dump(
            content, Dumper=yaml.SafeDumper, sort_keys=False, allow_unicode=allow_unicode, width=10_000
        )
        return text

    text = dumped(allow_unicode=True)
    # Written as they are, these would be read back as line ends or not at all.
    return dumped(allow_unicode=False) if _UNWRITABLE & set(text) else text


def _check_size(text: bytes) -> None:
    """Refuse what would grow beyond measure when it is built: deep nesting, and aliases of aliases.

    The events are looked at one by one beforehand, since the loader written in C recurses without a limit.
    """
    import yaml

    depth = aliases = values = 0
    event: Any
    for event in yaml.parse(text, Loader=_base()):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        values += isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent))
        if values > _MAX_VALUES:
            raise yaml.composer.ComposerError(None, None, f"more than {_MAX_VALUES} values", event.start_mark)
        if depth > _MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, f"nested more than {_MAX_DEPTH} deep", event.start_mark)
        if aliases > _MAX_ALIASES:
            raise yaml.composer.ComposerError(None, None, f"more than {_MAX_ALIASES} aliases", event.start_mark)


def _built(text: bytes) -> Any:
    loader = _loader()(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        _check_expanded(root)
        return loader.construct_document(root)
    finally:
        loader.dispose()


def _check_expanded(root: Any) -> None:
    """Refuse a few aliases that stand for millions of values: each counts as often as it would be met in a walk."""
    import yaml

    sizes: dict[int, int] = {}
    entered: set[int] = set()
    stack = [root]
    while stack:
        node = stack[-1]
        children = list(_children(node))
        if id(node) not in entered:
            entered.add(id(node))
            _check_number(node)
            if any(id(child) in entered and id(child) not in sizes for child in children):
                raise yaml.composer.ComposerError(None, None, "a value that holds itself", node.start_mark)
            stack += [child for child in children if id(child) not in sizes]
            continue
        stack.pop()
        sizes[id(node)] = 1 + sum(sizes[id(child)] for child in children)
        if sizes[id(node)] > _MAX_VALUES:
            raise yaml.composer.ComposerError(
                None, None, f"aliases that stand for more than {_MAX_VALUES} values", node.start_mark
            )


def _check_number(node: Any) -> None:
    import yaml

    if node.tag == "tag:yaml.org,2002:int" and len(node.value) > _MAX_DIGITS:
        raise yaml.composer.ComposerError(None, None, f"a number of more than {_MAX_DIGITS} digits", node.start_mark)


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node.value, list):
        for each in node.value:
            yield from each if isinstance(each, tuple) else (each,)


def _base() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _loader() -> Any:
    import yaml

    class Loader(_base()):  # type: ignore[misc]
        """A safe loader with one more rule: no key stands twice."""

        def construct_mapping(self, node: Any, deep: bool = False) -> Any:
            seen: set[Any] = set()
            for key_node, _ in node.value:
                if key_node.tag == "tag:yaml.org,2002:merge":
                    continue
                key = self.construct_object(key_node, deep=True)
                if isinstance(key, (list, dict, set)):
                    raise yaml.constructor.ConstructorError(
                        None, None, f"{shown(key)} cannot be a key", key_node.start_mark
                    )
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"key {shown(key)} stands twice", key_node.start_mark
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
    if isinstance(failure, MemoryError):
        return "it needs more memory than there is"
    if isinstance(failure, (AttributeError, LookupError)):
        return "a value is not what its tag says"
    return " ".join(str(getattr(failure, "problem", None) or failure).split()).rstrip(".")


def _advice(failure: Exception, text: bytes) -> str:
    mark = _mark(failure)
    line = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else b""
    if b"\t" in line[: len(line) - len(line.lstrip())]:
        return "Indent with spaces, not tabs."
    return "Expected `key: value` pairs, indented with spaces."
