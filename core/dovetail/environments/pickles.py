"""What a pickle refers to, found by reading its opcodes; nothing in it is executed.

The reader keeps a stack as the unpickling machine does, but one of descriptions instead of objects: texts, numbers,
tuples of them, and names. So it sees through memoised texts, modules that cloudpickle imports by a call, and the
import statements inside functions that were pickled by value.
"""

from __future__ import annotations

import dis
import pickletools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from dovetail.errors import InvalidModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["modules_in"]

# Larger ones are data: no name and no code of a function is that long.
_LONG = 1 << 20
_IMPORT, _EXTENDED = dis.opmap["IMPORT_NAME"], dis.opmap["EXTENDED_ARG"]
# Where `types.CodeType` takes the bytecode, and the names it uses.
_CODE, _NAMES = 6, 8


@dataclass(frozen=True)
class _Global:
    module: str
    name: str


class _Mark:
    """Where a group of things on the stack begins."""


def modules_in(path: Path) -> set[str]:
    """The modules that a pickle refers to by name, calls for, or imports inside the functions it carries.

    Args:
        path: A file that holds one pickle.

    Raises:
        InvalidModel: It is no pickle.
    """
    reader = _Reader()
    try:
        with path.open("rb") as stream:
            reader.read(stream)
    except ValueError as error:
        raise InvalidModel(f"{path} is no pickle: {error}.") from error
    return {name for name in reader.modules if name}


class _Reader:
    """The machine; a missing value on its stack is one it knows nothing about."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}

    def read(self, stream: BinaryIO) -> None:
        for opcode, argument, _ in pickletools.genops(stream):
            name, key = opcode.name, argument if isinstance(argument, int) else -1
            if isinstance(argument, (str, bytes)) and name not in _NAMED:
                self._stack.append(argument if len(argument) < _LONG else None)
            elif name.endswith("PUT"):
                self._memo[key] = self._stack[-1] if self._stack else None
            elif name.endswith("GET"):
                self._stack.append(self._memo.get(key))
            elif act := _ACTIONS.get(name):
                act(self, argument)
            else:
                self._otherwise(opcode, argument)

    def _otherwise(self, opcode: Any, argument: Any) -> None:
        """Take off the stack what the opcode takes off, and put unknowns on it."""
        if pickletools.markobject in opcode.stack_before:
            self._group()
            taken = opcode.stack_before.index(pickletools.markobject)
        else:
            taken = len(opcode.stack_before)
        for _ in range(taken):
            self._pop()
        self._stack += [argument if isinstance(argument, int) else None] * len(opcode.stack_after)

    def _pop(self) -> Any:
        return self._stack.pop() if self._stack else None

    def _group(self) -> tuple[Any, ...]:
        group: list[Any] = []
        while self._stack and not isinstance(self._stack[-1], _Mark):
            group.append(self._stack.pop())
        self._pop()
        return tuple(reversed(group))

    # --- opcodes that matter ----------------------------------------------------------------------------------

    def _mark(self, _argument: Any) -> None:
        self._stack.append(_Mark())

    def _memoize(self, _argument: Any) -> None:
        self._memo[len(self._memo)] = self._stack[-1] if self._stack else None

    def _duplicate(self, _argument: Any) -> None:
        self._stack.append(self._stack[-1] if self._stack else None)

    def _named(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._refer(module, name)

    def _made(self, argument: str) -> None:
        self._group()
        self._named(argument)

    def _looked_up(self, _argument: Any) -> None:
        name, module = self._pop(), self._pop()
        self._refer(module if isinstance(module, str) else "", name if isinstance(name, str) else "")

    def _refer(self, module: str, name: str) -> None:
        self.modules.add(module)
        self._stack.append(_Global(module, name))

    def _tuple(self, _argument: Any) -> None:
        self._stack.append(self._group())

    def _called(self, _argument: Any) -> None:
        arguments, function = self._pop(), self._pop()
        if not isinstance(function, _Global) or not isinstance(arguments, tuple):
            self._stack.append(None)
            return
        if (function.name in _IMPORTERS) and arguments and isinstance(arguments[0], str):
            self.modules.add(arguments[0])
        if function.name == "CodeType":
            self.modules.update(_imported(arguments))
        # How cloudpickle writes the types that have no name of their own in a module.
        builtin = function.name == "_builtin_type" and arguments == ("CodeType",)
        self._stack.append(_Global("types", "CodeType") if builtin else None)


def _tuple_of(length: int) -> Callable[[_Reader, Any], None]:
    def act(reader: _Reader, _argument: Any) -> None:
        reader._stack.append(tuple(reader._pop() for _ in range(length))[::-1])  # noqa: SLF001 - part of the reader

    return act


_IMPORTERS = frozenset({"__import__", "import_module", "subimport"})
_NAMED = frozenset({"GLOBAL", "INST", "PUT", "GET"})
_ACTIONS: dict[str, Callable[[_Reader, Any], None]] = {
    "DUP": _Reader._duplicate,  # noqa: SLF001 - part of the reader
    "EMPTY_TUPLE": _tuple_of(0),
    "GLOBAL": _Reader._named,  # noqa: SLF001
    "INST": _Reader._made,  # noqa: SLF001
    "MARK": _Reader._mark,  # noqa: SLF001
    "MEMOIZE": _Reader._memoize,  # noqa: SLF001
    "REDUCE": _Reader._called,  # noqa: SLF001
    "STACK_GLOBAL": _Reader._looked_up,  # noqa: SLF001
    "TUPLE": _Reader._tuple,  # noqa: SLF001
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
}


def _imported(arguments: tuple[Any, ...]) -> Iterator[str]:
    """The modules that the import statements of a function name, given what its code object is made of."""
    if len(arguments) <= _NAMES:
        return
    code, names = arguments[_CODE], arguments[_NAMES]
    if not isinstance(code, bytes) or not isinstance(names, tuple):
        return
    extended = 0
    for operation, argument in zip(code[::2], code[1::2], strict=False):
        extended = extended << 8 | argument
        if operation == _EXTENDED:
            continue
        if operation == _IMPORT and extended < len(names) and isinstance(names[extended], str):
            yield names[extended]
        extended = 0
