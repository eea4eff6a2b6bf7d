"""A change to requirements, and what becomes of the files that say them; order and comments stay."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dovetail.documents import dump_yaml
from dovetail.environments.spec import requirement_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dovetail.models.requirement import Requirement

__all__ = ["Amendment"]

_COMMENT = re.compile(r"(?:^|\s)#")


@dataclass(frozen=True)
class Amendment:
    """Requirements to add, each in the place of those for the same distribution, and distributions to take out.

    Args:
        add: What is added.
        remove: Normalised names of distributions.
    """

    add: tuple[Requirement, ...] = ()
    remove: frozenset[str] = frozenset()

    @property
    def names(self) -> frozenset[str]:
        """All distributions that it is about."""
        return self.remove | {each.name for each in self.add}

    def without_adding(self) -> Amendment:
        """Takes out whatever this one replaces, and adds nothing."""
        return Amendment(remove=self.names)

    def of_list(self, lines: Sequence[str]) -> list[str]:
        """The requirement lines afterwards."""
        placed, tail = self._placed([requirement_name(line) for line in lines])
        kept = [[line] if new is None else new for line, new in zip(lines, placed, strict=True)]
        return [line for each in [*kept, tail] for line in each]

    def of_requirements(self, text: str) -> str:
        """The text of a requirements file afterwards."""
        ending = "\r\n" if "\r\n" in text else "\n"
        logical = _logical_lines(text)
        placed, tail = self._placed([requirement_name(_content(line)) for line in logical])
        done = [
            line if new is None else _replaced(line, new, ending) for line, new in zip(logical, placed, strict=True)
        ]
        before = "".join(done)
        between = ending if tail and before and not before.endswith("\n") else ""
        return before + between + "".join(f"{line}{ending}" for line in tail)

    def of_yaml(self, text: str, content: dict[str, Any], *keys: str) -> str:
        """The text of a YAML file afterwards.

        Args:
            text: The file.
            content: What it says.
            keys: Where the list of requirements stands: a key of a mapping, then that of a mapping in its list.
        """
        wanted = copy.deepcopy(content)
        lines = _list_at(wanted, keys)
        lines[:] = self._of_mixed(lines)
        if wanted == content:
            return text
        edited = self._edited(text, keys)
        # Where the text is written in another way than usual, what it says matters more than how.
        return edited if edited is not None and _says(edited, wanted) else dump_yaml(wanted)

    def _placed(self, names: Sequence[str]) -> tuple[list[list[str] | None], list[str]]:
        """For each line by its name: None to keep it, or what takes its place; and what comes behind them all."""
        seen: set[str] = set()
        placed: list[list[str] | None] = []
        for name in names:
            if not name or name not in self.names:
                placed.append(None)
                continue
            placed.append([] if name in seen else self._lines_for(name))
            seen.add(name)
        return placed, [each.line for each in self.add if each.name not in seen]

    def _lines_for(self, name: str) -> list[str]:
        return [each.line for each in self.add if each.name == name]

    def _of_mixed(self, items: Sequence[Any]) -> list[Any]:
        """As ``of_list``, for lists that hold something else than texts too."""
        placed, tail = self._placed([requirement_name(each) if isinstance(each, str) else "" for each in items])
        kept = [[item] if new is None else new for item, new in zip(items, placed, strict=True)]
        return [item for each in kept for item in each] + tail

    def _edited(self, text: str, keys: Sequence[str]) -> str | None:
        """The text with its lines changed one by one; None where its list is not written one item a line."""
        node = _node_at(text, keys)
        if node is None or node.flow_style or not node.value:
            return None
        if any(each.start_mark.line != each.end_mark.line for each in node.value):
            return None
        placed, tail = self._placed([requirement_name(str(each.value)) for each in node.value])
        lines = text.splitlines(keepends=True)
        shape = lines[node.value[-1].start_mark.line]
        for each, new in zip(node.value, placed, strict=True):
            if new is not None:
                lines[each.start_mark.line] = _in_place_of(lines[each.start_mark.line], each, new)
        last = node.value[-1].start_mark.line
        lines[last] = _with_end(lines[last], tail) + _items(shape, node.value[-1], tail)
        return "".join(lines)


def _logical_lines(text: str) -> list[str]:
    """Lines with their ends; one that ends in a backslash goes on in the next."""
    found: list[str] = []
    for line in text.splitlines(keepends=True):
        goes_on = bool(found) and found[-1].rstrip("\r\n").endswith("\\") and not found[-1].lstrip().startswith("#")
        if goes_on:
            found[-1] += line
        else:
            found.append(line)
    return found


def _content(line: str) -> str:
    joined = re.sub(r"\\\r?\n", " ", line)
    return _COMMENT.split(joined, maxsplit=1)[0].strip()


def _replaced(line: str, new: Sequence[str], ending: str) -> str:
    """A line with others in its place; its comment stays with the first."""
    if [_content(line)] == list(new):
        return line
    comment = re.search(r"\s+#[^\r\n]*(?=\r?\n?\Z)", line)
    first = [f"{each}{comment[0] if comment else ''}" for each in new[:1]]
    return "".join(f"{each}{ending}" for each in [*first, *new[1:]])


def _list_at(content: dict[str, Any], keys: Sequence[str]) -> list[Any]:
    """The list to change; made where there is none."""
    if not isinstance(content.get(keys[0]), list):
        content[keys[0]] = []
    items: list[Any] = content[keys[0]]
    if len(keys) == 1:
        return items
    holder = next((each for each in items if isinstance(each, dict) and keys[1] in each), None)
    if holder is None:
        holder = {keys[1]: []}
        items.append(holder)
    if not isinstance(holder[keys[1]], list):
        holder[keys[1]] = []
    inner: list[Any] = holder[keys[1]]
    return inner


def _node_at(text: str, keys: Sequence[str]) -> Any:
    import yaml

    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, key in enumerate(keys):
        holders = [node] if depth == 0 else node.value
        pairs = [pair for each in holders if isinstance(each, yaml.MappingNode) for pair in each.value]
        node = next((value for name, value in pairs if name.value == key), None)
        if not isinstance(node, yaml.SequenceNode):
            return None
    return node


def _in_place_of(line: str, node: Any, new: Sequence[str]) -> str:
    if not new:
        return ""
    start, end = node.start_mark.column, node.end_mark.column
    first = line[:start] + _scalar(new[0]) + line[end:]
    return first + (_items(line, node, new[1:]) if first.endswith("\n") else "")


def _items(line: str, node: Any, new: Sequence[str]) -> str:
    """Further items of the list that a line shows one of."""
    ending = "\r\n" if line.endswith("\r\n") else "\n"
    return "".join(f"{line[: node.start_mark.column]}{_scalar(each)}{ending}" for each in new)


def _with_end(line: str, tail: Sequence[str]) -> str:
    return f"{line}\n" if tail and line and not line.endswith("\n") else line


def _scalar(value: str) -> str:
    """A text as an item of a YAML list."""
    import yaml

    try:
        plain = yaml.safe_load(f"- {value}\n") == [value]
    except yaml.YAMLError:
        plain = False
    return value if plain else "'" + value.replace("'", "''") + "'"


def _says(text: str, wanted: dict[str, Any]) -> bool:
    import yaml

    try:
        return bool(yaml.safe_load(text) == wanted)
    except yaml.YAMLError:
        return False
